"""Aligned and Frame -> Compared: two videos of the same thing, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest

import cv2

from vidinv.types import Aligned, Compared, Frame


def pair_frames(
    source: Iterable[Aligned], edited: Iterable[Frame], counts: dict[str, int] | None = None
) -> Iterator[Compared]:
    """Put the frames together one by one, as far as both go; faces are those of the source.

    An edited frame of another size is resized to the source's.

    :param counts: is told how many frames of each were seen in all, "source" and "edited", at the end.
    """
    counts = {} if counts is None else counts
    counts |= {"source": 0, "edited": 0}
    for aligned, after in zip_longest(source, edited):
        counts["source"] += aligned is not None
        counts["edited"] += after is not None
        if aligned is None or after is None:
            continue
        before = aligned.found.frame
        if after.image.shape != before.image.shape:
            size = before.image.shape[1::-1]
            after = replace(after, image=cv2.resize(after.image, size, interpolation=cv2.INTER_AREA))
        nothing = (None,) * len(aligned.crops)
        present = tuple(c.person for c in aligned.crops)
        yield Compared(before, after, aligned.crops, nothing, nothing, present, aligned.found.cut)
