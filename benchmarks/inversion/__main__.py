"""All inversion methods on the same faces and clips, beside the published rows.

    python -m benchmarks.inversion --data data/faces-128 --labellers LABELLERS [--clips CLIPS] [--pairs data/pairs-128]
    python -m benchmarks.inversion --faces FOLDER --lpips FILE --parts rows --rows feature-style,in-domain

Figures are written after every row and part, and merged with those that are there, so that one can go on with --rows
and --parts. Codes are kept under runs/benchmarks/inversion/codes, sheets go to runs/benchmarks/inversion, plots beside
the figures. What the figures mean: docs/inversion.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.inversion import clips, editing, experiments, progress, rows, semantics
from benchmarks.inversion.bench import Bench, measure_row
from benchmarks.inversion.codes import Keeper
from benchmarks.inversion.rulers import rulers_of
from benchmarks.inversion.subjects import folder_faces, kept_faces
from benchmarks.output import RUNS, add_output, conclude, destination, write_atomically
from vidinv.errors import InputError, UsageError
from vidinv.packs.load import Pack, load_pack
from vidinv.runtime.compute import choose
from vidinv.training.teachers import load_teachers


def time_part(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    return progress.measure_progress(bench)


def clips_part(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    if options.clips is None:
        raise UsageError("--parts clips needs --clips, the folder of the clips")
    return clips.measure_clips(bench, options.clips)


def editing_part(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    return editing.measure_editing(bench)


def meaning_part(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "attributes": semantics.measure_semantics(bench, options.data),
        "interpolation": semantics.measure_interpolation(bench),
    }


def experiments_part(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    told = {"embedding": experiments.measure_embedding(bench), "mixing": experiments.measure_mixing(bench)}
    if options.pairs is not None:
        told["expression"] = experiments.measure_expression(bench, options.pairs)
    return told


PARTS: dict[str, Callable[[Bench, argparse.Namespace], dict[str, Any]]] = {
    "time": time_part,
    "clips": clips_part,
    "editing": editing_part,
    "meaning": meaning_part,
    "experiments": experiments_part,
}
PLOTS = {"time": progress.plot, "editing": editing.plot}
LABELLED = ("editing", "meaning", "experiments")  # parts that need the labelling networks
FEWEST = 4  # faces


def arguments(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--faces", type=Path, help="a folder of pictures")
    where.add_argument("--data", type=Path, help="a folder of prepared shards")
    parser.add_argument("--pack", help="name or folder of a model pack of faces")
    parser.add_argument("--labellers", type=Path, help="folder of labelling networks; editing needs them")
    parser.add_argument(
        "--lpips", type=Path, metavar="FILE", help="weights of LPIPS' trunk, in place of the labellers'"
    )
    parser.add_argument("--parts", default=",".join(["rows", *PARTS]), help="by commas; default: %(default)s")
    parser.add_argument("--rows", help=f"by commas, for all parts; default: {','.join(rows.ROWS)}")
    parser.add_argument("--clips", type=Path, help="folder of the clips, for the part clips")
    parser.add_argument("--pairs", type=Path, help="prepared shards of the same people twice, for experiments")
    parser.add_argument("--count", type=int, default=24, help="faces that all methods invert; default: %(default)s")
    parser.add_argument("--encoded", type=int, default=400, help="faces that encoders invert; default: %(default)s")
    parser.add_argument("--steps", type=int, help="of every search; default: each method's own")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of faces; default: %(default)s")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--work", type=Path, default=RUNS / "inversion", help="folder of codes and sheets")
    add_output(parser)
    return parser.parse_args(args)


def prepared(options: argparse.Namespace) -> Bench:
    """Everything that is measured and measured by. Raises a VidinvError."""
    pack, compute = load_pack(options.pack), choose("cpu", options.precision)
    nets = None if options.labellers is None else load_teachers(options.labellers)
    most = max(options.count, options.encoded)
    if options.faces is not None:
        faces = folder_faces(options.faces, pack, most, nets)
    else:
        faces = kept_faces(options.data, pack.resolution, most, options.seed)
    if len(faces.pictures) < FEWEST:
        raise InputError(f"{len(faces.pictures)} faces are too few to compare methods on; give at least {FEWEST}")
    keeper = Keeper(pack, compute, options.work / "codes", options.steps)
    count = min(options.count, len(faces.pictures))
    names = rows.chosen(options.rows)
    return Bench(pack, keeper, rulers_of(pack, nets, options.lpips), faces, count, options.work, names)


def setup(bench: Bench) -> dict[str, Any]:
    """What all figures of a file have in common."""
    return {
        "pack": bench.pack.name,
        "files": apart_from_domain(bench.pack),
        "resolution": bench.pack.resolution,
        "faces": bench.count,
        "encoded": len(bench.faces.pictures),
        "pictures": bench.faces.digest,
        "precision": str(bench.keeper.compute.dtype).removeprefix("torch."),
        "networks": bench.rulers.names,
    }


def apart_from_domain(pack: Pack) -> str:
    """By which a pack is known, whatever domain-guided encoder it has: that has a say in its own rows alone."""
    files = sorted((k, v) for k, v in pack.spec.files.items() if not k.startswith("domain_encoder"))
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]


def merged(before: Any, after: Any) -> Any:
    """Tables within tables, new values over old ones."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return after
    return before | {k: merged(before.get(k), v) for k, v in after.items()}


def earlier(path: Path, common: dict[str, Any]) -> dict[str, Any]:
    """The figures that are there. :raises UsageError: they are of something else."""
    if not path.is_file():
        return {"setup": common, "rows": {}}
    found = json.loads(path.read_text())
    for name, value in common.items():
        if found["setup"].get(name) != value:
            raise UsageError(
                f"{path} holds figures with {name} {found['setup'].get(name)}, not {value}; "
                "remove it, or write elsewhere with --out"
            )
    return found


def run(options: argparse.Namespace) -> None:
    parts = options.parts.split(",")
    if unknown := [p for p in parts if p != "rows" and p not in PARTS]:
        raise UsageError(f"--parts: no part {unknown[0]!r}; there are rows, {', '.join(PARTS)}")
    if options.labellers is None and (unread := [p for p in parts if p in LABELLED]):
        raise UsageError(f"--parts {unread[0]} needs --labellers, the folder of labelling networks")
    bench = prepared(options)
    folder = destination(options, "inversion")
    path = folder / "results.json"
    result = earlier(path, setup(bench))
    for name in bench.wanted if "rows" in parts else ():
        result["rows"][name] = measure_row(bench, name)
        print(name, json.dumps(result["rows"][name]), flush=True)
        result["rows"] = {n: result["rows"][n] for n in rows.ROWS if n in result["rows"]}
        write_atomically(path, result)
    for name in parts:
        if name != "rows":
            result[name] = merged(result.get(name), PARTS[name](bench, options))
            print(name, json.dumps(result[name]), flush=True)
            if name in PLOTS:
                PLOTS[name](result[name], folder / f"{name}.png")
            write_atomically(path, result)
    print(f"written: {path}, sheets: {bench.sheets}")


def main(args: list[str] | None = None) -> None:
    options = arguments(args)
    conclude(lambda: run(options))


if __name__ == "__main__":
    main()
