"""Doubts by name, and edits that fade around them: on made-up assessments, no network."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from vidinv.faces.warps import crop
from vidinv.runtime.steps import run
from vidinv.stages.blend import BlendOptions, blend
from vidinv.stages.gate import GateOptions, GateState, gate
from vidinv.stages.stabilise import StabiliseState, stabilise
from vidinv.types import Assessment, Face, Faces, Frame

RATE = 30
QUAD = np.array([[0, 0], [0, 8], [8, 8], [8, 0]], float)
PICTURE = np.full((8, 8, 3), 100, np.float32)
ME, OTHER = np.eye(4, dtype=np.float32)[:2]
FINE = Assessment(
    {"source": ME, "inversion": ME, "edit": (0.8 * ME + 0.6 * OTHER).astype(np.float32)}, 0, 0, 10, (100.0, 40.0)
)


def stream(assessments: list[Assessment | None], person: int = 0, amounts: list[float] | None = None) -> list[Faces]:
    made = []
    for i, a in enumerate(assessments):
        frame = Frame(np.full((8, 8, 3), i % 256, np.uint8), i, time=Fraction(i, RATE))
        face = Face(np.zeros(4, np.float32), person=person, quad=QUAD, crop=PICTURE.astype(np.uint8), assessment=a)
        if a is not None:
            face = replace(face, inversion=PICTURE, edited=PICTURE, amount=amounts[i] if amounts else 1.0)
        made.append(Faces(frame, (face,)))
    return made


def gated(faces: list[Faces], options: GateOptions = GateOptions()) -> list[Faces]:
    return list(run("gate", partial(gate, options=options), GateState(), faces))


def with_spoilt(first: int, last: int, count: int = 80, **changes) -> list[Assessment]:
    return [replace(FINE, **changes) if first <= i <= last else FINE for i in range(count)]


def weights(out: list[Faces]) -> np.ndarray:
    return np.array([r.faces[0].weight for r in out])


def test_who_comes_again_after_a_while_is_seen_anew_and_who_was_missed_for_a_moment_is_not() -> None:
    darker = replace(FINE, residual=22.0)
    for gap, doubted in ((30, True), (60, False)):
        frames = stream([FINE] * 60 + [darker] * (gap + 40))
        frames = [replace(one, faces=()) if 60 <= i < 60 + gap else one for i, one in enumerate(frames)]
        out = gated(frames, GateOptions(rate=RATE))
        told = [one.faces[0].assessment.doubts for one in out[60 + gap :]]
        assert all("occlusion" in doubts for doubts in told) if doubted else not any(told)


SPOILT = {
    "pose": {"yaw": 60.0},
    "occlusion": {"residual": 22.0},
    "identity": {"identities": {"source": OTHER, "inversion": OTHER, "edit": OTHER}},
    "missed": {"doubts": ("missed",)},
}


@pytest.mark.parametrize("doubt", SPOILT)
def test_a_lasting_doubt_is_named_and_the_edit_is_gone_there(doubt: str) -> None:
    out = gated(stream(with_spoilt(40, 51, **SPOILT[doubt])), GateOptions(rate=RATE))
    assert [r.frame.index for r in out] == list(range(80))
    assert all(doubt in r.faces[0].assessment.doubts for r in out[42:50])
    assert not any(r.faces[0].assessment.doubts for r in [*out[:38], *out[54:]])
    assert all(r.faces[0].edited is None and r.faces[0].inversion is not None for r in out[42:50])
    assert weights(out)[42:50].max() == 0


@pytest.mark.parametrize("doubt", SPOILT)
def test_the_fade_is_smooth_and_ends(doubt: str) -> None:
    found = weights(gated(stream(with_spoilt(40, 51, **SPOILT[doubt])), GateOptions(rate=RATE)))
    steps = np.abs(np.diff(found))
    assert steps.max() < np.pi / 2 / 7 + 1e-6  # a raised cosine over fade + 1 = 7 frames
    assert (found[:32] == 1).all()
    assert (found[60:] == 1).all()
    assert (np.diff(found[30:45]) <= 0).all()
    assert (np.diff(found[46:60]) >= 0).all()


@pytest.mark.parametrize("doubt", ["pose", "occlusion", "identity"])
def test_a_single_odd_frame_is_noise(doubt: str) -> None:
    assert (weights(gated(stream(with_spoilt(40, 40, **SPOILT[doubt])))) == 1).all()


def test_a_face_missed_for_a_moment_is_marked_and_stays_edited() -> None:
    out = gated(stream(with_spoilt(40, 42, **SPOILT["missed"])), GateOptions(rate=RATE))
    assert [r.frame.index for r in out if r.faces[0].assessment.doubts] == [40, 41, 42]
    assert (weights(out) == 1).all()


def test_what_is_usual_follows_the_person_and_is_not_learnt_from_doubted_frames() -> None:
    slowly = [replace(FINE, residual=10 + 0.05 * i) for i in range(400)]
    assert (weights(gated(stream(slowly))) == 1).all()
    out = gated(stream(with_spoilt(40, 120, 121, **SPOILT["occlusion"])))
    assert all(r.faces[0].assessment.doubts == ("occlusion",) for r in out[42:119])


def test_trusted_frames_pass_with_their_pictures_and_a_face_without_an_edit_is_left_alone() -> None:
    before = stream([FINE] * 20)
    after = gated(before)
    assert all(a.faces[0].edited is b.faces[0].edited and weights([a]) == 1 for a, b in zip(after, before, strict=True))
    assert all(r.faces[0].assessment is None for r in gated(stream([None] * 5)))


def test_a_new_person_starts_with_a_look_of_their_own() -> None:
    first = stream([FINE] * 30)
    second = stream([replace(FINE, **SPOILT["identity"])] * 30, person=1)
    assert (weights(gated([*first, *second])) == 1).all()


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_frames_without_trust_come_out_bit_identical(composite: str) -> None:
    texture = np.random.default_rng(0).integers(60, 180, (16, 16, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    quad = np.array([[8, 8], [8, 56], [56, 56], [56, 8]], float)
    spots = (40 * (np.indices((64, 64)).sum(0) // 8 % 2))[..., None].astype(np.float32)
    made = []
    for r in stream(with_spoilt(30, 60, yaw=60.0)):
        picture = crop(texture, quad, 64)
        before = picture.astype(np.float32)
        face = replace(r.faces[0], quad=quad, crop=picture, inversion=before, edited=before + spots)
        made.append(Faces(replace(r.frame, image=texture), (face,)))
    steady = run("stabilise", stabilise, StabiliseState(), gated(made))
    out = list(run("blend", partial(blend, options=BlendOptions(composite)), None, steady))
    assert len(out) == 80
    assert all(b.output.image is texture and b.faces[0].mask is None for b in out[32:59])
    assert all(not np.array_equal(b.output.image, texture) for b in (*out[:20], *out[70:]))
    change = np.array([np.abs(b.output.image.astype(float) - texture).mean() for b in out])
    assert min(*change[:20], *change[70:]) > 0.5
    assert np.abs(np.diff(change)).max() < 0.35 * change.max()


def test_a_face_that_is_covered_too_far_loses_its_edit_for_as_long_as_it_is_and_recovers() -> None:
    """However long it lasts: what hides a face never becomes usual."""
    hidden = {"occluded_share": 0.7, "residual": 22.0, "identities": SPOILT["identity"]["identities"]}
    out = gated(stream(with_spoilt(40, 239, 280, **hidden)), GateOptions(rate=RATE))
    assert all("occlusion" in r.faces[0].assessment.doubts for r in out[42:238])
    assert weights(out)[42:238].max() == 0
    assert weights(out)[250:].min() == 1


@pytest.mark.parametrize("share", [None, 0.0, 0.3])
def test_a_face_of_which_enough_is_seen_keeps_its_edit(share: float | None) -> None:
    out = gated(stream([replace(FINE, occluded_share=share)] * 60), GateOptions(rate=RATE))
    assert (weights(out) == 1).all()
    assert not any(r.faces[0].assessment.doubts for r in out)


def test_a_face_that_is_covered_from_its_first_frame_on_is_doubted_there_too() -> None:
    out = gated(stream([replace(FINE, occluded_share=0.8)] * 10 + [FINE] * 30), GateOptions(rate=RATE))
    assert weights(out)[:8].max() == 0
    assert weights(out)[20:].min() == 1


def test_an_edit_that_is_asked_for_more_strongly_is_not_doubted_for_what_it_costs() -> None:
    """A stronger edit looks less like the source: that is what was asked for."""
    strong = replace(FINE, identities=FINE.identities | {"edit": OTHER})
    out = gated(stream([FINE] * 40 + [strong] * 40, amounts=[1.0] * 40 + [3.0] * 40), GateOptions(rate=RATE))
    assert not any(r.faces[0].assessment.doubts for r in out[44:])
    out = gated(stream([FINE] * 40 + [strong] * 40), GateOptions(rate=RATE))
    assert all("identity" in r.faces[0].assessment.doubts for r in out[44:])


def test_a_change_of_the_picture_that_stays_is_doubted_for_a_while_only() -> None:
    out = gated(stream(with_spoilt(40, 299, 300, **SPOILT["occlusion"])), GateOptions(rate=RATE))
    assert weights(out)[45:120].max() == 0
    assert weights(out)[160:].min() == 1


def lit(gain: float) -> Assessment:
    """All that a dark frame shows is as much less as it is darker."""
    look = gain * ME + (1 - gain) * OTHER
    look = (look / np.linalg.norm(look)).astype(np.float32)
    alike = {"source": look, "inversion": look, "edit": look}
    return replace(FINE, residual=10 * gain, light=(100 * gain, 40 * gain), identities=alike)


@pytest.mark.parametrize("seconds", [0.5, 2, 6])
def test_what_was_usual_in_the_dark_is_not_in_the_light(seconds: float) -> None:
    """A fade from black: the edit is there from its beginning on, and stays."""
    rising = np.linspace(0.05, 1, round(seconds * RATE))
    out = gated(stream([lit(0.05)] * 30 + [lit(gain) for gain in rising] + [lit(1)] * 60), GateOptions(rate=RATE))
    assert not any(r.faces[0].assessment.doubts for r in out)
    assert weights(out).min() == 1


def test_the_dark_teaches_nothing_of_the_light() -> None:
    dim = [lit(gain) for gain in np.linspace(1, 0.05, 30)]
    out = gated(stream([lit(1)] * 40 + dim + [lit(0.05)] * 30 + dim[::-1] + [lit(1)] * 30), GateOptions(rate=RATE))
    assert weights(out)[:40].min() == 1
    assert weights(out)[-25:].min() == 1


def test_somebody_who_passes_is_doubted_in_spite_of_a_little_more_light() -> None:
    passing = replace(lit(1.2), residual=30.0)
    out = gated(stream([lit(1)] * 40 + [passing] * 15 + [lit(1)] * 30), GateOptions(rate=RATE))
    assert weights(out)[44:52].max() == 0


def test_a_flash_in_which_nothing_is_seen_is_no_occlusion() -> None:
    flash = replace(
        FINE, residual=120.0, light=(255.0, 20.0), doubts=("missed",), identities=SPOILT["identity"]["identities"]
    )
    out = gated(stream([FINE] * 40 + [flash] * 3 + [FINE] * 40), GateOptions(rate=RATE))
    assert weights(out).min() == 1


def test_a_frame_that_shows_nothing_gets_nothing() -> None:
    white = replace(FINE, residual=120.0, light=(255.0, 1.0), doubts=("missed",))
    out = gated(stream([FINE] * 20 + [white] + [FINE] * 20), GateOptions(rate=RATE))
    assert weights(out)[20] == 0
    assert np.delete(weights(out), 20).min() == 1
    assert out[20].faces[0].edited is None


def test_what_is_broken_keeps_the_source_and_tells_nothing_of_its_neighbours() -> None:
    broken = replace(FINE, identities={}, residual=0.0, doubts=("broken",))
    out = gated(stream([broken if 40 <= i <= 41 or i == 0 else FINE for i in range(80)]), GateOptions(rate=RATE))
    assert [i for i, r in enumerate(out) if r.faces[0].assessment.doubts] == [0, 40, 41]
    assert weights(out)[[0, 40, 41]].tolist() == [0, 0, 0]
    assert weights(out)[[20, 60]].tolist() == [1, 1]
    assert all(out[i].faces[0].edited is None for i in (0, 40, 41))
