"""What else is held, worn or carried before a face, drawn: each a colour picture and its alpha."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]  # [S, S, 3] levels of 0..255, and alpha [S, S] 0..1
Rng = np.random.Generator


def polygon(points: ArrayLike, size: int) -> NDArray[np.float32]:
    """[size, size] 0..1: 1 inside the polygon [P, 2], pixels."""
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.round(np.asarray(points) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.divide(mask, 255, dtype=np.float32)


def soft_field(size: int, cells: int, amount: float, rng: Rng) -> NDArray[np.float32]:
    """[size, size] about 1, varying by +-``amount`` over ``cells`` cells."""
    coarse = rng.uniform(1 - amount, 1 + amount, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def fabric(size: int, others: NDArray[np.uint8], rng: Rng) -> NDArray[np.float32]:
    """A piece of another picture, or plain, striped or checked cloth with folds: [size, size, 3] levels."""
    kind = rng.choice(["picture", "plain", "stripes"], p=[0.4, 0.4, 0.2])
    if kind == "picture":
        other = others[rng.integers(len(others))]
        side = int(rng.uniform(0.2, 1) * len(other))
        x, y = rng.integers(0, len(other) - side + 1, 2)
        return cv2.resize(other[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_LINEAR).astype(
            np.float32
        )
    colour = _cloth_colour(rng)
    cloth = np.broadcast_to(colour, (size, size, 3)).astype(np.float32)
    across = rng.uniform(0, np.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    along = x * np.cos(across) + y * np.sin(across)
    if kind == "stripes":
        wave = np.sin(along * rng.uniform(15, 90)) > rng.uniform(-0.7, 0.7)
        if rng.random() < 0.3:
            wave = wave ^ (np.sin((y * np.cos(across) - x * np.sin(across)) * rng.uniform(15, 90)) > 0)
        cloth = np.where(wave[..., None], cloth, _cloth_colour(rng)).astype(np.float32)
    folds = 1 + rng.uniform(0, 0.2) * np.sin(along * rng.uniform(5, 25) + 6 * soft_field(size, 4, 0.5, rng))
    grain = 1 + rng.uniform(0, 0.06) * rng.standard_normal((size, size), np.float32)
    return (cloth * (folds * grain * soft_field(size, 5, 0.25, rng))[..., None]).astype(np.float32)


def _cloth_colour(rng: Rng) -> NDArray[np.float32]:
    """Greys, black and white as often as all colours together."""
    level = rng.uniform(15, 240)
    return (level * np.exp(rng.normal(0, 0.03 if rng.random() < 0.5 else 0.35, 3))).clip(5, 250).astype(np.float32)


def face_mask(points: NDArray, others: NDArray[np.uint8], rng: Rng) -> Layer:
    """Over mouth, or mouth and nose: from ear to ear, under the chin."""
    size, first = others.shape[1], int(rng.integers(1, 4))
    jaw = points[first : 17 - first]
    centre = jaw.mean(0)
    top = points[27] + rng.uniform(0.1, 0.95) * (points[33] - points[27])
    sides = [jaw[-1] + (top - jaw[-1]) * 0.4 + (0, rng.uniform(-6, 4)), top, jaw[0] + (top - jaw[0]) * 0.4]
    alpha = polygon(np.concatenate([centre + (jaw - centre) * rng.uniform(1.0, 1.1), sides]), size)
    colour = fabric(size, others, rng)
    if rng.random() < 0.4:  # surgical: light, pleated across
        pleats = 1 + 0.06 * np.sin(np.arange(size) * rng.uniform(0.3, 0.7))[:, None, None]
        colour = np.array([rng.uniform(130, 225), rng.uniform(180, 230), rng.uniform(200, 240)], np.float32) * pleats
        colour = (colour * soft_field(size, 4, 0.12, rng)[..., None]).astype(np.float32)
    x = (np.arange(size) - centre[0]) / max(np.ptp(jaw[:, 0]) / 2, 1)
    return (colour * (1 - 0.25 * np.square(x).clip(0, 1))[None, :, None]).astype(np.float32), alpha


def scarf(points: NDArray, others: NDArray[np.uint8], rng: Rng) -> Layer:
    """From below, up to the chin, the mouth or the nose."""
    size = others.shape[1]
    top = points[33, 1] + rng.uniform(0.05, 0.9) * (points[8, 1] - points[33, 1])
    x = np.linspace(-4, size + 4, 9)
    y = top + rng.uniform(-0.1, 0.1) * size * np.sin(x / size * rng.uniform(2, 6) + rng.uniform(0, 6))
    return fabric(size, others, rng), polygon([*zip(x, y, strict=True), (size + 9, size + 9), (-9, size + 9)], size)


def slab(points: NDArray, others: NDArray[np.uint8], rng: Rng) -> Layer:
    """A phone, a book, a card: a rectangle in perspective, with a rim and what is printed on it."""
    size = others.shape[1]
    width, height = rng.uniform(0.22, 0.5) * size, rng.uniform(0.45, 0.95) * size
    turn, centre = (
        rng.normal(0, 0.6),
        points[rng.choice([2, 14, 4, 12, 8, 33, 36, 45, 57])] + rng.normal(0, 0.1, 2) * size,
    )
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2) * rng.uniform(0.9, 1.1, (4, 1))
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    colour = np.broadcast_to(_cloth_colour(rng), (size, size, 3)).astype(np.float32)
    if rng.random() < 0.4:
        colour = fabric(size, others, rng)
    colour = (colour * soft_field(size, 3, 0.3, rng)[..., None]).astype(np.float32)
    inner = polygon(centre + corners * rng.uniform(0.88, 0.97), size)[..., None]
    rim = np.float32(rng.uniform(20, 230))
    return rim + inner * (colour - rim), polygon(centre + corners, size)


def cup(points: NDArray, others: NDArray[np.uint8], rng: Rng) -> Layer:
    """A cup or glass at the mouth, its far rim towards the face."""
    size = others.shape[1]
    width, height = rng.uniform(0.25, 0.5) * size, rng.uniform(0.3, 0.7) * size
    turn = rng.normal(0, 0.4)
    down = np.array([np.sin(turn), np.cos(turn)])
    side = np.array([down[1], -down[0]]) * width / 2
    top = points[51] + rng.normal(0, 0.05, 2) * size
    bottom = top + down * height
    alpha = polygon([top - side, top + side, bottom + 0.75 * side, bottom - 0.75 * side], size)
    ellipse = np.zeros((size, size), np.uint8)
    axes = (int(width / 2), max(2, int(width * rng.uniform(0.05, 0.2))))
    cv2.ellipse(ellipse, tuple(int(v) for v in top), axes, -np.degrees(turn), 0, 360, 255, -1, cv2.LINE_AA)
    rim = ellipse.astype(np.float32) / 255
    y, x = np.mgrid[:size, :size].astype(np.float32)
    across = ((x - top[0]) * side[0] + (y - top[1]) * side[1]) / (width / 2) ** 2
    light = 1 - rng.uniform(0.1, 0.45) * np.square((across - rng.uniform(-0.5, 0.5)).clip(-1.5, 1.5))
    colour = fabric(size, others, rng) * light[..., None]
    colour = colour + rim[..., None] * (np.float32(rng.uniform(15, 240)) - colour)
    return colour.astype(np.float32), np.maximum(alpha, rim)


def microphone(points: NDArray, others: NDArray[np.uint8], rng: Rng) -> Layer:
    """A ball of mesh or foam before mouth or chin, on its stem."""
    size, radius = others.shape[1], rng.uniform(0.06, 0.16) * others.shape[1]
    centre = points[rng.choice([57, 8, 48, 54, 6, 10])] + rng.normal(0, 0.05, 2) * size
    turn = rng.normal(0, 0.7)
    down = np.array([np.sin(turn), np.cos(turn)]) * size * 1.5
    side = np.array([down[1], -down[0]]) / np.hypot(*down) * radius * rng.uniform(0.4, 0.8)
    alpha = polygon([centre - side, centre + side, centre + down + 0.7 * side, centre + down - 0.7 * side], size)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    dx, dy = (x - centre[0]) / radius, (y - centre[1]) / radius
    ball = np.clip((1 - np.hypot(dx, dy)) * radius + 0.5, 0, 1).astype(np.float32)
    level, shine = rng.uniform(10, 130), rng.uniform(0.2, 1.0)
    grain = 1 + rng.uniform(0, 0.3) * rng.standard_normal((size, size), np.float32)
    surface = level * grain * (1 - shine * 0.5 * (dx * rng.uniform(-0.6, 0.6) + dy * 0.7).clip(-1, 1))
    stem = np.float32(rng.uniform(10, 120))
    colour = stem + ball * (surface - stem)
    tint = np.exp(rng.normal(0, 0.25 if rng.random() < 0.2 else 0.03, 3)).astype(np.float32)
    return (colour[..., None] * tint).astype(np.float32), np.maximum(alpha, ball)


def passer_by(points: NDArray, others: NDArray[np.uint8], rng: Rng) -> Layer:
    """A part of another picture with a smooth outline: somebody's head or shoulder, from any side."""
    size, other = others.shape[1], others[rng.integers(len(others))]
    turn, scale = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 1.8)
    away = np.array([np.cos(turn), 0.8 * np.sin(turn)]) * size * rng.uniform(0.35, 0.8)
    centre = np.array([size / 2, size / 2]) + away
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wobble = 1 + 0.12 * np.sin(2 * angles + rng.uniform(0, 6)) + 0.06 * np.sin(5 * angles + rng.uniform(0, 6))
    outline = np.stack([0.42 * np.cos(angles), 0.5 * np.sin(angles)], 1) * (wobble * scale * size)[:, None]
    affine = np.array([[scale, 0, centre[0] - scale * size / 2], [0, scale, centre[1] - scale * size / 2]])
    picture = cv2.warpAffine(other, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return picture.astype(np.float32), polygon(centre + outline, size)


OBJECTS = {"mask": face_mask, "scarf": scarf, "slab": slab, "cup": cup, "microphone": microphone, "person": passer_by}
