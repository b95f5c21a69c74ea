"""What only a process of its own shows: signals, full disks, closed pipes, what is imported when."""

import os
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
from tests.inversion.latent_toy import write_box_pack
from tests.video.make import clip
from vidinv import errors
from vidinv.video import Reader

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


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_batch_goes_on(start, tmp_path, number):
    pack, folder, out, count = write_box_pack(tmp_path / "toy"), tmp_path / "clips", tmp_path / "out", 200
    folder.mkdir()
    for name in "ab":
        clip(folder / f"{name}.mp4", size=(320, 240), count=count, audio=(), options={"preset": "ultrafast"})
    (tmp_path / "boxes.csv").write_text("frame,x0,y0,x1,y1\n" + "".join(f"{i},10,10,80,60\n" for i in range(count)))
    how = ("--edit", "age=1", "--pack", pack, "--boxes", tmp_path / "boxes.csv", "--preset", "ultrafast")
    command = ("batch", folder, "--out", out, *how, "--segment", "0.5", "--workers", "2", "--threads", "1")
    process = start(*command, code=_THREADS, preexec_fn=_listens, start_new_session=True)
    noted = lambda: [path for path in out.glob(".*.run/journal.json") if '"segments": 0' not in path.read_text()]  # noqa: E731
    while process.poll() is None and len(noted()) < 2:
        time.sleep(0.02)
    # A terminal tells everybody in it; whoever says SIGTERM, the process alone.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == errors.INTERRUPTED_EXIT_CODE, said
    assert "Traceback" not in said
    assert "0 of 2 videos are over, and what is complete of the others is kept; the same command goes on" in said
    assert not others_in(process.pid)
    assert {path.suffix for path in out.iterdir()} == {".run"}
    assert len(list(out.glob(".*.run/journal.json"))) == 2
    again = start(*command)
    said = again.communicate(timeout=250)[1]
    assert again.returncode == 0, said
    assert said.count("going on after") == 2
    assert sorted(path.name for path in out.iterdir()) == [".vidinv-batch", "a.mp4", "b.mp4"]


def others_in(group: int) -> list[str]:
    """Processes of a group that live: those that ended and that nobody has asked after yet do not."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(group) and line.split()[1][0] != "Z"]


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
        f"error: {target} would need a file larger than is allowed there (ulimit -f, or 4 GiB on FAT); "
        "nothing was kept. Raise the limit or write to another disk"
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


CLOSED = {
    "stdout": "1>&-",
    "stderr": "2>&-",
    "both": "1>&- 2>&-",
    "all": "0<&- 1>&- 2>&-",
    "full stderr": "2>/dev/full",
}


def shell(redirected: str, *args: object, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess:
    """The program with its streams as a shell redirects them."""
    line = f'exec "$0" -c "from vidinv.cli.main import main; main()" "$@" {redirected}'
    command = ["sh", "-c", line, sys.executable, *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=250, check=False)


@pytest.mark.parametrize("redirected", CLOSED.values(), ids=CLOSED)
def test_closed_streams_are_no_error(redirected):
    done = shell(redirected, "--version")
    assert done.returncode == 0
    assert done.stderr == ""
    assert shell(redirected, "run", "nothing.mp4", "-e", "age=+-2").returncode == errors.UsageError.exit_code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("args", [["--version"], ["--help"], ["packs", "pull"]])
def test_a_full_standard_output_is_said(args):
    done = shell(">/dev/full", *args)
    assert done.returncode == errors.OutputError.exit_code
    assert done.stderr.startswith("error: standard output cannot be written (No space left on device)")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_the_finished_video_is_kept_where_nothing_can_be_said(toy_pack, face_clip, tmp_path):
    target = tmp_path / "out.mp4"
    command = ("run", face_clip, "-e", "age=1", "--pack", toy_pack, "-o", target)
    assert shell("2>&- >/dev/full", *command, cwd=tmp_path).returncode == errors.OutputError.exit_code
    with Reader(target) as reader:
        assert sum(1 for _ in reader) == 50
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_names_do_not_command_the_terminal(start):
    process = start("run", "in.mp4", "-e", "age\x1b[2J\u202e\x9bm=1", "-e", "=")
    err = process.communicate(timeout=250)[1]
    assert process.returncode == errors.UsageError.exit_code
    assert "age\\x1b[2J\\u202e\\x9bm" in err
    assert not {"\x1b", "\u202e", "\x9b"} & set(err)
