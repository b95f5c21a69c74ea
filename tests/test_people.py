"""People named by pictures, through the whole way: the right one is edited, and whoever is missing is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch.nn.functional as F
from torch import Tensor, nn

import vidinv
from tests.toy import write_toy_pack
from vidinv import halves
from vidinv.api import VideoEditor
from vidinv.errors import NoFaceFound, UsageError
from vidinv.packs.load import load_pack
from vidinv.packs.write import write_pack
from vidinv.runtime.saved import read_states, write_states
from vidinv.stages.decode import decode
from vidinv.types import Faces, Frame

SAMPLE = Path(__file__).resolve().parents[1] / "assets" / "sample.mp4"
Picture = np.ndarray


class Tint(nn.Module):
    """Tells people by what colour they have beside grey."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3))
        return F.normalize(mean - mean.mean(1, keepdim=True), dim=1)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    """Of a toy pack that tells people by the colour of their faces."""
    made = VideoEditor(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))
    made.pack.__dict__["identity"] = Tint()
    return made


@pytest.fixture(scope="module")
def people() -> tuple[Picture, Picture]:
    """A face, and the same one much larger and in blue."""
    face = cv2.resize(next(decode(SAMPLE)).image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    height, width = face.shape[:2]
    near = face[height // 8 : -height // 8, width // 8 : -width // 8]
    return face, np.ascontiguousarray(np.stack([near[..., 2] // 4, near[..., 1] // 2, near[..., 0]], 2))


@pytest.fixture(scope="module")
def frames(people: tuple[Picture, Picture]) -> list[Frame]:
    """Both side by side; after a cut on each other's sides, in another light."""
    height = min(picture.shape[0] for picture in people)
    shots = [[p[:height] for p in people], [p[:height, ::-1] // 2 + 20 for p in people[::-1]]]
    return [Frame(np.ascontiguousarray(np.concatenate(shots[i // 8], 1)), i) for i in range(16)]


@pytest.fixture(scope="module")
def codes(editor: VideoEditor, frames: list[Frame]) -> list[Faces]:
    found = list(editor.analyse(iter(frames), rate=25))
    assert found[8].frame.cut
    assert {face.person for one in found for face in one.faces} == {0, 1}, "who changed sides is found again"
    return found


def test_the_named_one_is_edited_before_and_after_a_cut(
    editor: VideoEditor, codes: list[Faces], people: tuple[Picture, Picture]
) -> None:
    faces = {"anna": people[0], "ben": [people[1]]}
    done = list(editor.render(None, codes, "anna:age=+2", rate=25, faces=faces))
    named = [{face.name: face for face in one.faces} for one in done]
    assert all(set(row) == {"anna", "ben"} for row in named)
    assert all(row["anna"].edited_code is not None and row["ben"].edited_code is None for row in named)
    places = [float(row["anna"].quad.mean(0)[0] - row["ben"].quad.mean(0)[0]) for row in named]
    assert min(places[8:]) > 0 > max(places[:8]), "they changed places"
    half = done[0].frame.image.shape[1] // 2
    assert np.array_equal(done[0].output.image[:, half:], done[0].frame.image[:, half:])


def test_a_number_is_the_same_person_before_and_after_a_cut(editor: VideoEditor, codes: list[Faces]) -> None:
    done = list(editor.render(None, codes, "0:age=+2", rate=25))
    places = [[face.quad.mean(0)[0] for face in one.faces] for one in done]
    assert {left < right for left, right in places[:8]}.isdisjoint(left < right for left, right in places[8:])
    assert all([face.edited_code is not None for face in one.faces] == [True, False] for one in done)


def test_the_state_of_recognising_can_be_saved(
    editor: VideoEditor, codes: list[Faces], people: tuple[Picture, Picture], tmp_path: Path
) -> None:
    known_people = editor._plan("anna:age=1", (), {"anna": people[0]}).people
    plan = halves.Plan((), (), people=known_people)
    with_names = list(halves.rendered(codes[:10], plan, "detail", vidinv.api.Way(25.0), editor._means))
    assert with_names[0].faces[0].name is not None or with_names[0].faces[1].name is not None
    write_states(tmp_path / "s", {"recognise": known_people.latest.state})
    assert repr(read_states(tmp_path / "s")["recognise"].nearest) == repr(known_people.latest.state.nearest)


def test_a_frame_by_itself_counts_its_persons_by_size(
    editor: VideoEditor, frames: list[Frame], people: tuple[Picture, Picture]
) -> None:
    one = editor.edit_frame(frames[0], "1:age=+2,ben:age=-1,7:smile=1", faces={"ben": people[1]})
    assert [(face.person, face.name) for face in one.faces.faces] == [(0, "ben"), (1, None)]
    assert len(one.edited) == 2
    assert one.warnings == ["7:smile=+1 did nothing: person 7 was never seen (the persons are 0, 1)"]
    with pytest.raises(NoFaceFound, match=r"person 7 was never seen"):
        editor.edit_frame(frames[0], "7:smile=1")


def test_who_is_not_there_is_said_with_the_nearest(editor: VideoEditor, people: tuple[Picture, Picture]) -> None:
    frames = [people[0]] * 4
    out = list(editor.edit_frames(frames, "zoe:age=1", faces={"zoe": people[1]}, rate=25))
    assert all(np.array_equal(a, b) for a, b in zip(out, frames, strict=True))
    frame, says = Frame(people[0], 0), r"nobody is as near to zoe's picture as 0\.45; the nearest is person 0 with -0\."
    with pytest.raises(NoFaceFound, match=says):
        editor.edit_frame(frame, "zoe:age=1", faces={"zoe": people[1]})
    told = editor.edit_frame(frame, "0+zoe:age=1", faces={"zoe": people[1], "anna": people[0]}).warnings
    assert "did nothing to zoe: nobody is as near to zoe's picture" in told[0]
    assert "no edit is for anna" in told[1]


def test_requests_that_cannot_be(editor: VideoEditor, people: tuple[Picture, Picture], tmp_path: Path) -> None:
    frame, blank = Frame(people[0], 0), np.full((64, 64, 3), 90, np.uint8)
    for edit, faces, error, says in (
        ("bob:age=1", {"anna": people[0]}, UsageError, r"no picture of bob was given, those of anna are.*--face bob="),
        ("bob:age=1", None, UsageError, "none is"),
        ("age=1", {"2": people[0]}, UsageError, "nobody can be called '2'"),
        ("anna:age=1", {"anna": blank}, NoFaceFound, "the face of anna: picture 0: no face was found"),
    ):
        with pytest.raises(error, match=says):
            editor.edit_frame(frame, edit, faces=faces)


def test_a_pack_without_an_identity_network_knows_nobody(people: tuple[Picture, Picture], tmp_path: Path) -> None:
    folder = write_toy_pack(tmp_path / "toy")
    spec = load_pack(folder).spec
    (folder / "identity.safetensors").unlink()
    write_pack(folder, replace(spec, networks={k: v for k, v in spec.networks.items() if k != "identity"}))
    with pytest.raises(UsageError, match="toy has no identity network, so it knows nobody by a picture"):
        VideoEditor(folder).edit_frame(Frame(people[0], 0), "anna:age=1", faces={"anna": people[0]})
