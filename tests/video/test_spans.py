"""Begin and end of picture and sound, from packets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.video.make import clip
from vidinv.errors import NotAVideo
from vidinv.video.spans import read_spans


def test_picture_and_sound_begin_and_end_where_they_were_put(tmp_path: Path) -> None:
    found = read_spans(clip(tmp_path / "a.mp4", count=50, audio_start=Fraction(1, 2)))
    assert found.video == pytest.approx((0, 2), abs=1e-6)
    assert found.audio == pytest.approx((0.5, 2), abs=0.05)


def test_reordered_pictures_of_a_varying_rate_end_with_the_last_on_screen(tmp_path: Path) -> None:
    ticks = [i * 512 + (i % 3) * 100 for i in range(30)]
    found = read_spans(clip(tmp_path / "a.mkv", times=ticks, audio=(), options={"bf": "2"}))
    assert found.audio is None
    assert found.video[0] == pytest.approx(0, abs=1e-3)
    assert found.video[1] == pytest.approx(ticks[-1] / 12800, abs=0.05)


def test_a_text_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(NotAVideo):
        read_spans(tmp_path / "a.mp4")
