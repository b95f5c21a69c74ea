"""Crops are steady, bridged over short misses, and end where the shot or the face does."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from vidinv.runtime.steps import run
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.types import Face, Faces, Frame

POINTS = np.array([[60, 60], [90, 60], [75, 78], [64, 92], [86, 92]], np.float32)
RATE = 30.0


def found(index: int, points: np.ndarray | None, cut: bool = False, person: int = 0) -> Faces:
    image = np.full((160, 160, 3), index % 256, np.uint8)
    faces = []
    if points is not None:
        box = np.concatenate([points.min(0) - 15, points.max(0) + 15]).astype(np.float32)
        faces = [Face(box, points.astype(np.float32), 1.0, person)]
    return Faces(Frame(image, index, cut=cut), tuple(faces))


def aligned(stream: list[Faces], **options) -> list[Faces]:
    placing = partial(align, options=AlignOptions(size=32, rate=RATE, **options))
    return list(run("align", placing, AlignState(), stream))


@pytest.mark.parametrize("length", [0, 1, 3, 11, 50])
def test_one_out_per_one_in_in_order(length: int) -> None:
    out = aligned([found(i, POINTS if i % 3 else None) for i in range(length)])
    assert [a.frame.index for a in out] == list(range(length))


def test_a_nod_of_one_hertz_keeps_nine_tenths_of_its_amplitude_through_detection_noise() -> None:
    rng = np.random.default_rng(0)
    nod = 6 * np.sin(2 * np.pi * np.arange(180) / RATE)
    out = aligned([found(i, POINTS + [0, y] + rng.normal(0, 0.5, (5, 2))) for i, y in enumerate(nod)])
    height = np.array([a.faces[0].quad[:, 1].mean() for a in out])[30:-30]
    wave = np.exp(-2j * np.pi * np.arange(len(height)) / RATE)
    assert 0.9 < 2 * np.abs((height - height.mean()) @ wave) / len(height) / 6 < 1.05
    jitter = np.diff(height - nod[30:-30]).std()
    assert jitter < 0.12


def test_a_short_miss_is_bridged_on_the_line_between() -> None:
    out = aligned([found(i, None if 30 <= i < 36 else POINTS + [0.5 * i, 0]) for i in range(60)])
    assert all(len(a.faces) == 1 and a.faces[0].weight == 1 for a in out)
    assert [f.seen for f in out[33].faces] == [False]
    x = [a.faces[0].quad[:, 0].mean() for a in out]
    assert np.allclose(np.diff(x), 0.5, atol=1e-6)


def test_a_long_absence_fades_out_and_in() -> None:
    out = aligned([found(i, None if 40 <= i < 80 else POINTS) for i in range(120)])
    weights = [a.faces[0].weight if a.faces else 0.0 for a in out]
    assert weights[20] == weights[100] == 1
    assert max(weights[40:80]) == 0
    assert np.abs(np.diff(weights)).max() < 0.3


def test_a_cut_resets_everything_and_nothing_fades_at_it() -> None:
    far = POINTS + 50
    stream = [found(i, POINTS) for i in range(30)] + [found(i, far, cut=i == 30, person=1) for i in range(30, 60)]
    out = aligned(stream)
    assert all(a.faces[0].weight == 1 for a in out)
    centres = np.array([a.faces[0].quad.mean(0) for a in out])
    assert np.allclose(centres[:30], centres[0])
    assert np.allclose(centres[30:], centres[0] + 50)


def test_a_face_seen_for_two_frames_only_is_not_believed() -> None:
    out = aligned([found(i, POINTS if i in (40, 41) else None) for i in range(90)])
    assert not any(a.faces for a in out)


def test_the_result_does_not_depend_on_what_lies_beyond_the_window() -> None:
    rng = np.random.default_rng(1)
    stream = [found(i, POINTS + rng.normal(0, 1, (5, 2))) for i in range(80)]
    whole, part = aligned(stream), aligned(stream[20:])
    assert np.allclose(whole[50].faces[0].quad, part[30].faces[0].quad)
