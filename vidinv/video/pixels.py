"""Pixels between what a decoder gives, the RGB that stages see, and what an encoder takes.

RGB is made of the whole picture or of a rectangle of it, to the same numbers. What goes back keeps the decoded samples
wherever nothing was changed, if the encoder takes the format that the decoder gave.
"""

from __future__ import annotations

from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.types import Box, Frame, inside
from vidinv.video import colour, orientation
from vidinv.video.container import Interpolation, VideoFrame, VideoReformatter
from vidinv.video.info import VideoInfo
from vidinv.video.patched import Patched

# Without these flags swscale takes its table converters, which move every pixel by about one level (45 dB).
_TO_RGB = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_TO_YUV = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
# Pixels around a rectangle, so that no filter sees its edge, and that it is never so small that swscale takes another
# filter: with 8, of parts of less than 8 pixels some at the picture's edge were a level off.
_MARGIN = 16
# Pixels per sample of chroma, across and down, of the formats whose planes can be cut: those with eight bits a sample.
_CHROMA = {"yuv420p": (2, 2), "yuv422p": (2, 1), "yuv444p": (1, 1)}


def _plain(pix_fmt: str) -> str:
    """The old names of full range are no other formats."""
    return pix_fmt.replace("yuvj", "yuv")


def is_cuttable(frame: VideoFrame, info: VideoInfo) -> bool:
    """Whether rectangles of a decoded picture, in whichever way it is turned for showing it, are some of its planes."""
    chroma = _CHROMA.get(_plain(info.pix_fmt))
    return (
        chroma is not None
        and frame.format.name == info.pix_fmt
        and not frame.interlaced_frame  # fields are converted each by itself, and chroma lies elsewhere in the output's
        and (frame.width, frame.height) == (info.width, info.height)
        and info.width % chroma[0] == 0 == info.height % chroma[1]
    )


