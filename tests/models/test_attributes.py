from dataclasses import replace

import pytest
import torch

from vidinv.models.attributes import EXPRESSIONS, MOST_SURE, SCORES, AttributeConfig, AttributeNet, Attributes

SMALL = AttributeConfig(side=32, widths=(8, 12, 16), blocks=(1, 1), squeeze=4)


@pytest.fixture
def net() -> AttributeNet:
    torch.manual_seed(0)
    return AttributeNet(SMALL).eval().requires_grad_(False)


def smooth(count: int, size: int) -> torch.Tensor:
    """Pictures without detail, so that resizing them changes little."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def test_shapes_ranges_and_types(net):
    out = net(smooth(3, 128))
    assert out.age.shape == out.male.shape == (3,)
    assert out.expression.shape == (3, len(EXPRESSIONS))
    assert all(v.dtype == torch.float32 for v in out[:3])
    assert ((out.male > 0) & (out.male < 1)).all()
    assert torch.allclose(out.expression.sum(1), torch.ones(3), atol=1e-5)


def test_age_counts_decades_from_thirty(net):
    net.to_logits.weight.zero_()
    net.to_logits.bias.zero_()
    net.to_logits.bias[0] = 1.5
    assert torch.allclose(net(smooth(2, 32)).age, torch.full((2,), 45.0))


def test_scores_go_by_the_names_of_edits():
    expression = torch.eye(7)[[EXPRESSIONS.index("happy")]]
    out = Attributes(torch.tensor([31.0]), torch.tensor([0.25]), expression)
    assert [out.score(name).item() for name in SCORES] == [31.0, 1.0, 0.25]
    with pytest.raises(ValueError, match="age, smile, gender"):
        out.score("beard")


def test_a_face_depends_neither_on_its_batch_nor_on_its_size(net):
    x = smooth(4, 64)
    assert torch.allclose(net.logits(x)[2:3], net.logits(x[2:3]), atol=1e-4)
    assert torch.allclose(net.logits(x), net.logits(smooth(4, 256)), atol=0.1)


def test_autocast_gives_float32(net):
    x = smooth(2, 64)
    with torch.autocast("cpu", torch.bfloat16):
        half = net(x)
    assert all(v.dtype == torch.float32 for v in half[:3])
    assert torch.allclose(half.age, net(x).age, atol=0.5)


def test_gradients_of_scores_reach_the_picture(net):
    x = smooth(2, 64).requires_grad_()
    net(x).score("smile").sum().backward()
    assert x.grad.abs().sum() > 0


WORN = replace(SMALL, worn=("glasses", "beard"), worn_widths=(12, 16))


def test_what_is_worn_is_told_beside_the_rest_which_stays_as_it_is_to_the_bit(net):
    more, x = AttributeNet(WORN).eval().requires_grad_(False), smooth(2, 64)
    fresh = more.load_state_dict(net.state_dict(), strict=False)
    assert not fresh.unexpected_keys
    assert all(name.startswith("worn.") for name in fresh.missing_keys)
    plain, told = net.scores(x), more.scores(x)
    assert tuple(told) == WORN.scores == (*SCORES, "glasses", "beard")
    assert all(torch.equal(told[name], plain[name]) for name in SCORES)
    read = more(x)
    assert torch.equal(read.expression, net(x).expression)
    assert torch.equal(read.score("beard"), told["beard"].sigmoid())
    more.worn.to_logits.bias.fill_(99.0)
    assert torch.equal(more.scores(x)["beard"], torch.full((2,), MOST_SURE))
    with torch.autocast("cpu", torch.bfloat16):
        assert more(x).score("glasses").dtype == torch.float32


def test_what_a_network_does_not_read_is_refused_with_what_it_reads(net):
    assert net.config.scores == SCORES
    with pytest.raises(ValueError, match=r"no score for 'beard'; there are age, smile, gender$"):
        net(smooth(1, 32)).score("beard")


@pytest.mark.parametrize("wrong", [{"worn": ("age",)}, {"worn": ("hat", "hat")}, {"worn_widths": (8,) * 6}])
def test_names_that_are_taken_and_too_many_stages_are_refused(wrong):
    with pytest.raises(ValueError, match="cannot read"):
        AttributeNet(replace(WORN, **wrong))


def test_the_default_network_is_small():
    assert sum(p.numel() for p in AttributeNet(AttributeConfig()).parameters()) < 1_500_000
