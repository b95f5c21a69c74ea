"""``age=+2``, ``age=+20y``, ``smile=-1@1s-3.5s``: what the user types to what he means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vidinv.errors import MalformedEdit

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_TIME = r"(?:(?:\d+:)?\d+:)?\d+(?:\.\d*)?s?"
_EDIT = re.compile(
    rf"(?P<name>[A-Za-z][\w-]*)=(?P<amount>{_NUMBER})(?P<unit>y?)(?:@(?P<start>{_TIME})-(?P<end>{_TIME})?)?"
)
EXAMPLES = "age=+2, age=+20y, smile=1@1s-3.5s"


@dataclass(frozen=True)
class EditRequest:
    """One edit as asked for."""

    name: str
    amount: float  # in steps, or in years where in_years
    in_years: bool = False
    start: float = 0.0  # seconds
    end: float = float("inf")  # seconds

    def __str__(self) -> str:
        window = "" if (self.start, self.end) == (0, float("inf")) else f"@{self.start:g}s-"
        window += f"{self.end:g}s" if window and self.end != float("inf") else ""
        return f"{self.name}={self.amount:+g}{'y' if self.in_years else ''}{window}"


def parse_edit(text: str) -> EditRequest:
    """:raises MalformedEdit: when the text is no edit."""
    match = _EDIT.fullmatch(text.strip())
    if match is None:
        raise MalformedEdit(f"cannot read the edit {text!r}; write NAME=STRENGTH, for example {EXAMPLES}")
    start = _seconds(match["start"]) if match["start"] else 0.0
    end = _seconds(match["end"]) if match["end"] else float("inf")
    if end <= start:
        raise MalformedEdit(f"the time range of {text!r} ends before it begins; write @START-END, for example @1s-3.5s")
    return EditRequest(match["name"], float(match["amount"]), match["unit"] == "y", start, end)


def parse_edits(edits: str | EditRequest | Sequence[str | EditRequest]) -> tuple[EditRequest, ...]:
    """One edit or several, as text or already read. A text may hold several, separated by commas."""
    if isinstance(edits, str):
        edits = [e for e in edits.split(",") if e.strip()]
    elif isinstance(edits, EditRequest):
        edits = [edits]
    if not edits:
        raise MalformedEdit(f"no edit was given; write NAME=STRENGTH, for example {EXAMPLES}")
    return tuple(e if isinstance(e, EditRequest) else parse_edit(e) for e in edits)


def _seconds(text: str) -> float:
    total = 0.0
    for part in text.rstrip("s").split(":"):
        total = 60 * total + float(part)
    return total
