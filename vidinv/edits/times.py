"""Times as users type them, and the bounds of an edit's numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vidinv.bounds import checked
from vidinv.errors import MalformedEdit, UsageError

TIME = r"(?:(?:\d+:)?\d+:)?(?:\d+(?:\.\d*)?|\.\d+)s?"
"""2s, 2.5, 1:02.5, 1:00:02."""


def read_time(text: str) -> float:
    """Seconds of "2s", "2.5", "1:02.5" or "1:00:02". :raises UsageError: anything else."""
    if not re.fullmatch(TIME, text):
        raise UsageError(f"cannot read the time {text!r}; write seconds or minutes and seconds: 2s, 2.5, 1:02.5")
    total = 0.0
    for part in text.removesuffix("s").split(":"):
        total = 60 * total + float(part)
    checked("time", total, f"the time {text:.40}")
    return total


def check_numbers(called: str, times: Iterable[float], strengths: Iterable[float]) -> None:
    """:param called: in messages. :raises MalformedEdit: a number that no edit can have."""
    try:
        for time in times:
            checked("time", time)
        for strength in strengths:
            checked("strength", strength)
    except UsageError as error:
        raise MalformedEdit(f"{called}: {error}") from None
