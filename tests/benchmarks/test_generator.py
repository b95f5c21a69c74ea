"""The benchmark of a generator, on toy packs: faces out of shards and out of a folder, figures that add up."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks.generator.__main__ import main
from benchmarks.generator.measure import drawn_like, equivariant
from benchmarks.generator.pictures import from_folder, from_shards
from tests.toy import write_toy_pack
from vidinv.errors import InputError
from vidinv.faces.quads import FACE
from vidinv.packs.load import load_pack
from vidinv.training.shards import write_shards
from vidinv.video import Reader

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 blurred pictures, of which 20 are kept for validation."""
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    pictures = [cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (64, 64)) for _ in range(24)]
    crops = [cv2.imencode(".jpg", p)[1].tobytes() for p in pictures]
    write_shards(folder, crops, {"val": np.arange(24) >= 4})
    return folder


def test_all_figures_of_a_pack_are_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("sklearn")
    pack = write_toy_pack(tmp_path / "toy")
    main(["--data", str(data), "--pack", str(pack), "--turned", "2", "--out", str(tmp_path / "a.json")])
    told = json.loads((tmp_path / "a.json").read_text())
    assert (told["faces"], told["features"]) == (20, "identity of toy")
    assert len(told["distances"]) == 5
    assert all(v >= 0 for row in told["distances"].values() for v in row.values())
    assert 0 <= told["dci"]["informativeness"] <= 1
    assert told["dci"]["factors"] == ["age", "smile", "gender"]
    assert told["equivariance"]["pixels"] == [4, -4]


def test_too_few_faces_are_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pack = write_toy_pack(tmp_path / "toy")
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(data), "--pack", str(pack), "--count", "8"])
    assert ended.value.code == InputError.exit_code
    assert "8 faces are too few" in capsys.readouterr().err


def test_an_alias_free_generator_moves_with_its_input(tmp_path: Path) -> None:
    pack = load_pack(write_toy_pack(tmp_path / "toy", alias_free=True))
    shape = pack.generator.config
    w = torch.randn(2, shape.layers, shape.d_style, generator=torch.Generator().manual_seed(0))
    found = equivariant(pack, w, torch.zeros(2, *shape.feature_shape))
    assert found["moved"] == "the Fourier features' transform"
    assert found["eq_t"] > 50
    assert torch.equal(pack.generator.input.transform, torch.eye(3)), "it is put back"


def test_random_codes_are_spread_like_the_faces() -> None:
    codes = torch.randn(4000, 2, 3, generator=torch.Generator().manual_seed(1)) * 3 + 1
    drawn = drawn_like(codes, 0)
    assert drawn.shape == codes.shape
    assert torch.allclose(drawn.mean((0, 1)), codes.mean((0, 1)), atol=0.3)
    assert torch.allclose(drawn.std(), codes.std(), atol=0.3)


def test_faces_of_a_folder_are_found_and_aligned(tmp_path: Path) -> None:
    with Reader(ROOT / "assets" / "sample.mp4") as reader:
        frame = next(iter(reader)).image
    (tmp_path / "deep").mkdir()
    cv2.imwrite(str(tmp_path / "deep" / "a.png"), frame[..., ::-1])
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 200, 3), 128, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    assert from_folder(tmp_path, FACE, 64, 9).shape == (1, 64, 64, 3)
    with pytest.raises(InputError, match="no picture with a face"):
        from_folder(tmp_path / "none", FACE, 64, 9)


def test_shards_are_drawn_by_seed_and_resized(data: Path) -> None:
    assert from_shards(data, 32, 50, 0).shape == (20, 32, 32, 3)
    assert np.array_equal(from_shards(data, 64, 5, 1), from_shards(data, 64, 5, 1))
    assert not np.array_equal(from_shards(data, 64, 5, 1), from_shards(data, 64, 5, 2))
