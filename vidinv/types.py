"""What travels between the stages: a Frame, the Face records in it, and both together as Faces.

There is one record per face. A stage reads the fields that it names and returns ``replace(face, ...)`` with its own
filled in; a field is None until its stage has run. Everything is frozen; arrays are shared, not copied, and nobody
writes into an array that they did not make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidinv.shapes import told

if TYPE_CHECKING:  # the command line, which knows the choices, need not wait for torch
    from torch import Tensor

T = TypeVar("T")

Composite = Literal["detail", "replace"]
"""How a change goes into the frame: added to the frame's own pixels, or as the generated face."""

Backend = Literal["pyav", "ffmpeg"]
"""What encodes: the bundled libraries, or the system's program (an extra)."""


Box = tuple[int, int, int, int]
"""A rectangle of pixels: x0, y0, x1, y1, half open."""


class Coded(Protocol):
    """Pixels that are made of something smaller when they are asked for, the same ones at every time; of their own
    memory."""

    @property
    def cuttable(self) -> bool:
        """Whether a part costs less than the whole."""
        ...

    def picture(self) -> NDArray[np.uint8]:
        """[H, W, 3] RGB, 0..255."""
        ...

    def part(self, box: Box) -> NDArray[np.uint8]:
        """[h, w, 3] that rectangle of the picture, which lies within it."""
        ...

    def sampled(self, step: int) -> NDArray[np.uint8]:
        """[ceil(H / step), ceil(W / step), 3] pixels so far apart."""
        ...


@dataclass(frozen=True)
class Frame:
    """One picture of the stream, upright as a player shows it."""

    __repr__ = told

    image: NDArray[np.uint8]
    """[H, W, 3] RGB, 0..255; set by decode."""

    index: int
    """Position in the stream, from 0; set by decode."""

    pts: int | None = None
    """Presentation time in ticks of the stream's time base; None outside containers; set by decode."""

    time: Fraction | None = None
    """Presentation time, seconds; set by decode."""

    stays: int | None = None
    """Ticks for which the last picture stays on screen, where that is no ordinary frame's time; None: as long as the
    others; set by decode."""

    cut: bool = False
    """A new shot starts here; set by detect, or track_boxes."""

    coded: Coded | None = field(default=None, repr=False)
    """What the picture is made of, which takes less room; then ``image`` tells its size only. None: the picture is
    ``image``. Of frames while a run has them wait; set by decode, and with what was changed by blend."""

    def picture(self) -> NDArray[np.uint8]:
        """[H, W, 3] RGB, 0..255: ``image``, or made anew."""
        return self.image if self.coded is None else self.coded.picture()

    def part(self, box: Box) -> NDArray[np.uint8]:
        """[h, w, 3] a rectangle of the picture."""
        return inside(self.image, box) if self.coded is None else self.coded.part(box)

    def sampled(self, step: int) -> NDArray[np.uint8]:
        """[ceil(H / step), ceil(W / step), 3] pixels so far apart."""
        return self.image[::step, ::step] if self.coded is None else self.coded.sampled(step)

    def opened(self) -> Frame:
        """The same, for work on several parts: the picture is made here if each part would have to make it."""
        if self.coded is None or self.coded.cuttable:
            return self
        return replace(self, image=self.coded.picture(), coded=None)

    def seconds(self, rate: float) -> float:
        """Presentation time; of a frame that carries none, by its place at ``rate`` frames per second."""
        return float(self.time) if self.time is not None else self.index / rate


@dataclass(frozen=True)
class Eyeglasses:
    """Eyeglasses on a face, which are drawn in the frame itself; see :mod:`vidinv.faces.eyeglasses`."""

    __repr__ = told

    points: NDArray[np.float32]
    """[68, 2] the face's landmarks (iBUG 300-W order), pixels of the crop."""

    skin: NDArray[np.float32]
    """[3] RGB of the skin, levels of 0..255."""

    steps: float = 0.0
    """Of the edit that puts them on."""

    share: float = 1.0
    """0..1, how opaque they are: below 1 while they come or go."""

    bold: float = 1.0
    """Thickness of the frame over the usual."""

    style: int = 0
    """Which of the frames there are, from 0 on and around."""

    soft: float = 0.0
    """Sigma of the blur that the footage has, as far as the crop tells, in halves of the eyes' distance."""

    wearing: float = 0.0
    """P(who is seen wears some already), 0..1: they keep those."""


