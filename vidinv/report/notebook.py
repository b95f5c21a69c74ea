"""A few lines of HTML for a notebook's cell. They need nothing that is not installed anyhow."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import cv2
from numpy.typing import NDArray

HEIGHT = 180  # pixels of a picture in a cell


def picture_uri(picture: NDArray) -> str:
    """[H, W, 3] RGB as a data URI, JPEG."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def png(picture: NDArray) -> bytes:
    """[H, W, 3] RGB as a PNG file."""
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return bytes(data.tobytes())


def table(title: str, rows: Sequence[tuple[str, str]], lines: Sequence[str], pictures: Sequence[NDArray] = ()) -> str:
    """A heading, names with their values, sentences, and pictures side by side."""
    cells = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)
    said = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
    shown = "".join(f'<img src="{picture_uri(one)}" height="{HEIGHT}" alt="">' for one in pictures)
    return f"<div><b>{html.escape(title)}</b><table>{cells}</table>{said}<div>{shown}</div></div>"
