"""Feature-Style inversion (Yao et al. 2022, arXiv:2202.02183): one pass of the encoder."""

from __future__ import annotations

from torch import Tensor

from vidinv.inversion.base import Method, Networks


def invert(pictures: Tensor, networks: Networks) -> tuple[Tensor, Tensor]:
    """See :data:`vidinv.inversion.base.Invert`."""
    w, feature = networks.encoder(pictures)
    return w.float(), feature.float()


METHOD = Method(invert)
