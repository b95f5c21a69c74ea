"""Codes over time: a method that searches goes on from the frame before, within a shot and for the same person."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toy import write_toy_pack
from vidinv.inversion import Inverted, Inverter, make_inverter, search_options
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import load_pack
from vidinv.runtime.compute import Compute
from vidinv.runtime.saved import read_states, write_states
from vidinv.runtime.steps import run
from vidinv.stages.invert import InvertOptions, InvertState, invert
from vidinv.types import Face, Faces, Frame, known

CPU = Compute("cpu", torch.float32)


@pytest.fixture(scope="module")
def inverter(tmp_path_factory: pytest.TempPathFactory) -> Inverter:
    pack = load_pack(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))
    return make_inverter(pack, "image2stylegan", search_options("image2stylegan", {"steps": 6, "warm_steps": 2}))


def frames(persons: list[list[int]], cuts: tuple[int, ...] = ()) -> list[Faces]:
    rng = np.random.default_rng(1)
    blank = np.zeros((8, 8, 3), np.uint8)
    made = []
    for i, some in enumerate(persons):
        crops = rng.integers(0, 255, (len(some), 64, 64, 3)).astype(np.uint8)
        faces = [Face(np.zeros(4, np.float32), person=p, crop=crop) for p, crop in zip(some, crops, strict=True)]
        made.append(Faces(Frame(blank, i, cut=i in cuts), tuple(faces)))
    return made


def coded(inverter: Inverter, stream: list[Faces], state: InvertState = InvertState()) -> list[Faces]:
    return list(run("invert", partial(invert, inverter=inverter, compute=CPU), state, stream))


def steps_of(inverter: Inverter, face: Face, start: Face | None) -> torch.Tensor:
    """The code that a face should have, found from the code of another one or from the mean latent."""
    picture = to_tensor([known(face.crop)])
    if start is None:
        return inverter(picture).w[0]
    before = known(start.code)
    return inverter(picture, Inverted(before.w[None], before.feature[None])).w[0]


def test_a_frame_goes_on_from_the_same_person_in_the_frame_before(inverter: Inverter) -> None:
    out = coded(inverter, frames([[0], [0, 1], [1, 0]]))
    first, second, third = ({face.person: face for face in one.faces} for one in out)
    for face, start in ((first[0], None), (second[0], first[0]), (second[1], None), (third[1], second[1])):
        assert torch.allclose(known(face.code).w, steps_of(inverter, face, start), atol=1e-3)


def test_a_person_who_was_hidden_for_a_frame_is_gone_on_with(inverter: Inverter) -> None:
    first, _, third = coded(inverter, frames([[0], [], [0]]))
    assert torch.allclose(known(third.faces[0].code).w, steps_of(inverter, third.faces[0], first.faces[0]), atol=1e-3)


def test_who_was_away_for_long_is_searched_for_anew(inverter: Inverter) -> None:
    first, *_, last = coded(inverter, frames([[0], *[[] for _ in range(40)], [0]]))
    code = known(last.faces[0].code).w
    assert torch.allclose(code, steps_of(inverter, last.faces[0], None), atol=1e-3)
    assert not torch.allclose(code, steps_of(inverter, last.faces[0], first.faces[0]), atol=1e-3)


def test_a_cut_begins_anew_even_if_the_number_is_the_same(inverter: Inverter) -> None:
    out = coded(inverter, frames([[0], [0]], cuts=(1,)))
    assert torch.allclose(known(out[1].faces[0].code).w, steps_of(inverter, out[1].faces[0], None), atol=1e-3)


def test_its_state_goes_on_from_a_file_bit_for_bit(inverter: Inverter, tmp_path: Path) -> None:
    stream = frames([[0], [0, 1], [0, 1]])
    state, [_] = invert(InvertState(), stream[0], inverter, CPU)
    state, [_] = invert(state, stream[1], inverter, CPU)
    write_states(tmp_path / "states", {"invert": state})
    whole = coded(inverter, stream)[2]
    [again] = coded(inverter, stream[2:], read_states(tmp_path / "states")["invert"])
    for a, b in zip(whole.faces, again.faces, strict=True):
        assert torch.equal(known(a.code).w, known(b.code).w)


def test_a_crowd_is_searched_for_in_batches(inverter: Inverter) -> None:
    stream = frames([[0, 1, 2], [0, 1, 2]])
    one_each = partial(invert, inverter=inverter, compute=CPU, options=InvertOptions(1))
    small = list(run("invert", one_each, InvertState(), stream))
    for a, b in zip(small[1].faces, coded(inverter, stream)[1].faces, strict=True):
        assert torch.allclose(known(a.code).w, known(b.code).w, atol=1e-3)
