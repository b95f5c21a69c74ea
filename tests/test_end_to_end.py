"""The main job on real input: assets/sample.mp4 with the pack that is shipped, and real clips where they exist."""

from __future__ import annotations

import json
import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import vidinv
from vidinv.errors import NoFaceFound, UnknownEdit
from vidinv.packs.locate import DEFAULT_PACK
from vidinv.report import write_report
from vidinv.runtime.compute import batch_for
from vidinv.stages.decode import decode
from vidinv.video import Reader, probe

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "assets" / "sample.mp4"


@pytest.fixture(scope="module")
def editor() -> vidinv.VideoEditor:
    return vidinv.VideoEditor()


@pytest.fixture(scope="module")
def edited(editor: vidinv.VideoEditor, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, vidinv.Report]:
    out = tmp_path_factory.mktemp("edited") / "out.mp4"
    return out, editor.edit_video(SAMPLE, out, "age=+2")


@pytest.mark.slow
def test_the_sample_is_edited_and_everything_else_survives(edited: tuple[Path, vidinv.Report]) -> None:
    out, report = edited
    before, after = probe(SAMPLE), probe(out)
    assert report.frames == 150
    assert report.faces == 150
    assert (after.width, after.height, after.rate, after.time_base) == (1280, 720, 25, before.time_base)
    assert (after.colour, after.sample_aspect_ratio, after.rotation) == (
        before.colour,
        before.sample_aspect_ratio,
        before.rotation,
    )
    assert after.other_streams == before.other_streams
    with Reader(SAMPLE) as a, Reader(out) as b:
        assert [f.pts for f in a] == [f.pts for f in b]


@pytest.mark.slow
def test_the_report_says_what_happened(edited: tuple[Path, vidinv.Report], tmp_path: Path) -> None:
    _, report = edited
    write_report(report, tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_text())
    assert read["identity_similarity"]["inversion"] > 0.6
    assert 0.4 < read["identity_similarity"]["edited"] <= 1
    assert set(read["identity_consistency"]) == {"source", "inversion", "edited", "persons"}
    assert read["attributes"]["age"]["change"] > 3
    assert all(read["stages"][s]["items"] == 150 for s in ("decode", "detect", "invert", "blend", "encode"))
    assert read["pack"]["name"] == DEFAULT_PACK
    assert len(read["series"]) == 150


@pytest.mark.slow
def test_the_edit_changes_the_face_and_not_the_corners(edited: tuple[Path, vidinv.Report]) -> None:
    out, _ = edited
    for a, b in islice(zip(decode(SAMPLE), decode(out), strict=True), 3):
        difference = np.abs(a.image.astype(int) - b.image)
        assert difference[200:460, 480:800].mean() > 4 * difference[:150, :400].mean()


def test_frames_in_frames_out_and_strength_zero_is_bit_identical(editor: vidinv.VideoEditor) -> None:
    pictures = [f.image for f in islice(decode(SAMPLE), 8)]
    kept = list(editor.edit_frames(iter(pictures), "age=0"))
    assert all(np.array_equal(a, b) for a, b in zip(pictures, kept, strict=True))
    changed = list(editor.edit_frames(iter(pictures), "age=+2", rate=25))
    assert len(changed) == 8
    assert all(a.shape == b.shape and a.dtype == b.dtype for a, b in zip(pictures, changed, strict=True))
    assert not np.array_equal(pictures[4], changed[4])
    assert np.array_equal(pictures[4][:100], changed[4][:100])


def test_closing_early_leaves_no_thread(editor: vidinv.VideoEditor) -> None:
    def endless():
        picture = next(iter(decode(SAMPLE))).image
        while True:
            yield picture

    stream = editor.edit_frames(endless(), "age=+1")
    next(stream)
    stream.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("vidinv")]


def test_an_error_in_the_callers_frames_reaches_the_caller(editor: vidinv.VideoEditor) -> None:
    def broken():
        yield next(iter(decode(SAMPLE))).image
        raise OSError("camera unplugged")

    with pytest.raises(OSError, match="unplugged"):
        list(editor.edit_frames(broken(), "age=+1"))
    assert not [t for t in threading.enumerate() if t.name.startswith("vidinv")]


def test_an_unknown_edit_names_the_known_ones_before_any_work(editor: vidinv.VideoEditor, tmp_path: Path) -> None:
    with pytest.raises(UnknownEdit, match=r"age.*smile"):
        editor.edit_frames([], "wings=1")
    with pytest.raises(UnknownEdit):
        editor.edit_video(SAMPLE, tmp_path / "o.mp4", "wings=1")
    assert not list(tmp_path.iterdir())


def test_a_video_without_a_face_is_an_error_and_leaves_nothing(
    editor: vidinv.VideoEditor, shared_clips: Path, tmp_path: Path
) -> None:
    with pytest.raises(NoFaceFound):
        editor.edit_video(shared_clips / "no_face_at_all.mp4", tmp_path / "o.mp4", "age=1")
    assert not list(tmp_path.iterdir())


CLIPS = (
    "vfr_hevc_cut_to_no_face.mov",
    "several_people_1080p_aac.mp4",
    "glasses_expressions_sar15x16_aac.mp4",
    "hand_over_face_360p_23976.mp4",
    "single_face_mp3_audio.mp4",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_real_clips_keep_their_times_and_their_sound(
    name: str, editor: vidinv.VideoEditor, shared_clips: Path, tmp_path: Path
) -> None:
    source, out = shared_clips / name, tmp_path / f"out{Path(name).suffix}"
    report = editor.edit_video(source, out, "smile=1@0.5s-", output=vidinv.EncodeOptions(preset="ultrafast"))
    a, b = probe(source), probe(out)
    assert (a.display_width, a.display_height, a.rotation, a.sample_aspect_ratio, a.colour) == (
        b.display_width,
        b.display_height,
        b.rotation,
        b.sample_aspect_ratio,
        b.colour,
    )
    with Reader(source) as one, Reader(out) as two:
        times = [f.time for f in one], [f.time for f in two]
    assert times[0] == times[1]
    assert report.frames == len(times[0])


@pytest.mark.parametrize(
    ("device", "resolution", "batch"),
    [("cpu", 128, 8), ("cpu", 256, 8), ("cpu", 512, 2), ("cpu", 1024, 1), ("cuda", 1024, 8)],
)
def test_large_pictures_do_not_fill_the_memory_of_a_laptop(device: str, resolution: int, batch: int) -> None:
    assert batch_for(device, resolution) == batch
