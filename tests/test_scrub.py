"""What is shown while somebody tries is what is rendered, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.inversion.latent_toy import BOXES, FRAMES, SAMPLE, SIZE, write_box_pack, write_clip
from tests.toy import add_toy_edit_network
from vidinv.api import VideoEditor
from vidinv.cli.main import app
from vidinv.errors import InputError, UsageError
from vidinv.faces.smoothing import reach
from vidinv.scrub import Scrub
from vidinv.types import Frame
from vidinv.video import Reader
from vidinv.video.pixels import YuvConverter

ALL = "age=+2"
EDITS = [ALL, "1:age=-2", "age=+1@0.1s-0.6s,0:smile=+1@0s..-1@0.9s"]


ASKING: dict[str, dict[str, Any]] = {  # an edit network, in ever other groups of faces
    "smile=+2": {},
    "smile=+1,age=+1@0.1s-0.6s,0:smile=-2@0s..+2@0.9s": {"hold": ("age",), "composite": "replace"},
    "smile=+2@0.5s-": {},
}
WHEN = (3, 8, 15, 23)  # a cut at 8 and at 16

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def scrub(editor: VideoEditor, clip: Path, kept: Path) -> Scrub:
    return Scrub(editor, clip, kept)


def written(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any]) -> list[np.ndarray]:
    """The pictures that a run gives to its encoder."""
    found: list[np.ndarray] = []
    convert = YuvConverter.encodable

    def noted(self: YuvConverter, frame: Frame) -> Any:
        found.append(frame.picture().copy())
        return convert(self, frame)

    with monkeypatch.context() as patch:
        patch.setattr(YuvConverter, "encodable", noted)
        run()
    return found


def assert_as_run(scrub: Scrub, edit: str, run: Sequence[np.ndarray], when: Sequence[int], **how: Any) -> None:
    """The looks are the pictures of the run, and some of them show the edit."""
    changed = 0
    for index in when:
        look = scrub.rendered(index, edit, **how)
        assert look.exact
        assert np.array_equal(look.after, run[index]), index
        changed += not np.array_equal(look.after, look.before)
    assert changed


@pytest.mark.parametrize("edit", EDITS)
def test_a_frame_is_the_one_of_the_run_bit_for_bit_in_every_shot(
    scrub: Scrub, editor: VideoEditor, clip: Path, kept: Path, edit: str
) -> None:
    assert_as_run(scrub, edit, [one.output.image for one in editor.render(clip, kept, edit)], WHEN)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Scrub:
    """A pack with an edit network, whose answers depend on how many faces it is asked about together."""
    pack = add_toy_edit_network(write_box_pack(tmp_path_factory.mktemp("packs") / "toy"))
    editor = VideoEditor(pack, batch=4)
    codes = tmp_path_factory.mktemp("codes") / "codes"
    editor.keep_codes(clip, codes, boxes=BOXES)
    return Scrub(editor, clip, codes)


@pytest.mark.parametrize("edit", ASKING)
def test_a_frame_that_an_edit_network_changed_is_the_one_that_is_written(
    asking: Scrub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    how = ASKING[edit]
    run = written(
        monkeypatch,
        lambda: asking.editor.edit_video(asking.src, tmp_path / "out.mp4", edit, boxes=BOXES, **how),
    )
    assert len(run) == FRAMES
    assert_as_run(asking, edit, run, WHEN, **how)


def write_two_shots(path: Path) -> Path:
    """Somebody's face for a third of a second, then its mirrored picture for another."""
    with Reader(SAMPLE) as reader, av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "16", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        frames = [cv2.resize(frame.image, (480, 270), interpolation=cv2.INTER_AREA) for frame in islice(reader, 8)]
        for picture in (*frames, *(frame[::-1, ::-1] // 4 for frame in frames[:1]), *(f[:, ::-1] for f in frames)):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        output.mux(stream.encode(None))
    return path


@pytest.mark.slow
def test_what_the_default_pack_shows_is_what_vidinv_run_gives_to_its_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, edit = write_two_shots(tmp_path / "in.mp4"), "smile=+1.5,age=+10y@0.1s-,beard=0@0s..+2@0.6s"
    editor = VideoEditor()
    assert {editor.edits[name].kind for name in ("smile", "age", "beard")} == {"network"}
    editor.keep_codes(clip, tmp_path / "codes")
    scrub = Scrub(editor, clip, tmp_path / "codes")
    assert [row.cut for row in scrub._rows].count(True) > 0
    command = ["run", str(clip), "-o", str(tmp_path / "out.mp4"), "-e", edit, "--hold", "gender", "-q"]

    def run() -> None:
        ran = CliRunner().invoke(app, command)
        assert ran.exit_code == 0, ran.stderr

    pictures = written(monkeypatch, run)
    assert len(pictures) == len(scrub)
    assert_as_run(scrub, edit, pictures, (2, 7, 12, len(scrub) - 1), hold=("gender",))


def test_a_pasted_face_and_what_is_held_are_the_ones_of_the_run(
    scrub: Scrub, editor: VideoEditor, clip: Path, kept: Path
) -> None:
    how = {"composite": "replace", "hold": ("smile",)}
    run = [one.output.image for one in editor.render(clip, kept, ALL, **how)]
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
    editor: VideoEditor, clip: Path, kept: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        Scrub(editor, write_clip(tmp_path / "other.mkv", seed=1), kept)
    editor.keep_codes(clip, tmp_path / "lean", boxes=BOXES, features=False)
    with pytest.raises(UsageError, match="no features"):
        Scrub(editor, clip, tmp_path / "lean")


def test_crops_are_bounded_wherever_one_looks(
    editor: VideoEditor, clip: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scrub(editor, clip, kept).rendered(7, ALL)
    scrub = Scrub(editor, clip, kept)
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
