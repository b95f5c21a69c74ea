"""The encoder of styles alone, and what the Feature-Style encoder shares with it."""

from __future__ import annotations

from dataclasses import fields
from itertools import groupby

import torch

from tests.toy import ENCODER, GENERATOR
from vidinv.models.feature_style_encoder import FeatureStyleEncoder, misfits
from vidinv.models.generator import GeneratorConfig
from vidinv.models.style_encoder import StyleEncoder, StyleEncoderConfig, style_misfits

CONFIG = StyleEncoderConfig(**{f.name: getattr(ENCODER, f.name) for f in fields(StyleEncoderConfig)})
OTHER = GeneratorConfig(channels=(16, 16, 16, 8), d_style=8)


def test_with_the_same_weights_both_encoders_give_the_same_styles() -> None:
    torch.manual_seed(0)
    whole, styles = FeatureStyleEncoder(ENCODER).eval(), StyleEncoder(CONFIG).eval()
    whole.mean_latent.normal_()
    left = styles.load_state_dict(whole.state_dict(), strict=False)
    assert not left.missing_keys
    assert all(key.startswith("to_feature.") for key in left.unexpected_keys)
    x = torch.rand(3, 3, 64, 64) * 2 - 1
    w = styles(x)
    assert w.shape == (3, GENERATOR.layers, GENERATOR.d_style)
    assert w.dtype == torch.float32
    assert torch.equal(w, whole(x)[0])


def test_the_feature_style_encoders_parameters_keep_their_order() -> None:
    """An optimiser's state is by numbers: runs that were begun before the halves were parted have to go on."""
    names = [name.split(".")[0] for name, _ in FeatureStyleEncoder(ENCODER).named_parameters()]
    assert [name for name, _ in groupby(names)] == ["stem", "stages", "to_feature", "squeeze", "to_style"]


def test_naming_the_mean_changes_no_answer() -> None:
    torch.manual_seed(0)
    encoder, x = StyleEncoder(CONFIG).eval(), torch.rand(2, 3, 64, 64)
    before = encoder(x)
    encoder.set_mean_latent(torch.randn(GENERATOR.layers, GENERATOR.d_style))
    assert torch.allclose(before, encoder(x), atol=1e-5)


def test_misfits_name_what_another_generator_needs() -> None:
    assert style_misfits(CONFIG, GENERATOR) == []
    assert style_misfits(CONFIG, OTHER) == ["resolution = 32", "layers = 8", "d_style = 8"]
    assert misfits(ENCODER, OTHER)[:3] == style_misfits(ENCODER, OTHER)
