"""Large frames wait as they were decoded: half the room, the same bytes, and gone when the last one lets go."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from weakref import WeakSet

import numpy as np
import pytest

from tests.test_journal import BOXES, EDITS, OPTIONS, editor, figures, pack, stopping, video
from tests.video.make import clip
from vidinv.api import VideoEditor
from vidinv.errors import InputError
from vidinv.report.quality import QualityOptions
from vidinv.runtime.steps import Snapshot
from vidinv.stages.pair_frames import with_pictures, without_pictures
from vidinv.types import Faces, Frame, Progress
from vidinv.video import EncoderSettings, Reader, container, ffmpeg_part, info, reader
from vidinv.video.pixels import Decoded

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


@pytest.mark.parametrize("width", [192, 191], ids=["whose planes can be cut", "of an odd width"])
def test_a_compact_frame_has_the_picture_and_none_of_its_weight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    how = {"size": (width, 96), "codec": "mpeg4", "options": {}, "rotation": 90, "count": 12}
    source = clip(tmp_path / "in.mov", **how)
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


@pytest.mark.parametrize("large", [True, False])
def test_what_waited_in_a_saved_state_is_let_go_of(
    editor: VideoEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """Large frames wait without their pictures behind an interruption too, and no others are held to the end."""
    if large:
        monkeypatch.setattr(info, "LARGE", 0)
    waiting = WeakSet[Decoded]()  # what the garbage collector knows may not be asked for while threads build it
    most = 0

    class Noted(Decoded):
        def __init__(self, *about: Any) -> None:
            nonlocal most
            super().__init__(*about)
            waiting.add(self)
            most = max(most, len(waiting))

    monkeypatch.setattr(reader, "Decoded", Noted)
    source, target, held = video(tmp_path / "in.mp4"), tmp_path / "out.mp4", list[int]()
    asked = {"boxes": BOXES, "output": replace(OPTIONS, threads=1)}

    def counted(progress: Progress) -> None:
        held.append(len(waiting))

    editor.edit_video(source, tmp_path / "whole.mp4", EDITS, progress=counted, **asked)
    usual, held[:], most_usual = held[:], [], most
    with pytest.raises(KeyboardInterrupt):
        editor.edit_video(source, target, EDITS, progress=stopping(12), **asked)
    assert not waiting
    most = 0
    editor.edit_video(source, target, EDITS, resume=True, progress=counted, **asked)
    assert max(held) <= max(usual) + 3
    assert held[-1] <= usual[-1] + 2
    assert most <= most_usual + 3  # nor at the beginning, where what waits is decoded at once


def test_pictures_come_back_from_a_second_reading_and_no_other_frame_does(tmp_path: Path) -> None:
    source = video(tmp_path / "in.mp4", count=12)
    with Reader(source) as first, Reader(source) as second:
        frames = list(first)
        waiting = list(without_pictures(Faces(frame) for frame in frames[4:]))
        assert all(one.frame.image.strides == (0, 0, 0) for one in waiting)
        back = list(with_pictures(iter([*waiting[:3], Snapshot(), *waiting[3:]]), second))
    assert isinstance(back.pop(3), Snapshot)
    assert [one.frame.index for one in back] == list(range(4, 12))
    assert all(np.array_equal(one.frame.picture(), frame.image) for one, frame in zip(back, frames[4:], strict=True))
    short = video(tmp_path / "short.mp4", count=7)
    with Reader(short) as second, pytest.raises(InputError, match="frame 7 is not there any more"):
        list(with_pictures(iter(waiting), second))


def test_pictures_are_found_by_their_times_where_the_second_reading_counts_elsewise(tmp_path: Path) -> None:
    source = video(tmp_path / "in.mp4", count=12)
    with Reader(source) as first, Reader(source) as second:
        frames = list(first)
        # As if the first had dropped its third frame, and numbers those behind it.
        dropped = [replace(frame, index=k) for k, frame in enumerate([*frames[:2], *frames[3:]])]
        back = list(with_pictures(without_pictures(map(Faces, dropped)), second))
    assert len(back) == 11
    assert all(np.array_equal(one.frame.picture(), frame.image) for one, frame in zip(back, dropped, strict=True))


def test_a_second_decoder_is_of_the_same_file_with_as_many_threads(tmp_path: Path) -> None:
    source, other = video(tmp_path / "in.mp4", count=6), video(tmp_path / "other.mp4", count=5)
    with Reader(source, threads=3) as first, first.again() as again:
        assert again._threads == 3
        other.replace(source)  # both still have what was there
        assert len(list(again)) == len(list(first)) == 6
    with Reader(source) as first:
        video(tmp_path / "third.mp4", count=4).replace(source)
        with pytest.raises(InputError, match=r"in.mp4: it was replaced while it was read; start again"):
            first.again()


def test_a_file_that_was_cut_ends_where_the_second_reading_does_and_that_is_said(tmp_path: Path) -> None:
    source = video(tmp_path / "in.mkv", count=36)
    with Reader(source) as first, first.again() as second:
        frames = first.frames()
        waiting = [Faces(frame) for frame in islice(frames, 34)]
        with source.open("r+b") as file:
            file.truncate(source.stat().st_size // 2)
        given = list(with_pictures(without_pictures(chain(waiting, map(Faces, frames))), second))
    assert 0 < len(given) < 34
    whole = {frame.frame.pts: frame.frame.image for frame in waiting}
    assert all(np.array_equal(one.frame.picture(), whole[one.frame.pts]) for one in given[:-2])  # the last is cut
    assert "it was cut while it was read" in str(second.damage)
    assert first.damage is not None  # it was read to its end, too


def test_another_program_encodes_large_frames_with_as_few_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its command line alone: neither the program nor its package need be there."""
    program, source = MagicMock(), video(tmp_path / "in.mp4", count=2)
    monkeypatch.setitem(sys.modules, "ffmpeg", program)
    monkeypatch.setattr(ffmpeg_part.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(container.os, "cpu_count", lambda: 64)
    with Reader(source) as reader:
        for large, threads in ((1 << 30, 0), (0, 4)):
            monkeypatch.setattr(info, "LARGE", large)
            ffmpeg_part._command(reader.info, EncoderSettings(codec="libx264"), tmp_path / "out.mp4")
            asked = program.output.call_args.kwargs
            assert asked["threads"] == threads
            assert ("sync-lookahead=0" in asked.get("x264-params", "")) == (threads == 4)
