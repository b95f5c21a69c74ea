"""Coded -> Edited: the same displacement for every frame of a person, on styles that are smoothed over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from vidinv.edits.library import TimedDisplacement
from vidinv.edits.linear import displacement_at, steps_at
from vidinv.faces.smoothing import reach, smooth_at
from vidinv.runtime.window import View, windowed
from vidinv.types import Code, Coded, Edited


@dataclass(frozen=True)
class EditOptions:
    edits: tuple[TimedDisplacement, ...] = ()
    persons: frozenset[int] | None = None  # None: everybody
    ramp: float = 0.2  # seconds over which an edit with a time range comes and goes
    sigma: float = 0.13  # smoothing of the codes, seconds
    rate: float = 30.0  # frames per second


def edit(stream: Iterable[Coded], options: EditOptions) -> Iterator[Edited]:
    """Displace the codes of the chosen people; None for faces that nothing happens to."""
    sigma = options.sigma * options.rate
    for coded, view in windowed(stream, reach(sigma), lambda c: c):
        frame = coded.aligned.found.frame
        time = float(frame.time) if frame.time is not None else frame.index / options.rate
        displacement = displacement_at(options.edits, time, options.ramp)
        sources, edits = [], []
        for crop, code in zip(coded.aligned.crops, coded.codes, strict=True):
            chosen = options.persons is None or crop.person in options.persons
            if displacement is None or not chosen:
                sources.append(code)
                edits.append(None)
                continue
            source = _smoothed(view, crop.person, sigma) if sigma > 0 else code
            sources.append(source)
            edits.append(displacement.of(source))
        yield Edited(coded, tuple(sources), tuple(edits), steps_at(options.edits, time, options.ramp))


def _smoothed(view: View[Coded], person: int, sigma: float) -> Code:
    """The person's code at the middle of the view, from the frames around it in the same shot."""
    track = _track(view, person)
    offsets = np.array([i - view.at for i, _ in track])
    weights = torch.from_numpy(smooth_at(offsets, np.eye(len(track)), sigma)).float()
    codes = [c for _, c in track]
    weights = weights.to(codes[0].w)
    return Code(
        torch.tensordot(weights, torch.stack([c.w for c in codes]), 1), codes[offsets.tolist().index(0)].feature
    )


def _track(view: View[Coded], person: int) -> list[tuple[int, Code]]:
    """Index and code of the person in each frame of the view that hangs together with the middle one."""
    found: dict[int, Code] = {}
    for step in (-1, 1):
        i = view.at
        while 0 <= i < len(view.around):
            aligned = view.around[i].aligned
            code = next(
                (c for k, c in zip(aligned.crops, view.around[i].codes, strict=True) if k.person == person), None
            )
            if code is None or (step == 1 and i > view.at and aligned.found.cut):
                break
            found[i] = code
            if step == -1 and aligned.found.cut:
                break
            i += step
    return sorted(found.items())
