"""What lies over a face keeps its own pixels: in the blend, and on the real clip of a hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice

import numpy as np
import pytest

from tests.shared import shared
from vidinv.api import VideoEditor
from vidinv.faces.quads import quad_from_points
from vidinv.faces.warps import crop, uncrop
from vidinv.packs.load import load_pack
from vidinv.runtime.steps import run
from vidinv.stages.blend import BlendOptions, blend
from vidinv.stages.stabilise import StabiliseState, stabilise
from vidinv.types import Assessment, Face, Faces, Frame
from vidinv.video import Reader

POINTS = np.array([[60, 60], [90, 60], [75, 78], [64, 92], [86, 92]], float)
QUAD = quad_from_points(POINTS)
BOX = (0, 0, 150, 150)
FINGERS = (slice(250, 320), slice(360, 405))  # of the real clip, about its frame 120


def rendered(i: int, visible: np.ndarray | None) -> Faces:
    """An edit that moves and colours everything."""
    picture = np.random.default_rng(0).integers(40, 200, (30, 30, 3), np.uint8).repeat(5, 0).repeat(5, 1)
    own = crop(picture, QUAD, 64)
    before = own.astype(np.float32)
    after = np.roll(before, 3, 1) + np.float32([30, 0, -20])
    assessment = Assessment({}, 0, 0, 1.0, occluded_share=0.4, visible=visible)
    face = Face(
        np.zeros(4, np.float32), person=0, quad=QUAD, crop=own, amount=1.0, inversion=before, edited=after,
        assessment=assessment,
    )  # fmt: skip
    return Faces(Frame(picture, i, time=Fraction(i, 30)), (face,))


def blended(stream: list[Faces], composite: str = "detail") -> list[Faces]:
    steady = run("stabilise", stabilise, StabiliseState(), stream)
    return list(run("blend", partial(blend, options=BlendOptions(composite)), None, steady))


def right_half() -> np.ndarray:
    visible = np.ones((64, 64), np.float32)
    visible[:, :32] = 0
    return visible


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_what_covers_the_face_comes_out_bit_identical_and_the_rest_is_edited(composite: str) -> None:
    (out,) = blended([rendered(0, right_half())], composite)
    (whole,) = blended([rendered(0, None)], composite)
    source = rendered(0, None).frame.image
    open_to_edits = uncrop(right_half(), QUAD, BOX)
    changed = (out.output.image != source).any(2)
    assert not changed[open_to_edits == 0].any()
    assert (whole.output.image != source).any(2)[open_to_edits == 0].any()
    assert np.array_equal(out.output.image[open_to_edits == 1], whole.output.image[open_to_edits == 1])
    assert changed[open_to_edits == 1].mean() > 0.3


def test_a_change_that_was_averaged_over_the_past_does_not_reach_a_hand_that_came() -> None:
    stream = [rendered(i, None if i < 5 else right_half()) for i in range(8)]
    out = blended(stream)
    hidden = uncrop(right_half(), QUAD, BOX) == 0
    assert all(np.array_equal(b.output.image[hidden], b.frame.image[hidden]) for b in out[5:])
    assert not np.array_equal(out[4].output.image[hidden], out[4].frame.image[hidden])


def test_a_face_that_was_not_assessed_is_edited_whole() -> None:
    (out,) = blended([rendered(0, None).each(lambda face: replace(face, assessment=None))])
    assert out.faces[0].mask.max() == 1


@pytest.fixture(scope="module")
def hand_frames() -> list[np.ndarray]:
    """A face, and then a hand over its nose and mouth."""
    with Reader(shared("clips") / "hand_over_face_360p_23976.mp4") as reader:
        frames = [f.image for f in islice(reader, 128)]
    return [*frames[20:32], *frames[112:128]]


@pytest.mark.slow
def test_a_real_hand_keeps_its_pixels_while_the_face_is_edited(hand_frames: list[np.ndarray]) -> None:
    if not load_pack().has("visibility"):
        pytest.skip("the default pack has no visibility network")
    face, hand = hand_frames[:12], hand_frames[12:]
    editor = VideoEditor()
    free = list(editor.edit_frames(face, "age=+2", rate=24))
    held = list(editor.edit_frames(hand, "age=+2", rate=24))
    assert np.abs(free[6].astype(int) - face[6]).mean() > 0.3
    change = np.abs(held[8].astype(int) - hand[8]).mean(2)
    assert change[FINGERS].max() == 0
    assert change.mean() > 0.1
