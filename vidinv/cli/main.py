"""The program ``vidinv``."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from vidinv.cli import terminal
from vidinv.cli.batch import batch
from vidinv.cli.compare import compare
from vidinv.cli.directions import directions
from vidinv.cli.doctor import doctor
from vidinv.cli.guard import EXIT_CODES, catch_signals, ignore_signals
from vidinv.cli.invert import invert
from vidinv.cli.mix import mix
from vidinv.cli.morph import morph
from vidinv.cli.packs import packs
from vidinv.cli.preview import preview
from vidinv.cli.run import run
from vidinv.cli.ui import ui


def _version(wanted: bool) -> None:
    if wanted:
        from vidinv import __version__

        print(f"vidinv {__version__}")
        raise typer.Exit


def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Edit faces in video: vidinv run input.mp4 --edit age=+2"""


# \b keeps the lines of a paragraph apart.
_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:3d}  {meaning}" for code, meaning in EXIT_CODES.items())

# Plain messages: a box around an error is in the way of whoever reads it in a log.
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.callback()(_start)
for command in (run, batch, preview, invert, mix, morph, compare, ui, doctor):
    app.command()(command)
app.add_typer(packs, name="packs")
app.add_typer(directions, name="directions")


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the program and leave with its exit code."""
    terminal.prepare()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' words to developers; ours go another way
    os.environ.setdefault("SVT_LOG", "1")  # libsvtav1 prints a banner through the middle of the progress bar
    catch_signals()
    code: str | int | None = 0
    try:
        app(args, prog_name="vidinv")
    except SystemExit as ending:
        code = ending.code
    except OSError as error:
        if not terminal.is_unwritten(error):
            raise
    finally:
        ignore_signals()
        unsaid = terminal.finish()
    sys.exit(code or unsaid)
