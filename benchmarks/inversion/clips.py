"""The methods on neighbouring frames: how near, how steady, and what a start at the frame before is worth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.faces import longest_seen
from benchmarks.inversion.bench import Bench
from benchmarks.inversion.codes import to_device
from benchmarks.inversion.rows import EDITED, I2S, ROWS
from benchmarks.inversion.subjects import Subjects, placed
from vidinv.errors import InputMissing
from vidinv.inversion import Inverted
from vidinv.inversion.base import together
from vidinv.metrics.identity import consistency, local_consistency
from vidinv.metrics.temporal import warping_error
from vidinv.models.pictures import to_levels, to_tensor

CLIPS = ("frontal_720p_aac.mp4",)
FRAMES, SKIPPED = 8, 20  # of the person who is longest in sight, and of them before those
WARM = I2S + ", from the frame before"


@dataclass(frozen=True)
class Way:
    """A method in a video."""

    name: str
    """Of its row."""
    warm: bool = False


WAYS = {name: Way(name) for name in EDITED} | {WARM: Way(I2S, warm=True)}


def measure_clips(bench: Bench, folder: Path) -> dict[str, Any]:
    """Every clip by every way. :raises InputMissing: a clip is not there."""
    found: dict[str, Any] = {}
    names = {name: way for name, way in WAYS.items() if bench.possible((way.name,))}
    for clip in CLIPS:
        if not (folder / clip).is_file():
            raise InputMissing(f"{folder / clip} is missing; give --clips the folder that holds it")
        crops = longest_seen(folder / clip, bench.pack)[SKIPPED : SKIPPED + FRAMES]
        frames = placed(to_tensor(crops), bench.rulers.nets)
        found[Path(clip).name] = {name: _measured(bench, way, frames) for name, way in names.items()}
    return {"frames": FRAMES, "clips": found}


def _measured(bench: Bench, way: Way, frames: Subjects) -> dict[str, float | int]:
    code = _warm(bench, frames.pictures) if way.warm else bench.of(way.name, frames)
    made = bench.drawn(code)
    figures = {k: float(v.double().mean()) for k, v in bench.rulers.pairs(made, frames).items()}
    mine, theirs = (bench.rulers.identities(p, frames) for p in (made, frames.pictures))
    for name in mine:
        figures[f"{name}_consistency"] = consistency(mine[name].numpy())
        figures[f"{name}_consistency_source"] = consistency(theirs[name].numpy())
        figures[f"{name}_local"] = local_consistency(theirs[name].numpy(), mine[name].numpy())
    return figures | {
        "jitter": jitter(code, bench),
        "warping_error_ratio": _warping(frames.pictures, made),
        "steps": _steps(bench, way, len(made)),
    }


def _warm(bench: Bench, pictures: Tensor) -> Inverted:
    """Image2StyleGAN's codes of neighbouring frames [N, 3, S, S], each from the one before."""
    invert, compute, rows = bench.keeper.inverter(ROWS[I2S]), bench.keeper.compute, list[Inverted]()
    for picture in pictures.split(1):
        with compute.autocast():
            rows.append(invert(to_device(picture, compute), rows[-1] if rows else None))
    return together(rows)


def _steps(bench: Bench, way: Way, frames: int) -> float:
    """That a frame takes, on average."""
    invert = bench.keeper.inverter(ROWS[way.name])
    if not invert.searches:
        return 0.0
    later = invert.options.warm_steps if way.warm else invert.options.steps
    return (invert.options.steps + later * (frames - 1)) / frames


def jitter(code: Inverted, bench: Bench) -> float:
    """How far the styles move between neighbouring frames, over how far they are from the mean latent."""
    mean = bench.keeper.inverter(ROWS[I2S]).networks.mean_latent
    moved = (code.w[1:] - code.w[:-1]).flatten(1).norm(dim=1).mean()
    return float(moved / (code.w - mean).flatten(1).norm(dim=1).mean())


def _warping(source: Tensor, made: Tensor) -> float:
    """Warping error of the inversions over the crops' own, in the crops."""
    before, after = (np.rint(to_levels(p)).astype(np.uint8) for p in (source, made))
    errors = [warping_error(a, b) for a, b in zip(pairwise(before), pairwise(after), strict=True)]
    own, theirs = np.nansum(np.array(errors), 0)
    return float(theirs / own)
