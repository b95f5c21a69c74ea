"""Frames per second, from the times of the frames: what containers state of it is often no more than a wish."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from numbers import Real
from statistics import median
from typing import Any, cast

_ROUND = (15, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)
USUAL = (*map(Fraction, _ROUND), *(Fraction(rate * 1000, 1001) for rate in (24, 30, 60, 120)))
NEAR = 0.004  # a share by which a mean of rounded, jittered times misses the usual rate that it is of
WRONG = 1.1  # ratio of stated and counted rate from which the stated one is not believed
PAUSE = Fraction(1)  # seconds: a longer stay of one picture ...
PAUSES = 4  # ... which is also so many times the median, says nothing of the rate
FASTEST = Fraction(1000)
RATES = (1e-6, 1e6)
"""Frames per second, from the least to the most: one in twelve days, and as many as times have digits."""


def is_rate(value: object) -> bool:
    """Can it be one? No: what is no number, or NaN, or such that windows in seconds have no or endless frames."""
    return isinstance(value, Real) and not isinstance(value, bool) and RATES[0] <= cast(float, value) <= RATES[1]


def stream_duration(stream: Any) -> Fraction | None:
    """Seconds, as the container says."""
    if stream.duration:
        return Fraction(stream.duration * stream.time_base.numerator, stream.time_base.denominator)
    stated = stream.metadata.get("DURATION", "").split(":")  # Matroska: 00:01:02.345000000
    with suppress(ValueError):
        return Fraction(stated[0]) * 3600 + Fraction(stated[1]) * 60 + Fraction(stated[2]) if len(stated) == 3 else None
    return None


def counted_rate(times: Sequence[int], tick: Fraction) -> Fraction | None:
    """Mean frames per second of some neighbouring frames; None: too few of them to say.

    :param times: ticks, in any order. :param tick: seconds.
    """
    ordered = sorted(set(times))
    steps = [b - a for a, b in pairwise(ordered)]
    if len(steps) < 3:
        return None
    usual = median(steps)
    longest = max(PAUSE / tick, Fraction(PAUSES * usual))
    moving = [step for step in steps if step <= longest]
    rate = min(len(moving) / (sum(moving) * tick), FASTEST)
    near = min(USUAL, key=lambda one: abs(one / rate - 1))
    return near if abs(near / rate - 1) < NEAR else rate.limit_denominator(1001)


def believed_rate(stated: Fraction | None, times: Sequence[int], tick: Fraction) -> Fraction | None:
    """The stated rate, where it agrees with the frames' times; else the counted one; None: nothing is known."""
    counted = counted_rate(times, tick)
    stated = stated if is_rate(stated) else None
    if stated is None or counted is None:
        return stated or counted
    return stated if 1 / WRONG < stated / counted < WRONG else counted
