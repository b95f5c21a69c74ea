"""Faces with something drawn over them, and where: what the visibility network learns from.

No picture says of itself what is covered in it. So hands, cups, phones, masks and passers-by are drawn over clean
faces, in the face's own skin, light and sharpness, lest the paste be learnt instead of the hand; what only looks like
an occluder (strands of hair, glasses, shadows) is drawn too, and is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.pictures import to_tensor
from vidinv.training.distil import DistilOptions, placement, spoil
from vidinv.training.hands import ALBEDO, ALPHA, PALM, SLOPE_X, SLOPE_Y, WRIST, draw_hand
from vidinv.training.objects import OBJECTS, Layer, fabric, polygon, soft_field
from vidinv.training.sampling import balanced_weights
from vidinv.training.shards import read_names

Rng = np.random.Generator
CHEEKS = ((2, 31, 40), (14, 35, 47))  # points around each cheek: jaw, nostril, lower lid
CROP = 128  # pixels of the crops that hands and strokes are drawn for; those of smaller ones are smaller
CLEAN = 0.35  # share of pictures with nothing drawn over them
LEANING = 0.4  # share of pictures in perspective, as turned heads are: there are few among the training faces
MOST = 0.62  # share of the face that may be covered
KINDS = {
    "hand": 0.56,
    "hands": 0.08,
    "arm": 0.05,
    "mask": 0.06,
    "scarf": 0.03,
    "slab": 0.06,
    "cup": 0.04,
    "microphone": 0.05,
    "person": 0.07,
}


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


def face_region(points: NDArray, size: int) -> NDArray[np.float32]:
    """The whole face, covered or not: the jaw's line, closed by half an ellipse over the forehead.

    :param points: [68, 2] pixels. :return: [size, size] 0..1.
    """
    brows, nose = points[17:27].mean(0), points[33]
    middle, half = (points[0] + points[16]) / 2, (points[16] - points[0]) / 2
    # The hair begins about as far above the brows as the nose ends below them.
    apex = brows + 0.8 * (brows - nose) - middle
    angles = np.linspace(0, np.pi, 16)[1:-1, None]
    return polygon(np.concatenate([points[:17], middle + np.cos(angles) * half + np.sin(angles) * apex]), size)


def cover(
    picture: NDArray[np.uint8], points: NDArray, bank: Bank, rng: Rng
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draw something over a face, or nothing, or what only looks like it.

    :param picture: [S, S, 3] RGB, the size of the bank's. :param points: [68, 2] pixels.
    :return: the picture and where it is covered, [S, S] 0..1.
    """
    size = len(picture)
    base = _decoys(picture.astype(np.float32), points, rng)
    face, nothing = face_region(points, size), np.zeros((size, size), np.float32)
    if rng.random() < CLEAN:
        return _levels(base), nothing
    for _ in range(4):
        kind = rng.choice(list(KINDS), p=list(KINDS.values()))
        covered, alpha = base, nothing
        for layer in _layers(kind, base, points, bank, rng):
            covered, alpha = _lay(covered, alpha, *layer, rng)
        share = float((alpha * face).sum() / max(face.sum(), 1))
        if 0.01 < share < MOST:
            return _levels(covered), alpha
    return _levels(base), nothing


