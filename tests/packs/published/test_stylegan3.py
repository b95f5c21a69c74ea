"""NVIDIA's StyleGAN3 pickles become packs; other filters, sizes and variants are refused by key name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from tests.formula import r, tensor
from tests.packs.published import layouts
from tests.packs.published.nvidia_pickles import network_pickle
from vidinv.errors import UnsuitableCheckpoint
from vidinv.models.bands import bands
from vidinv.models.filters import lowpass
from vidinv.models.generator3 import AliasFreeGenerator
from vidinv.packs.load import load_pack
from vidinv.packs.published.generators import read_generator
from vidinv.packs.published.importing import Sources, import_pack
from vidinv.packs.published.reading import read_checkpoint

SIZES = (*(36,) * 4, *(52,) * 4, *(84,) * 5, 64, 64)
CHANNELS, D = (*(8,) * 10, *(6,) * 4, 3), 16
SIZES_1024 = (36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044, 1024, 1024)
CHANNELS_T = (*(512,) * 7, 323, 203, 128, 81, 51, 32, 32, 3)
CHANNELS_R = (*(1024,) * 7, 645, 406, 256, 161, 102, 64, 64, 3)


def filters(shapes: layouts.Shapes, resolution: int) -> dict[str, torch.Tensor]:
    """As the published code makes them: for each layer from the band before to its own, at twice the higher rate."""
    found, of = {}, bands(resolution)
    for key, shape in shapes.items():
        if match := re.fullmatch(r"synthesis\.L(\d+)_.*\.(up|down)_filter", key):
            i = int(match[1])
            band = of[max(i - 1, 0) if match[2] == "up" else i]
            rate = 2 * max(of[max(i - 1, 0)].rate, of[i].rate)
            found[key] = lowpass(shape[0], band.cutoff, band.width, rate, radial=len(shape) == 2)
    return found


def weights(radial: bool, resolution: int = 64) -> dict[str, torch.Tensor]:
    sizes = SIZES if resolution == 64 else tuple(b.size for b in bands(resolution))
    shapes = layouts.stylegan3(sizes, CHANNELS, D, radial)
    made = {k: torch.as_tensor(r(k, tuple(s))) for k, s in shapes.items()} | filters(shapes, resolution)
    made |= {k: 0.5 + v.square() for k, v in made.items() if k.endswith("magnitude_ema")}
    made["synthesis.input.transform"] = torch.eye(3)
    return made


@pytest.mark.parametrize(("radial", "channels"), [(False, CHANNELS_T), (True, CHANNELS_R)])
def test_the_published_sizes_fit(radial: bool, channels: tuple[int, ...]) -> None:
    shapes = layouts.stylegan3(SIZES_1024, channels, 512, radial)
    state = {k: torch.zeros(()).expand(s) for k, s in shapes.items()} | filters(shapes, 1024)
    read = read_generator({"G_ema": state}, Path("stylegan3.pkl"))
    assert (read.layout, read.kind) == (f"StyleGAN3-{'R' if radial else 'T'}", "stylegan3")
    assert (read.config.resolution, read.config.layers, read.config.radial) == (1024, 16, radial)
    assert read.mean_latent.shape == (16, 512)


@pytest.mark.parametrize("radial", [False, True])
def test_a_pickle_becomes_a_pack(radial: bool, tmp_path: Path) -> None:
    published, path = weights(radial), tmp_path / "stylegan3.pkl"
    path.write_bytes(network_pickle(published, z_dim=D))
    done = import_pack(Sources(path, sefa=2), "toy", tmp_path / "packs")
    assert f"StyleGAN3-{'R' if radial else 'T'}, 64 px, 16 styles of {D}" in done.found[0]
    assert "mean latent: stated" in done.found[1]
    generator = load_pack(done.folder).generator
    assert isinstance(generator, AliasFreeGenerator)
    assert torch.equal(generator.convs[9].weight, published["synthesis.L9_84_8.weight"])
    assert torch.equal(generator.convs[13].magnitude_ema, published["synthesis.L13_64_6.magnitude_ema"])
    assert torch.equal(generator.mapping.layers[1].weight, published["mapping.fc1.weight"])
    assert torch.equal(generator.input.freqs, published["synthesis.input.freqs"])
    assert torch.equal(generator.convs[5].down_filter, published["synthesis.L5_52_8.down_filter"])
    w = tensor("w", (1, 16, D))
    assert torch.isfinite(generator(w)).all()
    direction = load_pack(done.folder).directions["sefa-0"].w
    assert direction.shape == (16, D)
    assert not torch.allclose(generator(w + direction), generator(w))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("synthesis.L3_36_8.down_filter", torch.ones(12) / 12),
        ("synthesis.L3_36_8.up_filter", torch.ones(24) / 24),
        ("synthesis.L3_36_8.up_filter", None),
        ("synthesis.L14_64_3.down_filter", torch.ones(12) / 12),
        ("synthesis.L7_52_8.weight", torch.zeros(8, 8, 5, 5)),
        ("synthesis.L7_52_8.magnitude_ema", None),
        ("synthesis.input.phases", None),
        ("mapping.embed.weight", torch.zeros(16, 10)),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(key: str, value: torch.Tensor | None, tmp_path: Path) -> None:
    state = {k: v for k, v in (weights(False) | {key: value}).items() if v is not None}
    (tmp_path / "g.pkl").write_bytes(network_pickle(state))
    with pytest.raises(UnsuitableCheckpoint, match=rf"g\.pkl: .*{re.escape(key)}"):
        read_generator(read_checkpoint(tmp_path / "g.pkl"), tmp_path / "g.pkl")


def test_another_schedule_of_bands_is_refused() -> None:
    sizes = (*(36,) * 3, *(52,) * 5, *(84,) * 5, 64, 64)
    state = {k: torch.zeros(s) for k, s in layouts.stylegan3(sizes, CHANNELS, D).items()}
    with pytest.raises(UnsuitableCheckpoint, match=r"without .*synthesis\.L3_36_8"):
        read_generator({"G_ema": state}, Path("g.pkl"))
