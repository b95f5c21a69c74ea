"""Pairs of pictures that end in a photograph: what a face has is taken away by a pack's edit network.

    python -m pipelines.undo_edits --codes data/codes --data data/faces-128 --pairs data/mates-128 \\
        --labellers LABELLERS --pack face-128-detail --out data/undone-128

--data is a folder of pipelines.prepare_faces after pipelines.label_accessories, --codes its codes by the pack, --pairs
one of pipelines.draw_pairs, which --out begins with. The column "drawn" says how much of what the file's name begins
with the photograph, and a picture between, have more than what was made of it, in standard deviations, as the labelling
networks read them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.draw_pairs import begun, jpeg, told
from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.training import shards, teachers, undone
from vidinv.training.codes import read_codes
from vidinv.training.labelling import attribute_grids, read_expression, read_points
from vidinv.training.networks import open_learned, open_networks
from vidinv.training.scores import shapes, shares_in_place
from vidinv.training.settings import read_settings
from vidinv.training.sheets import write_sheet

BATCH = 32
SHOWN = 16  # columns of the sheet
SETTINGS = Path(__file__).parent / "settings" / "edits-network.toml"


@torch.inference_mode()
def seen(nets: teachers.Teachers, pictures: NDArray, points: NDArray) -> tuple[NDArray, dict[str, NDArray]]:
    """Landmarks [N, 68, 2] of pictures [N, S, S, 3], and their scores that can be taken away.

    :param points: [N, 68, 2] where the faces are."""
    x, grids = to_tensor(pictures), attribute_grids(points, pictures.shape[1])
    found = read_points(nets, x, grids).numpy()
    return found, {"smile": read_expression(nets, x, grids)["smile"].numpy(), "mouth": shapes(found)["mouth"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--undo", default=",".join(undone.AWAY), help="what, by commas")
    parser.add_argument("--count", type=int, default=1500, help="faces of which each is taken away, at most")
    options = parser.parse_args()
    codes, labels = read_codes(options.codes), shards.read_labels(options.data)
    pairs, nets = shards.read_labels(options.pairs), teachers.load_teachers(options.labellers)
    (network, _), generator = open_learned(options.pack), open_networks(options.pack).generator
    colours = shares_in_place(read_settings(SETTINGS)["edits"])
    columns, first = begun(pairs, labels)
    crops, rng = [jpeg(x) for x in shards.read_crops(options.pairs)], np.random.default_rng(1)
    tables, sheet = [first], []
    for what in options.undo.split(","):
        rows = undone.fit(what, codes)
        rows = np.sort(rng.choice(rows, min(options.count, len(rows)), replace=False))
        kept: list[tuple[NDArray, ...]] = []
        for part in np.array_split(rows, max(-(-len(rows) // BATCH), 1)):
            whole = shards.read_crops(options.data, part)
            shares = rng.uniform(*undone.PART, len(part)).astype(np.float32)
            how = (what, codes, part, network, generator, colours)
            pictures = [undone.undo(*how), undone.undo(*how, shares), whole]
            found = [seen(nets, x, labels["points68"][part]) for x in pictures]
            found[2] = (labels["points68"][part], found[2][1])
            more = [(read[what] - found[0][1][what]) / codes.scales[what] for _, read in found]
            places = [points for points, _ in found]
            each = (np.stack(of, 1) for of in (pictures, places, more))
            kept += [item for item in zip(part, *each, strict=True) if taken(item[-1])]
        print(f"{what}: {len(kept)} of {len(rows)} faces", flush=True)
        if not kept:
            continue
        rows, *taught = (np.stack(c) for c in zip(*kept, strict=True))
        for number, (pictures, places, drawn) in enumerate(zip(*(np.swapaxes(x, 0, 1) for x in taught), strict=True)):
            crops += [jpeg(x) for x in pictures]
            files = [f"{what}/away-{row:07d}/{number}" for row in rows]
            tables.append(told({name: labels[name][rows] for name in columns}, files, places, drawn))
            sheet.append(to_tensor(pictures[np.linspace(0, len(rows) - 1, SHOWN).astype(int)]))
    if not sheet:
        raise InputError(f"{options.codes}: no training face shows {options.undo} so that it could be taken away")
    merged = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
    shards.write_shards(options.out, crops, merged)
    write_sheet(options.out / "sheet.png", sheet)


def taken(amounts: NDArray) -> bool:
    """Was enough taken away, and part of it between? NaN was not read. :param amounts: [3], of the three pictures."""
    return bool(amounts[2] > undone.LEAST and 0 < amounts[1] < amounts[2])


if __name__ == "__main__":
    main()
