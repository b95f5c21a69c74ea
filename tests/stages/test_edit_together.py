"""Edits that ask a network take several faces at a time; nobody can tell from what comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.edits.test_network import code, pack_with_network
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edits
from vidinv.packs.load import Pack
from vidinv.runtime.saved import read_states, write_states
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.types import Face, Faces, Frame, known

COUNTS = (0, 1, 5, 2, 0, 3, 1, 1, 4, 0, 2, 1)  # faces of each frame
NEAR = {"atol": 1e-4, "rtol": 1e-5}
BLANK = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return pack_with_network(tmp_path_factory.mktemp("packs") / "toy")


def stream() -> list[Faces]:
    face = Face(np.array([0, 0, 4, 4], np.float32), np.zeros((5, 2), np.float32), 1.0)
    return [
        Faces(
            Frame(BLANK, index, cut=index == 6),
            tuple(replace(face, person=p, code=code(10 * index + p)) for p in range(count)),
        )
        for index, count in enumerate(COUNTS)
    ]


def options(pack: Pack, batch: int) -> EditOptions:
    return EditOptions(resolve(parse_edits("smile=+2@0s-0.3s,0:age=+1"), pack), batch=batch)


def edited(how: EditOptions, frames: list[Faces], state: EditState = EditState()) -> tuple[EditState, list[Faces]]:
    done = []
    for one in frames:
        state, some = edit(state, one, how)
        done += some
    return state, done


def test_faces_that_are_edited_together_are_what_they_are_one_by_one(pack: Pack) -> None:
    together, alone = (edited(options(pack, n), [*stream(), None])[1] for n in (4, 1))
    assert [one.frame.index for one in together] == [one.frame.index for one in alone] == list(range(len(COUNTS)))
    changed = 0
    for mine, other in zip(together, alone, strict=True):
        for a, b in zip(mine.faces, other.faces, strict=True):
            assert (a.person, a.amount) == (b.person, b.amount)
            assert (a.edited_code is None) == (b.edited_code is None)
            if a.edited_code is not None:
                changed += 1
                # One face and four are added up in other orders, on some processors more than on others.
                torch.testing.assert_close(known(a.edited_code).feature, known(b.edited_code).feature, **NEAR)
                torch.testing.assert_close(known(a.edited_code).w, known(b.edited_code).w, **NEAR)
    assert changed > 4


def test_a_run_goes_on_from_faces_that_wait_for_others(pack: Pack, tmp_path: Path) -> None:
    how, frames = options(pack, 4), stream()
    whole = edited(how, [*frames, None])[1]
    state, first = edited(how, frames[:8])
    assert state.waiting.items
    write_states(tmp_path / "states", {"edit": state})
    again = read_states(tmp_path / "states")["edit"]
    rest = edited(how, [*frames[8:], None], again)[1]
    assert len(first) + len(rest) == len(whole)
    for mine, other in zip([*first, *rest], whole, strict=True):
        for a, b in zip(mine.faces, other.faces, strict=True):
            if b.edited_code is not None:
                assert torch.equal(known(a.edited_code).feature, known(b.edited_code).feature)
