"""Rendered -> Rendered: both pictures smoothed over time, so that what their difference adds does not flicker.

The crops follow the face, so in their coordinates an edit hardly moves: averaging over neighbouring frames removes what
changes at random from frame to frame, and neither the frame's own pixels nor the head's motion are touched by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidinv.faces.smoothing import reach, smooth_at
from vidinv.runtime.window import View, windowed
from vidinv.types import Rendered

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class SteadyOptions:
    sigma: float = 0.08  # seconds; 0: every frame by itself
    rate: float = 30.0  # frames per second


@dataclass(frozen=True)
class _Drawn:
    """What the window remembers of a frame: its pictures, by person."""

    cut: bool
    pairs: dict[int, Pair]


def steady(stream: Iterable[Rendered], options: SteadyOptions = SteadyOptions()) -> Iterator[Rendered]:
    """Smooth every edited face's pictures over the frames around it in which it is edited too, up to the next cut."""
    sigma = options.sigma * options.rate
    for rendered, view in windowed(stream, reach(sigma), _remember):
        crops = rendered.edited.coded.aligned.crops
        pairs = [
            None if after is None else _smoothed(view, crop.person, sigma)
            for crop, after in zip(crops, rendered.edits, strict=True)
        ]
        before, after = (tuple(None if p is None else p[i] for p in pairs) for i in (0, 1))
        yield replace(rendered, inversions=before, edits=after)


def _remember(rendered: Rendered) -> _Drawn:
    aligned = rendered.edited.coded.aligned
    drawn = zip(aligned.crops, rendered.inversions, rendered.edits, strict=True)
    return _Drawn(aligned.found.cut, {c.person: (b, a) for c, b, a in drawn if a is not None})


def _smoothed(view: View[_Drawn], person: int, sigma: float) -> Pair:
    """Both pictures of a person at the middle of the view, clipped as a display would."""
    first = last = view.at
    while first > 0 and not view.around[first].cut and person in view.around[first - 1].pairs:
        first -= 1
    while last + 1 < len(view.around) and not view.around[last + 1].cut and person in view.around[last + 1].pairs:
        last += 1
    weights = smooth_at(np.arange(first, last + 1) - view.at, np.eye(last - first + 1), sigma).astype(np.float32)
    pairs = [view.around[i].pairs[person] for i in range(first, last + 1)]
    before, after = (np.tensordot(weights, np.stack([p[i] for p in pairs]), 1) for i in (0, 1))
    return np.clip(before, 0, 255), np.clip(after, 0, 255)
