"""A report as a file: a page, or figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidinv.report.document import Report
from vidinv.video.output import part_path

PAGES = (".html", ".htm")


def write_report(report: Report, path: str | Path) -> None:
    """Write a page (.html) or JSON (any other name), whole or not at all.

    :raises MissingExtra: a page without the packages of the extra "report".
    """
    path = Path(path)
    part = part_path(path)
    try:
        part.write_bytes(content(report, path))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def content(report: Report, path: Path) -> bytes:
    """What :func:`write_report` writes to a file of this name."""
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
