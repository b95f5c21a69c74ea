"""A file that ends early, changes while it is read, names other files or asks for too much memory is known."""

from __future__ import annotations

import os
import resource
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.video.make import clip
from vidinv.errors import NotAVideo
from vidinv.video import Reader
from vidinv.video.demuxers import READING
from vidinv.video.whole import missing_bytes

LIVE = {"live": "1"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov", "frag_duration": "200000"}
KINDS: dict[str, dict[str, Any]] = {
    "mp4": {},
    "front.mp4": {"container_options": {"movflags": "faststart"}},
    "fragments.mp4": {"container_options": FRAGMENTS},
    "mov": {},
    "mkv": {},
    "live.mkv": {"container_options": LIVE},
    "webm": {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "avi": {"codec": "mpeg4", "options": {}, "time_base": Fraction(1, 25)},
    "flv": {},
    "ts": {},
    "wmv": {"codec": "mpeg4", "options": {}, "time_base": Fraction(1, 25)},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    options = {"audio": (), "count": 25, "options": {"preset": "ultrafast", "g": "5"}}
    return {k: clip(folder / f"in.{k}", **{**options, **v}).read_bytes() for k, v in KINDS.items()}


def test_a_name_that_is_a_pattern_is_that_file_and_none_beside_it(tmp_path: Path) -> None:
    for name, side in (("a%d.png", 8), ("a0.png", 16), ("a1.png", 16)):
        Image.new("RGB", (side, side)).save(tmp_path / name)
    with av.open(f"file:{tmp_path / 'a%d.png'}", options=READING) as container:
        assert container.streams.video[0].width == 8


def test_no_format_is_read_that_goes_on_in_files_beside_it() -> None:
    assert not {"mlv", "vobsub", "concat", "hls", "dash", "imf", "webm_dash_manifest"} & set(
        READING["format_whitelist"].split(",")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_early_says_so(whole: dict[str, bytes], tmp_path: Path, kind: str) -> None:
    data, path = whole[kind], tmp_path / f"in.{kind}"
    path.write_bytes(data)
    assert missing_bytes(path) == 0
    with Reader(path, 1) as reader:
        assert sum(1 for _ in reader) == 25
        assert reader.damage is None
    for share in (0.97, 0.8, 0.55):
        path.write_bytes(data[: int(len(data) * share) | 1])
        try:
            with Reader(path, 1) as reader:
                read = sum(1 for _ in reader)
        except NotAVideo:
            assert kind in ("mp4", "mov", "avi")  # an index at the end, a head that is half of a small file
            continue
        assert read < 25 or kind in ("avi", "wmv")  # whose index, which is not needed, is at the end
        assert reader.damage is not None
        assert " early" in str(reader.damage)


def test_a_file_of_unknown_length_and_one_with_a_tail_are_whole(whole: dict[str, bytes], tmp_path: Path) -> None:
    for kind in ("mp4", "fragments.mp4", "mkv", "avi", "flv"):
        path = tmp_path / f"in.{kind}"
        for tail in (bytes(1000), bytes(range(65, 91)) * 4):
            path.write_bytes(whole[kind] + tail)
            assert missing_bytes(path) == 0
    for size in (0, 0xFFFFFFFF):
        (tmp_path / "in.avi").write_bytes(whole["avi"][:4] + size.to_bytes(4, "little") + whole["avi"][8:])
        assert missing_bytes(tmp_path / "in.avi") == 0
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("RIFF")
    assert missing_bytes(tmp_path / "empty") == missing_bytes(tmp_path / "text") == 0


def test_an_mp4_with_every_packet_that_its_index_names_is_whole(whole: dict[str, bytes], tmp_path: Path) -> None:
    data, path = whole["front.mp4"], tmp_path / "in.mp4"
    at = data.find(b"mdat")
    path.write_bytes(data[: at - 4] + (len(data) - at + 1004).to_bytes(4, "big") + data[at:])
    assert missing_bytes(path) == 1000
    with Reader(path, 1) as reader:
        assert sum(1 for _ in reader) == 25
        assert reader.damage is None


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def _written(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(10))


@pytest.mark.parametrize(
    ("change", "told"),
    [(_cut, "cut"), (_replaced, "replaced"), (_written, "written to"), (Path.unlink, "removed")],
    ids=["cut", "replaced", "written", "removed"],
)
def test_what_happens_to_a_file_meanwhile_is_said(whole: dict[str, bytes], tmp_path: Path, change: Any, told: str):
    path = tmp_path / "in.mkv"
    path.write_bytes(whole["mkv"])
    with Reader(path, 1) as reader:
        frames = iter(reader)
        next(frames)
        change(path)
        for _ in frames:
            pass
    assert f"the input is damaged: it was {told} while it was read" in str(reader.damage)


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4"])
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nin.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile 'in.ts'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
    ids=["hls", "concat", "sdp"],
)
def test_a_playlist_reads_no_neighbours(whole: dict[str, bytes], tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "in.ts").write_bytes(whole["ts"])
    (tmp_path / name).write_text(text)
    with pytest.raises(NotAVideo, match=r"a playlist, or of a format that is not read|too damaged"):
        Reader(tmp_path / name)


def test_the_demuxers_that_are_let_in_read_one_file() -> None:
    let_in = set(READING["format_whitelist"].split(","))
    assert len(let_in) == len(READING["format_whitelist"].split(","))
    assert not let_in & {
        "hls",
        "concat",
        "dash",
        "sdp",
        "rtsp",
        "rtp",
        "imf",
        "lavfi",
        "tee",
        "vobsub",
        "webm_dash_manifest",
    }


def test_a_small_file_is_no_huge_picture(tmp_path: Path) -> None:
    path = tmp_path / "in.gif"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("gif", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb8"
        for index in range(5):
            picture = av.VideoFrame.from_ndarray(np.full((16, 16), 50 * index, np.uint8), "rgb8")
            picture.pts, picture.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    data = path.read_bytes()
    path.write_bytes(data[:6] + (16384).to_bytes(2, "little") * 2 + data[10:])
    assert len(data) < 5000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NotAVideo, match=r"35389440 pixels \(8192x4320\)"):
        Reader(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_tags_of_another_encoding_and_names_that_are_no_text_are_read(tmp_path: Path) -> None:
    plain = clip(tmp_path / "in.mkv", audio=(), count=5, metadata={"title": "caf!"})
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv"))
    path.write_bytes(plain.read_bytes().replace(b"caf!", b"caf\xe9"))
    with Reader(path, 1) as reader:
        assert sum(1 for _ in reader) == 5
        assert os.fsencode(reader._container.metadata["title"]) == b"caf\xe9"
