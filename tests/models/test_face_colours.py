"""What an edit draws in the colours that the face has."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vidinv.faces.colour import CHROMA, KNOTS, LUMA, core
from vidinv.models.face_colours import STIFF, in_face_colours, own_colours

SIDE = 64


def luma(picture: Tensor) -> Tensor:
    return torch.einsum("bchw,c->bhw", picture, torch.from_numpy(LUMA))


@pytest.fixture
def face() -> Tensor:
    """[1, 3, S, S]: from dark brown at the left to light skin at the right, each lightness with one colour."""
    dark, light = torch.tensor([-0.7, -0.85, -0.9]), torch.tensor([0.8, 0.55, 0.4])
    ramp = torch.linspace(0, 1, SIDE)
    return (dark[:, None] + (light - dark)[:, None] * ramp)[None, :, None].expand(1, 3, SIDE, SIDE).contiguous()


def test_what_is_drawn_takes_the_colour_that_the_face_has_where_it_is_as_light(face: Tensor) -> None:
    drawn = face.clone()
    drawn[:, :, 40:50, 40:60] = torch.tensor([-0.5, -0.1, -0.5])[:, None, None]  # a green moustache on the skin
    made = in_face_colours(drawn, face, torch.zeros(1))
    torch.testing.assert_close(luma(made), luma(drawn), atol=1e-5, rtol=0)
    column = int((luma(face)[0, 0] - luma(drawn)[0, 45, 50]).abs().argmin())  # as light as it, in the face
    torch.testing.assert_close(made[0, :, 45, 50], face[0, :, 0, column], atol=0.04, rtol=0)
    torch.testing.assert_close(made[:, :, :40], face[:, :, :40], atol=1e-5, rtol=0)


def test_a_share_of_its_own_colours_stays(face: Tensor) -> None:
    drawn = face + torch.tensor([-0.3, 0.2, 0.1])[:, None, None]
    none, half, whole = (in_face_colours(drawn, face, torch.tensor([share])) for share in (0.0, 0.5, 1.0))
    assert torch.equal(whole, drawn)
    torch.testing.assert_close(half, (none + drawn) / 2)


def test_a_face_is_judged_with_gradients_in_the_colours_it_is_shown_in(face: Tensor) -> None:
    drawn = (face * 0.9).requires_grad_(True)
    in_face_colours(drawn, face, torch.zeros(1)).square().sum().backward()
    assert drawn.grad is not None
    assert bool(torch.isfinite(drawn.grad).all())
    # Luma alone counts: a change of colour of the same luma changes nothing.
    tint = torch.tensor([0.587, -0.299, 0.0])[:, None, None]
    assert float((drawn.grad * tint).sum().abs()) < 1e-3 * float(drawn.grad.abs().sum())


def _as_written(made: Tensor, picture: Tensor, own: float) -> Tensor:
    """One picture [3, S, S]: the same line fitted by least squares over the middle's pixels, one row for each."""
    before, after = luma(picture[None])[0], luma(made[None])[0]
    at = torch.linspace(-1, 1, KNOTS)
    hats = [(1 - (y.clamp(-1, 1)[..., None] - at).abs() * (KNOTS - 1) / 2).clamp_min(0) for y in (before, after)]
    middle = torch.from_numpy(core(made.shape[-1]))
    bends = STIFF**0.5 * torch.diff(torch.eye(KNOTS), dim=0)
    rows = torch.cat([hats[0][middle], bends, 1e-3**0.5 * torch.eye(KNOTS)]).double()
    parts = []
    for channel, weight in ((0, float(CHROMA[1])), (2, float(CHROMA[0]))):
        wanted = torch.zeros(len(rows), 1, dtype=torch.float64)
        wanted[: int(middle.sum()), 0] = (picture[channel] - before)[middle].double() * weight
        line = torch.linalg.lstsq(rows, wanted).solution[:, 0].float() / weight
        parts.append(hats[1] @ line - hats[0] @ line)
    red, blue = parts
    green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1]
    follows = picture + (after - before) + torch.stack([red, green, blue])
    return follows + own * (made - follows)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_its_line_is_the_least_squares_fit_however_pictures_lie_in_memory(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    made, picture = (torch.rand(2, 3, SIDE, SIDE) * 1.6 - 0.8 for _ in range(2))
    found = in_face_colours(
        made.contiguous(memory_format=layout), picture.contiguous(memory_format=layout), torch.tensor([0.0, 0.5])
    )
    for b, own in enumerate((0.0, 0.5)):
        torch.testing.assert_close(found[b], _as_written(made[b], picture[b], own), atol=1e-5, rtol=0)


def test_the_edit_that_asks_for_most_colours_decides() -> None:
    amounts = torch.tensor([[2.0, 0, 0], [2.0, 1.0, 0], [0, 0, -1.0]])
    found = own_colours(amounts, ("beard", "age", "makeup"), (("beard", 0.0), ("age", 0.5)))
    assert found.tolist() == [0, 0.5, 1]


def test_many_edits_of_one_face_are_drawn_as_each_alone(face: Tensor) -> None:
    several = torch.cat([face * 0.9, face * 0.5 - 0.2])
    together = in_face_colours(several, face, torch.zeros(2))
    alone = [in_face_colours(one[None], face, torch.zeros(1)) for one in several]
    torch.testing.assert_close(together, torch.cat(alone))


def test_a_broken_picture_stays_one_and_breaks_no_other(face: Tensor) -> None:
    """It is told by what comes behind, which leaves its frame as it was."""
    drawn = torch.cat([face * 0.9, face * 0.9])
    drawn[0, :, 3, 3] = float("nan")
    made = in_face_colours(drawn, face, torch.zeros(2))
    assert bool(made[0, :, 3, 3].isnan().all())
    torch.testing.assert_close(made[1:], in_face_colours(face * 0.9, face, torch.zeros(1)))
