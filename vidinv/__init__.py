"""Edits faces in video: frames in, frames out, the identity held and the rest of the picture untouched."""

from vidinv.api import Preview, Progress, VideoEditor, edit_frames, edit_video
from vidinv.edits.parse import EditRequest
from vidinv.errors import VidinvError
from vidinv.report import Report
from vidinv.stages.encode import EncodeOptions

__version__ = "0.1.0"
__all__ = [
    "EditRequest",
    "EncodeOptions",
    "Preview",
    "Progress",
    "Report",
    "VideoEditor",
    "VidinvError",
    "edit_frames",
    "edit_video",
]
