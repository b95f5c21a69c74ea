"""What an interrupted run says of itself: its report is thinned, or made by the same call again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.inversion.latent_toy import write_box_pack
from tests.test_journal import edit, figures, video
from vidinv import ending, journal
from vidinv.api import VideoEditor
from vidinv.errors import DiskFull, OutputError, OutputExists, UsageError
from vidinv.report import Report, rows
from vidinv.report.files import check_reports, series_of
from vidinv.report.write import write_reports
from vidinv.video import leftovers
from vidinv.video.output import work_folder


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> VideoEditor:
    return VideoEditor(write_box_pack(tmp_path_factory.mktemp("packs") / "toy"), batch=2)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return video(tmp_path / "in.mp4")


def test_a_report_of_a_long_run_says_what_it_leaves_out_and_where_that_is(
    editor: VideoEditor, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = edit(editor, source, tmp_path / "whole.mp4", series=tmp_path / "whole.jsonl")
    assert (whole.series_every, whole.series_file) == (1, None)
    assert not (tmp_path / "whole.jsonl").exists()
    monkeypatch.setattr(rows, "MOST", len(whole.series) // 2)
    thin = edit(editor, source, tmp_path / "thin.mp4", series=tmp_path / "thin.jsonl")
    assert (thin.series_every, thin.series_file) == (5, str(tmp_path / "thin.jsonl"))
    assert thin.series == [row for row in whole.series if row.frame % 5 == 0]
    assert len((tmp_path / "thin.jsonl").read_text().splitlines()) == len(whole.series)
    assert thin.untrusted == whole.untrusted


def test_an_interruption_before_the_report_leaves_the_video_and_the_same_run_makes_the_report(
    editor: VideoEditor, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.mp4"
    whole = edit(editor, source, tmp_path / "whole.mp4")

    def stopped(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ending, "build", stopped)
    with pytest.raises(KeyboardInterrupt, match="its report is not"):
        edit(editor, source, target)
    monkeypatch.undo()
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    with pytest.raises((UsageError, OutputExists)):
        edit(editor, source, target, "age=+1.9")
    assert figures(edit(editor, source, target)) == figures(whole)
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not work_folder(target).exists()


def test_a_report_that_does_not_fit_is_made_by_the_same_call_again(
    editor: VideoEditor, source: Path, tmp_path: Path
) -> None:
    target, told = tmp_path / "out.mp4", list[str]()

    def full(report: Report) -> None:
        raise DiskFull("no space left for r.html; nothing was kept. Free some space")

    with pytest.raises(
        DiskFull, match=r"out\.mp4 is complete, and its report is not; the same command makes that"
    ) as one:
        edit(editor, source, target, reported=full)
    assert "nothing was kept" not in str(one.value)
    first = target.read_bytes()
    edit(editor, source, target, reported=lambda report: told.append(report.output or ""))
    assert told == [str(target)]
    assert target.read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_a_run_that_was_killed_behind_its_report_makes_it_again_and_no_other_report_is_overwritten(
    editor: VideoEditor, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST", 10)  # so that the rows are a file too
    target, report = tmp_path / "out.mp4", tmp_path / "r.json"
    series = series_of([report])
    asked: dict[str, Any] = {"series": series, "reported": partial(write_reports, paths=[report], run=target)}

    def killed(folder: Path) -> None:
        """Nothing of the folder is removed any more."""

    with monkeypatch.context() as patch:
        patch.setattr(journal, "remove", killed)
        edit(editor, source, target, **asked)
    assert work_folder(target).is_dir()
    check_reports([report], source, False, target)
    for other in (tmp_path / "other.mp4", source):
        with pytest.raises(OutputError):
            check_reports([report], source, False, other)
    first = target.read_bytes()
    edit(editor, source, target, **asked)
    assert target.read_bytes() == first
    assert not work_folder(target).exists()
    with pytest.raises(OutputExists, match=r"r\.json exists"):
        check_reports([report], source, False, target)


def test_a_report_that_was_written_to_since_is_nobodys_to_overwrite(
    editor: VideoEditor, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, report = tmp_path / "out.mp4", tmp_path / "r.json"
    monkeypatch.setattr(journal, "remove", lambda folder: None)
    edit(editor, source, target, reported=partial(write_reports, paths=[report], run=target))
    report.write_text("my own notes")
    with pytest.raises(OutputExists, match=r"r\.json exists"):
        check_reports([report], source, False, target)


@pytest.mark.parametrize("at", range(4))
def test_what_is_complete_is_known_until_the_last_file_of_the_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    names = ["journal.json", "published.json", "reports.json", "rows.jsonl"]
    for name in names:
        (tmp_path / name).touch()
    unlink, gone = Path.unlink, list[str]()

    def counted(path: Path, missing_ok: bool = False) -> None:
        if len(gone) == at:
            raise KeyboardInterrupt
        gone.append(path.name)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", counted)
    with pytest.raises(KeyboardInterrupt):
        leftovers.remove(tmp_path)
    assert at > 2 or {"published.json", "reports.json"} <= {path.name for path in tmp_path.iterdir()}
