"""A signal in the first moments ends the program like any other, and nothing keeps it at its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import REPOSITORY
from vidinv.errors import INTERRUPTED_EXIT_CODE, InputError

# Sent when the first of the larger packages is asked for, before any of the program's own handlers.
EARLY = """
import os, signal, sys
signal.signal({number}, {before})
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Watch())
sys.argv = ["vidinv", "--version"]
from vidinv.cli.start import main
main()
"""


def early(number: int, before: str) -> subprocess.CompletedProcess[str]:
    code = EARLY.format(number=int(number), before=before)
    return subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_while_the_program_is_still_read(number: int) -> None:
    done = early(number, "signal.SIG_DFL")
    assert (done.returncode, done.stdout) == (INTERRUPTED_EXIT_CODE, "")
    assert done.stderr == "interrupted, nothing was written\n"


def test_what_the_caller_switched_off_stays_off() -> None:
    done = early(signal.SIGHUP, "signal.SIG_IGN")
    assert done.returncode == 0
    assert done.stdout.startswith("vidinv ")


# What is kept by the interpreter itself goes at its very end: here a program would get stuck.
STUCK = """
import atexit, builtins, sys, threading, time
class Stuck:
    def __del__(self):
        time.sleep(600)
def last():
    time.sleep(0.2)
    print("a thread")
class Watch:
    stuck = Stuck()
    def find_spec(self, name, path=None, target=None):
        if name == "typer" and sys.meta_path.pop(0):
            atexit.register(print, "told of the end")
            threading.Thread(target=last).start()
sys.meta_path.insert(0, watch := Watch())
builtins.kept = watch
sys.argv = ["vidinv", {option!r}]
from vidinv.cli.start import main
main()
"""


@pytest.mark.parametrize(("option", "code"), [("--version", 0), ("--nonsense", 2)])
def test_when_all_is_done_nothing_keeps_it(option: str, code: int) -> None:
    program = [sys.executable, "-c", STUCK.format(option=option)]
    done = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code
    assert {"a thread", "told of the end"} <= set(done.stdout.splitlines())


def test_an_error_that_nobody_caught_is_told_by_the_interpreter() -> None:
    code = "import sys; from vidinv.cli.start import main; sys.modules['vidinv.cli.main'] = 1; main()"
    program = [sys.executable, "-c", code]
    done = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "ImportError" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="names are bytes elsewhere")
def test_names_of_other_letters_are_files_where_the_locale_has_none(tmp_path: Path) -> None:
    plain = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "COLUMNS": "1",
        "PYTHONPATH": str(REPOSITORY),
    }
    (tmp_path / "нет видео.mp4").write_bytes(b"no video")
    for name, said in (("нет видео.mp4", "is not a video"), ("нет.mp4", "does not exist")):
        command = [sys.executable, "-m", "vidinv", "run", name, "-e", "age=+1", "-o", "готово.mp4"]
        done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **plain}, capture_output=True, check=False)
        assert done.returncode == InputError.exit_code, done.stderr
        assert said.encode() in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["нет видео.mp4"]
