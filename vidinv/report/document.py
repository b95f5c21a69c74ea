"""The outcome of a run, or of a comparison of two videos, as a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from vidinv.report.doubts import Occluded, Untrusted
from vidinv.report.figures import Figure
from vidinv.report.notebook import table
from vidinv.report.outcome import Outcome, sentence
from vidinv.report.quality import Shown
from vidinv.types import Score

PICTURES = 2  # moments that a notebook shows


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

    def __repr__(self) -> str:
        done = f"{self.frames} frames, {self.faces} faces, persons {self.persons}, {self.seconds:.1f} s"
        return f"<Report of {self.output}: {' '.join(self.edits)}; {done}>"

    def _repr_html_(self) -> str:
        """In a notebook: what was asked for, what came of it, and a few frames where the report was a full one."""
        rows = [
            ("output", str(self.output)),
            ("frames, faces", f"{self.frames}, {self.faces}"),
            *(_alike(name, value) for name, value in self.identity_similarity.items()),
            *((name, f"{s['source']:.2f} to {s['edited']:.2f}") for name, s in self.attributes.items()),
            ("seconds", f"{self.seconds:.1f}"),
        ]
        lines = [*map(sentence, self.outcomes), *(f"warning: {w}" for w in self.warnings)]
        pictures = [picture for shown in self.strip[:PICTURES] for picture in (shown.source, shown.edited)]
        return table(" ".join(self.edits) or "comparison", rows, lines, pictures)

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


def _alike(name: str, value: float | None) -> tuple[str, str]:
    return f"identity, {name}", "not measured" if value is None else f"{value:.3f}"


def _row(score: Score) -> dict[str, Any]:
    """Without what was not looked at: most rows have no attributes."""
    empty = {"attributes"} if not score.attributes else set()
    empty |= {"doubts"} if score.trust is None else set()
    return {k: v for k, v in asdict(score).items() if k not in empty and (v is not None or k == "time")}
