"""Numbers that people give, and between what they may lie: a row for each, whichever way it comes in.

One that is too large is a search without an end, or a video that waits in memory; one that is none goes through every
network. So the command line, a file of jobs and Python ask here, before anything is loaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from vidinv.errors import UsageError


@dataclass(frozen=True)
class Bound:
    """What is let in, ends included."""

    least: float
    most: float
    whole: bool = True

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {_told(self.least)}" + (f" to {_told(self.most)}" if self.most < math.inf else " up")


BOUNDS = {
    "steps": Bound(1, 100_000),  # of a search: Image2StyleGAN takes 5,000
    "warm_steps": Bound(1, 100_000),
    "seed": Bound(0, 2**63 - 1),  # as PyTorch takes them
    "batch": Bound(1, 256),  # twice as many frames wait for their faces
    "workers": Bound(1, 1024),
    "threads": Bound(1, 1024),
    "encoder_threads": Bound(0, 1024),
    "segment": Bound(0.01, math.inf, whole=False),  # seconds; infinity: the video is one
    "crf": Bound(0, 63, whole=False),  # of any encoder, which has its own bound too
    "seconds": Bound(0.001, 600, whole=False),  # of a morph, from one face to the next
    "rate": Bound(0.01, 240, whole=False),  # frames per second of a morph
    "size": Bound(16, 4096),  # pixels, of a side of its frames
    "component": Bound(0, 65_535),  # of ganspace and sefa: a generator's styles have 512 numbers
    "components": Bound(1, 512),
    "sefa": Bound(0, 512),
    "person": Bound(0, 10_000),  # of the faces in a picture
    "port": Bound(1, 65_535),
    "max_upload": Bound(1, 1_000_000),  # MB
    "time": Bound(-100_000_000, 100_000_000, whole=False),  # seconds: three years
    "strength": Bound(-1000, 1000, whole=False),  # of an edit, in steps or years: at 10 faces are none any more
    "search_rate": Bound(0, 1000, whole=False),
    "weight": Bound(0, 1_000_000, whole=False),  # of a term of a search
    "every": Bound(1, 1_000_000),  # frames or readings, of a report
    "shown": Bound(0, 1000),  # frames of a report's strip
}
"""By the names that options and fields have."""


def checked(name: str, value: Any, called: str = "") -> Any:
    """A number that is given for what :data:`BOUNDS` has under ``name``.

    :param called: what it is called where it was given, if otherwise. :raises UsageError: it is none, or out of range.
    """
    bound = BOUNDS[name]
    number = isinstance(value, Integral if bound.whole else Real) and not isinstance(value, bool)
    if not number or not bound.least <= value <= bound.most:  # NaN is between no two numbers
        given = f"{value!r:.40}" if not isinstance(value, int) or abs(value) < 10**40 else "a number of many digits"
        raise UsageError(f"{called or name} is {given}; give {bound}")
    return value


def _told(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
