"""vidinv packs pull asks before it fetches, and says what to do with what it fetched."""

import pytest

from vidinv import errors
from vidinv.cli import pull_pack
from vidinv.packs.locate import DEFAULT_PACK
from vidinv.packs.published.catalogue import CATALOGUE, KnownFile


@pytest.fixture
def fetched(monkeypatch, tmp_path) -> list[str]:
    """Names of what would have been fetched."""
    asked = []

    def download(known: KnownFile, folder, told):
        asked.append(known.name)
        folder.mkdir(exist_ok=True, parents=True)
        (folder / known.file).write_bytes(b"fetched")
        return folder / known.file

    monkeypatch.setattr("vidinv.packs.published.download.download", download)
    monkeypatch.setenv("VIDINV_PACKS", str(tmp_path))
    return asked


def test_without_a_name_it_says_what_there_is(invoke, fetched):
    result = invoke("packs", "pull")
    assert result.exit_code == 0
    for known in CATALOGUE:
        assert f"{known.name}: {known.purpose}" in result.stdout
        assert known.licence in result.stdout
    assert fetched == []


def test_nothing_is_fetched_before_the_terms_are_accepted(invoke, fetched):
    result = invoke("packs", "pull", "nvidia-ffhq")
    assert result.exit_code == errors.UsageError.exit_code
    assert "NVIDIA Source Code License" in result.stderr
    assert "--accept-licence" in result.stderr
    assert fetched == []


def test_somebody_at_a_terminal_is_asked(fetched, monkeypatch):
    monkeypatch.setattr(pull_pack.sys, "stdin", type("Terminal", (), {"isatty": staticmethod(lambda: True)}))
    monkeypatch.setattr(pull_pack.typer, "confirm", lambda *args, **options: False)
    with pytest.raises(pull_pack.typer.Exit) as ended:
        pull_pack.pull(["e4e-age"], quiet=True)
    assert ended.value.exit_code == errors.UsageError.exit_code
    assert fetched == []
    monkeypatch.setattr(pull_pack.typer, "confirm", lambda *args, **options: True)
    pull_pack.pull(["e4e-age"], quiet=True)
    assert fetched == ["e4e-age"]


def test_it_says_how_to_import_what_came(invoke, fetched, tmp_path):
    result = invoke("packs", "pull", "nvidia-ffhq", "e4e-age", "--accept-licence", "--to", tmp_path / "here")
    assert result.exit_code == 0
    here = tmp_path / "here"
    wanted = f"vidinv packs import --generator {here}/ffhq.pkl --directions {here}/age.pt --name NAME"
    assert result.stdout.strip() == wanted
    result = invoke("packs", "pull", "facenet-vggface2", "--accept-licence", "--to", here)
    file = here / "20180402-114759-vggface2.pt"
    assert result.stdout.strip() == f"vidinv packs import --base {DEFAULT_PACK} --identity {file} --name NAME"


def test_one_that_cannot_be_fetched_does_not_stop_the_others(invoke, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDINV_PACKS", str(tmp_path))
    (tmp_path / "downloads").mkdir()
    result = invoke("packs", "pull", "feature-style-encoder", "arcface", "-q")
    assert result.exit_code == errors.DownloadFailed.exit_code
    assert "143_enc.pth has to be fetched by hand: open https://github.com/InterDigitalInc" in result.stderr
    assert str(tmp_path / "downloads" / "backbone.pth") in result.stderr


def test_an_unknown_name_is_answered_with_the_known(invoke, fetched):
    result = invoke("packs", "pull", "ffhq")
    assert result.exit_code == errors.UsageError.exit_code
    assert "nvidia-ffhq" in result.stderr


def test_what_nobody_vouches_for_is_said_before_and_after(invoke, fetched):
    result = invoke("packs", "pull", "nvidia-ffhq", "e4e-age", "--accept-licence")
    before, after = (line for line in result.stderr.splitlines() if "sha256" in line)
    assert before.startswith("nvidia-ffhq: ")
    assert before.endswith("no sha256 published)")
    assert "ffhq.pkl is unchecked, since no sha256 of it was published; its own is " in after
