import pytest
import torch

from vidinv.models.attributes import EXPRESSIONS, SCORES, AttributeConfig, AttributeNet, Attributes

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
    assert all(v.dtype == torch.float32 for v in out)
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
    assert all(v.dtype == torch.float32 for v in half)
    assert torch.allclose(half.age, net(x).age, atol=0.5)


def test_gradients_of_scores_reach_the_picture(net):
    x = smooth(2, 64).requires_grad_()
    net(x).score("smile").sum().backward()
    assert x.grad.abs().sum() > 0


def test_the_default_network_is_small():
    assert sum(p.numel() for p in AttributeNet(AttributeConfig()).parameters()) < 1_500_000
