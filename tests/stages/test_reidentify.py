"""Who has which number: whoever was there before has theirs again, nobody that of somebody else in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.faces.readable import Readable
from vidinv.faces.sightings import matched
from vidinv.runtime.compute import Compute
from vidinv.runtime.saved import read_states, write_states
from vidinv.runtime.steps import Latest, Snapshot, run
from vidinv.stages.reidentify import ReidentifyOptions, ReidentifyState, reidentify
from vidinv.types import Face, Faces, Frame

CPU = Compute("cpu", torch.float32)
ANY = Readable(0, 0, 0)  # the crops here are of one colour
OPTIONS = ReidentifyOptions(rate=25, readable=ANY)
AHEAD = 9  # frames: three looks after the first, 0.12 s apart
Colour = Sequence[int]
Person = tuple[int, Colour]  # track, and the colour of the face

RED, GREEN, BLUE, PINK, ROSE = (200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 90, 90), (200, 40, 40)


class Tint(nn.Module):
    """Tells people by their colour, and counts the crops that it is shown."""

    looks = 0

    def forward(self, x: Tensor) -> Tensor:
        self.looks += len(x) // 2  # every crop comes with its mirror image
        return F.normalize(x.mean((2, 3)) + 1, dim=1)


def frame(index: int, persons: Sequence[Person], *, cut: bool = False, seen: bool = True) -> Faces:
    crops = {number: np.full((8, 8, 3), colour, np.uint8) for number, colour in persons}
    faces = tuple(Face(np.zeros(4, np.float32), person=n, crop=crop, seen=seen) for n, crop in crops.items())
    return Faces(Frame(np.zeros((4, 4, 3), np.uint8), index, cut=cut), faces)


def shots(*persons: Sequence[Person], length: int = 15) -> list[Faces]:
    """Shot after shot, and who is in each."""
    return [frame(i, persons[i // length], cut=i and i % length == 0) for i in range(len(persons) * length)]


def numbered(
    stream: Sequence[Faces], net: nn.Module | None = None, options: ReidentifyOptions = OPTIONS
) -> list[dict[int, Colour]]:
    """Of every frame the colours by number."""
    step = partial(reidentify, identity=net or Tint(), compute=CPU, options=options)
    out = list(run("reidentify", step, ReidentifyState(), stream))
    assert [one.frame.index for one in out] == [one.frame.index for one in stream]
    assert all([f.person for f in one.faces] == sorted({f.person for f in one.faces}) for one in out)
    return [{face.person: tuple(map(int, face.crop[0, 0])) for face in one.faces} for one in out]


def test_whoever_was_there_before_a_cut_has_their_number_from_the_first_frame_on() -> None:
    found = numbered(shots([(0, RED)], [(1, GREEN)], [(2, GREEN), (3, RED)], [(4, RED)], [(5, BLUE)]))
    assert found[0:75:15] == found[14:75:15]
    assert found[0:75:15] == [{0: RED}, {1: GREEN}, {0: RED, 1: GREEN}, {0: RED}, {5: BLUE}]


def test_one_shot_with_everybody_in_it_is_left_as_it_is_and_nothing_waits() -> None:
    stream, state = [frame(i, [(0, RED), (2, RED)]) for i in range(30)], ReidentifyState()
    for one in stream:
        state, out = reidentify(state, one, Tint(), CPU, OPTIONS)
        assert [(f.person, f.crop) for f in out[0].faces] == [(f.person, f.crop) for f in one.faces]
        assert not state.waiting


def test_who_left_and_comes_again_in_the_same_shot_is_found() -> None:
    stream = [frame(i, [(0, RED)] if i < 20 else [] if i < 60 else [(1, GREEN), (2, RED)]) for i in range(80)]
    found = numbered(stream)
    assert found[19] == {0: RED}
    assert found[60] == found[-1] == {0: RED, 1: GREEN}


def test_two_of_a_frame_never_share_a_number_and_the_nearer_one_has_it() -> None:
    found = numbered(shots([(0, RED)], [(1, PINK), (2, ROSE)]))
    assert found[15] == {0: ROSE, 1: PINK}
    found = numbered(shots([(0, RED)], [(2, ROSE), (1, PINK)]))
    assert found[15] == {0: ROSE, 1: PINK}, "whoever stands first"


def test_somebody_nearer_who_comes_a_moment_later_has_the_number() -> None:
    late = [
        frame(i, [(0, RED)] if i < 15 else [(1, PINK), *([(2, RED)] if i > 18 else [])], cut=i == 15) for i in range(40)
    ]
    assert numbered(late)[-1] == {0: RED, 1: PINK}


def test_people_who_come_together_are_weighed_together() -> None:
    cosines = np.array([[0.8, 0.75], [0.79, 0.3]])
    assert matched(cosines, 0.55) == {0: 1, 1: 0}, "not the nearest pair first"
    assert matched(np.array([[0.9, 0.6], [0.6, 0.1]]), 0.55) == {0: 0}, "nobody gives way to somebody hardly alike"
    assert matched(np.array([[0.5, 0.2, 0.54]]), 0.55) == {}


def test_a_number_that_was_taken_for_somebody_else_is_not_shared_when_they_come_again() -> None:
    there = [(0, RED)]
    gone = [frame(i, there if i < 20 or i >= 60 else []) for i in range(90)]
    both = [
        Faces(one.frame, (*one.faces, *(frame(0, [(1, RED)]).faces if one.frame.index >= 35 else ()))) for one in gone
    ]
    found = numbered(both)
    assert found[40] == {0: RED}
    assert [set(one) for one in found[60:]] == [{0, 1}] * 30
    step = partial(reidentify, identity=Tint(), compute=CPU, options=OPTIONS)
    stood_in = ReidentifyState(given=frozenset({0, 5}))
    _, [later] = step(stood_in, frame(100, [(5, BLUE)]))
    assert [face.person for face in later.faces] == [6], "nor has a later track the number that stood in for theirs"


def test_a_short_shot_is_told_by_the_looks_that_there_are() -> None:
    found = numbered(shots([(0, RED)], [(1, GREEN)], [(2, RED)], [(3, GREEN)], length=2))
    assert [set(one) for one in found] == [{0}, {0}, {1}, {1}] * 2


def test_who_is_never_seen_is_somebody_new() -> None:
    stream = [frame(i, [(i // 10, RED)], cut=i == 10, seen=i < 10) for i in range(20)]
    assert numbered(stream)[-1] == {1: RED}


def test_who_comes_in_crops_that_cannot_be_read_is_somebody_new() -> None:
    stream = shots([(0, RED)], [(1, RED)], [(2, RED)])
    drawn = np.random.default_rng(0).integers(0, 2, (128, 128, 1), np.uint8)
    sharp = [one.each(lambda face: replace(face, crop=50 + drawn * face.crop[0, 0])) for one in stream]
    flat = [one.each(lambda face: replace(face, crop=np.full((128, 128, 3), 90, np.uint8))) for one in stream]
    step = partial(reidentify, identity=Tint(), compute=CPU, options=ReidentifyOptions(rate=25))
    for some, count in ((sharp, 1), (flat, 3)):
        out = list(run("reidentify", step, ReidentifyState(), some))
        assert len({face.person for one in out for face in one.faces}) == count


class Mute(Tint):
    """Gives no numbers for faces of green."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x.mean((2, 3))[:, 1:2] > 0, torch.nan, super().forward(x))


