"""Files that a run writes beside the video, checked before the work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidinv.errors import OutputIsInput, OutputUnwritable, UsageError
from vidinv.regular import resolved
from vidinv.report.page import require_page
from vidinv.report.write import PAGES
from vidinv.video.leftovers import is_reported
from vidinv.video.output import check_writable


def check_file(path: Path, source: Path, overwrite: bool, video: Path | None = None) -> None:
    """Raise an OutputError now if ``path`` could not be written later. ``video`` is the other output; a report
    that an interrupted run to it has made is in nobody's way."""
    if _same(path, source):
        raise OutputIsInput(f"{path} is the input itself, which would be destroyed; choose another name")
    if video is not None and _same(path, video):
        raise OutputUnwritable(f"{path} is the output video too; choose another name for one of them")
    check_writable(path, overwrite or (video is not None and is_reported(path, video)))


def check_report(path: Path, source: Path, overwrite: bool, video: Path) -> None:
    """As :func:`check_file`; and a page needs the extra that draws it, whose absence is better known before the work.

    :raises UsageError: a kind of file that no report can be.
    """
    check_file(path, source, overwrite, video)
    if path.suffix.lower() not in (*PAGES, ".json"):
        raise UsageError(f"{path}: a report is a page or figures; choose a name that ends in .html or .json")
    if path.suffix.lower() in PAGES:
        require_page()


def check_reports(paths: Sequence[Path], source: Path, overwrite: bool, video: Path) -> None:
    """:func:`check_report` of each, and of what may lie beside the first."""
    for path in paths:
        check_report(path, source, overwrite, video)
    if (rows := series_of(paths)) is not None:
        check_file(rows, source, overwrite, video)


def series_of(reports: Sequence[Path]) -> Path | None:
    """Beside the first report, where the rows of a long video go."""
    return reports[0].with_suffix(".series.jsonl") if reports else None


def _same(a: Path, b: Path) -> bool:
    return resolved(a) == resolved(b) or (a.exists() and b.exists() and a.samefile(b))
