"""A signal in the first moments ends the program like any other."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.cli.conftest import REPOSITORY
from vidinv.errors import INTERRUPTED_EXIT_CODE

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
