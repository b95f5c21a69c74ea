"""vidinv invert, and run from what it keeps, on a real face through a pack that knows nothing."""

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.cli.test_process import _THREADS, _listens
from tests.video.make import clip
from vidinv import ending, errors, streams
from vidinv.inversion import METHODS
from vidinv.inversion.latent_file import open_latent_file
from vidinv.types import Frame


@pytest.fixture(scope="module")
def codes(toy_pack, face_clip, tmp_path_factory):
    from typer.testing import CliRunner

    from vidinv.cli.main import app

    folder = tmp_path_factory.mktemp("codes") / "face.vidinv"
    result = CliRunner().invoke(app, ["invert", str(face_clip), "-o", str(folder), "--pack", str(toy_pack)])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[1] == str(folder)
    assert result.stdout.startswith("50 frames, 50 faces, ")
    return folder


@pytest.fixture
def run(invoke, toy_pack):
    return lambda *args: invoke("run", *args, "--edit", "age=+1", "--pack", toy_pack, "--preset", "ultrafast")


@pytest.fixture
def encoded(monkeypatch):
    """Of every run its finished frames: what goes into the encoder, whose output differs from run to run."""
    runs: list[list[bytes]] = []

    def outputs(*args):
        runs.append([])
        for frame in streams.outputs(*args):
            if isinstance(frame, Frame):  # and no snapshot
                runs[-1].append(frame.image.tobytes())
            yield frame

    monkeypatch.setattr(ending, "outputs", outputs)
    return runs


def test_a_run_from_codes_is_the_run_without_them(run, codes, face_clip, tmp_path, encoded):
    plain, from_codes, report = tmp_path / "plain.mp4", tmp_path / "codes.mp4", tmp_path / "r.json"
    assert run(face_clip, "-o", plain, "-q").exit_code == 0
    result = run(face_clip, "-o", from_codes, "--codes", codes, "--report", report)
    assert result.exit_code == 0, result.stderr
    assert f"codes of {codes}: nothing was looked for or inverted" in result.stdout
    assert encoded[0] == encoded[1]
    assert len(encoded[0]) == 50
    told = json.loads(report.read_text())
    assert told["codes"] == str(codes)
    assert {"read", "restore"} < told["stages"].keys()
    assert "detect" not in told["stages"]


def test_a_run_keeps_its_codes_by_the_way(run, codes, face_clip, tmp_path):
    kept = tmp_path / "kept.vidinv"
    result = run(face_clip, "-o", tmp_path / "out.mp4", "--keep-codes", kept, "-q")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    parts = [open_latent_file(folder).manifest.parts for folder in (kept, codes)]
    assert parts[0] == parts[1]
    assert run(face_clip, "-o", tmp_path / "o2.mp4", "--keep-codes", kept).exit_code == errors.OutputExists.exit_code
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept.vidinv", "out.mp4"]


def test_a_search_is_asked_for_and_told_from_another(invoke, run, toy_pack, face_clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = Path(shutil.copy(face_clip, tmp_path / "in.mp4"))
    search = ("--method", "image2stylegan", "--steps", "2", "--warm-steps", "1", "--space", "w")
    result = invoke(
        "invert", source, "--pack", toy_pack, *search, "--start", "random", "--seed", "3", "--no-features", "-q"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    manifest = open_latent_file(tmp_path / "in.vidinv").manifest
    assert not manifest.features
    told = {"method": "image2stylegan", "space": "w", "start": "random", "steps": 2, "warm_steps": 1, "seed": 3}
    assert told.items() < manifest.method.items()
    assert run(source, "--codes", "in.vidinv", "-q").exit_code == 0
    result = run(source, "--codes", "in.vidinv", "--overwrite", *search)
    assert result.exit_code == errors.UsageError.exit_code
    assert "made by image2stylegan with start random, not mean; leave the method out" in result.stderr


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--method", "magic"), errors.UsageError, "no inversion method called 'magic'; there are feature-style"),
        (("--steps", "5"), errors.UsageError, "feature-style does not search, so it takes no steps"),
        (("--method", "image2stylegan", "--space", "q"), errors.UsageError, "knows no space 'q'"),
        (("--lpips", "w.pt"), errors.UsageError, "a --method that searches compares by (in-domain, image2stylegan)"),
        (("--method", "image2stylegan", "--feature", "--no-features"), errors.UsageError, "cannot be computed again"),
        (("--method", "in-domain"), errors.DamagedPack, "domain_encoder"),
        (("-o", "no/codes"), errors.OutputUnwritable, "create it first"),
        (("-o", "in.mp4"), errors.OutputUnwritable, "in.mp4 is a file, and codes are a folder"),
        (("-o", "."), errors.OutputUnwritable, "is no name for a folder of codes"),
    ],
)  # fmt: skip
def test_inversions_that_cannot_be(invoke, toy_pack, face_clip, tmp_path, monkeypatch, args, code, said):
    monkeypatch.chdir(tmp_path)
    shutil.copy(face_clip, tmp_path / "in.mp4")
    result = invoke("invert", "in.mp4", "--pack", toy_pack, *args)
    assert (result.exit_code, result.stdout) == (code.exit_code, ""), result.output
    assert said in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_codes_of_another_clip(run, codes, tmp_path):
    other = clip(tmp_path / "other.mp4", count=5)
    result = run(other, "--codes", codes)
    assert result.exit_code == errors.InputError.exit_code
    assert f"{codes} holds codes of clip face.mp4, not other.mp4; invert again" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["other.mp4"]


def test_a_truncated_video_is_inverted_as_far_as_it_goes(invoke, run, toy_pack, face_clip, tmp_path):
    source, folder = tmp_path / "cut.mp4", tmp_path / "cut.vidinv"
    source.write_bytes(face_clip.read_bytes()[: face_clip.stat().st_size * 6 // 10])
    result = invoke("invert", source, "--pack", toy_pack)
    assert result.exit_code == errors.DAMAGED_INPUT_EXIT_CODE, result.stderr
    frames = open_latent_file(folder).manifest.frames
    assert f"{folder} holds the {frames} frames that could be decoded" in result.stderr
    assert run(source, "--codes", folder, "-q").exit_code == errors.DAMAGED_INPUT_EXIT_CODE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_what_is_stopped_in_the_middle_leaves_nothing_under_the_name(start, toy_pack, tmp_path, number):
    source = clip(tmp_path / "in.mp4", size=(320, 240), count=1500, audio=(), options={"preset": "ultrafast"})
    process = start("invert", source, "--pack", toy_pack, "-q", code=_THREADS, preexec_fn=_listens)
    while process.poll() is None and not list(tmp_path.glob(".in.vidinv.*.part")):
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert not (tmp_path / "in.vidinv").exists()
    if number == signal.SIGINT:
        assert err.splitlines() == ["interrupted, nothing was written", "threads ['MainThread']"]
        assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("command", ["run", "preview", "invert"])
def test_help_names_every_method(invoke, command):
    text = " ".join(invoke(command, "--help").stdout.split()).replace("- ", "-")
    assert all(method in text for method in METHODS)


def test_a_preview_inverts_as_it_is_told(invoke, toy_pack, face_clip, tmp_path):
    args = (face_clip, "--edit", "age=1", "--pack", toy_pack, "-q", "-o", tmp_path / "p.png")
    assert invoke("preview", *args, "--method", "image2stylegan", "--steps", "1").exit_code == 0
    assert (tmp_path / "p.png").exists()
