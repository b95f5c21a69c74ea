"""What an edit along the normals leaves alone, in W+ and in W*, at equal effect, in pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from vidinv.models.generator import Generator
from vidinv.models.latent_flow import LatentFlow
from vidinv.training.card import Effect, Move, along, effects, through
from vidinv.training.directions import Faces
from vidinv.training.labelling import Labelling
from vidinv.types import Displacement

EDITED = ("age", "gender")
LENGTHS = (4.0, 8.0, 16.0, 32.0, 64.0)  # that are tried: standard deviations of the codes along the normal
FACES = 0.5  # identity that is kept on average; below it pictures are hardly faces, and scores read off them are noise
SHARE = 0.8  # of the most that both spaces reach: the effect at which they are compared


@dataclass(frozen=True)
class Bench:
    generator: Generator
    labelling: Labelling
    tried: Faces  # training faces, on which lengths are found
    faces: Faces  # validation faces, on which leaks are measured


@torch.inference_mode()
def styled(generator: Generator, faces: Faces) -> Faces:
    """The same faces as w alone draws them: with F that is G^K(w), all of an edit is in the styles."""
    return replace(faces, feature=torch.cat([generator.features(w) for w in faces.w.split(32)]))


def ways(flow: LatentFlow, name: str, w: torch.Tensor) -> dict[str, Move]:
    """An edit in either space; a step is one standard deviation of codes [N, L, D] along the normal."""
    number = flow.config.attributes.index(name)
    normal = flow.normals[number]
    spread = {"W+": (flow.standardised(w) @ normal).std(), "W*": (flow(w) @ normal).std()}
    line = normal.view_as(flow.spread) * flow.spread * spread["W+"]
    walk = through(flow, number)
    scale = float(spread["W*"] / flow.steps[number])
    return {"W+": along(Displacement(line)), "W*": lambda code, steps: walk(code, steps * scale)}


def measured(bench: Bench, name: str, move: Move, lengths: tuple[float, ...], faces: Faces) -> list[Effect]:
    return effects(name, move, lengths, bench.generator, faces, bench.labelling, None)


def leak(effect: Effect, name: str) -> float:
    """Root mean square of the mean changes of all other scores, standard deviations."""
    others = [change for other, change in effect.moved.items() if other != name]
    return float(np.sqrt(np.mean(np.square(others))))


def told(effect: Effect, name: str) -> dict[str, Any]:
    own = {"effect": effect.change[name], "effect_sd": effect.moved[name], "leak": leak(effect, name)}
    return own | {"moved": effect.moved, "identity": effect.identity}


def length_for(target: float, reached: list[float]) -> float:
    """Where the first of LENGTHS, whose mean effects are ``reached``, come to the target: linearly between."""
    lengths, effects = np.array([0.0, *LENGTHS[: len(reached)]]), np.array([0.0, *reached])
    end = int(np.flatnonzero(effects >= target)[0])
    ends = slice(end - 1, end + 1)
    return float(np.interp(target, effects[ends], lengths[ends]))


@torch.inference_mode()
def at_equal_effect(bench: Bench, flow: LatentFlow, name: str, w: torch.Tensor) -> dict[str, Any]:
    """Figures of one edit upwards in G(w) alone, in either space, and of the same lengths in G(w, F).

    :param w: codes whose spread along the normals is the measure of lengths.
    :return: under "spaces" nothing, where one of the spaces does not reach any effect.
    """
    moves, alone = ways(flow, name, w), styled(bench.generator, bench.tried)
    curves = {space: measured(bench, name, move, LENGTHS, alone) for space, move in moves.items()}
    reached = {
        space: [e.change[name] for e in takewhile(lambda e: e.identity >= FACES, curve)]
        for space, curve in curves.items()
    }
    target = SHARE * min(max(changes, default=0.0) for changes in reached.values())
    found: dict[str, Any] = {"target": target, "reached": reached, "spaces": {}}
    if target <= 0:
        return found
    alone = styled(bench.generator, bench.faces)
    for space, move in moves.items():
        length = length_for(target, reached[space])
        [by_styles], [whole] = (measured(bench, name, move, (length,), faces) for faces in (alone, bench.faces))
        found["spaces"][space] = {"length": length, "G(w)": told(by_styles, name), "G(w, F)": told(whole, name)}
    return found
