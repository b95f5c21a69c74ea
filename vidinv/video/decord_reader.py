"""Random access through decord (extra "decord"): any frame by its number or by time, for preview and seeking."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np

from vidinv.errors import MissingExtra, NotAVideo
from vidinv.types import Frame
from vidinv.video.reader import probe


class DecordReader:
    """``len``, indexing and ``frame_at``. Raises MissingExtra or an InputError when opened.

    decord converts colours by its own, coarser arithmetic: right for looking at, not for writing back.
    """

    def __init__(self, path: str | Path) -> None:
        self.info = probe(path)
        try:
            import decord
        except ImportError as error:
            raise MissingExtra('random access needs the package decord: pip install "vidinv[decord]"') from error
        try:
            self._reader = decord.VideoReader(str(path), num_threads=1)
        except (decord.DECORDError, RuntimeError) as error:
            raise NotAVideo(f"decord cannot read {path} ({self.info.codec}); use the built-in reader") from error
        # Shown from, in seconds, one per frame.
        self._starts = np.atleast_2d(self._reader.get_frame_timestamp(range(len(self._reader))))[:, 0]

    def __len__(self) -> int:
        return len(self._reader)

    def __getitem__(self, index: int) -> Frame:
        """Frame ``index`` of the stream. Raises IndexError."""
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        pts = round(float(self._starts[index]) / self.info.time_base)
        return Frame(self._reader[index].asnumpy(), index, pts, pts * self.info.time_base)

    def frame_at(self, seconds: float | Fraction) -> Frame:
        """The frame on screen at a time; before the start the first, after the end the last one."""
        # Half a tick forgives times that decord has rounded to single precision.
        after = float(seconds) + float(self.info.time_base) / 2
        return self[max(int(np.searchsorted(self._starts, after, side="right")) - 1, 0)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self._reader


def frame_at(path: str | Path, seconds: float | Fraction) -> Frame:
    """The frame on screen at a time. Raises MissingExtra or an InputError."""
    with DecordReader(path) as reader:
        return reader.frame_at(seconds)
