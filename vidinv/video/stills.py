"""Still pictures in files, as they are meant to be seen: upright, RGB, 8 bits; and written with what they carry."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from vidinv.errors import InputError, InputMissing, NotAPicture, OutputUnwritable
from vidinv.video.output import check_nameable, part_path, publish, write_error

Levels = NDArray[np.uint8]
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}  # what is written, by its ending
READ = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000", "JXL", "MPO", "PCX", "PNG", "PPM"),
    *("PSD", "QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
"""What is read, whatever its name: pixels; HEIF and JXL where a program has taught Pillow them. Of others, as EPS, and
what EPS may lie in, as IPTC, a program of its own makes pictures."""
QUALITY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
}
MOVING = ("GIF", "PNG", "TIFF", "WEBP")  # may hold several in a row, which what a camera adds to a JPEG is not
MOST_LOOKED_AT = 2**25  # pixels in which faces are looked for: 33 million, 7680x4320
UNMIXED = ("1", "P", "PA")  # levels are numbers of colours, or there are two of them
EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005  # tags that hold tags of their own
ORIENTATION = 0x0112
BLOBS = {700, 33723, 34377, 34675}  # XMP, IPTC, Photoshop, ICC: no EXIF
STRUCTURE = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291),
    *(292, 293, 297, 301, 317, 318, 319, 320, 321, *range(322, 348), *range(512, 533), 559, 32995, 32996, 32997),
}
"""Tags of TIFF 6.0 and its supplements that say how the pixels of the one file are stored."""
BEHIND = (128, 128, 128)  # what shows through where a picture is transparent: favours neither light nor dark faces


def is_picture(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in ENDINGS


def pictures_in(paths: Iterable[Path]) -> list[Path]:
    """Files as they are given; of a folder the pictures that lie in it, by name.

    :raises InputMissing: one is not there. :raises InputError: a folder without a picture.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputMissing(f"{path} does not exist; give a picture, or a folder of pictures")
        inside = sorted(p for p in path.iterdir() if p.is_file() and is_picture(p)) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path} holds no picture ({', '.join(e[1:] for e in ENDINGS)}); give another folder")
        found += inside
    return found


@dataclass(frozen=True)
class Still:
    """A picture in a file, upright, and what it carries beside what is seen."""

    image: Levels
    """[H, W, 3] RGB, 0..255, as it is seen: transparency over mid-grey."""
    own: Levels
    """[H, W, 3] the same without anything behind it."""
    alpha: Levels | None
    """[H, W] 0..255; None: all of it is opaque."""
    exif: Image.Exif
    profile: bytes | None
    """ICC, of RGB colours."""


def read_picture(path: Path) -> Levels:
    """[H, W, 3] RGB, 0..255: turned as its EXIF says, grey and palettes as colours, transparency over mid-grey.

    Of 16 bits the upper 8 remain. One of more than :data:`MOST_LOOKED_AT` pixels is shrunk by a whole number.

    :raises InputMissing: no such file. :raises NotAPicture: it cannot be read as a picture. :raises InputError: it is
        animated, or has pages.
    """
    return _read(path, MOST_LOOKED_AT).image


def read_still(path: Path) -> Still:
    """As :func:`read_picture`, with what :func:`write_still` needs, and in full size."""
    return _read(path, None)


