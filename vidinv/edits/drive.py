"""A face that moves as another one does: the driver's landmarks move the source's own pixels.

The motion is relative: what the driver's landmarks do from a neutral frame on is added to where the source's are, in
sizes of the face, so that nobody gets another's shape; where the driver is neutral the source stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.faces.compositing import followed
from vidinv.faces.landmark_motion import face_size, landmark_change
from vidinv.faces.regions import CROP, Touch
from vidinv.models.landmarks import LandmarkNet
from vidinv.models.pictures import to_tensor
from vidinv.types import Code, Face, known

NEAR, FADE = 0.12, 0.3  # seconds: from a sighting of the driver on the motion is whole so long, and then goes
LEAST = 1e-4  # sizes of the face, below which nothing moves


@dataclass(frozen=True)
class Motion:
    """What a driver does: how far each landmark is from where it is in the neutral frame."""

    times: NDArray[np.float64]  # [T] seconds, rising
    moved: NDArray[np.float32]  # [T, 68, 2] in sizes of the driver's face (vidinv.faces.landmark_motion.face_size)
    name: str  # of its file

    def at(self, time: float) -> NDArray[np.float32]:
        """[68, 2], linear between the frames; where the driver is out of sight, and after the end, it fades to 0."""
        after = int(np.searchsorted(self.times, time))
        before, after = max(after - 1, 0), min(after, len(self.times) - 1)
        a, b = self.times[before], self.times[after]
        share = float(np.clip((time - a) / (b - a), 0, 1)) if b > a else 0.0
        far = min(abs(time - a), abs(time - b))
        weight = float(np.clip(1 - (far - NEAR) / FADE, 0, 1))
        first, second = self.moved[before], self.moved[after]
        return np.asarray(weight * (first + share * (second - first)), np.float32)


@dataclass(frozen=True)
class Drive:
    """An edit (see :class:`vidinv.edits.base.Edit`) that moves faces by a driver's landmarks. Made by
    :func:`vidinv.drive`."""

    motion: Motion
    landmarks: LandmarkNet
    persons: frozenset[int | str] | None = None  # by id or name; None: everybody

    @property
    def changes(self) -> bool:
        """Does it change with time?"""
        return True

    def __str__(self) -> str:
        who = "" if self.persons is None else "+".join(sorted(map(str, self.persons))) + ":"
        return f"{who}drive={self.motion.name}"

    def acts(self, face: Face, time: float) -> bool:
        """See :class:`vidinv.edits.base.Edit`."""
        mine = self.persons is None or face.person in self.persons or face.name in self.persons
        return mine and float(np.abs(self.motion.at(time)).max()) > LEAST

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        """See :class:`vidinv.edits.base.Edit`; w and F stay, the change comes after their picture."""
        if not self.acts(face, time):
            return code, 0.0
        crop = known(face.crop)
        points = landmarks_of(self.landmarks, [crop])[0]
        moved = landmark_change(crop, points, face_size(points) * self.motion.at(time))
        return replace(code, change=moved if code.change is None else followed(code.change, moved)), 0.0

    def touches(self, face: Face, time: float) -> Sequence[Touch]:
        """See :class:`vidinv.edits.base.Edit`."""
        return [Touch(CROP)] if self.acts(face, time) else []


def landmarks_of(network: LandmarkNet, crops: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """[N, 68, 2] fractions of crops [S, S, 3], in full precision: in half of it they would tremble."""
    device = network.mean_points.device
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        return np.asarray(network(to_tensor(np.stack(crops), device)).cpu(), np.float32)
