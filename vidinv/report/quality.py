"""The figures that cost time, measured while frames pass by: asked for with a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.bounds import checked
from vidinv.errors import MissingExtra
from vidinv.faces.masks import oval
from vidinv.faces.quads import quad_side, quad_to_affine
from vidinv.faces.warps import crop_of
from vidinv.metrics import reconstruction, seam
from vidinv.metrics.landmarks import hausdorff, shaking
from vidinv.metrics.temporal import correspondence, moved_squares
from vidinv.models.landmarks import LandmarkNet, to_pixels
from vidinv.models.lpips import Lpips, load_lpips
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.report.running import Running, RunningMotion, Thinned, add_all
from vidinv.runtime.compute import Compute
from vidinv.types import Face, Faces, Frame, known
from vidinv.video.patched import Patched

BESIDE = 1 / 8  # of a crop's side, by which flow looks beyond it
LEAST = 64  # pixels of a picture that flow is looked for on
EYES = slice(36, 42), slice(42, 48)  # of the 68 points
Place = tuple[int, int]  # index of a frame, and a person in it
Points = tuple[NDArray[np.float64], NDArray[np.float64]]  # [68, 2] of source and output


@dataclass(frozen=True)
class QualityOptions:
    """What a full report measures, and how often; neighbouring frames say nearly the same."""

    lpips: str | Path | None = None  # weights of LPIPS' trunk; None: LPIPS is not measured
    reconstruction_every: int = 5  # frames between two looks at the inversion
    flow_every: int = 11  # frames between two readings of the warping error; no multiple of a pulldown
    whole_every: int = 7  # readings from one of the whole picture to the next; the others see the faces only
    shown: int = 12  # frames in the strip, at most

    def __post_init__(self) -> None:
        for name in ("reconstruction_every", "flow_every", "whole_every"):
            checked("every", getattr(self, name), name)
        checked("shown", self.shown)


@dataclass(frozen=True)
class Instruments:
    """What measures."""

    landmarks: LandmarkNet | None
    compute: Compute
    options: QualityOptions = QualityOptions()
    lpips: Lpips | None = None


@dataclass(frozen=True)
class Shown:
    """A frame of the strip. Pictures are RGB uint8, small."""

    index: int
    time: float | None  # seconds
    source: NDArray[np.uint8]  # [h, w, 3]
    edited: NDArray[np.uint8]  # [h, w, 3]
    faces: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None  # [S, S, 3] the largest face before and after


@dataclass(frozen=True)
class Track:
    """What is remembered of a person's last frames."""

    index: int = -2
    points: tuple[Points, ...] = ()  # pixels of the frame, of up to two frames back
    change: NDArray[np.float32] | None = None
    motion: RunningMotion = RunningMotion()


@dataclass(frozen=True)
class Quality:
    """What was measured so far: one number for each name and view."""

    strip: Thinned[Shown]
    figures: Mapping[str, Running] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)  # name -> why it could not be measured
    tracks: Mapping[int, Track] = field(default_factory=dict)  # by person
    last: Faces | None = None  # source and output, without its faces

    @property
    def motion(self) -> dict[int, RunningMotion]:
        """Per person, of the landmarks in the frame."""
        return {person: track.motion for person, track in self.tracks.items()}


def instruments_of(pack: Pack, compute: Compute, options: QualityOptions) -> Instruments:
    """The pack's. Raises an InputError for weights of LPIPS that cannot be used."""
    lpips = load_lpips(options.lpips, compute.device) if options.lpips is not None else None
    return Instruments(pack.optional("landmarks"), compute, options, lpips)


def start(options: QualityOptions) -> Quality:
    """Nothing measured yet."""
    return Quality(Thinned(options.shown))


def measure(
    so_far: Quality, group: Sequence[Faces], tools: Instruments, crops: Mapping[Place, NDArray[np.uint8]] = {}
) -> Quality:
    """Frames in order, with the faces to be looked at and their ``output``.

    :param crops: :func:`edited_crop` of those faces that it was made of already.
    """
    looked_at = [(faces, face) for faces in group for face in faces.faces]
    places = [place(*pair) for pair in looked_at]
    edited = {at: crops[at] if at in crops else edited_crop(*pair) for at, pair in zip(places, looked_at, strict=True)}
    for faces in group:
        so_far = _with_frame(so_far, faces, edited, tools.options)
    if not looked_at:
        return so_far
    points: list[Points | None] = [None] * len(looked_at)
    if tools.landmarks is not None:
        found = _points([*(known(face.crop) for _, face in looked_at), *edited.values()], tools)
        points = list(zip(found[: len(looked_at)], found[len(looked_at) :], strict=True))
    for (faces, face), at, both in zip(looked_at, places, points, strict=True):
        so_far = _with_face(so_far, faces, face, edited[at], both)
    return _with_reconstruction(so_far, looked_at, tools)


