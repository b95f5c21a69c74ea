"""Measure inversion and edits on RAVDESS, or on any folder of clips.

    python -m benchmarks.ravdess --root RAVDESS/ [--videos 120] [--seed 0] [--methods feature-style] [--lpips FILE]
    python -m benchmarks.ravdess --clips FOLDER [--publish | --out FOLDER]

Writes OUT/results.json (every video, the means, the pack's hash), table.md and plots. It may be stopped at any time:
what is finished lies in OUT/videos and is not measured again under the same settings.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.output import add_output, conclude, destination, write_atomically
from benchmarks.ravdess.dataset import LAYOUT, Clip, find_clips, find_ravdess, sample
from benchmarks.ravdess.measure import METHODS, Bench, Settings, check_methods
from benchmarks.ravdess.report import plot, summarise, written
from benchmarks.ravdess.run import Row, fingerprint, run_all
from vidinv.packs.load import load_pack


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--root", type=Path, help=f"the data set: {LAYOUT}")
    where.add_argument("--clips", type=Path, help="any folder of videos, all of which are measured")
    parser.add_argument("--videos", type=int, default=120, help="how many of RAVDESS, balanced over its actors")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--methods", default="feature-style", help=f"inversions, by commas: {', '.join(METHODS)}")
    parser.add_argument("--edits", default="age=+2,smile=+1", help="by commas; empty: inversion only")
    parser.add_argument("--pack", help="name or folder of a model pack")
    parser.add_argument("--lpips", metavar="FILE", help="weights of LPIPS' trunk (torchvision's squeezenet1_1, ...)")
    parser.add_argument("--workers", type=int, default=max(1, cores // 4), help="processes")
    parser.add_argument("--threads", type=int, default=min(4, cores), help="threads of each process")
    add_output(parser)
    return parser.parse_args(args)


def measured(clips: list[Clip], out: Path, settings: Settings, options: argparse.Namespace, mark: str) -> list[Row]:
    """With a progress bar."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("videos", total=len(clips))

        def done(clip: Clip, row: Row) -> None:
            bar.advance(task)
            if "error" in row:
                bar.console.print(f"{clip.path.name}: {row['error']}", markup=False, highlight=False)

        return run_all(clips, out, settings, mark, workers=options.workers, threads=options.threads, done=done)


def run(options: argparse.Namespace) -> int:
    """:return: exit code; 0 if at least one video was measured."""
    split = lambda text: tuple(part.strip() for part in text.split(",") if part.strip())  # noqa: E731
    settings = Settings(options.pack, split(options.methods), split(options.edits), options.lpips)
    check_methods(settings.methods)
    if options.root is not None:
        clips, missing = find_ravdess(options.root)
        clips, kind = sample(clips, options.videos, options.seed), "ravdess"
        if len(clips) < options.videos:
            missing.append(f"{options.videos} videos were asked for, {len(clips)} are there")
    else:
        clips, missing, kind = find_clips(options.clips), [], "clips"
    out = destination(options, kind)
    pack = load_pack(options.pack)
    bench = Bench.of(settings)  # a wrong edit, pack or weights file shows now, not in every process
    for edit in settings.edits:
        bench.editor.edit_frames([], edit)
    trunk = f"LPIPS-{bench.lpips.trunk} v0.1" if bench.lpips else None
    del bench
    rows = measured(clips, out, settings, options, fingerprint(settings, pack.hash))
    result = {
        "set": kind,
        "seed": options.seed,
        "pack": {"name": pack.name, "hash": pack.hash},
        "resolution": pack.resolution,
        "networks": {"identity": pack.label("identity"), "lpips": trunk},
        "missing": missing,
        "means": summarise(rows),
        "videos": rows,
    }
    write_atomically(out / "results.json", result)
    text = "\n".join(written(result))
    (out / "table.md").write_text(text + "\n", encoding="utf-8")
    plots = plot(result, out)
    print(text)
    print(*[f"written: {p}" for p in (out / "results.json", out / "table.md", *plots)], sep="\n")
    return 0 if result["means"]["videos"] else 3


def main(args: list[str] | None = None) -> None:
    conclude(lambda: sys.exit(run(arguments(args))))


if __name__ == "__main__":
    main()
