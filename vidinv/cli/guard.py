"""From exceptions to messages of one or two lines and exit codes; from signals to exceptions."""

from __future__ import annotations

import errno
import functools
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import FrameType

import typer

from vidinv.bounds import BOUNDS, checked
from vidinv.cli.terminal import is_unwritten, plain
from vidinv.errors import (
    DAMAGED_INPUT_EXIT_CODE,
    INTERRUPTED_EXIT_CODE,
    SOME_FAILED_EXIT_CODE,
    InputError,
    MissingExtra,
    OutOfResources,
    OutputError,
    OutputUnwritable,
    PackError,
    UsageError,
    VidinvError,
)
from vidinv.regular import too_long
from vidinv.shortage import shortage

EXIT_CODES = {
    0: "done: the whole output was written",
    VidinvError.exit_code: "an error that nobody expected; or vidinv doctor found something broken",
    UsageError.exit_code: "the request cannot be understood: options, edits, person, device",
    InputError.exit_code: "the input cannot be used: missing, no video, HDR, nobody in it, codes of something else",
    OutputError.exit_code: "the output cannot be written: exists, is the input, no permission, disk full",
    PackError.exit_code: "the model pack cannot be used: unknown, or a file is missing or damaged",
    MissingExtra.exit_code: "an optional package or program is not installed",
    OutOfResources.exit_code: "there is not enough memory, or no further thread can be started",
    DAMAGED_INPUT_EXIT_CODE: "some of the input is damaged: what could be read was edited, or inverted, and kept",
    SOME_FAILED_EXIT_CODE: "some jobs of a batch failed; the others are done, and the summary says what each met",
    INTERRUPTED_EXIT_CODE: "interrupted by Ctrl-C or SIGTERM",
}
LONGEST = 2000  # characters of a message: what was typed may have 100,000
PATIENCE = 5.0  # seconds in which a second Ctrl-C does not disturb the tidying up after the first


def say(message: str) -> None:
    """One message for people, beside the results on stdout: a line, whatever the names in it hold, so that none of them
    can say something of its own; of a very long one the ends, where the cause and the advice are."""
    line = plain(message).replace("\n", "\\n")
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} [...] {line[-LONGEST // 2 :]}"
    print(line, file=sys.stderr, flush=True)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose errors become a message and an exit code; ``verbose`` among its options adds the traceback.
    Numbers that nothing could be done with are refused before it begins: see :data:`vidinv.bounds.BOUNDS`."""

    @functools.wraps(command)
    def run(*args: object, **options: object) -> None:
        try:
            for name, value in options.items():
                if name in BOUNDS and isinstance(value, int | float):
                    checked(name, value, f"--{name.replace('_', '-')}")
            command(*args, **options)
        except VidinvError as error:
            if error.unforeseen and options.get("verbose"):
                traceback.print_exc()
            told = shortage(error) or error
            say(f"error: {told}")
            raise typer.Exit(told.exit_code) from None
        except KeyboardInterrupt as interrupt:
            say(f"interrupted, {interrupt}" if str(interrupt) else "interrupted, nothing was written")
            raise typer.Exit(INTERRUPTED_EXIT_CODE) from None
        except typer.Exit:
            raise
        except Exception as error:
            if isinstance(error, OSError) and (error.errno == errno.EPIPE or is_unwritten(error)):
                raise  # whoever read our output has gone, or it is full: vidinv.cli.main ends
            if options.get("verbose"):
                traceback.print_exc()
            known = shortage(error) or _without_place(error) or _unnameable(error)
            say(f"error: {known}" if known else _unexpected(error, bool(options.get("verbose"))))
            raise typer.Exit((known or VidinvError).exit_code) from None

    return run


def _without_place(error: Exception) -> OutputUnwritable | None:
    """Packages ask for a folder for temporary files while they are read, whether or not anything will go there."""
    if not str(error).startswith("[Errno 2] No usable temporary directory"):
        return None
    return OutputUnwritable("no folder for temporary files can be written to; name one: TMPDIR=FOLDER")


def _unnameable(error: Exception) -> UsageError | None:
    """Every look at a file of such a name is this error, and commands look at dozens."""
    if not isinstance(error, OSError) or not (why := too_long(error)):
        return None
    return UsageError(f"{error.filename}: {why}; give a shorter name")


def _unexpected(error: Exception, verbose: bool) -> str:
    name, text = type(error).__name__, str(error).strip().partition("\n")[0]
    advice = "please report it with the traceback above" if verbose else "run again with -v for the traceback"
    return f"error: unexpected {name}{': ' if text else ''}{text}; {advice}"


def _signals() -> list[int]:
    return [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def ignore_signals() -> None:
    """For the last moments of the process: all is tidied up, and the interpreter gives up its handlers on the way out,
    so that an impatient second Ctrl-C would change the exit code."""
    for number in _signals():
        signal.signal(number, signal.SIG_IGN)


def catch_signals() -> None:
    """SIGTERM and a closed terminal act like Ctrl-C: as KeyboardInterrupt, so that everything is tidied up.

    It lasts as long as the process: an impatient second Ctrl-C must not change the exit code of the first.
    """
    last = -PATIENCE

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last >= PATIENCE:
            last = time.monotonic()
            raise KeyboardInterrupt

    for number in _signals():
        if signal.getsignal(number) is not signal.SIG_IGN:  # switched off by the caller: nohup, background jobs
            signal.signal(number, interrupt)