@dataclass(frozen=True)
class Code:
    """A point of the Feature-Style space."""

    __repr__ = told

    w: Tensor
    """[L, D] float32, one style per layer (W+)."""

    feature: Tensor
    """[C, h, h] float32, F: what replaces the input of the generator's K-th convolution."""

    noise: Tensor | None = None
    """[M] float32, noise maps behind one another; None: the generator's own."""

    change: Change | None = None
    """What is done to its picture after that is drawn; None: nothing. Of a face that is driven by landmarks."""

    worn: Eyeglasses | None = None
    """What is put on the face in the frame; None: nothing."""


@dataclass(frozen=True)
class Displacement:
    """A step through the Feature-Style space."""

    __repr__ = told

    w: Tensor
    """[L, D]."""

    feature: Tensor | None = None
    """[C, h, h], added to F beside what Eq. 1 adds; None: nothing."""

    def __mul__(self, strength: float) -> Displacement:
        return Displacement(self.w * strength, None if self.feature is None else self.feature * strength)

    def __add__(self, other: Displacement) -> Displacement:
        features = [f for f in (self.feature, other.feature) if f is not None]
        return Displacement(self.w + other.w, sum(features[1:], features[0]) if features else None)

    def of(self, code: Code) -> Code:
        """The code, displaced."""
        feature = code.feature if self.feature is None else code.feature + self.feature
        return replace(code, w=code.w + self.w, feature=feature)


@dataclass(frozen=True)
class Assessment:
    """What is known of a face before the change goes in, and how far it is trusted."""

    __repr__ = told

    identities: Mapping[str, NDArray[np.float32]]
    """"source", "inversion", "edit": unit embeddings [D] of the three pictures; empty where no network made any."""

    yaw: float
    """Degrees, positive: towards the viewer's right."""

    pitch: float
    """Degrees, positive: downwards."""

    residual: float
    """RMS difference of the crop and the face's mean inversion about now, inside the mask and where nothing is known to
    lie over the face; levels of 255."""

    light: tuple[float, float] = (0.0, 0.0)
    """Mean and standard deviation of the crop's luma, levels: both grow with the light; 0: not measured."""

    occluded_share: float | None = None
    """0..1, share of the face that something lies over; None: no network looked."""

    visible: NDArray[np.float32] | None = None
    """[S, S] 0..1, 0 where something lies over the face, or where a parsing network sees none; None: all is face."""

    region: NDArray[np.float32] | None = None
    """[S, S] 0..1, where the edits that act may change the face: the union of their regions, within the face as far as
    a network says where it is; None: everywhere."""

    doubts: tuple[str, ...] = ()
    """Of "missed", "broken" (by assess), "pose", "occlusion", "identity" (by gate)."""

    trust: float = 1.0
    """0..1, the edit's weight in the picture is multiplied by it; set by gate."""


@dataclass(frozen=True)
class Change:
    """What an edit does to a face: G(w~, F~)(p) = G(w, F)(p + motion(p)) + residual(p)."""

    __repr__ = told

    motion: NDArray[np.float32]
    """[S, S, 2] (dx, dy), pixels of the crop."""

    residual: NDArray[np.float32]
    """[S, S, 3] RGB, levels of 0..255, either sign."""

    colour: float = 1.0
    """0..1, how much of its own chroma the residual has; below 1 where the footage is grey or has one tint only."""


