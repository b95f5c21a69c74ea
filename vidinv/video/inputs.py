"""What is no video file, said as what it is: pipes, folders, sequences of pictures, pictures, indices of nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from vidinv.errors import InputMissing, NotAVideo
from vidinv.regular import unnameable
from vidinv.video.declared import check_declared

_SEQUENCE = "make a video of them first: ffmpeg -framerate 25 -pattern_type glob -i '*.png' -crf 0 IN.mkv"


def refuse_others(path: Path) -> None:
    """:raises InputMissing: no such file. :raises NotAVideo: it is there, and no file, or promises what cannot be."""
    if str(path) == "-":
        raise NotAVideo("- would be a pipe, and a video is read more than once: write it to a file first")
    if why := unnameable(path):
        raise InputMissing(f"{path} is no name that a file can have ({why}); check the name")
    if not path.exists():
        if "%" in path.name and path.suffix.lower() in (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"):
            raise InputMissing(f"{path}: sequences of pictures are not read; {_SEQUENCE}")
        raise InputMissing(f"{path} does not exist; check the name")
    if path.is_dir():
        raise NotAVideo(f"{path} is a folder; name a video file. If it holds the pictures of one, {_SEQUENCE}")
    if not path.is_file():
        raise NotAVideo(f"{path} is a pipe or device, and a video is read more than once: write it to a file first")
    with suppress(OSError):  # who opens it says why it cannot be read
        check_declared(path)


def kind_of_picture(path: Path) -> str:
    """What a file is that FFmpeg reads as one picture."""
    if moves(path):
        return "an animated WebP, which the libraries here cannot decode; convert it to a video, GIF or APNG"
    return "a still picture; vidinv reads videos"


def moves(path: Path) -> bool:
    """Is a file with the name of a picture an animated WebP or PNG?"""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(1 << 16)
    webp = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) > 20 and bool(head[20] & 2)
    return webp or (head[:4] == b"\x89PNG" and b"acTL" in head.partition(b"IDAT")[0])
