"""Feature-Style inversion (Yao et al. 2022, arXiv:2202.02183): one pass of the encoder."""

from __future__ import annotations

from torch import Tensor

from vidinv.inversion.base import Inverted, Method, Networks, SearchOptions


def invert(pictures: Tensor, networks: Networks, options: SearchOptions, start: Inverted | None) -> Inverted:
    """See :data:`vidinv.inversion.base.Invert`."""
    assert networks.encoder is not None
    w, feature = networks.encoder(pictures)
    return Inverted(w.float(), feature.float())


METHOD = Method(invert, needs=("encoder",))
