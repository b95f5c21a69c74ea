"""Faces are found in real pictures, cheaply between full searches, and named per shot."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from vidinv.runtime.steps import run
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, Detectors, DetectState, detect, make_detectors
from vidinv.types import Faces, Frame

SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample.mp4"


@pytest.fixture(scope="module")
def detectors() -> Detectors:
    return make_detectors(DetectOptions())


def found_in(frames: Iterable[Frame], detectors: Detectors, options: DetectOptions = DetectOptions()) -> list[Faces]:
    return list(run("detect", partial(detect, detectors=detectors, options=options), DetectState(), frames))


class Counting:
    """A detector that counts how often it is asked."""

    def __init__(self, inner) -> None:
        self.inner, self.calls = inner, 0

    def __call__(self, image):
        self.calls += 1
        return self.inner(image)


def test_the_face_of_the_sample_is_found_in_every_frame_as_one_person(detectors: Detectors) -> None:
    found = found_in(islice(decode(SAMPLE), 40), detectors)
    assert [f.frame.index for f in found] == list(range(40))
    assert all([face.person for face in f.faces] == [0] for f in found)
    assert all(f.faces[0].points.shape == (5, 2) and f.faces[0].points.dtype == np.float32 for f in found)


def test_between_full_searches_only_the_region_is_searched(detectors: Detectors) -> None:
    counting = Detectors(Counting(detectors.full), Counting(detectors.region))
    found_in(islice(decode(SAMPLE), 40), counting, DetectOptions(full_every=0.8))
    assert counting.full.calls == 2
    assert counting.region.calls == 39


def test_the_region_agrees_with_the_full_search(detectors: Detectors) -> None:
    frames = list(islice(decode(SAMPLE), 12))
    often = [found_in([frame], detectors)[0] for frame in frames]
    rarely = found_in(frames, detectors, DetectOptions(full_every=4.0))
    side = np.ptp(often[0].faces[0].box[[0, 2]])
    for a, b in zip(often, rarely, strict=True):
        assert np.abs(a.faces[0].points - b.faces[0].points).max() < 0.05 * side


def test_a_cut_starts_new_people_and_an_empty_picture_has_none(detectors: Detectors) -> None:
    frames = list(islice(decode(SAMPLE), 6))
    empty = np.full_like(frames[0].image, 20)
    pictures = [f.image for f in frames] + [empty] * 6 + [np.roll(f.image, 300, 1) for f in frames]
    found = found_in((Frame(p, i) for i, p in enumerate(pictures)), detectors)
    assert [f.frame.cut for f in found].count(True) == 2
    assert {f.person for x in found[:6] for f in x.faces} == {0}
    assert not any(x.faces for x in found[6:12])
    assert {f.person for x in found[12:] for f in x.faces} == {1}


def test_a_picture_smaller_than_any_face_holds_none(detectors: Detectors) -> None:
    assert [f.faces for f in found_in([Frame(np.zeros((8, 8, 3), np.uint8), 0)], detectors)] == [()]


@pytest.mark.slow
def test_on_a_real_clip_no_frame_misses_its_face(detectors: Detectors, shared_clips: Path) -> None:
    found = found_in(islice(decode(shared_clips / "frontal_720p_aac.mp4"), 90), detectors)
    assert all(len(f.faces) == 1 and f.faces[0].person == 0 for f in found)