def _read(path: Path, most: int | None) -> Still:
    """:param most: pixels; a picture of more is shrunk by whole numbers before anything is made of it."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise NotAPicture(f"{path} is a device or a pipe; write the picture to a file first")
        # By its name Pillow 12.3 maps an uncompressed TIFF into memory as if it were turned already, and scrambles it.
        with path.open("rb") as file, Image.open(file, formats=_formats()) as opened:
            if opened.format in MOVING and (count := getattr(opened, "n_frames", 1)) > 1:
                raise InputError(
                    f"{path} holds {count} pictures: it is animated, or has pages; convert it to a video, or give one "
                    "of its pictures"
                )
            upright = _shrunk(opened, most) if most is not None else ImageOps.exif_transpose(opened)
            own, alpha = _layers(upright)
            profile = upright.info.get("icc_profile") if upright.mode in ("RGB", "RGBA", "P", "PA") else None
            exif = _told(opened.getexif()) if opened.format == "TIFF" else upright.getexif()
            return Still(_seen(own, alpha), own, alpha, exif, profile)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputMissing(f"{path} does not exist; give a picture") from None
    except UnidentifiedImageError:
        raise NotAPicture(f"{path} is no picture that can be read; convert it to JPEG or PNG") from None
    except Exception as error:  # what a damaged file makes a decoder raise has no common base
        reason = str(getattr(error, "strerror", None) or error).partition("\n")[0][:120]
        raise NotAPicture(f"{path} cannot be read as a picture ({reason}); convert it to JPEG or PNG") from None


def _formats() -> list[str]:
    """Of :data:`READ`, what Pillow knows here."""
    Image.init()
    return [name for name in READ if name in Image.OPEN]


def _shrunk(opened: Image.Image, most: int) -> Image.Image:
    """Upright, with at most so many pixels."""
    if (by := _times(opened, most)) > 1:  # JPEG's own way, which decodes no more than that
        opened.draft(None, (opened.width // by, opened.height // by))
    opened.load()
    ImageOps.exif_transpose(opened, in_place=True)
    if (by := _times(opened, most)) <= 1:
        return opened
    if opened.mode in UNMIXED or opened.mode.startswith("I;16"):
        small = opened.resize((opened.width // by, opened.height // by), Image.Resampling.NEAREST)
    else:
        small = opened.reduce(by)
    small.info |= opened.info
    return small


def _times(picture: Image.Image, most: int) -> int:
    """By how much its sides are too long."""
    return math.ceil(math.sqrt(picture.width * picture.height / most))


def _told(tags: Image.Exif) -> Image.Exif:
    """Of a TIFF's tags, which are its EXIF, what is said of the picture and not of how its file is built."""
    kept = Image.Exif()
    for tag, value in tags.items():
        if tag not in STRUCTURE | BLOBS | {ORIENTATION, EXIF, GPS}:
            kept[tag] = value
    for tag in (EXIF, GPS):
        kept.get_ifd(tag).update({k: v for k, v in tags.get_ifd(tag).items() if k != INTEROP})
    return kept


def check_still(path: Path, transparent: bool = False) -> None:
    """:raises OutputUnwritable: no format for a name, or one that has no transparency where there is some; or no file
    can have it."""
    check_nameable(path)
    if path.suffix.lower() not in FORMATS:
        suffix = path.suffix or "a name without suffix"
        raise OutputUnwritable(f"{path}: no picture is written as {suffix}; use one of {', '.join(FORMATS)}")
    if transparent and FORMATS[path.suffix.lower()] == "JPEG":
        raise OutputUnwritable(f"{path}: the picture is transparent, which JPEG cannot be; choose .png or .webp")


def write_still(path: Path, image: Levels, source: Still, *, overwrite: bool = False) -> None:
    """Write what became of a picture, in the format of its name, with the alpha, EXIF and profile of the source.

    Where nothing was changed its pixels are the source's own; JPEG is written at quality 95 without subsampling of
    colours, the others without loss.

    :param image: [H, W, 3] RGB, 0..255, as :attr:`Still.image` is seen.
    :raises OutputError: it cannot be written; then nothing is left.
    """
    check_still(path, source.alpha is not None)
    picture = Image.fromarray(_unseen(image, source))
    kind, part = FORMATS[path.suffix.lower()], part_path(path)
    try:
        picture.save(part, kind, exif=source.exif, icc_profile=source.profile, **QUALITY[kind])
        publish(part, path, overwrite)
    except (OSError, ValueError) as error:  # Pillow's own: a picture too large for the format
        raise write_error(error, path) from error
    finally:
        part.unlink(missing_ok=True)


def _unseen(image: Levels, source: Still) -> Levels:
    """The source's own layers, which show the image over mid-grey: [H, W, 3] or, where there is alpha, [H, W, 4]."""
    if source.alpha is None:
        return image
    change = image.astype(np.float32) - source.image
    share = np.maximum(source.alpha, 1)[..., None].astype(np.float32) / 255
    own = np.clip(np.rint(source.own + change / share), 0, 255).astype(np.uint8)
    return np.dstack([own, source.alpha])


def _layers(picture: Image.Image) -> tuple[Levels, Levels | None]:
    """Colours, and alpha where there is any."""
    if picture.mode.startswith(("I", "F")):  # grey of more than 8 bits, which Pillow would cut off at 255
        levels = np.asarray(picture).astype(np.float64)
        sixteen = picture.mode.startswith("I;16") or (picture.mode == "I" and levels.max() > 255)
        if not sixteen or levels.max() > 65535:
            raise ValueError(f"its levels are of mode {picture.mode}, and nothing says which of them is white")
        grey = np.clip(levels / 257, 0, 255).round().astype(np.uint8)
        return np.repeat(grey[..., None], 3, 2), None
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        layers = np.array(picture.convert("RGBA"))
        return layers[..., :3].copy(), layers[..., 3].copy()
    return np.array(picture.convert("RGB")), None


def _seen(own: Levels, alpha: Levels | None) -> Levels:
    if alpha is None:
        return own
    picture = Image.fromarray(np.dstack([own, alpha]))
    return np.array(Image.alpha_composite(Image.new("RGBA", picture.size, (*BEHIND, 255)), picture).convert("RGB"))
