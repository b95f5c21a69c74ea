"""Train a Feature-Style encoder for a generator, then both together; stops and resumes at any time.

    python -m pipelines.train_encoder --settings pipelines/settings/face-256.toml --data data/faces-256 \\
        --labellers LABELLERS --generator runs/face-256-generator --out runs/face-256 [--minutes 9]
    python -m pipelines.train_encoder --joint ...the same

The generator is that of a run of train_generator, or of a model pack: an imported StyleGAN3, say. `vidinv packs import
--encoder OUT/checkpoint.pt` then puts the encoder beside it.

At every checkpoint it writes to --out: state and state-portable (with --joint: joint, joint-portable) to resume from,
checkpoint.pt (averaged generator and encoder, fp16, which fit_directions and make_pack read), a line of log.jsonl and
a sheet (faces, G(w, F), G(w)).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from pipelines.arguments import gpu_arguments, shorter, tune
from vidinv.faces.quads import FACE
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.runtime.compute import Compute
from vidinv.training import adversarial, checkpoints, inversion, losses, teachers, validation
from vidinv.training.adversarial import AnyGenerator
from vidinv.training.bank import FaceBank, FaceFolder, open_faces
from vidinv.training.discriminator import DiscriminatorConfig
from vidinv.training.inversion import InversionOptions, InversionState, JointOptions
from vidinv.training.runs import Run, complete, train
from vidinv.training.settings import build, read_settings
from vidinv.training.sheets import write_sheet
from vidinv.training.styles import styles_of
from vidinv.types import known

BEGUN = time.monotonic()

RECIPE = "`pipelines.train_generator` made the generator, `pipelines.train_encoder` (phase {}) saw {} pictures"


def read_generator(where: str | Path, settings: dict, device: str) -> AnyGenerator:
    """The averaged generator of a run of train_generator, or that of a pack (name or folder).

    The table [generator] is of a StyleGAN2; of it a pack that has one takes K alone.

    :raises UnknownPack: it is neither. :raises ValueError: it has no layer K.
    """
    if not (Path(where) / "checkpoint.pt").is_file():
        from vidinv.packs.load import load_pack  # safetensors, which a GPU's machine may lack

        generator = load_pack(where, device).generator
        layer = settings.get("generator", {}).get("feature_layer")
        return inversion.at_layer(generator, layer) if layer and isinstance(generator, Generator) else generator
    generator = Generator(build(GeneratorConfig, settings["generator"]))
    generator.load_state_dict(checkpoints.read_weights(Path(where))["generator"])
    return generator.to(device).to(memory_format=torch.channels_last)


def begin(
    options: argparse.Namespace, settings: dict, how: InversionOptions, faces: FaceFolder, compute: Compute
) -> InversionState:
    """The run as it stands: resumed, or begun from the generator's run (and, with --joint, from the encoder's)."""
    generator = read_generator(options.generator, settings, compute.device)
    config = build(EncoderConfig, settings["encoder"])
    if not options.joint:
        styles = styles_of(options.generator, faces, compute) if how.styles == "codes" else None
        state = inversion.start(generator, config, how, compute, styles)
        if saved := checkpoints.resume(options.out):
            state.from_dict(saved)
        return state
    saved = checkpoints.resume(options.out, "joint")
    before, critic = (checkpoints.resume(Path(folder)) for folder in (options.out, options.generator))
    if not saved and not (before and critic):
        wanting = options.generator if before else options.out
        raise FileNotFoundError(f"{wanting} holds no state to go on from; run the steps before --joint first")
    encoder = FeatureStyleEncoder(config).to(compute.device).to(memory_format=torch.channels_last)
    if before:
        encoder.load_state_dict(before["average_encoder"])
    critic_config = build(DiscriminatorConfig, settings["discriminator"])
    if not isinstance(generator, Generator):
        raise ValueError(f"--joint trains a StyleGAN2 generator, and {options.generator} has one of another kind")
    assert isinstance(how, JointOptions)
    state = inversion.start_joint(generator, encoder, critic_config, how, compute)
    if saved:
        state.from_dict(saved)
    else:
        known(state.critic).from_dict(known(critic)["critic"])
    return state


def keep_all(
    state: InversionState,
    bank: FaceBank,
    nets: teachers.Teachers,
    val: tuple,
    options: argparse.Namespace,
    how: InversionOptions,
) -> dict[str, float]:
    """Write all files of a checkpoint; returns the figures on the validation faces."""
    encoder, name = inversion.finished_encoder(state, bank, how.batch), "joint" if state.joint else "encoder"
    weights = {"generator": state.average_generator.state_dict(), "encoder": encoder.state_dict(), "seen": state.seen}
    weights |= {"before": 0, "recipe": RECIPE.format(name, state.seen)}
    weights |= {"encoder_config": asdict(encoder.config), "template": asdict(FACE)}
    checkpoints.keep(options.out, state.to_dict(), weights, options.part_mib, "joint" if state.joint else "state")
    x, grids = val
    full, styled = validation.invert(state.average_generator, encoder, x, how.feature_branch)
    write_sheet(options.out / f"{name}-{state.seen:08d}.png", [x[:12], full[:12], styled[:12]])
    if state.joint:
        sheet = adversarial.samples(state.average_generator, 12, Compute(str(x.device), torch.float32))
        write_sheet(options.out / f"samples-{state.seen:08d}.png", [sheet])
    return validation.inversion_figures(nets, x, full, styled, grids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gpu_arguments(parser)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--generator", required=True, help="run of train_generator, or model pack")
    parser.add_argument("--joint", action="store_true", help="train the generator too, with the discriminator on")
    options = parser.parse_args()
    settings, compute = read_settings(options.settings), tune(options)
    kind, table = (JointOptions, "joint") if options.joint else (InversionOptions, "inversion")
    how = shorter(build(kind, settings[table]), options)
    options.out.mkdir(parents=True, exist_ok=True)
    faces = open_faces(options.data, build(EncoderConfig, settings["encoder"]).resolution)
    state = begin(options, settings, how, faces, compute)
    print(f"{table}: {state.seen} of {how.images} images seen, {compute}", flush=True)

    size, nets = state.generator.config.resolution, teachers.load_teachers(options.labellers)
    nets.labeller.to(compute.device)
    grids = losses.identity_grids(nets, faces.labels["points68"], size)
    bank, rows = faces.bank(compute.device, grids), faces.val[:64]
    val = faces.tensor(np.sort(rows)).to(compute.device), grids[np.sort(rows)].to(compute.device)
    run = Run(options.out / "log.jsonl", options.minutes, options.checkpoint, BEGUN)

    def checkpoint() -> dict[str, float | str]:
        return {"phase": table, **keep_all(state, bank, nets, val, options, how)}

    train(run, state, how.images, how.batch, lambda: inversion.step(state, bank, nets, how, compute), checkpoint)
    complete(run, state, checkpoint)


if __name__ == "__main__":
    main()
