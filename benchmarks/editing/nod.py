"""How much of a nod the smoothing of the crops keeps: a head that nods is not to be held still."""

from __future__ import annotations

import numpy as np

from vidinv.faces.smoothing import reach, smooth_at
from vidinv.metrics.landmarks import amplitude_kept
from vidinv.stages.align import AlignOptions

FREQUENCIES = (0.5, 1.0, 2.0, 3.0)  # Hz; talking heads nod at about 1


def nod_kept(rate: float, seconds: float = 8.0) -> dict[str, float]:
    """Share of the amplitude that is left of a sine of each frequency, by align's own smoothing.

    The ends of the track, where the window has one side only, are left out.
    """
    sigma, count = AlignOptions().sigma * rate, round(seconds * rate)
    side = reach(sigma)
    kept = {}
    for frequency in FREQUENCIES:
        nod = np.sin(2 * np.pi * frequency * np.arange(count) / rate)
        inner = range(side, count - side)
        smooth = [smooth_at(np.arange(-side, side + 1), nod[i - side : i + side + 1], sigma) for i in inner]
        kept[f"{frequency:g} Hz"] = amplitude_kept(nod[side : count - side], np.array(smooth), frequency, rate)
    return kept
