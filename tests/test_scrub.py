"""What is shown while somebody tries is what is rendered, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.inversion.latent_toy import BOXES, FRAMES, SIZE, write_box_pack, write_clip
from vidinv.api import VideoEditor
from vidinv.errors import InputError, UsageError
from vidinv.faces.smoothing import reach
from vidinv.scrub import Scrub

ALL = "age=+2"
EDITS = [ALL, "1:age=-2", "age=+1@0.1s-0.6s,0:smile=+1@0s..-1@0.9s"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "three-shots.mkv")


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_box_pack(tmp_path_factory.mktemp("packs") / "toy"), batch=4)


@pytest.fixture(scope="module")
def codes(editor: VideoEditor, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codes") / "codes"
    editor.keep_codes(clip, folder, boxes=BOXES)
    return folder


@pytest.fixture
def scrub(editor: VideoEditor, clip: Path, codes: Path) -> Scrub:
    return Scrub(editor, clip, codes)


@pytest.mark.parametrize("edit", EDITS)
def test_a_frame_is_the_one_of_the_run_bit_for_bit_in_every_shot(
    scrub: Scrub, editor: VideoEditor, clip: Path, codes: Path, edit: str
) -> None:
    run = [one.output.image for one in editor.render(clip, codes, edit)]
    changed = 0
    for index in (3, 8, 9, 15, 23):  # a cut at 8 and at 16
        look = scrub.rendered(index, edit)
        assert look.exact
        assert np.array_equal(look.after, run[index]), index
        changed += not np.array_equal(look.after, look.before)
    assert changed


def test_a_pasted_face_and_what_is_held_are_the_ones_of_the_run(
    scrub: Scrub, editor: VideoEditor, clip: Path, codes: Path
) -> None:
    how = {"composite": "replace", "hold": ("smile",)}
    run = [one.output.image for one in editor.render(clip, codes, ALL, **how)]
    assert np.array_equal(scrub.rendered(10, ALL, **how).after, run[10])


def test_what_comes_before_the_shot_is_not_rendered_for_it(scrub: Scrub) -> None:
    told: list[tuple[int, int]] = []
    scrub.rendered(23, ALL, going=lambda done, total: not told.append((done, total)))
    assert told[-1][1] < FRAMES - 8
    assert scrub.rendered(23, ALL, going=lambda done, total: False) is None


def test_a_frame_by_itself_comes_at_once_and_says_that_it_is_not_the_run(scrub: Scrub) -> None:
    look = scrub.alone(4, ALL)
    assert look.after.shape == (SIZE[1], SIZE[0], 3)
    assert not look.exact
    assert not np.array_equal(look.after, look.before)
    more = scrub.alone(4, "age=-2")
    assert np.array_equal(more.before, look.before)
    assert not np.array_equal(more.after, look.after)
    for nothing in ((), "age=+2@0.8s-"):  # no edit, and none at that time
        same = scrub.alone(4, nothing)
        assert same.exact
        assert np.array_equal(same.after, look.before)
        assert np.array_equal(scrub.rendered(4, nothing).after, look.before)


def test_persons_and_times(scrub: Scrub) -> None:
    seen = scrub.persons()
    assert len(seen) > 2  # two in the first shot, and others after the cuts
    assert [one.person for one in seen] == sorted(one.person for one in seen)
    assert all(one.picture.shape == (64, 64, 3) and one.first <= one.at <= one.last for one in seen)
    assert len(scrub.persons(1)) == 1
    assert len(scrub) == FRAMES
    for index in (0, 1, 5, FRAMES - 1):
        assert scrub.index(scrub.time(index)) == index
    assert scrub.index(-1) == 0
    assert scrub.index(99) == FRAMES - 1


def test_codes_of_another_video_and_codes_without_features(
    editor: VideoEditor, clip: Path, codes: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        Scrub(editor, write_clip(tmp_path / "other.mkv", seed=1), codes)
    editor.keep_codes(clip, tmp_path / "lean", boxes=BOXES, features=False)
    with pytest.raises(UsageError, match="no features"):
        Scrub(editor, clip, tmp_path / "lean")


def test_crops_are_bounded_wherever_one_looks(
    editor: VideoEditor, clip: Path, codes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scrub(editor, clip, codes).rendered(7, ALL)
    scrub = Scrub(editor, clip, codes)
    one = 64 * 64 * 3
    monkeypatch.setattr("vidinv.scrub.CROPS", 4 * one)
    for index in range(FRAMES):
        scrub.alone(index, ALL)
        assert sum(picture.nbytes for crops in scrub._crops.values() for picture in crops) <= 6 * one
    assert np.array_equal(scrub.rendered(7, ALL).after, whole.after)
    assert sum(picture.nbytes for crops in scrub._crops.values() for picture in crops) <= 6 * one


class Asks:
    """An edit that asks a network, of some frames."""

    def acts(self, face: Any, time: float) -> bool:
        return time > 0.1

    def apply_together(self, codes: Any, faces: Any, times: Any) -> Any:
        raise NotImplementedError


def test_a_look_begins_where_batches_of_the_drawing_and_groups_of_the_edits_do(
    scrub: Scrub, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, rate = scrub.editor.batch, 10.0
    faces = [tuple(range(many)) for many in np.random.default_rng(0).integers(0, 4, 320)]
    rows = [
        replace(scrub._rows[0], time=Fraction(at) / 10, persons=persons, cut=at == 301)
        for at, persons in enumerate(faces)
    ]
    monkeypatch.setattr(scrub, "_rows", rows)
    monkeypatch.setattr(scrub, "rate", rate)
    edits: Any = (Asks(),)
    monkeypatch.setattr(scrub, "_edits", lambda *_: edits)

    def begins(most: int, group: int, act: bool) -> set[int]:
        found, size, start = {0}, 0, 0
        for at, persons in enumerate(faces):
            size += len(persons) if not act or at > 1 else 0
            if size >= group or at + 1 - start >= most:
                found.add(at + 1)
                size, start = 0, at + 1
        return found

    first = scrub._first(310, ALL, (), None)
    assert first in begins(2 * batch, batch, True) & begins(4, 4, False)
    assert 0 < first <= 301 - 4 - reach(0.13 * rate)
