"""What was decoded reaches the encoder as it was, but for what was changed; parts of RGB are those of the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.video.make import clip, picture, psnr
from vidinv.runtime.saved import read_states, write_states
from vidinv.types import Box, Frame
from vidinv.video import EncoderSettings, Reader, VideoInfo, Writer, orientation
from vidinv.video.patched import Patch, Patched, patched
from vidinv.video.pixels import Decoded, YuvConverter

W, H = 128, 96
PLANAR: dict[str, dict[str, Any]] = {
    "4:2:0": {},
    "4:2:2": {"pix_fmt": "yuv422p"},
    "4:4:4": {"pix_fmt": "yuv444p"},
    "full range": {"colour": (1, 1, 1, 2), "pix_fmt": "yuvj420p"},
    "bt709": {"colour": (1, 1, 1, 1)},
    "a quarter turn": {"rotation": 90},
    "turned, bt709": {"rotation": -90, "colour": (1, 1, 1, 1)},
    "upside down": {"rotation": 180, "pix_fmt": "yuv422p"},
    "mirrored": {"rotation": 0, "mirrored": True},
    "turned and mirrored": {"rotation": 90, "mirrored": True, "pix_fmt": "yuv422p"},
    "another siting": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "options": {}, "colour": (1, 1, 5, 2)},
}
OTHERS: dict[str, dict[str, Any]] = {
    "turned, of an odd width": {"rotation": 90, "size": (127, 96), "codec": "mpeg4", "options": {}},
    "ten bits": {"pix_fmt": "yuv420p10le"},
    "an odd width": {"size": (127, 96), "codec": "mpeg4", "options": {}},
    "an odd height": {"size": (128, 95), "codec": "mpeg4", "options": {}},
    "rgb": {"codec": "libx264rgb", "pix_fmt": "rgb24"},
    "alpha": {"codec": "png", "pix_fmt": "rgba", "options": {}},
}


def boxes_in(frame: Frame) -> list[Box]:
    """Rectangles of the picture as it is shown."""
    high, wide = frame.image.shape[:2]
    lines = (0, 40, wide, 41), (5, 0, 6, high)
    return [(0, 0, wide, high), (0, 0, 1, 1), (wide - 1, high - 1, wide, high), (31, 17, 78, 64), *lines]


def read(path: Path) -> tuple[VideoInfo, list[Frame], list[Frame]]:
    """As a run has them wait, and as they are."""
    with Reader(path) as compact, Reader(path) as whole:
        return compact.info, list(compact.frames(compact=True)), list(whole)


def made(folder: Path, how: dict[str, Any]) -> Path:
    suffix = {"mjpeg": "mkv", "mpeg4": "mkv", "png": "mov"}.get(how.get("codec", ""), "mp4")
    return clip(folder / f"in.{suffix}", count=4, audio=(), **how)


def interlaced(path: Path) -> Path:
    """Fields of which the second shows the square, and its colours, elsewhere."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg2video", rate=25, options={"b": "8M", "g": "1"})
        context = video.codec_context
        context.width, context.height, context.pix_fmt = W, H, "yuv420p"
        context.flags |= 1 << 18 | 1 << 29  # AV_CODEC_FLAG_INTERLACED_DCT, AV_CODEC_FLAG_INTERLACED_ME
        for k in range(4):
            top, bottom = (av.VideoFrame.from_ndarray(picture(i, W, H // 2), "rgb24") for i in (k, k + 9))
            frame, fields = av.VideoFrame(W, H, "yuv420p"), [one.reformat(format="yuv420p") for one in (top, bottom)]
            for number, plane in enumerate(frame.planes):
                rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                for parity, field in enumerate(fields):
                    rows[parity::2, : plane.width] = planes(field)[number]
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return path


def planes(frame: Any) -> list[np.ndarray]:
    views = (
        np.frombuffer(memoryview(p), np.uint8).reshape(-1, p.line_size)[: p.height, : p.width] for p in frame.planes
    )
    return [view.copy() for view in views]


def changed(frame: Frame, touched: Box, margin: int = 3) -> Frame:
    """With a rectangle of other pixels in it."""
    height, width = frame.image.shape[:2]
    x0, y0, x1, y1 = touched
    box = max(x0 - margin, 0), max(y0 - margin, 0), min(x1 + margin, width), min(y1 + margin, height)
    pixels = frame.part(box).copy()
    pixels[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]] //= 2
    return patched(frame, Patch(box, pixels, touched))


@pytest.mark.parametrize("kind", PLANAR)
def test_a_part_is_that_of_the_whole_to_the_bit(tmp_path: Path, kind: str) -> None:
    _, frames, wholes = read(made(tmp_path, PLANAR[kind]))
    for frame, whole in zip(frames, wholes, strict=True):
        assert isinstance(frame.coded, Decoded)
        assert frame.coded.cuttable
        assert frame.opened() is frame
        assert np.array_equal(frame.picture(), whole.image)
        for x0, y0, x1, y1 in boxes_in(frame):
            assert np.array_equal(frame.part((x0, y0, x1, y1)), whole.image[y0:y1, x0:x1])
        assert frame.part((9, 9, 9, 20)).shape == (11, 0, 3)
        assert np.abs(frame.sampled(3).mean((0, 1)) - whole.image.mean((0, 1))).max() < 2
        assert frame.sampled(3).shape == whole.image[::3, ::3].shape


@pytest.mark.parametrize("kind", PLANAR)
def test_small_parts_at_edges_are_no_others(tmp_path: Path, kind: str) -> None:
    _, frames, wholes = read(made(tmp_path, PLANAR[kind]))
    random, (height, width) = np.random.default_rng(0), wholes[1].image.shape[:2]
    for k in range(200):
        wide, high = (int(v) for v in random.integers(1, 40, 2))
        x, y = int(random.integers(0, width - wide + 1)), int(random.integers(0, height - high + 1))
        x, y = {0: 0, 1: width - wide}.get(k % 4, x), {0: 0, 1: height - high}.get(k % 3, y)
        part = frames[1].part((x, y, x + wide, y + high))
        assert np.array_equal(part, wholes[1].image[y : y + high, x : x + wide]), (x, y, wide, high)


@pytest.mark.parametrize("kind", PLANAR)
def test_nothing_that_was_not_touched_is_converted_back(tmp_path: Path, kind: str) -> None:
    info, frames, _ = read(made(tmp_path, PLANAR[kind]))
    pix_fmt = info.pix_fmt.replace("yuvj", "yuv")
    way = orientation.from_matrix(info.matrix) or orientation.Orientation()
    to_yuv, dx, dy = YuvConverter(info, pix_fmt), 1 if "444" in pix_fmt else 2, 2 if "420" in pix_fmt else 1
    for frame in frames:
        own = planes(frame.coded.frame)  # type: ignore[union-attr]
        same = to_yuv.encodable(frame)
        assert same.format.name == pix_fmt
        assert all(np.array_equal(a, b) for a, b in zip(planes(same), own, strict=True))
        for touched in ((31, 17, 78, 64), (0, 0, 3, 3), boxes_in(frame)[2]):
            edited = changed(frame, touched)
            out = planes(to_yuv.encodable(edited))
            x0, y0, x1, y1 = way.coded_box(touched, (W, H))
            for number, (plane, before) in enumerate(zip(out, own, strict=True)):
                outside = np.ones(plane.shape, bool)
                sx, sy = (dx, dy) if number else (1, 1)
                # A sample of chroma is made of pixels up to two beside its place.
                rx, ry = (2 if sx > 1 or sy > 1 else 0,) * 2
                rows = slice(max(y0 - ry, 0) // sy, -(-(y1 + ry) // sy))
                outside[rows, max(x0 - rx, 0) // sx : -(-(x1 + rx) // sx)] = False
                assert np.array_equal(plane[outside], before[outside])
                assert not np.array_equal(plane, before) or number
            # And what was touched is what the whole picture would have become.
            again = Decoded(to_yuv.encodable(edited), frame.coded.to_rgb, frame.coded.lock, True)  # type: ignore[union-attr]
            x0, y0, x1, y1 = touched
            shown = (x0 + 2, y0 + 2, x1 - 2, y1 - 2)
            if x1 - x0 > 4:
                assert psnr(again.part(shown), edited.part(shown)) > 34


def test_fields_are_no_rows_of_a_picture(tmp_path: Path) -> None:
    """They are converted each by itself, and the output is progressive, where chroma lies elsewhere."""
    source = interlaced(tmp_path / "in.mkv")
    info, frames, wholes = read(source)
    to_yuv = YuvConverter(info, "yuv420p")
    for frame, whole in zip(frames, wholes, strict=True):
        assert np.array_equal(frame.picture(), whole.image)
        for x0, y0, x1, y1 in boxes_in(frame):
            assert np.array_equal(frame.part((x0, y0, x1, y1)), whole.image[y0:y1, x0:x1])
        out, converted = to_yuv.encodable(frame), to_yuv(whole.image)
        assert all(np.array_equal(a, b) for a, b in zip(planes(out), planes(converted), strict=True))


@pytest.mark.parametrize("kind", OTHERS)
def test_other_pictures_go_through_rgb_as_ever(tmp_path: Path, kind: str) -> None:
    info, frames, wholes = read(made(tmp_path, OTHERS[kind]))
    to_yuv = YuvConverter(info, "yuv444p")
    for frame, whole in zip(frames, wholes, strict=True):
        assert frame.coded is None
        assert np.array_equal(frame.image, whole.image)
        out, converted = to_yuv.encodable(frame), to_yuv(whole.image)
        assert all(np.array_equal(a, b) for a, b in zip(planes(out), planes(converted), strict=True))


def test_an_encoder_of_another_format_or_size_gets_the_whole_picture_converted(tmp_path: Path) -> None:
    info, frames, wholes = read(made(tmp_path, {}))
    for there, pix_fmt in ((info, "yuv444p"), (replace(info, colour=replace(info.colour, range=2)), "yuv420p")):
        to_yuv = YuvConverter(there, pix_fmt)
        out, converted = to_yuv.encodable(frames[1]), to_yuv(wholes[1].image)
        assert all(np.array_equal(a, b) for a, b in zip(planes(out), planes(converted), strict=True))


def test_a_generated_frame_is_converted_whole(tmp_path: Path) -> None:
    info, _, _ = read(made(tmp_path, {}))
    to_yuv, image = YuvConverter(info, "yuv420p"), picture(3, W, H)
    out, converted = to_yuv.encodable(Frame(image, 0)), to_yuv(image)
    assert all(np.array_equal(a, b) for a, b in zip(planes(out), planes(converted), strict=True))


def test_patches_lie_over_one_another_and_come_back_out_of_a_saved_state(tmp_path: Path) -> None:
    _, frames, wholes = read(made(tmp_path, {}))
    frame, image = frames[2], wholes[2].image.copy()
    first, second = (20, 20, 60, 60), (50, 40, 90, 80)
    frame = changed(changed(frame, first), second)
    for x0, y0, x1, y1 in (first, second):
        image[y0:y1, x0:x1] //= 2
    coded = frame.coded
    assert isinstance(coded, Patched)
    assert coded.touched == (20, 20, 90, 80)
    write_states(tmp_path / "states", {"coded": coded.on(None)})
    back = read_states(tmp_path / "states")["coded"].on(coded.base)
    for one in (coded, back):
        assert np.array_equal(one.picture(), image)
        assert np.array_equal(one.sampled(4), image[::4, ::4])
        for x0, y0, x1, y1 in (*boxes_in(frame), (22, 22, 58, 58), (52, 45, 80, 70), (0, 0, 55, 55)):
            assert np.array_equal(one.part((x0, y0, x1, y1)), image[y0:y1, x0:x1])


@pytest.mark.parametrize("backend", ["pyav", "ffmpeg"])
def test_untouched_frames_lose_nothing_before_the_encoder(tmp_path: Path, backend: Any) -> None:
    """Seen behind a lossless one: the samples of the file."""
    if backend == "ffmpeg":
        pytest.importorskip("ffmpeg")
    source, target = made(tmp_path, {}), tmp_path / "out.mp4"
    info, frames, _ = read(source)
    with Writer(target, info, EncoderSettings(crf=0, preset="ultrafast"), backend=backend) as writer:
        for frame in frames:
            writer.write(frame)
    _, again, _ = read(target)
    for frame, copy in zip(frames, again, strict=True):
        pairs = zip(planes(frame.coded.frame), planes(copy.coded.frame), strict=True)  # type: ignore[union-attr]
        assert all(np.array_equal(a, b) for a, b in pairs)
