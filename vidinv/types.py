"""What travels between the stages: Frame -> Found -> Aligned -> Coded -> Edited -> Rendered -> Frame.

Each type holds the one before it, so the last one still knows its frame. Everything is frozen; arrays are shared,
not copied, and nobody writes into an array that he did not make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Frame:
    """One picture of the stream, upright as a player shows it."""

    image: NDArray[np.uint8]  # [H, W, 3] RGB, 0..255
    index: int  # position in the stream, from 0
    pts: int | None = None  # presentation time in ticks of the stream's time base; None outside containers
    time: Fraction | None = None  # presentation time, seconds


@dataclass(frozen=True)
class Face:
    """One face of one frame."""

    box: NDArray[np.float32]  # [4] x0, y0, x1, y1, pixels
    # [5, 2] left eye, right eye, nose, left mouth corner, right mouth corner, pixels; None: a given box, of anything
    points: NDArray[np.float32] | None
    score: float  # detector's probability, 0..1
    person: int = -1  # id of the track it belongs to, from 0; -1 before tracking
    seen: bool = True  # False: bridged over frames in which the detector missed it


@dataclass(frozen=True)
class Found:
    """A frame and its faces, largest first. ``cut`` says that a new shot starts here."""

    frame: Frame
    faces: tuple[Face, ...]
    cut: bool = False


@dataclass(frozen=True)
class Crop:
    """A face as the generator sees it."""

    person: int
    quad: NDArray[np.float64]  # [4, 2] top left, bottom left, bottom right, top right, pixels of the frame, smoothed
    image: NDArray[np.uint8]  # [S, S, 3] RGB, 0..255
    weight: float = 1.0  # 0..1, fades at the ends of a track
    content: tuple[float, float] = (1.0, 1.0)  # share of the width and height, in the middle; the rest is black


@dataclass(frozen=True)
class Aligned:
    found: Found
    crops: tuple[Crop, ...]


@dataclass(frozen=True)
class Code:
    """A point of the Feature-Style space."""

    w: Tensor  # [L, D] float32, one style per layer (W+)
    feature: Tensor  # [C, h, h] float32, F: what replaces the input of the generator's K-th convolution


@dataclass(frozen=True)
class Displacement:
    """A step through the Feature-Style space, the same for every frame of a person."""

    w: Tensor  # [L, D]
    feature: Tensor | None = None  # [C, h, h], added to F beside what Eq. 1 adds; None: nothing

    def __mul__(self, strength: float) -> Displacement:
        return Displacement(self.w * strength, None if self.feature is None else self.feature * strength)

    def __add__(self, other: Displacement) -> Displacement:
        features = [f for f in (self.feature, other.feature) if f is not None]
        return Displacement(self.w + other.w, sum(features[1:], features[0]) if features else None)

    def of(self, code: Code) -> Code:
        """The code, displaced."""
        return Code(code.w + self.w, code.feature if self.feature is None else code.feature + self.feature)


@dataclass(frozen=True)
class Coded:
    aligned: Aligned
    codes: tuple[Code, ...]  # one per crop


@dataclass(frozen=True)
class Edited:
    coded: Coded
    sources: tuple[Code, ...]  # one per crop: what the edit starts from, smoothed over time
    codes: tuple[Code | None, ...]  # one per crop: w~ and F + dF; None: this face is not edited in this frame
    strength: float = 1.0  # steps of all edits that act in this frame, by their size: what a change is in proportion to


@dataclass(frozen=True)
class Assessment:
    """What is known of one face in one frame before the change goes in, and how far it is trusted."""

    identities: dict[
        str, NDArray[np.float32]
    ]  # "source", "inversion", "edit": unit embeddings [D] of the three pictures; empty where no network made any
    yaw: float  # degrees, positive: towards the viewer's right
    pitch: float  # degrees, positive: downwards
    unexplained: (
        float  # RMS difference inside the mask of the crop and the face's mean inversion about now, levels of 255,
        # where nothing is known to cover the face
    )
    strength: float = 1.0  # Edited.strength
    covered: float | None = None  # 0..1, share of the face that something lies over; None: no network looked
    visible: NDArray[np.float32] | None = None  # [S, S] 0..1, 0 where something covers the face; None: nothing does
    doubts: tuple[str, ...] = ()  # of "missed", "pose", "occlusion", "identity"
    trust: float = 1.0  # 0..1, the edit's weight in the picture is multiplied by it


@dataclass(frozen=True)
class Rendered:
    """Per crop the two pictures of Eq. 1; None where the face is not edited in this frame."""

    edited: Edited
    inversions: tuple[NDArray[np.float32] | None, ...]  # [S, S, 3] RGB, 0..255: G(w, F)
    edits: tuple[NDArray[np.float32] | None, ...]  # [S, S, 3] RGB, 0..255: G(w~, F~)
    assessments: tuple[Assessment | None, ...] = ()  # empty before assessment

    @property
    def frame(self) -> Frame:
        return self.edited.coded.aligned.found.frame


@dataclass(frozen=True)
class Change:
    """What an edit does to a face: G(w~, F~)(p) = G(w, F)(p + motion(p)) + rest(p)."""

    motion: NDArray[np.float32]  # [S, S, 2] (dx, dy), pixels of the crop
    rest: NDArray[np.float32]  # [S, S, 3] RGB, levels of 0..255, either sign


@dataclass(frozen=True)
class Steadied:
    rendered: Rendered
    changes: tuple[Change | None, ...]  # one per crop, steady over time; None: not edited in this frame

    @property
    def frame(self) -> Frame:
        return self.rendered.frame


@dataclass(frozen=True)
class Blended:
    """A frame on its way out, with what the report wants to know of it."""

    frame: Frame  # the edited picture, same index and time as the source
    rendered: Rendered
    masks: tuple[NDArray[np.float32] | None, ...] = field(default=())  # per crop [S, S], 0..1


@dataclass(frozen=True)
class Compared:
    """A frame before and after, and the faces that are looked at: what the report is made from."""

    source: Frame
    edited: Frame  # same size
    crops: tuple[Crop, ...]  # of the source; the edited face is where its quad is
    inversions: tuple[NDArray[np.float32] | None, ...]  # per crop [S, S, 3] RGB, 0..255; None: nothing was inverted
    assessments: tuple[Assessment | None, ...]  # per crop
    present: tuple[int, ...]  # persons in sight, looked at or not
    cut: bool = False  # a new shot starts here
