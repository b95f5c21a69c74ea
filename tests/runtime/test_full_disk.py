"""A file that the system does not let grow is told from one that is broken."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from vidinv.runtime.saved import write_states
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_states(Path(sys.argv[1]), {"stage": np.zeros(100_000)})
except OSError as error:
    print(error.errno)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are POSIX's")
def test_states_that_do_not_fit_keep_the_systems_reason(tmp_path):
    done = subprocess.run([sys.executable, "-c", LIMITED, tmp_path / "states"], capture_output=True, text=True)
    assert done.stdout.strip() == str(errno.EFBIG), done.stderr
