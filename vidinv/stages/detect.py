"""Frame -> Faces: whose faces are where, with ids that last as long as the shot.

Between full searches each known face is looked for around its last place only, in a picture scaled so that the face
always has the same size: about a tenth of a full search's time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.tracks import Tracks, advance, largest_first, overlap
from vidinv.models.face_detector import Detections, FaceDetector
from vidinv.types import Face, Faces, Frame
from vidinv.video.shots import ShotState, is_cut


@dataclass(frozen=True)
class DetectOptions:
    score: float = 0.9  # faces below are not believed
    smallest: float = 1 / 18  # smallest face of a full search, as a share of the picture's shorter side
    search_side: int = 540  # the full search sees the picture no larger than this (shorter side, pixels)
    full_every: float = 1.0  # seconds between full searches while everybody is in sight
    idle_every: float = 0.12  # ... while nobody is
    region: float = 1.8  # side of the region around a known face, in sides of its box
    region_size: int = 160  # ... and in pixels of the picture that is searched there
    patience: float = 1.2  # seconds for which a missing person is remembered
    rate: float = 25.0  # frames per second


@dataclass(frozen=True)
class Detectors:
    """The two cascades that detect() needs, made once: see :func:`make_detectors`."""

    full: FaceDetector
    region: FaceDetector


def make_detectors(options: DetectOptions, device: str = "cpu") -> Detectors:
    """Detection stays on the CPU by default: its many tiny networks gain nothing from a GPU at batch 1."""
    smallest = max(20, round(options.smallest * options.search_side))
    # In the region a face fills 1 / 1.8 of the side; from about two thirds of that upwards is enough.
    return Detectors(
        FaceDetector(smallest, device=device), FaceDetector(round(0.35 * options.region_size), 0.6, device)
    )


@dataclass(frozen=True)
class DetectState:
    """What is known of the stream so far."""

    tracks: Tracks = Tracks()
    shot: ShotState = ShotState()
    since_full: int | None = None  # frames since the last full search; None: one is due


def detect(
    state: DetectState, frame: Frame | None, detectors: Detectors, options: DetectOptions = DetectOptions()
) -> tuple[DetectState, list[Faces]]:
    """Find and name the faces of a frame, largest first."""
    if frame is None:
        return state, []
    tracks, since_full = state.tracks, state.since_full
    cut, shot = is_cut(state.shot, frame.image)
    if cut:
        tracks, since_full = Tracks(next_person=tracks.next_person), None
    faces: list[Face] = []
    lost = False
    for track in tracks.alive:
        if track.missing == 0:
            face = _search_region(frame.image, track.face, detectors.region, options)
            faces += [face] if face is not None else []
            lost |= face is None
    every = options.full_every if tracks.alive else options.idle_every
    if lost or since_full is None or since_full >= round(every * options.rate):
        faces, since_full = _merge(_search_all(frame.image, detectors.full, options), faces), 0
    tracks, named = advance(tracks, _distinct(faces), round(options.patience * options.rate))
    found = Faces(replace(frame, cut=cut), largest_first(named))
    return DetectState(tracks, shot, since_full + 1), [found]


def _side(box: NDArray[np.float32]) -> float:
    return float((box[2:] - box[:2]).max())


def _faces(found: Detections, options: DetectOptions, scale: float, x0: float, y0: float) -> list[Face]:
    """Detections of a scaled and shifted picture as faces of the frame."""
    shift = np.array([x0, y0], np.float32)
    return [
        Face((b.reshape(2, 2) / scale + shift).reshape(4).astype(np.float32), p / scale + shift, float(s))
        for b, s, p in zip(found.boxes, found.scores, found.points, strict=True)
        if s >= options.score
    ]


def _search_all(image: NDArray[np.uint8], detector: FaceDetector, options: DetectOptions) -> list[Face]:
    scale = min(1.0, options.search_side / min(image.shape[:2]))
    if scale < 1:
        image = _shrunk(image, scale)
    return _faces(detector(image), options, scale, 0, 0)


def _shrunk(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _search_region(image: NDArray[np.uint8], face: Face, detector: FaceDetector, options: DetectOptions) -> Face | None:
    """The face again, near where it was; None when it is not there."""
    side = options.region * _side(face.box)
    centre = (face.box[:2] + face.box[2:]) / 2
    x0, y0 = (float(v) for v in centre - side / 2)
    scale = options.region_size / side
    if scale < 0.5:
        # Average before the warp: a large face would be sampled at every other pixel only.
        left, top = max(int(x0), 0), max(int(y0), 0)
        part = image[top : int(y0 + side) + 1, left : int(x0 + side) + 1]
        part = _shrunk(part, scale)
        affine = np.array([[1, 0, (left - x0) * scale], [0, 1, (top - y0) * scale]])
    else:
        part, affine = image, np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]])
    size = (options.region_size, options.region_size)
    region = cv2.warpAffine(part, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    near = [
        f
        for f in _faces(detector(np.asarray(region, np.uint8)), options, scale, x0, y0)
        if overlap(f.box, face.box) > 0.2
    ]
    return max(near, key=lambda f: overlap(f.box, face.box), default=None)


def _merge(full: list[Face], known: list[Face]) -> list[Face]:
    """A full search finds who is new; the region's points are the finer ones for those already known."""
    return known + [f for f in full if all(overlap(f.box, k.box) < 0.3 for k in known)]


def _distinct(faces: list[Face]) -> list[Face]:
    """Two tracks that ran into the same face: the more certain one keeps it."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: -f.detection):
        if all(overlap(face.box, k.box) < 0.5 for k in kept):
            kept.append(face)
    return kept
