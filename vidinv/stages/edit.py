"""Codes become edited codes: every edit is applied to styles that are smoothed over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch

from vidinv.edits.base import Edit
from vidinv.edits.held import Guard, Held, Stride, hold_back
from vidinv.faces.regions import together
from vidinv.faces.smoothing import reach, smooth_at
from vidinv.runtime.compute import Compute
from vidinv.runtime.window import Memory, View, Window, advance_one
from vidinv.types import Code, Displacement, Face, Faces, known


@dataclass(frozen=True)
class EditOptions:
    edits: tuple[Edit, ...] = ()
    sigma: float = 0.13  # smoothing of the codes, seconds
    rate: float = 30.0  # frames per second
    guard: Guard | None = None  # what is held; None: nothing


@dataclass(frozen=True)
class EditState:
    window: Window[Faces, Code] = Window()
    held: Mapping[int, Held] = field(default_factory=dict)
    """By person of this shot who is still in the window: what the guard knows."""


def edit(
    state: EditState, faces: Faces | None, options: EditOptions, compute: Compute = Compute("cpu", torch.float32)
) -> tuple[EditState, list[Faces]]:
    """Apply all edits, one after the other; a face that none of them acts on is left as it is.

    :param compute: for edits that ask a network.
    """
    sigma = options.sigma * options.rate
    window, due = advance_one(state.window, faces, _codes, reach(sigma))
    held, done = dict(state.held), []
    for one, view in due:
        held = {} if one.frame.cut else held
        edited = partial(_edited, time=one.frame.seconds(options.rate), view=view, options=options, compute=compute)
        done.append(one.each(partial(edited, held=held)))
    near = {person for memory in window.memory for person in memory.of}
    return EditState(window, {person: known_now for person, known_now in held.items() if person in near}), done


def _codes(faces: Faces) -> Memory[Code]:
    return Memory({face.person: known(face.code) for face in faces.faces}, faces.frame.cut)


def _edited(
    face: Face, time: float, view: View[Code], options: EditOptions, compute: Compute, held: dict[int, Held]
) -> Face:
    """:param held: is told what the guard has learned."""
    if not any(one.acts(face, time) for one in options.edits):
        return face
    source = _smoothed(view.track(face.person), options.sigma * options.rate)
    code, strides = source, list[Stride]()
    face = replace(face, regions=_regions(face, time, options))
    told: dict[str, tuple[float, float]] = {}
    with compute.autocast():  # not around the smoothing: what half precision rounds off would flicker
        for one in options.edits:
            before = code
            code, amount = one.apply(code, face, time)
            moved = Displacement(code.w - before.w, code.feature - before.feature)
            strides.append(Stride(one, moved, amount))
        if options.guard is not None:
            mine = held.get(face.person)
            held[face.person], back, told = hold_back(options.guard, mine, source, strides, face, time)
            code = code if back is None else back.of(code)
    amount = sum(stride.amount for stride in strides)
    return replace(face, smooth_code=source, edited_code=code, amount=amount, held=told)


def _regions(face: Face, time: float, options: EditOptions) -> dict[str, float]:
    """Those of all edits; an edit that comes or goes by itself does so by its amount, in the whole of its region."""
    named = together(each for one in options.edits for each in one.regions(face, time).items())
    return {name: share / max(named.values()) for name, share in named.items()}


def _smoothed(track: list[tuple[int, Code]], sigma: float) -> Code:
    """The person's code in the middle of their track; only its styles are smoothed: the rest moves with the pixels."""
    places, codes = [place for place, _ in track], [code for _, code in track]
    own = codes[places.index(0)]
    if sigma <= 0:
        return own
    weights = torch.from_numpy(smooth_at(np.array(places), np.eye(len(track)), sigma)).float().to(own.w)
    return replace(own, w=torch.tensordot(weights, torch.stack([c.w for c in codes]), 1))
