"""From crops to finished frames on a toy pack: order, batches, strengths, persons, and untouched pixels."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from functools import partial

import cv2
import numpy as np
import pytest
import torch

from tests.toy import write_toy_pack
from tests.training.codes_toy import one_face
from vidinv.edits.linear import Linear, Step
from vidinv.edits.strength import Span, Strength
from vidinv.faces.compositing import changed_picture
from vidinv.faces.eyeglasses import extent, fitted
from vidinv.faces.quads import quad_from_points, quad_to_affine, transform_points
from vidinv.faces.regions import Touch
from vidinv.faces.warps import crop, uncrop
from vidinv.inversion import make_inverter
from vidinv.packs.load import Pack, load_pack
from vidinv.runtime.compute import Compute
from vidinv.runtime.steps import run
from vidinv.stages.blend import BlendOptions, blend
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.stages.invert import InvertOptions, InvertState, invert
from vidinv.stages.stabilise import StabiliseState, stabilise
from vidinv.stages.synthesise import SynthesiseOptions, SynthesiseState, synthesise
from vidinv.types import Assessment, Code, Face, Faces, Frame

CPU = Compute("cpu", torch.float32)
POINTS = np.array([[60, 60], [90, 60], [75, 78], [64, 92], [86, 92]], float)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


def aligned(index: int, persons: tuple[int, ...] = (0,), cut: bool = False) -> Faces:
    rng = np.random.default_rng(index)
    frame = Frame(rng.integers(0, 256, (150, 260, 3), np.uint8), index, time=Fraction(index, 30), cut=cut)
    quads = {p: quad_from_points(POINTS + [100 * p, 0]) for p in persons}
    box = np.zeros(4, np.float32)
    return Faces(frame, tuple(Face(box, person=p, quad=q, crop=crop(frame.image, q, 64)) for p, q in quads.items()))


def coded(pack: Pack, stream: list[Faces]) -> list[Faces]:
    inverting = partial(
        invert,
        inverter=make_inverter(pack),
        compute=CPU,
        options=InvertOptions(batch=4),
    )
    return list(run("invert", inverting, InvertState(), stream))


def edited(codes: list[Faces], one: Linear, **options) -> list[Faces]:
    return list(run("edit", partial(edit, options=EditOptions((one,), **options)), EditState(), codes))


def drawn(pack: Pack, stream: list[Faces], one: Linear, **options) -> list[Faces]:
    drawing = partial(synthesise, generator=pack.generator, compute=CPU, options=SynthesiseOptions(batch=3))
    return list(run("synthesise", drawing, SynthesiseState(), edited(coded(pack, stream), one, **options)))


def steadied(stream: list[Faces]) -> list[Faces]:
    return list(run("stabilise", stabilise, StabiliseState(), stream))


def finished(pack: Pack, stream: list[Faces], one: Linear, composite: str = "detail", **options) -> list[Faces]:
    blending = partial(blend, options=BlendOptions(composite))
    return list(run("blend", blending, None, steadied(drawn(pack, stream, one, **options))))


def age(pack: Pack, steps: float, *times: float, persons: frozenset[int] | None = None) -> Linear:
    return Linear((Step(pack.directions["age"], Strength(steps, Span(*times)), persons),))


@pytest.mark.parametrize("length", [0, 1, 5, 23])
def test_one_out_per_one_in_in_order(pack: Pack, length: int) -> None:
    out = finished(pack, [aligned(i, (0, 1)[: i % 3]) for i in range(length)], age(pack, 2))
    assert [b.frame.index for b in out] == list(range(length))


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_strength_zero_leaves_every_frame_bit_identical(pack: Pack, composite: str) -> None:
    stream = [aligned(i) for i in range(6)]
    out = finished(pack, stream, age(pack, 0), composite)
    assert all(np.array_equal(b.output.image, a.frame.image) for a, b in zip(stream, out, strict=True))


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_pixels_outside_the_mask_are_bit_identical_at_any_strength(pack: Pack, composite: str) -> None:
    stream = [aligned(i) for i in range(4)]
    for a, b in zip(stream, finished(pack, stream, age(pack, 8), composite), strict=True):
        low, high = np.floor(a.faces[0].quad.min(0)).astype(int), np.ceil(a.faces[0].quad.max(0)).astype(int)
        outside = np.ones(a.frame.image.shape[:2], bool)
        outside[low[1] : high[1] + 1, low[0] : high[0] + 1] = False
        assert np.array_equal(b.output.image[outside], a.frame.image[outside])
        assert not np.array_equal(b.output.image, a.frame.image)


def test_only_the_chosen_person_is_edited(pack: Pack) -> None:
    out = finished(pack, [aligned(i, (0, 1)) for i in range(4)], age(pack, 3, persons=frozenset({1})))
    assert all(b.faces[0].mask is None and b.faces[1].mask is not None for b in out)


def test_an_edit_with_a_time_range_acts_inside_it_and_comes_softly(pack: Pack) -> None:
    stream = [aligned(0) for _ in range(60)]
    stream = [replace(a, frame=Frame(a.frame.image, i, time=Fraction(i, 30))) for i, a in enumerate(stream)]
    out = finished(pack, stream, age(pack, 0.5, 0.5, 1.5))
    change = np.array([np.abs(b.output.image.astype(int) - stream[0].frame.image).mean() for b in out])
    assert change[:15].max() == change[45:].max() == 0
    assert change[20:38].min() > 0.9 * change[30] > 0
    assert 0 < change[17] < change[30]


def test_the_batch_size_does_not_change_the_picture(pack: Pack) -> None:
    stream = [aligned(i) for i in range(7)]
    together = finished(pack, stream, age(pack, 2), sigma=0)
    for a, b in zip(stream, together, strict=True):
        alone = finished(pack, [a], age(pack, 2), sigma=0)[0]
        assert np.abs(alone.faces[0].edited - b.faces[0].edited).max() < 0.1


def test_the_displacement_is_the_same_in_every_frame_and_styles_do_not_cross_a_cut(pack: Pack) -> None:
    stream = [aligned(i, cut=i == 10) for i in range(20)]
    codes = coded(pack, stream)
    whole, second = (edited(some, age(pack, 2)) for some in (codes, codes[10:]))
    steps = torch.stack([e.faces[0].edited_code.w - e.faces[0].smooth_code.w for e in whole])
    assert torch.allclose(steps, steps[:1].expand_as(steps), atol=1e-5)
    assert torch.allclose(whole[12].faces[0].smooth_code.w, second[2].faces[0].smooth_code.w, atol=1e-5)


def test_the_amount_belongs_to_the_face_and_adds_up_over_edits(pack: Pack) -> None:
    both = Linear((*age(pack, 2).parts, *age(pack, -1, persons=frozenset({1})).parts))
    (out,) = edited(coded(pack, [aligned(0, (0, 1))]), both)
    assert [face.amount for face in out.faces] == [2, 3]
    steps = [face.edited_code.w - face.smooth_code.w for face in out.faces]
    assert torch.allclose(steps[0], 2 * steps[1], atol=1e-5)


def in_region(one: Linear, region: str) -> Linear:
    return Linear(tuple(replace(step, region=region) for step in one.parts))


def test_the_regions_of_the_edits_that_act_travel_with_the_face(pack: Pack) -> None:
    lower, eyes = in_region(age(pack, 1), "lower"), in_region(age(pack, 1, 1.0, 2.0, persons=frozenset({1})), "eyes")
    both = EditOptions((lower, eyes), rate=30.0)
    codes = coded(pack, [aligned(i, (0, 1)) for i in (0, 33, 45, 70)])
    out = list(run("edit", partial(edit, options=both), EditState(), codes))
    assert all(o.faces[0].regions == {"lower": 1.0} for o in out)
    assert [o.faces[1].regions.get("eyes", 0.0) for o in out] == pytest.approx([0, 0.5, 1, 0])
    alone = list(run("edit", partial(edit, options=EditOptions((eyes,), rate=30.0)), EditState(), codes))
    assert [o.faces[1].regions for o in alone] == [{}, {"eyes": 1.0}, {"eyes": 1.0}, {}]  # its amount fades by itself


def test_what_an_edit_puts_on_is_drawn_where_the_frames_own_pixels_are(pack: Pack) -> None:
    moving = age(pack, 6)
    still = Linear(tuple(replace(part, moves=False, region="eyes", edges=2.0) for part in moving.parts))
    moved, put_on = (steadied(drawn(pack, [aligned(0)], one))[0].faces[0] for one in (moving, still))
    assert moved.moves
    assert not moved.edges
    assert not put_on.moves
    assert put_on.edges == {"eyes": 2.0}
    assert np.abs(moved.change.motion).max() > 0
    assert np.abs(put_on.change.motion).max() == 0
    np.testing.assert_allclose(put_on.change.residual, put_on.edited - put_on.inversion, atol=0.01)


def test_eyeglasses_are_drawn_into_the_frame_and_nothing_else_is(pack: Pack) -> None:
    crop_points = one_face() / 2  # of a crop of 64

    class Wearing:
        def acts(self, face: Face, time: float) -> bool:
            return True

        def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
            return replace(code, worn=fitted(face.crop, crop_points)), 0.0

        def touches(self, face: Face, time: float) -> list[Touch]:
            return []

    def finished(weight: float, visible: np.ndarray | None) -> Faces:
        [one] = steadied(drawn(pack, [aligned(0)], Wearing()))
        told = None if visible is None else Assessment({}, 0, 0, 0, visible=visible)
        return blend(None, one.each(lambda face: replace(face, weight=weight, assessment=told)))[1][0]

    whole = finished(1.0, None)
    source = whole.frame.image
    changed = np.abs(whole.output.image.astype(int) - source).max(2) > 0
    to_crop = quad_to_affine(whole.faces[0].quad, 64)
    y, x = np.nonzero(changed)
    at = transform_points(to_crop, np.stack([x, y], 1))
    x0, y0, x1, y1 = extent(crop_points, 64, 64)
    assert changed.sum() > 100
    assert ((at >= (x0 - 2, y0 - 2)) & (at <= (x1 + 2, y1 + 2))).all()
    assert np.array_equal(finished(0.0, None).output.image, source)
    [pasted] = steadied(drawn(pack, [aligned(0)], Wearing()))  # no generated face is pasted where no code was edited
    assert np.array_equal(blend(None, pasted, BlendOptions("replace"))[1][0].output.image, whole.output.image)
    covered = finished(1.0, np.zeros((64, 64), np.float32)).output.image
    inside = within_crop(whole)
    assert np.array_equal(covered[inside], source[inside])


def within_crop(faces: Faces) -> np.ndarray:
    """[H, W] where the crop lies, save its border."""
    height, width = faces.frame.image.shape[:2]
    return uncrop(np.ones((64, 64), np.float32), faces.faces[0].quad, (0, 0, width, height)) > 0.999


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_beside_the_region_every_bit_stays_and_without_weight_everywhere(pack: Pack, composite: str) -> None:
    region = np.zeros((64, 64), np.float32)
    region[20:40, 24:44] = 1
    stream = steadied(drawn(pack, [aligned(0)], age(pack, 8)))
    assessment = Assessment({}, 0, 0, 1.0, region=region)
    face = replace(stream[0].faces[0], assessment=assessment)
    blending = partial(blend, options=BlendOptions(composite))
    for weight in (1.0, 0.0):
        faces = replace(stream[0], faces=(replace(face, weight=weight),))
        (out,) = run("blend", blending, None, [faces])
        changed = (out.output.image != faces.frame.image).any(2)
        height, width = changed.shape
        inside = uncrop(region, face.quad, (0, 0, width, height)) > 0
        assert not changed[~inside].any()
        assert changed[inside].any() == (weight > 0)


def toned(stream: list[Faces], how) -> list[Faces]:
    return [
        replace(a, frame=replace(a.frame, image=how(a.frame.image))).each(lambda f: replace(f, crop=how(f.crop)))
        for a in stream
    ]


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2)


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_grey_in_grey_out(pack: Pack, composite: str) -> None:
    stream = toned([aligned(i) for i in range(4)], grey)
    out = finished(pack, stream, age(pack, 8), composite)
    assert not any(np.ptp(b.output.image.astype(int), axis=2).any() for b in out)
    assert all((b.output.image != a.frame.image).any() for a, b in zip(stream, out, strict=True))


def test_colours_go_in_as_they_are_and_the_share_does_not_flicker(pack: Pack) -> None:
    coloured = steadied(drawn(pack, still(20), age(pack, 2)))
    assert all(s.faces[0].change.colour == 1 for s in coloured)
    stream = still(40)
    mixed = [toned([a], grey)[0] if i % 2 else a for i, a in enumerate(stream)]
    shares = [s.faces[0].change.colour for s in steadied(drawn(pack, mixed, age(pack, 2)))]
    assert np.abs(np.diff(shares[10:])).max() < 0.1


def drawn_with(pack: Pack, stream: list[Faces], one: Linear, redraw) -> list[Faces]:
    """The stream as rendered, with ``redraw(index, strength, shape)`` in place of what the toy generator changes."""

    def redrawn(i: int, face: Face) -> Face:
        if face.edited is None:
            return face
        grey = np.full_like(face.edited, 100)
        strength = float((face.edited_code.w - face.smooth_code.w).norm())
        return replace(face, inversion=grey, edited=grey + redraw(i, strength, grey.shape))

    return [r.each(partial(redrawn, i)) for i, r in enumerate(drawn(pack, stream, one))]


def still(count: int, cut: int = -1) -> list[Faces]:
    one = aligned(0)
    frames = [Frame(one.frame.image, i, time=Fraction(i, 30), cut=i == cut) for i in range(count)]
    return [replace(one, frame=frame) for frame in frames]


def test_steadying_removes_flicker_and_does_not_cross_a_cut(pack: Pack) -> None:
    rng = np.random.default_rng(0)

    def noisy(i: int, strength: float, shape: tuple) -> np.ndarray:
        return (20 if i < 30 else 60) + rng.normal(0, 5, shape).astype(np.float32)

    rendered = drawn_with(pack, still(60, cut=30), age(pack, 2), noisy)
    changes = [s.faces[0].change for s in steadied(rendered)]
    grey = rendered[0].faces[0].inversion
    out = np.stack([changed_picture(grey, c) for c in changes])
    assert len(out) == 60
    assert (
        np.diff(out[10:30], axis=0).std() < 0.25 * np.diff([r.faces[0].edited for r in rendered[10:30]], axis=0).std()
    )
    assert np.abs(out[:30].mean((1, 2, 3)) - 120).max() < 1
    assert np.abs(out[30:].mean((1, 2, 3)) - 160).max() < 1


def test_steadying_does_not_drag_behind_an_edit_that_comes_and_goes(pack: Pack) -> None:
    one = age(pack, 2, 0.5, 1.5)
    full = 2 * float(one.parts[0].what.w.norm())
    rendered = drawn_with(pack, still(60), one, lambda i, strength, shape: np.full(shape, 80 * strength / full))
    faces = [s.faces[0] for s in steadied(rendered) if s.faces[0].edited is not None]
    assert len(faces) > 25
    assert all(np.abs(changed_picture(f.inversion, f.change) - f.edited).max() < 0.5 for f in faces)


def test_steadying_follows_the_face(pack: Pack) -> None:
    """A mark that the edit draws on a moving texture stays on it, instead of being smeared along its path."""
    rng = np.random.default_rng(1)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (64, 200, 3), np.uint8), (0, 0), 2)
    moving = [np.ascontiguousarray(texture[:, 2 * i : 2 * i + 64]) for i in range(24)]
    stream = [replace(a, faces=(replace(a.faces[0], crop=p),)) for a, p in zip(still(24), moving, strict=True)]

    def mark(i: int, strength: float, shape: tuple) -> np.ndarray:
        change = np.zeros(shape, np.float32)
        change[28:36, 78 - 2 * i : 86 - 2 * i] = 50  # on the texture's columns 78 to 86
        return change

    last = steadied(drawn_with(pack, stream, age(pack, 2), mark))[-1].faces[0]
    got = changed_picture(last.inversion, last.change) - last.inversion
    assert got[30:34, 34:38].min() > 40
    assert np.abs(got[30:34, 46:]).max() < 8


def test_smoothed_styles_keep_their_precision_whatever_computes(pack):
    """Rounded to bf16, they would flicker more from frame to frame than the smoothing takes off."""
    codes, one = coded(pack, [aligned(i) for i in range(5)]), age(pack, 1.0)
    half = partial(edit, options=EditOptions((one,)), compute=Compute("cpu", torch.bfloat16))
    for whole, rounded in zip(edited(codes, one), run("edit", half, EditState(), codes), strict=True):
        assert torch.equal(whole.faces[0].smooth_code.w, rounded.faces[0].smooth_code.w)
        assert rounded.faces[0].edited_code.w.dtype == torch.float32


def test_infinite_pictures_are_not_clipped_to_white(pack: Pack) -> None:
    generator = deepcopy(pack.generator)
    list(generator.parameters())[-1].fill_(torch.inf)  # the last bias of the picture
    drawing = partial(synthesise, generator=generator, compute=CPU, options=SynthesiseOptions(batch=3))
    (one,) = run("synthesise", drawing, SynthesiseState(), edited(coded(pack, [aligned(0)]), age(pack, 1)))
    assert np.isnan(one.faces[0].inversion).all()
