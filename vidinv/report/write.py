"""A report as a file: a page, or figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidinv.report.document import Report

PAGES = (".html", ".htm")


def write_report(report: Report, path: str | Path) -> None:
    """Write a page (.html) or JSON (any other name), whole or not at all.

    :raises MissingExtra: a page without the packages of the extra "report".
    """
    path = Path(path)
    if path.suffix.lower() in PAGES:
        from vidinv.report.page import render  # late: plots take seconds to import

        text = render(report)
    else:
        text = json.dumps(_numbers(report.as_dict()), indent=1, allow_nan=False) + "\n"
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")  # names need not be texts
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _numbers(tree: Any) -> Any:
    """What is no finite number is null: JSON has no other word for it."""
    if isinstance(tree, Mapping):
        return {key: _numbers(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_numbers(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
