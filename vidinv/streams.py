"""What goes into a run's stages and what comes out behind the last of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from vidinv.edits.parse import Asked, EditRequest, persons_of
from vidinv.errors import NoFaceFound, UsageError
from vidinv.report import Tally
from vidinv.report.outcome import Wanted
from vidinv.report.preview import Picture
from vidinv.runtime.steps import Latest
from vidinv.stages.decode import decode
from vidinv.stages.score import ScoreState
from vidinv.types import Faces, Frame, Score, known
from vidinv.video import Reader, probe


def frames_of(src: str | Path | Reader | Iterable[Frame]) -> Iterable[Frame]:
    return decode(src) if isinstance(src, str | Path | Reader) else src


def rate_of(src: object) -> float:
    """Frames per second of a file; 30 of anything else."""
    if isinstance(src, Reader):
        return float(src.info.rate)
    return float(probe(src).rate) if isinstance(src, str | Path) else 30.0


def as_frame(picture: Picture, index: int, rate: float) -> Frame:
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3):
        raise UsageError(f"frame {index} is no [H, W, 3] uint8 array")
    if picture.shape[2] != 3:
        raise UsageError(f"frame {index} has {picture.shape[2]} channels; give RGB")
    return Frame(picture, index, time=Fraction(index / rate).limit_denominator(10**6))


def outputs(stream: Iterable[Faces], series: list[Score], count: Latest[int]) -> Iterator[Frame]:
    """The finished frames; what is said of their faces goes into the report's series, and they are counted."""
    for faces in stream:
        count(count.state + len(faces.faces))
        series += [face.score for face in faces.faces if face.score is not None]
        yield known(faces.output)


def need_faces(
    stream: Iterable[Faces], figures: Latest[ScoreState], asked: Sequence[Asked], src: str | Path, kind: str
) -> Iterator[Faces]:
    """Pass on; at the end, a video in which there was nobody to edit is an error and leaves no output."""
    yield from stream
    tally = figures.state.tally
    if not tally.persons_seen:
        last = tally.frames - 1
        none = "no face in any" if kind == "face" else f"no box that is large enough in any (0 to {last})"
        raise NoFaceFound(f"{src}: {none} of {tally.frames} frames, so there is nothing to edit")
    whom = [persons_of(one) for one in asked]
    wanted = {p for persons in whom for p in (tally.persons_seen if persons is None else persons)}
    if not wanted & tally.persons_seen:
        seen = ", ".join(str(p) for p in sorted(tally.persons_seen))
        raise NoFaceFound(f"{src}: person {sorted(wanted)} was never seen; the persons are {seen}")


def wanted_of(asked: Sequence[Asked]) -> tuple[Wanted, ...]:
    """What is asked for of whom, as the report holds it against what came of it."""
    return tuple(Wanted(str(one), one.name if isinstance(one, EditRequest) else None, persons_of(one)) for one in asked)


def not_seen(asked: Sequence[Asked], tally: Tally) -> list[str]:
    """Edits that did nothing, since their people never came."""
    seen = ", ".join(str(p) for p in sorted(tally.persons_seen))
    return [
        f"{one} did nothing: the persons are {seen}"
        for one in asked
        if (persons := persons_of(one)) is not None and not persons & tally.persons_seen
    ]
