"""The figures that cost time, measured while frames pass by: asked for with a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.errors import MissingExtra
from vidinv.faces.masks import oval
from vidinv.faces.quads import quad_side, quad_to_affine
from vidinv.faces.warps import crop
from vidinv.metrics import reconstruction, seam
from vidinv.metrics.landmarks import hausdorff, shaking
from vidinv.metrics.temporal import correspondence, moved_difference
from vidinv.models.landmarks import LandmarkNet, to_pixels
from vidinv.models.lpips import Lpips, load_lpips
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.report.running import Running, RunningMotion, Thinned
from vidinv.runtime.compute import Compute
from vidinv.types import Compared, Crop

EYES = slice(36, 42), slice(42, 48)  # of the 68 points


@dataclass(frozen=True)
class QualityOptions:
    """What a full report measures, and how often; neighbouring frames say nearly the same."""

    lpips: str | Path | None = None  # weights of LPIPS' trunk; None: LPIPS is not measured
    reconstruction_every: int = 5  # frames between two looks at the inversion
    flow_every: int = 11  # frames between two readings of the warping error; no multiple of a pulldown
    shown: int = 12  # frames in the strip, at most


@dataclass(frozen=True)
class Shown:
    """A frame of the strip. Pictures are RGB uint8, small."""

    index: int
    time: float | None  # seconds
    source: NDArray[np.uint8]  # [h, w, 3]
    edited: NDArray[np.uint8]  # [h, w, 3]
    faces: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None  # [S, S, 3] the largest face before and after


@dataclass
class _Track:
    """What is remembered of a person's last frames."""

    index: int = -2
    points: list[tuple[NDArray, NDArray]] = field(default_factory=list)  # source, edited, of up to two frames back
    change: NDArray | None = None
    motion: RunningMotion = field(default_factory=RunningMotion)


