"""Hands and arms in a face's own skin and light, bare or in a sleeve, and what they are drawn with."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.training.hands import ALBEDO, ALPHA, PALM, SLOPE_X, SLOPE_Y, WRIST, draw_hand
from vidinv.training.objects import Layer, Rng, fabric, polygon, soft_field

CHEEKS = ((2, 31, 40), (14, 35, 47))  # points around each cheek: jaw, nostril, lower lid
CROP = 128  # pixels of the crops that hands and strokes are drawn for; those of smaller ones are smaller


@dataclass(frozen=True)
class Bank:
    """What is drawn with. Pictures are [N, S, S, 3] RGB uint8."""

    pictures: NDArray[np.uint8]
    points: NDArray[np.float64]  # [N, 68, 2] pixels
    hands: NDArray[np.float16]  # [H, ...] of draw_hand
    grain: NDArray[np.float16]  # [G, S, S, 3] skin over its own mean, about 1


def make_bank(pictures: NDArray[np.uint8], points: NDArray, seed: int = 0, hands: int = 600, grain: int = 400) -> Bank:
    """Deterministic: hands are drawn, the skin's grain is cut from the cheeks."""
    rng = np.random.default_rng((seed, 2))
    small = pictures.shape[1] / CROP
    drawn = [cv2.resize(draw_hand(rng), None, fx=small, fy=small, interpolation=cv2.INTER_AREA) for _ in range(hands)]
    rows = rng.choice(len(pictures), grain)
    return Bank(
        pictures,
        points,
        np.stack(drawn).astype(np.float16),
        np.stack([_grain(pictures[r], points[r], rng) for r in rows]),
    )


