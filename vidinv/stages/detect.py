"""Frame -> Faces: whose faces are where, with ids that last as long as the shot.

Between full searches each known face is asked of the detector's last network alone, at its last place; where that is
not sure, and as often as there is a full search, the face is looked for around its place, in a picture scaled so that
it always has the same size: about a tenth of a full search's time. The detector knows upright faces only; of others it
finds some with wrong points. So a new face of which it is not sure is looked at from all four sides, and where nobody
is upright the whole picture is. A face that is known to lie keeps its turn in its region.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces.quads import transform_points
from vidinv.faces.tracks import Tracks, advance, largest_first, overlap
from vidinv.faces.turns import QUARTERS, from_quarters, leaning, quarters_of, turn_back, turned_boxes
from vidinv.models.face_detector import LAST_SHIFT, LAST_SIDE, Detections, FaceDetector
from vidinv.types import Face, Faces, Frame
from vidinv.video.shots import ShotState, mark_cuts

BAND = 270  # rows of a picture that are made smaller at a time


@dataclass(frozen=True)
class DetectOptions:
    score: float = 0.9  # faces below are not believed
    sure: float = 0.999  # a new face below is looked at from the other sides: upside down it is seen with up to 0.999
    turned: float = 0.99  # faces of a turned picture below are not believed
    odds: float = 20.0  # times the odds that a face is one, by which another side must be better than upright
    smallest: float = 1 / 18  # smallest face of a full search, as a share of the picture's shorter side
    search_side: int = 540  # the full search sees the picture no larger than this (shorter side, pixels)
    full_every: float = 1.0  # seconds between full searches while anybody is in sight
    idle_every: float = 0.12  # ... while nobody is
    region: float = 1.8  # side of the region around a known face, in sides of its box
    region_size: int = 160  # ... and in pixels of the picture that is searched there
    followed: float = 0.99  # a known face of which the last network alone is so sure is not searched for
    passing: float = 0.4  # seconds for which a missing person is looked for where they were: a flash has passed by then
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
    quarters: int = 0  # by which the picture was turned in the last search for somebody who is not upright


def detect(
    state: DetectState, frame: Frame | None, detectors: Detectors, options: DetectOptions = DetectOptions()
) -> tuple[DetectState, list[Faces]]:
    """Find and name the faces of a frame, largest first."""
    opened = None if frame is None else frame.opened()
    shot, ready = mark_cuts(state.shot, frame, options.rate, opened)
    out = list[Faces]()
    for one in ready:
        now = opened if frame is not None and one.index == frame.index else None
        state, found = _found(state, one, one.opened() if now is None else now, detectors, options)
        out.append(found)
    return replace(state, shot=shot), out


def _found(
    state: DetectState, frame: Frame, opened: Frame, detectors: Detectors, options: DetectOptions
) -> tuple[DetectState, Faces]:
    tracks, since_full = state.tracks, state.since_full
    if frame.cut:
        tracks, since_full = Tracks(next_person=tracks.next_person), None
    faces: list[Face] = []
    lost = False
    every = options.full_every if any(not track.missing for track in tracks.alive) else options.idle_every
    due = since_full is None or since_full >= round(every * options.rate)
    for track in tracks.alive:
        if track.missing <= round(options.passing * options.rate):
            # As often as there is a full search the whole cascade says whether a followed face is one, and where.
            ask = not track.missing and not due
            face = _followed(opened, track.face, detectors.region, options) if ask else None
            face = face or _search_region(opened, track.face, detectors.region, options)
            faces += [face] if face is not None else []
            lost |= face is None and track.missing == 0
    quarters = state.quarters
    if lost or due:
        first, (image, scale) = since_full is None, _small(opened, options.search_side)
        full = _search_all(image, scale, detectors.full, options)
        lying = {quarters_of(leaning(track.face.points)) for track in tracks.alive} - {0}
        if not full and not faces and not lying:
            # At first from all sides; later from one after the other, as most such pictures have nobody in them.
            quarters = quarters % 3 + 1
            lying = {1, 2, 3} if first else {quarters}
        full += [f for k in sorted(lying) for f in _search_all(image, scale, detectors.full, options, k)]
        fresh = _merge(full, faces)[len(faces) :]
        settled = [_settled(opened, face, detectors.region, options) for face in fresh]
        faces, since_full = [*faces, *(face for face in settled if face is not None)], 0
    patience = round(options.patience * options.rate)
    tracks, named = advance(tracks, _distinct(faces), patience)
    return DetectState(tracks, state.shot, (since_full or 0) + 1, quarters), Faces(frame, largest_first(named))


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


def _upright(found: Detections, back: NDArray[Any]) -> Detections:
    """Detections of a turned picture in the picture as it is. :param back: 2x3 map of pixels."""
    if not len(found):
        return found
    points = transform_points(back, found.points).astype(np.float32)
    return Detections(turned_boxes(found.boxes, back), found.scores, points)


def _small(frame: Frame, side: int) -> tuple[NDArray[np.uint8], float]:
    """A frame's picture for a full search, and by how much it is smaller. :param side: longest shorter side, pixels."""
    height, width = frame.image.shape[:2]
    scale, coded = min(1.0, side / min(height, width)), frame.coded
    if coded is None or not coded.cuttable or scale == 1 or height * scale % 1 or 1 / scale % 1:
        picture = frame.picture()
        return (_shrunk(picture, scale) if scale < 1 else picture), scale
    # Each pixel is the mean of a whole number of rows: the same, without all of a large picture at a time.
    rows = max(1, round(BAND * scale)) * round(1 / scale)
    bands = ((0, y, width, min(y + rows, height)) for y in range(0, height, rows))
    return np.concatenate([_shrunk(frame.part(band), scale) for band in bands]), scale


