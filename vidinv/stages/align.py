"""Faces get their crops: a steady square around every face, smoothed over a bounded window of frames."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.quads import FACE, BoxTemplate, Template, quad_from_box, quad_from_points, quad_side
from vidinv.faces.smoothing import reach, smooth_at
from vidinv.faces.warps import crop_of
from vidinv.runtime.window import Memory, View, Window, advance_one
from vidinv.types import Face, Faces, known


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


# Faces that wait for those after them; of frames gone by every face's record, with its quad as it was seen.
AlignState = Window[Faces, Face]


def align(
    state: AlignState, faces: Faces | None, options: AlignOptions = AlignOptions()
) -> tuple[AlignState, list[Faces]]:
    """Smooth every person's quad and cut the crops; faces that get none are left out.

    Holds the pictures of the frames ahead in the window (0.4 s) and only the quads of those behind it.
    """
    spans = _Spans(*(round(s * options.rate) for s in (options.bridge, options.fade, options.confirm)))
    ahead = max(reach(options.sigma * options.rate), *astuple(spans))
    state, due = advance_one(state, faces, partial(_sightings, template=options.template), ahead)
    return state, [_aligned(one, view, spans, options) for one, view in due]


@dataclass(frozen=True)
class _Spans:
    """The options' times, in frames."""

    bridge: int
    fade: int
    confirm: int


def _sightings(faces: Faces, template: Template | BoxTemplate) -> Memory[Face]:
    return Memory({f.person: replace(f, quad=_quad(f, template)) for f in faces.faces}, faces.frame.cut)


def _quad(face: Face, template: Template | BoxTemplate) -> NDArray[np.float64]:
    if isinstance(template, BoxTemplate):
        return quad_from_box(face.box, template)
    return quad_from_points(known(face.points), template)


def _aligned(faces: Faces, view: View[Face], spans: _Spans, options: AlignOptions) -> Faces:
    first, last = view.shot()
    around = view.around[view.at + first : view.at + last + 1]
    placed, frame = [], None
    for person in sorted({person for memory in around for person in memory.of}):
        track = view.track(person, spans.bridge)
        face = _placed(track, first, last, spans, options)
        if face is not None:
            frame = faces.frame.opened() if frame is None else frame
            picture = crop_of(frame, known(face.quad), options.size, options.template.content)
            placed.append(replace(face, crop=picture, content=options.template.content))
    return replace(faces, faces=tuple(placed))


def _placed(track: list[tuple[int, Face]], first: int, last: int, spans: _Spans, options: AlignOptions) -> Face | None:
    """The person in the middle of their track, with quad and weight; None where there is nothing to edit."""
    if not track:
        return None
    places = [at for at, _ in track]
    quad = _smoothed([known(face.quad) for _, face in track], places, options.sigma * options.rate)
    weight = _weight(places, first, last, spans)
    if weight <= 0 or quad_side(quad) < options.smallest:
        return None
    nearest, face = min(track, key=lambda sighting: abs(sighting[0]))
    return replace(face, quad=quad, weight=weight, seen=nearest == 0)


def _smoothed(quads: list[NDArray[np.float64]], places: list[int], sigma: float) -> NDArray[np.float64]:
    every = np.arange(places[0], places[-1] + 1)
    filled = np.stack([np.interp(every, places, column) for column in np.stack(quads).reshape(len(places), -1).T], 1)
    near = np.abs(every) <= reach(sigma)
    return smooth_at(every[near], filled[near], sigma).reshape(4, 2)


def _weight(places: list[int], first: int, last: int, spans: _Spans) -> float:
    """1 inside a track; falls to 0 towards a start or end that is no cut, so that nothing pops in or out.

    A face that is there when its shot begins, or still there when it ends, is edited from the first to the last
    frame; the window's own ends say nothing about the track.
    """
    from_start = math.inf if places[0] == first else 1 - places[0]
    to_end = math.inf if places[-1] == last else places[-1] + 1
    if math.isfinite(from_start) and math.isfinite(to_end) and places[-1] - places[0] < spans.confirm:
        return 0.0  # seen for a moment only: the detector was mistaken
    nearest = min(from_start, to_end)
    if nearest > spans.fade:
        return 1.0
    return 0.5 - 0.5 * math.cos(math.pi * nearest / (spans.fade + 1))
