"""What only a process of its own shows: signals, full disks, closed pipes, what is imported when."""

import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import REPOSITORY
from tests.video.make import clip
from vidinv import errors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
# Told at the end of the process: which threads are left.
_THREADS = """
import atexit, sys, threading
atexit.register(lambda: sys.stderr.write(f"threads {[t.name for t in threading.enumerate()]}"))
"""


def _listens() -> None:
    """Whoever runs the tests in the background has switched Ctrl-C off for children too."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted(start, toy_pack, tmp_path, number):
    source = clip(tmp_path / "in.mp4", size=(320, 240), count=1500, audio=(), options={"preset": "ultrafast"})
    command = ("run", source, "--edit", "age=1", "--pack", toy_pack, "-q", "--report", tmp_path / "r.json")
    process = start(*command, code=_THREADS, preexec_fn=_listens)
    while process.poll() is None and not list(tmp_path.glob(".in-edited.mp4.*.run")):
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    time.sleep(0.2)
    process.send_signal(number)  # an impatient second one changes nothing
    out, err = process.communicate(timeout=120)
    assert process.returncode == errors.INTERRUPTED_EXIT_CODE, err
    assert err.splitlines() == ["interrupted, nothing was written", "threads ['MainThread']"]
    assert out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_disk_full(start, toy_pack, face_clip, tmp_path):
    """A limit on the size of files stands in for the disk: the same failing write."""
    source = Path(shutil.copy(face_clip, tmp_path / "in.mp4"))
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (8000, 8000))
    command = ("run", source, "--edit", "age=1", "--pack", toy_pack, "-q", "--crf", "1")
    process = start(*command, preexec_fn=limit)
    out, err = process.communicate(timeout=250)
    assert process.returncode == errors.DiskFull.exit_code, err
    target = tmp_path / "in-edited.mp4"
    assert err.splitlines() == [
        f"error: no space left for {target}; nothing was kept. Free some space or write to another disk"
    ]
    assert out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_a_reader_that_leaves_is_no_traceback(start, toy_pack):
    process = start("packs", toy_pack)
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=250) == 1
    assert err == ""


def test_the_module_runs_and_says_its_version():
    command = [sys.executable, "-m", "vidinv", "--version"]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"vidinv \d+\.\d+\.\d+\n", said)


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"], ["--version"], ["run", "in.mp4", "--edit", "age=+-2"]])
def test_quick_answers_do_without_torch(start, args):
    report = "import atexit, sys; atexit.register(lambda: sys.stderr.write(f\"torch {'torch' in sys.modules}\"))"
    process = start(*args, code=report)
    err = process.communicate(timeout=250)[1]
    assert process.returncode == (2 if "in.mp4" in args else 0)
    assert err.endswith("torch False")
