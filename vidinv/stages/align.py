"""Found -> Aligned: a steady crop around every face, smoothed over a bounded window of frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.quads import FACE, BoxTemplate, Template, quad_from_box, quad_from_points, quad_side
from vidinv.faces.smoothing import reach, smooth_at
from vidinv.faces.warps import crop
from vidinv.runtime.window import View, windowed
from vidinv.types import Aligned, Crop, Face, Found


@dataclass(frozen=True)
class AlignOptions:
    size: int = 128  # side of the crop, pixels: the pack's resolution
    template: Template | BoxTemplate = FACE
    sigma: float = 0.13  # smoothing of the quads, seconds; keeps 95 % of a 1 Hz motion at any frame rate
    rate: float = 30.0  # frames per second
    bridge: float = 0.3  # seconds for which a face that the detector misses is interpolated
    fade: float = 0.2  # seconds over which an edit comes and goes with a face inside a shot
    confirm: float = 0.2  # seconds for which a face inside a shot must be seen to be believed
    smallest: float = 24.0  # faces whose crop is smaller, in pixels of the frame, are left alone


@dataclass(frozen=True)
class _Sighting:
    """What the window remembers of a frame once its picture is gone."""

    cut: bool
    faces: dict[int, Face]
    quads: dict[int, NDArray]


def align(stream: Iterable[Found], options: AlignOptions = AlignOptions()) -> Iterator[Aligned]:
    """Smooth every person's quad and cut the crops.

    Holds the pictures of the frames ahead in the window (0.4 s) and only the quads of those behind it.
    """

    def remember(found: Found) -> _Sighting:
        quads = {f.person: _quad(f, options.template) for f in found.faces}
        return _Sighting(found.cut, {f.person: f for f in found.faces}, quads)

    spans = _Spans(*(round(s * options.rate) for s in (options.bridge, options.fade, options.confirm)))
    sigma = options.sigma * options.rate
    for found, view in windowed(stream, max(reach(sigma), *astuple(spans)), remember):
        yield _aligned(found, view, sigma, spans, options)


def _quad(face: Face, template: Template | BoxTemplate) -> NDArray:
    if isinstance(template, BoxTemplate):
        return quad_from_box(face.box, template)
    return quad_from_points(face.points, template)


@dataclass(frozen=True)
class _Spans:
    """The options' times, in frames."""

    bridge: int
    fade: int
    confirm: int


def _aligned(found: Found, view: View[_Sighting], sigma: float, spans: _Spans, options: AlignOptions) -> Aligned:
    window, at = view.around, view.at
    first, last = _shot_bounds(window, at)
    crops, faces = [], {f.person: f for f in found.faces}
    for person in sorted({p for s in window[first : last + 1] for p in s.quads}):
        run = _run([i for i in range(first, last + 1) if person in window[i].quads], at, spans.bridge)
        if not run:
            continue
        quad = _smoothed([window[i].quads[person] for i in run], run, at, sigma)
        weight = _weight(run, at, first, last, spans)
        if weight <= 0 or quad_side(quad) < options.smallest:
            continue
        content = options.template.content
        crops.append(Crop(person, quad, crop(found.frame.image, quad, options.size, content), weight, content))
        if person not in faces:
            nearest = min(run, key=lambda i: abs(i - at))
            faces[person] = replace(window[nearest].faces[person], seen=False)
    return Aligned(replace(found, faces=tuple(faces.values())), tuple(crops))


def _shot_bounds(window: tuple[_Sighting, ...], at: int) -> tuple[int, int]:
    """First and last index of the window that belong to the shot of ``at``."""
    first = next((i for i in range(at, 0, -1) if window[i].cut), 0)
    last = next((i - 1 for i in range(at + 1, len(window)) if window[i].cut), len(window) - 1)
    return first, last


def _run(seen: list[int], at: int, bridge: int) -> list[int]:
    """The sightings around ``at`` without a gap longer than ``bridge``; empty if ``at`` lies in no such run."""
    runs: list[list[int]] = []
    for i in seen:
        if runs and i - runs[-1][-1] <= bridge + 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return next((r for r in runs if r[0] <= at <= r[-1]), [])


def _smoothed(quads: list[NDArray], run: list[int], at: int, sigma: float) -> NDArray:
    every = np.arange(run[0], run[-1] + 1)
    filled = np.stack([np.interp(every, run, column) for column in np.stack(quads).reshape(len(run), -1).T], 1)
    near = np.abs(every - at) <= reach(sigma)
    return smooth_at(every[near] - at, filled[near], sigma).reshape(4, 2)


def _weight(run: list[int], at: int, first: int, last: int, spans: _Spans) -> float:
    """1 inside a track; falls to 0 towards a start or end that is no cut, so that nothing pops in or out.

    A face that is there when its shot begins, or still there when it ends, is edited from the first to the last
    frame; the window's own ends say nothing about the track.
    """
    from_start = math.inf if run[0] == first else at - run[0] + 1
    to_end = math.inf if run[-1] == last else run[-1] - at + 1
    if math.isfinite(from_start) and math.isfinite(to_end) and run[-1] - run[0] < spans.confirm:
        return 0.0  # seen for a moment only: the detector was mistaken
    nearest = min(from_start, to_end)
    if nearest > spans.fade:
        return 1.0
    return 0.5 - 0.5 * math.cos(math.pi * nearest / (spans.fade + 1))
