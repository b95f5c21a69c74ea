"""What all parts of the benchmark are handed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from benchmarks.inversion.codes import Keeper, Kept, drawn
from benchmarks.inversion.rows import ROWS, lacking, possible
from benchmarks.inversion.rulers import Rulers
from benchmarks.inversion.subjects import Subjects
from vidinv.inversion import Inverted
from vidinv.packs.load import Pack


@dataclass(frozen=True)
class Bench:
    """A pack, the faces and the rulers."""

    pack: Pack
    keeper: Keeper
    rulers: Rulers
    faces: Subjects
    """Those that only encoders invert after those that all do."""
    count: int
    """Faces that all rows invert."""
    sheets: Path
    wanted: tuple[str, ...] = tuple(ROWS)
    """Rows that are measured now; others were or will be."""

    @property
    def shared(self) -> Subjects:
        """The faces that all rows invert."""
        return self.faces.first(self.count)

    def kept(self, name: str) -> Kept:
        """A row's codes, of all faces where it is quick."""
        some = self.shared if ROWS[name].searches else self.faces
        return self.keeper.codes(name, some.pictures, some.digest)

    def code(self, name: str) -> Inverted:
        """A row's codes of the faces that all rows invert."""
        return self.kept(name).first(self.count)

    def of(self, name: str, others: Subjects) -> Inverted:
        """A row's codes of other pictures."""
        return self.keeper.codes(name, others.pictures, others.digest).code

    def drawn(self, code: Inverted) -> Tensor:
        return drawn(self.pack, code)

    def possible(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of ``names`` that are wanted, and that the pack can do."""
        return possible(self.pack, [n for n in names if n in self.wanted])


def measure_row(bench: Bench, name: str) -> dict[str, Any]:
    """Figures of a row on the faces that all invert; of an encoder also on all there are, under "more"."""
    row = ROWS[name]
    if why := lacking(bench.pack, row):
        return {"title": row.title, "left_out": why}
    kept = bench.kept(name)
    made = bench.drawn(kept.code)
    told = {
        "title": row.title,
        "search": bench.keeper.described(row),
        "seconds": kept.seconds,
        "figures": bench.rulers.measured(made[: bench.count], bench.shared) | in_domain(bench, kept.first(bench.count)),
    }
    if len(made) > bench.count:
        told["more"] = {"faces": len(made), "figures": bench.rulers.measured(made, bench.faces)}
    return told


def in_domain(bench: Bench, code: Inverted) -> dict[str, float]:
    """How far from its domain the domain-guided encoder E finds styles: |w - E(G(w))| / |w - mean|, the mean."""
    encoder = bench.pack.optional("domain_encoder")
    if encoder is None:
        return {}
    again = encoder(bench.drawn(Inverted(code.w, bench.pack.generator.features(code.w).float())))
    apart = [(code.w - other).flatten(1).norm(dim=1) for other in (again, encoder.mean_latent)]
    return {"domain": float((apart[0] / apart[1]).mean())}