def _grain(picture: NDArray[np.uint8], points: NDArray, rng: Rng) -> NDArray[np.float16]:
    """A piece of a cheek over its own mean, mirrored until it fills a crop."""
    size, half = len(picture), max(len(picture) // 11, 2)
    x, y = np.clip(points[list(CHEEKS[rng.integers(2)])].mean(0), half, size - half - 1).astype(int)
    piece = picture[y - half : y + half, x - half : x + half].astype(np.float32) + 1
    piece /= cv2.GaussianBlur(piece, (0, 0), half / 6)  # no more than the finest: it must not show that it is tiled
    fill = -(-size // (2 * half))
    tiled = np.pad(piece, ((0, 2 * half * (fill - 1)), (0, 2 * half * (fill - 1)), (0, 0)), "symmetric")
    return tiled[:size, :size].clip(0.8, 1.25).astype(np.float16)


def skin(base: NDArray[np.float32], points: NDArray, bank: Bank, rng: Rng) -> tuple[NDArray[np.float32], float]:
    """A colour for a hand, mostly the face's own, and from which side it is lit (-1 left, 1 right)."""
    sides = [_cheek(base, points, c) for c in CHEEKS]
    lit = float(np.clip(2 * np.log((sides[1].mean() + 5) / (sides[0].mean() + 5)), -1, 1))
    brighter = rng.random() < 0.5
    colour: NDArray = max(sides, key=lambda c: float(c.sum())) if brighter else (sides[0] + sides[1]) / 2
    if rng.random() < 0.25:
        row = rng.integers(len(bank.pictures))
        colour = _cheek(bank.pictures[row].astype(np.float32), bank.points[row], CHEEKS[rng.integers(2)])
    return colour * np.exp(rng.normal(0, 0.14) + rng.normal(0, 0.035, 3)).astype(np.float32), lit


def _cheek(base: NDArray[np.float32], points: NDArray, corners: tuple[int, ...]) -> NDArray[np.float32]:
    size, half = len(base), len(base) // 24 + 1
    x, y = np.clip(points[list(corners)].mean(0), half, size - half - 1).astype(int)
    return base[y - half : y + half + 1, x - half : x + half + 1].mean((0, 1))


def hand(base: NDArray[np.float32], points: NDArray, bank: Bank, rng: Rng) -> list[Layer]:
    """A hand that comes from any side, below mostly, with its fingers or palm on the face; and its sleeve."""
    size, face = len(base), float(np.hypot(*(points[16] - points[0])))
    drawing = bank.hands[rng.integers(len(bank.hands))].astype(np.float32)
    target = points[rng.choice(68)] + rng.normal(0, 0.07, 2) * size
    palm, wrist = PALM * size / CROP, np.array(WRIST) * size / CROP
    touching = wrist + np.array([rng.normal(0, 0.3), -rng.uniform(0.2, 2.0)]) * palm
    side = rng.random()
    turn = rng.normal(0, 0.75) if side < 0.7 else rng.choice([-1, 1]) * (rng.uniform(0.9, 2.0) + (side > 0.93))
    # A palm is six tenths of a face wide; what is nearer to the camera looks larger.
    scale = 0.6 * face / palm * np.exp(rng.normal(0.05, 0.2))
    squeezed = np.diag([scale * rng.uniform(0.8, 1.1), scale * rng.uniform(0.75, 1.05)])
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ squeezed
    offset = target - linear @ touching
    affine = np.column_stack([linear, offset])
    warped = np.asarray(cv2.warpAffine(drawing, affine, (size, size), flags=cv2.INTER_LINEAR), np.float32)
    colour, lit = skin(base, points, bank, rng)
    layers = [(_shaded(warped, colour, lit, bank, rng), warped[..., ALPHA])]
    if rng.random() < 0.4:
        start = linear @ (wrist + np.array([0, rng.uniform(0.1, 1.2) * palm])) + offset
        end = linear @ (wrist + np.array([0, 4 * palm])) + offset
        layers.append(_sleeve(start, end, scale * palm * rng.uniform(0.38, 0.6), bank, rng))
    return layers


def _shaded(warped: NDArray[np.float32], colour: NDArray, lit: float, bank: Bank, rng: Rng) -> NDArray[np.float32]:
    """A drawing of slopes in a colour, under a lamp."""
    size, sx, sy = len(warped), warped[..., SLOPE_X], warped[..., SLOPE_Y]
    lamp = np.array([lit + rng.normal(0, 0.35), rng.normal(-0.45, 0.35), rng.uniform(0.5, 1.0)])
    lamp /= np.linalg.norm(lamp)
    facing = sx * lamp[0] + sy * lamp[1] + np.sqrt(np.clip(1 - sx * sx - sy * sy, 0, 1)) * lamp[2]
    ambient = rng.uniform(0.35, 0.8)
    shade = ambient + (1 - ambient) * np.clip(facing, 0, 1) / max(lamp[2], 0.35)
    shade = shade * (1 + (warped[..., ALBEDO] - 1) * rng.uniform(0.5, 1.2)) * soft_field(size, 4, 0.12, rng)
    grain = bank.grain[rng.integers(len(bank.grain))].astype(np.float32)
    tint = cv2.resize(
        rng.uniform(0.96, 1.04, (5, 5, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
    )
    picture = colour * shade[..., None] * grain * tint
    # Shadows on skin are redder than the skin.
    picture[..., 1:] *= np.clip(shade, 0.6, 1)[..., None] ** rng.uniform(0, 0.25)
    return picture.astype(np.float32)


def _sleeve(start: NDArray, end: NDArray, half: float, bank: Bank, rng: Rng) -> Layer:
    """From ``start`` to ``end``, ``half`` as wide."""
    size, axis = bank.pictures.shape[1], (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    side = np.array([axis[1], -axis[0]])
    y, x = np.mgrid[:size, :size].astype(np.float32)
    across = ((x - start[0]) * side[0] + (y - start[1]) * side[1]) / half
    light = 1 - 0.45 * np.square(np.clip(across - rng.uniform(-0.5, 0.5), -1.3, 1.3))
    outline = [start - side * half, start + side * half, end + 1.4 * side * half, end - 1.4 * side * half]
    return (fabric(size, bank.pictures, rng) * light[..., None]).astype(np.float32), polygon(outline, size)


def arm(base: NDArray[np.float32], points: NDArray, bank: Bank, rng: Rng) -> Layer:
    """Bare or in a sleeve, across the crop."""
    size, turn = len(base), rng.uniform(0, np.pi)
    axis = np.array([np.cos(turn), np.sin(turn)]) * 2 * size
    middle = points[rng.choice(68)] + rng.normal(0, 0.1, 2) * size
    start = middle - axis if rng.random() < 0.6 else middle
    half = rng.uniform(0.12, 0.28) * size
    clothed, alpha = _sleeve(start, middle + axis, half, bank, rng)
    if rng.random() < 0.5:
        return clothed, alpha
    side = np.array([axis[1], -axis[0]]) / (2 * size)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    across = np.clip(((x - start[0]) * side[0] + (y - start[1]) * side[1]) / half, -1, 1)
    surface = np.stack([across * side[0], across * side[1], np.ones_like(x), alpha], -1)
    colour, lit = skin(base, points, bank, rng)
    return _shaded(surface, colour, lit, bank, rng), alpha
