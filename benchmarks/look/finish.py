"""Single pictures through the product: found, aligned and inverted once, then edited and blended for every edit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidinv import VideoEditor
from vidinv.errors import NoFaceFound
from vidinv.faces.quads import quad_side
from vidinv.types import Face, Faces, Frame, known

RATE = 30.0  # frames per second: of no account, since every picture is a shot of its own
STRENGTHS = (-2.0, -1.0, 1.0, 2.0)  # steps


@dataclass(frozen=True)
class Finished:
    """What an edit made of one picture."""

    picture: NDArray[np.uint8]  # [H, W, 3] the frame as ``vidinv run`` would write it
    inversion: NDArray[np.uint8]  # [S, S, 3] G(w, F)
    edited: NDArray[np.uint8] | None  # [S, S, 3] G(w~, F~); None: the face was not trusted, the frame is the source


def asked(edit: str, strength: float) -> str:
    """An edit as on the command line."""
    return f"{edit}={strength:+g}"


def find(editor: VideoEditor, pictures: Sequence[NDArray[np.uint8]], names: Sequence[str]) -> list[Faces]:
    """Every picture's largest face with its code, by itself.

    Each is marked as a shot of its own, so that they can be rendered in one stream and its batches: across a cut no
    stage carries anything over.

    :raises NoFaceFound: a picture in which the detector sees nobody.
    """
    found = []
    for index, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        with closing(editor.analyse([Frame(picture, 0)], rate=RATE)) as stream:
            [one] = stream
        if not one.faces:
            raise NoFaceFound(f"{name}: no face is found in it; name another picture in the table")
        largest = max(one.faces, key=lambda face: quad_side(known(face.quad)))
        frame = replace(one.frame, index=index, time=Fraction(index, round(RATE)), cut=True)
        found.append(Faces(frame, (replace(largest, person=index),)))
    return found


def finish(editor: VideoEditor, found: Sequence[Faces], edit: str) -> list[Finished]:
    """What one edit at one strength makes of each picture that :func:`find` looked at."""
    with closing(editor.render(None, found, edit, rate=RATE)) as stream:
        return [_finished(one) for one in stream]


def _finished(one: Faces) -> Finished:
    [face] = one.faces
    edited = None if face.edited is None else _levels(face.edited)
    return Finished(known(one.output).image, _levels(known(face.inversion)), edited)


def _levels(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(picture).astype(np.uint8)


def quad_of(one: Faces) -> NDArray[np.float64]:
    """The place of the picture's face, [4, 2]."""
    face: Face = one.faces[0]
    return known(face.quad)
