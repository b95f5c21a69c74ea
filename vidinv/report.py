"""What a run reports: how well the identity held, what the edit did, where the time went, what went wrong."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from vidinv.metrics.identity import similarity

VIEWS = ("source", "inversion", "edited")


@dataclass
class PersonTally:
    """Running sums over the edited frames of one person; no embedding is kept but the first and the last."""

    frames: int = 0
    first: dict[str, NDArray] = field(default_factory=dict)
    last: dict[str, NDArray] = field(default_factory=dict)
    last_index: int = -2
    to_source: dict[str, float] = field(default_factory=dict)  # sum of <R(view_i), R(source_i)>
    to_first: dict[str, float] = field(default_factory=dict)  # sum of <R(view_i), R(view_0)>
    local: float = 0.0  # sum of neighbours' similarity, edited over source
    neighbours: int = 0

    def add(self, index: int, embeddings: dict[str, NDArray]) -> None:
        """One frame: the unit embedding [D] of each view."""
        self.first = self.first or embeddings
        for view in VIEWS:
            value = float(similarity(embeddings[view], self.first[view]))
            self.to_first[view] = self.to_first.get(view, 0.0) + value
            value = float(similarity(embeddings[view], embeddings["source"]))
            self.to_source[view] = self.to_source.get(view, 0.0) + value
        if index == self.last_index + 1:
            kept = float(similarity(embeddings["source"], self.last["source"]))
            self.local += float(similarity(embeddings["edited"], self.last["edited"])) / kept
            self.neighbours += 1
        self.frames, self.last, self.last_index = self.frames + 1, embeddings, index


@dataclass
class Tally:
    """Everything that is counted while frames pass by."""

    frames: int = 0
    faces: int = 0  # face crops in all frames
    persons_seen: set[int] = field(default_factory=set)
    persons: dict[int, PersonTally] = field(default_factory=dict)
    attributes: dict[str, dict[str, float]] = field(default_factory=dict)  # name -> view -> sum of scores
    attribute_faces: int = 0
    series: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """The outcome of one run. Similarities are cosines of the pack's identity network."""

    output: str | None
    edits: list[str]
    frames: int
    faces: int
    persons: list[int]
    identity_similarity: dict[str, float | None]  # inversion, edited: mean cosine to the source's own frame
    identity_consistency: dict[str, Any]  # source, inversion, edited: Eq. 9; and the same under "persons"
    local_identity: float | None  # TL-ID
    attributes: dict[str, dict[str, float]]  # name -> source, edited, change: mean scores of the attribute network
    stages: dict[str, dict[str, float]]  # name -> seconds, items
    seconds: float
    pack: dict[str, str]  # name, hash
    warnings: list[str]
    damaged: bool  # the input was; what decodes was edited
    frames_lost: int  # of a damaged input
    series: list[dict[str, Any]]  # one entry per edited face and frame

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def write(self, path: str | Path) -> None:
        """Write JSON, whole or not at all."""
        path = Path(path)
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def summarise_identity(persons: dict[int, PersonTally]) -> tuple[dict, dict, float | None]:
    """identity_similarity, identity_consistency and TL-ID of a run; None where nothing was edited."""
    total = sum(p.frames for p in persons.values())
    if not total:
        nothing = dict.fromkeys(VIEWS)
        return dict.fromkeys(VIEWS[1:]), {**nothing, "persons": {}}, None

    def mean(sums: str, view: str) -> float:
        return sum(getattr(p, sums)[view] for p in persons.values()) / total

    alike = {view: mean("to_source", view) for view in VIEWS[1:]}
    # Eq. 9 is about one person: every person is held against his own first frame, and frames count equally.
    held: dict[str, Any] = {view: mean("to_first", view) for view in VIEWS}
    held["persons"] = {str(i): {v: p.to_first[v] / p.frames for v in VIEWS} for i, p in sorted(persons.items())}
    neighbours = sum(p.neighbours for p in persons.values())
    local = sum(p.local for p in persons.values()) / neighbours if neighbours else None
    return alike, held, local
