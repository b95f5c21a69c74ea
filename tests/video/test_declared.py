"""A few bytes that promise a large index are refused before anything makes room for it; honest indices are read."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tests.video.make import clip
from vidinv.errors import NotAVideo
from vidinv.video import Reader
from vidinv.video.declared import MOST_EXPANDED, check_declared


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def table(kind: bytes, *numbers: int) -> bytes:
    """A full box of plain numbers, the first of them its version and flags."""
    return box(kind, struct.pack(f">{len(numbers)}I", *numbers))


def compressed(index: bytes, size: int | None = None) -> bytes:
    packed = struct.pack(">I", len(index) if size is None else size) + zlib.compress(index)
    return box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", packed)))


MANY = 80_000_000
ONE_SIZE = table(b"stsz", 0, 10, MANY)
RUN = table(b"trun", 0, MANY)
HALF_RUN = table(b"trun", 0, MANY // 8)
BOMBS = {
    "samples of one size": box(b"moov", box(b"trak", ONE_SIZE)),
    "a fragment": box(b"moof", box(b"traf", RUN)),
    "many fragments": box(b"moof", HALF_RUN) * 4,
    "within what nobody knows": box(b"what", box(b"ever", ONE_SIZE)),
    "behind a size of 0": struct.pack(">I4s", 0, b"moov") + ONE_SIZE,
    "struck out": box(b"free", box(b"mvhd"), ONE_SIZE),
    "compressed": compressed(box(b"moov", ONE_SIZE)),
    "compressed zeros": compressed(box(b"moov", bytes(MOST_EXPANDED + 1))),
    "a size that is none of its own": compressed(box(b"moov"), 2**31),
    "compressed twice": compressed(compressed(box(b"moov"))),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_an_index_of_nothing_is_refused_before_it_takes_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "in.mp4"
    path.write_bytes(box(b"ftyp", b"isom\0\0\2\0isom") + box(b"mdat", bytes(100)) + BOMBS[kind])
    with pytest.raises(NotAVideo, match=r"in\.mp4.*check the file"):
        Reader(path)


@pytest.mark.parametrize("kind", ["mp4", "fragments.mp4", "mov", "mkv", "ts"])
def test_honest_indices_are_read(tmp_path: Path, kind: str) -> None:
    how = {"container_options": {"movflags": "frag_keyframe+empty_moov"}} if "frag" in kind else {}
    with Reader(clip(tmp_path / f"in.{kind}", count=5, audio=(), **how), 1) as reader:
        assert sum(1 for _ in reader) == 5


@pytest.mark.parametrize("kind", ["mkv", "webm", "avi", "ts", "flv"])
def test_pictures_of_other_containers_are_not_taken_for_an_index(tmp_path: Path, kind: str) -> None:
    codec = {"codec": "libvpx"} if kind == "webm" else {"codec": "mpeg4"} if kind == "avi" else {}
    path = clip(tmp_path / f"in.{kind}", count=5, audio=(), **codec)
    path.write_bytes(path.read_bytes() + RUN)
    check_declared(path)


def test_a_bomb_does_not_pass_as_something_else(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    for head in (b"RIFF", b"G\0\0\xbc", b"OggS"):
        size = int.from_bytes(head)
        path.write_bytes(head + b"ftyp" + (b"G" + bytes(187)) * 5 + ONE_SIZE)
        assert size > path.stat().st_size
        with pytest.raises(NotAVideo):
            check_declared(path)


def test_what_only_looks_like_a_table_within_pictures_is_none(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", count=5, audio=())
    path.write_bytes(path.read_bytes() + box(b"mdat", ONE_SIZE) + box(b"free", RUN))
    check_declared(path)


def test_an_index_that_is_compressed_may_be_honest(tmp_path: Path) -> None:
    path = tmp_path / "in.mov"
    path.write_bytes(compressed(box(b"moov", table(b"stsz", 0, 0, 2, 5, 5))))
    check_declared(path)
