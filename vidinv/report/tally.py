"""What is counted while frames pass by. Of shots that are over only a few numbers are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidinv.metrics.identity import global_consistency, similarity
from vidinv.report.acted import Acted
from vidinv.report.running import Running, Thinned

VIEWS = ("source", "inversion", "edited")
PAIRS = 512  # frames per person that TG-ID compares, all with all
Embeddings = Mapping[str, NDArray[np.float32]]  # by view


@dataclass(frozen=True)
class PersonTally:
    """Running sums over the edited frames of one person; no embedding is kept but the first, the last and a few.

    Frames are held against others of their shot only: in the next one the light is another. A view may be missing (a
    comparison of two videos has no inversion), but then in every frame.
    """

    frames: int = 0
    first: Embeddings = field(default_factory=dict)
    last: Embeddings = field(default_factory=dict)
    last_index: int = -2
    to_source: Mapping[str, float] = field(default_factory=dict)  # sum of <R(view_i), R(source_i)>
    to_first: Mapping[str, float] = field(default_factory=dict)  # sum of <R(view_i), R(view_0)>, 0 the shot's first
    local: float = 0.0  # sum of neighbours' similarity, edited over source
    neighbours: int = 0
    spread: Thinned[tuple[NDArray[np.float32], NDArray[np.float32]]] = Thinned(PAIRS)  # source, edited
    over: tuple[int, float] = (0, 0.0)  # frames of shots that are over, and the mean TG-ID of these

    @property
    def global_consistency(self) -> float | None:
        """TG-ID over at most ``PAIRS`` evenly spread frames of each shot; None with fewer than two in all of them."""
        frames, mean = self._consistency
        return mean if frames else None

    @property
    def _consistency(self) -> tuple[int, float]:
        """With the frames that it is of."""
        if len(self.spread) < 2:
            return self.over
        now, (before, mean) = self.spread.offered, self.over
        value = global_consistency(*(np.stack(views) for views in zip(*self.spread, strict=True)))
        return before + now, value if not before else (before * mean + now * value) / (before + now)

    def finished(self) -> PersonTally:
        """Without embeddings: the shot is over."""
        if not self.first:
            return self
        nothing = Thinned[tuple[NDArray[np.float32], NDArray[np.float32]]](PAIRS)
        return replace(self, first={}, last={}, last_index=-2, spread=nothing, over=self._consistency)

    def add(self, index: int, embeddings: Embeddings) -> PersonTally:
        """One frame more: the unit embedding [D] of each view."""
        first, local, neighbours = self.first or embeddings, self.local, self.neighbours
        if index == self.last_index + 1:
            kept = float(similarity(embeddings["source"], self.last["source"]))
            local += float(similarity(embeddings["edited"], self.last["edited"])) / kept
            neighbours += 1
        return PersonTally(
            self.frames + 1,
            first,
            embeddings,
            index,
            _summed(self.to_source, {v: similarity(e, embeddings["source"]) for v, e in embeddings.items()}),
            _summed(self.to_first, {v: similarity(e, first[v]) for v, e in embeddings.items()}),
            local,
            neighbours,
            self.spread.add(lambda: (embeddings["source"], embeddings["edited"])),
            self.over,
        )


def _summed(sums: Mapping[str, float], values: Mapping[str, Any]) -> dict[str, float]:
    return {**sums, **{view: sums.get(view, 0.0) + float(value) for view, value in values.items()}}


@dataclass(frozen=True)
class Tally:
    """Everything that is counted while frames pass by."""

    frames: int = 0
    faces: int = 0  # in all frames
    persons_seen: frozenset[int] = frozenset()
    names: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # that persons were called, every shot anew
    persons: Mapping[int, PersonTally] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # name -> view -> sum of scores
    attribute_faces: int = 0
    changes: Mapping[tuple[str, int], Running] = field(default_factory=dict)  # (name, person): edited - source, scores
    acted: Mapping[int, Acted] = field(default_factory=dict)  # by person
    asked: int = 0  # faces that an edit was made for
    shown: int = 0  # and those of them that it reached
    doubts: Mapping[str, int] = field(default_factory=dict)  # why it did not reach the others, in how many

    def add_frame(self, persons: frozenset[int], names: Mapping[int, str] = {}) -> Tally:
        """One frame more, and who is in it, of some the name."""
        more = self._more(names)
        return replace(
            self,
            frames=self.frames + 1,
            faces=self.faces + len(persons),
            persons_seen=self.persons_seen | persons if persons - self.persons_seen else self.persons_seen,
            names={**self.names, **more} if more else self.names,
        )

    def _more(self, names: Mapping[int, str]) -> dict[int, tuple[str, ...]]:
        """Those who were not called so before."""
        before = {person: self.names.get(person, ()) for person in names}
        return {person: (*before[person], name) for person, name in names.items() if name not in before[person]}

    def cut(self) -> Tally:
        """A new shot starts."""
        return replace(self, persons={number: person.finished() for number, person in self.persons.items()})

    def add_identity(self, person: int, index: int, embeddings: Embeddings) -> Tally:
        """The embeddings of a person's views in one frame; without any, nothing."""
        if not embeddings:
            return self
        tally = self.persons.get(person, PersonTally()).add(index, embeddings)
        return replace(self, persons={**self.persons, person: tally})

    def add_amount(self, person: int, amount: float | None, held: Mapping[str, tuple[float, float]]) -> Tally:
        """How much of the edits acts on a face, and what of it is held: see :class:`Acted`.

        :param amount: None: this program made no edit.
        """
        if amount is None:
            return self
        return replace(self, acted={**self.acted, person: self.acted.get(person, Acted()).add(amount, held)})

    def add_reached(self, weight: float, doubts: Sequence[str]) -> Tally:
        """A face that an edit was made for. :param weight: of the edit in the picture. :param doubts: of Assessment."""
        if weight > 0:
            return replace(self, asked=self.asked + 1, shown=self.shown + 1)
        found = {doubt: self.doubts.get(doubt, 0) + 1 for doubt in doubts}
        return replace(self, asked=self.asked + 1, doubts={**self.doubts, **found})

    def add_attributes(self, person: int, scores: Mapping[str, tuple[float, float]]) -> Tally:
        """What the attribute network says of one face, before and after, by the scores' names."""
        sums, changes = dict(self.attributes), dict(self.changes)
        for name, (before, after) in scores.items():
            so_far = sums.get(name, {"source": 0.0, "edited": 0.0})
            sums[name] = {"source": so_far["source"] + before, "edited": so_far["edited"] + after}
            changes[name, person] = changes.get((name, person), Running()).add(after - before)
        acted = {**self.acted, person: self.acted.get(person, Acted()).read(scores)}
        faces = self.attribute_faces + 1
        return replace(self, attributes=sums, changes=changes, attribute_faces=faces, acted=acted)


