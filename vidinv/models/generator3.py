"""Alias-free generator, StyleGAN3 (Karras et al. 2021, arXiv:2106.12423), with a door for feature codes.

It begins with Fourier features, which move and turn exactly; every layer is a modulated convolution and a leaky ReLU
that is applied at a higher sampling rate, between two low-pass filters. Configuration T (3x3 convolutions, separable
filters) is equivariant to translation, R (1x1 convolutions, radially symmetric filters) to rotation too.

The Fourier features take style 0, layer i takes style i + 1, the RGB layer at the end takes the last: 16 for the
paper's 14 layers. A feature code F (Yao et al. 2022) replaces the input of layer K. StyleGAN2's F is 16x16, which holds
8 cycles per picture width; no layer here is 16x16, so K is the layer whose input has the cutoff nearest to 8 cycles, in
octaves: K = 4 at 1024 and 512 px, 5 at 256. F is 52x52 there: 32x32 samples of the picture, and margins of 10.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.bands import CHANNELS_T, Band, bands, channels
from vidinv.models.filters import downsample, lowpass, upsample
from vidinv.models.generator import Mapping
from vidinv.models.ops import SQRT2, EqualLinear

TAPS = 6  # of a filter, per factor of resampling
OVERSAMPLING = 2  # at which the leaky ReLU is applied, over the higher of the rates before and after
CLAMP = 256.0
OUTPUT_SCALE = 0.25
MEMORY = 0.999  # of the running mean of squared activations, per pass in training


@dataclass(frozen=True)
class AliasFreeConfig:
    """Sizes of the network."""

    resolution: int = 1024
    channels: tuple[int, ...] = channels(1024, *CHANNELS_T)  # of every layer's output but the RGB layer's
    d_style: int = 512
    mapping_layers: int = 2
    radial: bool = False  # configuration R
    feature_band: float = 8.0  # cutoff of F, cycles per picture width: chooses K

    @property
    def layers(self) -> int:
        """L, number of styles in W+."""
        return len(self.channels) + 2

    @property
    def bands(self) -> tuple[Band, ...]:
        """Of every layer's output, the RGB layer's last. The Fourier features have layer 0's."""
        return bands(self.resolution, len(self.channels))

    @property
    def feature_layer(self) -> int:
        """K: F replaces the output of layer K - 1."""
        inner = self.bands[: len(self.channels) - 1]
        return 1 + min(range(len(inner)), key=lambda i: abs(math.log2(inner[i].cutoff / self.feature_band)))

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """C, h, w of F, margins included."""
        last = self.feature_layer - 1
        return self.channels[last], self.bands[last].size, self.bands[last].size

    @property
    def noise_sides(self) -> tuple[int, ...]:
        """None of its layers adds noise."""
        return ()

    @property
    def feature_margin(self) -> int:
        """Samples by which F reaches beyond each border of the picture."""
        band = self.bands[self.feature_layer - 1]
        return (band.size - band.rate) // 2


class FourierInput(nn.Module):
    """w [B, D] -> sines on the plane, moved and turned as w says and then by ``transform`` (appendix F).

    ``transform`` [3, 3] maps places of the resulting picture to places of the untransformed one; the picture is the
    square -0.5..0.5, x to the right and y downwards.
    """

    transform: Tensor
    freqs: Tensor  # [C, 2]
    phases: Tensor  # [C]

    def __init__(self, count: int, d_style: int, band: Band) -> None:
        super().__init__()
        self.band = band
        self.weight = nn.Parameter(torch.randn(count, count))
        self.affine = EqualLinear(d_style, 4)  # cosine, sine, shift in x and y
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        # Frequencies are spread evenly over the disc that layer 0 lets pass.
        angle, radius = 2 * math.pi * torch.rand(count), band.cutoff * torch.rand(count).sqrt()
        self.register_buffer("transform", torch.eye(3))
        self.register_buffer("freqs", torch.stack([radius * angle.cos(), radius * angle.sin()], 1))
        self.register_buffer("phases", torch.rand(count) - 0.5)

    def forward(self, w: Tensor) -> Tensor:
        """[B, C, size, size], float32."""
        with torch.autocast(w.device.type, enabled=False):
            matrix = self._pose(w.float()) @ self.transform
            phases = self.phases + (self.freqs @ matrix[:, :2, 2:])[..., 0]
            freqs = self.freqs @ matrix[:, :2, :2]
            # A frequency that a transform enlarged fades on its way from the cutoff to what the grid can hold.
            limit = self.band.rate / 2
            fade = ((limit - freqs.norm(dim=2)) / (limit - self.band.cutoff)).clamp(0, 1)
            axis = (torch.arange(self.band.size, device=w.device) + 0.5 - self.band.size / 2) / self.band.rate
            cycles = freqs[:, :, :1, None] * axis + freqs[:, :, 1:, None] * axis[:, None] + phases[:, :, None, None]
            sines = torch.sin(2 * math.pi * cycles) * fade[:, :, None, None]
            return F.conv2d(sines, (self.weight / math.sqrt(len(self.weight)))[:, :, None, None])

    def _pose(self, w: Tensor) -> Tensor:
        """[B, 3, 3]: places of the picture to places of the sines; the inverse of turning, then moving, the picture."""
        t = self.affine(w)
        cos, sin, x, y = (t / t[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        turn = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], 1).view(-1, 3, 3)
        move = torch.stack([one, zero, -x, zero, one, -y, zero, zero, one], 1).view(-1, 3, 3)
        return turn @ move


