"""Low-pass filters pass what they should, stop what they should, and resampling is what its definition says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import signal, special

from vidinv.models.filters import downsample, lowpass, upsample

# Taps, cutoff, width and rate of the first, a middle and the last layer at 1024 px.
DESIGNS = [(12, 2.0, 12.0, 32.0), (24, 20.16, 87.68, 256.0), (12, 512.0, 236.7, 2048.0)]


@pytest.mark.parametrize(("taps", "cutoff", "width", "rate"), [*DESIGNS, (49, 8.0, 6.0, 64.0), (7, 8.0, 1.0, 64.0)])
def test_a_filter_is_the_one_that_scipy_designs(taps: int, cutoff: float, width: float, rate: float) -> None:
    expected = torch.from_numpy(signal.firwin(taps, cutoff, width=width, fs=rate)).float()
    assert torch.allclose(lowpass(taps, cutoff, width, rate), expected, atol=1e-6)
    beta = signal.kaiser_beta(signal.kaiser_atten(taps, width / (rate / 2)))
    at = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.maximum(np.hypot(at[:, None], at), 1e-9)
    jinc = special.j1(2 * np.pi * cutoff * r) / r * np.outer(np.kaiser(taps, beta), np.kaiser(taps, beta))
    assert torch.allclose(
        lowpass(taps, cutoff, width, rate, radial=True), torch.from_numpy(jinc / jinc.sum()).float(), atol=1e-6
    )


def response(taps: torch.Tensor, frequency: float, rate: float) -> float:
    at = (np.arange(len(taps)) - (len(taps) - 1) / 2) / rate
    return float((taps.double().numpy() * np.cos(2 * np.pi * frequency * at)).sum())


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("radial", [False, True])
def test_a_filter_keeps_the_mean_and_is_symmetric(design: tuple, radial: bool) -> None:
    taps = lowpass(*design, radial=radial)
    assert float(taps.sum()) == pytest.approx(1, abs=1e-6)
    assert torch.allclose(taps, taps.flip(0), atol=1e-7)
    if radial:
        assert torch.allclose(taps, taps.t(), atol=1e-7)


@pytest.mark.parametrize(("taps", "cutoff", "width", "rate"), DESIGNS)
def test_what_lies_above_the_stopband_is_suppressed(taps: int, cutoff: float, width: float, rate: float) -> None:
    kernel = lowpass(taps, cutoff, width, rate)
    stop = cutoff + width / 2
    above = [abs(response(kernel, f, rate)) for f in np.linspace(stop, rate / 2, 50)]
    assert max(above) < 10 ** (-20 / 20)  # six taps per factor cost depth: 20 dB is what the narrowest band gets


def test_the_cutoff_is_where_half_passes() -> None:
    for taps, cutoff, width, rate in DESIGNS[1:]:  # the first has a transition band wider than what it passes
        assert response(lowpass(taps, cutoff, width, rate), cutoff, rate) == pytest.approx(0.5, abs=0.12)


def test_more_taps_attenuate_more() -> None:
    depths = [abs(response(lowpass(n, 8, 16, 64), 17, 64)) for n in (6, 12, 48)]
    assert depths == sorted(depths, reverse=True)
    assert depths[-1] < 1e-3


def test_a_radial_filter_treats_all_directions_alike() -> None:
    """A wave along the diagonal is damped as one along the axis is; a separable filter squares the response."""
    n, cutoff, rate = 24, 8.0, 64.0
    at = (np.arange(n) - (n - 1) / 2) / rate
    kernels = {"radial": lowpass(n, cutoff, 12, rate, radial=True).double().numpy()}
    one = lowpass(n, cutoff, 12, rate).double().numpy()
    kernels["separable"] = np.outer(one, one)
    differ = {}
    for name, kernel in kernels.items():
        along = float((kernel * np.cos(2 * np.pi * cutoff * at)).sum())
        diagonal = np.cos(2 * np.pi * cutoff * (at[:, None] + at) / np.sqrt(2))
        differ[name] = abs(along - float((kernel * diagonal).sum()))
    assert differ["radial"] < 0.1 * differ["separable"]


@pytest.mark.parametrize(("factor", "pad"), [(2, (7, 5)), (4, (13, 12)), (2, (-3, -4)), (2, (14, 13))])
def test_upsampling_is_zeros_in_between_and_a_filter(factor: int, pad: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x, taps = torch.randn(2, 3, 15, 15), torch.randn(6 * factor)
    taps = taps + taps.flip(0)
    spread = torch.zeros(2, 3, 15 * factor, 15 * factor)
    spread[..., ::factor, ::factor] = x
    spread = F.pad(spread, (*pad, *pad))
    kernel = (torch.outer(taps, taps) * factor**2).expand(3, 1, -1, -1)
    assert torch.allclose(upsample(x, taps, factor, pad), F.conv2d(spread, kernel, groups=3), atol=1e-3)


def test_a_constant_stays_when_resampled() -> None:
    x = torch.full((1, 2, 20, 20), 3.0)
    up = upsample(x, lowpass(12, 4, 8, 32), 2, (6, 5))
    assert up.shape[-1] == 40
    assert torch.allclose(up[..., 12:-12, 12:-12], torch.tensor(3.0), atol=0.02)
    for radial in (False, True):
        down = downsample(up, lowpass(12, 4, 8, 32, radial=radial), 2)
        assert down.shape[-1] == 15
        assert torch.allclose(down[..., 6:-6, 6:-6], torch.tensor(3.0), atol=0.02)
