"""A single call, with an editor of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vidinv.api import VideoEditor
from vidinv.edits.parse import Edits
from vidinv.report import Report
from vidinv.report.preview import Picture


def edit_frames(
    frames: Iterable[Picture],
    edit: Edits,
    *,
    pack: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    **options: Any,
) -> Iterator[Picture]:
    """:meth:`VideoEditor.edit_frames` with an editor of its own."""
    editor = VideoEditor(pack, device=device, precision=precision, batch=batch)
    return editor.edit_frames(frames, edit, **options)


def edit_video(
    src: str | Path,
    dst: str | Path,
    edit: Edits,
    *,
    pack: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    **options: Any,
) -> Report:
    """:meth:`VideoEditor.edit_video` with an editor of its own."""
    editor = VideoEditor(pack, device=device, precision=precision, batch=batch)
    return editor.edit_video(src, dst, edit, **options)
