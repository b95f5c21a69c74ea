"""Does W* hold attributes apart better than W+? The table of Shukor et al. 2022 for a pack, and edits at equal effect.

    python -m benchmarks.disentanglement --run runs/flow --data data/faces-128 --labellers LABELLERS --pack face-128 \\
        [--publish]

--run is one of pipelines.train_flow, for that pack. Both spaces' machines are fitted to the faces that T was trained
with, and tried on those kept for validation. Edits go along the same normals: straight in W+, or in W* and back, at
lengths whose mean effect on training faces is the same. As in the paper they are measured in G(w), and beside that in
G(w, F), through the whole pack (Eq. 1 of Yao et al. 2022). A sheet (of G(w), then of G(w, F): no edit, then a row for
each edit and space) goes to runs/benchmarks/disentanglement.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.disentanglement.editing import EDITED, Bench, at_equal_effect, styled, ways
from benchmarks.disentanglement.spaces import both_spaces
from benchmarks.output import RUNS, add_output, conclude, destination, tell
from vidinv.errors import InputMissing
from vidinv.models.generator import edited_feature
from vidinv.models.latent_flow import LatentFlow, LatentFlowConfig
from vidinv.training import accessories, card, checkpoints, directions, losses, photometry, teachers, unfolding
from vidinv.training.attribute_codes import read_attribute_codes
from vidinv.training.bank import FaceFolder, open_faces
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.training.networks import Networks, open_networks
from vidinv.training.scores import scales
from vidinv.training.shards import read_crops
from vidinv.training.sheets import write_sheet
from vidinv.types import Code

SHOWN = 10  # faces on the sheet
SPREAD = 1000  # faces along which standard deviations are measured


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run of pipelines.train_flow")
    parser.add_argument("--data", type=Path, required=True, help="folder of prepared shards")
    parser.add_argument("--labellers", type=Path, required=True, help="folder of labelling networks")
    parser.add_argument("--pack", required=True, help="name or folder")
    parser.add_argument("--tried", type=int, default=12, help="training faces on which lengths are found")
    parser.add_argument("--faces", type=int, default=24, help="validation faces that are edited")
    parser.add_argument("--sheet", type=Path, default=RUNS / "disentanglement.png", help="where the sheet goes")
    add_output(parser)
    return parser.parse_args(args)


def read_flow(run: Path) -> tuple[LatentFlow, dict[str, Any]]:
    """:raises InputMissing: there is no such run."""
    if not (run / "checkpoint.pt").is_file():
        raise InputMissing(f"{run} has no checkpoint.pt; make one with python -m pipelines.train_flow --out {run}")
    saved = checkpoints.read_weights(run)
    flow = LatentFlow(LatentFlowConfig(**saved["config"])).eval().requires_grad_(False)
    flow.load_state_dict({k: v.float() for k, v in saved["latent_flow"].items()})
    return flow, saved


def adults(
    faces: FaceFolder, rows: np.ndarray, count: int, nets: teachers.Teachers, pack: Networks
) -> directions.Faces:
    """The first adults among ``rows``, encoded."""
    chosen = np.sort(card.cohort("age", faces.labels, rows)[:count])
    points = faces.labels["points68"][chosen]
    grids = losses.identity_grids(nets, points, pack.resolution), attribute_grids(points, pack.resolution)
    return card.encode_faces(pack.encoder, faces.tensor(chosen), points, *grids)


@torch.inference_mode()
def draw(bench: Bench, faces: directions.Faces, move: card.Move, steps: float) -> torch.Tensor:
    """The edited pictures of the sheet's faces."""
    some = card.subset(faces, slice(0, SHOWN))
    moved = move(Code(some.w, some.feature), steps)
    native, (native_moved, below) = bench.generator.features(some.w), bench.generator.below(moved.w)
    return bench.generator.render_from(moved.w, edited_feature(moved.feature, native, native_moved), below)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures. Raises a VidinvError."""
    (flow, saved), codes = read_flow(options.run), read_attribute_codes(options.run)
    if codes is None:
        raise InputMissing(f"{options.run} has no styles of faces; resume pipelines.train_flow --out {options.run}")
    how = unfolding.UnfoldingOptions()
    rows, _, val = unfolding.parts(codes, how.tuned)
    result: dict[str, Any] = {"spaces": both_spaces(flow, codes, rows, val, how.c)}
    nets, pack = teachers.load_teachers(options.labellers), open_networks(options.pack)
    faces, rng = open_faces(options.data, pack.resolution), np.random.default_rng(0)
    some = rng.permutation(faces.train)[:SPREAD]
    mine = {k: v[some] for k, v in faces.labels.items()}
    mine |= photometry.measured(read_crops(options.data, some), mine["points68"])
    labelling = Labelling(nets, scales(mine), accessories.load_probe(options.data, faces.labels))
    sets = (rng.permutation(faces.train), options.tried), (rng.permutation(faces.val), options.faces)
    bench = Bench(pack.generator, labelling, *(adults(faces, r, count, nets, pack) for r, count in sets))
    w = torch.from_numpy(codes.w[rows[:SPREAD]]).float()
    result["edits"] = {}
    sheets: list[list[torch.Tensor]] = [[], []]
    kinds = styled(bench.generator, bench.faces), bench.faces
    for sheet, kind in zip(sheets, kinds, strict=True):
        sheet.append(draw(bench, kind, lambda code, _: code, 0.0))
    for name in (n for n in EDITED if n in codes.names):
        result["edits"][name] = found = at_equal_effect(bench, flow, name, w)
        for space, move in ways(flow, name, w).items():
            for sheet, kind in zip(sheets, kinds, strict=True):
                if found["spaces"]:
                    sheet.append(draw(bench, kind, move, found["spaces"][space]["length"]))
    write_sheet(options.sheet, sheets[0] + sheets[1])
    config = flow.config
    return result | {
        "pack": options.pack,
        "attributes": list(codes.names),
        "cuts": dict(zip(codes.names, codes.cuts.tolist(), strict=True)),
        "faces": {"fitted": len(rows), "validation": len(val), "edited": len(bench.faces.w)},
        "budget": {
            "codes": saved["seen"],
            "couplings": config.couplings,
            "hidden": config.hidden,
            "mb": sum(p.numel() for p in flow.state_dict().values()) * 2 / 1e6,
        },
    }


def main(args: list[str] | None = None) -> None:
    options = arguments(args)
    conclude(lambda: tell(measure(options), destination(options, "disentanglement.json")))


if __name__ == "__main__":
    main()
