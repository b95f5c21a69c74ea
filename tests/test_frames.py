"""Edited frames before encoding: their sums, and the two halves of the way that make them."""

from __future__ import annotations

import hashlib
import threading
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.shared import shared
from tests.toy import write_toy_pack
from vidinv.api import VideoEditor
from vidinv.edits.library import resolve
from vidinv.edits.parse import parse_edits
from vidinv.errors import InputError
from vidinv.types import Frame
from vidinv.video import Reader

SAMPLE = Path(__file__).resolve().parents[1] / "assets" / "sample.mp4"
CLIPS = (
    "single_face_mp3_audio.mp4",
    "several_people_1080p_aac.mp4",
    "vfr_hevc_cut_to_no_face.mov",
    "hand_over_face_360p_23976.mp4",
)
EDITS = ("age=+2", "smile=+1@1s-2s", "glasses=+2")


@pytest.fixture(scope="module")
def one_thread():
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.fixture(scope="module")
def editor() -> VideoEditor:
    return VideoEditor()


def sha256(editor: VideoEditor, clip: Path, edit: str, count: int) -> str:
    """Of the edited frames, by edit_frames; `pytest -s tests/test_frames.py` prints them, for two versions to be held
    against each other on one machine."""
    digest = hashlib.sha256()
    with Reader(clip) as reader:
        frames = (frame.image for frame in islice(reader, count))
        for picture in editor.edit_frames(frames, edit, rate=float(reader.info.rate)):
            digest.update(picture.tobytes())
    print(f"{clip.name} {edit} {count} {digest.hexdigest()}")
    return digest.hexdigest()


def rendered(editor: VideoEditor, clip: Path, edit: str, count: int) -> str:
    """The same, by analyse and render, of frames at the same even times."""
    digest = hashlib.sha256()
    with Reader(clip) as reader:
        rate = float(reader.info.rate)
        evenly = (Frame(f.image, f.index, time=Fraction(f.index / rate).limit_denominator(10**6)) for f in reader)
        codes = editor.analyse(islice(evenly, count), rate=rate)
        for faces in editor.render(None, codes, edit, rate=rate):
            digest.update(faces.output.image.tobytes())
    return digest.hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("edit", [*EDITS, ",".join(EDITS)])
def test_frames_are_the_same_at_every_run_and_by_either_way(editor: VideoEditor, one_thread: None, edit: str) -> None:
    assert sha256(editor, SAMPLE, edit, 70) == rendered(editor, SAMPLE, edit, 70)


@pytest.mark.slow
@pytest.mark.parametrize("clip", CLIPS)
def test_on_real_clips_too(editor: VideoEditor, one_thread: None, clip: str) -> None:
    path = shared("clips") / clip
    assert sha256(editor, path, ",".join(EDITS), 40) == rendered(editor, path, ",".join(EDITS), 40)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


def test_what_was_analysed_once_is_rendered_many_times(toy: VideoEditor) -> None:
    with Reader(SAMPLE) as reader:
        codes = list(toy.analyse(islice(reader, 12), rate=30))
    assert all(face.code is not None and face.edited_code is None for faces in codes for face in faces.faces)
    older, wider = ([f.output.image for f in toy.render(None, codes, edit, rate=30)] for edit in ("age=+2", "smile=+2"))
    assert len(older) == len(wider) == 12
    assert not np.array_equal(older[6], wider[6])
    assert all(np.array_equal(f.frame.image, g.image) for f, g in zip(codes, Reader(SAMPLE), strict=False))


def test_the_video_may_be_given_once_more_and_must_be_the_same(toy: VideoEditor) -> None:
    with Reader(SAMPLE) as reader:
        frames = list(islice(reader, 8))
    codes = list(toy.analyse(iter(frames)))
    again = [f.output.image for f in toy.render(iter(frames), codes, "age=+2")]
    assert all(np.array_equal(a, b.output.image) for a, b in zip(again, toy.render(None, codes, "age=+2"), strict=True))
    with pytest.raises(InputError, match="the video ends after 5 frames"):
        list(toy.render(iter(frames[:5]), codes, "age=+2"))


@pytest.mark.parametrize("given", [False, True])
def test_a_stream_that_is_closed_early_leaves_no_thread(toy: VideoEditor, given: bool) -> None:
    before = threading.active_count()
    stream = toy.render(SAMPLE if given else None, toy.analyse(SAMPLE), "age=+2", rate=30)
    next(stream)
    assert threading.active_count() > before
    stream.close()
    assert threading.active_count() == before


def test_a_video_that_is_another_leaves_no_thread(toy: VideoEditor) -> None:
    before = threading.active_count()
    with Reader(SAMPLE) as reader:
        frames = list(islice(reader, 40))
    with pytest.raises(InputError, match="ends after 5 frames"):
        list(toy.render(iter(frames[:5]), toy.analyse(iter(frames)), "age=+2"))
    assert threading.active_count() == before


def test_an_edit_that_is_none_of_the_packs_takes_the_same_way(toy: VideoEditor) -> None:
    (own,) = resolve(parse_edits("age=+2"), toy.pack)
    with Reader(SAMPLE) as reader:
        codes = list(toy.analyse(islice(reader, 12), rate=30))
    named, given = ([f.output.image for f in toy.render(None, codes, edit, rate=30)] for edit in ("age=+2", own))
    assert all(np.array_equal(a, b) for a, b in zip(named, given, strict=True))


def test_a_report_tells_all_edits_and_those_whose_people_never_came(toy: VideoEditor, tmp_path: Path) -> None:
    (own,) = resolve(parse_edits("age=+2"), toy.pack)
    report = toy.edit_video(SAMPLE, tmp_path / "out.mp4", ["0:age=+1", "7:smile=1", own])
    assert report.edits == ["0:age=+1", "7:smile=+1", str(own)]
    assert [w for w in report.warnings if "did nothing" in w] == [
        "7:smile=+1 did nothing: person 7 was never seen (the persons are 0)"
    ]
