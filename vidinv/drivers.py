"""Drivers: from a video of a face, or a table, to an edit that moves faces as it does.

editor = VideoEditor()
editor.edit_video("in.mp4", "out.mp4", [drive("driver.mp4", editor), "age=+2"])
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidinv.api import VideoEditor
from vidinv.bounds import checked
from vidinv.edits.drive import Drive, Motion, landmarks_of
from vidinv.edits.driver_table import DriverTable, read_driver_table
from vidinv.errors import NoFaceFound, UsageError
from vidinv.faces.expressions import displacement
from vidinv.faces.landmark_motion import face_size, opening
from vidinv.faces.quads import Template, quad_from_points, quad_to_affine, transform_points
from vidinv.faces.smoothing import CUTOFF, smooth_at
from vidinv.packs.load import Pack
from vidinv.runtime.way import Way
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.types import Face, known
from vidinv.video import Reader

SMOOTHING = 0.04  # seconds: takes the landmarks' trembling out, and leaves speech
PLACED = 0.13  # seconds: smoothing of where the face of a table lies, as of crops
ASKED_FOR = 0.1  # seconds from the neutral time within which its frames are averaged
BATCH = 16
Track = tuple[NDArray[np.float64], NDArray[np.float64]]  # times [T] and landmarks [T, 68, 2], fractions of the crop


def drive(
    driver: str | Path,
    editor: VideoEditor,
    *,
    neutral: float | None = None,
    persons: Iterable[int | str] | None = None,
) -> Drive:
    """An edit for :meth:`VideoEditor.edit_video` and its like, beside others or alone.

    :param driver: a video, of which the person drives who is longest in sight; or a CSV file (name.csv) with the
        columns time, in seconds, and x0, y0, ... x67, y67 (68 landmarks, iBUG 300-W order, any unit), or time and some
        of :data:`vidinv.faces.expressions.CONTROLS`.
    :param editor: whose pack finds the landmarks. Its videos are driven by time: the driver's first second is theirs.
    :param neutral: seconds of the driver at which its face is at rest; None: the frame that looks most so.
    :param persons: whom to drive, by the ids of the report; None: everybody.
    :raises NoFaceFound: nobody is in the driver. :raises InputError: it cannot be read.
    :raises UsageError: a table that cannot be read, a neutral time at which nobody is seen, or a pack not of faces.
    :raises DamagedPack: the pack has no landmark network.
    """
    pack, path = editor.pack, Path(driver)
    if pack.crops.kind != "face":
        raise UsageError(f"pack {pack.name} is not of faces, so no face can drive it; choose another pack")
    if neutral is not None:
        checked("time", neutral, "neutral")
    landmarks = pack.landmarks
    if path.suffix.lower() == ".csv":
        table = read_driver_table(path)
        motion = _by_controls(table, path, neutral, landmarks.mean_points.cpu().numpy())
        motion = motion or _relative(_placed(table, pack, path), path, neutral)
    else:
        motion = _relative(_watched(path, pack), path, neutral)
    return Drive(motion, landmarks, None if persons is None else frozenset(persons))


def _watched(path: Path, pack: Pack) -> Track:
    """The landmarks of the person who is longest in sight."""
    tracks: dict[int, list[tuple[float, NDArray[np.float32]]]] = {}
    with Reader(path) as reader:
        waiting: list[tuple[float, Face]] = []
        with closing(_faces(reader, pack)) as seen:
            for one in seen:
                waiting.append(one)
                if len(waiting) == BATCH:
                    _read(waiting, pack, tracks)
        _read(waiting, pack, tracks)
    if not tracks:
        raise NoFaceFound(f"{path}: no face in the whole video, so there is nothing to drive by; choose another driver")
    longest = max(tracks.values(), key=len)
    times, points = np.array([t for t, _ in longest]), np.stack([p for _, p in longest]).astype(np.float64)
    return times, _smoothed(times, points, SMOOTHING)


def _faces(reader: Reader, pack: Pack) -> Generator[tuple[float, Face], None, None]:
    """Every sighting of a face with its crop, and its time."""
    way, options = Way(float(reader.info.rate)), DetectOptions(rate=float(reader.info.rate))
    looking = partial(detect, detectors=make_detectors(options), options=options)
    placing = partial(align, options=AlignOptions(pack.resolution, pack.template, rate=way.rate))
    with closing(way.stage("detect", looking, DetectState(), decode(reader))) as found:
        for faces in way.stage("align", placing, AlignState(), found):
            yield from ((faces.frame.seconds(way.rate), face) for face in faces.faces if face.seen)


def _read(
    waiting: list[tuple[float, Face]], pack: Pack, tracks: dict[int, list[tuple[float, NDArray[np.float32]]]]
) -> None:
    """Empties ``waiting`` into the tracks."""
    if waiting:
        found = landmarks_of(pack.landmarks, [known(face.crop) for _, face in waiting])
        for (time, face), points in zip(waiting, found, strict=True):
            tracks.setdefault(face.person, []).append((time, points))
        waiting.clear()


def _placed(table: DriverTable, pack: Pack, path: Path) -> Track:
    """A table's landmarks in the crop that the pack would cut about them."""
    points, template = known(table.points), pack.template
    assert isinstance(template, Template)  # packs of faces have no other
    five = np.stack(
        [points[:, 36:42].mean(1), points[:, 42:48].mean(1), points[:, 30], points[:, 48], points[:, 54]], 1
    )
    quads = _smoothed(table.times, quad_from_points(five, template), PLACED)
    flat = np.flatnonzero(np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1) < 1e-6)
    if flat.size:
        raise UsageError(f"{path}, line {flat[0] + 2}: eyes and mouth lie in one point, which is no face")
    # Of a crop of one pixel, whose pixel's centre is 0.5 from its edge.
    placed = [transform_points(quad_to_affine(q, 1), p) + 0.5 for q, p in zip(quads, points, strict=True)]
    return table.times, _smoothed(table.times, np.stack(placed), SMOOTHING)


