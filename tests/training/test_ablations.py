"""The ablations of the Feature-Style encoder (Yao et al. 2022, Table 4): each leaves out what it says, nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from pipelines.train_autoencoder import read_networks
from pipelines.train_encoder import read_generator
from tests.toy import ENCODER, GENERATOR, write_toy_pack
from tests.training.shards_toy import run_recipe, write_faces, write_labellers
from tests.training.teachers_toy import toy_teachers
from tests.training.test_inversion import ALONE, CPU, bank, begin, moved, run, weights
from vidinv.models.feature_style_encoder import EncoderConfig
from vidinv.models.generator import Generator
from vidinv.packs.load import load_pack
from vidinv.training import inversion, validation
from vidinv.training.inversion import InversionOptions
from vidinv.training.settings import build, read_settings

pytestmark = pytest.mark.usefixtures("one_thread")

FOLDER = Path(__file__).resolve().parents[2] / "pipelines" / "settings" / "ablation"
# What each file changes in the whole recipe.
CHANGES = {
    "a-single-scale": {"inversion": {"lpips_scales": [1]}},
    "b-no-feature": {"inversion": {"feature_branch": False}},
    "c-no-synthetic": {"inversion": {"synthetic": 0.0}},
    "k3": {"generator": {"feature_layer": 3}, "encoder": {"feature_channels": 256, "feature_side": 8}},
    "k7": {"generator": {"feature_layer": 7}, "encoder": {"feature_channels": 128, "feature_side": 32}},
}


def toy(name: str) -> InversionOptions:
    """An ablation's own options, at toy length."""
    table = read_settings(FOLDER / f"{name}.toml")["inversion"]
    return dataclasses.replace(build(InversionOptions, table), images=ALONE.images, batch=ALONE.batch)


@pytest.mark.parametrize("name", CHANGES)
def test_an_ablation_differs_from_the_whole_recipe_in_what_it_says(name: str) -> None:
    expected = read_settings(FOLDER / "full.toml")
    for table, keys in CHANGES[name].items():
        expected[table] = expected[table] | keys
    assert read_settings(FOLDER / f"{name}.toml") == expected


def test_every_ablation_fits_the_generator_of_face_128() -> None:
    assert {p.stem for p in FOLDER.glob("*.toml")} == {"full", *CHANGES}
    for path in FOLDER.glob("*.toml"):
        settings = read_settings(path)
        generator = read_generator("face-128", settings, "cpu")
        inversion.check_configs(generator, build(EncoderConfig, settings["encoder"]))


def test_a_single_scale_compares_pictures_at_their_own_size_alone() -> None:
    def sides(options: InversionOptions) -> list[int]:
        nets, seen = toy_teachers(), []
        nets.labeller.lpips.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[-1]))
        inversion.step(begin(options), bank(), nets, options, CPU)
        return seen

    assert sides(toy("a-single-scale")) == [64]
    assert sides(toy("full")) == [64, 32, 16]


def test_without_the_feature_branch_the_styles_alone_are_trained() -> None:
    options = toy("b-no-feature")
    state = begin(options)
    head, styles = weights(state.encoder.to_feature), weights(state.encoder.to_style)
    (figures,) = run(state, 1, options)
    assert set(figures) == {"mse_w", "lpips_w", "identity_w", "parts_w"}
    assert moved(head, state.encoder.to_feature) == 0
    assert moved(styles, state.encoder.to_style) == 1
    assert all(p.grad is None for p in state.encoder.to_feature.parameters())


def test_without_the_feature_branch_the_inversion_is_g_of_w() -> None:
    state, x = begin(ALONE), torch.rand(3, 3, 64, 64) * 2 - 1
    full, styled = validation.invert(state.generator, state.encoder.eval(), x, feature_branch=False)
    assert torch.equal(full, styled)
    assert not torch.equal(full, validation.invert(state.generator, state.encoder, x)[0])


def test_without_synthetic_faces_none_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise AssertionError("a face was made up")

    options = toy("c-no-synthetic")
    state = begin(options)
    monkeypatch.setattr(inversion, "draw_styles", none)
    (figures,) = run(state, 1, options)
    assert "mse_w" not in figures
    assert {"lpips", "lpips_w", "pull"} <= set(figures)
    assert state.seen == options.batch


@pytest.mark.parametrize(("share", "made_up"), [(0.5, 2), (0.25, 1), (0.99, 3)])
def test_the_share_of_synthetic_faces_leaves_at_least_one_real_one(share: float, made_up: int) -> None:
    options = dataclasses.replace(ALONE, synthetic=share)
    assert options.made_up == made_up
    real, fake = inversion._draw(begin(options), bank(), options, CPU)[0]
    assert (len(real), len(fake)) == (4 - made_up, made_up)


def test_a_recipe_without_a_real_face_or_a_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="synthetic is a share"):
        InversionOptions(synthetic=1.0)
    with pytest.raises(ValueError, match="lpips_scales"):
        InversionOptions(lpips_scales=())


@pytest.mark.parametrize(("layer", "side"), [(3, 8), (7, 32)])
def test_k_moves_the_feature_code_of_a_packs_generator_and_keeps_its_pictures(
    layer: int, side: int, tmp_path: Path
) -> None:
    pack = write_toy_pack(tmp_path / "toy")
    before = load_pack(pack).generator
    after = read_generator(pack, {"generator": {"feature_layer": layer}}, "cpu")
    assert after.config.feature_shape[1:] == (side, side)
    w = torch.randn(2, GENERATOR.layers, GENERATOR.d_style)
    picture, native = after(w, with_features=True)
    assert native.shape[-1] == side
    assert torch.allclose(picture, before(w), atol=1e-5)
    assert not torch.allclose(after(w, torch.zeros_like(native)), picture)


def test_k_beyond_the_generators_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 8 for this generator, not 9"):
        inversion.at_layer(Generator(GENERATOR), 9)


SETTINGS = """
[generator]
channels = {channels}
d_style = {d}
mapping_layers = 1
feature_layer = 3

[encoder]
resolution = 64
widths = {widths}
blocks = [1, 1, 1]
hidden = 32
layers = {layers}
d_style = {d}
feature_channels = 16
feature_side = 8

[inversion]
images = 8
batch = 4
styles = "codes"
feature_branch = false
"""


@pytest.mark.slow
def test_an_ablation_of_a_packs_encoder_is_trained_as_a_program_and_read_again(tmp_path: Path) -> None:
    pack = write_toy_pack(tmp_path / "toy")
    (tmp_path / "settings.toml").write_text(
        SETTINGS.format(
            channels=list(GENERATOR.channels), d=GENERATOR.d_style, widths=list(ENCODER.widths), layers=ENCODER.layers
        )
    )
    write_faces(tmp_path / "faces")
    write_labellers(tmp_path / "labellers")
    run_recipe(
        "train_encoder",
        *("--settings", tmp_path / "settings.toml", "--data", tmp_path / "faces"),
        *("--labellers", tmp_path / "labellers", "--generator", pack, "--out", tmp_path / "run"),
    )
    generator, encoder = read_networks(read_settings(tmp_path / "settings.toml"), tmp_path / "run")
    w, feature = encoder(torch.zeros(1, 3, 64, 64))
    assert feature.shape == (1, 16, 8, 8)
    assert generator(w, feature).shape == (1, 3, 64, 64)
