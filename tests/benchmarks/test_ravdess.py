"""A tiny RAVDESS made of pieces of the sample: found, sampled, measured, resumed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import av
import cv2
import pytest

from benchmarks.output import write_atomically
from benchmarks.ravdess.__main__ import main
from benchmarks.ravdess.dataset import Clip, find_clips, find_ravdess, read_name, sample
from benchmarks.ravdess.measure import EDIT_FIGURES, Bench, Settings, check_methods
from benchmarks.ravdess.report import notes, summarise, table, written
from benchmarks.ravdess.run import fingerprint, read_result, result_path, run_all
from tests.toy import write_toy_pack
from vidinv.errors import InputError, NoFaceFound, UsageError
from vidinv.video import Reader

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "Video_Speech_Actor_01/Actor_01": ["01-01-03-01-01-01-01", "02-01-03-01-01-01-01", "01-01-05-02-01-01-01"],
    "Video_Song_Actor_02/Actor_02": ["01-02-04-01-02-01-02"],
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small frames of a face in every file."""
    folder = tmp_path_factory.mktemp("ravdess")
    with Reader(ROOT / "assets" / "sample.mp4") as reader:
        frames = [cv2.resize(f.image, (320, 180), interpolation=cv2.INTER_AREA) for f, _ in zip(reader, range(12))]  # noqa: B905
    for place, names in NAMES.items():
        (folder / place).mkdir(parents=True)
        for name in names:
            with av.open(str(folder / place / f"{name}.mp4"), "w") as output:
                stream = output.add_stream("libx264", rate=25, options={"crf": "16"})
                stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
                for frame in frames:
                    output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
                output.mux(stream.encode(None))
    return folder


@pytest.fixture(scope="module")
def toy_pack(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_toy_pack(tmp_path_factory.mktemp("packs") / "toy"))


def test_names_are_read_as_the_data_set_writes_them() -> None:
    clip, sound = read_name(Path("01-02-06-02-01-02-14.mp4"))
    assert (clip.actor, clip.song, clip.emotion, clip.take, sound) == (14, True, "fearful", "02-01-02", True)
    for other in ("03-01-06-01-02-01-12", "holiday", "01-01-09-01-01-01-01", "01-01-06-01-02-01"):
        assert read_name(Path(f"{other}.mp4")) is None


def test_every_recording_counts_once_and_missing_actors_are_listed(root: Path) -> None:
    clips, missing = find_ravdess(root)
    assert [c.name for c in clips] == ["01-02-04-01-02-01-02", "01-01-03-01-01-01-01", "01-01-05-02-01-01-01"]
    assert missing == ["speech: no video of 23 of 24 actors", "song: no video of 22 of 23 actors"]


@pytest.mark.parametrize("what", ["empty", "absent"])
def test_a_wrong_root_is_told_the_layout(tmp_path: Path, what: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(tmp_path if what == "empty" else tmp_path / "no")])
    assert ended.value.code == InputError.exit_code
    assert "Video_Speech_Actor_NN/Actor_NN/MM-VV-EE-II-SS-RR-NN.mp4" in capsys.readouterr().err


def test_the_sample_is_balanced_repeatable_and_grows() -> None:
    clips = [Clip(Path(f"{a}-{i}"), a) for a in range(1, 25) for i in range(2 if a == 7 else 20)]
    drawn = sample(clips, 120, 0)
    counts = Counter(c.actor for c in drawn)
    assert len(set(drawn)) == 120
    assert counts.pop(7) == 2
    assert max(counts.values()) - min(counts.values()) <= 1
    assert sample(list(reversed(clips)), 120, 0) == drawn
    assert sample(clips, 60, 0) == drawn[:60]
    assert sample(clips, 120, 1) != drawn
    assert len(sample(clips, 10**6, 0)) == len(clips)


def test_an_unknown_method_is_refused_by_name(root: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(UsageError, match=r"'magic'; there are feature-style"):
        check_methods(("feature-style", "magic"))
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(root), "--methods", "magic"])
    assert ended.value.code == UsageError.exit_code


def test_a_clip_is_inverted_and_edited(root: Path, toy_pack: str) -> None:
    video = find_ravdess(root)[0][0].path
    row = Bench.of(Settings(toy_pack, edits=("age=+2",))).measure(video)
    assert (row["frames"], row["size"]) == (12, [320, 180])
    inverted = row["inversion"]["feature-style"]
    assert 0 < inverted["ssim"] < 1
    assert inverted["mse"] > 0
    assert inverted["lpips"] is None
    assert -1 <= inverted["identity"] <= 1
    edited = row["edits"]["age=+2"]
    assert set(EDIT_FIGURES) <= set(edited)
    assert edited["faces"] == 12
    assert "age" in edited["reached"]
    json.dumps(row, allow_nan=False)


