"""Edits faces in video: frames in, frames out, the identity held and the rest of the picture untouched."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidinv.api import VideoEditor
    from vidinv.batch import JobProgress, Summary, edit_many
    from vidinv.calls import edit_frames, edit_video
    from vidinv.compare import compare_videos
    from vidinv.directions import Fitted, fit_direction
    from vidinv.drivers import drive
    from vidinv.edits.curve import Curve
    from vidinv.edits.parse import EditRequest
    from vidinv.errors import VidinvError
    from vidinv.inversion.latent_file import Kept
    from vidinv.job import Job, jobs_of, read_jobs, read_project, write_jobs
    from vidinv.mixtures import Grid, Mixture, diffuse, mix, mix_grid
    from vidinv.morphs import morph, morph_video
    from vidinv.packs.own import OwnEdit, read_own
    from vidinv.report import Report, write_report
    from vidinv.report.preview import Preview
    from vidinv.report.quality import QualityOptions
    from vidinv.scrub import Look, Scrub, Seen
    from vidinv.stages.encode import EncodeOptions
    from vidinv.still_edits import EditedPicture, edit_picture
    from vidinv.still_files import keep_pictures, read_codes
    from vidinv.stills import Codes, draw, invert
    from vidinv.transfers import transfer
    from vidinv.types import Code, Face, Faces, Frame, Progress
    from vidinv.worker import JobResult

__version__ = "0.1.0"
__all__ = [
    "Code",
    "Codes",
    "Curve",
    "EditRequest",
    "EditedPicture",
    "EncodeOptions",
    "Face",
    "Faces",
    "Fitted",
    "Frame",
    "Grid",
    "Job",
    "JobProgress",
    "JobResult",
    "Kept",
    "Look",
    "Mixture",
    "OwnEdit",
    "Preview",
    "Progress",
    "QualityOptions",
    "Report",
    "Scrub",
    "Seen",
    "Summary",
    "VideoEditor",
    "VidinvError",
    "compare_videos",
    "diffuse",
    "draw",
    "drive",
    "edit_frames",
    "edit_many",
    "edit_picture",
    "edit_video",
    "fit_direction",
    "invert",
    "jobs_of",
    "keep_pictures",
    "mix",
    "mix_grid",
    "morph",
    "morph_video",
    "read_codes",
    "read_jobs",
    "read_own",
    "read_project",
    "transfer",
    "write_jobs",
    "write_report",
]
_HOMES = {
    "Code": "vidinv.types",
    "Codes": "vidinv.stills",
    "Curve": "vidinv.edits.curve",
    "EditRequest": "vidinv.edits.parse",
    "EditedPicture": "vidinv.still_edits",
    "EncodeOptions": "vidinv.stages.encode",
    "Face": "vidinv.types",
    "Faces": "vidinv.types",
    "Fitted": "vidinv.directions",
    "Frame": "vidinv.types",
    "Grid": "vidinv.mixtures",
    "Job": "vidinv.job",
    "JobProgress": "vidinv.batch",
    "JobResult": "vidinv.worker",
    "Look": "vidinv.scrub",
    "Scrub": "vidinv.scrub",
    "Seen": "vidinv.scrub",
    "Kept": "vidinv.inversion.latent_file",
    "Mixture": "vidinv.mixtures",
    "OwnEdit": "vidinv.packs.own",
    "Preview": "vidinv.report.preview",
    "Progress": "vidinv.types",
    "QualityOptions": "vidinv.report.quality",
    "Report": "vidinv.report",
    "Summary": "vidinv.batch",
    "VidinvError": "vidinv.errors",
    "compare_videos": "vidinv.compare",
    "edit_frames": "vidinv.calls",
    "edit_many": "vidinv.batch",
    "jobs_of": "vidinv.job",
    "read_jobs": "vidinv.job",
    "write_jobs": "vidinv.job",
    "edit_picture": "vidinv.still_edits",
    "edit_video": "vidinv.calls",
    "diffuse": "vidinv.mixtures",
    "draw": "vidinv.stills",
    "drive": "vidinv.drivers",
    "fit_direction": "vidinv.directions",
    "invert": "vidinv.stills",
    "keep_pictures": "vidinv.still_files",
    "mix": "vidinv.mixtures",
    "mix_grid": "vidinv.mixtures",
    "morph": "vidinv.morphs",
    "morph_video": "vidinv.morphs",
    "read_codes": "vidinv.still_files",
    "read_own": "vidinv.packs.own",
    "read_project": "vidinv.job",
    "transfer": "vidinv.transfers",
    "write_report": "vidinv.report",
}


def __getattr__(name: str) -> Any:
    """Public names when they are first asked for: ``vidinv --help`` need not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "vidinv.api")), name)
