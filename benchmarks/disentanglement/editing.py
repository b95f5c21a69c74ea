"""What an edit along the normals leaves alone, in W+ and in W*, at equal effect, in the pictures of the whole pack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from vidinv.models.generator import Generator
from vidinv.models.latent_flow import LatentFlow
from vidinv.training.card import Effect, Move, along, effects, through
from vidinv.training.directions import Faces, calibrate
from vidinv.training.labelling import Labelling
from vidinv.types import Displacement

EDITED = ("age", "gender")
LONGEST = 6.0  # standard deviations of the codes along the normal
TRIED = 4  # lengths up to it
SHARE = 0.8  # of the most that both spaces reach: the effect at which they are compared


@dataclass(frozen=True)
class Bench:
    generator: Generator
    labelling: Labelling
    tried: Faces  # training faces, on which lengths are found
    faces: Faces  # validation faces, on which leaks are measured


def ways(flow: LatentFlow, name: str, w: torch.Tensor) -> dict[str, Move]:
    """An edit in either space; a step is one standard deviation of codes [N, L, D] along the normal."""
    number = flow.config.attributes.index(name)
    normal = flow.normals[number]
    spread = {"W+": (flow.standardised(w) @ normal).std(), "W*": (flow(w) @ normal).std()}
    line = normal.view_as(flow.spread) * flow.spread * spread["W+"]
    walk = through(flow, number)
    scale = float(spread["W*"] / flow.steps[number])
    return {"W+": along(Displacement(line)), "W*": lambda code, steps: walk(code, steps * scale)}


def _changes(bench: Bench, name: str, move: Move, faces: Faces) -> Callable[[list[float]], list[float]]:
    return lambda lengths: [e.change[name] for e in measured(bench, name, move, lengths, faces)]


def measured(bench: Bench, name: str, move: Move, lengths: list[float], faces: Faces) -> list[Effect]:
    return effects(name, move, lengths, bench.generator, faces, bench.labelling, None)


def leak(effect: Effect, name: str) -> float:
    """Root mean square of the mean changes of all other scores, standard deviations."""
    others = [change for other, change in effect.moved.items() if other != name]
    return float(np.sqrt(np.mean(np.square(others))))


@torch.inference_mode()
def at_equal_effect(bench: Bench, flow: LatentFlow, name: str, w: torch.Tensor) -> dict[str, Any]:
    """Figures of one edit upwards, in either space.

    :param w: codes whose spread along the normals is the measure of lengths.
    """
    found: dict[str, dict[str, Any]] = {}
    moves = ways(flow, name, w)
    lengths = np.linspace(0, LONGEST, TRIED + 1)[1:].tolist()
    reached = {space: _changes(bench, name, move, bench.tried)(lengths) for space, move in moves.items()}
    target = SHARE * min(max(changes) for changes in reached.values())
    for space, move in moves.items():
        length = calibrate(lambda _, space=space: reached[space], target, LONGEST, TRIED)
        [effect] = measured(bench, name, move, [length], bench.faces)
        found[space] = {
            "length": length,
            "effect": effect.change[name],
            "effect_sd": effect.moved[name],
            "leak": leak(effect, name),
            "moved": effect.moved,
            "identity": effect.identity,
            "curve": dict(zip(map(str, lengths), reached[space], strict=True)),
        }
    return {"target": target, "spaces": found}
