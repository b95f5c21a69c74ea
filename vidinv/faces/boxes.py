"""Boxes that nobody has to find: given frame by frame, or one share of every frame."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vidinv.errors import InputMissing, UsageError
from vidinv.regular import opened_text, table_lines
from vidinv.types import Frame

COLUMNS = ("frame", "x0", "y0", "x1", "y1")
MOST = 1000
"""Boxes of one frame: each is half a megabyte on its way, and so are those of the frames around it."""
FARTHEST = 1e6
"""Pixels from the corner of a frame, of 8192 at most, within which boxes, points and corners of crops lie."""
Boxes = Mapping[int, ArrayLike] | Sequence[ArrayLike]
BoxesOf = Callable[[Frame], NDArray[np.float32]]


@dataclass(frozen=True)
class CropRule:
    """How a pack's crops are found: the table [crops] of its pack.toml."""

    kind: str = "face"  # "face": found by the detector; "boxes": given with the video; "frame": a part of every frame
    content: tuple[float, float] = (1.0, 1.0)  # as of BoxTemplate
    margin: float = 0.0  # as of BoxTemplate
    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)  # of the frame: x0, y0, x1, y1, shares of its sides

    def __post_init__(self) -> None:
        if self.kind not in ("face", "boxes", "frame"):
            raise ValueError(f"crops of kind {self.kind!r}; there are face, boxes, frame")
        if not all(0 < share <= 1 for share in self.content) or len(self.content) != 2 or self.margin < 0:
            raise ValueError(f"crops of content {self.content} and margin {self.margin}")
        x0, y0, x1, y1 = self.part
        if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise ValueError(f"crops of the part {self.part}; write x0, y0, x1, y1 as shares of the frame")


def part_of_frame(rule: CropRule) -> BoxesOf:
    """The largest box of the content's proportions in the middle of ``rule.part``."""

    def boxes(frame: Frame) -> NDArray[np.float32]:
        height, width = frame.image.shape[:2]
        part = np.asarray(rule.part).reshape(2, 2) * (width, height) - 0.5  # edges of pixels
        across, down = part[1] - part[0]
        half = np.array(rule.content) * min(across / rule.content[0], down / rule.content[1]) / 2
        return np.concatenate([part.mean(0) - half, part.mean(0) + half])[None].astype(np.float32)

    return boxes


@dataclass(frozen=True)
class BoxTable:
    """Boxes of a video in the order of their frames, which are asked for frame by frame."""

    frames: NDArray[np.int64]
    """[N] numbers of frames, from 0, ascending."""
    boxes: NDArray[np.float32]
    """[N, 4] x0, y0, x1, y1, pixels."""

    def __call__(self, frame: Frame) -> NDArray[np.float32]:
        first, behind = np.searchsorted(self.frames, (frame.index, frame.index + 1))
        return self.boxes[first:behind]


def given_boxes(boxes: Boxes | BoxTable) -> BoxTable:
    """Boxes by the frame's number, from 0; frames that are not named have none.

    :param boxes: for each frame [N, 4] or [4], x0, y0, x1, y1, pixels.
    :raises UsageError: anything else.
    """
    table = boxes if isinstance(boxes, BoxTable) else _table(boxes)
    frames, values = table.frames, table.boxes
    if (bad := ~(np.isfinite(values).all(1) & (values[:, :2] < values[:, 2:]).all(1))).any():
        raise UsageError(f"frame {frames[bad][0]}: a box ends before it begins; write x0, y0, x1, y1 in pixels")
    named, counts = np.unique(frames, return_counts=True)
    if (many := counts > MOST).any():
        raise UsageError(f"frame {named[many][0]} has {counts[many][0]} boxes, and {MOST} are the most; leave some out")
    if (far := (away := np.abs(values).max(1, initial=0.0)) > FARTHEST).any():
        raise UsageError(f"frame {frames[far][0]}: a box lies {away[far][0]:g} pixels away; write pixels of the frame")
    return table


def _table(boxes: Boxes) -> BoxTable:
    """:raises UsageError: they are no boxes."""
    numbers, found = list[int](), list[NDArray[np.float32]]()
    for index, value in boxes.items() if isinstance(boxes, Mapping) else enumerate(boxes):
        try:
            found.append(np.asarray(value, np.float32).reshape(-1, 4))
            numbers.append(int(index))
        except (ValueError, TypeError):
            raise UsageError(f"frame {index}: the boxes are no [N, 4] numbers x0, y0, x1, y1") from None
    try:
        frames = np.repeat(np.array(numbers, np.int64), [len(some) for some in found])
    except OverflowError:
        raise UsageError(f"frame {max(numbers, key=abs)}: no video has so many frames") from None
    return _in_order(frames, np.concatenate([np.zeros((0, 4), np.float32), *found]))


def _in_order(frames: NDArray[np.int64], boxes: NDArray[np.float32]) -> BoxTable:
    order = np.argsort(frames, kind="stable")
    return BoxTable(frames[order], boxes[order])


def read_boxes(path: str | Path) -> BoxTable:
    """Boxes of a CSV file with the columns frame, x0, y0, x1, y1, a line for each.

    :raises InputMissing: no such file. :raises UsageError: other columns, or no numbers; by line.
    """
    frames, values = array("q"), array("f")
    try:
        with opened_text(Path(path)) as file:
            rows = csv.reader(table_lines(file))
            names = next((row for row in rows if row), [])
            if not set(COLUMNS) <= set(names):
                raise UsageError(f"{path}: the first line must name the columns {','.join(COLUMNS)}")
            frame, *box = (len(names) - 1 - names[::-1].index(name) for name in COLUMNS)
            for row in rows:
                if not row:
                    continue
                try:
                    values.extend([float(row[at]) for at in box])
                    frames.append(int(row[frame]))
                except (ValueError, IndexError, OverflowError):
                    raise UsageError(f"{path}, line {rows.line_num}: not five numbers {','.join(COLUMNS)}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputMissing(f"{path} cannot be read ({error}); give a CSV file of boxes") from None
    return _in_order(np.array(frames, np.int64), np.array(values, np.float32).reshape(-1, 4))
