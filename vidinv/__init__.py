"""Edits faces in video: frames in, frames out, the identity held and the rest of the picture untouched."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidinv.api import Preview, Progress, VideoEditor, edit_frames, edit_video
    from vidinv.compare import compare_videos
    from vidinv.edits.parse import EditRequest
    from vidinv.errors import VidinvError
    from vidinv.report import Report
    from vidinv.report.quality import QualityOptions
    from vidinv.stages.encode import EncodeOptions

__version__ = "0.1.0"
__all__ = [
    "EditRequest",
    "EncodeOptions",
    "Preview",
    "Progress",
    "QualityOptions",
    "Report",
    "VideoEditor",
    "VidinvError",
    "compare_videos",
    "edit_frames",
    "edit_video",
]
_HOMES = {
    "EditRequest": "vidinv.edits.parse",
    "EncodeOptions": "vidinv.stages.encode",
    "QualityOptions": "vidinv.report.quality",
    "Report": "vidinv.report",
    "VidinvError": "vidinv.errors",
    "compare_videos": "vidinv.compare",
}


def __getattr__(name: str) -> Any:
    """Public names when they are first asked for: ``vidinv --help`` need not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "vidinv.api")), name)
