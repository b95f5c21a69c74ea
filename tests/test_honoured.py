"""What the interface is given is honoured, or refused: rates, times, arrays that are used again; grey stays grey."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.toy import write_toy_pack
from vidinv.api import VideoEditor
from vidinv.errors import UsageError
from vidinv.stages.decode import decode
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.video import probe
from vidinv.video.demuxers import MOST_PIXELS

SAMPLE = Path(__file__).resolve().parents[1] / "assets" / "sample.mp4"


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_toy_pack(tmp_path_factory.mktemp("toy") / "pack"), device="cpu")


def short(path: Path) -> Path:
    for _ in encode(islice(decode(SAMPLE), 4), path, probe(SAMPLE), EncodeOptions(preset="ultrafast")):
        pass
    return path


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [cv2.resize(f.image, (480, 270), interpolation=cv2.INTER_AREA) for f in islice(decode(SAMPLE), 8)]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e308, 1e-300, 10**400, "a", True, [30]])
def test_a_rate_that_cannot_be_is_refused_at_once(editor: VideoEditor, pictures: list[np.ndarray], rate: Any) -> None:
    with pytest.raises(UsageError, match="frames per second"):
        editor.edit_frames(pictures, "age=1", rate=rate)
    with pytest.raises(UsageError, match="frames per second"):
        editor.analyse(SAMPLE, rate=rate)
    with pytest.raises(UsageError, match="frames per second"):
        editor.render(None, [], "age=1", rate=rate)


@pytest.mark.parametrize("rate", [1, 1000])
def test_every_window_holds_at_any_rate(editor: VideoEditor, pictures: list[np.ndarray], rate: float) -> None:
    assert len(list(editor.edit_frames(pictures, "age=1", rate=rate))) == len(pictures)


@pytest.mark.parametrize("at", [float("nan"), float("inf")])
def test_a_time_that_cannot_be_is_refused(editor: VideoEditor, at: float) -> None:
    with pytest.raises(UsageError, match=r"at is (nan|inf); give a number from"):
        editor.preview(SAMPLE, at, "age=1")


def test_an_array_may_be_used_again_for_the_next_frame(editor: VideoEditor, pictures: list[np.ndarray]) -> None:
    def again():
        buffer = np.empty_like(pictures[0])
        for picture in pictures:
            buffer[:] = picture
            yield buffer

    expected = list(editor.edit_frames(pictures, "age=1"))
    for mine, theirs in zip(editor.edit_frames(again(), "age=1"), expected, strict=True):
        assert np.array_equal(mine, theirs)


def test_pictures_of_more_pixels_than_a_video_may_have_are_refused(editor: VideoEditor) -> None:
    huge = np.broadcast_to(np.zeros(3, np.uint8), (200_000, 200_000, 3))  # three bytes
    with pytest.raises(UsageError, match=f"frame 0 has 200000x200000 pixels, and {MOST_PIXELS} are the most"):
        next(editor.edit_frames([huge], "age=1"))


@pytest.mark.parametrize("frames", [None, 5, SAMPLE])
def test_what_holds_no_pictures_is_refused(editor: VideoEditor, frames: Any) -> None:
    with pytest.raises(UsageError, match="give a list or a generator of pictures"):
        editor.edit_frames(frames, "age=1")


def test_grey_footage_stays_grey(editor: VideoEditor, pictures: list[np.ndarray]) -> None:
    grey = [np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, 2) for p in pictures]
    edited = list(editor.edit_frames(grey, "age=2"))
    assert any(not np.array_equal(a, b) for a, b in zip(grey, edited, strict=True))
    assert all(np.ptp(picture, axis=2).max() <= 1 for picture in edited)


@pytest.mark.parametrize("segment", [1e308, float("inf")])
def test_a_segment_without_end_is_the_whole_video(editor: VideoEditor, tmp_path: Path, segment: float) -> None:
    output = EncodeOptions(segment=segment, preset="ultrafast")
    source = short(tmp_path / "in.mp4")
    assert editor.edit_video(source, tmp_path / "out.mp4", "age=1", output=output).frames == 4
