"""vidinv compare, and the reports that run and compare write."""

import json

import pytest

from vidinv import errors


def test_a_comparison_is_shown_and_written_as_page_and_figures(invoke, toy_pack, face_clip, tmp_path):
    page, figures = tmp_path / "r.html", tmp_path / "r.json"
    args = ("compare", face_clip, face_clip, "--pack", toy_pack, "--report", page, "--report", figures)
    result = invoke(*args)
    assert result.exit_code == 0, result.stderr
    for text in ("tl_id", "csim", "the source's", "age:"):
        assert text in result.stdout
    assert json.loads(figures.read_text())["quality"]["tl_id"]["value"] == pytest.approx(1)
    assert "Comparison of two videos" in page.read_text()
    assert invoke(*args).exit_code == errors.OutputExists.exit_code


def test_a_run_writes_the_same_report(invoke, toy_pack, face_clip, tmp_path):
    out, page, figures = (tmp_path / name for name in ("o.mp4", "r.html", "r.json"))
    args = ("-o", out, "--report", page, "--report", figures, "-q")
    result = invoke("run", face_clip, "--edit", "age=+1", "--pack", toy_pack, *args)
    assert result.exit_code == 0, result.stderr
    told = json.loads(figures.read_text())
    assert told["quality"]["psnr"]["value"] > 0
    assert told["quality"]["outside_difference"]["value"] == 0
    assert "--lpips" in told["quality"]["lpips"]["reason"]
    assert {"trust", "doubts", "edited"} <= set(told["series"][0])
    assert page.read_text().count("data:image/jpeg") >= 4


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--report", "r.txt"), errors.UsageError.exit_code, "ends in .html or .json"),
        (("--report", "no/r.html"), errors.OutputUnwritable.exit_code, "create it first"),
        (("--lpips", "no.pth"), errors.InputMissing.exit_code, "no.pth does not exist"),
        (("--pack", "nobody"), errors.UnknownPack.exit_code, "nobody"),
    ],
)
def test_what_cannot_be_is_said_at_once(invoke, toy_pack, face_clip, tmp_path, monkeypatch, args, code, said):
    monkeypatch.chdir(tmp_path)
    result = invoke("compare", face_clip, face_clip, "--pack", toy_pack, *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there(invoke, toy_pack, face_clip, tmp_path):
    result = invoke("compare", face_clip, tmp_path / "no.mp4", "--pack", toy_pack)
    assert result.exit_code == errors.InputMissing.exit_code
    assert "no.mp4 does not exist" in result.stderr


def test_a_page_without_its_extra_is_refused_before_the_work(invoke, toy_pack, face_clip, tmp_path, monkeypatch):
    from vidinv.report import page

    monkeypatch.setattr(page.importlib.util, "find_spec", lambda name: None)
    result = invoke("compare", face_clip, face_clip, "--pack", toy_pack, "--report", tmp_path / "r.html")
    assert result.exit_code == errors.MissingExtra.exit_code
    assert 'pip install "vidinv[report]"' in result.stderr
