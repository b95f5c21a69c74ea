"""Folding batch norms changes nothing but the time."""

import torch
from torch import nn

from vidinv.models.backbone import fold_batch_norms
from vidinv.models.feature_style_encoder import EncoderConfig, FeatureStyleEncoder


def test_a_folded_encoder_gives_the_same_codes() -> None:
    torch.manual_seed(0)
    encoder = FeatureStyleEncoder(EncoderConfig(64, (8, 16, 16, 16), (1, 2, 1), 32, 10, 16, 16, 16))
    encoder(torch.randn(8, 3, 64, 64))  # moves the running statistics away from 0 and 1
    encoder.eval()
    x = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        before = encoder(x)
        after = fold_batch_norms(encoder)(x)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in encoder.modules())
    for a, b in zip(before, after, strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_naming_the_mean_latent_does_not_change_the_codes() -> None:
    encoder = FeatureStyleEncoder(EncoderConfig(64, (8, 16, 16, 16), (1, 1, 1), 32, 10, 16, 16, 16)).eval()
    x, mean = torch.randn(2, 3, 64, 64), torch.randn(10, 16)
    with torch.no_grad():
        before = encoder(x)[0]
        encoder.set_mean_latent(mean)
        assert torch.equal(encoder.mean_latent, mean)
        assert torch.allclose(encoder(x)[0], before, atol=1e-4)
