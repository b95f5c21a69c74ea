"""Feature-Style inversion (Yao et al. 2022, arXiv:2202.02183): one pass of the encoder."""

from __future__ import annotations

from torch import Tensor

from vidinv.inversion.base import Inverted, Method, Networks, SearchOptions


def invert(pictures: Tensor, networks: Networks, options: SearchOptions, start: Inverted | None) -> Inverted:
    """See :data:`vidinv.inversion.base.Invert`."""
    assert networks.encoder is not None
    w, feature = networks.encoder(pictures)
    return Inverted(w.float(), feature.float())


def features(pictures: Tensor, w: Tensor, noise: Tensor | None, networks: Networks) -> Tensor:
    """See :data:`vidinv.inversion.base.Features`. It takes the whole pass: the styles are the smaller part of it."""
    assert networks.encoder is not None
    return networks.encoder(pictures)[1].float()


METHOD = Method(invert, needs=("encoder",), features=features)
