"""Who has which name: the nearest who is near enough, one in a frame, to the end of the track, anew after a cut."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidinv.models.identity import embedded
from vidinv.runtime.compute import Compute
from vidinv.runtime.steps import Latest, run
from vidinv.stages.recognise import RecogniseOptions, RecogniseState, References, recognise
from vidinv.types import Face, Faces, Frame

CPU = Compute("cpu", torch.float32)
OPTIONS = RecogniseOptions(rate=25)
AHEAD = 9  # frames: three looks after the first, 0.12 s apart
Person = tuple[int, Sequence[int]]  # number, and the colour of the face


class Colour(nn.Module):
    """Tells people by their colour, and counts the crops that it is shown."""

    looks = 0

    def forward(self, x: Tensor) -> Tensor:
        self.looks += len(x) // 2  # every crop comes with its mirror image
        return F.normalize(x.mean((2, 3)) + 1, dim=1)


RED, GREEN, BLUE, PINK = (200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 80, 80)
NAMES = References(("anna", "ben"), np.eye(3, dtype=np.float32)[:2])  # red, green


def frame(index: int, persons: Sequence[Person], *, cut: bool = False, seen: bool = True) -> Faces:
    box = np.zeros(4, np.float32)
    crops = {number: np.full((8, 8, 3), colour, np.uint8) for number, colour in persons}
    faces = tuple(Face(box, person=number, crop=crop, seen=seen) for number, crop in crops.items())
    return Faces(Frame(np.zeros((4, 4, 3), np.uint8), index, cut=cut), faces)


def named(
    stream: Sequence[Faces], net: nn.Module | None = None, options: RecogniseOptions = OPTIONS
) -> tuple[list[dict[int, str | None]], RecogniseState]:
    latest = Latest(RecogniseState())
    step = partial(recognise, references=NAMES, identity=net or Colour(), compute=CPU, options=options)
    out = list(run("recognise", step, latest.state, stream, latest))
    assert [one.frame.index for one in out] == [one.frame.index for one in stream]
    return [{face.person: face.name for face in one.faces} for one in out], latest.state


def test_everybody_is_named_from_their_first_frame_on_and_strangers_are_not() -> None:
    names, state = named([frame(i, [(0, GREEN), (1, RED), (2, BLUE)]) for i in range(30)])
    assert names == [{0: "ben", 1: "anna", 2: None}] * 30
    assert state.nearest["anna"] == (pytest.approx(1), 1)


def test_two_in_one_frame_never_have_the_same_name() -> None:
    names, _ = named([frame(i, [(0, PINK), (1, RED)]) for i in range(20)])
    assert names == [{0: None, 1: "anna"}] * 20


def test_a_name_stays_though_the_face_turns_away() -> None:
    names, _ = named([frame(i, [(0, RED if i < 15 else BLUE)]) for i in range(80)])
    assert names == [{0: "anna"}] * 80


def test_a_name_leaves_for_somebody_who_is_clearly_nearer_only() -> None:
    crowd = [frame(i, [(0, PINK), *([(1, RED)] if i >= 40 else [])]) for i in range(80)]
    names, _ = named(crowd)
    assert names[39] == {0: "anna"}
    assert names[40] == {0: None, 1: "anna"}
    almost = [frame(i, [(0, (200, 20, 20)), *([(1, RED)] if i >= 40 else [])]) for i in range(80)]
    assert named(almost)[0][79] == {0: "anna", 1: None}


def test_somebody_hidden_at_first_is_named_later() -> None:
    names, _ = named([frame(i, [(0, BLUE if i < 20 else RED)]) for i in range(200)])
    assert names[0] == {0: None}
    assert names[-1] == {0: "anna"}
    assert [n[0] is None for n in names] == sorted((n[0] is None for n in names), reverse=True), "once, and for good"


def test_after_a_cut_everybody_is_looked_at_anew() -> None:
    shots = [frame(i, [(0, RED), (1, GREEN)]) for i in range(20)]
    shots += [frame(i, [(2, GREEN), (3, RED)], cut=i == 20) for i in range(20, 40)]
    names, state = named(shots)
    assert names[19:21] == [{0: "anna", 1: "ben"}, {2: "ben", 3: "anna"}]
    assert set(state.seen) == set(state.names) == {(1, 2), (1, 3)}, "of a shot that is over nothing is kept"


def test_a_number_that_was_given_again_has_no_name_by_that() -> None:
    shots = [frame(i, [(0, RED)]) for i in range(20)] + [frame(i, [(0, GREEN)], cut=i == 20) for i in range(20, 40)]
    shots += [frame(i, [(0, BLUE)], cut=i == 40) for i in range(40, 43)]
    names, state = named(shots)
    assert [n[0] for n in names] == ["anna"] * 20 + ["ben"] * 20 + [None] * 3
    assert state.called(0) is None
    assert named(shots[:40])[1].called(0) == "ben"


def test_who_was_bridged_over_a_gap_is_not_looked_at() -> None:
    names, state = named([frame(i, [(0, RED)], seen=False) for i in range(20)])
    assert names == [{0: None}] * 20
    assert not state.nearest


def test_few_frames_are_looked_at_and_few_wait() -> None:
    net, state = Colour(), RecogniseState()
    step = partial(recognise, references=NAMES, identity=net, compute=CPU, options=OPTIONS)
    for i in range(100):
        state, _ = step(state, frame(i, [(0, RED), (1, BLUE)]))
        assert len(state.waiting) <= AHEAD
    assert net.looks == OPTIONS.looks + (OPTIONS.looks + 3), "of the stranger one more every second"


def test_a_face_is_told_by_itself_and_its_mirror_image() -> None:
    crop = np.zeros((8, 8, 3), np.uint8)
    crop[:, :4] = RED
    net = nn.Sequential(nn.Flatten())
    assert np.allclose(embedded([crop], net, CPU), embedded([crop[:, ::-1].copy()], net, CPU))
