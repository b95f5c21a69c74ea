"""vidinv packs and vidinv doctor."""

import shutil
from dataclasses import replace

import pytest

from vidinv import errors
from vidinv.cli import checks
from vidinv.packs.load import load_pack
from vidinv.packs.write import write_pack


def test_packs_says_what_a_step_means(invoke, toy_pack):
    result = invoke("packs", toy_pack)
    assert result.exit_code == 0
    pack = load_pack(toy_pack)
    assert f"toy: {pack.resolution} x {pack.resolution} pixels" in result.stdout
    assert pack.hash[:12] in result.stdout
    for text in ("age", "older", "5 years", "smile", "a smile", "P(happy)", "-2", "+2"):
        assert text in result.stdout


def test_one_bad_pack_does_not_hide_the_others(invoke, toy_pack):
    result = invoke("packs", "nobody", toy_pack)
    assert result.exit_code == errors.UnknownPack.exit_code
    assert "'nobody'" in result.stderr
    assert "5 years" in result.stdout


def test_no_pack_at_all(invoke, monkeypatch):
    monkeypatch.setattr("vidinv.packs.locate.list_packs", list)
    result = invoke("packs")
    assert result.exit_code == errors.PackError.exit_code
    assert "no model pack is installed" in result.stderr


def test_doctor_finds_this_machine_well(invoke, toy_pack):
    result = invoke("doctor", "--pack", toy_pack, "--device", "cpu")
    assert result.exit_code == 0, result.output
    for name in (*checks.PACKAGES, *checks.EXTRAS, "python", "chosen", "libavcodec", "libx264", "self-check"):
        assert name in result.stdout
    assert "broken" not in result.stdout


def test_doctor_finds_a_damaged_pack(invoke, toy_pack, tmp_path):
    pack = shutil.copytree(toy_pack, tmp_path / "pack")
    (pack / "landmarks.safetensors").write_bytes(b"no")
    result = invoke("doctor", "--pack", pack)
    assert result.exit_code == 1
    assert "landmarks.safetensors is damaged" in result.stdout
    assert "vidinv run would fail here: pack" in result.stderr


def test_doctor_says_what_is_absent_or_broken_and_what_to_do(monkeypatch):
    monkeypatch.setattr(checks, "_version", lambda name: None)
    monkeypatch.setattr(checks.shutil, "which", lambda name: None)
    found = {f.name: f for f in (*checks.packages(), *checks.extras())}
    assert {f.state for n, f in found.items() if n in checks.PACKAGES} == {"broken"}
    assert found["ffmpeg-python"] == checks.Finding("ffmpeg-python", "absent", 'pip install "vidinv[ffmpeg]"')
    assert found["ffmpeg"].state == "absent"


def test_a_package_that_cannot_be_imported_is_broken(monkeypatch):
    def refuse(module):
        raise RuntimeError("operator torchvision::nms does not exist\nand more")

    monkeypatch.setattr(checks.importlib, "import_module", refuse)
    found = next(f for f in checks.packages() if f.name == "torchvision")
    assert found.state == "broken"
    assert found.text.endswith("cannot be imported: operator torchvision::nms does not exist")


def test_a_device_that_is_not_there_is_broken(toy_pack):
    assert [f.state for f in checks.devices("abacus", "auto")][-1] == "broken"
    assert [f.state for f in checks.model_pack(toy_pack, "abacus", "auto")] == ["broken"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_self_check_runs_one_frame_through_everything(toy_pack, precision):
    assert [f.state for f in checks.model_pack(toy_pack, "cpu", precision)] == ["ok", "ok"]


def test_packs_says_which_edits_do_not_look_like_photographs(invoke, toy_pack, tmp_path):
    folder = tmp_path / "graded"
    shutil.copytree(toy_pack, folder)
    spec = load_pack(folder).spec
    edits = {"age": replace(spec.edits["age"], grade=3.4), "smile": replace(spec.edits["smile"], grade=3.5)}
    write_pack(folder, replace(spec, edits=edits))
    told = [line for line in invoke("packs", folder).stdout.splitlines() if "3.4" in line or "3.5" in line]
    assert "age" in told[0]
    assert "3.4, experimental" in told[0]
    assert "smile" in told[1]
    assert "experimental" not in told[1]
    assert "not graded" in invoke("packs", toy_pack).stdout
