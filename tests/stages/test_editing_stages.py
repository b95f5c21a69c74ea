"""From crops to finished frames on a toy pack: order, batches, strengths, persons, and untouched pixels."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from tests.toy import write_toy_pack
from vidinv.edits.library import TimedDisplacement
from vidinv.faces.compositing import changed_picture
from vidinv.faces.quads import quad_from_points
from vidinv.faces.warps import crop
from vidinv.packs.load import Pack, load_pack
from vidinv.runtime.compute import Compute
from vidinv.stages.blend import BlendOptions, blend
from vidinv.stages.edit import EditOptions, edit
from vidinv.stages.invert import InvertOptions, invert
from vidinv.stages.stabilise import stabilise
from vidinv.stages.synthesise import SynthesiseOptions, synthesise
from vidinv.types import Aligned, Crop, Found, Frame, Rendered

CPU = Compute("cpu", torch.float32)
POINTS = np.array([[60, 60], [90, 60], [75, 78], [64, 92], [86, 92]], float)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


def aligned(index: int, persons: tuple[int, ...] = (0,), cut: bool = False) -> Aligned:
    rng = np.random.default_rng(index)
    frame = Frame(rng.integers(0, 256, (150, 260, 3), np.uint8), index, time=Fraction(index, 30))
    quads = {p: quad_from_points(POINTS + [100 * p, 0]) for p in persons}
    crops = tuple(Crop(p, q, crop(frame.image, q, 64)) for p, q in quads.items())
    return Aligned(Found(frame, (), cut), crops)


def finished(pack: Pack, stream: list[Aligned], composite: str = "detail", **options) -> list:
    coded = invert(iter(stream), pack.encoder, CPU, InvertOptions(batch=4))
    drawn = synthesise(edit(coded, EditOptions(**options)), pack.generator, CPU, SynthesiseOptions(batch=3))
    return list(blend(stabilise(drawn), BlendOptions(composite)))


def age(pack: Pack, steps: float, start: float = 0.0, end: float = float("inf")) -> tuple[TimedDisplacement, ...]:
    return (TimedDisplacement(pack.directions["age"] * steps, steps, start, end),)


@pytest.mark.parametrize("length", [0, 1, 5, 23])
def test_one_out_per_one_in_in_order(pack: Pack, length: int) -> None:
    out = finished(pack, [aligned(i, (0, 1)[: i % 3]) for i in range(length)], edits=age(pack, 2))
    assert [b.frame.index for b in out] == list(range(length))


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_strength_zero_leaves_every_frame_bit_identical(pack: Pack, composite: str) -> None:
    stream = [aligned(i) for i in range(6)]
    out = finished(pack, stream, composite, edits=age(pack, 0))
    assert all(np.array_equal(b.frame.image, a.found.frame.image) for a, b in zip(stream, out, strict=True))


@pytest.mark.parametrize("composite", ["detail", "replace"])
def test_pixels_outside_the_mask_are_bit_identical_at_any_strength(pack: Pack, composite: str) -> None:
    stream = [aligned(i) for i in range(4)]
    for a, b in zip(stream, finished(pack, stream, composite, edits=age(pack, 8)), strict=True):
        low, high = np.floor(a.crops[0].quad.min(0)).astype(int), np.ceil(a.crops[0].quad.max(0)).astype(int)
        outside = np.ones(a.found.frame.image.shape[:2], bool)
        outside[low[1] : high[1] + 1, low[0] : high[0] + 1] = False
        assert np.array_equal(b.frame.image[outside], a.found.frame.image[outside])
        assert not np.array_equal(b.frame.image, a.found.frame.image)


def test_only_the_chosen_person_is_edited(pack: Pack) -> None:
    out = finished(pack, [aligned(i, (0, 1)) for i in range(4)], edits=age(pack, 3), persons=frozenset({1}))
    assert all(b.masks[0] is None and b.masks[1] is not None for b in out)


def test_an_edit_with_a_time_range_acts_inside_it_and_comes_softly(pack: Pack) -> None:
    stream = [aligned(0) for _ in range(60)]
    stream = [
        Aligned(Found(Frame(a.found.frame.image, i, time=Fraction(i, 30)), ()), a.crops) for i, a in enumerate(stream)
    ]
    out = finished(pack, stream, edits=age(pack, 0.5, 0.5, 1.5))
    change = np.array([np.abs(b.frame.image.astype(int) - stream[0].found.frame.image).mean() for b in out])
    assert change[:15].max() == change[45:].max() == 0
    assert change[20:38].min() > 0.9 * change[30] > 0
    assert 0 < change[17] < change[30]


def test_the_batch_size_does_not_change_the_picture(pack: Pack) -> None:
    stream = [aligned(i) for i in range(7)]
    together = finished(pack, stream, edits=age(pack, 2), sigma=0)
    for a, b in zip(stream, together, strict=True):
        alone = finished(pack, [a], edits=age(pack, 2), sigma=0)[0]
        assert np.abs(alone.rendered.edits[0] - b.rendered.edits[0]).max() < 0.1


def test_the_displacement_is_the_same_in_every_frame_and_styles_do_not_cross_a_cut(pack: Pack) -> None:
    stream = [aligned(i, cut=i == 10) for i in range(20)]
    coded = list(invert(iter(stream), pack.encoder, CPU))
    edited = list(edit(iter(coded), EditOptions(age(pack, 2))))
    steps = torch.stack([e.codes[0].w - e.sources[0].w for e in edited])
    assert torch.allclose(steps, steps[:1].expand_as(steps), atol=1e-5)
    second = list(edit(iter(coded[10:]), EditOptions(age(pack, 2))))
    assert torch.allclose(edited[12].sources[0].w, second[2].sources[0].w, atol=1e-5)


def drawn_with(pack: Pack, stream: list[Aligned], edits: tuple[TimedDisplacement, ...], redraw) -> list[Rendered]:
    """The stream as rendered, with ``redraw(index, strength, shape)`` in place of what the toy generator changes."""
    coded = invert(iter(stream), pack.encoder, CPU)
    drawn = list(synthesise(edit(coded, EditOptions(edits)), pack.generator, CPU))
    for i, r in enumerate(drawn):
        if r.edits[0] is not None:
            grey = np.full_like(r.edits[0], 100)
            strength = float((r.edited.codes[0].w - r.edited.sources[0].w).norm())
            drawn[i] = replace(r, inversions=(grey,), edits=(grey + redraw(i, strength, grey.shape),))
    return drawn


def still(count: int, cut: int = -1) -> list[Aligned]:
    one = aligned(0)
    frames = [Frame(one.found.frame.image, i, time=Fraction(i, 30)) for i in range(count)]
    return [Aligned(Found(f, (), cut=f.index == cut), one.crops) for f in frames]


def test_steadying_removes_flicker_and_does_not_cross_a_cut(pack: Pack) -> None:
    rng = np.random.default_rng(0)

    def noisy(i: int, strength: float, shape: tuple) -> np.ndarray:
        return (20 if i < 30 else 60) + rng.normal(0, 5, shape).astype(np.float32)

    drawn = drawn_with(pack, still(60, cut=30), age(pack, 2), noisy)
    changes = [s.changes[0] for s in stabilise(iter(drawn))]
    grey = drawn[0].inversions[0]
    out = np.stack([changed_picture(grey, c) for c in changes])
    assert len(out) == 60
    assert np.diff(out[10:30], axis=0).std() < 0.25 * np.diff([r.edits[0] for r in drawn[10:30]], axis=0).std()
    assert np.abs(out[:30].mean((1, 2, 3)) - 120).max() < 1
    assert np.abs(out[30:].mean((1, 2, 3)) - 160).max() < 1


def test_steadying_does_not_drag_behind_an_edit_that_comes_and_goes(pack: Pack) -> None:
    edits = age(pack, 2, 0.5, 1.5)
    full = float(edits[0].displacement.w.norm())
    drawn = drawn_with(pack, still(60), edits, lambda i, strength, shape: np.full(shape, 80 * strength / full))
    for rendered, steadied in zip(drawn, stabilise(iter(drawn)), strict=True):
        if rendered.edits[0] is not None:
            change = changed_picture(rendered.inversions[0], steadied.changes[0])
            assert np.abs(change - rendered.edits[0]).max() < 0.5


def test_steadying_follows_the_face(pack: Pack) -> None:
    """A mark that the edit draws on a moving texture stays on it, instead of being smeared along its path."""
    rng = np.random.default_rng(1)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (64, 200, 3), np.uint8), (0, 0), 2)
    stream = [
        replace(a, crops=(replace(a.crops[0], image=np.ascontiguousarray(texture[:, 2 * i : 2 * i + 64])),))
        for i, a in enumerate(still(24))
    ]

    def mark(i: int, strength: float, shape: tuple) -> np.ndarray:
        change = np.zeros(shape, np.float32)
        change[28:36, 78 - 2 * i : 86 - 2 * i] = 50  # on the texture's columns 78 to 86
        return change

    drawn = drawn_with(pack, stream, age(pack, 2), mark)
    last = list(stabilise(iter(drawn)))[-1].changes[0]
    got = changed_picture(drawn[-1].inversions[0], last) - drawn[-1].inversions[0]
    assert got[30:34, 34:38].min() > 40
    assert np.abs(got[30:34, 46:]).max() < 8
