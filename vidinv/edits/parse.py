"""``age=+2``, ``age=+20y``, ``smile=-1@1s-3.5s``, ``0:age=+2``: what users type to what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vidinv.edits.base import Edit
from vidinv.errors import MalformedEdit, UsageError

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_TIME = r"(?:(?:\d+:)?\d+:)?(?:\d+(?:\.\d*)?|\.\d+)s?"
_EDIT = re.compile(
    r"(?:(?P<persons>\d+(?:\+\d+)*):)?(?P<name>[A-Za-z][\w-]*)="
    rf"(?P<amount>{_NUMBER})(?P<unit>y?)(?:@(?P<start>{_TIME})-(?P<end>{_TIME})?)?"
)
EXAMPLES = "age=+2, age=+20y, smile=1@1s-3.5s, 0:age=+2 (person 0 only)"


@dataclass(frozen=True)
class EditRequest:
    """One edit as asked for."""

    name: str
    amount: float  # in steps, or in years where in_years
    in_years: bool = False
    start: float = 0.0  # seconds
    end: float = float("inf")  # seconds
    persons: frozenset[int] | None = None  # whom to edit, by the ids of the report; None: everybody

    def __str__(self) -> str:
        who = "" if self.persons is None else "+".join(map(str, sorted(self.persons))) + ":"
        window = "" if (self.start, self.end) == (0, float("inf")) else f"@{self.start:g}s-"
        window += f"{self.end:g}s" if window and self.end != float("inf") else ""
        return f"{who}{self.name}={self.amount:+g}{'y' if self.in_years else ''}{window}"


def parse_edit(text: str) -> EditRequest:
    """:raises MalformedEdit: when the text is no edit."""
    match = _EDIT.fullmatch(text.strip())
    if match is None:
        raise MalformedEdit(f"cannot read the edit {text!r}; write NAME=STRENGTH, for example {EXAMPLES}")
    start = read_time(match["start"]) if match["start"] else 0.0
    end = read_time(match["end"]) if match["end"] else float("inf")
    if end <= start:
        raise MalformedEdit(f"the time range of {text!r} ends before it begins; write @START-END, for example @1s-3.5s")
    persons = frozenset(map(int, match["persons"].split("+"))) if match["persons"] else None
    return EditRequest(match["name"], float(match["amount"]), match["unit"] == "y", start, end, persons)


Asked = EditRequest | Edit
"""An edit of the pack's, by its name; or any other that keeps to the protocol."""

Edits = str | Asked | Sequence[str | Asked]
"""One edit or several, as text or already read. A text may hold several, separated by commas."""


def parse_edits(edits: Edits) -> tuple[Asked, ...]:
    """What is asked for, with every text read. :raises MalformedEdit: a text that is no edit, or nothing at all."""
    if isinstance(edits, str):
        return read_requests(edits)
    listed = edits if isinstance(edits, Sequence) else [edits]
    if not listed:
        raise MalformedEdit(f"no edit was given; write NAME=STRENGTH, for example {EXAMPLES}")
    return tuple(parse_edit(one) if isinstance(one, str) else one for one in listed)


def read_requests(text: str) -> tuple[EditRequest, ...]:
    """Edits in one text, separated by commas. :raises MalformedEdit: one that is no edit, or none."""
    listed = [part for part in text.split(",") if part.strip()]
    if not listed:
        raise MalformedEdit(f"no edit was given; write NAME=STRENGTH, for example {EXAMPLES}")
    return tuple(parse_edit(part) for part in listed)


def persons_of(asked: Asked) -> frozenset[int] | None:
    """Whom an edit is for, by the ids of the report; None: everybody."""
    return getattr(asked, "persons", None)


def read_time(text: str) -> float:
    """Seconds of "2s", "2.5", "1:02.5" or "1:00:02". :raises UsageError: anything else."""
    if not re.fullmatch(_TIME, text):
        raise UsageError(f"cannot read the time {text!r}; write seconds or minutes and seconds: 2s, 2.5, 1:02.5")
    total = 0.0
    for part in text.removesuffix("s").split(":"):
        total = 60 * total + float(part)
    return total
