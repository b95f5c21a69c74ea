"""The outcome of a run, or of a comparison of two videos, as a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from vidinv.report.doubts import Occluded, Untrusted
from vidinv.report.figures import Figure
from vidinv.report.outcome import Outcome
from vidinv.report.quality import Shown
from vidinv.types import Score


@dataclass(frozen=True)
class Report:
    """The outcome of one run. Similarities are cosines of the pack's identity network."""

    output: str | None
    edits: list[str]
    frames: int
    faces: int
    persons: list[int]
    identity_similarity: Mapping[str, float | None]  # inversion, edited: mean cosine to the source's own frame
    identity_consistency: Mapping[str, Any]  # source, inversion, edited: Eq. 9; and the same under "persons"
    local_identity: float | None  # TL-ID
    attributes: Mapping[str, Mapping[str, float]]  # name -> source, edited, change: mean scores
    stages: Mapping[str, Mapping[str, float]]  # name -> seconds, items
    seconds: float
    pack: Mapping[str, str]  # name, hash
    warnings: list[str]
    damaged: bool  # the input was; what decodes was edited
    frames_lost: int  # of a damaged input
    series: list[Score]  # one entry per edited face and frame, or per face of every so many frames: see series_every
    series_every: int = 1  # frames from one that has entries to the next; above 1 where there would be too many
    series_file: str | None = None  # where all of them are, a line of JSON each, if they are not all here
    names: Mapping[str, str] = field(default_factory=dict)  # person, by id -> name, of those who were recognised
    source: str | None = None  # the video that was edited
    codes: str | None = None  # the latent file that was rendered; None: this run looked for the faces and inverted them
    untrusted: list[Untrusted] = field(default_factory=list)
    occluded: list[Occluded] = field(default_factory=list)
    quality: Mapping[str, Figure] = field(default_factory=dict)  # by name; empty unless a full report was asked for
    networks: Mapping[str, str] = field(default_factory=dict)  # what measured: identity, attributes, landmarks, LPIPS
    unmeasured: Mapping[str, str] = field(default_factory=dict)  # network -> why its figures are null
    outcomes: list[Outcome] = field(default_factory=list)  # of each person whom an edit acted on
    strip: list[Shown] = field(default_factory=list)  # pictures for the page; no part of the JSON

    def as_dict(self) -> dict[str, Any]:
        """What the JSON file holds."""
        rows = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "strip"}
        return rows | {
            "series": [_row(score) for score in self.series],
            "untrusted": [asdict(span) for span in self.untrusted],
            "occluded": [asdict(span) for span in self.occluded],
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
            "quality": {name: asdict(figure) for name, figure in self.quality.items()},
        }


def _row(score: Score) -> dict[str, Any]:
    """Without what was not looked at: most rows have no attributes."""
    empty = {"attributes"} if not score.attributes else set()
    empty |= {"doubts"} if score.trust is None else set()
    return {k: v for k, v in asdict(score).items() if k not in empty and (v is not None or k == "time")}
