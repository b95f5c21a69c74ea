"""The probe of glasses, beards and makeup: it learns what the features show, reports what they do not, and is kept."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines import label_accessories
from tests.training.shards_toy import write_faces
from tests.training.teachers_toy import toy_teachers
from vidinv.errors import InputError, InputMissing
from vidinv.training import accessories, scores, shards, teachers


def made_up(count: int, shown: bool) -> tuple[np.ndarray, np.ndarray]:
    """Features of 20 numbers, of which one tells the label or none does."""
    rng = np.random.default_rng(0)
    x, truth = rng.normal(3, 2, (count, 20)), (rng.random(count) < 0.3).astype(float)
    x[:, 7] += 8 * truth * shown
    return x, truth


@pytest.mark.parametrize("shown", [True, False])
def test_the_probe_is_as_good_on_new_faces_as_the_features_allow(shown: bool) -> None:
    x, truth = made_up(600, shown)
    weight, bias, chosen = accessories.learn(x[:300], truth[:300])
    predicted = torch.sigmoid(torch.from_numpy(x[300:]).float() @ weight + bias).numpy()
    found = accessories.agreement(predicted, truth[300:])
    assert found["faces"] == 300
    if shown:
        assert found["auc"] > 0.98
        assert found["accuracy"] > 0.93
    else:
        assert 0.35 < found["auc"] < 0.65
        assert chosen["c"] <= 1e-2  # nothing to learn: cross-validation shrinks the weights
        assert np.ptp(predicted) < 0.5


def test_a_label_that_nobody_wears_is_refused() -> None:
    x, truth = made_up(50, True)
    with pytest.raises(InputError, match="0 of 50"):
        accessories.learn(x, 0 * truth)


def test_features_look_at_the_labels_own_part_of_the_face_wherever_the_face_lies() -> None:
    torch.manual_seed(0)
    nets, points = toy_teachers(), np.zeros((1, 68, 2))
    points[:, 36:42], points[:, 42:48], points[:, 48:60] = (22, 22), (42, 22), (32, 43)
    plain = torch.zeros(1, 3, 64, 64)
    chin = plain.clone()
    chin[:, :, 48:56, 24:40] = 1
    before, after = (accessories.features(nets, x, points) for x in (plain, chin))
    assert (after["beard"] - before["beard"]).abs().max() > 0.01
    assert torch.equal(after["glasses"], before["glasses"])
    moved = accessories.features(nets, chin.roll((4, 4), (2, 3)), points + 4)
    assert (moved["beard"] - after["beard"]).abs().max() < 0.05 * (after["beard"] - before["beard"]).abs().max()


def labelled_faces(folder: Path) -> Path:
    """A folder of prepared faces that says which are blue, as a table by hand says of most of them."""
    write_faces(folder, 60)
    labels = shards.read_labels(folder)
    labels["set"], labels["file"] = np.full(60, "drawn"), np.array([f"{i}.png" for i in range(60)])
    shards.write_labels(folder, labels)
    (folder / "manifest.json").write_text('{"kept": 60}')
    pictures = shards.read_crops(folder).reshape(60, -1, 3).mean(1)
    blue = pictures[:, 2] > np.median(pictures[:, 2])
    with open(folder / "table.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["set", "file", "glasses", "beard", "makeup"])
        table.writerows(["drawn", f"{i}.png", int(b), int(b), "" if i % 3 == 0 else int(b)] for i, b in enumerate(blue))
        table.writerow(["drawn", "not-prepared.png", 1, 1, 1])
    return folder


def test_labels_by_hand_become_columns_of_all_faces_and_a_probe_that_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    data, nets = labelled_faces(tmp_path), toy_teachers()
    before = shards.read_labels(data)
    monkeypatch.setattr(teachers, "load_teachers", lambda _: nets)
    monkeypatch.setattr(
        sys, "argv", ["-", "--data", str(data), "--labellers", "-", "--table", str(tmp_path / "table.csv")]
    )
    label_accessories.main()
    labels, figures = shards.read_labels(data), json.loads((data / "manifest.json").read_text())
    assert all(np.array_equal(labels[k], v) for k, v in before.items())
    assert figures["kept"] == 60
    assert figures["accessories"]["makeup"]["learned_from"] == 30
    assert figures["accessories"]["makeup"]["validation"]["faces"] == 10
    probe = accessories.load_probe(data, labels)
    x = torch.from_numpy(shards.read_crops(data)).permute(0, 3, 1, 2) / 127.5 - 1
    for name, p in accessories.probabilities(probe, nets, x, labels["points68"]).items():
        assert np.allclose(p.numpy(), labels[name], atol=1e-4)
    (data / accessories.FILE).unlink()
    with pytest.raises(InputMissing, match="label_accessories again"):
        accessories.load_probe(data, labels)
    assert accessories.load_probe(data, before) is None


def test_faces_that_do_not_say_what_picture_they_are_are_refused(tmp_path: Path) -> None:
    data = labelled_faces(tmp_path)
    labels = shards.read_labels(data)
    with pytest.raises(InputError, match="none of its faces"):
        label_accessories.read_table(tmp_path / "table.csv", labels | {"set": np.full(60, "others")})
    with pytest.raises(InputError, match="prepare_faces"):
        label_accessories.read_table(tmp_path / "table.csv", {k: v for k, v in labels.items() if k != "file"})


def test_an_edit_without_labels_is_refused_by_the_recipe_that_makes_them() -> None:
    scores.require(("age", "hair", "pitch"), {})
    with pytest.raises(InputError, match=r"beard.*label_accessories"):
        scores.require(("age", "glasses", "beard"), {"glasses": np.zeros(1)})
    with pytest.raises(InputError, match="nothing measures hat"):
        scores.require(("hat",), {})
