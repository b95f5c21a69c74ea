"""What the rest of the package asks of a style-based generator, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class GeneratorSizes(Protocol):
    """A generator's ``config``."""

    @property
    def resolution(self) -> int:
        """S, side of the pictures."""

    @property
    def layers(self) -> int:
        """L, number of styles in W+."""

    @property
    def d_style(self) -> int:
        """D, numbers of a style."""

    @property
    def feature_layer(self) -> int:
        """K: F replaces this layer's input."""

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """C, h, w of F."""

    @property
    def feature_margin(self) -> int:
        """Samples by which F reaches beyond each border of the picture."""

    @property
    def noise_sides(self) -> tuple[int, ...]:
        """Side of each layer's noise map; none: it knows no noise."""


class StyleGenerator(Protocol):
    """G: styles w [B, L, D] in W+ and a feature code F [B, C, h, h] to RGB pictures [B, 3, S, S] in about -1..1."""

    @property
    def config(self) -> GeneratorSizes:
        """Its sizes."""

    def __call__(
        self, w: Tensor, feature: Tensor | None = None, *, noise: Tensor | None = None, with_features: bool = False
    ) -> Any:
        """G(w) or G(w, F); ``with_features`` also returns G^K(w). ``noise`` [B, M]: maps in place of its own."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Its weights, by which one knows its device."""

    def map(self, z: Tensor) -> Tensor:
        """Noise [B, D] to W [B, D]."""

    def own_noise(self) -> Tensor | None:
        """Its fixed noise maps behind one another, [M]; None where they change nothing."""

    def features(self, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """G^K(w): the input of layer K."""

    def below(self, w: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """G^K(w), and what else the layers from K upwards need of those below, with a row for each sample."""

    def render_from(self, w: Tensor, feature: Tensor, below: Tensor, noise: Tensor | None = None) -> Tensor:
        """G(w, F), where ``below`` is the second answer of :meth:`below`."""


@torch.no_grad()
def mean_style(generator: StyleGenerator, count: int = 10_000) -> Tensor:
    """Mean of w over random faces, [D] float32: what truncation draws towards."""
    z = torch.randn(count, generator.config.d_style, generator=torch.Generator().manual_seed(0))
    return generator.map(z.to(next(generator.parameters()).device)).float().mean(0)