def place(faces: Faces, face: Face) -> Place:
    """Which face of a video it is."""
    return faces.frame.index, face.person


def edited_crop(faces: Faces, face: Face) -> NDArray[np.uint8]:
    """The face as it is in the finished frame, [S, S, 3]."""
    return crop_of(known(faces.output), known(face.quad), len(known(face.crop)), face.content)


def _with_frame(
    so_far: Quality, faces: Faces, edited: Mapping[Place, NDArray[np.uint8]], options: QualityOptions
) -> Quality:
    """Figures of the whole picture, against the frame before."""
    source, output = faces.frame, known(faces.output)
    region = np.zeros(source.image.shape[:2], np.uint16)  # the number of the face that is there, from 1
    for number, face in enumerate(faces.faces, 1):
        cv2.fillConvexPoly(region, np.round(known(face.quad)).astype(np.int32), number)
    found = {"outside": _outside(source, output, region > 0)}
    due = source.index % options.flow_every == 0 and faces.faces and not source.cut
    if so_far.last is not None and due:
        # The first reading there can be is a whole one: a short clip has no other.
        whole = source.index // options.flow_every % options.whole_every == 1 % options.whole_every
        read = _warping if whole else _warping_near
        found |= read((so_far.last.frame, source), (known(so_far.last.output), output), faces.faces, region)
    tracks = dict(so_far.tracks)
    for person, track in tracks.items():
        # Who was not in the last frame, or was in another shot, has no neighbour: only their motion is asked for.
        if track.change is not None and (source.cut or track.index < source.index - 1):
            tracks[person] = replace(track, points=(), change=None)
        if source.cut:
            tracks[person] = replace(tracks[person], motion=track.motion.finished())
    return replace(
        so_far,
        figures=add_all(so_far.figures, found),
        tracks=tracks,
        last=Faces(source, (), output),
        strip=so_far.strip.add(lambda: _shown(faces, edited)),
    )


def _outside(source: Frame, output: Frame, region: NDArray[np.bool_]) -> float:
    """The mean difference outside of the faces. What was not touched is not looked at."""
    if isinstance(output.coded, Patched):
        box = output.coded.touched
        return seam.outside_difference(source.part(box), output.part(box), region, box[:2])
    if output is source:
        nothing = np.zeros((0, 0, 3), np.uint8)
        return seam.outside_difference(nothing, nothing, region)
    return seam.outside_difference(source.picture(), output.picture(), region)


Two = tuple[Frame, Frame]  # the earlier and the later one


def _warping(source: Two, output: Two, faces: Sequence[Face], region: NDArray[np.uint16]) -> dict[str, float]:
    """The warping error of the whole picture and of the faces in it."""
    before, after = ((first.picture(), second.picture()) for first, second in (source, output))
    seen, found = correspondence(*before), dict[str, float]()
    for view, pair in (("source", before), ("edited", after)):
        squares = moved_squares(*pair, seen, (None, region > 0))
        for name, (total, count) in zip(("warping", "warping_faces"), squares, strict=True):
            found[f"{name}/{view}"] = total / count if count else float("nan")
    return found


def _warping_near(source: Two, output: Two, faces: Sequence[Face], region: NDArray[np.uint16]) -> dict[str, float]:
    """That of the faces alone: flow is looked for on and about each crop, in a tenth of the time."""
    sums = np.zeros((2, 2))  # of source and output: squares, and how many numbers they are of
    for number, face in enumerate(faces, 1):
        near = _around(known(face.quad), region.shape)
        own = region[near] == number
        if own.any():
            box = near[1].start, near[0].start, near[1].stop, near[0].stop
            cuts = [[np.ascontiguousarray(frame.part(box)) for frame in pair] for pair in (source, output)]
            seen = correspondence(*cuts[0])
            sums += [moved_squares(before, after, seen, (own,))[0] for before, after in cuts]
    views = zip(("source", "edited"), sums.tolist(), strict=True)
    return {f"warping_faces/{v}": total / count if count else float("nan") for v, (total, count) in views}


