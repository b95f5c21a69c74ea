"""Drivers as tables: CSV files of landmarks, or of expressions and turns, over time."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import InputMissing, UsageError
from vidinv.faces.boxes import FARTHEST
from vidinv.faces.expressions import CONTROLS, LIMITS
from vidinv.regular import opened_text, table_lines

LANDMARKS = tuple(f"{axis}{i}" for i in range(68) for axis in "xy")
MOST_NUMBERS = 1 << 25
"""Of a table: two hours of landmarks at 30 frames/s, in 256 MiB."""
CLOSEST = 1e-3
"""Seconds between two rows; every row is smoothed over all those of a third of a second."""
EXPECTED = f"time with x0,y0,...,x67,y67, or time with some of {','.join(CONTROLS)}"


@dataclass(frozen=True)
class DriverTable:
    """Rows in order of time; one of ``points`` and ``controls`` is there."""

    times: NDArray[np.float64]  # [T] seconds
    points: NDArray[np.float64] | None  # [T, 68, 2], any unit, y downwards
    controls: dict[str, NDArray[np.float64]]  # [T] each, of vidinv.faces.expressions


def read_driver_table(path: str | Path) -> DriverTable:
    """:raises InputMissing: no such file, or no text. :raises UsageError: other columns, or no numbers; by line."""
    try:
        with opened_text(Path(path)) as file:
            rows = csv.DictReader(table_lines(file))
            names = tuple(name.strip() for name in rows.fieldnames or ())
            _check_columns(path, names)
            found: list[NDArray[np.float64]] = []
            for row in rows:
                if (len(found) + 1) * len(names) > MOST_NUMBERS:
                    raise csv.Error(f"it holds more than {MOST_NUMBERS} numbers, the most that are read")
                found.append(np.array(_numbers(path, rows.line_num, names, row.values())))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputMissing(f"{path} cannot be read ({error}); give a CSV file with the columns {EXPECTED}") from None
    if not found:
        raise UsageError(f"{path} holds no rows; give one for each frame of the driver")
    columns = dict(zip(names, np.array(found).T, strict=True))
    times = columns.pop("time")
    if not (np.diff(times) > 0).all():
        line = int(np.flatnonzero(np.diff(times) <= 0)[0]) + 3
        raise UsageError(f"{path}, line {line}: times must rise from row to row")
    if len(times) > 1 and np.diff(times).min() < CLOSEST * 0.999:  # times are rounded: 0.009 - 0.008 is less than 0.001
        line = int(np.diff(times).argmin()) + 3
        raise UsageError(f"{path}, line {line}: rows are {CLOSEST:g} s apart or more; leave some out")
    if "x0" in columns:
        if (far := np.abs(np.array([columns[n] for n in LANDMARKS])).max(0)).max() > FARTHEST:
            raise UsageError(
                f"{path}, line {int(far.argmax()) + 2}: a landmark goes from {-FARTHEST:g} to {FARTHEST:g}"
            )
        return DriverTable(times, np.stack([columns[n] for n in LANDMARKS], 1).reshape(-1, 68, 2), {})
    for name, values in columns.items():
        if np.abs(values).max() > LIMITS[name]:
            line, limit = int(np.abs(values).argmax()) + 2, LIMITS[name]
            raise UsageError(f"{path}, line {line}: {name} goes from {-limit:g} to {limit:g} ({CONTROLS[name]})")
    return DriverTable(times, None, columns)


def _check_columns(path: str | Path, names: tuple[str, ...]) -> None:
    rest = [name for name in names if name != "time"]
    whole = set(rest) == set(LANDMARKS) or (rest and set(rest) <= CONTROLS.keys())
    if "time" not in names or not whole or len(set(names)) != len(names):
        raise UsageError(f"{path}: the first line must name the columns {EXPECTED}; it names {','.join(names[:8])}")


def _numbers(path: str | Path, line: int, names: tuple[str, ...], row: Iterable[str]) -> list[float]:
    try:
        values = [float(value) for value in row]
    except (TypeError, ValueError):
        values = []
    if len(values) != len(names) or not np.isfinite(values).all():
        raise UsageError(f"{path}, line {line}: not {len(names)} numbers {','.join(names[:8])}")
    return values