@dataclass(frozen=True)
class Score:
    """What the report says of one face in one frame: a row of its series."""

    frame: int
    """Index of the frame."""

    time: float | None
    """Seconds."""

    person: int

    weight: float
    """0..1, of the edit in the picture."""

    amount: float | None = None
    """Face.amount: steps of all edits that act; None: this program made none."""

    inversion: float | None = None
    """Cosine of the identities of inversion and source; None: not measured."""

    edited: float | None = None
    """The same of the finished face and the source."""

    trust: float | None = None
    """Assessment.trust; None: nobody assessed this face."""

    doubts: tuple[str, ...] = ()
    """Assessment.doubts."""

    occluded_share: float | None = None
    """Assessment.occluded_share."""

    attributes: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Scores before and after by their names, in the frames in which they are read."""

    cut: bool = False
    """Does a shot begin with this frame?"""


@dataclass(frozen=True)
class Face:
    """One face of one frame: what is known of it after each stage."""

    __repr__ = told

    box: NDArray[np.float32]
    """[4] x0, y0, x1, y1, pixels of the frame; set by detect, or track_boxes."""

    points: NDArray[np.float32] | None = None
    """[5, 2] left eye, right eye, nose, left mouth corner, right mouth corner, pixels of the frame; None: a given box,
    of anything; set by detect."""

    detection: float = 1.0
    """The detector's probability, 0..1; set by detect."""

    person: int = -1
    """Who it is, from 0; -1 before tracking. Of detect, or track_boxes, the id of its track, which lives within one
    shot; from reidentify on, where the pack can tell people apart, that of the first track of the same person."""

    seen: bool = True
    """False: bridged over frames in which the detector missed it; set by align."""

    quad: NDArray[np.float64] | None = None
    """[4, 2] the crop's top left, bottom left, bottom right, top right, pixels of the frame, smoothed; set by align."""

    crop: NDArray[np.uint8] | None = None
    """[S, S, 3] RGB, 0..255, the face as the encoder sees it; set by align."""

    content: tuple[float, float] = (1.0, 1.0)
    """Share of the crop's width and height, in the middle, that shows anything; the rest is black; set by align."""

    weight: float = 1.0
    """0..1, of the edit in the picture: fades at the ends of a track (align), and where it is not trusted (gate)."""

    name: str | None = None
    """What the person is called, of the names that pictures were given for; held to the end of the shot, once known;
    set by recognise; None: nobody whose picture was given."""

    code: Code | None = None
    """The crop's place in the Feature-Style space; set by invert."""

    smooth_code: Code | None = None
    """What the edit starts from: the code, its styles smoothed over time; set by edit; None: not edited here."""

    edited_code: Code | None = None
    """w~ and F + dF; set by edit; None: this face is not edited in this frame."""

    amount: float = 0.0
    """Steps of all edits that act on this face in this frame, by their size: what a change is in proportion to; set by
    edit."""

    regions: Mapping[str, float] = field(default_factory=dict)
    """Where the edits that act on this face in this frame may change it: names of vidinv.faces.regions, and how much
    each counts beside the others, above 0, the largest 1; none: the face; set by edit."""

    colours: float = 1.0
    """0..1, how much of the colours that the edits draw in are their own, the rest being the face's; set by edit."""

    moves: bool = True
    """Do any of the edits that act move parts of the face; set by edit."""

    edges: Mapping[str, float] = field(default_factory=dict)
    """Regions in which the edges of what is drawn are made steeper, and by how much; set by edit."""

    held: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Per attribute that is held, by how much the edits that act move it without and with what holds it, standard
    deviations over faces; set by edit."""

    inversion: NDArray[np.float32] | None = None
    """[S, S, 3] RGB, 0..255: G(w, F) of the smooth code; set by synthesise; None: not edited here."""

    edited: NDArray[np.float32] | None = None
    """[S, S, 3] RGB, 0..255: G(w~, F~), before edited_code.change; set by synthesise; None: not edited here, or (by
    gate) not trusted at all."""

    assessment: Assessment | None = None
    """Set by assess, completed by gate; None: not edited here."""

    change: Change | None = None
    """What the edit does, steady over time; set by stabilise; None: nothing."""

    worn: Eyeglasses | None = None
    """What is put on the face in the frame, steady over time; set by stabilise; None: nothing."""

    mask: NDArray[np.float32] | None = None
    """[S, S] 0..1, where the change goes in; set by blend; None: nowhere."""

    score: Score | None = None
    """Set by score; None: not looked at."""


@dataclass(frozen=True)
class Faces:
    """A frame and its faces: largest first after detect, in the order of persons from align on."""

    __repr__ = told

    frame: Frame
    faces: tuple[Face, ...] = ()
    """From align on only those that can be edited: none too small, none seen for a moment only."""

    output: Frame | None = None
    """The finished frame, with index and time of the source; set by blend. In a comparison the other video's."""

    def each(self, change: Callable[[Face], Face]) -> Faces:
        """With every face changed."""
        return replace(self, faces=tuple(change(face) for face in self.faces))


@dataclass(frozen=True)
class Progress:
    """How far a run is: told after every written frame."""

    frames: int

    total: int | None
    """Frames the file declares; None if it does not."""

    faces: int
    """Edited or watched face crops so far."""


def inside(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """A rectangle of an image [H, W, 3], as a view."""
    x0, y0, x1, y1 = box
    return image[y0:y1, x0:x1]


def no_picture(height: int, width: int) -> NDArray[np.uint8]:
    """[H, W, 3] of a picture's size, that takes no room."""
    return np.broadcast_to(np.zeros((), np.uint8), (height, width, 3))


def known(value: T | None) -> T:
    """A field whose stage has run; asked for earlier, the stages are in a wrong order."""
    if value is None:
        raise ValueError("this field's stage has not run: see vidinv.types for the order of the stages")
    return value
