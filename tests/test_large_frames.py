"""Large frames wait as they were decoded: half the room, the same bytes, and gone when the last one lets go."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from tests.test_journal import BOXES, EDITS, OPTIONS, editor, pack, stopping, video
from vidinv.api import VideoEditor
from vidinv.report.quality import QualityOptions
from vidinv.types import Frame
from vidinv.video import Reader, reader

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
    monkeypatch.setattr(reader, "LARGE", 0)
    with Reader(source) as compact:
        frames: list[Frame] = list(compact.frames(compact=True))
    assert [f.image.shape for f in frames] == [picture.shape for picture in pictures]
    assert all(f.image.strides == (0, 0, 0) for f in frames)
    assert all(np.array_equal(f.picture(), picture) for f, picture in zip(frames, pictures, strict=True))


@pytest.mark.slow
def test_a_run_on_compact_frames_gives_the_same_bytes(
    editor: VideoEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = video(tmp_path / "in.mp4")
    asked = {"boxes": BOXES, "output": OPTIONS, "quality": QualityOptions(flow_every=3)}
    whole, compact = tmp_path / "whole.mp4", tmp_path / "compact.mp4"
    editor.edit_video(source, whole, EDITS, **asked)
    monkeypatch.setattr(reader, "LARGE", 0)
    with pytest.raises(KeyboardInterrupt):
        editor.edit_video(source, compact, EDITS, progress=stopping(25), **asked)
    editor.edit_video(source, compact, EDITS, resume=True, **asked)
    assert compact.read_bytes() == whole.read_bytes()
