"""Jobs: plain values that a file holds, whose mistakes are told by file, job and key."""

from __future__ import annotations

import errno
import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from vidinv.errors import InputMissing, MalformedEdit, OutputIsInput, UsageError
from vidinv.job import NEEDED, VIDEOS, Job, anchored, check_together, jobs_of, read_jobs, write_jobs

FULL: dict[str, Any] = {
    "edits": ("age=+2", "anna:smile=1@1s-3s"),
    "transfers": ("0:a.jpg,b.jpg=0.5@0s-1s", "a:c.jpg,d.jpg"),
    "drive": Path("driver.mp4"),
    "neutral": 1.5,
    "drive_persons": ("0", "anna"),
    "hold": ("gender",),
    "faces": {"anna": (Path("anna.jpg"), Path("more"))},
    "composite": "replace",
    "boxes": Path("boxes.csv"),
    "codes": Path("codes"),
    "keep_codes": Path("kept"),
    "reports": (Path("r.html"), Path("r.json")),
    "codec": "libx265",
    "crf": 20.5,
    "preset": "slow",
    "backend": "ffmpeg",
    "segment": 3.0,
    "encoder_threads": 2,
    "pack": "./pack",
    "device": "cpu",
    "precision": "fp32",
    "batch": 4,
    "method": "in-domain",
    "search": {"steps": 10, "space": "w", "feature": True, "rate": 0.1},
    "lpips": Path("lpips.pth"),
    "mark": False,
}


def job(source: str = "a.mp4", output: str = "out/a.mp4", **more: Any) -> Job:
    return Job(source=Path(source), output=Path(output), **{"edits": ("age=+2",), **more})


def test_every_field_goes_to_a_file_and_comes_back(tmp_path: Path) -> None:
    assert {f.name for f in fields(Job)} == {*FULL, *NEEDED}
    jobs = tuple(anchored(job(f"{name}.mp4", f"out/{name}.mp4", **FULL), tmp_path) for name in "ab")
    write_jobs(tmp_path / "jobs.toml", jobs)
    assert read_jobs(tmp_path / "jobs.toml") == jobs
    text = (tmp_path / "jobs.toml").read_text()
    assert text.count("libx265") == 1, "what jobs share is said once"
    assert text.startswith("format = 1\n\n[defaults]")
    assert 'source = "a.mp4"' in text
    assert [p.name for p in tmp_path.iterdir()] == ["jobs.toml"]


def test_what_a_job_does_not_say_is_not_in_the_file(tmp_path: Path) -> None:
    write_jobs(tmp_path / "jobs.toml", [job()])
    told = 'format = 1\n\n[[job]]\nsource = "a.mp4"\noutput = "out/a.mp4"\nedits = [\n    "age=+2",\n]\n'
    assert (tmp_path / "jobs.toml").read_text() == told


def test_a_job_can_be_sent_and_is_frozen() -> None:
    one = job(**FULL)
    assert pickle.loads(pickle.dumps(one)) == one
    assert get_type_hints(Job)
    with pytest.raises(AttributeError):
        one.crf = 3  # type: ignore[misc]


def test_names_in_a_file_are_taken_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text(
        '[defaults]\nedits = ["age=@ages.csv,0:smile=1"]\ntransfers = "n.jpg,s.jpg"\nfaces = {anna = "anna.jpg"}\n'
        '[[job]]\nsource = "a.mp4"\noutput = "/else/a.mkv"\npack = "./toy"\n[[job]]\nsource = "b.avi"\npack = "toy"\n'
    )
    first, second = read_jobs(
        tmp_path / "jobs.toml", tmp_path / "out", {"crf": 20.0, "pack": "other", "boxes": Path("b")}
    )
    assert first.source == tmp_path / "a.mp4"
    assert first.output == Path("/else/a.mkv")
    assert first.edits == (f"age=@{tmp_path / 'ages.csv'}", "0:smile=1")
    assert first.transfers == (f"{tmp_path / 'n.jpg'},{tmp_path / 's.jpg'}=1",)
    assert first.faces == {"anna": (tmp_path / "anna.jpg",)}
    assert first.pack == str(tmp_path / "toy")
    assert second.pack == "toy", "what the file says comes before"
    assert second.output == tmp_path / "out" / "b.mp4"
    assert (second.crf, second.boxes) == (20.0, Path.cwd() / "b")


A = "[[job]]\nsource = 'a.mp4'\noutput = 'b.mp4'\n"
ASKED = A + "edits = ['age=1']\n"
BAD = {
    "a = 1": "a is unknown; there are",
    "[defaults]\nedit = 'age=1'": r"jobs.toml, \[defaults\]: edit is unknown; there are source, output, edits",
    "[defaults]\nedits = ['age=1']": "holds no job",
    "[[job]]\noutput = 'b.mp4'": "jobs.toml, job 1: source is missing",
    "[[job]]\nsource = 'a.mp4'\nedits = ['age=1']": "job 1: output is missing",
    A: "jobs.toml, job 1: nothing to do was given",
    A + "edits = ['age=']": "job 1: cannot read the edit 'age='",
    ASKED + "crf = 'x'": "job 1: crf is 'x' and should be a fin",
    ASKED + "batch = true": "batch is True and should be a whole",
    ASKED + "[[job]]\nsource = 3": "job 2: source is 3 and should",
    ASKED + "composite = 'glue'": "composite is 'glue'; there are",
    "[[job]\n": "is no TOML file .*line 1",
    "format = 2\n" + ASKED: "format is 2, and this version reads 1 to 1; update",
    ASKED + "\ncrf = 'x'": r"should be a finite number \(line [0-9]+\)",
    "format = 1\n[defaults]\n\nfoo = 1\n" + ASKED: r"foo is unknown; .*\(line 4\)",
    "format = 1\n" + A + "\nedits = [\n'smile=1',\n'age=']": r"cannot read the edit 'age='.*\(line 8\)",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_in_a_file_is_told_by_file_job_and_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "jobs.toml").write_text(text)
    with pytest.raises(UsageError, match=BAD[text]) as caught:
        read_jobs(tmp_path / "jobs.toml")
    assert str(tmp_path / "jobs.toml") in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"none\.toml cannot be read"):
        read_jobs(tmp_path / "none.toml")


