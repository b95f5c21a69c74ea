"""Every error a caller may meet. Messages name the thing, the cause and the next step.

    VidinvError                     exit code
    |-- UsageError                  2   the request cannot be understood
    |   |-- UnknownEdit                 no such edit in the pack
    |   `-- MalformedEdit               "age=+-2", "age=+2@3s-1s"
    |-- InputError                  3   the input cannot be used
    |   |-- InputMissing                no such file
    |   |-- NotAVideo                   the container cannot be read, or holds no frame
    |   |-- NotAPicture                 the file cannot be read as a still picture
    |   |-- NoVideoStream               audio only
    |   |-- UnsupportedColour           HDR would be washed out
    |   `-- NoFaceFound                 not one face in the whole video, or in a picture
    |-- OutputError                 4   the result cannot be written
    |   |-- OutputExists                and --overwrite was not given
    |   |-- OutputIsInput               would destroy the source
    |   |-- OutputUnwritable            folder missing, no permission, container or codec refused
    |   `-- DiskFull
    |-- PackError                   5   the model pack cannot be used
    |   |-- UnknownPack
    |   |-- DamagedPack                 a file is missing or its hash differs
    |   |-- UnsuitableCheckpoint        a published file that cannot become part of a pack
    |   `-- DownloadFailed              a published file cannot be fetched, or is another one
    |-- MissingExtra                6   an optional package is not installed
    `-- OutOfResources              7   the machine gives no more memory, or no more threads

Exit code 0: the whole video was written. 10: the input was damaged, what decodes was written. 11: some jobs of a
batch failed. 130: interrupted.
"""

from __future__ import annotations

DAMAGED_INPUT_EXIT_CODE = 10
SOME_FAILED_EXIT_CODE = 11
INTERRUPTED_EXIT_CODE = 130


class VidinvError(Exception):
    """Base of all; ``exit_code`` is what the command line returns. ``unforeseen``: what it came of was met where nobody
    expected it, and may be a fault of this program; ``-v`` shows it."""

    exit_code = 1
    unforeseen = False


class UsageError(VidinvError):
    exit_code = 2


class UnknownEdit(UsageError):
    pass


class MalformedEdit(UsageError):
    pass


class InputError(VidinvError):
    exit_code = 3


class InputMissing(InputError):
    pass


class NotAVideo(InputError):
    pass


class NotAPicture(InputError):
    pass


class NoVideoStream(InputError):
    pass


class UnsupportedColour(InputError):
    pass


class NoFaceFound(InputError):
    pass


class OutputError(VidinvError):
    exit_code = 4


class OutputExists(OutputError):
    pass


class OutputIsInput(OutputError):
    pass


class OutputUnwritable(OutputError):
    pass


class DiskFull(OutputError):
    pass


class PackError(VidinvError):
    exit_code = 5


class UnknownPack(PackError):
    pass


class DamagedPack(PackError):
    pass


class UnsuitableCheckpoint(PackError):
    pass


class DownloadFailed(PackError):
    pass


class MissingExtra(VidinvError):
    exit_code = 6


class OutOfResources(VidinvError):
    exit_code = 7
