"""A report that cannot be written: what is said of the video, and what is left beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edits.test_held import Own
from tests.inversion.latent_toy import BOXES
from vidinv import worker
from vidinv.api import VideoEditor
from vidinv.errors import DiskFull
from vidinv.job import Job
from vidinv.report import Report, rows
from vidinv.report.files import check_reports, series_of
from vidinv.worker import Worker

pytestmark = pytest.mark.usefixtures("one_thread")


def full(report: Report) -> None:
    raise DiskFull("no space left for r.html; nothing was kept. Free some space")


def test_the_video_is_called_what_it_is_called(
    editor: VideoEditor, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiskFull, match=r" out\.mkv is complete, and its report is not; the same command makes that"):
        editor.edit_video(clip, "out.mkv", "age=1", boxes=BOXES, reported=full)


def test_a_run_that_cannot_be_told_from_another_leaves_nothing_to_make_its_report_of(
    editor: VideoEditor, clip: Path, tmp_path: Path
) -> None:
    with pytest.raises(DiskFull) as caught:
        editor.edit_video(
            clip, tmp_path / "out.mkv", (Own(editor.pack.displacement("age")),), boxes=BOXES, reported=full
        )
    assert str(caught.value).endswith("out.mkv is complete, and its report is not")
    assert "nothing was kept" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


def test_rows_beside_a_report_go_with_it_so_that_the_same_command_may_begin(
    editor: VideoEditor, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST", 10)
    output, series, there = tmp_path / "out.mkv", series_of([tmp_path / "r.json"]), list[bool]()

    def again(report: Report) -> None:
        there.append(series.exists())
        full(report)

    with pytest.raises(DiskFull, match="the same command makes that"):
        editor.edit_video(clip, output, "age=1", boxes=BOXES, series=series, reported=again)
    assert there == [True]
    check_reports([tmp_path / "r.json"], clip, False, output)
    report = editor.edit_video(clip, output, "age=1", boxes=BOXES, series=series)
    assert report.series_file == str(series)
    assert series.exists()


def test_a_job_says_the_same_and_its_second_call_makes_the_report(
    box_pack: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{i},{','.join(map(str, box))}" for i, boxes in BOXES.items() for box in boxes]
    (tmp_path / "boxes.csv").write_text("\n".join(["frame,x0,y0,x1,y1", *lines]))
    output, report = tmp_path / "out.mkv", tmp_path / "r.json"
    how = {"boxes": tmp_path / "boxes.csv", "pack": str(box_pack), "reports": (report,)}
    job, one = Job(source=clip, output=output, edits=("age=1",), **how), Worker()
    with monkeypatch.context() as patch:
        patch.setattr(worker, "write_reports", lambda report, paths, note: full(report))
        failed = one.run(job, lambda progress: None)
    assert (failed.status, failed.exit_code) == ("failed", DiskFull.exit_code)
    assert str(failed.error).endswith(f" {output} is complete, and its report is not; the same call makes that")
    assert "nothing was kept" not in str(failed.error)
    assert one.run(job, lambda progress: None).status == "done"
    assert report.exists()
