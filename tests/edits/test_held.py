"""What is held stays, on this very face, in proportion to what acts, and only where somebody asked for it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toy import add_toy_flow, write_toy_pack
from vidinv.edits.base import Edit
from vidinv.edits.held import Guard, Held, Stride, guarded, hold_back, holdable
from vidinv.edits.parse import parse_edits
from vidinv.errors import UsageError
from vidinv.faces.masks import oval
from vidinv.faces.regions import Touch
from vidinv.models.attributes import SCORES, AttributeConfig, AttributeNet, scaled
from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack, load_pack
from vidinv.packs.spec import EditSpec, NetworkSpec
from vidinv.packs.write import write_pack, write_tensors
from vidinv.runtime.compute import Compute
from vidinv.runtime.saved import read_states, write_states
from vidinv.runtime.steps import run
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.types import Code, Displacement, Face, Faces, Frame, known

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


def guard_of(pack: Pack, edits: str = "age=+2", hold: tuple[str, ...] = ("smile",)) -> tuple[tuple[Edit, ...], Guard]:
    made, guard = guarded(parse_edits(edits), hold, pack)
    assert guard is not None
    return made, guard


def held(edits: tuple[Edit, ...], guard: Guard, one: Face, time: float = 0.0, so_far: Held | None = None):
    """What the guard says of a face at a time, and the edited code before it is corrected."""
    source = code = known(one.code)
    strides = []
    for each in edits:
        before = code
        code, amount = each.apply(code, one, time)
        strides.append(Stride(each, Displacement(code.w - before.w, code.feature - before.feature), amount))
    return hold_back(guard, so_far, source, strides, one, time), code


def looked(pack: Pack, guard: Guard, one: Face, code: Code) -> list[float]:
    """A fresh look at how far the held has moved: the picture's change on the face's own pixels."""
    own = known(one.code)
    with torch.inference_mode():
        pair = render_pair(pack.generator, own.w[None], code.w[None], own.feature[None], code.feature[None])
        before, after = (picture.float() for picture in pair)
        where = torch.from_numpy(oval(before.shape[-1]).copy())
        x = to_tensor(one.crop[None], "cpu")
        read = [pack.attributes.scores(y.clamp(-1, 1)) for y in (x, x + where * (after - before))]
    return [float(read[1][n] - read[0][n]) / scale for n, scale in zip(guard.names, guard.scales, strict=True)]


def with_(back: Displacement | None, code: Code) -> Code:
    return code if back is None else back.of(code)


def sizes(edits: tuple[Edit, ...], guard: Guard, one: Face, times: np.ndarray) -> tuple[list[float], Held]:
    """One number of the correction at each time, and what is known after it."""
    so_far, out = None, []
    for time in times:
        (so_far, back, _), _ = held(edits, guard, one, float(time), so_far)
        out.append(0.0 if back is None else float(back.w.sum()))
    return out, known(so_far)


def test_what_moved_is_brought_back_and_both_are_told(pack: Pack) -> None:
    shares = []
    for seed in range(4):
        (_, back, told), _ = held(*guard_of(pack), face(pack, seed))
        without, left = told["smile"]
        assert abs(without) > 0.02, "nothing leaks, so nothing is tested"
        assert back is not None
        shares.append(abs(left / without))
    assert max(shares) < 0.9  # some way always; how far is the toy's luck
    assert min(shares) < 0.05


@pytest.mark.parametrize("asked", ["age=+2,age=+1", "age=+1.5,age=-0.3@0s-", "age=+1,age=+1@0s..0@1s"])
def test_what_is_told_of_several_edits_is_what_a_fresh_look_sees(pack: Pack, asked: str) -> None:
    edits, guard = guard_of(pack, asked)
    for seed in range(2):
        one = face(pack, seed)
        (state, back, told), code = held(edits, guard, one)
        without, left = told["smile"]
        assert len(state.knots) == 1
        assert looked(pack, guard, one, code) == pytest.approx([without], abs=2e-3)
        assert looked(pack, guard, one, with_(back, code)) == pytest.approx([left], abs=2e-3)


def test_edits_of_two_kinds_are_measured_together(pack: Pack, tmp_path: Path) -> None:
    add_toy_flow(folder := write_toy_pack(tmp_path / "toy"))
    both = load_pack(folder)
    spec = {n: replace(e, scale={"age": 0.1, "smile": 0.01}[n]) for n, e in both.spec.edits.items()}
    write_pack(folder, replace(both.spec, edits=spec))
    both, one = load_pack(folder), face(pack)
    edits, guard = guard_of(both, "age=+2,smile=+1", ("age",))
    assert len(edits) == 2
    (_, back, told), code = held(edits, guard, one)
    alone = looked(both, guard, one, guard_of(both, "age=+2")[0][0].apply(one.code, one, 0.0)[0])[0]
    assert looked(both, guard, one, code)[0] - alone == pytest.approx(told["age"][0], abs=2e-3)
    assert looked(both, guard, one, with_(back, code))[0] - alone == pytest.approx(told["age"][1], abs=2e-3)
    assert abs(told["age"][0]) > 0.02, "nothing leaks, so nothing is tested"


def test_the_correction_comes_and_goes_without_a_step_and_is_nothing_where_nothing_acts(pack: Pack) -> None:
    edits, guard = guard_of(pack, "age=+2@1s-3s~0.5s,age=+1@1.2s-2.4s~0.4s")
    times = np.arange(0.9, 3.1, 0.01)
    found, state = sizes(edits, guard, face(pack), times)
    assert all(x == 0 for x, time in zip(found, times, strict=True) if time < 1 or time >= 3)
    assert max(map(abs, found)) > 0.5, "nothing is corrected, so nothing is tested"
    amounts = [sum(each.apply(face(pack).code, face(pack), time)[1] for each in edits) for time in times]
    assert np.abs(np.diff(found)).max() <= 12 * np.abs(np.diff(amounts)).max()
    fine, _ = sizes(edits, guard, face(pack), np.arange(0.9, 3.1, 0.0025))
    assert np.abs(np.diff(fine)).max() < 0.35 * np.abs(np.diff(found)).max()  # a step would stay as it is
    assert len(state.knots) <= 5


def test_a_curve_through_nothing_has_knots_on_either_side_and_no_step(pack: Pack) -> None:
    edits, guard = guard_of(pack, "age=-2@0s..+2@1s")
    coarse, state = sizes(edits, guard, face(pack), np.linspace(0, 1, 81))
    fine, _ = sizes(edits, guard, face(pack), np.linspace(0, 1, 321))
    assert sorted(state.knots) == [(-2,), (-1,), (1,), (2,)]
    assert coarse[40] == pytest.approx(0, abs=1e-4)
    assert np.abs(np.diff(fine)).max() < 0.35 * np.abs(np.diff(coarse)).max()


def test_knots_are_measured_with_regions_and_amounts_whole_however_little_comes_first(pack: Pack) -> None:
    lower = {"age": replace(pack.spec.edits["age"], region="lower")}
    cut = replace(pack, spec=replace(pack.spec, edits={**pack.spec.edits, **lower}))
    points = np.array([[22, 24], [42, 24], [32, 34], [24, 44], [40, 44]], np.float32)
    quad = np.array([[0, 0], [0, 64], [64, 64], [64, 0]], np.float64)
    one = replace(face(pack), points=points, quad=quad)
    (easing, _, _), _ = held(*guard_of(cut, "age=+1@1s-"), one, 1.01)
    (whole, _, _), _ = held(*guard_of(cut, "age=+1"), one)
    assert easing.knots == whole.knots
    assert whole.knots != held(*guard_of(pack, "age=+1"), one)[0][0].knots


def test_a_face_is_measured_once_for_each_knot(pack: Pack) -> None:
    edits, guard = guard_of(pack)
    (state, first, _), _ = held(edits, guard, face(pack))
    (again, second, _), _ = held(edits, guard, face(pack, 7), so_far=state)  # another crop: nothing new is measured
    assert torch.equal(known(first).w, known(second).w)
    assert again.knots == state.knots


@dataclass(frozen=True)
class Own:
    """An edit that is none of the pack's: it can be asked for a frame's amount only."""

    step: Displacement

    def acts(self, face: Face, time: float) -> bool:
        return time > 0

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        return (self.step * time).of(code), time

    def touches(self, face: Face, time: float) -> list[Touch]:
        return [Touch(share=min(1.0, time))]


def test_a_users_own_edit_is_held_by_what_it_does_in_the_frame(pack: Pack) -> None:
    step = pack.displacement("age")
    edits, guard = guarded([Own(step)], ("smile",), pack)
    (state, back, told), code = held(edits, known(guard), one := face(pack), 1.5)
    assert looked(pack, known(guard), one, with_(back, code)) == pytest.approx([told["smile"][1]], abs=2e-3)
    assert list(state.knots) == [(2,)]
    (more, _, half), _ = held(edits, known(guard), one, 0.375, state)  # half of one of its units
    assert half["smile"] == pytest.approx([x / 2 for x in (more.knots[1,].without[0], more.knots[1,].left[0])])
    (early, _, _), _ = held(edits, known(guard), one, 0.1)
    assert list(early.knots) == [(1,)]


def test_what_is_asked_for_is_held_only_against_others(pack: Pack) -> None:
    with pytest.raises(UsageError, match="every edit is of age"):
        guarded(parse_edits("age=+2,1:age=-1"), ("age",), pack)
    edits, guard = guard_of(pack, "age=+2,smile=+1@1s-", ("age",))
    (_, back, told), _ = held(edits, guard, face(pack))
    assert back is None
    assert told == {"age": (0.0, 0.0)}
    (_, back, told), _ = held(edits, guard, face(pack), 2.0)
    assert back is not None
    assert told["age"][0] != 0


def test_an_edit_that_does_not_leak_is_what_it_is_without_holding_bit_for_bit(pack: Pack) -> None:
    asked = parse_edits("age=+2,smile=+0.5")
    plain, guard = guarded(asked, (), pack)[0], guarded(asked, ("age", "smile"), pack)[1]
    still = replace(known(guard), scales=(1e6, 1e6))  # nobody sees a leak
    frames, made = stream(pack, 2, 9), []
    for options in (EditOptions(plain), EditOptions(guarded(asked, ("age",), pack)[0], guard=still)):
        made.append(list(run("edit", partial(edit, options=options), EditState(), frames)))
    for a, b in zip(*made, strict=True):
        for mine, other in zip(a.faces, b.faces, strict=True):
            assert torch.equal(mine.edited_code.w, other.edited_code.w)
            assert torch.equal(mine.edited_code.feature, other.edited_code.feature)
            assert mine.amount == other.amount


def test_of_people_who_have_gone_nothing_is_kept(pack: Pack) -> None:
    edits, guard = guard_of(pack)
    state, most = EditState(), 0
    for i in range(9):
        one = Faces(Frame(np.zeros((64, 64, 3), np.uint8), i), (face(pack, person=i),))
        state, _ = edit(state, one, EditOptions(edits, sigma=0.02, guard=guard))
        most = max(most, len(state.held))
    assert 0 < most <= 5


def test_what_cannot_be_held_is_said_with_what_can(pack: Pack, tmp_path: Path) -> None:
    assert guarded(parse_edits("age=1"), (), pack)[1] is None
    assert holdable(pack) == ["age", "smile"]
    with pytest.raises(UsageError, match="cannot hold glasses; it can hold age, smile"):
        guarded(parse_edits("age=1"), ("glasses",), pack)
    with pytest.raises(UsageError, match="empty name"):
        guarded(parse_edits("age=1"), ("smile", ""), pack)
    bare = write_toy_pack(tmp_path / "toy")
    (bare / "attributes.safetensors").unlink()
    spec = load_pack(bare).spec
    write_pack(bare, replace(spec, networks={k: v for k, v in spec.networks.items() if k != "attributes"}))
    with pytest.raises(UsageError, match="attributes network"):
        guarded(parse_edits("age=1"), ("smile",), load_pack(bare))


def test_what_is_worn_can_be_held_where_the_network_reads_it(pack: Pack, tmp_path: Path) -> None:
    config = AttributeConfig(worn=("glasses", "beard"))
    torch.manual_seed(3)
    folder = Path(shutil.copytree(pack.folder, tmp_path / "toy"))
    tensors = AttributeNet(config).state_dict() | dict(pack.tensors("attributes"))
    write_tensors(folder / "attributes.safetensors", tensors)
    step = pack.directions["smile"]
    write_tensors(folder / "directions.safetensors", {**pack.tensors("directions"), "glasses": step.w * -0.5})
    networks = {**pack.spec.networks, "attributes": NetworkSpec("student", config)}
    glasses = EditSpec(unit="P(glasses)", step="", scale=0.01)
    write_pack(folder, replace(pack.spec, networks=networks, edits={**pack.spec.edits, "glasses": glasses}))
    worn = load_pack(folder)
    assert holdable(worn) == ["age", "glasses", "smile"]  # of beards it has no edit
    edits, guard = guard_of(worn, "age=+2", ("glasses",))
    (_, back, told), code = held(edits, guard, one := face(worn))
    without, left = told["glasses"]
    assert abs(without) > 0.02, "nothing leaks, so nothing is tested"
    assert abs(left) < 0.9 * abs(without)
    assert looked(worn, guard, one, with_(back, code)) == pytest.approx([left], abs=2e-3)


def test_a_response_that_grows_on_the_way_does_not_make_the_steps_go_back_and_forth(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits, guard = guard_of(pack)
    one = face(pack)
    (state, _, _), edited = held(edits, guard, one)
    push = state.pushes[0].w

    class Look:
        """Half a step of the held attribute's edit tells a tenth of what more of it tells."""

        def __init__(self, *_: object) -> None:
            pass

        def moved(self, codes: list[Code]) -> np.ndarray:
            steps = np.array([float(((code.w - edited.w) * push).sum() / push.square().sum()) for code in codes])
            return (-0.45 + 0.1 * steps + 1.4 * np.maximum(steps - 0.5, 0))[:, None]

    monkeypatch.setattr("vidinv.edits.held._Look", Look)
    (_, _, told), _ = held(edits, guard, one)
    assert told["smile"][0] == pytest.approx(-0.45, abs=1e-4)
    assert abs(told["smile"][1]) < 0.05


