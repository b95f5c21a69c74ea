"""vidinv packs pull: fetch the published files that packs are made of."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import progress
from rich.console import Console

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.errors import UsageError, VidinvError

if TYPE_CHECKING:
    from vidinv.packs.published.catalogue import KnownFile


@guarded
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="What to fetch; without, what there is.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to.", show_default="downloads in the user's own packs")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept-licence", help="You have read the terms and may accept them; do not ask.")
    ] = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Fetch published files, after their terms are accepted. A broken download goes on where it stopped."""
    from vidinv.packs.locate import DEFAULT_PACK, downloads
    from vidinv.packs.published.catalogue import CATALOGUE

    known = {k.name: k for k in CATALOGUE}
    if not names:
        print("\n".join(described(k) for k in CATALOGUE))
        return
    unknown = [n for n in names if n not in known]
    if unknown:
        raise UsageError(f"no published file is called {unknown[0]!r}; there are {', '.join(known)}")
    fetched, failures = [], []
    for name in names:
        try:
            fetched.append(
                f"{known[name].option} {shlex.quote(str(_one(known[name], to or downloads(), accept, quiet)))}"
            )
        except VidinvError as error:
            say(f"error: {error}")
            failures.append(error)
    if fetched:
        alone = len(fetched) == 1 and fetched[0].startswith("--identity ")
        base = f"--base {DEFAULT_PACK} " if alone else ""
        print(f"vidinv packs import {base}{' '.join(fetched)} --name NAME")
    if failures:
        raise typer.Exit(failures[0].exit_code)


def _one(known: KnownFile, folder: Path, accept: bool, quiet: bool) -> Path:
    from vidinv.packs.digest import sha256
    from vidinv.packs.published.download import download

    if known.address is not None and not (folder / known.file).exists():
        _agree(known, accept)
    columns = (progress.TextColumn(known.file), progress.BarColumn(), progress.DownloadColumn())
    with progress.Progress(
        *columns, progress.TransferSpeedColumn(), console=Console(stderr=True), disable=quiet
    ) as bar:
        task = bar.add_task(known.file, total=known.size)
        path = download(known, folder, told=lambda there, total: bar.update(task, completed=there, total=total))
    if known.sha256 is None:
        say(f"warning: {path} is unchecked, since no sha256 of it was published; its own is {sha256(path)}")
    return path


def _agree(known: KnownFile, accept: bool) -> None:
    """:raises UsageError: the terms are not accepted."""
    for line in described(known).splitlines():
        say(line)
    if accept:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is there to accept the terms of {known.file}; read them, then add --accept-licence")
    if not typer.confirm("Do you accept these terms?", err=True):
        raise UsageError(f"the terms of {known.file} were not accepted, so it was not fetched")


def described(known: KnownFile) -> str:
    """What it is, under which terms, and where it is: three lines."""
    size = "" if known.size is None else f", {known.size / 1e6:.2f} MB"
    size += "" if known.sha256 else ", no sha256 published"
    by_hand = "" if known.address else ", to be fetched by hand"
    return f"{known.name}: {known.purpose} ({known.file}{size})\n    {known.licence}\n    {known.page}{by_hand}"
