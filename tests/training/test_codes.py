"""Codes of all faces of a folder: made whole on a CPU, or the arrays alone beside a table that travelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.codes_toy import write_all
from tests.training.teachers_toy import toy_teachers
from vidinv.runtime.compute import Compute
from vidinv.training import accessories, codes, parts, shards
from vidinv.training.networks import open_networks, open_probe, save_networks
from vidinv.training.scores import SCORES

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_all(tmp_path_factory.mktemp("codes"))
    faces, nets = folder / "data" / "faces", toy_teachers()
    probe = accessories.load_probe(faces, shards.read_labels(faces))
    scale = dict.fromkeys(SCORES, 2.0)
    codes.write_codes(folder / "codes", faces, open_networks(str(folder / "pack")), nets, scale, probe)
    return folder


def test_a_folder_of_codes_is_whole(material: Path) -> None:
    found, networks = codes.read_codes(material / "codes"), open_networks(str(material / "pack"))
    assert found.w.shape == (24, networks.generator.config.layers, 16)
    assert found.feature.shape == (24, *networks.generator.config.feature_shape)
    w, feature, below = (torch.from_numpy(np.array(a[:4])).float() for a in (found.w, found.feature, found.below))
    made = networks.generator.render_from(w, feature, below)
    levels = (made.clamp(-1, 1) + 1) * 127.5
    assert (levels - torch.from_numpy(np.array(found.inversions[:4])).permute(0, 3, 1, 2)).abs().mean() < 2
    assert found.labels["read"].shape == (24, len(SCORES))
    assert {"hair", "tone", "white", "glasses"} <= found.labels.keys()


def test_a_table_travels_and_the_arrays_are_made_beside_it(material: Path, tmp_path: Path) -> None:
    networks = open_networks(str(material / "pack"))
    save_networks(tmp_path / "networks.pt", networks, open_probe(material / "data" / "faces"))
    sent = open_networks(str(tmp_path / "networks.pt"))
    for a, b in zip(networks.encoder.parameters(), sent.encoder.parameters(), strict=True):
        assert torch.allclose(a, b, atol=2e-3, rtol=2e-3)
    there = open_probe(tmp_path / "networks.pt")
    assert torch.equal(there.weights["beard"], open_probe(material / "data" / "faces").weights["beard"])

    count = parts.stage_faces(tmp_path / "faces", material / "data" / "faces", material / "codes", 100)
    codes.complete(tmp_path / "codes", tmp_path / "faces", sent, Compute("cpu", torch.bfloat16))
    whole, made = codes.read_codes(material / "codes"), codes.read_codes(tmp_path / "codes")
    assert count == len(made.w) == 24
    assert made.scales == whole.scales
    assert np.abs(made.w.astype(float) - whole.w).mean() < 0.05 * whole.w.astype(float).std()
    assert np.array_equal(made.labels["read"], whole.labels["read"], equal_nan=True)
    assert made.labels["points68"].dtype == np.float32
    assert np.abs(made.labels["points68"] - whole.labels["points68"]).max() < 0.05
    assert "colour" not in made.labels
