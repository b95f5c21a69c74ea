"""Large frames are read twice, and matched by their times: where these are hidden, repeated or fall, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.test_journal import BOXES, EDITS, OPTIONS, editor, figures, pack, stopping, video
from tests.video.test_times import told_otherwise
from vidinv.api import VideoEditor
from vidinv.video import Reader, info

__all__ = ["editor", "pack"]  # fixtures
COUNT, SCALE = 24, 1000  # frames at 10 a second; ticks a second of an edit list's durations
PLAIN = {"options": {"crf": "12", "preset": "veryfast", "g": "100", "bf": "0"}, "audio": ()}


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def inside(data: bytes, change: dict[bytes, Callable[[bytes], bytes]], within: tuple[bytes, ...]) -> bytes:
    """The boxes of ``data`` with others in place of some; ``within`` are those that hold boxes."""
    made, at = b"", 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = data[at + 8 : at + size]
        if kind in within:
            content = inside(content, change, within)
        made += change[kind](content) if kind in change else box(kind, content)
        at += size
    return made


def edited(path: Path, parts: list[tuple[float, float]], **how: Any) -> Path:
    """An MP4 whose edit list shows these parts: how long, and from when in the media on (-1: nothing), seconds."""
    data = video(path, count=COUNT, **{**PLAIN, **how}).read_bytes()
    rows = b"".join(
        round(SCALE * lasts).to_bytes(4, "big")
        + (round(12800 * start) if start >= 0 else -1).to_bytes(4, "big", signed=True)
        + (1 << 16).to_bytes(4, "big")
        for lasts, start in parts
    )
    listed = box(b"edts", box(b"elst", bytes(4) + len(parts).to_bytes(4, "big") + rows))
    # The table lies behind the pictures, so that nothing moves that it points to.
    change = {b"edts": lambda _: b"", b"tkhd": lambda content: box(b"tkhd", content) + listed}
    path.write_bytes(inside(data, change, (b"moov", b"trak")))
    return path


def repeated(path: Path, every: int, **how: Any) -> Path:
    """An MP4 of whose pictures each ``every``-th is shown at the time of the one before it."""
    step, count = 1280, COUNT
    rows = [step * (1 if (i + 1) % every else 0) for i in range(count)]
    table = bytes(4) + count.to_bytes(4, "big") + b"".join(bytes([0, 0, 0, 1]) + d.to_bytes(4, "big") for d in rows)
    data = video(path, count=count, **{**PLAIN, **how}).read_bytes()
    change = {b"stts": lambda _: box(b"stts", table)}
    path.write_bytes(inside(data, change, (b"moov", b"trak", b"mdia", b"minf", b"stbl")))
    return path


B_FRAMES = {"options": {"crf": "12", "preset": "veryfast", "g": "12", "bf": "3"}}
WHOLE = [(2.4, 0.0)]
KINDS: dict[str, tuple[str, Callable[[Path], Path], int]] = {
    # name: how it ends, what makes it, how many frames are shown
    "an edit list hides the beginning": (".mp4", lambda p: edited(p, [(1.9, 0.5)]), 19),
    "an edit list hides the end": (".mp4", lambda p: edited(p, [(1.5, 0.0)]), 15),
    "an edit list hides the middle": (".mp4", lambda p: edited(p, [(1.0, 0.0), (0.7, 1.7)]), 17),
    "an edit list begins with nothing": (".mp4", lambda p: edited(p, [(1.0, -1.0), *WHOLE]), 24),
    "an edit list shows the beginning twice": (".mp4", lambda p: edited(p, [(1.0, 0.0), *WHOLE]), 34),
    "an edit list begins between key frames": (".mp4", lambda p: edited(p, [(1.5, 0.75)], **B_FRAMES), 15),
    "every second time is the one before": (".mp4", lambda p: repeated(p, 2), 24),
    "all times are the same": (".mp4", lambda p: repeated(p, 1), 24),
    "times are repeated out of order": (".mp4", lambda p: repeated(p, 3, **B_FRAMES), 24),
    "times fall": (".flv", lambda p: told_otherwise(p, [100 * i - (0 if i < 12 else 700) for i in range(COUNT)]), 24),
    "all are of one time": (".flv", lambda p: told_otherwise(p, [1000] * COUNT), 24),
}


def seen(path: Path) -> tuple[list[np.ndarray], list[Fraction | None], list[str]]:
    with Reader(path) as frames:
        made = list(frames)
        return [frame.image for frame in made], [frame.time for frame in made], frames.warnings


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_large_frames_are_shown_as_small_ones_are_and_go_on_to_the_same_bytes(
    editor: VideoEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    suffix, make, count = KINDS[kind]
    source = make(tmp_path / f"in{suffix}")
    assert len(seen(source)[0]) == count
    asked: dict[str, Any] = {"boxes": BOXES, "output": replace(OPTIONS, threads=1)}
    small, large, again = (tmp_path / f"{name}.mp4" for name in ("small", "large", "again"))
    told = editor.edit_video(source, small, EDITS, **asked)
    monkeypatch.setattr(info, "LARGE", 0)
    whole = editor.edit_video(source, large, EDITS, **asked)
    assert whole.stages["decode again"]["items"] == count
    (pictures, times, warned), (others, their_times, they_warned) = seen(small), seen(large)
    assert len(pictures) == len(others) == count
    assert all(np.array_equal(a, b) for a, b in zip(pictures, others, strict=True))
    assert (times, warned) == (their_times, they_warned)
    assert (told.frames, told.warnings, told.faces) == (whole.frames, whole.warnings, whole.faces)
    if kind == "all are of one time":
        return  # it is over before a segment is complete
    with pytest.raises(KeyboardInterrupt):
        editor.edit_video(source, again, EDITS, progress=stopping(count - 4), **asked)
    resumed = editor.edit_video(source, again, EDITS, resume=True, **asked)
    assert again.read_bytes() == large.read_bytes()
    assert figures(resumed) == figures(whole)
