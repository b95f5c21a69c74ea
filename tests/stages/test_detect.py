"""Faces are found in real pictures, cheaply between full searches, and named per shot."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from unittest.mock import MagicMock

import cv2
import numpy as np
import pytest

import vidinv.stages.detect as stages_detect
from vidinv.faces.quads import quad_from_points, transform_points
from vidinv.runtime.steps import run
from vidinv.stages.decode import decode
from vidinv.stages.detect import (
    DetectOptions,
    Detectors,
    DetectState,
    _followed,
    _shrunk,
    _small,
    detect,
    make_detectors,
)
from vidinv.types import Face, Faces, Frame, known
from vidinv.video import Reader

SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample.mp4"


@pytest.fixture(scope="module")
def detectors() -> Detectors:
    return make_detectors(DetectOptions())


def found_in(frames: Iterable[Frame], detectors: Detectors, options: DetectOptions = DetectOptions()) -> list[Faces]:
    return list(run("detect", partial(detect, detectors=detectors, options=options), DetectState(), frames))


class Counting:
    """A detector that counts how often it is asked, whole and its last network alone."""

    def __init__(self, inner, sure: bool = True) -> None:
        self.inner, self.sure, self.calls, self.looks = inner, sure, 0, 0

    def __call__(self, image):
        self.calls += 1
        return self.inner(image)

    def last(self, picture):
        self.looks += 1
        return self.inner.last(picture if self.sure else np.zeros_like(picture))


def test_the_face_of_the_sample_is_found_in_every_frame_as_one_person(detectors: Detectors) -> None:
    found = found_in(islice(decode(SAMPLE), 40), detectors)
    assert [f.frame.index for f in found] == list(range(40))
    assert all([face.person for face in f.faces] == [0] for f in found)
    assert all(f.faces[0].points.shape == (5, 2) and f.faces[0].points.dtype == np.float32 for f in found)


def test_between_full_searches_the_last_network_alone_follows_a_face(detectors: Detectors) -> None:
    counting = Detectors(Counting(detectors.full), Counting(detectors.region))
    found_in(islice(decode(SAMPLE), 40), counting, DetectOptions(full_every=0.8))
    assert counting.full.calls == 2
    assert counting.region.looks == 38
    assert counting.region.calls == 1  # with the second full search, to see that it is a face still


def test_where_the_last_network_is_not_sure_the_region_is_searched(detectors: Detectors) -> None:
    counting = Detectors(detectors.full, Counting(detectors.region, sure=False))
    found = found_in(islice(decode(SAMPLE), 20), counting)
    assert counting.region.calls == 19
    assert all([face.person for face in f.faces] == [0] for f in found)


@pytest.mark.parametrize("followed", [0.99, 2.0], ids=["the last network", "the region"])
def test_what_finds_a_known_face_agrees_with_the_full_search(detectors: Detectors, followed: float) -> None:
    frames = list(islice(decode(SAMPLE), 12))
    often = [found_in([frame], detectors)[0] for frame in frames]
    rarely = found_in(frames, detectors, DetectOptions(full_every=4.0, followed=followed))
    side = np.ptp(often[0].faces[0].box[[0, 2]])
    for a, b in zip(often, rarely, strict=True):
        assert np.abs(a.faces[0].points - b.faces[0].points).max() < 0.05 * side


@pytest.mark.parametrize("step", [1, 2, 3, 4, 2.5])
def test_a_large_picture_is_made_small_in_bands_to_the_same_bits(step: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages_detect, "BAND", 50)
    with Reader(SAMPLE) as reader:
        [frame] = islice(reader.frames(compact=True), 1)
        height = min(frame.image.shape[:2])
        whole, asked = frame.picture(), MagicMock(wraps=frame.picture)
        monkeypatch.setattr(Frame, "picture", lambda frame: asked())
        image, scale = _small(frame, round(height / step))
    assert scale == round(height / step) / height
    assert np.array_equal(image, _shrunk(whole, scale) if step > 1 else whole)
    assert asked.called == (step in (1, 2.5))


def test_a_face_that_stays_is_followed_without_creeping(detectors: Detectors) -> None:
    [frame] = islice(decode(SAMPLE), 1)
    found = found_in((Frame(frame.image, i) for i in range(60)), detectors, DetectOptions(full_every=9.0))
    first, last = found[0].faces[0], found[-1].faces[0]
    assert np.abs(first.points - last.points).max() < 0.05 * np.ptp(first.box[[0, 2]])


def test_a_followed_face_that_is_gone_is_not_seen_any_more(detectors: Detectors) -> None:
    [frame] = islice(decode(SAMPLE), 1)
    gone = np.full_like(frame.image, 120)
    pictures = [cv2.addWeighted(frame.image, 1 - k, gone, k, 0) for k in np.linspace(0, 1, 12)]
    found = found_in((Frame(p, i) for i, p in enumerate([*pictures, gone, gone])), detectors)
    assert found[0].faces
    assert not found[-1].faces


def test_a_large_box_all_but_outside_the_picture_is_no_face(detectors: Detectors) -> None:
    image, points = np.zeros((1080, 1920, 3), np.uint8), np.zeros((5, 2), np.float32)
    points[1, 0] = 1
    for box in ([1919, 100, 2520, 700], [1925, 100, 2525, 700], [-600, 100, -3, 700]):
        face = Face(np.array(box, np.float32), points, 1.0)
        assert _followed(Frame(image, 0), face, detectors.region, DetectOptions()) is None


def test_a_cut_starts_new_people_and_an_empty_picture_has_none(detectors: Detectors) -> None:
    frames = list(islice(decode(SAMPLE), 6))
    empty = np.full_like(frames[0].image, 20)
    pictures = [f.image for f in frames] + [empty] * 6 + [np.roll(f.image, 300, 1) for f in frames]
    found = found_in((Frame(p, i) for i, p in enumerate(pictures)), detectors)
    assert [f.frame.cut for f in found].count(True) == 2
    assert {f.person for x in found[:6] for f in x.faces} == {0}
    assert not any(x.faces for x in found[6:12])
    assert {f.person for x in found[12:] for f in x.faces} == {1}


def turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned clockwise within a square that holds all of it, and the 2x3 map of its points."""
    height, width = image.shape[:2]
    side = int(np.hypot(height, width))
    there = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    there[:, 2] += (side - np.array([width, height])) / 2
    return cv2.warpAffine(image, there, (side, side)), there


