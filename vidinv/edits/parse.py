"""``age=+2``, ``smile=-1@1s-3.5s``, ``age=0@0s..+20y@4s``, ``0:age=+2``: what users type to what they mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from vidinv.edits.base import Edit
from vidinv.edits.curve import Curve, read_curve
from vidinv.edits.times import TIME, check_numbers, read_time
from vidinv.errors import MalformedEdit, UsageError

NAME = r"[^\W\d_][\w-]*"
"""What a person may be called."""

LONGEST_ID = 18
"""Digits of a person's id: Python reads no number of more than 4,300."""

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"  # digits in one way only: else 100,000 of them take minutes
_KEY = rf"(?P<amount>{_NUMBER})(?P<unit>y?)@(?P<time>(?:(?:\d+:)?\d+:)?(?:\d+(?:\.\d+)?|\.\d+)s?)"  # no dot at its end
_KEYS = re.sub(r"\?P<\w+>", "?:", _KEY)
_WHO = rf"(?:\d{{1,{LONGEST_ID}}}|{NAME})"
_EDIT = re.compile(
    rf"(?:(?P<persons>{_WHO}(?:\+{_WHO})*):)?(?P<name>[A-Za-z][\w-]*)="
    rf"(?:@(?P<file>.+)|(?P<keys>{_KEYS}(?:\.\.{_KEYS})+)|"
    rf"(?P<amount>{_NUMBER})(?P<unit>y?)(?:@(?P<start>{TIME})-(?P<end>{TIME})?(?:~(?P<ease>{TIME}))?)?)"
)
EXAMPLES = "age=+2, age=+20y, smile=1@1s-3.5s, age=0@0s..+3@4s, age=@ages.csv, 0:age=+2 (person 0 only)"
MOST_EDITS = 1000
"""Each is applied to every face: 14,000 take minutes a second of video."""
EASE = 0.2
"""Seconds over which an edit with a time range comes and goes, unless others are asked for."""


@dataclass(frozen=True)
class EditRequest:
    """One edit as asked for.

    :raises MalformedEdit: a curve with a range, a range that ends before it begins, or what is no finite number.
    """

    name: str
    amount: float | Curve  # in steps, or in years where in_years
    in_years: bool = False
    start: float = 0.0  # seconds
    end: float = float("inf")  # seconds
    persons: frozenset[int | str] | None = None  # whom to edit, by ids of the report or names; None: everybody
    ease: float = EASE  # seconds over which it comes after ``start`` and goes before ``end``

    def __post_init__(self) -> None:
        if isinstance(self.amount, Curve) and self._has_range:
            raise MalformedEdit(f"{self.name}: a curve has times of its own; give it no range beside them")
        check_numbers(self.name, (self.start, self.ease), () if isinstance(self.amount, Curve) else (self.amount,))
        if self.ease < 0:
            raise MalformedEdit(f"{self.name}: an ease is 0 s or longer")
        if not self.end > self.start:
            raise MalformedEdit(
                f"the time range of {self.name} ends before it begins; write @START-END, for example @1s-3.5s"
            )

    @property
    def changes(self) -> bool:
        """Does it change with time?"""
        return isinstance(self.amount, Curve) or self._has_range

    @property
    def _has_range(self) -> bool:
        return (self.start, self.end) != (0, float("inf"))

    def __str__(self) -> str:
        who = "" if self.persons is None else "+".join(map(str, sorted(self.persons, key=_order))) + ":"
        return f"{who}{self.name}={self._strength()}"

    def _strength(self) -> str:
        unit = "y" if self.in_years else ""
        if isinstance(self.amount, Curve):
            keys = (f"{_number(a, sign=True)}{unit}@{_number(t)}s" for t, a in self.amount.keys)
            return "..".join(keys) if self.amount.file is None else f"@{self.amount.file}"
        window = f"@{_number(self.start)}s-" if self._has_range else ""
        window += f"{_number(self.end)}s" if window and self.end != float("inf") else ""
        window += f"~{_number(self.ease)}s" if window and self.ease != EASE else ""
        return f"{_number(self.amount, sign=True)}{unit}{window}"


