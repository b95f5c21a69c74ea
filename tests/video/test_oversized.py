"""What is larger than FFmpeg reads of a Matroska file is left out by name, and nothing else is lost or there twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from tests.video.make import clip, other_packets
from vidinv.stages.encode import encode
from vidinv.video import Reader
from vidinv.video import oversized as of_matroska
from vidinv.video.attachments import Attached, append
from vidinv.video.matroska import CLUSTER, HEAD, SEGMENT, element
from vidinv.video.oversized import DEEPEST, LARGEST_DATA, LARGEST_TEXT, left_out, oversized

INDICES = (0x114D9B74, 0x1C53BB6B, 0xEC)  # of places in the file, which move, and what is empty
LARGE = {"attachment": LARGEST_DATA + 1} | dict.fromkeys(("tag", "title", "chapter", "track"), LARGEST_TEXT + 1)
NAMES = {
    "attachment": "attachment huge\n.bin (256 MiB)",
    "tag": "tag HUGE (16 MiB)",
    "title": "title (16 MiB)",
    "chapter": "title of a chapter (16 MiB)",
    "track": "name of a track (16 MiB)",
}


def numbered(name: int) -> bytes:
    return name.to_bytes((name.bit_length() + 7) // 8, "big")


def head(name: int, size: int) -> bytes:
    return numbered(name) + (size | 1 << 56).to_bytes(8, "big")


def whole(name: int, *inner: bytes, hole: int = 0) -> bytes:
    """An element that ends with a hole, which is not there yet."""
    return head(name, sum(map(len, inner)) + hole) + b"".join(inner)


def attached(name: str, data: bytes = b"", hole: int = 0) -> bytes:
    told = whole(0x466E, name.encode()), whole(0x4660, b"application/octet-stream"), whole(0x46AE, b"\x07")
    return whole(0x61A7, *told, whole(0x465C, data, hole=hole), hole=hole)


def tag(name: str, text: bytes = b"", hole: int = 0) -> bytes:
    named = whole(0x67C8, whole(0x45A3, name.encode()), whole(0x4487, text, hole=hole), hole=hole)
    return whole(0x7373, whole(0x63C0), named, hole=hole)


def head_of(kind: str) -> tuple[list[bytes], int]:
    """Elements for a file's head, the first of which ends with a hole; and how long that is."""
    size = LARGE[kind]
    if kind == "attachment":
        small = attached("after.bin", b"small")
        inner = attached("huge\n.bin", hole=size)
        return [head(0x1941A469, len(inner) + size + len(small)) + inner, small], size
    if kind == "tag":
        inner, small = tag("HUGE", hole=size), tag("AFTER", b"small")
        return [head(0x1254C367, len(inner) + size + len(small)) + inner, small], size
    if kind == "chapter":
        shown = whole(0x80, whole(0x437C, b"eng"), whole(0x85, hole=size), hole=size)
        times = whole(0x73C4, b"\x05"), whole(0x91, b"\0"), whole(0x92, b"\x10\0\0")
        return [
            whole(0x1043A770, whole(0x45B9, whole(0xB6, *times, shown, hole=size), hole=size), hole=size),
            b"",
        ], size
    if kind == "track":
        kinds = whole(0xD7, b"\x09"), whole(0x73C5, b"\x09"), whole(0x83, b"\x11"), whole(0x86, b"S_TEXT/UTF8")
        named = whole(0xAE, *kinds, whole(0x536E, hole=size), hole=size)
        return [whole(0x1654AE6B, named, hole=size), b""], size
    inner = whole(0x7BA9, hole=size)
    return [head(0x1549A966, len(inner) + size) + inner, b""], size


def children(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data) and (found := element(data, at)) is not None and found[2] is not None:
        name, begin, length = found
        yield name, data[at : begin + length]
        at = begin + length


def with_large(path: Path, kind: str) -> Path:
    """A clip whose segment also has an element with a hole, which takes no room on the disk."""
    (before, after), hole = head_of(kind)
    return with_more(path, before, hole, after)


def with_more(path: Path, before: bytes, hole: int, after: bytes) -> Path:
    """A clip with more in its segment's head."""
    data = clip(path.with_name("plain.mkv"), count=12).read_bytes()
    (_, first), (_, segment) = children(data)
    found = element(segment, 0)
    assert found is not None
    inner = [(name, one) for name, one in children(segment[found[1] :]) if name not in INDICES]
    with path.open("wb") as file:
        file.write(first + numbered(SEGMENT) + b"\x01" + b"\xff" * 7)
        for name, one in inner:
            if name == CLUSTER and before:
                file.write(before)
                file.seek(hole, 1)
                file.write(after)
                before = b""
            file.write(one)
    return path


