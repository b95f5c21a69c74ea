"""vidinv compare: measure an edited video against its source, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say


@guarded
def compare(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The video before.", show_default=False)],
    edited: Annotated[Path, typer.Argument(metavar="EDITED", help="The video after.", show_default=False)],
    report: o.Reports = [],  # noqa: B006, typer copies it
    lpips: o.LpipsWeights = None,
    pack: o.Pack = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    batch: o.Batch = 8,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Measure an edited video against its source: the same report as run gives, for an edit made by any program."""
    # Late: a wrong file name need not wait for torch.
    from vidinv.cli import files, progress, summary
    from vidinv.compare import compare_videos
    from vidinv.report.quality import QualityOptions
    from vidinv.types import Progress

    for path in report:
        files.check_report(path, source, overwrite, edited)
    with progress.shown(Console(stderr=True), quiet) as tell:
        done = compare_videos(
            source,
            edited,
            pack=pack,
            device=device,
            precision=precision,
            batch=batch,
            quality=QualityOptions(lpips=lpips),
            progress=lambda frames, total: tell(Progress(frames, total, 0)),
        )
    for warning in done.warnings:
        say(f"warning: {warning}")
    files.write_reports(done, report)
    if not quiet:
        summary.show_comparison(done, Console(), verbose)
