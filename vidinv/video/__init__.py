"""Video files as frames and back, with everything else they carry left as it was."""

from vidinv.video.encoder import EncoderSettings
from vidinv.video.info import ColourTags, Damage, VideoInfo
from vidinv.video.muxer import check_output
from vidinv.video.reader import Reader, frame_at, probe
from vidinv.video.writer import Writer

__all__ = [
    "ColourTags",
    "Damage",
    "EncoderSettings",
    "Reader",
    "VideoInfo",
    "Writer",
    "check_output",
    "frame_at",
    "probe",
]