def _levels(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _layers(kind: str, base: NDArray[np.float32], points: NDArray, bank: Bank, rng: Rng) -> list[Layer]:
    """Lower ones first."""
    if kind in ("hand", "hands"):
        return [layer for _ in range(1 + (kind == "hands")) for layer in hand(base, points, bank, rng)]
    if kind == "arm":
        return [arm(base, points, bank, rng)]
    held = [OBJECTS[kind](points, bank.pictures, rng)]
    if kind in ("slab", "cup", "microphone") and rng.random() < 0.6:
        held += hand(base, points, bank, rng)
    return held


def skin(base: NDArray[np.float32], points: NDArray, bank: Bank, rng: Rng) -> tuple[NDArray[np.float32], float]:
    """A colour for a hand, mostly the face's own, and from which side it is lit (-1 left, 1 right)."""
    sides = [_cheek(base, points, c) for c in CHEEKS]
    lit = float(np.clip(2 * np.log((sides[1].mean() + 5) / (sides[0].mean() + 5)), -1, 1))
    colour = max(sides, key=lambda c: c.sum()) if rng.random() < 0.5 else (sides[0] + sides[1]) / 2
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
    warped = cv2.warpAffine(drawing, np.column_stack([linear, offset]), (size, size), flags=cv2.INTER_LINEAR)
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


def _lay(
    picture: NDArray[np.float32], covered: NDArray[np.float32], colour: NDArray, alpha: NDArray, rng: Rng
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Over the picture: soft as lenses and motion make it, with the shadow that it casts."""
    size = len(picture)
    if rng.random() < 0.7:
        shift = np.float32([[1, 0, rng.normal(0, 0.02) * size], [0, 1, rng.uniform(0, 0.04) * size]])
        shadow = cv2.warpAffine(alpha, shift, (size, size), borderMode=cv2.BORDER_REPLICATE)
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.008, 0.05) * size)
        picture = picture * (1 - rng.uniform(0.1, 0.55) * shadow)[..., None]
    layer = np.dstack([colour, alpha])
    sigma = rng.uniform(0.3, 1.3) if rng.random() < 0.8 else rng.uniform(1.3, 3.0)
    layer[..., 3] = cv2.erode(layer[..., 3], None) if rng.random() < 0.5 else layer[..., 3]
    layer = cv2.GaussianBlur(layer, (0, 0), sigma * size / CROP)
    if rng.random() < 0.2:
        layer = cv2.filter2D(layer, -1, _streak(rng.uniform(3, 9) * size / CROP, rng.uniform(0, np.pi)))
    alpha = layer[..., 3]
    return picture + alpha[..., None] * (layer[..., :3] - picture), 1 - (1 - covered) * (1 - alpha)


def _streak(length: float, turn: float) -> NDArray[np.float32]:
    """A line as a kernel: what motion does to a point."""
    side = int(length) | 1
    kernel, away = np.zeros((side, side), np.float32), np.array([np.cos(turn), np.sin(turn)]) * side / 2
    ends = [tuple(int(v) for v in np.round((side // 2 + s * away) * 16)) for s in (-1, 1)]
    cv2.line(kernel, *ends, 1.0, 1, cv2.LINE_8, 4)
    return kernel / max(float(kernel.sum()), 1e-6)


def _decoys(base: NDArray[np.float32], points: NDArray, rng: Rng) -> NDArray[np.float32]:
    """What looks like an occluder and is none: strands of hair, glasses, cast shadows."""
    size = len(base)
    if rng.random() < 0.16:
        base = _hair(base, points, rng)
    if rng.random() < 0.06:
        base = _glasses(base, points, rng)
    if rng.random() < 0.25:  # shadow, or sun, of a warmer or colder light
        outline = rng.uniform(-0.4, 1.4, (int(rng.integers(3, 7)), 2)) * size
        edge = cv2.GaussianBlur(polygon(outline, size), (0, 0), rng.uniform(0.005, 0.12) * size)
        gain = np.exp(rng.uniform(-0.9, 0.45) + rng.normal(0, 0.06, 3)).astype(np.float32)
        base = base * (1 + edge[..., None] * (gain - 1))
    return base


def _hair(base: NDArray[np.float32], points: NDArray, rng: Rng) -> NDArray[np.float32]:
    """Single strands from above, or a fringe over the forehead, in the colour of what is at the crop's top."""
    size = len(base)
    hair = base[: size // 8].mean((0, 1)) * rng.uniform(0.3, 1.1) * np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)
    mask = np.zeros((size, size), np.uint8)
    fringe = rng.random() < 0.4
    start = np.array([rng.uniform(0, size), rng.uniform(-0.1, 0.15) * size])
    lean, curve = rng.normal(0, 0.5), rng.normal(0, 0.6)
    for _ in range(int(rng.integers(60, 160) if fringe else rng.integers(2, 30))):
        t = np.linspace(0, rng.uniform(0.3, 1.0), 10)[:, None]
        if fringe:
            t = t * max(points[17:27, 1].mean() / size + rng.normal(0.02, 0.06), 0.1)
            start = np.array([rng.uniform(0, size), 0])
        x = start[0] + rng.normal(0, 0.06) * size + size * (lean * t + curve * t * t)
        line = np.concatenate([x, start[1] + size * t], 1)
        width = 1 + (rng.random() < 0.5) * (size > 64 or fringe)
        cv2.polylines(mask, [np.round(line * 16).astype(np.int32)], False, 255, width, cv2.LINE_AA, 4)
    alpha = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None].astype(np.float32) / 255 * rng.uniform(0.4, 1)
    grain = 1 + rng.uniform(0, 0.25) * rng.standard_normal((size, size, 1), np.float32)
    return base + alpha * (hair * grain - base)


def _glasses(base: NDArray[np.float32], points: NDArray, rng: Rng) -> NDArray[np.float32]:
    """A frame, with clear or dark lenses."""
    size, centres = len(base), [points[36:42].mean(0), points[42:48].mean(0)]
    apart = float(np.hypot(*(centres[1] - centres[0])))
    axes = (apart * rng.uniform(0.3, 0.45), apart * rng.uniform(0.2, 0.38))
    turn = np.degrees(np.arctan2(*(centres[1] - centres[0])[::-1]))
    frame, lens = np.zeros((size, size), np.uint8), np.zeros((size, size), np.uint8)
    thick = max(1, round(rng.uniform(1, 4) * size / CROP))
    for centre in centres:
        box = (tuple(float(v) for v in centre), tuple(2 * a for a in axes), float(turn))
        cv2.ellipse(lens, box, 255, -1, cv2.LINE_AA)
        cv2.ellipse(frame, box, 255, thick, cv2.LINE_AA)
    for a, b in ((centres[0], centres[1]), (centres[0], points[0]), (centres[1], points[16])):
        a = a + (b - a) / np.hypot(*(b - a)) * axes[0]
        b = b - (b - a) / np.hypot(*(b - a)) * axes[0] if b is centres[1] else b
        cv2.line(frame, *(tuple(int(v) for v in np.round(p)) for p in (a, b)), 255, thick, cv2.LINE_AA)
    dark = rng.uniform(0.5, 1.0) if rng.random() < 0.5 else rng.uniform(0, 0.15)
    for mask, alpha in ((lens, dark), (frame, rng.uniform(0.7, 1))):
        colour = np.float32(rng.uniform(5, 90)) * np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
        cover_ = (mask.astype(np.float32) / 255 * alpha)[..., None]
        base = base + cover_ * (colour - base)
    return base


def example(
    picture: NDArray[np.uint8], points: NDArray, bank: Bank, options: DistilOptions, rng: Rng
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """One face of training: covered, then moved, lit and spoilt as a whole, so that both share the lamp and the lens.

    :return: the picture; where the face is, [S, S]; where it is covered, [S, S].
    """
    size = len(picture)
    picture, covered = cover(picture, points, bank, rng)
    turned = np.eye(3)
    if rng.random() < LEANING:
        corners = np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]) * (size - 1)
        turned = cv2.getPerspectiveTransform(corners, corners + rng.normal(0, 0.06 * size, (4, 2)).astype(np.float32))
        points = cv2.perspectiveTransform(points[None], turned)[0]
    affine, points = placement(points, size, options.augmentation, rng)
    whole = np.vstack([affine, [0, 0, 1]]) @ turned
    how = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT_101}
    picture, covered = (cv2.warpPerspective(p, whole, (size, size), **how) for p in (picture, covered))
    return spoil(picture, options.augmentation, rng), face_region(points, size), covered