def stream(pack: Pack, count: int, cut: int) -> list[Faces]:
    picture = np.zeros((64, 64, 3), np.uint8)
    return [
        Faces(Frame(picture, i, cut=i == cut), (face(pack, 1 if i < cut else 2), face(pack, 3, person=1)))
        for i in range(count)
    ]


@pytest.mark.parametrize("asked", ["0:age=+2", "0:age=+2,0:age=-0.5@0s..+0.5@0.2s"])
def test_the_stage_holds_every_person_of_every_shot_and_its_state_can_be_saved(
    pack: Pack, tmp_path: Path, asked: str
) -> None:
    edits, guard = guarded(parse_edits(asked), ("smile",), pack)
    options = EditOptions(edits, rate=30.0, sigma=0.0, guard=guard)
    frames = stream(pack, 8, 4)

    def step(state: EditState, faces: Faces | None) -> tuple[EditState, list[Faces]]:
        return edit(state, faces, options, Compute("cpu", torch.float32))

    whole = list(run("edit", step, EditState(), frames))
    assert all(set(one.faces[0].held) == {"smile"} and one.faces[1].edited_code is None for one in whole)
    pushed = [one.faces[0].edited_code.w - one.faces[0].smooth_code.w for one in whole]
    if asked == "0:age=+2":
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
