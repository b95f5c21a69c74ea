import itertools

import cv2
import numpy as np
import pytest
import torch

from vidinv.models.attributes import AttributeConfig
from vidinv.models.identity import IdentityConfig
from vidinv.models.landmarks import MIRROR, LandmarkConfig
from vidinv.training import distil
from vidinv.training.distil import Augmentation, DistilOptions

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = 32
TOY = dict(side=32, widths=(8, 12, 16), blocks=(1, 1), squeeze=4)
SHAPES = {
    "identity": IdentityConfig(**TOY),
    "attributes": AttributeConfig(**TOY),
    "landmarks": LandmarkConfig(**TOY),
}
STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0)
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


@pytest.mark.parametrize("name", distil.STUDENTS)
def test_a_few_steps_lower_the_loss(name):
    pictures, labels = made_up_faces()
    state = distil.start(SHAPES[name], OPTIONS, labels, SIZE)
    losses = []
    feed = distil.batches(pictures, labels, OPTIONS)
    distil.train(state, name, feed, OPTIONS, lambda state, loss: losses.append(loss))
    assert state.seen == OPTIONS.images
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])


@pytest.mark.parametrize("name", distil.STUDENTS)
def test_a_run_that_was_cut_continues_as_if_it_had_not_been(name, tmp_path):
    pictures, labels = made_up_faces()

    def run(state: distil.State, steps: int) -> None:
        feed = distil.batches(pictures, labels, OPTIONS, state.seen)
        counter = itertools.count(1)
        distil.train(state, name, feed, OPTIONS, lambda *_: next(counter) == steps)

    whole = distil.start(SHAPES[name], OPTIONS, labels, SIZE)
    run(whole, 5)
    cut = distil.start(SHAPES[name], OPTIONS, labels, SIZE)
    run(cut, 3)
    cut.save(tmp_path / "checkpoint.pt")
    resumed = distil.start(SHAPES[name], DistilOptions(seed=7), None, SIZE)
    resumed.load(tmp_path / "checkpoint.pt")
    run(resumed, 2)
    assert resumed.seen == whole.seen
    for part in ("net", "mean"):
        a, b = (getattr(s, part).state_dict() for s in (whole, resumed))
        assert all(torch.equal(a[k], b[k]) for k in a)


def test_landmarks_move_with_the_picture():
    """A white dot is painted on each of three points; after the move it is found where the points say."""
    size, rng = 128, np.random.default_rng(3)
    dots = {36: (40, 45), 48: (45, 90), 8: (62, 110)}
    for _ in range(20):
        picture, points = np.zeros((size, size, 3), np.uint8), np.full((68, 2), 64.0)
        for channel, (index, place) in enumerate(dots.items()):
            points[index] = place
            picture[place[1] - 1 : place[1] + 2, place[0] - 1 : place[0] + 2, channel] = 255
        how = Augmentation(20, 0.1, 0.05, 0, 0, 0, 0, 0, 0)
        moved, where = distil.augment(picture, points, how, rng)
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
        _, points = distil.augment(np.zeros((SIZE, SIZE, 3), np.uint8), face, STILL, np.random.default_rng(seed))
        assert np.allclose(points, face)


def test_no_augmentation_keeps_or_mirrors_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    for seed in range(4):
        out, _ = distil.augment(picture, np.zeros((68, 2)), STILL, np.random.default_rng(seed))
        assert min(np.abs(out.astype(int) - p).max() for p in (picture, picture[:, ::-1])) <= 1


def test_spoiling_keeps_shape_and_type():
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    how = Augmentation(grey=1, soft=1, noise=1, jpeg=1)
    out = distil.spoil(picture, how, np.random.default_rng(0))
    assert out.shape == picture.shape
    assert out.dtype == np.uint8


def test_agreement_of_a_student_with_itself_is_perfect():
    _, labels = made_up_faces()
    labels["age"] = labels["age"] + 10
    assert distil.agreement({"identity": labels["identity"]}, labels)["cosine_mean"] == pytest.approx(1)
    figures = distil.agreement({k: labels[k] for k in ("age", "male", "expression")}, labels)
    assert figures["age_mean_difference_years"] == 0
    assert figures["sex_agreement"] == figures["happy_auc"] == figures["expression_agreement"] == 1
    assert distil.agreement({"points68": labels["points68"]}, labels)["nme_mean"] == 0


@pytest.mark.parametrize("name", distil.STUDENTS)
def test_students_answer_under_the_names_of_the_labels(name):
    pictures, labels = made_up_faces(6)
    state = distil.start(SHAPES[name], OPTIONS, labels, SIZE)
    said = distil.answers(state.mean.eval(), pictures)
    assert all(v.shape == labels[k].shape for k, v in said.items())
    assert all(v.dtype in (torch.float16, torch.int64) for v in distil.weights(state.mean).values())


def test_the_rate_rises_and_falls():
    rates = [distil.rate_at(OPTIONS, seen) for seen in (0, 32, 160, 320)]
    assert rates[3] == pytest.approx(0.01 * OPTIONS.rate)
    assert rates[2] < rates[1] <= OPTIONS.rate