@dataclass
class Meter:
    """Takes frames in order, in groups; ``figures`` holds one number per name and view."""

    landmarks: LandmarkNet | None
    compute: Compute
    options: QualityOptions = QualityOptions()
    lpips: Lpips | None = None
    figures: dict[str, Running] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # name -> why it could not be measured
    strip: Thinned[Shown] = field(init=False)
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _last: Compared | None = None

    @classmethod
    def of(cls, pack: Pack, compute: Compute, options: QualityOptions) -> Meter:
        """With the pack's networks. Raises an InputError for weights of LPIPS that cannot be used."""
        lpips = load_lpips(options.lpips, compute.device) if options.lpips is not None else None
        if pack.has("landmarks"):
            return cls(pack.landmarks, compute, options, lpips)
        return cls(None, compute, options, lpips, missing={"landmarks": f"pack {pack.name} has no landmark network"})

    def __post_init__(self) -> None:
        self.strip = Thinned(self.options.shown)

    @property
    def motion(self) -> dict[int, RunningMotion]:
        """Per person, of the landmarks in the frame."""
        return {person: track.motion for person, track in self._tracks.items()}

    def add(self, group: list[Compared]) -> None:
        faces = [(c, i) for c in group for i in range(len(c.crops))]
        for compared in group:
            self._frame(compared)
        if not faces:
            return
        edited = [_edited_crop(c, c.crops[i]) for c, i in faces]
        points: list[tuple[NDArray, NDArray] | None] = [None] * len(faces)
        if self.landmarks is not None:
            both = self._points([c.crops[i].image for c, i in faces]), self._points(edited)
            points = list(zip(*both, strict=True))
        for at, (compared, i) in enumerate(faces):
            self._face(compared, compared.crops[i], edited[at], points[at])
        self._reconstruction(
            [
                (c.crops[i].image, c.inversions[i])
                for c, i in faces
                if c.inversions[i] is not None and c.source.index % self.options.reconstruction_every == 0
            ]
        )

    def _book(self, name: str, value: float) -> None:
        self.figures.setdefault(name, Running()).add(value)

    def _frame(self, compared: Compared) -> None:
        """Figures of the whole picture, against the frame before."""
        source, edited, last = compared.source, compared.edited, self._last
        region = np.zeros(source.image.shape[:2], np.uint8)
        for face in compared.crops:
            cv2.fillConvexPoly(region, np.round(face.quad).astype(np.int32), 1)
        inside = region > 0
        self._book("outside", seam.outside_difference(source.image, edited.image, inside))
        due = source.index % self.options.flow_every == 0 and inside.any() and not compared.cut
        if last is not None and due:
            before, after = (last.source.image, last.edited.image), (source.image, edited.image)
            seen = correspondence(before[0], after[0])
            for name, where in (("warping", None), ("warping_faces", inside)):
                for view, i in (("source", 0), ("edited", 1)):
                    self._book(f"{name}/{view}", moved_difference(before[i], after[i], seen, where))
        if compared.cut:  # persons of the shot before do not come back under their ids: only their motion is asked for
            for track in self._tracks.values():
                track.points, track.change = [], None
        self._last = compared
        self.strip.add(lambda: _shown(compared))

    def _points(self, crops: list[NDArray]) -> NDArray:
        """[N, 68, 2] pixels of the crops."""
        with torch.inference_mode(), self.compute.autocast():
            found = self.landmarks(to_tensor(crops, self.compute.device))
        return to_pixels(found, len(crops[0])).float().cpu().numpy()

    def _face(self, compared: Compared, face: Crop, edited: NDArray, points: tuple[NDArray, NDArray] | None) -> None:
        """Figures of one face, against its own last frames."""
        track = self._tracks.setdefault(face.person, _Track())
        if track.index != compared.source.index - 1 or compared.cut:
            track.points, track.change = [], None
        if points is not None:
            self._landmarks(track, face, len(edited), *points)
        change = seam.change(face.image, edited)
        if track.change is not None:
            self._book("seam", seam.flicker(track.change, change, seam.ring(oval(len(edited), content=face.content))))
        track.index, track.change = compared.source.index, change

    def _landmarks(self, track: _Track, face: Crop, size: int, a: NDArray, b: NDArray) -> None:
        """Figures of the 68 points of source and edit, pixels of crops of ``size``."""
        eyes = float(np.linalg.norm(a[EYES[0]].mean(0) - a[EYES[1]].mean(0)))
        self._book("hausdorff", hausdorff(a, b) / eyes)
        to_frame = np.linalg.inv(np.vstack([quad_to_affine(face.quad, size), [0, 0, 1]]))[:2]
        now = tuple(p @ to_frame[:, :2].T + to_frame[:, 2] for p in (a, b))
        if len(track.points) == 2:
            unit = eyes * quad_side(face.quad) / size / 100  # a hundredth of the eyes' distance, pixels
            for i, view in enumerate(("source", "edited")):
                self._book(f"jitter/{view}", shaking(*(p[i] for p in track.points), now[i]) / unit)
        track.motion.add(*now)
        track.points = [*track.points[-1:], now]

    def _reconstruction(self, pairs: list[tuple[NDArray, NDArray]]) -> None:
        """The inversion against the crop it was made from."""
        if not pairs:
            return
        # On a scale of 0..1.
        a, b = ((to_tensor(pictures, self.compute.device) + 1) / 2 for pictures in zip(*pairs, strict=True))
        measures = {"mse": reconstruction.mse, "psnr": reconstruction.psnr, "ssim": reconstruction.ssim}
        measures |= {"ms_ssim": reconstruction.ms_ssim} | ({"lpips": self.lpips} if self.lpips else {})
        for name, measure in measures.items():
            try:
                values = measure(a, b.clamp(0, 1))
            except (MissingExtra, ValueError) as error:
                self.missing[name] = str(error)
                continue
            for value in values.tolist():
                self._book(name, value)


def _edited_crop(compared: Compared, face: Crop) -> NDArray[np.uint8]:
    return crop(compared.edited.image, face.quad, len(face.image), face.content)


def _shown(compared: Compared, width: int = 320) -> Shown:
    frames = (compared.source.image, compared.edited.image)
    height = round(frames[0].shape[0] * width / frames[0].shape[1])
    small = [cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA) for f in frames]
    face = max(compared.crops, key=lambda c: quad_side(c.quad), default=None)
    pair = None if face is None else (face.image, _edited_crop(compared, face))
    time = compared.source.time
    return Shown(compared.source.index, None if time is None else float(time), *small, pair)