def listed(labels: dict[str, NDArray], table: Path) -> NDArray[np.bool_]:
    """Which rows of the labels a CSV file with the columns set and file names.

    :raises ValueError: the labels do not say which files the faces came from.
    """
    if "file" not in labels:
        raise ValueError(f"the faces' labels have no column 'file', by which {table} names them: prepare them anew")
    named = read_names(table)
    return np.array([key in named for key in zip(labels["set"].tolist(), labels["file"].tolist(), strict=True)])


def shrunk(
    pictures: NDArray[np.uint8], labels: dict[str, NDArray], size: int
) -> tuple[NDArray[np.uint8], dict[str, NDArray]]:
    """Faces at ``size`` pixels, and the table with the points there: what is drawn small is drawn in a quarter."""
    points = (labels["points68"] + 0.5) * size / pictures.shape[1] - 0.5
    less = np.stack([cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in pictures])
    return less, {**labels, "points68": points}


def examples(
    pictures: NDArray[np.uint8], labels: dict[str, NDArray], bank: Bank, side: int, options: DistilOptions
) -> tuple[NDArray[np.uint8], dict[str, NDArray]]:
    """Every picture once, for validation: as in training but for what spoils; and the maps "face" and "occluder"."""
    still = replace(options.augmentation, turn=5.0, scale=0.03, shift=0.02, light=0.2, colour=0.05, soft=0.2, noise=0.1)
    how = replace(options, augmentation=still)
    rngs = [np.random.default_rng((options.seed, 3, n)) for n in range(len(pictures))]
    drawn = [example(p, q, bank, how, r) for p, q, r in zip(pictures, labels["points68"], rngs, strict=True)]
    x, *maps = (np.stack(part) for part in zip(*drawn, strict=True))
    return x, {k: small(m, side) for k, m in zip(("face", "occluder"), maps, strict=True)}


def small(maps: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """[B, S, S] averaged down to [B, side, side]."""
    return np.stack([cv2.resize(m, (side, side), interpolation=cv2.INTER_AREA) for m in maps])


def batches(
    pictures: NDArray[np.uint8],
    labels: dict[str, NDArray],
    bank: Bank,
    side: int,
    options: DistilOptions,
    seen: int = 0,
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """As :func:`vidinv.training.distil.batches`; the targets are "face" and "occluder", [B, side, side] 0..1."""
    weights = balanced_weights(labels)
    while True:
        rows = np.random.default_rng((options.seed, seen, 1)).choice(len(pictures), options.batch, p=weights)
        drawn = [
            example(pictures[r], labels["points68"][r], bank, options, np.random.default_rng((options.seed, n)))
            for n, r in enumerate(rows, seen)
        ]
        x, *maps = (np.stack(part) for part in zip(*drawn, strict=True))
        seen += options.batch
        target = {k: torch.from_numpy(small(m, side)) for k, m in zip(("face", "occluder"), maps, strict=True)}
        yield to_tensor(x).contiguous(memory_format=torch.channels_last), target
