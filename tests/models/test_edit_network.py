"""The edit network answers for the very face, and no amount is no change."""

from __future__ import annotations

import pytest
import torch

from vidinv.models.edit_network import EditNetwork, EditNetworkConfig
from vidinv.models.ops import fetch

CONFIG = EditNetworkConfig(("age", "smile"), 6, 8, 4, 16, 4, (8, 8, 8), 1, 8)


@pytest.fixture(scope="module")
def network() -> EditNetwork:
    torch.manual_seed(0)
    made = EditNetwork(CONFIG)
    for weights in (made.draw, made.move, made.tint.weight):
        torch.nn.init.normal_(weights)
    return made.eval().requires_grad_(False)


def codes(count: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return torch.randn(count, 4, 16, 16, generator=rng), torch.randn(count, 6, 8, generator=rng)


def test_no_amount_is_no_change_to_the_bit(network: EditNetwork) -> None:
    feature, w = codes()
    assert not any(part.any() for part in network(feature, w, torch.zeros(3, 2)))


def test_a_face_is_answered_alike_alone_and_in_a_batch(network: EditNetwork) -> None:
    feature, w = codes()
    amounts = torch.tensor([[2.0, 0.0], [0.0, -1.0], [1.0, 1.0]])
    together = network(feature, w, amounts)
    alone = network(feature[1:2], w[1:2], amounts[1:2])
    for a, b in zip(together, alone, strict=True):
        assert torch.allclose(a[1:2], b, atol=1e-5)


def test_two_faces_are_drawn_upon_differently_by_the_same_amount(network: EditNetwork) -> None:
    """What is drawn, without what travels: two faces that travel the same way differ anyway."""
    drawing = EditNetwork(CONFIG).requires_grad_(False)
    drawing.load_state_dict(network.state_dict())
    drawing.move.zero_()
    feature, w = codes(2)
    amounts = torch.tensor([[1.0, 0.0]] * 2)
    change, styles = drawing(feature, w, amounts)
    assert (change[0] - change[1]).abs().max() > 0.1
    assert (styles[0] - styles[1]).abs().max() > 1e-4
    other, _ = drawing(feature, w.flip(0), amounts)
    assert (other - change).abs().max() > 1e-3  # the styles are looked at too


def test_styles_below_the_feature_code_stay(network: EditNetwork) -> None:
    feature, w = codes()
    styles = network(feature, w, torch.ones(3, 2))[1]
    assert not styles[:, : CONFIG.first_style].any()
    assert styles[:, CONFIG.first_style :].any()


def test_up_and_down_are_not_each_others_mirror_images(network: EditNetwork) -> None:
    feature, w = codes(1)
    up, down = (network(feature, w, torch.tensor([[a, 0.0]]))[0] for a in (1.0, -1.0))
    assert (up + down).abs().max() > 0.1


def test_a_motion_stays_within_its_reach(network: EditNetwork) -> None:
    """A ramp that travels: what is fetched differs from what was there by no more than the motion's length."""
    feature = torch.arange(16.0).expand(1, 4, 16, 16).clone()
    still = EditNetwork(CONFIG).requires_grad_(False)
    still.draw.zero_()
    torch.nn.init.constant_(still.move, 100.0)
    change, _ = still(feature, torch.zeros(1, 6, 8), torch.tensor([[1.0, 0.0]]))
    assert change.abs().max() <= CONFIG.reach + 1e-4


def test_fetching_from_nowhere_else_is_the_identity() -> None:
    feature, _ = codes()
    assert torch.equal(fetch(feature, torch.zeros(3, 2, 16, 16)), feature)
    right = torch.zeros(3, 2, 16, 16)
    right[:, 0] = 1
    assert torch.allclose(fetch(feature, right)[..., :-1], feature[..., 1:], atol=1e-5)