def _relative(track: Track, path: Path, neutral: float | None) -> Motion:
    """What differs from the neutral frame, in sizes of the face there."""
    times, points = track
    if neutral is None:
        neutral = float(times[most_neutral(points)])
    near = np.abs(times - neutral) <= ASKED_FOR
    if not near.any():
        raise UsageError(
            f"{path}: nobody is seen at the neutral time {neutral:g} s; the face is there from {times[0]:.2f} to "
            f"{times[-1]:.2f} s"
        )
    rest = points[near].mean(0)
    return Motion(times, ((points - rest) / face_size(rest)).astype(np.float32), path.name)


def most_neutral(points: NDArray[np.float64]) -> int:
    """The frame in which the mouth is most closed, the head most frontal, and the shape most usual.

    :param points: [T, 68, 2].
    """
    usual = np.median(points, 0)
    size = face_size(usual)
    odd = np.linalg.norm(points - usual, axis=2).mean(1) / size
    eyes, nose = points[:, 36:48].mean(1), points[:, 30]
    turned = np.abs(nose[:, 0] - eyes[:, 0]) / size
    parted = np.array([opening(p) for p in points]) / size
    return int(np.argmin(odd + 0.3 * turned + parted))


def _by_controls(table: DriverTable, path: Path, neutral: float | None, face: NDArray[np.float32]) -> Motion | None:
    """Expressions by rule, on the pack's mean face; None: the table has landmarks."""
    if table.points is not None:
        return None
    if neutral is not None:
        raise UsageError(f"{path}: in a table of expressions the neutral face is where all are 0; give no neutral time")
    rows = [dict(zip(table.controls, row, strict=True)) for row in zip(*table.controls.values(), strict=True)]
    moved = np.stack([displacement(face, row) for row in rows]) / face_size(face)
    return Motion(table.times, moved.astype(np.float32), path.name)


def _smoothed(times: NDArray[np.float64], values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Local regression over seconds."""
    found = np.empty_like(values)
    for i, time in enumerate(times):
        first, end = np.searchsorted(times, (time - CUTOFF * sigma, time + CUTOFF * sigma), side="left")
        near = slice(first, max(end, i + 1))
        found[i] = smooth_at(times[near] - time, values[near], sigma)
    return found
