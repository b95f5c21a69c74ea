"""Where a benchmark's figures go: runs/benchmarks, unless they are meant for the docs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vidinv.errors import VidinvError

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "runs" / "benchmarks"  # git ignores it
RESULTS = ROOT / "benchmarks" / "results"  # in git: what the tables of README and docs are filled with


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options --out and --publish."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, help="where to write the figures; default: under runs/benchmarks")
    where.add_argument(
        "--publish",
        action="store_true",
        help="write to benchmarks/results, then fill the tables with benchmarks.tables",
    )


def destination(options: argparse.Namespace, name: str) -> Path:
    """The file or folder called ``name`` of one benchmark. Nothing that git keeps is written by the way."""
    return options.out or (RESULTS if options.publish else RUNS) / name


def write_atomically(path: Path, value: Any) -> None:
    """JSON; the file is there whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def tell(result: dict[str, Any], path: Path) -> None:
    """Print the figures, and write them."""
    print(json.dumps(result, indent=1))
    write_atomically(path, result)
    print(f"written: {path}")


def conclude(work: Callable[[], Any]) -> None:
    """The end of a benchmark's ``main``: what cannot be measured is said, and the exit code is the error's."""
    try:
        work()
    except VidinvError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