@pytest.mark.parametrize("kind", LARGE)
def test_it_is_left_out_by_name_and_the_rest_is_there_once(tmp_path: Path, kind: str) -> None:
    source, target, told = with_large(tmp_path / "in.mkv", kind), tmp_path / "out.mkv", list[str]()
    with Reader(source) as reader:
        assert len(list(encode(iter(reader), target, reader.info, warn=told.append))) == 12
        assert reader.damage is None
    assert [message.partition(" is larger")[0] for message in told] == [NAMES[kind]]
    assert told[0].endswith("it was left out")
    with av.open(str(target)) as made:
        kinds = [stream.type for stream in made.streams]
        more = {"attachment": "attachment", "track": "subtitle"}
        assert kinds == ["video", "audio", *([more[kind]] if kind in more else [])]
        assert len(made.chapters()) == (kind == "chapter")
        if kind == "attachment":
            assert made.streams[2].metadata["filename"] == "after.bin"
        if kind == "tag":
            assert made.metadata["AFTER"] == "small"
    plain = other_packets(tmp_path / "plain.mkv")
    assert other_packets(target)[1] == plain[1]


def test_what_is_not_too_large_is_kept(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mkv", count=4, metadata={"HUGE": "a" * LARGEST_TEXT})
    assert not left_out(source)
    with Reader(source) as reader:
        assert len(list(encode(iter(reader), tmp_path / "out.mkv", reader.info))) == 4
    with av.open(str(tmp_path / "out.mkv")) as made:
        assert made.metadata["HUGE"] == "a" * LARGEST_TEXT


@pytest.mark.parametrize("seed", range(20))
def test_damage_in_the_elements_is_no_error(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = with_large(tmp_path / "in.mkv", "tag")
    with source.open("r+b") as file:
        for _ in range(30):
            file.seek(chance.randrange(900))
            file.write(bytes([chance.randrange(256)]))
        if seed % 2:
            file.truncate(chance.randrange(900))
    for one in oversized(source):
        assert one.head


def nested(deep: int, inner: bytes = b"", name: int = 0x67C8) -> bytes:
    for _ in range(deep):
        inner = whole(name, *([whole(0x45A3, b"DEEP")] if name == 0x67C8 else []), inner)
    return inner


@pytest.mark.parametrize("name", [0x7373, 0x67C8])
def test_elements_within_one_another_without_end_are_no_error(tmp_path: Path, name: int) -> None:
    data = nested(3000, whole(0x4487, bytes(LARGEST_TEXT + 1)), name)
    source = tmp_path / "in.mkv"
    source.write_bytes(whole(HEAD) + whole(SEGMENT, whole(0x1254C367, whole(0x7373, data))))
    assert all("tags within one another" in told for told in left_out(source))


@pytest.mark.parametrize("deep", [DEEPEST, DEEPEST + 1, 100])
def test_tags_within_one_another_are_read_as_deep_as_ffmpeg_reads_them(tmp_path: Path, deep: int) -> None:
    tags = whole(0x1254C367, whole(0x7373, whole(0x63C0), nested(deep)))
    source = with_more(tmp_path / "in.mkv", tags, 0, b"")
    told = left_out(source)
    assert told == (
        (f"tag DEEP has tags within one another, and {DEEPEST} are the most; it was left out",) * (deep > 13)
    )
    with Reader(source) as reader:
        assert len(list(reader)) == 12
        assert reader.info.other_streams == ("#1 audio aac (eng)",)
        assert reader.damage is None


def test_attached_files_are_kept_as_far_as_they_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_matroska, "MOST_DATA", 3000)
    inner = b"".join(attached(f"{size}.bin", bytes(size)) for size in (2000, 1500, 500))
    source = with_more(tmp_path / "in.mkv", whole(0x1941A469, inner), 0, b"")
    told = ("attachment 1500.bin (0 MiB) is one too many: 0 MiB in all are the most; it was left out",)
    assert left_out(source) == told
    with Reader(source) as reader:
        assert len(list(encode(iter(reader), tmp_path / "out.mkv", reader.info))) == 12
    with av.open(str(tmp_path / "out.mkv")) as made:
        assert [s.metadata.get("filename") for s in made.streams] == [None, None, "2000.bin", "500.bin"]


def carried(path: Path) -> list[tuple[str, bytes]]:
    """Attached files by name, as FFmpeg reads them, of a file whose other streams are a video and sound."""
    with av.open(str(path)) as made:
        assert [s.type for s in made.streams][:2] == ["video", "audio"]
        assert sum(1 for _ in made.demux(made.streams.video[0])) == 13  # the last says that there are no more
        return [(s.metadata["filename"], bytes(s.data)) for s in made.streams if s.type == "attachment"]


@pytest.fixture
def much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """More attached files than FFmpeg is shown."""
    monkeypatch.setattr(of_matroska, "MOST_READ", 3000)
    inner = b"".join(attached(f"{size}.bin", bytes([size % 251]) * size) for size in (2000, 1500, 500))
    return with_more(tmp_path / "in.mkv", whole(0x1941A469, inner), 0, b"")


def test_more_of_them_than_ffmpeg_is_shown_are_copied_past_it(much: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = carried(much)
    assert [name for name, _ in given] == ["2000.bin", "1500.bin", "500.bin"]
    target, told = much.with_name("out.mkv"), list[str]()
    with Reader(much) as reader:
        assert reader.info.other_streams == ("#1 audio aac (eng)",)
        writing = encode(iter(reader), target, reader.info, warn=told.append)
        next(writing)
        much.unlink()  # what is open can still be read
        assert len(list(writing)) == 11
    assert not told
    assert carried(target) == given
    data = target.read_bytes()
    (_, first), (_, segment) = children(data)
    assert len(first) + len(segment) == len(data)
    names = [name for name, _ in children(segment[12:])]
    assert names[0] == 0x114D9B74
    assert names.count(0x1941A469) == 1


def test_a_container_without_attached_files_says_which_were_left_out(much: Path) -> None:
    told = list[str]()
    with Reader(much) as reader:
        list(encode(iter(reader), much.with_name("out.mp4"), reader.info, warn=told.append))
    assert told == [f".mp4 cannot carry attachment {size}.bin; it was left out" for size in (2000, 1500, 500)]


def test_attached_files_that_end_early_are_left_out_whole(much: Path) -> None:
    target, told, hurt = much.with_name("out.mkv"), list[str](), list[bool]()
    with Reader(much) as reader:
        frames = iter(list(reader))
        writing = encode(frames, target, reader.info, warn=told.append, hurt=lambda: hurt.append(True))
        next(writing)
        with much.open("r+b") as file:
            file.truncate(1500)
        list(writing)
    assert "attachment 2000.bin, attachment 1500.bin, attachment 500.bin could not be copied; left out" in told
    assert hurt
    with av.open(str(target)) as made:
        assert [s.type for s in made.streams] == ["video", "audio"]
        assert sum(1 for _ in made.demux(made.streams.video[0])) == 13


def test_files_that_no_muxer_of_ours_wrote_are_left_as_they_are(much: Path) -> None:
    before = much.read_bytes()
    assert not append(much, lambda at, size: bytes(size), (Attached(0, 10, "attachment a"),))
    for cut in range(0, 200, 7):
        part = much.with_name("cut.mkv")
        part.write_bytes(before[:cut])
        assert not append(part, lambda at, size: bytes(size), (Attached(0, 10, "attachment a"),))
        assert part.read_bytes() == before[:cut]
    assert much.read_bytes() == before


def shortest(name: int, *inner: bytes) -> bytes:
    """An element whose length takes as few bytes as it can, as everybody writes it."""
    content = b"".join(inner)
    wide = next(wide for wide in range(1, 9) if len(content) < (1 << 7 * wide) - 1)
    return numbered(name) + (len(content) | 1 << 7 * wide).to_bytes(wide, "big") + content


@pytest.mark.parametrize("size", [125, 126, 127, 16382])
def test_a_length_that_fits_its_bytes_just_so_is_hidden_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(of_matroska, "MOST_DATA", 20_000)

    def sized(name: bytes, size: int) -> bytes:
        named = shortest(0x466E, name) + shortest(0x4660, b"font/ttf") + shortest(0x46AE, b"\x07")
        data = next(one for n in range(6) if len(one := named + shortest(0x465C, bytes(size - len(named) - n))) == size)
        return shortest(0x61A7, data)

    inner = sized(b"first.ttf", 19_900) + sized(b"many.ttf", size) + sized(b"last.ttf", 90)
    source = with_more(tmp_path / "in.mkv", whole(0x1941A469, inner), 0, b"")
    with Reader(source) as reader:
        assert len(list(reader)) == 12
        assert [told[:19] for told in reader.info.left_out] == ["attachment many.ttf"]
        assert reader.info.other_streams == ("#1 audio aac (eng)", "#2 attachment first.ttf", "#3 attachment last.ttf")