def summarise_identity(
    persons: Mapping[int, PersonTally],
) -> tuple[dict[str, float | None], dict[str, Any], float | None]:
    """identity_similarity, identity_consistency and TL-ID of a run; None where nothing was edited."""
    total = sum(p.frames for p in persons.values())
    if not total:
        nothing = dict.fromkeys(VIEWS)
        return dict.fromkeys(VIEWS[1:]), {**nothing, "persons": {}}, None

    def mean(sums: list[Mapping[str, float]], view: str) -> float | None:
        found = [s[view] for s in sums if view in s]
        return sum(found) / total if len(found) == len(sums) else None

    alike = {view: mean([p.to_source for p in persons.values()], view) for view in VIEWS[1:]}
    # Eq. 9 is about one clip of one person: they are held against their own first frame of the shot, and frames count
    # equally.
    held: dict[str, Any] = {view: mean([p.to_first for p in persons.values()], view) for view in VIEWS}
    held["persons"] = {
        str(i): {v: p.to_first[v] / p.frames if v in p.to_first else None for v in VIEWS}
        for i, p in sorted(persons.items())
    }
    neighbours = sum(p.neighbours for p in persons.values())
    local = sum(p.local for p in persons.values()) / neighbours if neighbours else None
    return alike, held, local


def global_identity(persons: Mapping[int, PersonTally]) -> float | None:
    """TG-ID; persons count by their frames."""
    found = [(p.frames, value) for p in persons.values() if (value := p.global_consistency) is not None]
    total = sum(n for n, _ in found)
    return sum(n * value for n, value in found) / total if total else None
