"""vidinv ui: a page to edit on, in the browser."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.packs.locate import user_packs


@guarded
def ui(
    pack: o.Pack = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Whom to answer; 0.0.0.0: everybody who reaches this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Where.")] = 7860,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", show_default="vidinv/page in the user's data", help="Of the queue."),
    ] = None,
    max_upload: Annotated[int, typer.Option("--max-upload", metavar="MB", help="How large a video may be.")] = 2000,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Edit on a page in the browser (an extra): pip install "vidinv[ui]".

    It answers this machine only, and asks nothing of any other. Videos that are dropped are removed when their page is
    left; jobs in the queue, and what came of them, stay until they are removed, or a week.
    """
    from vidinv.page.serve import LOOPBACK, PageOptions, require_gradio, serve

    require_gradio()
    # Late: that something is missing need not wait for torch.
    from vidinv.api import VideoEditor

    options = PageOptions(folder or _home(), pack, host, port, max_upload, device, precision)
    if host not in LOOPBACK:
        say(f"warning: everybody who reaches {host} can use this page; it asks for no password")
    ready = _silent if quiet else print
    serve(options, partial(VideoEditor, options.pack, device=device, precision=precision), ready)


def _silent(where: str) -> None: ...


def _home() -> Path:
    return Path(os.environ.get("VIDINV_PAGE") or user_packs().parent / "page")
