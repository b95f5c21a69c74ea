"""What can be said of a face in numbers: the scores that edits change, and what else differs between faces.

One step of an edit means one standard deviation of such a score, so all of them are on scales where that means the same
anywhere: years, logits of probabilities, and ratios of lengths between the 68 landmarks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.masks import oval

ATTRIBUTES = ("age", "smile", "gender")  # read by networks; no edit may leak into them
SHAPES = ("mouth", "eyes", "yaw")  # read off the landmarks
SCORES = ATTRIBUTES + SHAPES


def logit(p: NDArray) -> NDArray:
    p = np.clip(p, 0.002, 0.998)
    return np.log(p / (1 - p))


def shapes(points68: NDArray) -> dict[str, NDArray]:
    """Three ratios of lengths, which do not change with the size of the picture, [N] each.

    How far the mouth is open (inner lips apart, in eye distances), how far the eyes are (aspect ratio of Soukupova and
    Cech 2016), and where the face looks (nose off the eyes' middle, in eye distances; the picture's right is positive).

    :param points68: [N, 68, 2].
    """
    p = points68

    def apart(a: int, b: int) -> NDArray:
        return np.linalg.norm(p[:, a] - p[:, b], axis=1)

    left, right = p[:, 36:42].mean(1), p[:, 42:48].mean(1)
    distance = np.maximum(np.linalg.norm(right - left, axis=1), 1e-6)
    eyes = [(apart(i + 1, i + 5) + apart(i + 2, i + 4)) / (2 * np.maximum(apart(i, i + 3), 1e-6)) for i in (36, 42)]
    return {
        "mouth": (apart(61, 67) + apart(62, 66) + apart(63, 65)) / (3 * distance),
        "eyes": (eyes[0] + eyes[1]) / 2,
        "yaw": (p[:, 30, 0] - (left[:, 0] + right[:, 0]) / 2) / distance,
    }


def scores(labels: dict[str, NDArray]) -> dict[str, NDArray]:
    """Every score of every labelled face, [N] each."""
    named = {"age": labels["age"], "smile": logit(labels["expression"][:, 1]), "gender": logit(labels["male"])}
    return named | shapes(labels["points68"])


def colours(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean RGB and spread of the middle and of the surroundings of every crop [N, S, S, 3], as [N, 12].

    Held fixed, they keep the light, the film and the make of a data set out of an edit, which then tints nobody.
    """
    middle = oval(pictures.shape[1]) > 0.5
    parts = [np.stack([p[where] for p in pictures]) for where in (middle, ~middle)]
    return np.concatenate([f(p, axis=1) for p in parts for f in (np.mean, np.std)], 1).astype(np.float32)


def nuisances(labels: dict[str, NDArray], besides: str) -> NDArray:
    """What else differs between faces and must not be learned as part of score ``besides``, [N, K].

    :param labels: with a column ``colour`` from :func:`colours`.
    """
    p = labels["points68"]
    pitch = (p[:, 30, 1] - p[:, 27, 1]) / np.maximum(p[:, 8, 1] - p[:, 27, 1], 1)
    pose = [] if besides == "yaw" else [shapes(p)["yaw"]]
    sets = np.stack([labels["set"] == s for s in np.unique(labels["set"])[1:]], 1)
    columns = [*pose, pitch, labels["skin"], labels["side"], labels["colour"], labels["expression"][:, 2:], sets]
    return np.column_stack(columns).astype(np.float64)
