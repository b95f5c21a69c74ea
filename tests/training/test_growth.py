"""A network begins with what it can use of a smaller one's weights."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from tests import shapes_toy
from tests.shapes_toy import GENERATOR
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder
from vidinv.models.generator import Generator
from vidinv.training import growth

ENCODER = dataclasses.replace(shapes_toy.ENCODER, widths=(16, 32, 32, 32), blocks=(1, 1, 1))
TWICE = dataclasses.replace(GENERATOR, channels=(*GENERATOR.channels, 8))


def twice(encoder: EncoderConfig) -> EncoderConfig:
    return dataclasses.replace(
        encoder,
        resolution=2 * encoder.resolution,
        widths=(12, *encoder.widths),
        blocks=(1, *encoder.blocks),
        layers=TWICE.layers,
    )


@pytest.fixture
def small() -> tuple[Generator, FeatureStyleEncoder]:
    torch.manual_seed(0)
    return Generator(GENERATOR), FeatureStyleEncoder(ENCODER)


def test_a_generator_of_twice_the_resolution_at_first_enlarges_the_smaller_ones_picture(small):
    generator, encoder = small
    large, front = Generator(TWICE), FeatureStyleEncoder(twice(ENCODER))
    growth.begin_with(large, front, generator.state_dict(), encoder.state_dict())
    w = torch.randn(2, TWICE.layers, TWICE.d_style)
    before, after = generator(w[:, : GENERATOR.layers]), large(w)
    shrunk = F.avg_pool2d(after, 2)
    assert after.shape[-1] == 2 * before.shape[-1]
    assert (shrunk - before).abs().mean() < 0.15 * before.std()


def test_the_added_layers_are_given_the_smaller_encoders_last_style(small):
    generator, encoder = small
    front = FeatureStyleEncoder(twice(ENCODER))
    anew = growth.begin_with(Generator(TWICE), front, generator.state_dict(), encoder.state_dict())
    w, _ = front.eval()(torch.rand(1, 3, front.config.resolution, front.config.resolution))
    torch.testing.assert_close(w[:, ENCODER.layers :], w[:, ENCODER.layers - 1 : ENCODER.layers].expand(-1, 2, -1))
    assert all(name.split(".")[1] in ("stem", "stages", "convs", "to_rgb") for name in anew)
    assert torch.equal(front.stages[1].state_dict()["0.conv1.weight"], encoder.stages[0].state_dict()["0.conv1.weight"])


def test_only_the_feature_head_begins_anew_when_the_feature_code_has_another_resolution(small):
    generator, encoder = small
    config = dataclasses.replace(ENCODER, feature_side=4)
    other = FeatureStyleEncoder(config)
    anew = growth.begin_with(Generator(GENERATOR), other, generator.state_dict(), encoder.state_dict())
    assert all(name.startswith("encoder.to_feature.") for name in anew)
    x = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(other.eval()(x)[0], encoder.eval()(x)[0])
