"""From NVIDIA's pickle of a StyleGAN3 to a pack that inverts: import, train an encoder, import again with it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from tests.packs.published.nvidia_pickles import network_pickle
from tests.packs.published.test_stylegan3 import D, weights
from tests.training.shards_toy import run_recipe, write_faces, write_labellers
from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.generator import render_pair
from vidinv.packs.load import load_pack
from vidinv.packs.published.importing import Sources, import_pack

pytestmark = pytest.mark.slow

SETTINGS = """
[encoder]
resolution = 128
widths = [8, 8, 8, 8]
blocks = [1, 1, 1]
hidden = 16
layers = 16
d_style = {d}
feature_channels = {channels}
feature_side = {side}
feature_margin = {margin}

[inversion]
images = 4
batch = 4
"""


def test_an_imported_stylegan3_gets_an_encoder_of_ours(tmp_path: Path) -> None:
    pickle = tmp_path / "stylegan3.pkl"
    pickle.write_bytes(network_pickle(weights(radial=False, resolution=128), z_dim=D))
    bare = import_pack(Sources(pickle, sefa=2), "bare", tmp_path / "packs")
    config = load_pack(bare.folder).generator.config
    channels, side, _ = config.feature_shape
    (tmp_path / "settings.toml").write_text(
        SETTINGS.format(d=D, channels=channels, side=side, margin=config.feature_margin)
    )
    write_faces(tmp_path / "faces", side=128)
    write_labellers(tmp_path / "labellers")
    run_recipe(
        "train_encoder",
        *("--settings", tmp_path / "settings.toml", "--data", tmp_path / "faces"),
        *("--labellers", tmp_path / "labellers", "--generator", bare.folder, "--out", tmp_path / "run"),
    )
    done = import_pack(Sources(pickle, encoder=tmp_path / "run" / "checkpoint.pt", sefa=2), "whole", tmp_path / "packs")
    assert any("trained by pipelines.train_encoder, 16 styles" in line for line in done.found)
    pack = load_pack(done.folder)
    w, feature = pack.encoder(torch.rand(2, 3, 128, 128) * 2 - 1)
    assert (w.shape, feature.shape) == ((2, 16, D), (2, *config.feature_shape))
    moved = w + pack.directions["sefa-0"].w
    before, after = render_pair(pack.generator, w, moved, feature)
    assert before.shape == after.shape == (2, 3, 128, 128)
    assert not torch.allclose(before, after)

    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    other = saved | {"encoder_config": saved["encoder_config"] | {"layers": 12}}
    torch.save(other, tmp_path / "other.pt")
    with pytest.raises(UnsuitableCheckpoint, match="takes an encoder with layers = 16"):
        import_pack(Sources(pickle, encoder=tmp_path / "other.pt"), "other", tmp_path / "packs")
    assert asdict(pack.encoder.config)["feature_margin"] == config.feature_margin
