"""The state of every stage, saved after some frame and read in another process, goes on bit for bit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tests.toy import write_toy_pack
from vidinv import halves
from vidinv.api import VideoEditor
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edits
from vidinv.errors import InputError
from vidinv.faces.boxes import CropRule
from vidinv.halves import Plan
from vidinv.packs.load import load_pack
from vidinv.packs.spec import template_of
from vidinv.packs.write import write_pack
from vidinv.report.quality import QualityOptions, instruments_of, start
from vidinv.runtime.saved import read_states, write_states
from vidinv.runtime.steps import Snapshot
from vidinv.runtime.way import Way
from vidinv.stages.decode import decode
from vidinv.stages.score import ScoreOptions, Scorers, ScoreState, score
from vidinv.types import Code, Face, Faces, Frame

ROOT = Path(__file__).resolve().parents[1]
STAGES = {"detect", "align", "invert", "edit", "synthesise", "assess", "gate", "stabilise", "blend", "score"}
OF_FACES = {"reidentify"}
FRAMES, AFTER = 54, 29
EDITS = "age=+2,smile=+1@0.5s-1.5s"
GO_ON = "from tests.test_states import go_on; go_on({!r}, {!r})"


def whole_way(
    editor: VideoEditor, frames: Iterable[Frame | Snapshot], states: dict[str, Any], edits: str, boxes: Any = None
) -> Iterator[Faces | Snapshot]:
    """Every stage from detect to score, threads included."""
    pack, way = editor.pack, Way(30.0, states=states)
    codes = editor._analysed(frames, editor._boxes(boxes), way)
    asked = parse_edits(edits)
    rendered = halves.rendered(codes, Plan(asked, resolve(asked, pack)), "detail", way, editor._means)
    quality = QualityOptions(flow_every=3)
    instruments = instruments_of(pack, editor.compute, quality)
    scorers = Scorers(pack.optional("identity"), pack.optional("attributes"), editor.compute, instruments)
    scoring = partial(score, scorers=scorers, options=ScoreOptions(editor.batch, attributes=("age",)))
    return way.stage("score", scoring, ScoreState(quality=start(quality)), rendered)


def sample() -> list[Frame]:
    return list(islice(decode(ROOT / "assets" / "sample.mp4"), FRAMES))


def go_on(states: str, out: str) -> None:
    """In another process: the rest of the frames, from the states on."""
    torch.set_num_threads(1)
    finished = list(whole_way(VideoEditor(), iter(sample()[AFTER + 1 :]), read_states(Path(states)), EDITS))
    scores = [repr(face.score) for faces in finished for face in faces.faces]
    np.savez(out, pictures=np.stack([faces.output.image for faces in finished]), scores=np.array(scores))


def with_snapshot(stream: Iterable[Faces | Snapshot], path: Path, stages: set[str] = STAGES) -> tuple[list[Faces], int]:
    """Everything that comes out, and how much of it came before the snapshot, which is written to ``path``."""
    out: list[Faces] = []
    before = -1
    for item in stream:
        if isinstance(item, Snapshot):
            assert set(item.states) == stages
            write_states(path, item.states)
            before = len(out)
        else:
            out.append(item)
    return out, before


@pytest.mark.slow
def test_states_saved_after_a_frame_go_on_in_another_process_bit_for_bit(tmp_path: Path) -> None:
    frames, states, rest = sample(), tmp_path / "states.safetensors", tmp_path / "rest.npz"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    marked = iter([*frames[: AFTER + 1], Snapshot(), *frames[AFTER + 1 :]])
    out, before = with_snapshot(whole_way(VideoEditor(), marked, {}, EDITS), states, STAGES | OF_FACES)
    torch.set_num_threads(threads)
    assert len(out) == FRAMES
    assert before < AFTER, "the snapshot overtakes what waits in the stages"
    assert any(faces.output is not faces.frame for faces in out)
    command = [sys.executable, "-c", GO_ON.format(str(states), str(rest))]
    subprocess.run(command, check=True, cwd=ROOT, timeout=200)
    again = np.load(rest)
    assert len(again["pictures"]) == FRAMES - before
    assert all(np.array_equal(a, b.output.image) for a, b in zip(again["pictures"], out[before:], strict=True))
    assert [str(s) for s in again["scores"]] == [repr(f.score) for faces in out[before:] for f in faces.faces]


def test_of_faces_who_has_which_number_is_saved_too(tmp_path: Path) -> None:
    editor = VideoEditor(write_toy_pack(tmp_path / "toy"), batch=2)
    blank = [Frame(np.zeros((90, 120, 3), np.uint8), i) for i in range(4)]
    marked = iter([*blank[:2], Snapshot(), *blank[2:]])
    out, before = with_snapshot(whole_way(editor, marked, {}, "age=+2"), tmp_path / "states", STAGES | OF_FACES)
    assert len(out) == 4
    assert before >= 0


@pytest.fixture(scope="module", params=[(), ("identity", "attributes", "landmarks")], ids=["whole", "bare"])
def box_editor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    """Of a toy pack whose crops are told, with all its networks or without those that measure."""
    folder = write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")
    spec, rule = load_pack(folder).spec, CropRule("boxes", (1.0, 0.75))
    for name in request.param:
        (folder / f"{name}.safetensors").unlink()
    networks = {k: v for k, v in spec.networks.items() if k not in request.param}
    write_pack(folder, replace(spec, crops=rule, template=template_of(rule), networks=networks))
    return VideoEditor(folder, batch=2)


@pytest.mark.parametrize("after", [5, 13, 25])
def test_states_hold_several_persons_cuts_and_half_filled_batches(
    box_editor: VideoEditor, tmp_path: Path, after: int
) -> None:
    rng = np.random.default_rng(0)
    shots = [cv2.resize(rng.integers(0, 255, (6, 10, 3), np.uint8), (320, 180)) for _ in range(3)]
    frames = [Frame(np.roll(shots[i // 12], i % 12, 1), i) for i in range(36)]
    boxes = {i: [(20 + i, 20, 110 + i, 110), (180, 40, 280, 140)] for i in range(36)}
    edits, path = "age=+2,0:smile=1,1+2:age=-1@0.2s-", tmp_path / "states"
    marked = iter([*frames[:after], Snapshot(), *frames[after:]])
    out, before = with_snapshot(whole_way(box_editor, marked, {}, edits, boxes), path)
    assert {face.person for faces in out for face in faces.faces} == set(range(6))
    rest = list(whole_way(box_editor, iter(frames[after:]), read_states(path), edits, boxes))
    assert all(np.array_equal(a.output.image, b.output.image) for a, b in zip(rest, out[before:], strict=True))
    assert [repr(f.score) for x in rest for f in x.faces] == [repr(f.score) for x in out[before:] for f in x.faces]


def test_arrays_come_back_as_they_lay_and_what_was_shared_is_written_once(tmp_path: Path) -> None:
    feature = torch.arange(24.0).reshape(2, 3, 4).permute(1, 2, 0)
    face = Face(np.zeros(4, np.float32), code=Code(torch.ones(2, 3), feature), person=3)
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    states = {
        "a": (face, {1: face, ("x", 2): columns}),
        "b": Fraction(1, 3),
        "c": frozenset({1, 2}),
        "d": np.float32(0.1),
    }
    write_states(tmp_path / "s", states)
    read = read_states(tmp_path / "s")
    (first, known), third = read["a"], read["b"]
    assert torch.equal(first.code.feature, feature)
    assert first.code.feature.stride() == feature.stride()
    assert known["x", 2].flags.f_contiguous
    assert np.array_equal(known["x", 2], columns)
    assert (known[1].person, third, read["c"]) == (3, Fraction(1, 3), frozenset({1, 2}))
    assert read["d"] == np.float32(0.1)
    assert read["d"].dtype == np.float32
    assert (tmp_path / "s").stat().st_size < 4000


def test_a_state_holds_nothing_that_could_run(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot hold a function"):
        write_states(tmp_path / "s", {"a": lambda: 0})
    write_states(tmp_path / "s", {"a": Frame(np.zeros((2, 2, 3), np.uint8), 0)})
    data = (tmp_path / "s").read_bytes()
    assert b"vidinv.types:Frame" in data
    for other in (b"vidinv.typez:Frame", b"vidinv.types:Known", b"vidinv.__main__:Ab", b"os.pathxxxxx:Frame"):
        (tmp_path / "t").write_bytes(data.replace(b"vidinv.types:Frame", other))
        with pytest.raises(InputError, match="begin anew"):
            read_states(tmp_path / "t")
    (tmp_path / "t").write_bytes(data.replace(b"array", b"arrow"))
    with pytest.raises(InputError, match="no part of a state"):
        read_states(tmp_path / "t")
    (tmp_path / "t").write_bytes(data[:-3])
    with pytest.raises(InputError, match="begin anew"):
        read_states(tmp_path / "t")
    with pytest.raises(InputError, match="begin anew"):
        read_states(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="no folder"):
        write_states(tmp_path / "no folder" / "s", {})
