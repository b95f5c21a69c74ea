"""In-Domain inversion (Zhu et al. 2020, arXiv:2004.00049): codes that mean to the generator what they mean to us.

The domain-guided encoder E was trained on photographs through the generator (vidinv.training.domain). What it says
is a code already; the optimiser goes on from there and is held where E finds the code again (Eq. 4):
argmin_w |x - G(w)|^2 + l_vgg |F(x) - F(G(w))|^2 + l_dom |w - E(G(w))|^2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vidinv.inversion.base import Inverted, Method, Networks, SearchOptions
from vidinv.inversion.search import code_of, last, point_at, search


def encode(pictures: Tensor, networks: Networks, options: SearchOptions, start: Inverted | None) -> Inverted:
    """E alone. See :data:`vidinv.inversion.base.Invert`."""
    with torch.no_grad():
        w = _encoded(pictures, networks)
        return Inverted(w, networks.generator.features(w).float())


def invert(pictures: Tensor, networks: Networks, options: SearchOptions, start: Inverted | None) -> Inverted:
    """E, then the optimiser. See :data:`vidinv.inversion.base.Invert`.

    It starts anew in every frame of a video: E is where the paper starts, and as steady as the crop.
    """
    return _searched(pictures, networks, options, None)


def diffuse(pastes: Tensor, mask: Tensor, networks: Networks, options: SearchOptions) -> Inverted:
    """Semantic diffusion (section 4.4): what was pasted stays, and the rest becomes what goes with it in the domain.

    E sees the whole paste; the optimiser is held to the pasted region alone, and elsewhere to the domain.

    :param pastes: [B, 3, S, S] RGB, -1..1. :param mask: [B, 1, S, S] 0..1, 1 on what was pasted.
    """
    return _searched(pastes, networks, options, mask)


def _searched(pictures: Tensor, networks: Networks, options: SearchOptions, mask: Tensor | None) -> Inverted:
    with torch.no_grad():
        begin = point_at(_encoded(pictures, networks), networks, options)
    found = last(search(pictures, networks, options, begin, options.steps, mask), begin)
    return code_of(found, options, networks.generator)


def _encoded(pictures: Tensor, networks: Networks) -> Tensor:
    assert networks.domain_encoder is not None
    return networks.domain_encoder(pictures).float()


ENCODER = Method(encode, needs=("domain_encoder",))
# As published (section 4.1), but for the weight of the perceptual term, of which 5e-5 is of raw features of VGG-16, and
# for the rate: at 0.01 a hundred steps end before the codes have arrived.
METHOD = Method(
    invert, needs=("domain_encoder",), search=SearchOptions(start="encoder", steps=100, rate=0.05, domain=2.0)
)
