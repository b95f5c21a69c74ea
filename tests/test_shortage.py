"""Too little memory, and no threads: said in a sentence, with an exit code of its own, before anything is written."""

from __future__ import annotations

import errno
import sys
import threading

import pytest

from tests.cli.conftest import face_clip, start, toy_pack  # noqa: F401
from vidinv import shortage
from vidinv.errors import DiskFull, OutOfResources, OutputUnwritable

LIMITED = """
import os, resource, vidinv.api
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (now + {spare} * 2**20,) * 2)
"""


def caused(error: Exception, cause: Exception) -> Exception:
    try:
        try:
            raise cause
        except Exception:
            raise error from None
    except Exception as raised:
        return raised


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of addresses are Linux's")
@pytest.mark.parametrize("spare", [16, 400])
def test_a_process_that_gets_no_memory_says_so_and_leaves_nothing(start, toy_pack, face_clip, tmp_path, spare):  # noqa: F811
    output = tmp_path / "out" / "edited.mp4"
    output.parent.mkdir()
    command = ("run", face_clip, "-o", output, "--edit", "age=+1", "--pack", toy_pack, "-q")
    process = start(*command, code=LIMITED.format(spare=spare))
    _, said = process.communicate(timeout=120)
    assert process.returncode == OutOfResources.exit_code, said
    assert "there is not enough memory" in said
    assert "Traceback" not in said
    assert list(output.parent.iterdir()) == []


def test_without_threads_nothing_begins(monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(OutOfResources, match="threads"):
        shortage.check_room()


def test_where_there_is_room_nothing_is_said():
    before = threading.active_count()
    shortage.check_room(4)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 786432 bytes"),
        RuntimeError("unable to mmap 8949306 bytes from file <generator.safetensors>: Cannot allocate memory (12)"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
    ],
)
def test_every_librarys_word_for_it_is_understood(error):
    assert isinstance(shortage.shortage(error), OutOfResources)


def test_what_has_a_cause_of_its_own_is_believed(monkeypatch):
    """A hostile file asks for more memory than there can be, and is the file's fault while there is enough."""
    hostile = caused(OutputUnwritable("refused"), MemoryError())
    assert shortage.shortage(hostile) is None
    assert shortage.shortage(ValueError("else")) is None
    monkeypatch.setattr(shortage, "_memory_is_there", lambda: False)
    assert isinstance(shortage.shortage(hostile), OutOfResources)
    assert shortage.shortage(caused(DiskFull("full"), OSError(errno.ENOSPC, "No space left"))) is None
