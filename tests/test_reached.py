"""A run that edited nothing, or next to nothing, says so, and why."""

from __future__ import annotations

import pytest

from vidinv.edits.parse import parse_edits
from vidinv.errors import NoFaceFound
from vidinv.report import Tally
from vidinv.runtime.steps import Latest
from vidinv.stages.score import ScoreState
from vidinv.streams import need_faces, not_seen

ASKED = parse_edits("age=+2")


def tally(*reached: tuple[float, tuple[str, ...]], frames: int = 100) -> Tally:
    made = Tally()
    for _ in range(frames):
        made = made.add_frame(frozenset({0}))
    for weight, doubts in reached:
        made = made.add_reached(weight, doubts)
    return made


def end(made: Tally) -> None:
    list(need_faces(iter(()), Latest(ScoreState(made)), ASKED, "in.mp4", "face"))


def test_a_run_in_which_no_face_was_trusted_is_refused_with_the_reasons() -> None:
    made = tally(*[(0.0, ("pose",))] * 60, *[(0.0, ("occlusion", "pose"))] * 40)
    with pytest.raises(NoFaceFound, match=r"nothing was edited.*100 were not trusted: pose in 100 .*occlusion"):
        end(made)


def test_edits_that_act_at_no_time_are_refused() -> None:
    with pytest.raises(NoFaceFound, match="no edit acts on any of the 100 faces"):
        end(tally())


def test_fewer_than_a_tenth_are_said_and_more_are_not() -> None:
    few, enough = (tally(*[(1.0, ())] * n, *[(0.0, ("identity",))] * (100 - n)) for n in (5, 20))
    end(few)
    [told] = not_seen(ASKED, few)
    assert "only 5 of 100 faces were edited" in told
    assert "identity in 95" in told
    assert not not_seen(ASKED, enough)