class RgbConverter:
    """One swscale context for all frames: a new one per frame costs more than the conversion."""

    def __init__(self, info: VideoInfo) -> None:
        self._wholes, self._parts, self._samples, self._cuts = (VideoReformatter() for _ in range(4))
        self.matrix = colour.swscale_matrix(info.colour, info.width, info.height)
        self.range = colour.yuv_range(info.colour, info.pix_fmt)
        self._size = (info.width, info.height)
        self.orientation = orientation.from_matrix(info.matrix) or orientation.Orientation()

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """[H, W, 3] RGB 0..255, upright. A stream may change its size on the way, the output cannot: such frames are
        fitted in, with bars."""
        return self.orientation.upright(self._coded(frame))

    def _coded(self, frame: VideoFrame) -> NDArray[np.uint8]:
        (width, height), (left, top) = orientation.fitted((frame.width, frame.height), self._size)
        image = _merged(self._planes(self._wholes, frame, width, height))
        if (width, height) == self._size:
            return image
        whole = np.zeros((self._size[1], self._size[0], 3), np.uint8)
        whole[top : top + height, left : left + width] = image
        return whole

    def part(self, frame: VideoFrame, box: Box) -> NDArray[np.uint8]:
        """A rectangle of what the whole picture would be, bit for bit. The frame is one that :func:`is_cuttable`."""
        x0, y0, x1, y1 = box
        if x1 <= x0 or y1 <= y0:
            return np.zeros((max(y1 - y0, 0), max(x1 - x0, 0), 3), np.uint8)
        x0, y0, x1, y1 = box = self.orientation.coded_box(box, self._size)
        left, top, right, bottom = outer = grown(box, _MARGIN, frame)
        planes = self._planes(self._parts, self._cut(frame, outer), right - left, bottom - top)
        return self.orientation.upright(_merged([p[y0 - top : y1 - top, x0 - left : x1 - left] for p in planes]))

    def _cut(self, frame: VideoFrame, box: Box) -> VideoFrame:
        """A rectangle of the planes, on the grid of chroma."""
        x0, y0, x1, y1 = box
        if box == (0, 0, frame.width, frame.height):
            return frame
        small = self.blank(frame, x1 - x0, y1 - y0, frame.format.name)
        for number, (whole, part) in enumerate(zip(_views(frame), _views(small), strict=True)):
            across, down = chroma_of(frame) if number else (1, 1)
            part[:] = whole[y0 // down : y1 // down, x0 // across : x1 // across]
        return small

    def blank(self, frame: VideoFrame, width: int, height: int, pix_fmt: str) -> VideoFrame:
        """A frame to be written to, of another size or format, that says of itself what this one does.

        Where chroma lies between the pixels nothing tells but the frame, and only scaling takes that along.
        """
        return self._cuts.reformat(frame, width, height, format=pix_fmt, interpolation=Interpolation.POINT, threads=1)

    def sampled(self, frame: VideoFrame, step: int) -> NDArray[np.uint8]:
        """[ceil(H / step), ceil(W / step), 3] pixels so far apart, with the chroma that is nearest."""
        width, height = -(-frame.width // step), -(-frame.height // step)
        return self.orientation.upright(_merged(self._planes(self._samples, frame, width, height, Interpolation.POINT)))

    def _planes(
        self, reformatter: VideoReformatter, frame: VideoFrame, width: int, height: int, how: int = _TO_RGB
    ) -> list[NDArray[np.uint8]]:
        # Planes first: only planar RGB has an exact and fast path in swscale.
        rgb = reformatter.reformat(
            frame,
            width,
            height,
            format="gbrp",
            src_colorspace=self.matrix,
            dst_colorspace=self.matrix,
            src_color_range=self.range,
            dst_color_range=colour.FULL,
            interpolation=how,
            threads=1,
        )
        green, blue, red = _views(rgb)
        return [red, green, blue]


class Decoded:
    """A picture as it was decoded, which takes less room than its RGB: see :class:`vidinv.types.Coded`.

    :param lock: of the converter; pictures are asked for from any thread, and none may be converted twice at once.
    """

    def __init__(self, frame: VideoFrame, to_rgb: RgbConverter, lock: Lock, cuttable: bool) -> None:
        self.frame, self.to_rgb, self.lock, self.cuttable = frame, to_rgb, lock, cuttable

    def picture(self) -> NDArray[np.uint8]:
        with self.lock:
            return self.to_rgb(self.frame)

    def part(self, box: Box) -> NDArray[np.uint8]:
        if not self.cuttable:
            return inside(self.picture(), box)
        with self.lock:
            return self.to_rgb.part(self.frame, box)

    def sampled(self, step: int) -> NDArray[np.uint8]:
        if not self.cuttable:
            return self.picture()[::step, ::step]
        with self.lock:
            return self.to_rgb.sampled(self.frame, step)


class YuvConverter:
    """The way back: the inverse of ``RgbConverter`` up to rounding, into the format of the encoder."""

    def __init__(self, info: VideoInfo, pix_fmt: str) -> None:
        self._wholes, self._parts = VideoReformatter(), VideoReformatter()
        self._pix_fmt, self._size = pix_fmt, (info.width, info.height)
        self._tags = colour.output_tags(info.colour, info.pix_fmt)
        self._matrix = colour.swscale_matrix(self._tags, info.width, info.height)
        self._range = colour.yuv_range(self._tags, pix_fmt)
        self._orientation = orientation.from_matrix(info.matrix) or orientation.Orientation()

    def encodable(self, frame: Frame) -> VideoFrame:
        """An upright frame as a picture of its own memory, as coded.

        What was decoded goes through as it is, but for the rectangles that something was changed in, where the encoder
        takes what the decoder gave; else the whole picture is converted.
        """
        patched = frame.coded if isinstance(frame.coded, Patched) else None
        decoded = frame.coded if patched is None else patched.base
        if not isinstance(decoded, Decoded) or not self._takes(decoded):
            return self(frame.picture())
        out = VideoFrame(decoded.frame.width, decoded.frame.height, self._pix_fmt)
        out.colorspace, out.color_range = self._tags.matrix, self._range
        for whole, copy in zip(_views(decoded.frame), _views(out), strict=True):
            copy[:] = whole
        for patch in () if patched is None else patched.patches:
            assert patched is not None
            self._put(out, patched, decoded, patch.touched)
        return out

    def _takes(self, decoded: Decoded) -> bool:
        frame, to_rgb = decoded.frame, decoded.to_rgb
        return (
            decoded.cuttable
            and (_plain(frame.format.name), frame.width, frame.height) == (self._pix_fmt, *self._size)
            and (to_rgb.matrix, to_rgb.range, to_rgb.orientation) == (self._matrix, self._range, self._orientation)
        )

    def _put(self, out: VideoFrame, patched: Patched, decoded: Decoded, touched: Box) -> None:
        """Convert a rectangle, and write of it the pixels that were touched and the chroma that comes of them.

        :param touched: in the upright picture.
        """
        touched = self._orientation.coded_box(touched, self._size)
        across, down = chroma_of(out)
        # A sample of chroma is made of pixels on either side of its place, and none where each pixel has its own.
        tinted = grown(touched, max(across, down) if across * down > 1 else 0, out)
        x0, y0, x1, y1 = outer = grown(touched, _MARGIN, out)
        with decoded.lock:
            rgb = decoded.to_rgb.blank(decoded.frame, x1 - x0, y1 - y0, "rgb24")
        shown = patched.part(self._orientation.upright_box(outer, self._size))
        _views(rgb, 3)[0][:] = self._orientation.coded(shown).reshape(y1 - y0, -1)
        made = self._convert(self._parts, rgb)
        for number, (whole, part) in enumerate(zip(_views(out), _views(made), strict=True)):
            left, top, right, bottom = tinted if number else touched
            dx, dy = (across, down) if number else (1, 1)
            here = slice(top // dy, bottom // dy), slice(left // dx, right // dx)
            there = slice((top - y0) // dy, (bottom - y0) // dy), slice((left - x0) // dx, (right - x0) // dx)
            whole[here] = part[there]

    def __call__(self, image: NDArray[np.uint8]) -> VideoFrame:
        """[H, W, 3] RGB 0..255 upright -> a frame of its own memory, as coded."""
        rgb = VideoFrame.from_numpy_buffer(np.ascontiguousarray(self._orientation.coded(image)))
        return self._convert(self._wholes, rgb)

    def _convert(self, reformatter: VideoReformatter, rgb: VideoFrame) -> VideoFrame:
        return reformatter.reformat(
            rgb,
            format=self._pix_fmt,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            src_color_range=colour.FULL,
            dst_color_range=self._range,
            interpolation=_TO_YUV,
            threads=1,
        )


def chroma_of(frame: VideoFrame) -> tuple[int, int]:
    """Pixels per sample of chroma, across and down. The frame's format is one that can be cut."""
    return _CHROMA[_plain(frame.format.name)]


def grown(box: Box, by: int, frame: VideoFrame) -> Box:
    """The rectangle with so many pixels more on every side, on the grid of chroma, within the picture."""
    x0, y0, x1, y1 = box
    across, down = chroma_of(frame)
    return (
        max((x0 - by) // across * across, 0),
        max((y0 - by) // down * down, 0),
        min(-(-(x1 + by) // across) * across, frame.width),
        min(-(-(y1 + by) // down) * down, frame.height),
    )


def _views(frame: VideoFrame, pixel: int = 1) -> list[NDArray[np.uint8]]:
    """The planes, to be read and written, without what pads their rows. :param pixel: bytes of one."""
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : pixel * plane.width]
        for plane in frame.planes
    ]


def _merged(planes: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.asarray(cv2.merge(planes), np.uint8)
