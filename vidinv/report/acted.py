"""What is counted of the edits on one person while frames pass by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vidinv.models.attributes import scaled
from vidinv.report.running import Running, add_all


@dataclass(frozen=True)
class Acted:
    """Over the frames in which the person was edited; of scores, over those of them in which they are read."""

    amount: Running = Running()
    """Steps of all edits together, without sign."""
    most: float = 0.0
    """The most of them in any frame."""
    source: Mapping[str, Running] = field(default_factory=dict)
    """Scores of the source by name."""
    change: Mapping[str, Running] = field(default_factory=dict)
    """And by how much the finished face's are higher."""
    moved: Mapping[str, Running] = field(default_factory=dict)
    """The same on the scale on which a standard deviation is told: see :func:`vidinv.models.attributes.scaled`."""
    held: Mapping[str, tuple[Running, Running]] = field(default_factory=dict)
    """Of what is held, by how much the edits move it without and with what holds it, standard deviations."""

    def add(self, amount: float, held: Mapping[str, tuple[float, float]]) -> Acted:
        """One frame more. :param amount: steps."""
        kept = dict(self.held)
        for name, pair in held.items():
            both = kept.get(name, (Running(), Running()))
            kept[name] = both[0].add(pair[0]), both[1].add(pair[1])
        return replace(self, amount=self.amount.add(amount), most=max(self.most, amount), held=kept)

    def read(self, scores: Mapping[str, tuple[float, float]]) -> Acted:
        """What the attribute network says of the face before and after, by the scores' names."""
        moved = {name: scaled(name, after) - scaled(name, before) for name, (before, after) in scores.items()}
        return replace(
            self,
            source=add_all(self.source, {name: before for name, (before, _) in scores.items()}),
            change=add_all(self.change, {name: after - before for name, (before, after) in scores.items()}),
            moved=add_all(self.moved, moved),
        )
