"""Edited pictures in the colours that their face has: what is drawn takes the colour of its own lightness there.

A generator that draws a moustache draws green and violet beside it, which readers of attributes do not mind and every
eye does. In the colours that the face has from dark to light the same moustache is as brown as its brows. It is done
with gradients, so that such edits are trained and judged as they are shown.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from vidinv.faces.colour import CHROMA, KNOTS, LUMA, core

STIFF = (
    20.0  # pixels that say of a face's colours that they do not change from knot to knot: where no place is so light
)


def in_face_colours(made: Tensor, picture: Tensor, own: Tensor) -> Tensor:
    """Edited pictures [B, 3, S, S] with their luma, and of their own chroma a share only.

    The rest is the chroma of the picture before, changed as the face's own changes with luma: the least-squares fit to
    the crop's middle.

    :param picture: [B, 3, S, S] the pictures before, both in -1..1.
    :param own: [B] 0..1; at 1 a picture stays as it is.
    """
    if bool((own >= 1).all()):
        return made
    made, picture = made.contiguous(), picture.contiguous()  # channels apart, each is one row for its neighbours
    blue_and_red = _core(made.shape[-1]).to(made.device)
    chroma_of, weights = made.new_tensor(CHROMA)[:, None], made.new_tensor(LUMA)
    before, after = (torch.einsum("bcij,c->bij", x, weights) for x in (picture, made))  # [B, S, S]
    told = before.flatten(1).index_select(1, blue_and_red[1])
    knots = _knots(told)  # [B, KNOTS, N]
    colours = picture.flatten(1).index_select(1, blue_and_red.flatten()).unflatten(1, (2, -1))
    colours = (colours - told[:, None]) * chroma_of  # [B, 2, N]
    bends = torch.diff(torch.eye(KNOTS, device=made.device), dim=0)
    held = knots @ knots.mT + STIFF * bends.T @ bends + 1e-3 * torch.eye(KNOTS, device=made.device)
    line = torch.linalg.solve(held, knots @ colours.mT)  # [B, KNOTS, 2]
    line = line.mT / chroma_of  # [B, 2, KNOTS]
    blue, red = (_along(line, after) - _along(line, before)).unbind(1)
    green = -(weights[0] * red + weights[2] * blue) / weights[1]
    follows = picture + (after - before)[:, None] + torch.stack([red, green, blue], 1)
    return follows + own[:, None, None, None] * (made - follows)


@cache
def _core(size: int) -> Tensor:
    """[2, N], where blue and red of :func:`vidinv.faces.colour.core` lie in a picture whose channels, and in them rows,
    lie behind one another."""
    with torch.inference_mode(False):
        return torch.from_numpy(np.flatnonzero(core(size)) + np.array([[2], [0]]) * size**2)


def own_colours(amounts: Tensor, names: tuple[str, ...], shares: tuple[tuple[str, float], ...]) -> Tensor:
    """[B] 0..1, the largest share of own colours that any of the edits that act asks for.

    :param amounts: [B, K]. :param shares: of the edits that ask for less than all.
    """
    told = dict(shares)
    asked = torch.tensor([told.get(n, 1.0) for n in names], device=amounts.device)
    return ((amounts != 0) * asked).amax(1)


def _knots(luma: Tensor) -> Tensor:
    """How much each knot counts for each luma [B, N], -1..1: [B, KNOTS, N]."""
    step = 2 / (KNOTS - 1)
    places = luma.clamp(-1, 1)[:, None] - torch.linspace(-1, 1, KNOTS, device=luma.device)[:, None]
    return (1 - places.abs() / step).clamp_min(0)


def _along(line: Tensor, luma: Tensor) -> Tensor:
    """Values of lines [B, C, KNOTS], or of one, at luma [B, S, S], -1..1: [B, C, S, S]. As _knots, without zeros."""
    line = line.expand(len(luma), -1, -1)
    places = (luma.clamp(-1, 1) + 1) * ((KNOTS - 1) / 2)
    below = places.detach().long().clamp(0, KNOTS - 2)  # the knot under each; of NaN, which stays NaN, any
    share = (places - below).unsqueeze(1)
    at = below.flatten(1).unsqueeze(1).expand(-1, line.shape[1], -1)
    low = line.gather(2, at).view(len(luma), -1, *luma.shape[1:])
    rise = torch.diff(line).gather(2, at).view_as(low)
    return low + share * rise
