"""Face parsing reads the published layout and answers for every pixel."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.formula import face_network_weights, tensor
from tests.packs.published.layouts import face_parsing
from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.backbone import fold_batch_norms
from vidinv.models.face_parsing import FACE, PARTS, FaceParsing, FaceParsingConfig
from vidinv.packs.published.face_networks import read_parsing

WEIGHTS = face_network_weights(face_parsing((4, 8, 12, 16)))
PATH = Path("parsing.pth")


@pytest.fixture(scope="module")
def network() -> FaceParsing:
    config, state = read_parsing(WEIGHTS, PATH)
    made = FaceParsing(config)
    made.load_state_dict(state, strict=False)
    return made.eval().requires_grad_(False)


def test_the_published_sizes_are_the_default() -> None:
    with torch.device("meta"):
        needed = {k: list(v.shape) for k, v in FaceParsing(FaceParsingConfig()).state_dict().items()}
    published = face_parsing((64, 128, 256, 512))
    assert needed == {k: v for k, v in published.items() if not k.startswith(("conv_out16", "conv_out32"))}


@pytest.mark.parametrize("size", [512, 128])
def test_every_pixel_has_a_part_at_any_size(network: FaceParsing, size: int) -> None:
    x = tensor("x", (2, 3, size, size), 0.5)
    logits, face = network.logits(x), network(x)
    assert logits.shape == (2, len(PARTS), size, size)
    assert face.shape == (2, size, size)
    assert ((face >= 0) & (face <= 1)).all()
    assert torch.allclose(face, logits.softmax(1)[:, list(FACE)].sum(1), atol=1e-6)
    assert logits.argmax(1).unique().numel() > 1


def test_folding_norms_changes_nothing(network: FaceParsing) -> None:
    x = tensor("x", (1, 3, 512, 512), 0.5)
    before = network.logits(x)
    config, state = read_parsing(WEIGHTS, PATH)
    other = FaceParsing(config)
    other.load_state_dict(state, strict=False)
    after = fold_batch_norms(other.eval().requires_grad_(False)).logits(x)
    assert torch.allclose(before, after, rtol=1e-3, atol=1e-3 * float(before.std()))


def test_another_network_is_refused_by_its_key() -> None:
    with pytest.raises(UnsuitableCheckpoint, match=r"parsing\.pth: without cp\.conv_avg\.conv\.weight"):
        read_parsing({k: v for k, v in WEIGHTS.items() if k != "cp.conv_avg.conv.weight"}, PATH)
    with pytest.raises(UnsuitableCheckpoint, match=r"conv_out\.conv_out\.weight is \[19, 7"):
        read_parsing({**WEIGHTS, "conv_out.conv_out.weight": torch.zeros(19, 7, 1, 1)}, PATH)