def _order(person: int | str) -> tuple[bool, int, str]:
    """Ids before names."""
    return (True, 0, person) if isinstance(person, str) else (False, person, "")


def _number(value: float, *, sign: bool = False) -> str:
    """In the fewest digits that give the same number again."""
    return np.format_float_positional(value, trim="-", sign=sign)


def parse_edit(text: str) -> EditRequest:
    """:raises MalformedEdit: when the text is no edit. :raises VidinvError: a curve's file that cannot be used."""
    match = _EDIT.fullmatch(text.strip())
    if match is None:
        raise MalformedEdit(f"cannot read the edit {text!r}; write NAME=STRENGTH, for example {EXAMPLES}")
    persons = _persons(match["persons"])
    if match["amount"] is None:
        curve, in_years = read_curve(match["file"]) if match["file"] else _curve(text, match["keys"])
        return EditRequest(match["name"], curve, in_years, persons=persons)
    start = read_time(match["start"]) if match["start"] else 0.0
    end = read_time(match["end"]) if match["end"] else float("inf")
    ease = read_time(match["ease"]) if match["ease"] else EASE
    return EditRequest(match["name"], float(match["amount"]), match["unit"] == "y", start, end, persons, ease)


def _persons(text: str | None) -> frozenset[int | str] | None:
    return frozenset(int(who) if who.isdecimal() else who for who in text.split("+")) if text else None


def _curve(text: str, keys: str) -> tuple[Curve, bool]:
    """Key frames, and whether they are in years: all of them, or all but those of nothing."""
    found = list(re.finditer(rf"{_KEY}(?:\.\.|$)", keys))
    units = {key["unit"] for key in found if float(key["amount"]) or key["unit"]}
    if len(units) > 1:
        raise MalformedEdit(f"some key frames of {text!r} are in years, some in steps; for example age=+0y@0s..+20y@4s")
    try:
        return Curve(tuple((read_time(key["time"]), float(key["amount"])) for key in found)), "y" in units
    except MalformedEdit as error:
        raise MalformedEdit(f"cannot read the edit {text!r}: {error}") from None


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
    check_count(len(listed))
    for one in listed:
        if not isinstance(one, str | EditRequest) and not callable(getattr(one, "acts", None)):
            raise MalformedEdit(f"an edit is {one!r:.80}; give a text ({EXAMPLES}), or an object that edits")
    return tuple(parse_edit(one) if isinstance(one, str) else one for one in listed)


def read_requests(text: str) -> tuple[EditRequest, ...]:
    """Edits in one text, separated by commas. :raises MalformedEdit: one that is no edit, or none. :raises UsageError:
    more than are done."""
    listed = [part for part in text.split(",") if part.strip()]
    if not listed:
        raise MalformedEdit(f"no edit was given; write NAME=STRENGTH, for example {EXAMPLES}")
    check_count(len(listed))
    return tuple(parse_edit(part) for part in listed)


def check_count(count: int) -> None:
    """:raises UsageError: more edits than are done in one go."""
    if count > MOST_EDITS:
        raise UsageError(f"edits are {count}, and {MOST_EDITS} are the most of one job; leave some out")


def check_names(asked: Sequence[Asked], names: Collection[str]) -> None:
    """:raises UsageError: an edit for somebody by a name that no picture was given for."""
    for one in asked:
        for name in sorted(who for who in persons_of(one) or () if isinstance(who, str)):
            if name not in names:
                given = f"those of {', '.join(names)} are" if names else "none is"
                raise UsageError(f"{one}: no picture of {name} was given, {given}; add one: --face {name}=PICTURE")


def check_timeless(asked: Sequence[Asked]) -> None:
    """:raises UsageError: an edit that changes with time."""
    for one in asked:
        if getattr(one, "changes", False):
            raise UsageError(f"{one}: a picture has no time, so nothing changes in it; give one strength, and no times")


def persons_of(asked: Asked) -> frozenset[int | str] | None:
    """Whom an edit is for, by ids of the report or names; None: everybody."""
    return getattr(asked, "persons", None)
