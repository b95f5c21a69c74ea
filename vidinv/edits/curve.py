"""A strength that changes with time: smooth between key frames, and held before the first and after the last."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from vidinv.edits.times import check_numbers, read_time
from vidinv.errors import InputMissing, MalformedEdit, UsageError
from vidinv.regular import opened_text, table_lines

AMOUNTS = ("strength", "years")  # what a file's second column may be called


@dataclass(frozen=True)
class Curve:
    """A monotone cubic through key frames (Fritsch and Carlson 1980), level at both ends, where it is held.

    Of two keys that is an ease-in and -out; of many, as a file has them, it is smooth without stopping at each. Between
    two keys it never leaves their amounts, so what is equal at both stays so. Straight lines would jerk at every key.

    :raises MalformedEdit: fewer than two keys, times that do not rise, or what is no finite number.
    """

    keys: tuple[tuple[float, float], ...]
    """(time in seconds, amount), two or more, in the order of time."""
    file: str | None = field(default=None, compare=False)
    """Where they were read; None: they were given."""

    def __post_init__(self) -> None:
        try:
            keys = tuple((float(time), float(amount)) for time, amount in self.keys)
        except (TypeError, ValueError):
            raise MalformedEdit(
                "a curve is of pairs of numbers: Curve(((0, 0), (4, 3))), seconds and amounts"
            ) from None
        if len(keys) < 2:
            raise MalformedEdit("a curve has two key frames or more; write AMOUNT@TIME..AMOUNT@TIME, age=0@0s..+3@4s")
        check_numbers("a curve", *zip(*keys, strict=True))
        for (before, _), (after, _) in pairwise(keys):
            if after <= before:
                raise MalformedEdit(f"the key frames of a curve come in the order of time; {after:g} s is not after "
                                    f"{before:g} s")  # fmt: skip
        object.__setattr__(self, "keys", keys)

    @property
    def amounts(self) -> tuple[float, ...]:
        """Of the keys; no other lies beyond them."""
        return tuple(amount for _, amount in self.keys)

    def at(self, time: float) -> float:
        """The amount at a time, seconds."""
        after = bisect_right(self.keys, time, key=lambda key: key[0])
        if after in (0, len(self.keys)):
            return self.keys[min(after, len(self.keys) - 1)][1]
        (t0, a0), (t1, a1) = self.keys[after - 1 : after + 1]
        length = t1 - t0
        s = (time - t0) / length
        bend = s * (1 - s) ** 2 * self._slope(after - 1) - s * s * (1 - s) * self._slope(after)
        return a0 + (a1 - a0) * smooth(s) + length * bend

    def _slope(self, at: int) -> float:
        """Amount per second at a key: the harmonic mean of those on either side (Fritsch and Butland 1984), and none
        at a turn or an end, for no amount between two keys to lie beyond both."""
        if at in (0, len(self.keys) - 1):
            return 0.0
        (t0, a0), (t1, a1), (t2, a2) = self.keys[at - 1 : at + 2]
        before, after = (a1 - a0) / (t1 - t0), (a2 - a1) / (t2 - t1)
        if before * after <= 0:
            return 0.0
        early, late = (t1 - t0) + 2 * (t2 - t1), 2 * (t1 - t0) + (t2 - t1)
        return (early + late) / (early / before + late / after)


def smooth(share: float) -> float:
    """0..1 to 0..1, level at both ends: 3 s^2 - 2 s^3."""
    s = max(0.0, min(1.0, share))
    return s * s * (3 - 2 * s)


def read_curve(path: str | Path) -> tuple[Curve, bool]:
    """A curve out of a CSV file with the columns time and strength, or time and years; and whether it is of years.

    Times are seconds, or as for :func:`vidinv.edits.times.read_time`. Other columns are left alone.

    :raises InputMissing: no such file. :raises UsageError: not such a file; by line.
    """
    keys: list[tuple[float, float]] = []
    try:
        with opened_text(Path(path)) as file:
            rows = csv.DictReader(table_lines(file), skipinitialspace=True)
            rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
            column = _amount_column(path, rows.fieldnames)
            for row in rows:
                where = f"{path}, line {rows.line_num}"
                keys.append(_key(where, row["time"], row[column], column))
                if len(keys) > 1 and keys[-1][0] <= keys[-2][0]:
                    raise UsageError(
                        f"{where}: {keys[-1][0]:g} s comes after {keys[-2][0]:g} s; sort the lines by time"
                    )
    except OSError as error:
        why = error.strerror or error
        raise InputMissing(f"{path} cannot be read ({why}); give a CSV file of time,strength") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no CSV file ({error}); give one of time,strength") from None
    if len(keys) < 2:
        raise UsageError(f"{path} has {len(keys)} lines of numbers; a curve needs two or more")
    return Curve(tuple(keys), str(path)), column == "years"


def _amount_column(path: str | Path, names: Sequence[str]) -> str:
    found = [name for name in AMOUNTS if name in names]
    if "time" not in names or len(found) != 1:
        told = ", ".join(names) or "nothing"
        raise UsageError(f"{path}, line 1: it must name the columns time,strength or time,years; it names {told}")
    return found[0]


def _key(where: str, time: str | None, amount: str | None, column: str) -> tuple[float, float]:
    try:
        seconds = read_time((time or "").strip())
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    try:
        value = float(amount or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{where}: {column} is {amount or ''!r}, which is no number")
    return seconds, value
