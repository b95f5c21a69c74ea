"""The state of every stage, saved after some frame and read in another process, goes on bit for bit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidinv.api import VideoEditor
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edits
from vidinv.errors import InputError
from vidinv.report.quality import QualityOptions, instruments_of, start
from vidinv.runtime.saved import read_states, write_states
from vidinv.runtime.steps import Snapshot
from vidinv.runtime.way import Way
from vidinv.stages.decode import decode
from vidinv.stages.score import ScoreOptions, Scorers, ScoreState, score
from vidinv.types import Code, Face, Faces, Frame

ROOT = Path(__file__).resolve().parents[1]
STAGES = {"detect", "align", "invert", "edit", "synthesise", "assess", "gate", "stabilise", "blend", "score"}
FRAMES, AFTER = 54, 29
EDITS = "age=+2,smile=+1@0.5s-1.5s"
GO_ON = "from tests.test_states import go_on; go_on({!r}, {!r})"


def whole_way(frames: Iterable[Frame | Snapshot], states: dict[str, Any]) -> Iterator[Faces | Snapshot]:
    """Every stage from detect to score, threads included."""
    torch.set_num_threads(1)
    editor = VideoEditor()
    way = Way(30.0, states=states)
    codes = editor._analysed(frames, None, way)
    rendered = editor._rendered(codes, resolve(parse_edits(EDITS), editor.pack), "detail", way)
    quality = QualityOptions(flow_every=3)
    scorers = Scorers(
        editor.pack.identity,
        editor.pack.attributes,
        editor.compute,
        instruments_of(editor.pack, editor.compute, quality),
    )
    scoring = partial(score, scorers=scorers, options=ScoreOptions(attributes=("age",)))
    return way.stage("score", scoring, ScoreState(quality=start(quality)), rendered)


def sample() -> list[Frame]:
    return list(islice(decode(ROOT / "assets" / "sample.mp4"), FRAMES))


def go_on(states: str, out: str) -> None:
    """In another process: the rest of the frames, from the states on."""
    finished = list(whole_way(iter(sample()[AFTER + 1 :]), read_states(Path(states))))
    scores = [repr(face.score) for faces in finished for face in faces.faces]
    np.savez(out, pictures=np.stack([faces.output.image for faces in finished]), scores=np.array(scores))


@pytest.mark.slow
def test_states_saved_after_a_frame_go_on_in_another_process_bit_for_bit(tmp_path: Path) -> None:
    frames, states, rest = sample(), tmp_path / "states.safetensors", tmp_path / "rest.npz"
    marked = iter([*frames[: AFTER + 1], Snapshot(), *frames[AFTER + 1 :]])
    pictures, scores, before = [], [], 0
    for item in whole_way(marked, {}):
        if isinstance(item, Snapshot):
            assert set(item.states) == STAGES
            write_states(states, item.states)
            before = len(pictures)
            continue
        assert isinstance(item, Faces)
        assert item.output is not None
        pictures.append(item.output.image)
        scores += [face.score for face in item.faces]
    assert len(pictures) == FRAMES
    assert before < AFTER, "the snapshot overtakes what waits in the stages"
    assert any(not np.array_equal(p, f.image) for p, f in zip(pictures, frames, strict=True))
    command = [sys.executable, "-c", GO_ON.format(str(states), str(rest))]
    subprocess.run(command, check=True, cwd=ROOT, timeout=200)
    again = np.load(rest)
    assert len(again["pictures"]) == FRAMES - before
    assert all(np.array_equal(a, b) for a, b in zip(again["pictures"], pictures[before:], strict=True))
    assert [str(s) for s in again["scores"]] == [repr(s) for s in scores[before:]]


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
    for other in (b"vidinv.errors:Frame", b"os.path.types:Frame"):
        (tmp_path / "t").write_bytes(data.replace(b"vidinv.types:Frame", other[:18]))
        with pytest.raises(InputError, match="begin anew"):
            read_states(tmp_path / "t")
    (tmp_path / "t").write_bytes(data[:-3])
    with pytest.raises(InputError, match="begin anew"):
        read_states(tmp_path / "t")
    with pytest.raises(InputError, match="begin anew"):
        read_states(tmp_path / "nothing")
