"""A way through the faces of several still pictures, as frames or as a video.

for picture in vidinv.morph(["a.jpg", "b.jpg"]): ...
vidinv.morph_video(["a.jpg", "b.jpg"], "morph.mp4", seconds=2, loop=True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from vidinv.api import VideoEditor
from vidinv.bounds import checked
from vidinv.edits.curve import smooth
from vidinv.edits.mixing import between
from vidinv.errors import UsageError
from vidinv.inversion.base import batch_of
from vidinv.models.pictures import to_levels
from vidinv.stills import Images, Picture, invert_pictures, sources_of
from vidinv.types import Code, Frame
from vidinv.video.new_file import NewVideo, check_new

SECONDS, RATE = 2.0, 30.0


def morph(
    images: Images,
    *,
    seconds: float = SECONDS,
    rate: float = RATE,
    loop: bool = False,
    size: int | None = None,
    pack: str | Path | None = None,
    aligned: bool = False,
    **options: Any,
) -> Iterator[Picture]:
    """From face to face in the order of the pictures: w = l w1 + (1 - l) w2 (Abdal et al. 2019, section 5.1), and F
    alike. Crops, since that is what a generator draws.

    :param seconds: from one face to the next; the way begins and ends slowly. :param rate: frames per second.
    :param loop: and from the last back to the first. :param size: of the frames, pixels; None: the pack's own.
    :param aligned: the pictures are crops already. :param options: as of :class:`vidinv.VideoEditor`, and ``method``.
    :return: [size, size, 3] RGB, 0..255, one frame after the other. Faces are inverted before the first.
    :raises UsageError: fewer than two pictures, no time, or too much. :raises VidinvError: as of :func:`vidinv.invert`.
    """
    _check(seconds, rate, size)
    if len(sources_of(images)) < 2:
        raise UsageError("a morph takes two pictures or more, and there is one; name another")
    editor = VideoEditor(pack, **options)
    codes = invert_pictures(editor, images, aligned=aligned).codes
    return _frames(editor, codes, shares(len(codes), max(1, round(seconds * rate)), loop), size)


def morph_video(
    images: Images,
    dst: str | Path,
    *,
    overwrite: bool = False,
    rate: float = RATE,
    progress: Callable[[int], None] = lambda frames: None,
    **options: Any,
) -> int:
    """:func:`morph` into a video file, whose container its name says. The file is there whole, or not at all.

    :param options: as of :func:`morph`. :param progress: is told the frames so far.
    :return: how many frames were written.
    :raises VidinvError: as of :func:`morph`, or an OutputError.
    """
    check_new(dst, overwrite)
    frames = morph(images, rate=rate, **options)
    first = next(frames)  # the pictures of a morph are two at least
    height, width = first.shape[:2]
    count = 0
    with NewVideo(dst, (width, height), Fraction(rate).limit_denominator(1001), overwrite=overwrite) as video:
        for picture in chain([first], frames):
            video.write(Frame(picture, count))
            count += 1
            progress(count)
    return count


def shares(faces: int, steps: int, loop: bool) -> Iterator[tuple[int, float]]:
    """Frame by frame, from which face on, and how far on the way to the next (0..1, eased in and out)."""
    for at in range(faces if loop else faces - 1):
        for step in range(steps):
            yield at, smooth(step / steps)
    if not loop:  # a loop's next frame is its first
        yield faces - 1, 0.0


def _check(seconds: float, rate: float, size: int | None) -> None:
    """:raises UsageError: see :func:`morph`."""
    checked("seconds", seconds)
    checked("rate", rate)
    if size is not None and checked("size", size) % 2:
        raise UsageError(f"size is {size}; give an even number, as video's colours have half its pixels")


def _frames(
    editor: VideoEditor, codes: Sequence[Code], way: Iterable[tuple[int, float]], size: int | None
) -> Iterator[Picture]:
    rest = iter(way)
    while part := list(islice(rest, editor.batch)):
        whole = batch_of([between(codes[at], codes[(at + 1) % len(codes)], share) for at, share in part])
        with torch.inference_mode(), editor.compute.autocast():
            pictures = editor.pack.generator(whole.w, whole.feature, noise=whole.noise)
        for picture in np.rint(to_levels(pictures)).astype(np.uint8):
            yield picture if size in (None, len(picture)) else _resized(picture, size or len(picture))


def _resized(picture: Picture, size: int) -> Picture:
    how = cv2.INTER_CUBIC if size > len(picture) else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (size, size), interpolation=how), np.uint8)
