"""Where the crop lies: from five points to the oriented square that the generator sees.

Coordinates are pixels of the frame; (0, 0) is the centre of the top-left pixel. "Left" is the viewer's left.
Five points come in the order left eye, right eye, nose, left mouth corner, right mouth corner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Template:
    """How the crop square is placed, in multiples of facial distances (the pack names its template).

    The square is centred at ``eyes + centre * (mouth - eyes)``, its half side is the larger of ``by_eyes`` eye
    distances and ``by_mouth`` eye-to-mouth distances. Taking the larger keeps a turned head (whose eyes come
    close together) from growing in the crop.
    """

    centre: float = 0.35
    by_eyes: float = 1.25
    by_mouth: float = 1.15

    @property
    def content(self) -> tuple[float, float]:
        """Share of the square's width and height that shows anything: all of it."""
        return 1.0, 1.0


@dataclass(frozen=True)
class BoxTemplate:
    """How the crop square is placed about a box: of a car, a cat, or of the frame.

    ``content`` is the share of the square's width and height that pictures fill, in the middle; the rest is black.
    Cars of 512x384 in squares of 512: (1, 0.75). The content is the smallest that holds the box, grown on every side
    by ``margin`` of its size.
    """

    content: tuple[float, float] = (1.0, 1.0)
    margin: float = 0.0


FACE = Template()


def quad_from_points(points: NDArray, template: Template = FACE) -> NDArray[np.float64]:
    """Oriented square around a face.

    :param points: [..., 5, 2] five points, pixels.
    :return: [..., 4, 2] corners: top left, bottom left, bottom right, top right, pixels.
    """
    p = np.asarray(points, np.float64)
    eyes, mouth = p[..., :2, :].mean(-2), p[..., 3:5, :].mean(-2)
    across, down = p[..., 1, :] - p[..., 0, :], mouth - eyes
    # The upright direction listens to both the eye line and the eye-mouth line (Karras et al. 2018, appendix C):
    # each alone is skewed by yaw or by an open mouth.
    x = across - np.stack([-down[..., 1], down[..., 0]], -1)
    x /= np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
    half = np.maximum(
        template.by_eyes * np.linalg.norm(across, axis=-1), template.by_mouth * np.linalg.norm(down, axis=-1)
    )[..., None]
    centre = eyes + template.centre * down
    x = x * half
    y = np.stack([-x[..., 1], x[..., 0]], -1)
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y], -2)


def quad_from_box(box: NDArray, template: BoxTemplate) -> NDArray[np.float64]:
    """Upright square about a box.

    :param box: [4] x0, y0, x1, y1, pixels.
    :return: [4, 2] corners: top left, bottom left, bottom right, top right, pixels.
    """
    low, high = np.asarray(box, np.float64).reshape(2, 2)
    half = ((high - low) / template.content).max() * (0.5 + template.margin)
    return (low + high) / 2 + half * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])


def quad_to_affine(quad: NDArray, size: int) -> NDArray[np.float64]:
    """2x3 map from frame pixels to pixels of a ``size`` x ``size`` crop whose outer edges are the quad's edges."""
    top_left, bottom_left, _, top_right = np.asarray(quad, np.float64)
    to_frame = np.stack([(top_right - top_left) / size, (bottom_left - top_left) / size], 1)
    linear = np.linalg.inv(to_frame)
    # Pixel centres: crop pixel (i, j) covers [i, i + 1) in crop units, so its centre is at i + 0.5.
    return np.concatenate([linear, (-linear @ top_left - 0.5)[:, None]], 1)


def in_crop(points: NDArray, quad: NDArray, size: int) -> NDArray[np.float64]:
    """Points of the frame, [N, 2], in the crop of ``size`` pixels that a quad has."""
    return transform_points(quad_to_affine(quad, size), points)


def transform_points(affine: NDArray, points: NDArray) -> NDArray[np.float64]:
    """Apply a 2x3 map to [..., 2] points."""
    p = np.asarray(points, np.float64)
    return p @ affine[:, :2].T + affine[:, 2]


def quad_side(quad: NDArray) -> float:
    """Length of the quad's top edge, pixels."""
    return float(np.linalg.norm(np.asarray(quad[3], np.float64) - quad[0]))