class AliasFreeLayer(nn.Module):
    """[B, C, h, h] in the band ``source`` -> [B, C', h', h'] in ``band`` (figure 4b).

    :param rgb: the last one, without a nonlinearity and its filters.
    """

    magnitude_ema: Tensor  # []
    up_filter: Tensor
    down_filter: Tensor

    def __init__(
        self, c_in: int, c_out: int, d_style: int, source: Band, band: Band, kernel: int, radial: bool, rgb: bool
    ) -> None:
        super().__init__()
        self.rgb, self.source_size, self.size = rgb, source.size, band.size
        self.weight = nn.Parameter(torch.randn(c_out, c_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.affine = EqualLinear(d_style, c_in, bias=1.0)
        self.register_buffer("magnitude_ema", torch.ones(()))
        if rgb:
            return
        rate = OVERSAMPLING * max(source.rate, band.rate)
        self.up, self.down = rate // source.rate, rate // band.rate
        up_filter = lowpass(TAPS * self.up, source.cutoff, source.width, rate)
        down_filter = lowpass(TAPS * self.down, band.cutoff, band.width, rate, radial=radial)
        self.register_buffer("up_filter", up_filter, persistent=False)
        self.register_buffer("down_filter", down_filter, persistent=False)
        before = (source.size + kernel - 1) * self.up
        after = (band.size - 1) * self.down + 1
        pad = after - before + len(up_filter) + len(down_filter) - 2
        # Samples lie at the middles of their cells, so upsampling moves the first one by half the new cells.
        first = (pad + self.up) // 2
        self.pad = (first, pad - first)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.magnitude_ema.lerp_(x.float().square().mean(), 1 - MEMORY)
        x = self._convolved(x, self.affine(w.float()))
        x = x + self.bias.to(x.dtype).view(1, -1, 1, 1)
        if self.rgb:
            return x.clamp(-CLAMP, CLAMP)
        # The leaky ReLU's gain commutes with all that is linear, and is cheaper before upsampling.
        x = F.leaky_relu(upsample(x * SQRT2, self.up_filter, self.up, self.pad), 0.2).clamp_(-CLAMP, CLAMP)
        return downsample(x, self.down_filter, self.down)

    def _convolved(self, x: Tensor, style: Tensor) -> Tensor:
        """Modulated as in StyleGAN2, on the activations; the running magnitude of the input is divided out."""
        weight: Tensor = self.weight
        if self.rgb:
            style = style / math.sqrt(weight[0].numel())
        else:
            weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        # The gain stays out of the demodulation, which would undo it.
        scale = style * self.magnitude_ema.rsqrt()
        x = F.conv2d(x * scale.to(x.dtype)[:, :, None, None], weight.to(x.dtype), padding=weight.shape[-1] - 1)
        if self.rgb:
            return x
        demod = (style.square() @ weight.square().sum((2, 3)).t() + 1e-8).rsqrt()
        return x * demod.to(x.dtype)[:, :, None, None]


class AliasFreeGenerator(nn.Module):
    """G: styles (and a feature code) to pictures; the interface of vidinv.models.synthesis.StyleGenerator."""

    def __init__(self, config: AliasFreeConfig) -> None:
        super().__init__()
        self.config, c, d, of = config, (*config.channels, 3), config.d_style, config.bands
        self.mapping = Mapping(d, config.mapping_layers)
        self.input = FourierInput(c[0], d, of[0])
        made = []
        for i in range(len(c)):
            rgb, last = i == len(c) - 1, max(i - 1, 0)
            kernel = 1 if rgb or config.radial else 3
            # Where sampling is critical a radial filter would let the corners of the spectrum alias.
            radial = config.radial and of[i].cutoff < of[-1].cutoff
            made.append(AliasFreeLayer(c[last], c[i], d, of[last], of[i], kernel, radial, rgb))
        self.convs = nn.ModuleList(made)

    def map(self, z: Tensor) -> Tensor:
        return self.mapping(z)

    @property
    def dtype(self) -> torch.dtype:
        """What the convolutions compute in: autocast's type, else the weights'."""
        device = self.input.weight.device.type
        if torch.is_autocast_enabled(device):
            return torch.get_autocast_dtype(device)
        return self.input.weight.dtype

    def own_noise(self) -> None:
        """Nothing: alias-free generators draw all detail from their styles."""

    def features(self, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """G^K(w): the input of layer K, [B, C, h, h]. Runs no layer beyond it, and has no use for noise."""
        x = self.input(w[:, 0]).to(self.dtype).contiguous(memory_format=torch.channels_last)
        for i in range(self.config.feature_layer):
            x = self.convs[i](x, w[:, i + 1])
        return x

    def below(self, w: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """G^K(w), and nothing [B, 0]: there is no picture before the last layer."""
        native = self.features(w)
        return native, native.new_empty(len(w), 0)

    def render_from(self, w: Tensor, feature: Tensor, below: Tensor, noise: Tensor | None = None) -> Tensor:
        """G(w, F) from layer K upwards; ``below`` is what :meth:`below` returned, of which nothing is needed."""
        x = feature.to(self.dtype)
        for i in range(self.config.feature_layer, len(self.convs)):
            x = self.convs[i](x, w[:, i + 1])
        return x * OUTPUT_SCALE

    def forward(
        self, w: Tensor, feature: Tensor | None = None, *, noise: Tensor | None = None, with_features: bool = False
    ):
        """G(w), or G(w, F).

        :param w: [B, L, D].
        :param feature: [B, C, h, h], F in place of the input of layer K.
        :param with_features: also return G^K(w).
        :return: [B, 3, S, S], RGB in about -1..1.
        """
        if feature is not None and not with_features:
            return self.render_from(w, feature, feature)
        native, rest = self.below(w)
        picture = self.render_from(w, native if feature is None else feature, rest)
        return (picture, native) if with_features else picture
