import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vidinv.errors import InputError
from vidinv.models.attributes import AttributeConfig
from vidinv.models.identity import IdentityConfig
from vidinv.models.landmarks import MIRROR, LandmarkConfig
from vidinv.packs.write import write_tensors
from vidinv.training import checkpoints, distil, runs
from vidinv.training.distil import DistilOptions, DistilState
from vidinv.training.photo_augmentation import PhotoAugmentation, augment, degrade
from vidinv.training.student_figures import agreement, answers

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = 32
TOY = dict(side=32, widths=(8, 12, 16), blocks=(1, 1), squeeze=4)
CONFIGS = {
    "identity": IdentityConfig(**TOY),
    "attributes": AttributeConfig(**TOY),
    "landmarks": LandmarkConfig(**TOY),
}
STILL = PhotoAugmentation(0, 0, 0, 0, 0, 0, 0, 0, 0)
OPTIONS = DistilOptions(images=320, batch=16, rate=5e-3)


def made_up_faces(count: int = 24) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Discs whose place, brightness and colour are the labels."""
    rng = np.random.default_rng(0)
    pictures, points = np.zeros((count, SIZE, SIZE, 3), np.uint8), np.zeros((count, 68, 2))
    unit = rng.uniform(-1, 1, (68, 2))
    colour = rng.integers(80, 255, (count, 3))
    for i in range(count):
        centre, radius = rng.uniform(12, 20, 2), rng.uniform(6, 10)
        cv2.circle(pictures[i], tuple(int(c) for c in centre), int(radius), colour[i].tolist(), -1)
        points[i] = centre + radius * unit
    identity = np.pad(colour - 167.0, ((0, 0), (0, 125)))
    expression = np.eye(7)[rng.integers(0, 2, count)]
    labels = {
        "identity": (identity / np.linalg.norm(identity, axis=1, keepdims=True)).astype(np.float32),
        "age": colour[:, 0] / 4.0,
        "male": (colour[:, 1] > 160).astype(np.float32),
        "expression": expression.astype(np.float32),
        "points68": points,
        "skin": colour.mean(1),
    }
    return pictures, labels


def train(state: DistilState, name: str, images: int, folder: Path) -> list[float]:
    """Until so many images are seen; the losses of all steps."""
    losses, feed = [], distil.batches(*made_up_faces(), OPTIONS, state.seen)

    def step() -> dict[str, torch.Tensor]:
        figures = distil.step(state, name, *next(feed), OPTIONS)
        losses.append(float(figures["loss"]))
        return figures

    def checkpoint() -> dict[str, str]:
        checkpoints.write(folder, name, state.to_dict())
        return {"student": name}

    runs.train(runs.Run(folder / "log.jsonl"), state, images, OPTIONS.batch, step, checkpoint)
    return losses


@pytest.mark.parametrize("name", CONFIGS)
def test_a_few_steps_lower_the_loss(name, tmp_path):
    state = distil.start(CONFIGS[name], OPTIONS, made_up_faces()[1], SIZE)
    losses = train(state, name, OPTIONS.images, tmp_path)
    assert state.seen == OPTIONS.images
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])


@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_that_was_cut_continues_as_if_it_had_not_been(name, tmp_path):
    labels = made_up_faces()[1]
    (tmp_path / "whole").mkdir()
    whole = distil.start(CONFIGS[name], OPTIONS, labels, SIZE)
    train(whole, name, 5 * OPTIONS.batch, tmp_path / "whole")
    cut = distil.start(CONFIGS[name], OPTIONS, labels, SIZE)
    train(cut, name, 3 * OPTIONS.batch, tmp_path)
    resumed = distil.start(CONFIGS[name], DistilOptions(seed=7), None, SIZE)
    resumed.from_dict(checkpoints.read(tmp_path, name))
    train(resumed, name, 5 * OPTIONS.batch, tmp_path)
    assert resumed.seen == whole.seen == 80
    for part in ("net", "average"):
        a, b = (getattr(s, part).state_dict() for s in (whole, resumed))
        assert all(torch.equal(a[k], b[k]) for k in a)


def test_a_network_that_learns_more_keeps_what_it_read_to_the_bit():
    pictures, labels = made_up_faces()
    labels["glasses"] = (labels["age"] > 42).astype(np.float32)
    first = distil.start(CONFIGS["attributes"], OPTIONS, labels, SIZE)
    known = first.net.state_dict()
    config = dataclasses.replace(CONFIGS["attributes"], worn=("glasses",), worn_widths=(8, 12))
    state = distil.start(config, OPTIONS, labels, SIZE, known=known)
    feed = distil.batches(pictures, labels, OPTIONS)
    for _ in range(12):
        distil.step(state, "attributes", *next(feed), OPTIONS)
    for net in (state.net, state.average):
        assert all(torch.equal(net.state_dict()[k], v) for k, v in known.items())
    said, before = (answers(one.average.eval(), pictures) for one in (state, first))
    assert all(np.array_equal(said[k], v) for k, v in before.items())
    assert said["glasses"][labels["glasses"] > 0.5].mean() > said["glasses"][labels["glasses"] < 0.5].mean()
    assert {"glasses_auc", "glasses_correlation", "age_correlation"} <= agreement(said, labels).keys()


def test_a_network_that_does_not_fit_or_has_nothing_to_learn_is_refused():
    state = distil.start(CONFIGS["attributes"], OPTIONS)
    with pytest.raises(InputError, match="reads all of this already"):
        distil.start(CONFIGS["attributes"], OPTIONS, known=state.net.state_dict())
    with pytest.raises(InputError, match="of other sizes"):
        distil.start(AttributeConfig(worn=("glasses",)), OPTIONS, known=state.net.state_dict())


def test_landmarks_move_with_the_picture():
    """A white dot is painted on each of three points; after the move it is found where the points say."""
    size, rng = 128, np.random.default_rng(3)
    dots = {36: (40, 45), 48: (45, 90), 8: (62, 110)}
    for _ in range(20):
        picture, points = np.zeros((size, size, 3), np.uint8), np.full((68, 2), 64.0)
        for channel, (index, place) in enumerate(dots.items()):
            points[index] = place
            picture[place[1] - 1 : place[1] + 2, place[0] - 1 : place[0] + 2, channel] = 255
        how = PhotoAugmentation(20, 0.1, 0.05, 0, 0, 0, 0, 0, 0)
        moved, where = augment(picture, points, how, rng)
        mirrored = not np.allclose(where[36], 64, atol=16)  # else point 45, from the middle, took its place
        for channel, index in enumerate(dots):
            mass = moved[..., channel].astype(float)
            y, x = np.unravel_index(mass.argmax(), mass.shape)
            expected = where[index] if mirrored else where[MIRROR[index]]
            assert np.hypot(x - expected[0], y - expected[1]) < 2.5


def test_mirrored_points_keep_their_meaning():
    """Points of a symmetric face do not change by mirroring it."""
    half = np.random.default_rng(0).uniform(0, SIZE - 1, (68, 2))
    mirrored = half[list(MIRROR)] * (-1, 1) + (SIZE - 1, 0)
    face = (half + mirrored) / 2
    for seed in range(4):
        _, points = augment(np.zeros((SIZE, SIZE, 3), np.uint8), face, STILL, np.random.default_rng(seed))
        assert np.allclose(points, face)


def test_no_augmentation_keeps_or_mirrors_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    for seed in range(4):
        out, _ = augment(picture, np.zeros((68, 2)), STILL, np.random.default_rng(seed))
        assert min(np.abs(out.astype(int) - p).max() for p in (picture, picture[:, ::-1])) <= 1


def test_degrading_keeps_shape_and_type_and_the_picture_itself():
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    before = picture.copy()
    how = PhotoAugmentation(grey=1, soft=1, noise=1, jpeg=1)
    out = degrade(picture, how, np.random.default_rng(0))
    assert out.shape == picture.shape
    assert out.dtype == np.uint8
    assert np.array_equal(picture, before)


def test_a_degraded_picture_depends_on_its_own_random_numbers_alone():
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    how = PhotoAugmentation(grey=0.5, soft=1, noise=1, jpeg=1)
    torch.manual_seed(0)
    first = [degrade(picture, how, np.random.default_rng(n)) for n in range(4)]
    torch.manual_seed(1)
    again = [degrade(picture, how, np.random.default_rng(n)) for n in (3, 2, 1, 0)][::-1]
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("kind", ["grey", "light", "colour", "soft", "noise", "jpeg"])
def test_each_kind_of_degradation_does_what_its_name_says(kind):
    rng = np.random.default_rng(1)
    picture = cv2.resize(rng.integers(60, 200, (8, 8, 3), np.uint8), (SIZE, SIZE)).astype(int)
    picture = (picture + rng.integers(-20, 20, picture.shape)).clip(0, 255).astype(np.uint8)
    chances = dict.fromkeys(("grey", "soft", "noise", "jpeg"), 0.0) | dict.fromkeys(("light", "colour"), 0.0)
    how = PhotoAugmentation(**chances | {kind: 0.3 if kind in ("light", "colour") else 1.0})
    out = [degrade(picture, how, np.random.default_rng(n)).astype(float) for n in range(8)]
    assert any(np.abs(o - picture).max() > 1 for o in out)
    if kind == "grey":
        assert all(np.ptp(o, axis=2).max() <= 1 for o in out)
    if kind == "light":
        assert np.ptp([o.mean() for o in out]) > 20
    if kind == "colour":
        assert max(np.abs(o.mean((0, 1)) - picture.mean((0, 1))).std() for o in out) > 3
    if kind == "soft":
        assert all(np.diff(o, axis=0).std() < np.diff(picture.astype(float), axis=0).std() for o in out)
    if kind in ("noise", "jpeg"):
        assert all(np.abs(o.mean() - picture.mean()) < 3 for o in out)
    if kind == "noise":
        assert max((o - picture).std() for o in out) < 10


def test_agreement_of_a_student_with_itself_is_perfect():
    _, labels = made_up_faces()
    labels["age"] = labels["age"] + 10
    assert agreement({"identity": labels["identity"]}, labels)["cosine_mean"] == pytest.approx(1)
    figures = agreement({k: labels[k] for k in ("age", "male", "expression")}, labels)
    assert figures["age_mean_difference_years"] == 0
    assert figures["sex_agreement"] == figures["happy_auc"] == figures["expression_agreement"] == 1
    assert agreement({"points68": labels["points68"]}, labels)["nme_mean"] == 0


@pytest.mark.parametrize("name", CONFIGS)
def test_students_answer_under_the_names_of_the_labels(name, tmp_path):
    pictures, labels = made_up_faces(6)
    state = distil.start(CONFIGS[name], OPTIONS, labels, SIZE)
    said = answers(state.average.eval(), pictures)
    assert all(v.shape == labels[k].shape for k, v in said.items())
    write_tensors(tmp_path / "student.safetensors", state.average.state_dict())
    written = load_file(tmp_path / "student.safetensors").values()
    assert all(v.dtype in (torch.float16, torch.int64) for v in written)


def test_the_rate_rises_and_falls():
    rates = [distil.rate_at(OPTIONS, seen) for seen in (0, 32, 160, 320)]
    assert rates[3] == pytest.approx(0.01 * OPTIONS.rate)
    assert rates[2] < rates[1] <= OPTIONS.rate
