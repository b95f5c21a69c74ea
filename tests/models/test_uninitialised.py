"""Building a network for weights from a file draws none, and starts quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.toy import write_toy_pack
from vidinv.models.generator import Generator, GeneratorConfig
from vidinv.models.iresnet_encoder import IResNetEncoder, IResNetEncoderConfig
from vidinv.models.uninitialised import Uninitialised

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Generator(GeneratorConfig((8,) * 5, 8)),
        lambda: IResNetEncoder(IResNetEncoderConfig(64, (4,) * 5, (1,) * 4, 2, 8, 4)),
    ],
)
def test_no_random_number_is_drawn_and_shapes_stay(make) -> None:
    drawn = {k: v.shape for k, v in make().state_dict().items()}
    before = torch.get_rng_state()
    with Uninitialised():
        made = make()
    assert torch.equal(torch.get_rng_state(), before)
    assert {k: v.shape for k, v in made.state_dict().items()} == drawn


def test_loading_a_pack_does_not_import_symbolic_algebra(tmp_path: Path) -> None:
    """It did once, and took two seconds."""
    code = (
        "import sys; from vidinv.packs.load import load_pack; p = load_pack(sys.argv[1]); before = set(sys.modules)\n"
        "p.generator, p.encoder, p.identity; print([m for m in sys.modules if m == 'sympy' and m not in before])"
    )
    command = [sys.executable, "-c", code, str(write_toy_pack(tmp_path / "toy"))]
    said = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    assert said.strip() == "[]"
