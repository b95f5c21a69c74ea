"""An expression between two pictures of one person, as an edit.

editor.edit_video("in.mp4", "out.mp4", vidinv.transfer("neutral.jpg", "smile.jpg", amount=0.7))
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from vidinv.api import VideoEditor
from vidinv.edits.parse import EditRequest
from vidinv.edits.transfer import Transfer, transfer_of
from vidinv.edits.transfer_parse import TransferRequest
from vidinv.errors import UsageError
from vidinv.models.pictures import to_tensor
from vidinv.stills import Picture, invert_pictures
from vidinv.types import known

ALIKE = 0.3  # cosine below which two pictures are hardly of one person: 1 in 10 pairs of one is, 98 in 100 of two


def transfer(
    neutral: str | Path | Picture,
    expressive: str | Path | Picture,
    amount: float = 1.0,
    *,
    start: float = 0.0,
    end: float = float("inf"),
    persons: frozenset[int | str] | None = None,
    pack: str | Path | None = None,
    aligned: bool = False,
    warn: Callable[[str], None] = lambda message: None,
    **options: Any,
) -> Transfer:
    """What two pictures of one person differ in, as an edit of anybody: see :mod:`vidinv.edits.transfer`.

    :param amount: how much of it: 0 is none, 1 the whole of it. :param start: seconds, as ``end``.
    :param persons: whom to edit, by ids of the report or names; None: everybody.
    :param pack: of the editor that is to use it. :param aligned: the pictures are crops already.
    :param warn: is told if the pictures seem to be of two persons.
    :param options: as of :class:`vidinv.VideoEditor`.
    :raises VidinvError: as of :func:`vidinv.invert`.
    """
    editor = VideoEditor(pack, **options)
    how = EditRequest("transfer", amount, start=start, end=end, persons=persons)
    return transfer_by(editor, neutral, expressive, how, _names(neutral, expressive), aligned=aligned, warn=warn)


def transfer_by(
    editor: VideoEditor,
    neutral: str | Path | Picture,
    expressive: str | Path | Picture,
    how: EditRequest,
    pictures: str,
    *,
    aligned: bool = False,
    warn: Callable[[str], None] = lambda message: None,
) -> Transfer:
    """:func:`transfer` with an editor that is there. :param pictures: what they are called."""
    for one in (neutral, expressive):
        if isinstance(one, str | Path) and Path(one).is_dir():
            raise UsageError(f"{one} is a folder; name one of its pictures")
    # One after the other: the same picture twice is a transfer of nothing, and no mistake.
    codes = [invert_pictures(editor, one, aligned=aligned) for one in (neutral, expressive)]
    if editor.pack.has("identity"):
        with torch.inference_mode():
            faces = to_tensor([known(one.faces[0].crop) for one in codes], editor.compute.device)
            embedded = editor.pack.identity(faces).float()
        alike = float(embedded[0] @ embedded[1])
        if alike < ALIKE:
            told = f"{pictures}: the pictures seem to be of two persons (likeness {alike:.2f})"
            warn(f"{told}, and what makes them two goes along")
    generator = editor.pack.generator
    return transfer_of(codes[0].codes[0], codes[1].codes[0], generator, how, pictures, editor.pack.codes_hash)


def transfer_asked(editor: VideoEditor, asked: TransferRequest, warn: Callable[[str], None]) -> Transfer:
    """What a text asked for: see :func:`vidinv.edits.transfer.parse_transfer`."""
    pictures = f"{asked.neutral},{asked.expressive}"
    return transfer_by(editor, asked.neutral, asked.expressive, asked.how, pictures, warn=warn)


def _names(*pictures: str | Path | Picture) -> str:
    return ",".join(Path(one).name if isinstance(one, str | Path) else "picture" for one in pictures)