@pytest.mark.parametrize("degrees", [30, 60, 90, 135, 180, 225, 270, 300])
def test_a_face_at_any_turn_is_found_with_its_points_and_followed(detectors: Detectors, degrees: float) -> None:
    frames = [
        cv2.resize(f.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for f in islice(decode(SAMPLE), 3)
    ]
    upright = found_in([Frame(frames[0], 0)], detectors)[0].faces[0]
    pictures, there = zip(*(turned(frame, degrees) for frame in frames), strict=True)
    found = found_in((Frame(p, i) for i, p in enumerate(pictures)), detectors)
    assert [[face.person for face in x.faces] for x in found] == [[0]] * 3
    expected = transform_points(there[0], known(upright.points))
    face = found[0].faces[0]
    assert np.abs(known(face.points) - expected).max() < 0.12 * np.ptp(upright.box[[0, 2]])
    # The crop stands upright: where the upright one lies, turned.
    quads = quad_from_points(known(face.points)), transform_points(there[0], quad_from_points(known(upright.points)))
    assert np.abs(quads[0] - quads[1]).max() < 0.3 * np.ptp(upright.box[[0, 2]])


def test_a_camera_that_rolls_does_not_lose_its_face(detectors: Detectors) -> None:
    frame = next(iter(decode(SAMPLE))).image
    small = cv2.resize(frame, (640, 360), interpolation=cv2.INTER_AREA)
    found = found_in((Frame(turned(small, 6 * i)[0], i) for i in range(60)), detectors)
    assert [[face.person for face in x.faces] for x in found] == [[0]] * 60


def test_a_flash_leaves_everybody_their_numbers(detectors: Detectors) -> None:
    pictures = [f.image for f in islice(decode(SAMPLE), 14)]
    pictures[5] = np.full_like(pictures[5], 255)
    pictures[9] = np.zeros_like(pictures[9])
    found = found_in((Frame(p, i) for i, p in enumerate(pictures)), detectors)
    assert not any(f.frame.cut for f in found)
    assert [len(f.faces) for f in found] == [1] * 5 + [0] + [1] * 3 + [0] + [1] * 4
    assert {face.person for f in found for face in f.faces} == {0}


def test_a_picture_without_anybody_has_nobody_at_any_turn(detectors: Detectors) -> None:
    rng = np.random.default_rng(0)
    noise = cv2.resize(rng.integers(0, 256, (27, 48, 3), np.uint8), (960, 540), interpolation=cv2.INTER_CUBIC)
    assert not any(f.faces for f in found_in((Frame(noise, i) for i in range(13)), detectors))


def test_a_picture_smaller_than_any_face_holds_none(detectors: Detectors) -> None:
    assert [f.faces for f in found_in([Frame(np.zeros((8, 8, 3), np.uint8), 0)], detectors)] == [()]


@pytest.mark.slow
def test_on_a_real_clip_no_frame_misses_its_face(detectors: Detectors, shared_clips: Path) -> None:
    found = found_in(islice(decode(shared_clips / "frontal_720p_aac.mp4"), 90), detectors)
    assert all(len(f.faces) == 1 and f.faces[0].person == 0 for f in found)
