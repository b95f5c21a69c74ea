"""Files that a command writes beside the video: checked before the work, whole or not there."""

from __future__ import annotations

from pathlib import Path

from vidinv.errors import OutputIsInput, OutputUnwritable, UsageError
from vidinv.report import Report, write_report
from vidinv.report.page import require_page
from vidinv.report.write import PAGES
from vidinv.video.output import FORMATS, check_writable, part_path, publish, write_error


def default_output(source: Path) -> Path:
    """Beside the input, in its own container where that can be written."""
    suffix = source.suffix if source.suffix.lower() in FORMATS else ".mp4"
    return source.with_name(f"{source.stem}-edited{suffix}")


def check_file(path: Path, source: Path, overwrite: bool, video: Path | None = None) -> None:
    """Raise an OutputError now if ``path`` could not be written later. ``video`` is the other output."""
    if _same(path, source):
        raise OutputIsInput(f"{path} is the input itself, which would be destroyed; choose another name")
    if video is not None and _same(path, video):
        raise OutputUnwritable(f"{path} is the output video too; choose another name for one of them")
    check_writable(path, overwrite)


def check_report(path: Path, source: Path, overwrite: bool, video: Path) -> None:
    """As :func:`check_file`; and a page needs the extra that draws it, whose absence is better known before the work.

    :raises UsageError: a kind of file that no report can be.
    """
    check_file(path, source, overwrite, video)
    if path.suffix.lower() not in (*PAGES, ".json"):
        raise UsageError(f"{path}: a report is a page or figures; choose a name that ends in .html or .json")
    if path.suffix.lower() in PAGES:
        require_page()


def series_of(reports: list[Path]) -> Path | None:
    """Beside the first report, where the rows of a long video go."""
    return reports[0].with_suffix(".series.jsonl") if reports else None


def write_reports(report: Report, paths: list[Path]) -> None:
    """Raises an OutputError."""
    for path in paths:
        try:
            write_report(report, path)
        except OSError as error:
            raise write_error(error, path) from error


def write_file(path: Path, data: bytes, overwrite: bool) -> None:
    """Raises an OutputError, and then leaves nothing."""
    part = part_path(path)
    try:
        part.write_bytes(data)
        publish(part, path, overwrite)
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        part.unlink(missing_ok=True)


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve() or (a.exists() and b.exists() and a.samefile(b))
