"""What goes into a run's stages and what comes out behind the last of them."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from vidinv.edits.parse import Asked, EditRequest, persons_of
from vidinv.errors import NoFaceFound, UsageError
from vidinv.faces.quads import quad_side
from vidinv.portraits import Recognition
from vidinv.report import Tally
from vidinv.report.doubts import MEANINGS
from vidinv.report.outcome import Wanted
from vidinv.report.preview import Picture
from vidinv.report.rows import Rows
from vidinv.runtime.steps import Latest, Snapshot
from vidinv.stages.decode import decode
from vidinv.stages.recognise import RecogniseOptions, RecogniseState
from vidinv.stages.score import ScoreState
from vidinv.types import Face, Faces, Frame, known
from vidinv.video import Reader, probe
from vidinv.video.demuxers import MOST_PIXELS
from vidinv.video.timing import RATES, is_rate

FEW = 0.1  # share of the faces: if no more are edited, that is said


def frames_of(src: str | Path | Reader | Iterable[Frame]) -> Iterable[Frame]:
    return decode(src) if isinstance(src, str | Path | Reader) else src


def again_of(reader: Reader) -> AbstractContextManager[Reader | None]:
    """A second decoder of a file whose frames are large; None: they are so small that they can wait.

    Decoding a large frame twice takes less time than its room is worth: most of those under way wait for others.
    """
    return reader.again() if reader.info.is_large else nullcontext()


def rate_of(src: object) -> float:
    """Frames per second of a file; 30 of anything else."""
    if isinstance(src, Reader):
        return float(src.info.rate)
    return float(probe(src).rate) if isinstance(src, str | Path) else 30.0


def checked_rate(rate: float) -> float:
    """:raises UsageError: no number of frames per second."""
    if not is_rate(rate):
        least, most = RATES
        raise UsageError(f"{rate!r:.40} frames per second cannot be; give a rate above 0, from {least:g} to {most:g}")
    return float(rate)


def numbered(pictures: Iterable[Picture], rate: float) -> Iterator[Frame]:
    """As frames of a video of so many per second.

    :raises UsageError: they are nothing that pictures come out of, or no such pictures.
    """
    try:
        stream = iter(pictures)
    except TypeError:
        raise UsageError(
            f"the frames are a {type(pictures).__name__}; give a list or a generator of pictures"
        ) from None
    return (as_frame(picture, i, rate) for i, picture in enumerate(stream))


def as_frame(picture: Picture, index: int, rate: float) -> Frame:
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3):
        raise UsageError(f"frame {index} is no [H, W, 3] uint8 array")
    if picture.shape[2] != 3:
        raise UsageError(f"frame {index} has {picture.shape[2]} channels; give RGB")
    if not picture.size:
        raise UsageError(f"frame {index} has {picture.shape[1]}x{picture.shape[0]} pixels; give pictures that have any")
    height, width = picture.shape[:2]
    if height * width > MOST_PIXELS:  # an array of any size may be a view of one pixel
        raise UsageError(
            f"frame {index} has {width}x{height} pixels, and {MOST_PIXELS} are the most; give smaller ones"
        )
    # A copy: whoever gives it may use the array again for the next one, while this one still waits.
    return Frame(picture.copy(), index, time=Fraction(index / rate).limit_denominator(10**6))


def outputs(stream: Iterable[Faces | Snapshot], rows: Rows, count: Latest[int]) -> Iterator[Frame | Snapshot]:
    """The finished frames; what is said of their faces goes into the report's rows, and they are counted."""
    for faces in stream:
        if isinstance(faces, Snapshot):
            yield faces
            continue
        count(count.state + len(faces.faces))
        for face in faces.faces:
            if face.score is not None:
                rows.append(face.score)
        yield known(faces.output)


def need_faces(
    stream: Iterable[Faces],
    figures: Latest[ScoreState],
    asked: Sequence[Asked],
    src: str | Path,
    kind: str,
    people: Recognition | None = None,
) -> Iterator[Faces]:
    """Pass on; at the end, a video in which there was nobody to edit is an error and leaves no output."""
    yield from stream
    tally = figures.state.tally
    check_somebody(tally, asked, str(src), kind, people)
    if not tally.shown:
        raise NoFaceFound(f"{src}: nothing was edited, since {_unreached(tally)}; choose other times, persons or edits")


def check_somebody(
    tally: Tally, asked: Sequence[Asked], src: str, kind: str = "face", people: Recognition | None = None
) -> None:
    """:raises NoFaceFound: there was nobody to edit. :param kind: of the pack's crops."""
    if not tally.persons_seen:
        none = "no face" if kind == "face" else "no box that is large enough"
        frames = "in it" if tally.frames == 1 else f"in any of {tally.frames} frames"
        raise NoFaceFound(f"{src}: {none} {frames}, so there is nothing to edit")
    everybody: frozenset[int | str] = tally.persons_seen
    wanted = frozenset[int | str]().union(*(everybody if p is None else p for p in map(persons_of, asked)))
    if not wanted & _who_came(tally):
        raise NoFaceFound(f"{src}: there is nothing to edit, since {_absent(wanted, tally, people)}")


