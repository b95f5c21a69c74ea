"""The quarter of an hour with a GPU, rehearsed on the CPU at toy size: from slim to restore."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toy import write_toy_pack
from tests.training.codes_toy import write_all
from tests.training.shards_toy import ROOT
from vidinv.training import checkpoints, parts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOST_FILES = 8  # that come back from a command


class Place:
    """A working tree in which on_gpu.sh runs."""

    def __init__(self, root: Path, **settings: str) -> None:
        self.root, self.settings = root, {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"} | settings

    def run(self, *words: str, status: int = 0) -> str:
        environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(self.root), **self.settings}
        kept = {"capture_output": True, "text": True, "timeout": 100, "stdin": subprocess.DEVNULL}
        done = subprocess.run(words, cwd=self.root, env=environment, check=False, **kept)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def on_gpu(self, *words: str, status: int = 0) -> str:
        return self.run("bash", "pipelines/on_gpu.sh", *words, status=status)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A repository with a toy pack, toy faces, their codes and a run of the edit network."""
    root = tmp_path_factory.mktemp("here")
    for name in ("vidinv", "pipelines", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    shutil.copy(ROOT / ".gitignore", root)
    write_toy_pack(root / "assets" / "models" / "toy")
    (root / "assets" / "film.mp4").write_bytes(os.urandom(300_000))
    material = write_all(root.parent / "material")
    where = {"LABELLERS": str(material / "labellers"), "PACK": "toy", "QUALITY": "95", "MATERIAL": str(material)}
    where |= {"FACES": str(material / "data" / "faces"), "PAIRS": str(material / "data" / "pairs")}
    place = Place(root, **where)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "All"]):
        place.run("git", "-c", "user.name=a", "-c", "user.email=a@b", *words)
    codes = ["--labellers", where["LABELLERS"], "--pack", "toy"]
    encode = (sys.executable, "-m", "pipelines.encode_faces", *codes)
    place.run(*encode, "--data", where["FACES"], "--out", "data/codes")
    place.run(
        *encode, "--data", where["PAIRS"], "--like", "data/codes", "--probe", where["FACES"], "--out", "data/paired"
    )
    train = ["--codes", "data/codes", "--pairs", "data/paired", "--probe", where["FACES"], "--out", "runs/edits"]
    place.run(sys.executable, "-m", "pipelines.train_edits", *codes, *train, "--images", "12")
    return place


def come_back(folder: Path) -> list[Path]:
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert len(files) <= MOST_FILES
    assert max(p.stat().st_size for p in files) <= 16 * parts.MIB
    return files


def test_from_slim_to_restore(here: Place, tmp_path: Path) -> None:
    root, out = here.root, tmp_path / "out"
    (root / "assets" / "film.mp4").write_bytes(os.urandom(300_001))
    assert "git sees changes" in here.on_gpu("slim", status=1)
    here.run("git", "checkout", "-q", "assets/film.mp4")
    print(here.on_gpu("slim"))
    assert not (root / "assets" / "film.mp4").exists()
    assert "is there already" in here.on_gpu("slim", status=1)
    print(here.on_gpu("pack"))

    # What a command over there has: the tree as git lists it, without what is moved away, and the part that it names.
    tracked = [n for n in here.run("git", "ls-files").splitlines() if (root / n).exists()]
    there = Place(tmp_path / "there", DEVICE="cpu", PRECISION="bf16", BATCH="6")
    for name in tracked:
        (there.root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, there.root / name)
    shutil.copytree(root / "runs/gpu/part-1", there.root / "runs/gpu/part-1")
    assert "still to come: part-2" in there.on_gpu("receive")
    assert "still to come" in there.on_gpu("edits", str(out), "1", status=1)
    shutil.copytree(root / "runs/gpu/part-2", there.root / "runs/gpu/part-2")
    there.on_gpu("receive")
    print(there.on_gpu("edits", str(out / "a"), "0.4"))
    came = come_back(out / "a")
    assert {p.suffix for p in came} == {".json", ".jsonl", ".png", ".000"}
    print(there.on_gpu("head", str(out / "b"), "0.4"))
    come_back(out / "b")

    shutil.copytree(out / "b", out / "a", dirs_exist_ok=True)
    print(here.on_gpu("home", str(out / "a")))
    edited, headed = (checkpoints.read_weights(root / "runs" / n) for n in ("gpu-edits", "gpu-head"))
    seen = json.loads((out / "a" / "edits" / "state-portable.json").read_text())["seen"]
    assert edited["seen"] == seen > 12
    assert headed.keys() == {"generator", "encoder", "seen", "before", "recipe"}
    assert headed["seen"] > 0
    assert "is there already" in here.on_gpu("home", str(out / "a"), status=1)
    print(here.on_gpu("restore"))
    assert here.run("git", "status", "--porcelain") == ""

    # And the run goes on on the CPU.
    how = ["--labellers", here.settings["LABELLERS"], "--pack", "toy", "--probe", here.settings["FACES"]]
    how += ["--codes", "data/codes", "--pairs", "data/paired", "--out", "runs/gpu-edits", "--images", str(seen + 12)]
    assert f"resumed at {seen} images" in here.run(sys.executable, "-m", "pipelines.train_edits", *how)


def test_a_damaged_part_is_refused(here: Place, tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.mkdir()
    for number in range(5):
        (staged / f"{number}.bin").write_bytes(os.urandom(1000 * (number + 1)))
    sizes = parts.split(staged, tmp_path, 2)
    assert sum(sizes) == 15000
    assert max(sizes) < 9000
    assert parts.join(tmp_path, tmp_path / "all") == []
    assert len(list((tmp_path / "all").iterdir())) == 5
    (tmp_path / "part-1" / "4.bin").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"4\.bin is missing or damaged"):
        parts.join(tmp_path, tmp_path / "all")


def test_training_on_codes_needs_only_what_a_plain_gpu_machine_has() -> None:
    """No video, detection, pack or metric libraries: they may be absent where the GPU is."""
    absent = ("av", "facenet_pytorch", "lpips", "safetensors", "skimage", "typer", "rich")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent}));" + "".join(
        f"import pipelines.{name};" for name in ("train_edits", "train_head", "encode_faces", "gpu_parts")
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=100)
