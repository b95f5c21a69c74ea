"""Files that a command writes beside the video: checked before the work, whole or not there."""

from __future__ import annotations

from pathlib import Path

from vidinv.report.files import check_file, check_report, check_reports, series_of
from vidinv.report.write import write_reports
from vidinv.video.output import part_path, publish, write_error, written_suffix

__all__ = ["check_file", "check_report", "check_reports", "default_output", "series_of", "write_file", "write_reports"]


def default_output(source: Path) -> Path:
    """Beside the input, in its own container where that can be written."""
    return source.with_name(f"{source.stem}-edited{written_suffix(source)}")


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
