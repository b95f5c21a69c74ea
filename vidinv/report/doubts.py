"""The frames that are not trusted, and those in which something lies over a face, as spans of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    """A run of neighbouring frames of a person, within a shot."""

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


def untrusted(series: Iterable[Score]) -> list[Untrusted]:
    """Where the faces are not trusted."""
    spans = []
    for run in _runs(series, lambda s: bool(s.doubts) or _trust(s) < 1):
        done = "the edit is weakened" if run.least > 0 else "the source is kept; the edit fades at the ends"
        done = "marked; too short to hold the edit back" if run.least >= 1 else done
        spans.append(Untrusted(*run.place, done, tuple(run.reasons), run.least))
    return spans


def occluded(series: Iterable[Score]) -> list[Occluded]:
    """Where something lies over the faces."""
    spans = []
    for run in _runs(series, lambda s: _share(s) >= OCCLUDED):
        done = "the edit goes around it" if run.held < run.frames else "the source is kept"
        if 0 < run.held < run.frames:
            done += f"; in {run.held} of {run.frames} frames the source is kept"
        spans.append(Occluded(*run.place, done, run.share))
    return spans


def _trust(score: Score) -> float:
    return 1.0 if score.trust is None else score.trust


def _share(score: Score) -> float:
    return score.occluded_share or 0.0


class _Run:
    """Neighbouring frames of a person: of an hour of them only these figures are kept."""

    def __init__(self, first: Score) -> None:
        self.first = self.last = first
        self.frames = self.held = 0
        self.least, self.share = 1.0, 0.0
        self.reasons: dict[str, None] = {}

    def add(self, score: Score) -> None:
        self.last = score
        self.frames += 1
        self.held += _trust(score) == 0
        self.least, self.share = min(self.least, _trust(score)), max(self.share, _share(score))
        self.reasons |= dict.fromkeys(score.doubts)

    @property
    def place(self) -> tuple[int, int, int, float | None, float | None]:
        return self.first.person, self.first.frame, self.last.frame, self.first.time, self.last.time


def _runs(series: Iterable[Score], wanted: Callable[[Score], bool]) -> list[_Run]:
    """Neighbouring frames of a person within a shot that are all ``wanted``, in the order of their starts."""
    runs: list[_Run] = []
    last: dict[int, _Run] = {}
    for score in filter(wanted, series):
        run = last.get(score.person)
        if run is None or score.frame > run.last.frame + 1 or score.cut:
            run = last[score.person] = _Run(score)
            runs.append(run)
        run.add(score)
    return runs
