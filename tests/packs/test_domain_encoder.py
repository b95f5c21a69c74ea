"""The domain-guided encoder of a pack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.toy import GENERATOR, add_toy_domain_encoder, write_toy_pack
from vidinv.errors import DamagedPack
from vidinv.models.style_encoder import StyleEncoderConfig
from vidinv.packs.load import load_pack

FITS = StyleEncoderConfig(64, (8, 16, 16, 16), (1, 1, 1), 32, GENERATOR.layers, GENERATOR.d_style)


def test_a_pack_has_one_or_has_none(tmp_path: Path) -> None:
    folder = write_toy_pack(tmp_path / "toy")
    before = load_pack(folder)
    assert before.optional("domain_encoder") is None
    with pytest.raises(DamagedPack, match="has no domain_encoder network"):
        _ = before.domain_encoder
    pack = load_pack(add_toy_domain_encoder(folder))
    assert pack.spec.networks["domain_encoder"].config == FITS
    assert pack.hash != before.hash
    w = pack.domain_encoder(torch.zeros(2, 3, 64, 64))
    assert w.shape == (2, GENERATOR.layers, GENERATOR.d_style)
    assert not w.requires_grad
    assert pack.generator(w).shape == (2, 3, 64, 64)


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [({"layers": 8}, "layers = 10"), ({"d_style": 8}, "d_style = 16"), ({"resolution": 128}, "resolution = 64")],
)
def test_one_for_another_generator_is_refused(tmp_path: Path, sizes: dict[str, int], wanted: str) -> None:
    folder = write_toy_pack(tmp_path / "toy")
    pack = load_pack(add_toy_domain_encoder(folder, replace(FITS, **sizes)))
    with pytest.raises(DamagedPack, match=f"domain_encoder is for another generator, this one needs {wanted}"):
        _ = pack.domain_encoder
