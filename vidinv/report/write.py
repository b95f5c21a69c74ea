"""Reports as files: pages, or figures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from vidinv.report.document import Report
from vidinv.video.leftovers import note_report
from vidinv.video.output import part_path, work_folder, write_error

PAGES = (".html", ".htm")


def write_report(report: Report, path: str | Path) -> None:
    """Write a page (.html) or JSON (any other name), whole or not at all.

    :raises OutputError: it cannot be written. :raises MissingExtra: a page without the packages of the extra "report".
    """
    write_reports(report, [Path(path)])


def write_reports(report: Report, paths: Iterable[Path], run: Path | None = None) -> None:
    """All of them or none: whoever makes them again finds no place taken. Raises an OutputError.

    :param run: the video of a run that is not over yet; killed behind this, it finds its reports again.
    """
    parts: list[tuple[Path, Path]] = []
    try:
        for path in paths:
            parts.append((part_path(path), path))
            try:
                parts[-1][0].write_bytes(_content(report, path))
            except OSError as error:
                raise write_error(error, path) from error
        for part, path in parts:  # all notes come first: the disk may fill at any of them
            try:
                if run is not None and (folder := work_folder(run)).is_dir():
                    note_report(folder, part, path)
            except OSError as error:
                raise write_error(error, path) from error
        for part, path in parts:
            try:
                part.replace(path)
            except OSError as error:
                raise write_error(error, path) from error
    finally:
        for part, _ in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _content(report: Report, path: Path) -> bytes:
    if path.suffix.lower() in PAGES:
        from vidinv.report.page import render  # late: plots take seconds to import

        text = render(report)
    else:
        text = json.dumps(_numbers(report.as_dict()), indent=1, allow_nan=False) + "\n"
    return text.encode(errors="backslashreplace")  # names need not be texts


def _numbers(tree: Any) -> Any:
    """What is no finite number is null: JSON has no other word for it."""
    if isinstance(tree, Mapping):
        return {key: _numbers(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_numbers(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
