"""What a difference encoder is trained on: codes of faces, and landmarks that the same face could have.

A target is the face's own landmarks and how they differ between two pictures of one person, be it another: so targets
have expressions and turns as people have them, and ask nobody to become somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.faces.landmark_image import landmark_images
from vidinv.models.pictures import to_tensor
from vidinv.training.codes import Codes
from vidinv.training.edit_samples import even, pairs_of, take
from vidinv.training.sources import PAIRS_SET, person_of

# Shares of the crop's side, mean over the points: below, nothing differs but noise; above, one of the heads is turned
# so far that added to another face the difference makes no face.
LEAST, MOST = 0.012, 0.045


@dataclass(frozen=True)
class Differences:
    """How landmarks differ between two pictures of one person, P of them."""

    between: NDArray[np.float32]  # [P, 68, 2] fractions of the crop
    weights: NDArray[np.float64]  # [P] how often each is drawn: persons alike


@dataclass(frozen=True)
class Target:
    """Landmarks of B faces, in the two ways that networks are told them."""

    points: Tensor  # [B, 68, 2] fractions of the crop
    image: Tensor  # [B, 1, S / 2, S / 2] 0..1

    def to(self, device: str) -> Target:
        return Target(self.points.to(device), self.image.to(device))


@dataclass(frozen=True)
class Batch:
    w: Tensor  # [B, L, D]
    feature: Tensor  # [B, C, h, h]
    picture: Tensor  # [B, 3, S, S] the inversions, -1..1
    own: Target
    asked: Target
    real: Tensor  # [B, 3, S, S] inversions of other faces
    real_own: Target
    real_other: Target  # landmarks that those faces do not have

    def to(self, device: str) -> Batch:
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def fractions(codes: Codes, rows: NDArray) -> NDArray[np.float32]:
    """Landmarks of some faces, [N, 68, 2], as fractions of the crop."""
    return ((codes.labels["points68"][rows] + 0.5) / codes.inversions.shape[1]).astype(np.float32)


def differences(codes: Codes, *, val: bool = False) -> Differences:
    """Of every two pictures of one person in a folder of codes, both ways round.

    :param val: of the persons kept for validation, else of the others.
    :raises ValueError: there are no two pictures of one person, or none that differ as much as LEAST and MOST say.
    """
    labels = codes.labels
    files = zip(labels["set"], labels["file"], strict=True)
    persons = np.array([person_of(file) if group == PAIRS_SET else "" for group, file in files])
    pairs = pairs_of(persons, np.flatnonzero(labels["val"] == val))
    between = fractions(codes, pairs[:, 1]) - fractions(codes, pairs[:, 0])
    far = np.linalg.norm(between, axis=2).mean(1)
    fit = (far > LEAST) & (far < MOST)
    if not fit.any():
        raise ValueError("no two fitting pictures of one person are among the codes; give a folder of pairs")
    return Differences(between[fit], even(persons[pairs[fit, 0]]))


def target_of(points: NDArray[np.float32], side: int) -> Target:
    """:param points: [B, 68, 2] fractions of the crop. :param side: of the landmark pictures."""
    return Target(torch.from_numpy(points).float(), torch.from_numpy(landmark_images(points, side)))


def draw(codes: Codes, rows: NDArray, some: Differences, count: int, seed: tuple[int, ...]) -> Batch:
    """A batch of ``count`` faces of ``rows``, and as many others for the discriminator; the same for the same seed."""
    rng, side = np.random.default_rng(seed), codes.inversions.shape[1] // 2
    mine, others = rng.choice(rows, count), rng.choice(rows, count)
    between = some.between[rng.choice(len(some.between), 2 * count, p=some.weights)]
    own, real = fractions(codes, mine), fractions(codes, others)
    return Batch(
        w=take(codes.w, mine).float(),
        feature=take(codes.feature, mine).float().contiguous(memory_format=torch.channels_last),
        picture=to_tensor(take(codes.inversions, mine)),
        own=target_of(own, side),
        asked=target_of(own + between[:count], side),
        real=to_tensor(take(codes.inversions, others)),
        real_own=target_of(real, side),
        real_other=target_of(real + between[count:], side),
    )
