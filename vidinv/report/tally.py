"""What is counted while frames pass by; memory stays bounded but for the series."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidinv.metrics.identity import global_consistency, similarity
from vidinv.report.running import Running, Thinned

VIEWS = ("source", "inversion", "edited")
PAIRS = 512  # frames per person that TG-ID compares, all with all


@dataclass
class PersonTally:
    """Running sums over the edited frames of one person; no embedding is kept but the first, the last and a few.

    A view may be missing (a comparison of two videos has no inversion), but then in every frame.
    """

    frames: int = 0
    first: dict[str, NDArray] = field(default_factory=dict)
    last: dict[str, NDArray] = field(default_factory=dict)
    last_index: int = -2
    to_source: dict[str, float] = field(default_factory=dict)  # sum of <R(view_i), R(source_i)>
    to_first: dict[str, float] = field(default_factory=dict)  # sum of <R(view_i), R(view_0)>
    local: float = 0.0  # sum of neighbours' similarity, edited over source
    neighbours: int = 0
    spread: Thinned[tuple[NDArray, NDArray]] = field(default_factory=lambda: Thinned(PAIRS))  # source, edited

    def add(self, index: int, embeddings: dict[str, NDArray]) -> None:
        """One frame: the unit embedding [D] of each view."""
        self.first = self.first or embeddings
        for view, embedding in embeddings.items():
            value = float(similarity(embedding, self.first[view]))
            self.to_first[view] = self.to_first.get(view, 0.0) + value
            value = float(similarity(embedding, embeddings["source"]))
            self.to_source[view] = self.to_source.get(view, 0.0) + value
        if index == self.last_index + 1:
            kept = float(similarity(embeddings["source"], self.last["source"]))
            self.local += float(similarity(embeddings["edited"], self.last["edited"])) / kept
            self.neighbours += 1
        self.spread.add(lambda: (embeddings["source"], embeddings["edited"]))
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
    changes: dict[tuple[str, int], Running] = field(default_factory=dict)  # (name, person): edited - source, scores
    series: list[dict[str, Any]] = field(default_factory=list)


def summarise_identity(persons: dict[int, PersonTally]) -> tuple[dict, dict, float | None]:
    """identity_similarity, identity_consistency and TL-ID of a run; None where nothing was edited."""
    total = sum(p.frames for p in persons.values())
    if not total:
        nothing = dict.fromkeys(VIEWS)
        return dict.fromkeys(VIEWS[1:]), {**nothing, "persons": {}}, None

    def mean(sums: str, view: str) -> float | None:
        found = [getattr(p, sums).get(view) for p in persons.values()]
        return None if None in found else sum(found) / total

    alike = {view: mean("to_source", view) for view in VIEWS[1:]}
    # Eq. 9 is about one person: every person is held against his own first frame, and frames count equally.
    held: dict[str, Any] = {view: mean("to_first", view) for view in VIEWS}
    held["persons"] = {
        str(i): {v: p.to_first[v] / p.frames if v in p.to_first else None for v in VIEWS}
        for i, p in sorted(persons.items())
    }
    neighbours = sum(p.neighbours for p in persons.values())
    local = sum(p.local for p in persons.values()) / neighbours if neighbours else None
    return alike, held, local


def global_identity(persons: dict[int, PersonTally]) -> float | None:
    """TG-ID over at most ``PAIRS`` evenly spread frames of each person; persons count by their frames."""
    found = [
        (p.frames, global_consistency(*(np.stack(views) for views in zip(*p.spread, strict=True))))
        for p in persons.values()
        if len(p.spread) > 1
    ]
    total = sum(n for n, _ in found)
    return sum(n * value for n, value in found) / total if total else None