def _unreached(tally: Tally) -> str:
    """Why most faces were left as they are."""
    if not tally.asked:
        return f"no edit acts on any of the {tally.faces} faces, at the times at which they are seen"
    why = (f"{doubt} in {count} ({MEANINGS[doubt]})" for doubt, count in sorted(tally.doubts.items(), key=_most))
    told = ", ".join(why) or "they were seen for moments only"
    return f"of {tally.asked} faces {tally.asked - tally.shown} were not trusted: {told}"


def _most(counted: tuple[str, int]) -> int:
    return -counted[1]


def _who_came(tally: Tally) -> frozenset[int | str]:
    """Ids and names."""
    return tally.persons_seen | frozenset(name for names in tally.names.values() for name in names)


def _absent(whom: Collection[int | str], tally: Tally, people: Recognition | None) -> str:
    """Why there is none of these people."""
    ids, names = sorted(w for w in whom if isinstance(w, int)), sorted(w for w in whom if isinstance(w, str))
    why = [] if people is None else [_unlike(name, people.latest.state) for name in names]
    if ids:
        seen = ", ".join(str(p) for p in sorted(tally.persons_seen))
        why.append(f"person {', '.join(map(str, ids))} was never seen (the persons are {seen})")
    return "; and ".join(why)


def _unlike(name: str, found: RecogniseState) -> str:
    """Why somebody has not been found."""
    if name not in found.nearest:
        return f"there was no face to compare with {name}'s picture"
    cosine, person = found.nearest[name]
    if cosine >= RecogniseOptions.least:
        other = found.called(person)
        return f"person {person}, who is as near to {name}'s picture as {cosine:.2f}, is {other or 'called otherwise'}"
    least = f"nobody is as near to {name}'s picture as {RecogniseOptions.least:g}"
    return f"{least}; the nearest is person {person} with {cosine:.2f}"


@dataclass(frozen=True)
class Alone:
    """A frame that was edited by itself."""

    faces: Faces
    edited: list[Face]
    """Those that were edited, one at least."""
    warnings: list[str]
    """Edits that did nothing."""


def by_size(codes: Iterable[Faces]) -> Iterator[Faces]:
    """Persons counted by the size of their faces, 0 the largest: in a picture there is no first to come."""
    for one in codes:
        ordered = sorted(one.faces, key=lambda face: -quad_side(known(face.quad)))
        yield replace(one, faces=tuple(replace(face, person=i) for i, face in enumerate(ordered)))


def alone(
    rendered: Generator[Faces, None, None],
    asked: Sequence[Asked],
    what: str,
    kind: str = "face",
    people: Recognition | None = None,
) -> Alone:
    """The only frame of a stream. :raises NoFaceFound: nobody in it was edited."""
    with closing(rendered):
        one = next(rendered)
        next(rendered, None)  # the states of the stages are told at the end
    names = {face.person: face.name for face in one.faces if face.name is not None}
    tally = Tally().add_frame(frozenset(face.person for face in one.faces), names)
    check_somebody(tally, asked, what, kind, people)
    shown = [face for face in one.faces if face.edited is not None]
    if not shown:
        doubts = sorted({d for f in one.faces if f.assessment is not None for d in f.assessment.doubts})
        why = f"{len(one.faces)} faces in sight" + (f", not trusted for {', '.join(doubts)}" if doubts else "")
        raise NoFaceFound(f"{what}: nothing to edit ({why}); choose another time, picture, person or edit")
    return Alone(one, shown, not_seen(asked, tally, people))


def wanted_of(asked: Sequence[Asked]) -> tuple[Wanted, ...]:
    """What is asked for of whom, as the report holds it against what came of it."""
    return tuple(Wanted(str(one), one.name if isinstance(one, EditRequest) else None, persons_of(one)) for one in asked)


def not_seen(asked: Sequence[Asked], tally: Tally, people: Recognition | None = None) -> list[str]:
    """Edits that did nothing, wholly or to some, since their people never came; people whom no edit is for; and that
    hardly a face was edited."""
    came, told, named = _who_came(tally), list[str](), set[int | str]()
    for one in asked:
        whom = persons_of(one) or frozenset()
        named |= whom
        absent = whom - came
        if absent:
            to = "" if absent == whom else f" to {', '.join(map(str, sorted(absent, key=str)))}"
            told.append(f"{one} did nothing{to}: {_absent(absent, tally, people)}")
    if 0 < tally.shown < FEW * tally.asked:
        told.append(f"only {tally.shown} of {tally.asked} faces were edited: {_unreached(tally)}")
    names = () if people is None else people.references.names
    return told + [f"no edit is for {n}, whose picture was given: {n}:NAME=STRENGTH" for n in names if n not in named]
