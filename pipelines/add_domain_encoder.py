"""Give a pack a domain-guided encoder, measured for the card beside the pack's own encoder.

    python -m pipelines.add_domain_encoder --run runs/domain-128 --data data/faces-128 --labellers LABELLERS \\
        --pack assets/models/face-128

Takes RUN/checkpoint.pt of pipelines.train_domain_encoder. The pack is changed in place; all else in it stays what it
is. Figures are of validation faces, measured after the weights were rounded to fp16.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidinv.errors import InputError
from vidinv.models.style_encoder import StyleEncoderConfig, style_misfits
from vidinv.packs.kinds import own_kind
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.spec import FILE_ENDING, NetworkSpec, PackSpec
from vidinv.packs.write import write_pack, write_tensors
from vidinv.training import checkpoints, losses, teachers
from vidinv.training.bank import FaceFolder, open_faces
from vidinv.training.card_text import write_card
from vidinv.training.domain_figures import style_figures, styled
from vidinv.training.similarity import structural

NETWORK = "domain_encoder"


def put(folder: Path, before: PackSpec, saved: dict, run: Path) -> PackSpec:
    """The pack with the encoder that a run saved.

    :raises InputError: it is for another generator; nothing was written.
    """
    config = StyleEncoderConfig(**saved["config"])
    if wrong := style_misfits(config, before.networks["generator"].config):
        raise InputError(f"--run: {run} is for another generator; {before.name} needs {', '.join(wrong)}")
    part = folder / f"{NETWORK}{FILE_ENDING}.part"
    write_tensors(part, saved[NETWORK])
    part.replace(folder / f"{NETWORK}{FILE_ENDING}")
    networks = {**before.networks, NETWORK: NetworkSpec(own_kind(NETWORK), config)}
    return write_pack(folder, replace(before, networks=networks))


def measured(pack: Pack, nets: teachers.Teachers, faces: FaceFolder, count: int) -> dict[str, dict[str, float]]:
    """Figures of both encoders' G(w) on validation faces, and how many faces there were."""
    rows = np.sort(faces.val[:count])
    x, grids = faces.tensor(rows), losses.identity_grids(nets, faces.labels["points68"][rows], pack.resolution)
    found: dict[str, dict[str, float]] = {"faces": {"training": len(faces.train), "measured": len(rows)}}
    for name, to_styles in (("domain", pack.domain_encoder), ("feature_style", lambda y: pack.encoder(y)[0])):
        w, made = styled(pack.generator, to_styles, x)
        found[name] = style_figures(pack.domain_encoder, nets, w, made, x, grids)
        found[name]["ssim"] = float(structural(made, x).mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True, help="folder that is changed")
    parser.add_argument("--faces", type=int, default=400, help="validation faces that are measured")
    options = parser.parse_args()
    saved, before = checkpoints.read_weights(options.run), load_pack(options.pack)
    nets, faces = teachers.load_teachers(options.labellers), open_faces(options.data, before.resolution)
    told = json.loads((options.pack / "card.json").read_text())
    spec = put(options.pack, before.spec, saved, options.run)

    figures, students, made_of, scale = (told.pop(k) for k in ("figures", "students", "faces", "scales"))
    figures["domain"] = measured(load_pack(options.pack), nets, faces, options.faces)
    write_card(options.pack, spec, figures, students, made_of, told | {"domain_recipe": saved["recipe"]}, scale)
    print(json.dumps(figures["domain"], indent=1))


if __name__ == "__main__":
    main()
