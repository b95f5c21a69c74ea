"""The latent flow: an exact way back, the volume it tells, and edits that are nothing at zero."""

from __future__ import annotations

import pytest
import torch

from vidinv.models.latent_flow import LatentFlow, LatentFlowConfig

CONFIG = LatentFlowConfig(("age", "smile"), layers=3, d_style=8, couplings=4, hidden=6)


def flow(seed: int = 0, config: LatentFlowConfig = CONFIG, size: float = 0.5) -> LatentFlow:
    """Random weights, as large as those of a trained flow, or larger."""
    torch.manual_seed(seed)
    made = LatentFlow(config)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=size)
    made.mean.normal_()
    made.spread.uniform_(0.2, 2)
    made.normals.copy_(torch.nn.functional.normalize(torch.randn_like(made.normals), dim=1))
    return made.eval().requires_grad_(False)


def styles(count: int = 5, config: LatentFlowConfig = CONFIG, seed: int = 1) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, config.layers, config.d_style, generator=rng)


@pytest.mark.parametrize(
    "config", [CONFIG, LatentFlowConfig(("age",), couplings=6, hidden=64), LatentFlowConfig(("age",), 1, 2, 1, 3)]
)
def test_the_way_back_is_exact(config: LatentFlowConfig) -> None:
    size = 0.5 if config.hidden < 64 else 0.05
    network, w = flow(0, config, size), styles(5, config)
    star = network(w)
    assert not torch.allclose(star, network.standardised(w), atol=0.05)
    assert (network.inverse(star) - w).abs().max() < 1e-4
    there = torch.randn_like(star)
    assert (network(network.inverse(there)) - there).abs().max() < 1e-4


def test_an_untrained_flow_only_standardises() -> None:
    network, w = LatentFlow(CONFIG), styles(50)
    network.standardise(w)
    star = network(w)
    assert torch.equal(star, network.standardised(w))
    assert star.mean(0).abs().max() < 1e-5
    assert torch.allclose(star.std(0), torch.ones(24), atol=1e-5)


def test_every_number_is_changed_and_depends_on_others() -> None:
    network, w = flow(), styles(1)
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x)[0], w).flatten(1)
    assert (jacobian - torch.diag(jacobian.diagonal())).abs().amax(1).min() > 1e-3


def test_the_volume_is_that_of_the_jacobian() -> None:
    network, w = flow(), styles(3)
    network.spread.fill_(1.0)  # it is told without the first scaling
    _, volume = network.with_volume(w)
    for number in range(3):
        jacobian = torch.autograd.functional.jacobian(lambda x: network(x)[0], w[number : number + 1])
        _, logdet = torch.linalg.slogdet(jacobian.reshape(24, 24).double())
        assert float(volume[number]) == pytest.approx(float(logdet), abs=1e-3)


def test_no_length_is_no_change_to_the_bit_and_some_is_along_the_normal() -> None:
    network, w = flow(), styles()
    assert torch.equal(network.moved(w, torch.zeros(5, 2)), w)
    lengths = torch.tensor([[0.7, -0.4]]).expand(5, 2)
    moved = network(network.moved(w, lengths)) - network(w)
    assert torch.allclose(moved, lengths @ network.normals, atol=1e-4)


def test_a_face_is_moved_alike_alone_and_in_a_batch() -> None:
    network, w, lengths = flow(), styles(), torch.ones(5, 2)
    alone = torch.cat([network.moved(one[None], lengths[:1]) for one in w])
    assert torch.allclose(alone, network.moved(w, lengths), atol=1e-4, rtol=1e-4)


def test_numbers_that_never_differ_do_not_blow_up() -> None:
    network, w = LatentFlow(CONFIG), styles()
    w[:, 0, 0] = 3.0
    network.standardise(w)
    assert torch.isfinite(network(w)).all()
    assert torch.allclose(network.inverse(network(w)), w, atol=1e-5)


@pytest.mark.parametrize("sizes", [{"layers": 1, "d_style": 3}, {"couplings": 0}])
def test_what_has_no_halves_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="no halves to couple"):
        LatentFlow(LatentFlowConfig(**sizes))
