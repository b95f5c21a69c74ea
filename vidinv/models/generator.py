"""StyleGAN2 generator (Karras et al. 2020, arXiv:1912.04958) with a door for feature codes.

Layers are counted as convolutions: layer 0 is the 4x4 one, then two per resolution, the first of which upsamples.
Layer i takes style i; the RGB projection after layer i takes style i + 1. A feature code F (Yao et al. 2022) replaces
the input of layer K: 16x16 for K = 5 at every output resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidinv.models.folded import draw
from vidinv.models.ops import EqualLinear, StyledConv, ToRGB, leaky_relu
from vidinv.models.synthesis import StyleGenerator


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes of the network: ``channels[i]`` belongs to resolution 4 * 2**i."""

    channels: tuple[int, ...] = (256, 256, 256, 128, 64, 32)
    d_style: int = 256
    mapping_layers: int = 2
    feature_layer: int = 5  # K

    @property
    def resolution(self) -> int:
        return 4 * 2 ** (len(self.channels) - 1)

    @property
    def layers(self) -> int:
        """L, number of styles in W+: one per convolution and one for the last RGB projection."""
        return 2 * len(self.channels)

    def resolution_of(self, layer: int) -> int:
        """Resolution of a layer's output."""
        return 4 * 2 ** ((layer + 1) // 2)

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """C, h, w of F: what comes out of layer K - 1."""
        side = self.resolution_of(self.feature_layer - 1)
        return self.channels[self.feature_layer // 2], side, side

    @property
    def feature_margin(self) -> int:
        """Samples by which F reaches beyond the picture: none."""
        return 0

    @property
    def noise_sides(self) -> tuple[int, ...]:
        """Side of each layer's noise map."""
        return tuple(self.resolution_of(i) for i in range(self.layers - 1))


class Mapping(nn.Module):
    """z ~ N(0, I) [B, D] -> w [B, D]; z is normalised to length sqrt(D) first."""

    def __init__(self, d: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EqualLinear(d, d, rate=0.01) for _ in range(layers))

    def forward(self, z: Tensor) -> Tensor:
        z = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for layer in self.layers:
            z = leaky_relu(layer(z))
        return z


class Generator(nn.Module):
    """G: styles (and a feature code) to pictures.

    Pictures are RGB in about -1..1. ``w`` is [B, L, D], W+; :meth:`map` gives w [B, D] from noise.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config, c, d = config, config.channels, config.d_style
        self.mapping = Mapping(d, config.mapping_layers)
        self.constant = nn.Parameter(torch.randn(1, c[0], 4, 4))
        convs = [StyledConv(c[0], c[0], d, 4, up=False)]
        for i in range(1, len(c)):
            side = 4 * 2**i
            convs += [StyledConv(c[i - 1], c[i], d, side, up=True), StyledConv(c[i], c[i], d, side, up=False)]
        self.convs = nn.ModuleList(convs)
        self.to_rgb = nn.ModuleList(ToRGB(channels, d) for channels in c)

    def map(self, z: Tensor) -> Tensor:
        return self.mapping(z)

    def _start(self, w: Tensor) -> Tensor:
        return self.constant.to(self.dtype).expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)

    @property
    def dtype(self) -> torch.dtype:
        """What the convolutions compute in: autocast's type, else the weights'."""
        device = self.constant.device.type
        if torch.is_autocast_enabled(device):
            return torch.get_autocast_dtype(device)
        return self.constant.dtype

    def _layers(
        self, x: Tensor, skip: Tensor | None, w: Tensor, layers: range, noise: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """What some layers make of ``x``, for those that follow, and of the RGB picture below them."""
        maps = [None] * len(self.convs) if noise is None else noise_maps(noise, self.config.noise_sides)
        if x.device.type == "cpu" and not torch.is_grad_enabled():
            convs = [conv for conv in self.convs if isinstance(conv, StyledConv)]
            to_rgb = [layer for layer in self.to_rgb if isinstance(layer, ToRGB)]
            return draw(convs, to_rgb, x, skip, w, layers, maps, to_go_on=layers.stop < len(convs))
        for i in layers:
            x = self.convs[i](x, w[:, i], maps[i])
            if i % 2 == 0:
                skip = self.to_rgb[i // 2](x, w[:, i + 1], skip)
        return x, skip

    def own_noise(self) -> Tensor | None:
        """The fixed noise maps, [M] as :func:`noise_maps` cuts them; None where no layer gives them any weight."""
        convs = [conv for conv in self.convs if isinstance(conv, StyledConv)]
        if not any(conv.noise_strength.item() for conv in convs):
            return None
        return torch.cat([conv.noise.flatten() for conv in convs])

    def features(self, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """G^K(w): the input of layer K, [B, C, h, h]. Runs no layer beyond it."""
        return self.below(w, noise)[0]

    def forward(
        self, w: Tensor, feature: Tensor | None = None, *, noise: Tensor | None = None, with_features: bool = False
    ):
        """G(w), or G(w, F).

        :param w: [B, L, D].
        :param feature: [B, C, h, h], F in place of the input of layer K.
        :param noise: [B, M], noise maps in place of the fixed ones: see :func:`noise_maps`.
        :param with_features: also return G^K(w).
        :return: [B, 3, S, S].
        """
        native, below = self.below(w, noise)
        picture = self.render_from(w, native if feature is None else feature, below, noise)
        return (picture, native) if with_features else picture

    def render_from(self, w: Tensor, feature: Tensor, below: Tensor, noise: Tensor | None = None) -> Tensor:
        """G(w, F) when the layers below K are known: ``below`` is the RGB picture they make, from :meth:`below`."""
        layers = range(self.config.feature_layer, len(self.convs))
        _, picture = self._layers(feature.to(self.dtype), below, w, layers, noise)
        assert picture is not None  # every layer but a last one alone projects to RGB
        return picture

    def below(self, w: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """G^K(w) and the RGB picture of the layers below K: all that Eq. 1 needs of a style."""
        native, skip = self._layers(self._start(w), None, w, range(self.config.feature_layer), noise)
        assert native is not None
        assert skip is not None  # layer 0 projects to RGB, and K is at least 1
        return native, skip


def noise_maps(noise: Tensor, sides: tuple[int, ...]) -> list[Tensor]:
    """Noise maps that lie behind one another, [B, M], as each layer takes its own: [B, 1, side, side]."""
    parts = noise.split([side**2 for side in sides], dim=1)
    return [part.unflatten(1, (1, side, side)) for part, side in zip(parts, sides, strict=True)]


def edited_feature(feature: Tensor, native: Tensor, native_edited: Tensor) -> Tensor:
    """Eq. 1 of Yao et al. 2022: F~ = F + G^K(w~) - G^K(w)."""
    return feature + native_edited - native


def render_pair(
    generator: StyleGenerator,
    w: Tensor,
    w_edited: Tensor,
    feature: Tensor,
    feature_edited: Tensor | None = None,
    noise: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """G(w, F) and G(w~, F~) of Yao et al. 2022, Eq. 1.

    What lies below layer K is computed once for each style, and serves both Eq. 1 and the pictures.

    :param w: [B, L, D]; :param w_edited: [B, L, D]; :param feature: [B, C, h, h].
    :param feature_edited: what Eq. 1 starts from for the second picture, where the edit displaces F too.
    :param noise: [B, M], noise maps of both pictures.
    :return: two tensors [B, 3, S, S] in about -1..1.
    """
    count = len(w)
    same = None if noise is None else torch.cat([noise, noise])
    moved = feature if feature_edited is None else feature_edited
    low = generator.config.feature_layer + 1  # styles of the layers below K, and of their last RGB projection
    if torch.equal(w[:, :low], w_edited[:, :low]):
        below = torch.cat([generator.below(w, noise)[1]] * 2)
    else:
        native, below = generator.below(torch.cat([w, w_edited]), same)
        moved = edited_feature(moved, native[:count].float(), native[count:].float())
    pictures = generator.render_from(torch.cat([w, w_edited]), torch.cat([feature, moved]), below, same)
    return pictures[:count], pictures[count:]
