"""The frames that are not trusted, and those in which something lies over a face, as spans of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vidinv.types import Score

OCCLUDED = 0.02  # share of a face: less is not told
MEANINGS = {
    "missed": "the detector did not see the face",
    "pose": "the head is turned further than the networks know faces",
    "occlusion": "something hides the face or passes before it, or it moves too fast to be followed",
    "identity": "the face does not look like its person",
    "broken": "the pack's networks give no numbers there",
}


@dataclass(frozen=True)
class Span:
    """A run of neighbouring frames of a person."""

    person: int
    first: int  # frames, both included
    last: int
    start: float | None  # seconds
    end: float | None
    done: str  # what was done there


@dataclass(frozen=True)
class Untrusted(Span):
    """With a doubt, or in which the edit is held back."""

    reasons: tuple[str, ...]  # of MEANINGS
    trust: float  # the least


@dataclass(frozen=True)
class Occluded(Span):
    """In which something lies over the face."""

    share: float  # of the face, the largest


def untrusted(series: Sequence[Score]) -> list[Untrusted]:
    """Where the faces are not trusted."""
    spans = []
    for run in _runs(series, lambda s: bool(s.doubts) or _trust(s) < 1):
        least = min(_trust(s) for s in run)
        done = "the edit is weakened" if least > 0 else "the source is kept; the edit fades at the ends"
        done = "marked; too short to hold the edit back" if least >= 1 else done
        reasons = tuple(dict.fromkeys(doubt for s in run for doubt in s.doubts))
        spans.append(Untrusted(*_place(run), done, reasons, least))
    return spans


def occluded(series: Sequence[Score]) -> list[Occluded]:
    """Where something lies over the faces."""
    spans = []
    for run in _runs(series, lambda s: _share(s) >= OCCLUDED):
        held = sum(_trust(s) == 0 for s in run)
        done = "the edit goes around it" if held < len(run) else "the source is kept"
        if 0 < held < len(run):
            done += f"; in {held} of {len(run)} frames the source is kept"
        spans.append(Occluded(*_place(run), done, max(map(_share, run))))
    return spans


def _trust(score: Score) -> float:
    return 1.0 if score.trust is None else score.trust


def _share(score: Score) -> float:
    return score.occluded_share or 0.0


def _place(run: Sequence[Score]) -> tuple[int, int, int, float | None, float | None]:
    return run[0].person, run[0].frame, run[-1].frame, run[0].time, run[-1].time


def _runs(series: Sequence[Score], wanted: Callable[[Score], bool]) -> list[list[Score]]:
    """Neighbouring frames of a person that are all ``wanted``, in the order of their starts."""
    runs: list[list[Score]] = []
    last: dict[int, list[Score]] = {}
    for score in filter(wanted, series):
        run = last.get(score.person)
        if run is None or score.frame > run[-1].frame + 1:
            run = last[score.person] = []
            runs.append(run)
        run.append(score)
    return runs