def test_a_video_without_a_face_is_an_error_of_its_own(tmp_path: Path, toy_pack: str) -> None:
    from tests.video.make import clip

    with pytest.raises(NoFaceFound):
        Bench.of(Settings(toy_pack)).measure(clip(tmp_path / "a.mp4", count=3))


def test_finished_videos_are_not_measured_again_and_other_settings_are(root: Path, tmp_path: Path) -> None:
    clips, _ = find_ravdess(root)
    rows = [{"video": c.path.name, "fingerprint": "abc", "frames": 3} for c in clips]
    for clip, row in zip(clips, rows, strict=True):
        write_atomically(result_path(tmp_path, clip), row)
    assert run_all(clips, tmp_path, Settings(), "abc", workers=1, threads=1) == rows  # no process is started
    assert read_result(result_path(tmp_path, clips[0]), "other") is None
    result_path(tmp_path, clips[0]).write_text("{half")
    assert read_result(result_path(tmp_path, clips[0]), "abc") is None
    assert fingerprint(Settings(), "a") != fingerprint(Settings(), "b")
    assert fingerprint(Settings(edits=()), "a") != fingerprint(Settings(), "a")


def made_up_row(actor: int, ssim: float) -> dict:
    inverted = {"ssim": ssim, "psnr": 20.0, "mse": 0.01, "lpips": None, "identity": 0.8}
    inverted |= {"identity_consistency_source": 0.9, "identity_consistency": 0.85}
    edit = dict.fromkeys(EDIT_FIGURES, 0.5) | {"warping_error_source": 0.25, "reached": {"age": 8.0}, "held_back": 0}
    return {"video": f"{actor}.mp4", "actor": actor, "size": [1280, 720], "inversion": {"feature-style": inverted},
            "edits": {"age=+2": edit}}  # fmt: skip


def test_means_and_table_count_every_video_once_and_list_what_failed() -> None:
    rows = [made_up_row(1, 0.6), made_up_row(2, 0.8), {"video": "b.mp4", "actor": 3, "error": "NotAVideo: broken"}]
    means = summarise(rows)
    assert means["inversion"]["feature-style"]["ssim"] == pytest.approx(0.7)
    assert means["edits"]["age=+2"]["warping_error_ratio"] == pytest.approx(2)
    assert means["edits"]["age=+2"]["reached_age"] == 8
    result = {"means": means, "pack": {"name": "toy"}, "videos": rows, "seed": 0, "resolution": 64, "set": "ravdess"}
    result |= {
        "networks": {"lpips": None, "identity": "identity of toy"},
        "missing": ["speech: no video of 1 of 24 actors (4)"],
    }
    text = "\n".join(table(result, True))
    assert "| FSE, published | 0.818 | 26.64 | 0.009 | 0.122 | 0.895 | |" in text
    assert "| feature-style, toy | 0.700 | 20.00 | 0.040 | - | 0.800 | 0.850 (source 0.900) |" in text
    assert "| age=+2 | +8.00 years |" in text
    said = " ".join(notes(result))
    for part in (
        "not measured, no weights were given",
        "b.mp4 (NotAVideo: broken)",
        "actors (4)",
        "1024 px",
        "2 videos of 2 actors",
    ):
        assert part in said
    assert summarise([rows[2]])["videos"] == 0
    other = "\n".join(written(result | {"set": "clips"}))
    assert other.count("| 20.00 | - | 0.800 | 0.900, 0.850 |") == 2, "any other set is told video by video"
    assert "0.900, 0.850" not in "\n".join(written(result))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_runs_in_processes_lists_a_broken_file_and_resumes(
    root: Path, toy_pack: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    copy = shutil.copytree(root, tmp_path / "set")
    (copy / "Video_Speech_Actor_01" / "Actor_01" / "01-01-08-01-01-01-01.mp4").write_bytes(b"no video")
    command = ["--root", str(copy), "--pack", toy_pack, "--edits", "age=+1", "--out", str(tmp_path), "--workers", "1"]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--threads", "1"])
    assert ended.value.code == 0
    result = json.loads((tmp_path / "results.json").read_text())
    assert result["means"]["videos"] == 3
    assert list(result["means"]["failed"]) == ["01-01-08-01-01-01-01.mp4"]
    assert result["pack"]["hash"]
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "videos").iterdir()}
    assert len(kept) == 3
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("identity_consistency.png", "edits.png"))
    assert "| FSE, published |" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(command)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "videos").iterdir()} == kept


def test_any_folder_of_clips_is_a_set(root: Path, tmp_path: Path) -> None:
    assert len(find_clips(root)) >= 4
    with pytest.raises(InputError, match="holds no video"):
        find_clips(tmp_path)
