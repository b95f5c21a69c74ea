"""Still pictures in files, as they are meant to be seen: upright, RGB, 8 bits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from vidinv.errors import InputError, InputMissing, NotAPicture

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
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


def read_picture(path: Path) -> NDArray[np.uint8]:
    """[H, W, 3] RGB, 0..255: turned as its EXIF says, grey and palettes as colours, transparency over mid-grey.

    Of 16 bits the upper 8 remain.

    :raises InputMissing: no such file. :raises NotAPicture: it cannot be read as a picture.
    """
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            return np.array(_rgb(upright))
    except FileNotFoundError:
        raise InputMissing(f"{path} does not exist; give a picture") from None
    except UnidentifiedImageError:
        raise NotAPicture(f"{path} is no picture that can be read; convert it to JPEG or PNG") from None
    except Exception as error:  # what a damaged file makes a decoder raise has no common base
        reason = str(error).partition("\n")[0][:120]
        raise NotAPicture(f"{path} cannot be read as a picture ({reason}); convert it to JPEG or PNG") from None


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):  # grey of more than 8 bits, which Pillow would cut off at 255
        levels = np.asarray(picture).astype(np.float64)
        sixteen = picture.mode.startswith("I;16") or (picture.mode == "I" and levels.max() > 255)
        if not sixteen or levels.max() > 65535:
            raise ValueError(f"its levels are of mode {picture.mode}, and nothing says which of them is white")
        return Image.fromarray(np.clip(levels / 257, 0, 255).round().astype(np.uint8)).convert("RGB")
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, (*BEHIND, 255)), picture).convert("RGB")
    return picture.convert("RGB")
