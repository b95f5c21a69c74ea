"""Codes become edited codes: every edit is applied to styles that are smoothed over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch

from vidinv.edits.base import AppliesTogether, Edit, apply_each
from vidinv.edits.drawn import DrawnEdit
from vidinv.edits.held import Guard, Held, Stride, hold_back
from vidinv.faces.regions import Touch, colours, moving, steep, together
from vidinv.faces.smoothing import reach, smooth_at
from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.compute import Compute
from vidinv.runtime.window import Memory, View, Window, advance
from vidinv.types import Code, Displacement, Face, Faces, known


@dataclass(frozen=True)
class EditOptions:
    edits: tuple[Edit, ...] = ()
    sigma: float = 0.13  # smoothing of the codes, seconds
    rate: float = 30.0  # frames per second
    guard: Guard | None = None  # what is held; None: nothing
    batch: int = 4  # faces that an edit which asks a network is asked for together; as many frames wait for that

    @property
    def group(self) -> int:
        """Faces that are edited together: 1 where no edit asks a network."""
        return self.batch if any(isinstance(one, AppliesTogether) for one in self.edits) else 1


@dataclass(frozen=True)
class EditState:
    window: Window[Faces, Code] = Window()
    held: Mapping[int, Held] = field(default_factory=dict)
    """By person of this shot who is still in the window: what the guard knows."""
    waiting: Collected[Faces] = Collected()


def edit(
    state: EditState, faces: Faces | None, options: EditOptions, compute: Compute = Compute("cpu", torch.float32)
) -> tuple[EditState, list[Faces]]:
    """Apply all edits, one after the other; a face that none of them acts on is left as it is.

    :param compute: for edits that ask a network.
    """
    batch = options.group
    waiting, group = collect(state.waiting, faces, lambda one: len(one.faces), batch, most=batch)
    window, due = advance(state.window, group, _codes, reach(options.sigma * options.rate), ended=faces is None)
    asked = [[_asked(face, one, view, options) for face in one.faces] for one, view in due]
    acting = [each for row in asked for each in row if each is not None]
    held, done = dict(state.held), []
    with compute.autocast():  # not around the smoothing: what half precision rounds off would flicker
        ways = iter(in_batches(acting, batch, partial(_ways, edits=options.edits)))
        for (one, _), row in zip(due, asked, strict=True):
            held = {} if one.frame.cut else held
            pairs = zip(one.faces, row, strict=True)
            edited = [face if each is None else _edited(each, *next(ways), options, held) for face, each in pairs]
            done.append(replace(one, faces=tuple(edited)))
    near = {person for memory in window.memory for person in memory.of}
    left = {person: known_now for person, known_now in held.items() if person in near}
    return EditState(window, left, waiting), done


def _codes(faces: Faces) -> Memory[Code]:
    return Memory({face.person: known(face.code) for face in faces.faces}, faces.frame.cut)


@dataclass(frozen=True)
class _Acting:
    """A face that something is done to."""

    face: Face
    time: float  # seconds
    source: Code  # its code, smoothed


def _asked(face: Face, faces: Faces, view: View[Code], options: EditOptions) -> _Acting | None:
    """None: no edit acts on it."""
    time = faces.frame.seconds(options.rate)
    if not any(one.acts(face, time) for one in options.edits):
        return None
    source = _smoothed(view.track(face.person), options.sigma * options.rate)
    touches = [touch for one in options.edits for touch in one.touches(face, time)]
    return _Acting(_touched(face, touches), time, source)


def _ways(some: Sequence[_Acting], edits: Sequence[Edit]) -> list[tuple[Code, list[Stride]]]:
    """Where all edits, one after the other, lead each face, and by which strides."""
    codes, strides = [each.source for each in some], [list[Stride]() for _ in some]
    for edit in edits:
        made = apply_each(edit, codes, [each.face for each in some], [each.time for each in some])
        for mine, before, (after, amount) in zip(strides, codes, made, strict=True):
            if isinstance(edit, DrawnEdit):  # it leaves w and F as they are: nothing leaks
                continue
            mine.append(Stride(edit, Displacement(after.w - before.w, after.feature - before.feature), amount))
        codes = [after for after, _ in made]
    return list(zip(codes, strides, strict=True))


def _edited(acting: _Acting, code: Code, strides: list[Stride], options: EditOptions, held: dict[int, Held]) -> Face:
    """:param held: is told what the guard has learned."""
    face, told = acting.face, dict[str, tuple[float, float]]()
    if options.guard is not None:
        mine = held.get(face.person)
        held[face.person], back, told = hold_back(options.guard, mine, acting.source, strides, face, acting.time)
        code = code if back is None else back.of(code)
    amount = sum(stride.amount for stride in strides)
    return replace(face, smooth_code=acting.source, edited_code=code, amount=amount, held=told)


def _touched(face: Face, touches: Sequence[Touch]) -> Face:
    return replace(
        face, regions=_regions(touches), colours=colours(touches), moves=moving(touches), edges=steep(touches)
    )


def _regions(touches: Sequence[Touch]) -> dict[str, float]:
    """Those of all edits; an edit that comes or goes by itself does so by its amount, in the whole of its region."""
    named = together(touches)
    return {name: share / max(named.values()) for name, share in named.items()}


def _smoothed(track: list[tuple[int, Code]], sigma: float) -> Code:
    """The person's code in the middle of their track; only its styles are smoothed: the rest moves with the pixels."""
    places, codes = [place for place, _ in track], [code for _, code in track]
    own = codes[places.index(0)]
    if sigma <= 0:
        return own
    weights = torch.from_numpy(smooth_at(np.array(places), np.eye(len(track)), sigma)).float().to(own.w)
    return replace(own, w=torch.tensordot(weights, torch.stack([c.w for c in codes]), 1))