def _around(quad: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a picture: the crop, what is beside it, and no less than flow needs."""
    found = []
    for axis, limit in ((1, shape[0]), (0, shape[1])):
        low, high = quad[:, axis].min(), quad[:, axis].max()
        reach = max(BESIDE * (high - low), (LEAST - (high - low)) / 2)
        low, high = (int(np.clip(v, 0, limit)) for v in (low - reach, high + reach + 1))
        found.append(slice(max(min(low, high - LEAST), 0), min(max(high, low + LEAST), limit)))
    return found[0], found[1]


def _points(crops: Sequence[NDArray[np.uint8]], tools: Instruments) -> NDArray[np.float32]:
    """[N, 68, 2] pixels of the crops."""
    with torch.inference_mode(), tools.compute.autocast():
        found = known(tools.landmarks)(to_tensor(crops, tools.compute.device))
    return to_pixels(found, len(crops[0])).float().cpu().numpy()


def _with_face(so_far: Quality, faces: Faces, face: Face, edited: NDArray[np.uint8], points: Points | None) -> Quality:
    """Figures of one face, against its own last frames."""
    track, found = so_far.tracks.get(face.person, Track()), dict[str, float]()
    if track.index != faces.frame.index - 1 or faces.frame.cut:
        track = replace(track, points=(), change=None)
    if points is not None:
        track, found = _with_landmarks(track, face, len(edited), *points)
    change = seam.change(known(face.crop), edited)
    if track.change is not None:
        found["seam"] = seam.flicker(track.change, change, seam.ring(oval(len(edited), content=face.content)))
    track = replace(track, index=faces.frame.index, change=change)
    tracks = {**so_far.tracks, face.person: track}
    return replace(so_far, figures=add_all(so_far.figures, found), tracks=tracks)


def _with_landmarks(
    track: Track, face: Face, size: int, a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[Track, dict[str, float]]:
    """Figures of the 68 points of source and edit, pixels of crops of ``size``."""
    quad = known(face.quad)
    eyes = float(np.linalg.norm(a[EYES[0]].mean(0) - a[EYES[1]].mean(0)))
    found = {"hausdorff": hausdorff(a, b) / eyes}
    to_frame = np.linalg.inv(np.vstack([quad_to_affine(quad, size), [0, 0, 1]]))[:2]
    now = (a @ to_frame[:, :2].T + to_frame[:, 2], b @ to_frame[:, :2].T + to_frame[:, 2])
    if len(track.points) == 2:
        unit = eyes * quad_side(quad) / size / 100  # a hundredth of the eyes' distance, pixels
        for i, view in enumerate(("source", "edited")):
            found[f"jitter/{view}"] = shaking(track.points[0][i], track.points[1][i], now[i]) / unit
    return replace(track, points=(*track.points[-1:], now), motion=track.motion.add(*now)), found


def _with_reconstruction(so_far: Quality, looked_at: Sequence[tuple[Faces, Face]], tools: Instruments) -> Quality:
    """The inversion against the crop it was made from."""
    pairs = [
        (known(face.crop), face.inversion)
        for faces, face in looked_at
        if face.inversion is not None and faces.frame.index % tools.options.reconstruction_every == 0
    ]
    if not pairs:
        return so_far
    # On a scale of 0..1.
    a, b = ((to_tensor(pictures, tools.compute.device) + 1) / 2 for pictures in zip(*pairs, strict=True))
    measures = {"mse": reconstruction.mse, "psnr": reconstruction.psnr, "ssim": reconstruction.ssim}
    measures |= {"ms_ssim": reconstruction.ms_ssim} | ({"lpips": tools.lpips} if tools.lpips else {})
    figures, missing = so_far.figures, dict(so_far.missing)
    for name, distance in measures.items():
        try:
            with torch.inference_mode():
                values = distance(a, b.clamp(0, 1))
        except (MissingExtra, ValueError) as error:
            missing[name] = str(error)
            continue
        for value in values.tolist():
            figures = add_all(figures, {name: value})
    return replace(so_far, figures=figures, missing=missing)


def _shown(faces: Faces, edited: Mapping[Place, NDArray[np.uint8]], width: int = 320) -> Shown:
    frames = (faces.frame, known(faces.output))
    height = round(frames[0].image.shape[0] * width / frames[0].image.shape[1])
    small = [
        np.asarray(cv2.resize(f.picture(), (width, height), interpolation=cv2.INTER_AREA), np.uint8) for f in frames
    ]
    face = max(faces.faces, key=lambda f: quad_side(known(f.quad)), default=None)
    pair = None if face is None else (known(face.crop), edited[place(faces, face)])
    time = faces.frame.time
    return Shown(faces.frame.index, None if time is None else float(time), small[0], small[1], pair)
