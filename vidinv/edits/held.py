"""The guard against leaking: what an edit moves beside what was asked for is measured on this very face, and taken out.

The pack's attribute network looks at the crop, and at the crop with what the edit changes in its region. What has moved
of the held is brought back by the pack's own edits of it, in the amounts that Newton's method finds with the response
that was measured on this face. Everything is measured once for a person in a shot, at whole steps of the edit, and is
linear in between and down to zero: an edit that does not act corrects nothing, and nothing flickers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.edits.base import Edit
from vidinv.edits.library import resolve
from vidinv.edits.parse import Asked, EditRequest
from vidinv.edits.transfer import Transfer
from vidinv.errors import UsageError
from vidinv.faces.masks import oval
from vidinv.faces.quads import quad_to_affine, transform_points
from vidinv.faces.regions import union
from vidinv.models.attributes import SCORES, AttributeNet
from vidinv.models.generator import edited_feature
from vidinv.models.pictures import to_tensor
from vidinv.models.synthesis import StyleGenerator
from vidinv.packs.load import Pack
from vidinv.types import Code, Displacement, Face, known

PROBE = 0.5  # steps of a held attribute's edit by which its response is measured
MOST = 3.0  # steps of it that are added or taken away, at most
DAMPING = 0.02  # standard deviations a step: an edit that answers less is not relied upon
ROUNDS = 4  # of Newton's method, at most
CLOSE = 0.02  # standard deviations: what moves by less is held


@dataclass(frozen=True)
class Guard:
    """What is held in a run, and what measures it."""

    names: tuple[str, ...]
    """Of vidinv.models.attributes.SCORES."""
    scales: tuple[float, ...]
    """Standard deviation of each over faces, on the scale of :meth:`AttributeNet.scores`."""
    own: tuple[Edit, ...]
    """The pack's edit of each, one step."""
    asked: tuple[str, ...]
    """Name of each edit of the run, in their order; "" of one that is none of the pack's."""
    generator: StyleGenerator
    attributes: AttributeNet


@dataclass(frozen=True)
class Knot:
    """What was found at a whole number of steps of an edit."""

    steps: tuple[float, ...]
    """Of the edit of each held attribute, that are added."""
    without: tuple[float, ...]
    """By how much each moves without them, standard deviations."""
    left: tuple[float, ...]
    """And with them."""

    def __mul__(self, share: float) -> Knot:
        return Knot(*(tuple(share * x for x in part) for part in (self.steps, self.without, self.left)))

    def __add__(self, other: Knot) -> Knot:
        both = ((self.steps, other.steps), (self.without, other.without), (self.left, other.left))
        return Knot(*(tuple(a + b for a, b in zip(*pair, strict=True)) for pair in both))


@dataclass(frozen=True)
class Answers:
    """What is known of one edit on one person in one shot."""

    towards: Displacement
    """Where the edit went when it was first looked at: a later one the other way has knots of its own."""
    knots: Mapping[int, Knot] = field(default_factory=dict)
    """By steps; below zero the other way."""


@dataclass(frozen=True)
class Held:
    """What is known of a person in a shot."""

    pushes: tuple[Displacement, ...]
    """One step of each held attribute on this face."""
    answers: Mapping[int, Answers] = field(default_factory=dict)
    """By the edit's number."""


@dataclass(frozen=True)
class Stride:
    """What one edit did to a face in a frame."""

    edit: int
    """Its number in the run."""
    moved: Displacement
    amount: float
    """Steps of it, without sign."""


def guarded(asked: Sequence[Asked], hold: Sequence[str], pack: Pack) -> tuple[tuple[Edit, ...], Guard | None]:
    """The edits of a run, and what holds; None where nothing is held.

    With something to hold every request is an edit of its own, since each leaks by itself. Those that ask a network
    come first, as in :func:`vidinv.edits.library.resolve`.

    :raises UsageError: what cannot be held. :raises UnknownEdit, MalformedEdit: as of ``resolve``.
    """
    everything = resolve(asked, pack)
    for one in asked:
        if isinstance(one, Transfer) and one.pack_hash != pack.hash:
            raise UsageError(
                f"{one} was made by another pack, whose codes mean nothing to {pack.name}; make it by this one"
            )
    if not hold:
        return everything, None
    names = tuple(dict.fromkeys(hold))
    can = holdable(pack)
    if wrong := [name for name in names if name not in can]:
        why = (
            f"it can hold {', '.join(can)}"
            if can
            else "it can hold nothing: that takes an attributes network and edits whose scale pack.toml says"
        )
        raise UsageError(f"pack {pack.name} cannot hold {wrong[0]}; {why}")
    order = sorted(
        asked, key=lambda one: not (isinstance(one, EditRequest) and known(pack.edit(one.name)).kind == "network")
    )
    mine = tuple(one.name if isinstance(one, EditRequest) else "" for one in order)
    scales = tuple(pack.spec.edits[name].scale for name in names)
    own = tuple(resolve([EditRequest(name, 1.0)], pack)[0] for name in names)
    edits = tuple(edit for one in order for edit in resolve([one], pack))
    return edits, Guard(names, scales, own, mine, pack.generator, pack.attributes)


def holdable(pack: Pack) -> list[str]:
    """What a pack can hold: what its attribute network reads, one of its edits changes, and whose scale it says."""
    edits = pack.spec.edits
    return sorted(n for n in SCORES if n in edits and edits[n].scale > 0) if pack.has("attributes") else []


