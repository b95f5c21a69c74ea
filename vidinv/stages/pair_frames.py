"""Two streams of the same thing, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import cast

import cv2
import numpy as np

from vidinv.errors import InputError
from vidinv.runtime.closing import close
from vidinv.runtime.steps import Snapshot
from vidinv.types import Faces, Frame, known, no_picture
from vidinv.video import Reader
from vidinv.video.patched import Patched

_NOTHING = np.zeros((0, 0, 3), np.uint8)  # the picture of a frame in a saved state


def pair_frames(
    source: Iterable[Faces], edited: Iterable[Frame], counts: dict[str, int] | None = None
) -> Iterator[Faces]:
    """Put the frames together one by one, as far as both go.

    An edited frame of another size is resized to the source's.

    :param counts: is told how many frames of each were seen in all, "source" and "edited", at the end.
    """
    counts = {} if counts is None else counts
    counts |= {"source": 0, "edited": 0}
    try:
        for faces, after in zip_longest(source, edited):
            counts["source"] += faces is not None
            counts["edited"] += after is not None
            if faces is None or after is None:
                continue
            if after.image.shape != faces.frame.image.shape:
                size = faces.frame.image.shape[1::-1]
                after = replace(after, image=cv2.resize(after.image, size, interpolation=cv2.INTER_AREA))
            yield replace(faces, output=after)
    finally:
        close(source)
        close(edited)


def put_under(frames: Iterable[Frame], codes: Iterable[Faces]) -> Iterator[Faces]:
    """What was analysed before, with the frames of the video put under it once more, one by one.

    A snapshot among the frames comes out where it was.

    :raises InputError: one of the two is longer, or their frames have other sizes: it is another video.
    """
    analysed, at = iter(codes), 0
    try:
        for frame in frames:
            if isinstance(frame, Snapshot):
                yield cast(Faces, frame)
                continue
            faces = next(analysed, None)
            if faces is None:
                raise _shorter("what was analysed", at)
            mine, theirs = (f"{f.image.shape[1]}x{f.image.shape[0]}" for f in (frame, faces.frame))
            if mine != theirs:
                raise InputError(f"frame {at} has {mine} pixels, and {theirs} were analysed; analyse this very video")
            at += 1
            yield replace(faces, frame=replace(frame, cut=faces.frame.cut))
        if next(analysed, None) is not None:
            raise _shorter("the video", at)
    finally:
        close(frames)
        close(codes)


def without_picture(frame: Frame) -> Frame:
    return replace(frame, image=no_picture(*frame.image.shape[:2]), coded=None)


def without_pictures(stream: Iterable[Faces]) -> Iterator[Faces]:
    """Frames whose pictures nobody holds any longer; :func:`with_pictures` gives them back."""
    try:
        for faces in stream:
            if isinstance(faces, Snapshot):
                yield faces
                continue
            yield replace(faces, frame=without_picture(faces.frame))
    finally:
        close(stream)


def with_pictures(stream: Iterable[Faces], again: Reader) -> Iterator[Faces]:
    """What comes out of windows gets its pictures out of a second reading of the file, which holds none while it waits.

    Frames that the second reading does not have are left out, if the file is damaged, or was cut meanwhile: ``damage``
    of that reading says so.

    :param again: at its start; the caller closes it.
    :raises InputError: at the end, where nothing tells why a frame is not there any more.
    """
    frames: Iterator[Frame] | None = None
    frame: Frame | None = None
    lacking: int | None = None
    try:
        for faces in stream:
            if isinstance(faces, Snapshot):
                if lacking is None:  # else what lies before it is not all there
                    yield faces
                continue
            wanted = faces.frame
            frames = again.frames(wanted.index, compact=True) if frames is None else frames
            # By their times: only these are in the file, and a decoder that drops others counts elsewise.
            if frame is None or known(frame.pts) < known(wanted.pts):
                frame = next((one for one in frames if known(one.pts) >= known(wanted.pts)), None)
            if frame is None or frame.pts != wanted.pts:
                lacking = wanted.index if lacking is None else lacking
                continue
            yield replace(faces, frame=replace(wanted, image=frame.image, coded=frame.coded))
            frame = None  # nothing is held that has been handed on
            del faces, wanted
        for _ in frames if frames is not None and lacking is not None else ():  # its damage is known at its end
            pass
        if lacking is not None and again.damage is None:
            raise InputError(f"frame {lacking} is not there any more when it is read again; leave the file as it is")
    finally:
        close(stream)


def bare(item: Faces | Frame, waiting: list[int]) -> Faces | Frame:
    """Without the pictures that the source holds anyhow. :param waiting: is told the frame's index."""
    if isinstance(item, Frame):
        waiting.append(item.index)
        return replace(item, image=_NOTHING, coded=None)
    output = item.output
    if output is not None and isinstance(output.coded, Patched):
        output = replace(output, image=_NOTHING, coded=output.coded.on(None))
    elif output is not None and output.image is item.frame.image:
        output = replace(output, image=_NOTHING, coded=None)
    return replace(item, frame=cast(Frame, bare(item.frame, waiting)), output=output)


def dressed(item: Faces | Frame, held: Mapping[int, Frame]) -> Faces | Frame:
    """The way back."""
    if isinstance(item, Frame):
        return replace(item, image=held[item.index].image, coded=held[item.index].coded)
    frame = cast(Frame, dressed(item.frame, held))
    output = frame if item.output is not None and not item.output.image.size else item.output
    if output is not None and item.output is not None and isinstance(item.output.coded, Patched):
        output = replace(frame, coded=item.output.coded.on(frame.coded))
    return replace(item, frame=frame, output=output)


def _shorter(which: str, after: int) -> InputError:
    return InputError(f"{which} ends after {after} frames, before the other; analyse this very video")