def test_where_the_network_gives_no_numbers_nothing_is_learnt_and_all_goes_on() -> None:
    found = numbered(shots([(0, RED)], [(1, GREEN)], [(2, RED)], [(3, GREEN)]), Mute())
    assert [set(one) for one in found[::15]] == [{0}, {1}, {0}, {3}]


def test_what_is_remembered_of_many_passers_by_is_bounded() -> None:
    state, options = ReidentifyState(), replace(OPTIONS, looks=1)
    seen = set[int]()
    for i in range(3000):
        state, out = reidentify(state, frame(i, [(i, RED if i % 2 else GREEN)], seen=False), Tint(), CPU, options)
        seen |= {face.person for one in out for face in one.faces}
        assert max(len(state.given), len(state.numbers), len(state.known), len(state.coming)) <= 1100
    assert len(seen) == 3000, "and nobody shares a number"
    state, [again] = reidentify(state, frame(3000, [(0, RED)], seen=False), Tint(), CPU, options)
    assert again.faces[0].person == 3000


def test_of_too_many_those_who_were_not_seen_for_longest_are_forgotten() -> None:
    people = [[(0, RED)], [(1, GREEN)], [(2, BLUE)], [(3, RED)], [(4, GREEN)]]
    found = numbered(shots(*people), options=replace(OPTIONS, most=2))
    assert [set(one) for one in found[::15]] == [{0}, {1}, {2}, {3}, {4}]
    found = numbered(shots(*people), options=replace(OPTIONS, most=3))
    assert [set(one) for one in found[::15]] == [{0}, {1}, {2}, {0}, {1}]


def test_few_frames_are_looked_at_and_few_wait() -> None:
    net, state = Tint(), ReidentifyState()
    for one in shots([(0, RED), (1, GREEN)], [(2, BLUE), (3, RED)], length=100):
        state, _ = reidentify(state, one, net, CPU, OPTIONS)
        assert len(state.waiting) <= AHEAD
    assert net.looks == 4 * (OPTIONS.looks + 3), "four at who comes, and one more every second"
    assert set(state.numbers) == {2, 3}
    assert set(state.known) == {0, 1, 2}


@pytest.mark.parametrize("after", [1, 16, 20, 33, 44])
def test_the_saved_state_goes_on_to_the_same_numbers(tmp_path: Path, after: int) -> None:
    stream = shots([(0, RED)], [(1, GREEN)], [(2, ROSE), (3, GREEN)])
    step, latest = partial(reidentify, identity=Tint(), compute=CPU, options=OPTIONS), Latest(ReidentifyState())
    marked, out, before = [*stream[:after], Snapshot(), *stream[after:]], list[Faces](), -1
    for one in run("reidentify", step, latest.state, marked, latest):
        if isinstance(one, Snapshot):
            write_states(tmp_path / "s", one.states)
            before = len(out)
        else:
            out.append(one)
    again = list(run("reidentify", step, read_states(tmp_path / "s")["reidentify"], stream[after:]))
    assert [[f.person for f in one.faces] for one in again] == [[f.person for f in one.faces] for one in out[before:]]
