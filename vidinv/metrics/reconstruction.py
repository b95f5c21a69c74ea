"""How close two pictures are, pixel by pixel and in structure. LPIPS, which needs a network, is in vidinv.models.lpips.

Pictures are [N, 3, H, W] tensors on a scale of 0..1; figures are [N] float64 tensors, one per pair.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from vidinv.errors import MissingExtra

WINDOW = 5  # pixels that SSIM's window reaches to either side
SIGMA = 1.5  # pixels
K1, K2 = 0.01**2, 0.03**2  # what steadies SSIM's quotients, for pictures on a scale of 0..1
MS_SSIM_SMALLEST = 161  # pixels: five scales of an 11 x 11 window need more than 160


def mse(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference over pixels and channels, 0..1; 0 for equal pictures."""
    return (a.double() - b.double()).square().mean((1, 2, 3))


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio, -10 log10(MSE), dB; infinite for equal pictures."""
    return -10 * mse(a, b).log10()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """SSIM (Wang et al. 2004) as it is commonly reported: 11 x 11 Gaussian window of sigma 1.5, K = 0.01 and 0.03,
    population covariance, the mean over places where the window fits and over RGB. 1 for equal pictures.
    """
    a, b = a.float(), b.float()
    rows, columns = (_windows(side).to(a.device) for side in a.shape[-2:])
    # The window is separable: along an axis it is a matrix, which is several times quicker than a convolution.
    mean_a, mean_b, aa, bb, ab = rows @ torch.stack([a, b, a * a, b * b, a * b]) @ columns.t()
    both, squares = mean_a * mean_b, mean_a.square() + mean_b.square()
    structure = (2 * (ab - both) + K2) / (aa + bb - squares + K2)
    return ((2 * both + K1) / (squares + K1) * structure).double().mean((1, 2, 3))


@cache
def _windows(side: int) -> Tensor:
    """[side - 2 WINDOW, side]: what each place of an axis on which SSIM's window fits takes of its neighbours."""
    taps = (-0.5 * (torch.arange(-WINDOW, WINDOW + 1).double() / SIGMA).square()).exp()
    every = torch.zeros(side - 2 * WINDOW, side, dtype=torch.float64)
    for place, row in enumerate(every):
        row[place : place + len(taps)] = taps / taps.sum()
    return every.float()


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale SSIM (Wang et al. 2003), five scales with the paper's weights; 1 for equal pictures.

    :raises ValueError: a side is shorter than ``MS_SSIM_SMALLEST``. :raises MissingExtra: torchmetrics is not there.
    """
    if min(a.shape[-2:]) < MS_SSIM_SMALLEST:
        raise ValueError(f"MS-SSIM needs pictures of at least {MS_SSIM_SMALLEST} pixels, not {tuple(a.shape[-2:])}")
    measure = _torchmetrics().multiscale_structural_similarity_index_measure
    # One by one: its own reduction clamps before it multiplies the scales, which a mean over a batch would blur.
    pairs = zip(a.float().split(1), b.float().split(1), strict=True)
    return torch.stack([measure(x, y, data_range=1.0) for x, y in pairs]).double()


def _torchmetrics():
    # Late: it takes seconds to import, and most runs do without.
    try:
        import torchmetrics.functional.image as image
    except ImportError:
        raise MissingExtra('MS-SSIM needs torchmetrics, which is not installed; pip install "vidinv[report]"') from None
    return image
