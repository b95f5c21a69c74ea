"""Are codes easy to edit? The same edits on the codes of several methods (Zhu et al. 2020, section 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.inversion.bench import Bench
from benchmarks.inversion.codes import ENCODED
from benchmarks.inversion.plots import figure_of, finish, save
from benchmarks.inversion.rows import EDITED, ROWS
from benchmarks.inversion.subjects import Subjects
from vidinv.inversion import Inverted
from vidinv.models.generator import edited_feature
from vidinv.packs.load import Pack
from vidinv.training.labelling import attribute_grids, read_attributes, read_expression
from vidinv.training.teachers import Teachers
from vidinv.types import Code, Displacement, known

EDITS = ("age", "smile")
STRENGTHS = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0)  # steps
LOSS = 0.2  # 1 - cosine to the inversion, at which methods are compared
PARTS = {"as the product edits": True, "by the styles alone": False}  # with the displacement's part in F, or without


@torch.inference_mode()
def read(nets: Teachers, pictures: Tensor, where: Subjects) -> dict[str, Tensor]:
    """Age in years, smile and gender as log odds, [N] each, of pictures in -1..1.

    :param where: what they were made of, whose points are known.
    """
    grids = attribute_grids(known(where.points68), pictures.shape[-1])
    found: dict[str, list[Tensor]] = {}
    for x, grid in zip(pictures.split(ENCODED), grids.split(ENCODED), strict=True):
        for name, values in (read_attributes(nets, x, grid) | read_expression(nets, x, grid)).items():
            found.setdefault(name, []).append(values)
    return {name: torch.cat(parts) for name, parts in found.items()}


@torch.inference_mode()
def edited(pack: Pack, code: Inverted, step: Displacement, steps: float, feature: bool) -> Tensor:
    """The picture at ``steps`` of a displacement (Eq. 1 of Yao et al. 2022), [N, 3, S, S] in -1..1."""
    step, pictures = (step if feature else replace(step, feature=None)) * steps, []
    for w, f in zip(code.w.split(ENCODED), code.feature.split(ENCODED), strict=True):
        moved = step.of(Code(w, f))
        native, (native_moved, below) = pack.generator.features(w), pack.generator.below(moved.w)
        made = pack.generator.render_from(moved.w, edited_feature(moved.feature, native, native_moved), below)
        pictures.append(made.float().clamp(-1, 1))
    return torch.cat(pictures)


def measure_editing(bench: Bench, names: Sequence[str] = EDITED) -> dict[str, Any]:
    """Of each row and edit: change and identity kept at every strength, and the change at equal loss of identity."""
    nets, faces = bench.rulers.nets, bench.shared
    assert nets is not None
    sources, before = bench.rulers.identities(faces.pictures, faces)["identity"], read(nets, faces.pictures, faces)
    spread = {edit: float(before[edit].std()) for edit in EDITS}
    told: dict[str, Any] = {}
    for name in bench.possible(tuple(names)):
        code = bench.code(name)
        inverted = bench.drawn(code)
        own, start = bench.rulers.identities(inverted, faces)["identity"], read(nets, inverted, faces)
        told[name] = {part: {} for part in PARTS}
        for part, feature in PARTS.items():
            for edit in EDITS:
                curve = []
                for steps in STRENGTHS:
                    made = edited(bench.pack, code, bench.pack.directions[edit], steps, feature)
                    kept = bench.rulers.identities(made, faces)["identity"]
                    change = read(nets, made, faces)[edit] - start[edit]
                    curve.append(
                        {
                            "steps": steps,
                            "change": float(change.mean()) / spread[edit],
                            "identity_inversion": float((kept * own).sum(1).mean()),
                            "identity_source": float((kept * sources).sum(1).mean()),
                        }
                    )
                told[name][part][edit] = {"curve": curve, "at_equal_loss": at_equal_loss(curve)}
    return {"faces": len(faces.pictures), "loss": LOSS, "spread": spread, "rows": told}


def at_equal_loss(curve: Sequence[dict[str, float]], loss: float = LOSS) -> float:
    """The change, in the wanted direction, that costs ``loss`` of identity (1 - cosine to the inversion).

    Linear between strengths, from nothing at 0 steps on; the mean of both directions. Where the strongest edit costs
    less, it is that one's change.
    """
    reached = []
    for sign in (-1, 1):
        way = sorted((row for row in curve if row["steps"] * sign > 0), key=lambda row: abs(row["steps"]))
        costs = np.maximum.accumulate([0.0, *(1 - row["identity_inversion"] for row in way)])
        reached.append(float(np.interp(loss, costs, [0.0, *(sign * row["change"] for row in way)])))
    return float(np.mean(reached))


def plot(told: dict[str, Any], path: Path) -> Path:
    """Change against identity kept, a panel for each edit and part. :raises MissingExtra: no matplotlib."""
    figure, axes = figure_of(len(PARTS), len(EDITS))
    for panels, part in zip(axes, PARTS, strict=True):
        for panel, edit in zip(panels, EDITS, strict=True):
            for number, (name, row) in enumerate(told["rows"].items()):
                curve = sorted(row[part][edit]["curve"], key=lambda at: at["steps"])
                nothing = {"steps": 0.0, "change": 0.0, "identity_inversion": 1.0}
                middle = sum(at["steps"] < 0 for at in curve)
                curve.insert(middle, nothing)
                x, y = ([at[key] for at in curve] for key in ("change", "identity_inversion"))
                panel.plot(x, y, f"C{number}.-", linewidth=1.2, label=ROWS[name].title)
            panel.axhline(1 - told["loss"], color="#8a8f98", linewidth=0.8, linestyle=":")
            panel.set_title(f"{edit}, {part}", fontsize=9)
        panels[0].set_ylabel("cosine to the inversion")
    for panel in axes[-1]:
        panel.set_xlabel("change, standard deviations of the faces")
    finish(axes)
    return save(figure, axes, path)
