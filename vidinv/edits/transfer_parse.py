"""``neutral.jpg,smile.jpg=0.7@1s-3s``: a transfer as users type it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vidinv.edits.parse import EditRequest, parse_edit
from vidinv.errors import MalformedEdit

WRITE = "write NEUTRAL.jpg,EXPRESSIVE.jpg, or NEUTRAL.jpg,EXPRESSIVE.jpg=0.7@1s-3s"
_WHOM = re.compile(r"(?![A-Za-z]:[\\/])[\w+-]+:")  # whom to edit, and no drive of a path


@dataclass(frozen=True)
class TransferRequest:
    """What is asked for, before the pictures are looked at."""

    neutral: Path
    expressive: Path
    amount: str
    """As the text of an edit called transfer: "0:transfer=0.7@1s-3s"."""
    how: EditRequest
    """The same, read."""


def parse_transfer(text: str) -> TransferRequest:
    """``[WHOM:]NEUTRAL,EXPRESSIVE[=AMOUNT[@START-END]]``; the names of the files hold no comma and no ``=``.

    :raises MalformedEdit: anything else.
    """
    whom = _WHOM.match(text)
    pictures, equals, amount = text[whom.end() if whom else 0 :].partition("=")
    names = [name.strip() for name in pictures.split(",")]
    if len(names) != 2 or not all(names):
        raise MalformedEdit(f"cannot read the transfer {text!r}; {WRITE}")
    edit = f"{whom[0] if whom else ''}transfer={amount if equals else '1'}"
    try:
        how = parse_edit(edit)
    except MalformedEdit as error:
        raise MalformedEdit(f"cannot read the transfer {text!r} ({error}); {WRITE}") from None
    if how.in_years:
        raise MalformedEdit(f"an expression is not measured in years: {text!r}; {WRITE}")
    return TransferRequest(Path(names[0]), Path(names[1]), edit, how)
