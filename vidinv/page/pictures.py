"""Pictures of looks, on the disk for the browser to fetch."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import cv2

PICTURES = 6  # of looks at frames, that are kept


def png(folder: Path, picture: Any, name: str) -> str:
    """Every bit of a picture [H, W, 3] RGB uint8, quickly. :return: its file."""
    path = folder / f"{name}-{secrets.token_hex(12)}.png"
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return str(path)


def forget_old(folder: Path) -> None:
    """Looks but the latest ones."""
    pictures = sorted(folder.glob("look-*.png"), key=_written_at)
    for path in pictures[: max(0, len(pictures) - PICTURES)]:
        path.unlink(missing_ok=True)


def _written_at(path: Path) -> int:
    """Nanoseconds; 0 of what another answer removed meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
