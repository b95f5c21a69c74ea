"""What can be said of a face in numbers: the scores that edits change, and what else differs between faces.

One step of an edit means one standard deviation of such a score, so all of them are on scales where that means the same
anywhere: years, logits of probabilities, ratios of lengths between the 68 landmarks, lightness and angles of colour.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vidinv.errors import InputError
from vidinv.models.attributes import SUREST

ATTRIBUTES = ("age", "smile", "gender")  # read by networks; no edit may leak into them
SHAPES = ("mouth", "eyes", "yaw", "pitch")  # read off the landmarks
MOVING = ("smile", *SHAPES)  # edits that move the face, and its colours with it
COLOURS = ("hair", "skin")  # read in the picture; columns of photometry.measured
ACCESSORIES = ("glasses", "beard", "makeup")  # read by a probe; columns of pipelines.label_accessories
SCORES = ATTRIBUTES + SHAPES + COLOURS + ACCESSORIES
LOGITS = ("smile", "gender", *ACCESSORIES)  # scores that are logits of probabilities
ADULT = 18.0  # years
FRONTAL = 0.12  # yaw score, of either side, below which glasses look alike

LIT = 35.0  # lightness of the eyes (0..100) of an open eye in some light
DARK = 0.2  # lightness of the eyes (0..100) over brightness of the skin (0..255), below which sunglasses are worn


def logit(p: NDArray) -> NDArray:
    p = np.clip(p, 1 - SUREST, SUREST)
    return np.log(p / (1 - p))


Points = TypeVar("Points", NDArray, Tensor)


def shapes(points68: Points) -> dict[str, Points]:
    """Four ratios of lengths, which do not change with the size of the picture, [N] each.

    How far the mouth is open (inner lips apart, in eye distances), how far the eyes are (aspect ratio of Soukupova and
    Cech 2016), and where the face looks: nose off the eyes' middle, in eye distances (the picture's right is positive);
    how far down the nose's tip is between its bridge and the chin (downwards is positive).

    :param points68: [N, 68, 2]; of a tensor the answers carry gradients.
    """
    p = points68

    def length(a: Points) -> Points:
        return ((a**2).sum(-1) + 1e-12) ** 0.5  # a root has no gradient at 0

    def apart(a: int, b: int) -> Points:
        return length(p[:, a] - p[:, b])

    left, right = p[:, 36:42].mean(1), p[:, 42:48].mean(1)
    distance = length(right - left).clip(1e-6)
    eyes = [(apart(i + 1, i + 5) + apart(i + 2, i + 4)) / (2 * apart(i, i + 3).clip(1e-6)) for i in (36, 42)]
    return {
        "mouth": (apart(61, 67) + apart(62, 66) + apart(63, 65)) / (3 * distance),
        "eyes": (eyes[0] + eyes[1]) / 2,
        "yaw": (p[:, 30, 0] - (left[:, 0] + right[:, 0]) / 2) / distance,
        "pitch": (p[:, 30, 1] - p[:, 27, 1]) / (p[:, 8, 1] - p[:, 27, 1]).clip(1e-6),
    }


def scores(labels: dict[str, NDArray]) -> dict[str, NDArray]:
    """Every score that there are labels of, [N] each; NaN where a face does not show it."""
    named = {"age": labels["age"], "smile": logit(labels["expression"][:, 1]), "gender": logit(labels["male"])}
    named |= shapes(labels["points68"])
    named |= {name: labels[column] for name, column in (("hair", "hair"), ("skin", "tone")) if column in labels}
    return named | {name: logit(labels[name]) for name in ACCESSORIES if name in labels}


def scales(labels: dict[str, NDArray]) -> dict[str, float]:
    """Standard deviation of each score that any of the labelled faces shows."""
    return {name: float(np.nanstd(score)) for name, score in scores(labels).items() if np.isfinite(score).any()}


def colours_in_place(name: str, colours: float) -> float:
    """How much of an edit's colours are its own where it is trained and measured: pictures are compared in place there,
    and what an edit moves would get the colour of what was there before. The product knows the motion.

    :param colours: EditSpec.colours.
    """
    return 1.0 if name in MOVING else colours


def shares_in_place(edits: dict[str, dict]) -> tuple[tuple[str, float], ...]:
    """Of all edits of the settings, those that draw in the face's colours there, and how much in their own."""
    found = ((name, colours_in_place(name, edit.get("colours", 1.0))) for name, edit in edits.items())
    return tuple((name, share) for name, share in found if share < 1)


def require(names: tuple[str, ...], labels: dict[str, NDArray]) -> None:
    """:raises InputError: names without a score, or whose labels are missing."""
    unknown = [n for n in names if n not in SCORES]
    if unknown:
        raise InputError(f"nothing measures {', '.join(unknown)}; edits that can be fitted are {', '.join(SCORES)}")
    missing = [n for n in names if n in ACCESSORIES and n not in labels]
    if missing:
        raise InputError(
            f"labels.npz has no column {', '.join(missing)}: run python -m pipelines.label_accessories on that folder, "
            "or name other edits with --only"
        )


def eligible(name: str, labels: dict[str, NDArray]) -> NDArray[np.bool_]:
    """Faces that have a say in what an edit looks like, [N].

    Those that show the score at all. Of beards men, of makeup women, or they would turn into the other sex. Of glasses
    faces seen from the front, since rims that lie elsewhere in every crop average to a haze, and none in sunglasses. Of
    skin those whose eyes' whites tell of the light.
    """
    shown = np.isfinite(scores(labels)[name])
    if name == "glasses":
        return shown & (np.abs(shapes(labels["points68"])["yaw"]) < FRONTAL) & ~behind_dark_glass(labels)
    if name in ("beard", "makeup"):
        return shown & (labels["age"] >= ADULT) & ((labels["male"] > 0.5) == (name == "beard"))
    if name == "skin":
        return shown & (labels["white"] > LIT)
    return shown


def behind_dark_glass(labels: dict[str, NDArray]) -> NDArray[np.bool_]:
    """Faces in sunglasses, [N]. :param labels: with the columns of photometry.measured."""
    return (labels["glasses"] > 0.5) & (labels["white"] < DARK * labels["skin"])


def nuisances(labels: dict[str, NDArray], besides: str) -> NDArray:
    """What else differs between faces and must not be learned as part of score ``besides``, [N, K].

    :param labels: with the columns of photometry.measured.
    """
    shape, colour = shapes(labels["points68"]), labels["colour"]
    fixed = [shape[n] for n in ("yaw", "pitch") if n != besides]
    if besides == "pitch":
        fixed.append(shape["mouth"])  # an open one lowers the chin
    if besides != "skin":
        fixed += [labels["skin"], colour[:, :6]]
    else:
        fixed.append(labels["white"])  # or dark skin would be skin in the dark
    if besides != "hair":
        fixed.append(colour[:, 6:])
    # Beards and makeup belong to what makes a face look masculine or feminine; glasses belong to nothing else.
    apart = ("glasses",) if besides == "gender" else ACCESSORIES
    fixed += [labels[n] for n in apart if n in labels and n != besides]
    sets = labels["set"][:, None] == np.unique(labels["set"])[1:]
    columns = [*fixed, labels["side"], labels["expression"][:, 2:], sets]
    return np.column_stack(columns).astype(np.float64)
