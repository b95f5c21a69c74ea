"""What is held stays, on this very face, in proportion to what acts, and only where somebody asked for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toy import write_toy_pack
from vidinv.edits.held import Guard, Held, Stride, guarded, hold_back, holdable
from vidinv.edits.parse import parse_edits
from vidinv.errors import UsageError
from vidinv.models.attributes import SCORES, scaled
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.write import write_pack
from vidinv.runtime.compute import Compute
from vidinv.runtime.saved import read_states, write_states
from vidinv.runtime.steps import run
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.types import Code, Displacement, Face, Faces, Frame

BOX = np.array([0, 0, 64, 64], np.float32)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Its attribute network answers strongly, so that something leaks."""
    folder = write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")
    spec = load_pack(folder).spec
    scales = {"age": 0.1, "smile": 0.01}
    write_pack(folder, replace(spec, edits={n: replace(e, scale=scales[n]) for n, e in spec.edits.items()}))
    return load_pack(folder)


def face(pack: Pack, seed: int = 0, person: int = 0) -> Face:
    rng = torch.Generator().manual_seed(seed)
    shape = pack.generator.config
    code = Code(torch.randn(shape.layers, 16, generator=rng), torch.randn(shape.feature_shape, generator=rng))
    crop = np.random.default_rng(seed).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return Face(BOX, person=person, crop=crop, code=code, regions={"face": 1.0})


def guard_of(pack: Pack, edits: str = "age=+2", hold: tuple[str, ...] = ("smile",)) -> Guard:
    guard = guarded(parse_edits(edits), hold, pack)[1]
    assert guard is not None
    return guard


def held(pack: Pack, guard: Guard, one: Face, steps: float, so_far: Held | None = None):
    moved = pack.directions["age"] * steps
    assert one.code is not None
    stride = Stride(0, Displacement(moved.w, torch.zeros_like(one.code.feature)), abs(steps))
    return hold_back(guard, so_far, one.code, [stride], one, 0.0)


def test_what_moved_is_brought_back_and_both_are_told(pack: Pack) -> None:
    guard, shares = guard_of(pack), []
    for seed in range(4):
        _, back, told = held(pack, guard, face(pack, seed), 2.0)
        without, left = told["smile"]
        assert abs(without) > 0.02, "nothing leaks, so nothing is tested"
        assert back is not None
        shares.append(abs(left / without))
    assert max(shares) < 0.9  # some way always; how far is the toy's luck
    assert min(shares) < 0.05


def test_the_correction_is_linear_down_to_nothing_and_has_no_step(pack: Pack) -> None:
    guard, one = guard_of(pack), face(pack)
    known, amounts, sizes = None, [0.0, 0.01, 0.5, 0.99, 1.0, 1.01, 1.5, 1.99, 2.0], []
    for amount in amounts:
        known, back, _ = held(pack, guard, one, amount, known)
        sizes.append(0.0 if back is None else float(back.w.sum()))
    assert sizes[0] == 0
    assert sizes[2] == pytest.approx(sizes[4] / 2, rel=1e-3)
    steepest = max(abs(sizes[4]), abs(sizes[8] - sizes[4]))
    rises = np.abs(np.diff(sizes)) / np.diff(amounts)
    assert rises.max() <= 1.01 * steepest


def test_a_face_is_measured_once_for_each_whole_step_and_way(pack: Pack) -> None:
    guard, one = guard_of(pack), face(pack)
    known, first, _ = held(pack, guard, one, 2.0)
    again, second, _ = held(pack, guard, face(pack, 7), 2.0, known)  # another crop: nothing new is measured
    assert first is not None
    assert second is not None
    assert torch.equal(first.w, second.w)
    assert list(again.answers[0].knots) == [2]
    back, _, _ = held(pack, guard, one, -1.5, again)
    assert sorted(back.answers[0].knots) == [-2, -1, 2]


def test_what_is_asked_for_is_not_held(pack: Pack) -> None:
    guard = guard_of(pack, "age=+2", ("age",))
    _, back, told = held(pack, guard, face(pack), 2.0)
    assert back is None
    assert told == {"age": (0.0, 0.0)}


def test_what_cannot_be_held_is_said_with_what_can(pack: Pack, tmp_path: Path) -> None:
    assert guarded(parse_edits("age=1"), (), pack)[1] is None
    assert holdable(pack) == ["age", "smile"]
    with pytest.raises(UsageError, match="cannot hold glasses; it can hold age, smile"):
        guarded(parse_edits("age=1"), ("glasses",), pack)
    bare = write_toy_pack(tmp_path / "toy")
    (bare / "attributes.safetensors").unlink()
    spec = load_pack(bare).spec
    write_pack(bare, replace(spec, networks={k: v for k, v in spec.networks.items() if k != "attributes"}))
    with pytest.raises(UsageError, match="attributes network"):
        guarded(parse_edits("age=1"), ("smile",), load_pack(bare))


def stream(pack: Pack, count: int, cut: int) -> list[Faces]:
    picture = np.zeros((64, 64, 3), np.uint8)
    return [
        Faces(Frame(picture, i, cut=i == cut), (face(pack, 1 if i < cut else 2), face(pack, 3, person=1)))
        for i in range(count)
    ]


def test_the_stage_holds_every_person_of_every_shot_and_its_state_can_be_saved(pack: Pack, tmp_path: Path) -> None:
    edits, guard = guarded(parse_edits("0:age=+2"), ("smile",), pack)
    options = EditOptions(edits, rate=30.0, sigma=0.0, guard=guard)
    frames = stream(pack, 8, 4)

    def step(state: EditState, faces: Faces | None) -> tuple[EditState, list[Faces]]:
        return edit(state, faces, options, Compute("cpu", torch.float32))

    whole = list(run("edit", step, EditState(), frames))
    assert all(set(one.faces[0].held) == {"smile"} and one.faces[1].edited_code is None for one in whole)
    pushed = [one.faces[0].edited_code.w - one.faces[0].smooth_code.w for one in whole]
    assert torch.allclose(pushed[0], pushed[3], atol=1e-6)  # one correction in a shot
    assert not torch.allclose(pushed[3], pushed[4], atol=1e-4)  # and another after the cut
    state, out = EditState(), []
    for one in frames[:3]:
        state, done = step(state, one)
        out += done
    write_states(tmp_path / "s", {"edit": state})
    again = read_states(tmp_path / "s")["edit"]
    for one in [*frames[3:], None]:
        again, done = step(again, one)
        out += done
    assert all(torch.equal(a.faces[0].edited_code.w, b.faces[0].edited_code.w) for a, b in zip(whole, out, strict=True))


def test_scores_stand_on_the_same_scale_read_either_way(pack: Pack) -> None:
    x = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        direct, told = pack.attributes.scores(x), pack.attributes(x)
    for name in SCORES:
        again = [scaled(name, value) for value in told.score(name).tolist()]
        assert direct[name].tolist() == pytest.approx(again, abs=1e-4)
    assert scaled("smile", 0.0) == -scaled("smile", 1.0) == pytest.approx(-6.2126, abs=1e-3)
