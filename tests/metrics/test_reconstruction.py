"""Each figure against an independent implementation or a closed form."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.shared import shared
from vidinv.errors import InputError, InputMissing
from vidinv.metrics.reconstruction import ms_ssim, mse, psnr, ssim
from vidinv.models.lpips import load_lpips


def pictures(n: int = 2, size: int = 64, noise: float = 0.1, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    a = torch.nn.functional.interpolate(torch.rand(n, 3, size // 8, size // 8, generator=rng), (size, size))
    return a, (a + noise * torch.randn(a.shape, generator=rng)).clamp(0, 1)


def test_psnr_and_mse_have_their_closed_form() -> None:
    a = torch.full((2, 3, 8, 8), 0.5)
    assert mse(a, a + 0.1).tolist() == pytest.approx([0.01, 0.01], rel=1e-5)
    assert psnr(a, a + 0.1).tolist() == pytest.approx([20, 20], rel=1e-5)
    assert psnr(a, a).tolist() == [math.inf] * 2


def test_ssim_is_scikit_images() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    a, b = pictures()
    theirs = [
        metrics.structural_similarity(
            x.permute(1, 2, 0).numpy(), y.permute(1, 2, 0).numpy(), channel_axis=2, data_range=1.0,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
        for x, y in zip(a, b, strict=True)
    ]  # fmt: skip
    assert ssim(a, b).tolist() == pytest.approx(theirs, abs=1e-4)


def test_equal_pictures_are_alike_order_does_not_matter_and_noise_lowers_it() -> None:
    a, b = pictures(size=176)
    for measure in (ssim, ms_ssim):
        assert measure(a, a).tolist() == pytest.approx([1, 1], abs=1e-5)
        assert measure(a, b).tolist() == pytest.approx(measure(b, a).tolist(), abs=1e-5)
        assert (measure(a, pictures(size=176, noise=0.3)[1]) < measure(a, b)).all()
        together = measure(a, b)
        assert together.tolist() == pytest.approx(
            [float(measure(a[i : i + 1], b[i : i + 1])) for i in (0, 1)], abs=1e-5
        )


def test_ms_ssim_is_the_weighted_product_of_the_scales() -> None:
    """Recomputed from SSIM's terms with numpy and scipy, as the paper writes it."""
    from scipy.ndimage import correlate1d

    a, b = (x[0].double().numpy() for x in pictures(1, 176))
    kernel = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    kernel /= kernel.sum()

    def blur(x: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(x, kernel, 1), kernel, 2)[:, 5:-5, 5:-5]

    value, weights = 1.0, (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    for scale, weight in enumerate(weights):
        ma, mb = blur(a), blur(b)
        va, vb, both = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
        term = (2 * both + 0.03**2) / (va + vb + 0.03**2)
        if scale == len(weights) - 1:
            term = term * (2 * ma * mb + 0.01**2) / (ma**2 + mb**2 + 0.01**2)
        value *= term.mean() ** weight
        a, b = (
            (x.reshape(3, x.shape[1] // 2, 2, x.shape[2] // 2, 2).mean((2, 4)) for x in (a, b)) if scale < 4 else (a, b)
        )
    assert float(ms_ssim(*pictures(1, 176))) == pytest.approx(value, abs=2e-3)


def test_ms_ssim_refuses_what_is_too_small_for_five_scales() -> None:
    with pytest.raises(ValueError, match="161"):
        ms_ssim(*pictures(1, 128))


@pytest.fixture(scope="module")
def squeeze(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a trunk of random weights, as torchvision would save it."""
    import torchvision

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("trunk") / "squeezenet1_1.pth"
    torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), path)
    return path


def test_lpips_takes_a_trunk_from_a_file_and_names_it(squeeze: Path, tmp_path: Path) -> None:
    distance = load_lpips(squeeze)
    assert distance.trunk == "squeeze"
    a, b = pictures()
    assert distance(a, a).abs().max() < 1e-6
    assert (distance(a, b) > 0).all()
    assert distance(a, b).tolist() == pytest.approx(distance(b, a).tolist(), rel=1e-4)
    save_file(torch.load(squeeze, weights_only=True), tmp_path / "s.safetensors")
    assert load_lpips(tmp_path / "s.safetensors")(a, b).tolist() == distance(a, b).tolist()


def test_lpips_can_be_optimised_for(squeeze: Path) -> None:
    a, b = pictures()
    a = a.requires_grad_()
    load_lpips(squeeze)(a, b).sum().backward()
    assert a.grad.abs().max() > 0


def test_lpips_says_what_is_wrong_with_a_file(squeeze: Path, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"no\.pth does not exist"):
        load_lpips(tmp_path / "no.pth")
    (tmp_path / "text.pth").write_text("weights")
    with pytest.raises(InputError, match="cannot be read as weights"):
        load_lpips(tmp_path / "text.pth")
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="no trunk of LPIPS"):
        load_lpips(tmp_path / "other.pth")
    part = {k: v for k, v in torch.load(squeeze, weights_only=True).items() if not k.startswith("features.12")}
    torch.save(part, tmp_path / "part.pth")
    with pytest.raises(InputError, match="no whole squeeze trunk"):
        load_lpips(tmp_path / "part.pth")


def test_lpips_on_the_real_trunk_agrees_with_an_independent_implementation(tmp_path: Path) -> None:
    folder = shared("evaluators/squeeze_lpips_torch.py").parent
    sys.path.insert(0, str(folder))
    try:
        import squeeze_lpips_torch as theirs
    finally:
        sys.path.remove(str(folder))
    state = {k: torch.as_tensor(v).float().contiguous() for k, v in theirs.squeezenet_state().items()}
    save_file(state, tmp_path / "squeeze.safetensors")
    a, b = pictures()
    ours = load_lpips(tmp_path / "squeeze.safetensors")(a, b)
    assert ours.tolist() == pytest.approx(theirs.LPIPS()(2 * a - 1, 2 * b - 1).tolist(), rel=1e-3)
    assert (ours > 0.05).all()
