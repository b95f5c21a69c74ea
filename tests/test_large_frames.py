"""Large frames wait as they were decoded: half the room, the same bytes, and gone when the last one lets go."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.test_journal import BOXES, EDITS, OPTIONS, editor, figures, pack, stopping, video
from vidinv.api import VideoEditor
from vidinv.errors import InputError
from vidinv.report.quality import QualityOptions
from vidinv.runtime.steps import Snapshot
from vidinv.stages.pair_frames import with_pictures, without_pictures
from vidinv.types import Faces, Frame
from vidinv.video import Reader, info

__all__ = ["editor", "pack"]  # fixtures


def decoded() -> int:
    """Pictures of the decoder that something holds."""
    return sum(type(one).__name__ == "VideoFrame" for one in gc.get_objects())


def test_what_was_decoded_goes_with_its_frame_and_not_with_the_collector(tmp_path: Path) -> None:
    source, before = video(tmp_path / "in.mp4"), decoded()
    gc.disable()
    try:
        with Reader(source) as frames:
            assert sum(1 for _ in frames) == 36
        assert decoded() <= before + 3  # of 36
    finally:
        gc.enable()


def test_a_compact_frame_has_the_picture_and_none_of_its_weight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = video(tmp_path / "in.mov", rotation=90)
    with Reader(source) as whole:
        pictures = [frame.image for frame in whole]
    monkeypatch.setattr(info, "LARGE", 0)
    with Reader(source) as compact:
        frames: list[Frame] = list(compact.frames(compact=True))
    assert [f.image.shape for f in frames] == [picture.shape for picture in pictures]
    assert all(f.image.strides == (0, 0, 0) for f in frames)
    assert all(np.array_equal(f.picture(), picture) for f, picture in zip(frames, pictures, strict=True))


def shown(path: Path) -> list[np.ndarray]:
    with Reader(path) as frames:
        return [frame.image for frame in frames]


@pytest.mark.slow
def test_a_run_on_large_frames_goes_on_to_the_same_bytes_and_shows_what_one_on_small_frames_does(
    editor: VideoEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large frames are decoded twice, and wait without their pictures."""
    source = video(tmp_path / "in.mp4")
    asked = {"boxes": BOXES, "output": replace(OPTIONS, threads=1), "quality": QualityOptions(flow_every=3)}
    small, whole, again = (tmp_path / f"{name}.mp4" for name in ("small", "whole", "again"))
    editor.edit_video(source, small, EDITS, **asked)
    monkeypatch.setattr(info, "LARGE", 0)
    told = editor.edit_video(source, whole, EDITS, **asked)
    for at in (12, 25):
        with pytest.raises(KeyboardInterrupt):
            editor.edit_video(source, again, EDITS, progress=stopping(at), **asked)
    resumed = editor.edit_video(source, again, EDITS, resume=True, **asked)
    assert again.read_bytes() == whole.read_bytes()
    assert figures(resumed) == figures(told)
    assert told.stages["decode again"]["items"] == 36
    assert all(np.array_equal(a, b) for a, b in zip(shown(small), shown(whole), strict=True))


def test_pictures_come_back_from_a_second_reading_and_no_other_frame_does(tmp_path: Path) -> None:
    source = video(tmp_path / "in.mp4", count=12)
    with Reader(source) as first, Reader(source) as second:
        frames = list(first)
        waiting = list(without_pictures(Faces(frame) for frame in frames[4:]))
        assert all(one.frame.image.strides == (0, 0, 0) for one in waiting)
        back = list(with_pictures([*waiting[:3], Snapshot(), *waiting[3:]], second))
    assert isinstance(back.pop(3), Snapshot)
    assert [one.frame.index for one in back] == list(range(4, 12))
    assert all(np.array_equal(one.frame.image, frame.image) for one, frame in zip(back, frames[4:], strict=True))
    with pytest.raises(InputError, match="frame 7 is not there any more"):
        list(with_pictures(waiting, iter(frames[:7])))
