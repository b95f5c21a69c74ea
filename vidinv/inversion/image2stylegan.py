"""Image2StyleGAN (Abdal et al. 2019, arXiv:1904.03189): a code is searched for from nothing but the generator.

argmin_w of a perceptual and a pixel distance between G(w) and the picture (Eq. 1), in W+ from the mean latent; W, Z and
a random start are the paper's comparisons. It goes beyond the paper where asked to: noise maps (as the authors do in
Image2StyleGAN++) and the feature code of Yao et al. 2022.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vidinv.inversion.base import Inverted, Method, Networks, SearchOptions
from vidinv.inversion.search import Point, code_of, last, point_at, point_of, search


def invert(pictures: Tensor, networks: Networks, options: SearchOptions, start: Inverted | None) -> Inverted:
    """See :data:`vidinv.inversion.base.Invert`."""
    if start is None:
        begin, steps = begin_at(len(pictures), networks, options), options.steps
    else:
        begin, steps = point_of(start, options, networks.generator), options.warm_steps
    found = last(search(pictures, networks, options, begin, steps), begin)
    return code_of(found, options, networks.generator)


def begin_at(count: int, networks: Networks, options: SearchOptions) -> Point:
    """The mean latent; or noise, the same for every picture: uniform in -1..1 (section 3.3), in Z normal.

    In Z, a sphere, there is no mean: of many points that one is taken whose style is nearest to the mean latent.
    """
    mean = networks.mean_latent
    shape = {"w+": mean.shape, "w": mean.shape[1:], "z": mean.shape[1:]}[options.space]
    if options.start == "random":
        rng = torch.Generator().manual_seed(options.seed)
        noise = torch.randn(shape, generator=rng) if options.space == "z" else torch.rand(shape, generator=rng) * 2 - 1
        style = noise.to(mean)
    else:
        style = {"w+": mean, "w": mean.mean(0), "z": _near(mean.mean(0), networks)}[options.space]
    return point_at(style.expand(count, *shape).contiguous(), networks, options)


@torch.no_grad()
def _near(style: Tensor, networks: Networks, tries: int = 1000) -> Tensor:
    """A point of Z [D] whose style is near ``style`` [D]."""
    z = torch.randn(tries, len(style), generator=torch.Generator().manual_seed(0)).to(style)
    return z[(networks.generator.map(z).float() - style).norm(dim=1).argmin()]


METHOD = Method(
    invert,
    needs=(),
    search=SearchOptions(start="mean"),
    spaces=("w+", "w", "z"),
    starts=("mean", "random"),
    warm=True,
)
