"""Boxes that nobody has to find: given frame by frame, or one share of every frame."""

from __future__ import annotations

import csv
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


def given_boxes(boxes: Boxes) -> BoxesOf:
    """Boxes by the frame's number, from 0; frames that are not named have none.

    :param boxes: for each frame [N, 4] or [4], x0, y0, x1, y1, pixels.
    :raises UsageError: anything else.
    """
    pairs = boxes.items() if isinstance(boxes, Mapping) else enumerate(boxes)
    known: dict[int, NDArray[np.float32]] = {}
    for index, value in pairs:
        try:
            known[int(index)] = np.asarray(value, np.float32).reshape(-1, 4)
        except (ValueError, TypeError):
            raise UsageError(f"frame {index}: the boxes are no [N, 4] numbers x0, y0, x1, y1") from None
        box = known[int(index)]
        if not (np.isfinite(box).all() and (box[:, :2] < box[:, 2:]).all()):
            raise UsageError(f"frame {index}: a box ends before it begins; write x0, y0, x1, y1 in pixels")
        if len(box) > MOST:
            raise UsageError(f"frame {index} has {len(box)} boxes, and {MOST} are the most; leave some out")
        if box.size and np.abs(box).max() > FARTHEST:
            raise UsageError(f"frame {index}: a box lies {np.abs(box).max():g} pixels away; write pixels of the frame")
    nothing = np.zeros((0, 4), np.float32)
    return lambda frame: known.get(frame.index, nothing)


def read_boxes(path: str | Path) -> dict[int, NDArray[np.float32]]:
    """Boxes of a CSV file with the columns frame, x0, y0, x1, y1, a line for each.

    :raises InputMissing: no such file. :raises UsageError: other columns, or no numbers; by line.
    """
    found: dict[int, list[list[float]]] = {}
    try:
        with opened_text(Path(path)) as file:
            rows = csv.DictReader(table_lines(file))
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise UsageError(f"{path}: the first line must name the columns {','.join(COLUMNS)}")
            for row in rows:
                try:
                    found.setdefault(int(row["frame"]), []).append([float(row[c]) for c in COLUMNS[1:]])
                except (ValueError, TypeError):
                    raise UsageError(f"{path}, line {rows.line_num}: not five numbers {','.join(COLUMNS)}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputMissing(f"{path} cannot be read ({error}); give a CSV file of boxes") from None
    return {index: np.array(boxes, np.float32) for index, boxes in found.items()}