def _search_all(
    image: NDArray[np.uint8], scale: float, detector: FaceDetector, options: DetectOptions, quarters: int = 0
) -> list[Face]:
    """:param image: the frame's picture. :param scale: by which it was made smaller.
    :param quarters: of a turn, anticlockwise, by which the picture is turned before."""
    if not quarters:
        return _faces(detector(image), options, scale, 0, 0)
    back = from_quarters(quarters, image.shape[1], image.shape[0])
    found = _upright(detector(np.ascontiguousarray(np.rot90(image, quarters))), back)
    return [face for face in _faces(found, options, scale, 0, 0) if face.detection >= options.turned]


def _shrunk(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _settled(frame: Frame, face: Face, detector: FaceDetector, options: DetectOptions) -> Face | None:
    """A new face as it stands: of what it looks like from all sides the likeliest."""
    if face.detection >= options.sure and leaning(face.points) == 0:
        return face
    upright = _search_region(frame, face, detector, options, 0.0)
    sides = [_search_region(frame, face, detector, options, angle) for angle in QUARTERS]
    seen = [side for side in sides if side is not None and side.detection >= options.turned]
    best = max(seen, key=lambda side: side.detection, default=None)
    known = face if leaning(face.points) == 0 else upright
    if best is None or (known is not None and _odds(best) < options.odds * _odds(known)):
        return known
    return best


def _odds(face: Face) -> float:
    return face.detection / max(1 - face.detection, 1e-7)


def _search_region(
    frame: Frame, face: Face, detector: FaceDetector, options: DetectOptions, angle: float | None = None
) -> Face | None:
    """The face again, near where it was; None when it is not there.

    :param angle: degrees by which it is turned; None: as it was.
    """
    angle = leaning(face.points) if angle is None else angle
    wide = 2**0.5 if angle else 1.0  # room to turn in
    side, size = wide * options.region * _side(face.box), round(wide * options.region_size)
    centre = (face.box[:2] + face.box[2:]) / 2
    x0, y0 = (float(v) for v in centre - side / 2)
    scale = size / side
    region = _cut(frame, x0, y0, side, size)
    if angle:
        there = turn_back(angle, size, options.region_size)
        seen = cv2.warpAffine(region, there, (options.region_size, options.region_size), flags=cv2.INTER_LINEAR)
        found = _upright(detector(np.asarray(seen, np.uint8)), cv2.invertAffineTransform(there))
    else:
        found = detector(region)
    near = [f for f in _faces(found, options, scale, x0, y0) if overlap(f.box, face.box) > 0.2]
    return max(near, key=lambda f: overlap(f.box, face.box), default=None)


def _followed(frame: Frame, face: Face, detector: FaceDetector, options: DetectOptions) -> Face | None:
    """The face again, as the last network sees it where it was; None where it is not sure, or the face is not upright.

    From one frame to the next a face moves little beside its size, and the network is made to say where in its picture
    the face is.
    """
    if leaning(face.points):
        return None
    side = _side(face.box)
    # What it answers with lies a little beside the middle: fed back as it is, its places would drift.
    x0, y0 = (float(v) for v in (face.box[:2] + face.box[2:] - side) / 2 + side * np.array(LAST_SHIFT))
    scale = LAST_SIDE / side
    found = detector.last(_cut(frame, x0, y0, side, LAST_SIDE))
    near = [f for f in _faces(found, options, scale, x0, y0) if overlap(f.box, face.box) > 0.5]
    return next((f for f in near if f.detection >= options.followed and not leaning(f.points)), None)


def _cut(frame: Frame, x0: float, y0: float, side: float, size: int) -> NDArray[np.uint8]:
    """[size, size, 3] the square of the picture at a place, black outside of it."""
    scale, (height, width) = size / side, frame.image.shape[:2]
    shrinks = scale < 0.5
    room = 0 if shrinks else 2  # pixels about the square that are blended into those within it
    left, top = max(int(x0) - room, 0), max(int(y0) - room, 0)
    right, bottom = min(int(x0 + side) + 1 + room, width), min(int(y0 + side) + 1 + room, height)
    if min(right - left, bottom - top) * (scale if shrinks else 1) < 1:  # (all but) nothing of it lies in the picture
        return np.zeros((size, size, 3), np.uint8)
    part = frame.part((left, top, right, bottom))
    if shrinks:  # average before the warp: a large face would be sampled at every other pixel only
        part = _shrunk(part, scale)
        affine = np.array([[1, 0, (left - x0) * scale], [0, 1, (top - y0) * scale]])
    else:
        affine = np.array([[scale, 0, (left - x0) * scale], [0, scale, (top - y0) * scale]])
    cut = cv2.warpAffine(part, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(cut, np.uint8)


def _merge(full: list[Face], known: list[Face]) -> list[Face]:
    """A full search finds who is new; the points of those already known are the finer ones."""
    return known + [f for f in full if all(overlap(f.box, k.box) < 0.3 for k in known)]


def _distinct(faces: list[Face]) -> list[Face]:
    """Two tracks that ran into the same face: the more certain one keeps it."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: -f.detection):
        if all(overlap(face.box, k.box) < 0.5 for k in kept):
            kept.append(face)
    return kept
