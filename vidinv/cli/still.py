"""vidinv run on a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidinv.api import VideoEditor
from vidinv.cli.guard import say
from vidinv.cli.terminal import plain
from vidinv.edits.parse import Asked
from vidinv.errors import UsageError
from vidinv.report.outcome import people
from vidinv.stages.encode import EncodeOptions
from vidinv.still_edits import check_places, edit_still
from vidinv.video.inputs import moves
from vidinv.video.stills import FORMATS, is_picture

__all__ = ["check_options", "check_places", "default_output", "is_picture", "moves", "run"]


def check_options(**given: Any) -> None:
    """:raises UsageError: an option that is for videos only."""
    defaults = EncodeOptions()
    for name, value in given.items():
        if value is not None and value != [] and value != getattr(defaults, name, None):
            raise UsageError(f"--{name.replace('_', '-')} is for videos; leave it out for a picture")


def default_output(source: Path) -> Path:
    """Beside the input, in its own format where that is written."""
    suffix = source.suffix if source.suffix.lower() in FORMATS else ".png"
    return source.with_name(f"{source.stem}-edited{suffix}")


def run(
    editor: VideoEditor,
    source: Path,
    target: Path,
    asked: tuple[Asked, ...],
    quiet: bool,
    told: list[str],
    **options: Any,
) -> None:
    """Edit it, and say what was done. :param told: warnings so far."""
    done = edit_still(editor, source, target, asked, **options)
    for warning in (*told, *done.warnings):
        say(f"warning: {warning}")
    if not quiet:
        print(plain(f"{' '.join(map(str, asked))}: persons {people(done.persons)}\n{done.output}"))