def hold_back(
    guard: Guard, so_far: Held | None, source: Code, strides: Sequence[Stride], face: Face, time: float
) -> tuple[Held, Displacement | None, dict[str, tuple[float, float]]]:
    """What is to be added to a face's edited code, so that what is held stays.

    :param so_far: what is known of the person; None: nothing. :param source: what the edits began with.
    :return: what is known now; the displacement, None where there is nothing to correct; and by held attribute by how
        much the edits move it without and with the correction, standard deviations, as was measured.
    """
    known_now = so_far or Held(tuple(_between(source, one.apply(source, face, time)[0]) for one in guard.own))
    found: list[Knot] = []
    for stride in (one for one in strides if one.amount > 0):
        answers = known_now.answers.get(stride.edit) or Answers(stride.moved)
        way = 1 if _along(stride.moved, answers.towards) >= 0 else -1
        below = int(stride.amount)
        for steps in (below, below + 1):
            needed = steps > 0 and not (steps > below and stride.amount == below)
            if needed and way * steps not in answers.knots:
                whole = stride.moved * (steps / stride.amount)
                knot = _solved(guard, known_now.pushes, guard.asked[stride.edit], source, whole, face)
                answers = replace(answers, knots={**answers.knots, way * steps: knot})
        known_now = replace(known_now, answers={**known_now.answers, stride.edit: answers})
        found.append(_at(answers.knots, way, stride.amount, len(guard.names)))
    if not found:
        return known_now, None, {}
    total = reduce(add, found)
    pushed = [push * steps for push, steps in zip(known_now.pushes, total.steps, strict=True) if steps]
    told = dict(zip(guard.names, zip(total.without, total.left, strict=True), strict=True))
    return known_now, reduce(add, pushed) if pushed else None, told


def _at(knots: Mapping[int, Knot], way: int, amount: float, count: int) -> Knot:
    """Between the knots on either side of an amount; of none at all, nothing."""
    below = int(amount)
    nothing = Knot(*((0.0,) * count,) * 3)
    low = knots[way * below] if below else nothing
    return low if amount == below else low * (below + 1 - amount) + knots[way * (below + 1)] * (amount - below)


def _solved(
    guard: Guard, pushes: tuple[Displacement, ...], asked: str, source: Code, moved: Displacement, face: Face
) -> Knot:
    """The steps of each held attribute that bring it back, by Newton's method; of all that were tried the best."""
    free = [i for i, name in enumerate(guard.names) if name != asked]
    eye = np.eye(len(guard.names))
    look = _Look(guard, source, face)

    def moves(tried: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        pushed = [reduce(add, (p * float(x) for p, x in zip(pushes, steps, strict=True)), moved) for steps in tried]
        return look.moved([one.of(source) for one in pushed])

    nothing = np.zeros(len(guard.names))
    first = moves([nothing, *(PROBE * eye[i] for i in free)])
    steps, left = [nothing], [first[0]]
    if free:
        response = ((first[1:] - first[0]) / PROBE)[:, free].T  # [held, edit of a held]
        damped = response.T @ response + DAMPING**2 * np.eye(len(free))
        for _ in range(ROUNDS):
            if np.abs(left[-1][free]).max() < CLOSE:
                break
            more = nothing.copy()
            more[free] = -np.linalg.solve(damped, response.T @ left[-1][free])
            steps.append(np.clip(steps[-1] + more, -MOST, MOST))
            left.append(moves(steps[-1:])[0])
    best = min(range(len(steps)), key=lambda i: float(np.square(left[i][free]).sum()))
    counted = eye[free].sum(0) if free else nothing  # what was asked for does not leak
    return Knot(*(tuple((x * counted).tolist()) for x in (steps[best], left[0], left[best])))


class _Look:
    """The attribute network on pictures of one face, which an edit has changed where it may."""

    def __init__(self, guard: Guard, source: Code, face: Face) -> None:
        self.guard, self.source = guard, source
        self.noise = None if source.noise is None else source.noise[None]
        with torch.inference_mode():
            self.native, below = guard.generator.below(source.w[None], self.noise)
            self.before = guard.generator.render_from(source.w[None], source.feature[None], below, self.noise).float()
        side = self.before.shape[-1]
        points = None if face.points is None else transform_points(quad_to_affine(known(face.quad), side), face.points)
        where = union(face.regions, oval(side, content=face.content), points, side)
        self.where = 1.0 if where is None else torch.from_numpy(where).to(self.before)
        # What a viewer sees is the change on the face's own pixels, and a network reads it otherwise on the inversion.
        self.shown = self.before if face.crop is None else to_tensor(face.crop[None], str(self.before.device))
        self.scores = self._scores(self.shown)

    def moved(self, codes: Sequence[Code]) -> NDArray[np.float64]:
        """[N, held] by how much each held attribute has moved, standard deviations."""
        w, feature = torch.stack([code.w for code in codes]), torch.stack([code.feature for code in codes])
        noise = None if self.noise is None else self.noise.expand(len(w), -1)
        with torch.inference_mode():
            native, below = self.guard.generator.below(w, noise)
            drawn = edited_feature(feature, self.native.float(), native.float())
            after = self.guard.generator.render_from(w, drawn, below, noise).float()
        return self._scores(self.shown + self.where * (after - self.before)) - self.scores

    @torch.inference_mode()
    def _scores(self, pictures: Tensor) -> NDArray[np.float64]:
        read = self.guard.attributes.scores(pictures.clamp(-1, 1))
        columns = [read[name] / scale for name, scale in zip(self.guard.names, self.guard.scales, strict=True)]
        return torch.stack(columns, 1).double().cpu().numpy()


def _between(code: Code, other: Code) -> Displacement:
    return Displacement(other.w - code.w, other.feature - code.feature)


def _along(a: Displacement, b: Displacement) -> float:
    """Dot product."""
    return float((a.w * b.w).sum()) + float((known(a.feature) * known(b.feature)).sum())