def touched(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_gives_its_videos(tmp_path: Path) -> None:
    touched(tmp_path, "b.MOV", "a.avi", "notes.txt", ".hidden.mp4", "deep/c.mp4", "picture.jpg")
    jobs = jobs_of(tmp_path, tmp_path / "out", {"edits": ("age=1",)})
    assert [(j.source.name, j.output) for j in jobs] == [
        ("a.avi", tmp_path / "out" / "a.mp4"),
        ("b.MOV", tmp_path / "out" / "b.MOV"),
    ]
    assert ".avi" in VIDEOS


def test_a_pattern_finds_those_within_but_no_outputs(tmp_path: Path) -> None:
    touched(tmp_path, "b.mov", "deep/c.mp4", "out/b.mov")
    jobs = jobs_of(f"{tmp_path}/**/*.m*", tmp_path / "out", {"edits": ("age=1",)})
    assert [j.source.name for j in jobs] == ["b.mov", "c.mp4"]


def test_a_file_is_taken_by_its_very_name(tmp_path: Path) -> None:
    touched(tmp_path, "clip[1].mp4", "clip1.mp4", "recording")
    for name, output in (("clip[1].mp4", "clip[1].mp4"), ("recording", "recording.mp4")):
        (one,) = jobs_of(tmp_path / name, tmp_path / "out", {"edits": ("age=1",)})
        assert (one.source, one.output) == (tmp_path / name, tmp_path / "out" / output)
    with pytest.raises(UsageError, match="choose another output"):
        jobs_of(tmp_path / "clip[1].mp4", tmp_path, {"edits": ("age=1",)})


def test_a_folder_that_may_not_be_read_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputMissing, match=r"cannot be read \(Permission denied\)"):
        jobs_of(tmp_path, tmp_path / "out", {"edits": ("age=1",)})


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    touched(tmp_path, "a.avi", "a.wmv")
    some = {"edits": ("age=1",)}
    with pytest.raises(UsageError, match=r"a\.avi and .*a\.wmv would both become .*a\.mp4"):
        jobs_of(tmp_path, tmp_path / "out", some)
    with pytest.raises(OutputIsInput, match="choose another one"):
        jobs_of(tmp_path, tmp_path, some)
    with pytest.raises(InputMissing, match="holds no video"):
        jobs_of(tmp_path / "none", tmp_path / "out", some)
    with pytest.raises(MalformedEdit, match="nothing to do"):
        jobs_of(f"{tmp_path}/*.avi", tmp_path / "out", {})


def test_no_job_writes_what_another_writes_or_reads() -> None:
    with pytest.raises(UsageError, match=r"both become r\.json"):
        check_together([job(reports=(Path("r.json"),)), job("b.mp4", "out/b.mp4", reports=(Path("r.json"),))])
    with pytest.raises(UsageError, match="is what becomes of"):
        check_together([job("a.mp4", "b.mp4"), job("b.mp4", "c.mp4")])
    check_together([job("a.mp4", "1.mp4"), job("a.mp4", "2.mp4", edits=("age=1",))])


@pytest.mark.parametrize(
    "reads",
    [
        {"drive": Path("b.mp4")},
        {"boxes": Path("b.mp4")},
        {"codes": Path("b.mp4")},
        {"lpips": Path("out/../b.mp4")},
        {"faces": {"anna": (Path("a.jpg"), Path("b.mp4"))}},
        {"transfers": ("a.jpg,b.mp4=1",)},
    ],
    ids=lambda reads: next(iter(reads)),
)
def test_what_a_job_is_made_of_is_no_other_jobs_output(reads: dict[str, Any]) -> None:
    """Which of them is done first, nobody knows."""
    with pytest.raises(UsageError, match=r"b\.mp4 is what becomes of a\.mp4 too"):
        check_together([job("a.mp4", "b.mp4"), job("c.mp4", "d.mp4", **reads)])
    check_together([job("a.mp4", "e.mp4"), job("c.mp4", "d.mp4", **reads)])


def test_a_link_that_leads_to_itself_is_a_name_that_cannot_be_opened(tmp_path: Path) -> None:
    (loop := tmp_path / "loop").symlink_to("loop")
    check_together([job(str(loop), "a.mp4"), job("b.mp4", str(loop / "c.mp4"))])
    with pytest.raises(InputMissing, match="holds no video"):
        jobs_of(loop, tmp_path, {"edits": ("age=1",)})
    touched(tmp_path, "a.mp4")
    assert len(jobs_of(tmp_path / "*", loop, {"edits": ("age=1",)})) == 1


def test_whom_to_drive_is_an_id_that_can_be_read(tmp_path: Path) -> None:
    (path := tmp_path / "jobs.toml").write_text(
        f'[[job]]\nsource = "a.mp4"\noutput = "b.mp4"\ndrive = "d.mp4"\ndrive_persons = ["0", "{"9" * 5000}"]\n'
    )
    with pytest.raises(UsageError, match=r"job 1: drive_persons is '999.* \(line 5\)"):
        read_jobs(path)
