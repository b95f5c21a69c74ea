"""A published generator, of whichever family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidinv.errors import UnsuitableCheckpoint
from vidinv.packs.published import stylegan2, stylegan3
from vidinv.packs.published.generator_state import PublishedGenerator
from vidinv.packs.published.reading import tensors_under


def read_generator(tree: Any, path: Path) -> PublishedGenerator:
    """The generator in a checkpoint: the averaged one (g_ema, G_ema) where there are several.

    :raises UnsuitableCheckpoint: none of the known layouts, or one that does not fit.
    """
    tree = tree if isinstance(tree, dict) else {}
    state = tree.get("g_ema") or tree.get("G_ema") or tree.get("state_dict") or tree
    if any(k.startswith("decoder.") for k in state):
        state = tensors_under(state, "decoder.")
    state = tensors_under(state, "")
    if "input.input" in state:
        return stylegan2.rosinality(state, tree.get("latent_avg"), path)
    if "synthesis.b4.const" in state:
        return stylegan2.nvidia(state, path)
    if "synthesis.input.freqs" in state:
        return stylegan3.nvidia(state, path)
    some = ", ".join(sorted(map(str, state))[:3]) or "nothing by name"
    raise UnsuitableCheckpoint(f"{path} holds no StyleGAN2 or 3 generator that is known here (but {some})")
