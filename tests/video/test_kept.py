"""What cannot be kept is said; what is beside the video stays what it is; names are names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.shared import shared
from tests.video.make import clip, picture
from vidinv.errors import InputError, OutputUnwritable, UnsupportedColour
from vidinv.stages.encode import encode
from vidinv.types import Frame
from vidinv.video import Reader, check_output, probe
from vidinv.video.dolby import DolbyVision, dolby_vision
from vidinv.video.inputs import moves
from vidinv.video.output import part_path, work_folder


def through(src: Path, dst: Path) -> tuple[list[Frame], list[str]]:
    """Read and written without an edit: the frames as read, and all warnings."""
    told: list[str] = []
    with Reader(src) as reader:
        frames = list(reader)
        list(encode(iter(frames), dst, reader.info, warn=told.append))
        return frames, [*reader.warnings, *told]


def encoded(path: Path, frames: list[av.VideoFrame], codec: str, pix_fmt: str, **options: str) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pix_fmt
        for i, frame in enumerate(frames):
            frame.pts = i
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def test_interlaced_pictures_are_said_to_be(tmp_path: Path) -> None:
    frames = [av.VideoFrame.from_ndarray(picture(i, 128, 96), "rgb24").reformat(format="yuv420p") for i in range(5)]
    path = encoded(tmp_path / "in.mp4", frames, "libx264", "yuv420p", flags="+ildct+ilme", **{"x264-params": "tff=1"})
    _, told = through(path, tmp_path / "out.mp4")
    assert sum("interlaced" in text for text in told) == 1


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [
        (".mov", "png", "rgba"),
        (".mov", "qtrle", "argb"),
        (".mkv", "ffv1", "yuva420p"),
        (".mov", "prores_ks", "yuva444p10le"),
    ],
)
def test_transparency_is_said_to_be_lost(tmp_path: Path, suffix: str, codec: str, pix_fmt: str) -> None:
    frames = []
    for i in range(3):
        image = np.dstack([picture(i, 128, 96), np.full((96, 128), 128, np.uint8)])
        frames.append(av.VideoFrame.from_ndarray(image, "rgba").reformat(format=pix_fmt))
    _, told = through(encoded(tmp_path / f"in{suffix}", frames, codec, pix_fmt), tmp_path / "out.mp4")
    assert any("transparency" in text for text in told)


def test_a_tag_of_transparency_is_not_left_on_what_has_none(tmp_path: Path) -> None:
    _, told = through(shared("cases/09_alpha.webm"), tmp_path / "out.mkv")
    assert any("transparency" in text for text in told)
    with av.open(str(tmp_path / "out.mkv")) as written:
        assert "alpha_mode" not in {key.lower() for key in written.streams.video[0].metadata}


@pytest.mark.parametrize("later", [(96, 128), (256, 192), (64, 96)])
def test_pictures_that_change_their_size_are_fitted_with_bars_and_that_is_said(
    tmp_path: Path, later: tuple[int, int]
) -> None:
    parts = []
    for name, size in (("a", (128, 96)), ("b", later)):
        part = clip(tmp_path / f"{name}.ts", size=size, count=10, time_base=Fraction(1, 90000), audio=())
        parts.append(part.read_bytes())
    (tmp_path / "in.ts").write_bytes(b"".join(parts))
    frames, told = through(tmp_path / "in.ts", tmp_path / "out.mp4")
    assert {f.image.shape for f in frames} == {(96, 128, 3)}
    assert len(frames) == 20
    assert sum("size" in text for text in told) == 1
    last = frames[-1].image
    scale = min(128 / later[0], 96 / later[1])
    width, height = round(later[0] * scale), round(later[1] * scale)
    bars = last[:, : max((128 - width) // 2 - 1, 0)], last[: max((96 - height) // 2 - 1, 0)]
    assert all(bar.max(initial=0) < 20 for bar in bars)
    assert last[48, 64].max() > 40


@pytest.mark.parametrize("base", [0, 1, 2])
def test_dolby_vision_without_a_picture_of_its_own_is_refused(tmp_path: Path, base: int) -> None:
    """The record is put into a file at the end of its codec's own, as encoders do."""
    path = clip(tmp_path / "in.mp4", audio=())
    _add_box(path, _dolby(base), (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"))
    if base == 2:
        assert Reader(path).info.width == 128
        return
    with pytest.raises(UnsupportedColour, match=r"Dolby Vision video of profile 5|PQ"):
        Reader(path)


def test_what_only_looks_like_a_record_of_dolby_vision_refuses_nothing(tmp_path: Path) -> None:
    for outer in ((b"moov",), (b"moov", b"udta")):
        path = clip(tmp_path / "in.mp4", audio=())
        _add_box(path, _dolby(0), outer)
        assert Reader(path).info.width == 128
    path = clip(tmp_path / "in.mkv", audio=(), metadata={"title": "a" * 31})
    path.write_bytes(path.read_bytes().replace(b"a" * 31, b"dvcC\x41\xed\x98" + _dolby(0)[8:]))
    assert Reader(path).info.width == 128


def test_matroska_tells_of_dolby_vision_in_the_head_of_a_track(tmp_path: Path) -> None:
    def element(name: str, content: bytes) -> bytes:
        return bytes.fromhex(name) + bytes([0x80 | len(content)]) + content

    def mapped(kind: bytes) -> bytes:
        return element("41E4", element("41F0", b"\2") + element("41E7", kind) + element("41ED", _dolby(4)[8:]))

    def file(*mappings: bytes) -> Path:
        tracks = element("1654AE6B", element("AE", element("D7", b"\1") + b"".join(mappings)))
        path = tmp_path / "in.mkv"
        path.write_bytes(element("1A45DFA3", b"") + bytes.fromhex("18538067 01FFFFFFFFFFFFFF") + tracks)
        return path

    assert dolby_vision(file(mapped(b"hvcE"), mapped(b"dvvC")), "matroska,webm") == DolbyVision(5, 4)
    assert dolby_vision(file(mapped(b"hvcE")), "matroska,webm") is None


def _dolby(base: int) -> bytes:
    """A record as a box."""
    return (32).to_bytes(4, "big") + b"dvcC" + bytes([1, 0, 5 << 1, 0x2D, base << 4]) + bytes(19)


def _add_box(path: Path, box: bytes, outer: Sequence[bytes]) -> None:
    """To the end of the innermost of ``outer``, of which each is the first of its kind in the one before."""
    data, at = bytearray(path.read_bytes()), 0
    for kind in outer:
        at = data.find(kind, at) - 4
        end = at + int.from_bytes(data[at : at + 4], "big")
        data[at : at + 4] = (end - at + len(box)).to_bytes(4, "big")
        at += 8
    path.write_bytes(data[:end] + box + data[end:])


@pytest.mark.parametrize(
    ("name", "text"), [("05_interlaced.mp4", "interlaced"), ("15_turn.ts", "size"), ("17_cc.mp4", "captions")]
)
def test_real_files_say_what_is_lost(name: str, text: str) -> None:
    with Reader(shared(f"cases/{name}")) as reader:
        list(reader)
        assert [text in warning for warning in reader.warnings] == [True]


def test_a_real_dolby_vision_file_is_refused() -> None:
    with pytest.raises(UnsupportedColour, match="profile 5"):
        Reader(shared("cases/23_dovi5.mp4"))


NAMES = [
    "10:30 clip.mp4",
    "http:clip.mp4",
    "file:clip.mp4",
    "%04d.mp4",
    "-.mp4",
    "字" * 80 + ".mp4",
    "é" * 123 + ".mp4",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Of the input and of the output, with and without a folder before it."""
    monkeypatch.chdir(tmp_path)
    clip(tmp_path / "plain.mp4", count=5).rename(name)
    (tmp_path / "out").mkdir()
    for out in (Path("out") / name, tmp_path / "out" / f"2{name[1:]}"):
        frames, told = through(Path(name), out)
        assert len(frames) == 5
        assert not told
        assert probe(out).width == 128


@pytest.mark.parametrize("name", ["a.mp4", "字" * 83 + ".mp4", "x" * 251 + ".mp4", "x" * 139 + ".mp4"])
def test_hidden_names_fit_where_the_outputs_fits(name: str) -> None:
    longest = max(len(name.encode()), 130)
    assert len(part_path(Path(name)).name.encode()) <= longest
    assert len(work_folder(Path(name)).name.encode()) <= longest


def test_the_default_video_is_edited_and_the_other_and_the_cover_stay(tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("libx264", rate=25) for _ in range(2)]
        for stream, width in zip(streams, (64, 128), strict=True):
            stream.width, stream.height, stream.pix_fmt = width, 96, "yuv420p"
        streams[0].disposition = av.stream.Disposition(0)
        streams[1].disposition = av.stream.Disposition.default
        font = output.add_attachment("a.ttf", "font/ttf", b"not a font")
        assert font.type == "attachment"
        for i in range(10):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(picture(i, stream.width, 96), "rgb24")
                frame.pts = i
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
    frames, told = through(path, tmp_path / "out.mkv")
    assert frames[0].image.shape == (96, 128, 3)
    assert not told
    with av.open(str(path)) as before, av.open(str(tmp_path / "out.mkv")) as after:
        assert [s.type for s in after.streams] == [s.type for s in before.streams]
        assert [int(s.disposition) for s in after.streams] == [int(s.disposition) for s in before.streams]
        assert bytes(after.streams[2].data) == b"not a font"
        originals = [bytes(p) for p in before.demux(before.streams[0]) if p.size]
        assert [bytes(p) for p in after.demux(after.streams[0]) if p.size] == originals


def animated(path: Path, kind: str) -> Path:
    pictures = [Image.fromarray(picture(i, 96, 64)) for i in range(6)]
    times = [100, 100, 50, 100, 100, 700]
    pictures[0].save(path, kind, save_all=True, append_images=pictures[1:], duration=times, loop=0)
    return path


@pytest.mark.parametrize(("name", "kind"), [("a.gif", "GIF"), ("a.apng", "PNG"), ("a.png", "PNG")])
def test_animated_pictures_are_read_with_their_times(tmp_path: Path, name: str, kind: str) -> None:
    frames, told = through(animated(tmp_path / name, kind), tmp_path / "out.mp4")
    assert [round(float(f.time), 2) for f in frames] == [0, 0.1, 0.2, 0.25, 0.35, 0.45]
    assert not told
    assert float(probe(tmp_path / "out.mp4").duration) == pytest.approx(1.15, abs=0.02)


def test_what_is_no_video_file_is_said_as_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    refused = {
        "-": "pipe", str(tmp_path / "pipe.mp4"): "pipe", str(tmp_path / "%04d.png"): "sequences of pictures",
        str(tmp_path): "folder", str(animated(tmp_path / "a.webp", "WEBP")): "animated WebP, which the libraries",
    }  # fmt: skip
    for name, text in refused.items():
        with pytest.raises(InputError, match=text):
            Reader(name)
    src = clip(tmp_path / "in.mp4", count=3)
    for name, text in (("-", "pipe"), ("a.gif", r"no container for \.gif"), ("a.mpg", r"no container for \.mpg")):
        with pytest.raises(OutputUnwritable, match=text):
            check_output(src, name if name == "-" else tmp_path / name)


def test_only_what_is_animated_moves(tmp_path: Path) -> None:
    for name, kind in (("a.png", "PNG"), ("a.webp", "WEBP")):
        assert moves(animated(tmp_path / name, kind))
        Image.fromarray(picture(0, 96, 64)).save(tmp_path / f"still{name}")
        assert not moves(tmp_path / f"still{name}")
