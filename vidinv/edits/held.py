"""The guard against leaking: what edits move beside what was asked for is measured on this very face, and taken out.

The pack's attribute network looks at the crop, and at the crop with what all edits together change in their regions:
what two edits leak is not the sum of what either leaks. What has moved of the held is brought back by the pack's own
edits of it, in the amounts that Newton's method finds with the response that was measured on this face.

A face's edits are a point: how much of each acts, in units of about a step of which the most that it was asked for is a
whole number. Knots are the points of whole numbers, each measured once for a person in a shot, when the first frame
comes that needs it, with all the edits at just these amounts and their regions whole. Between knots the correction is
linear over the simplex that the point lies in (vidinv.edits.lattice), and nothing where nothing acts. So edits of
constant strengths take one measurement, one that comes and goes one for each step, and two that do so n + 1 at a time
at most; the correction is continuous in the amounts, through zero too, and no frame's own content makes it flicker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.edits.base import Edit
from vidinv.edits.lattice import Corner, corners, unit
from vidinv.edits.library import resolve
from vidinv.edits.parse import Asked, EditRequest
from vidinv.edits.strength import Parts
from vidinv.edits.transfer import Transfer
from vidinv.errors import UsageError
from vidinv.faces.masks import oval
from vidinv.faces.quads import in_crop
from vidinv.faces.regions import Touch, colours, together, union
from vidinv.models.attributes import AttributeNet
from vidinv.models.face_colours import in_face_colours
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
ENOUGH = 0.5  # steps of a user's edit that are measured as they are; less says little of what a whole step does


@dataclass(frozen=True)
class Guard:
    """What is held in a run, and what measures it."""

    names: tuple[str, ...]
    """Of what ``attributes`` reads."""
    scales: tuple[float, ...]
    """Standard deviation of each over faces, on the scale of :meth:`AttributeNet.scores`."""
    own: tuple[Edit, ...]
    """The pack's edit of each, one step."""
    generator: StyleGenerator
    attributes: AttributeNet


@dataclass(frozen=True)
class Knot:
    """What was found at whole units of the edits."""

    steps: tuple[float, ...]
    """Of the edit of each held attribute, that are added."""
    without: tuple[float, ...]
    """By how much each moves without them, standard deviations, beyond what edits of its own name move it."""
    left: tuple[float, ...]
    """And with them."""

    def __mul__(self, share: float) -> Knot:
        return Knot(*(tuple(share * x for x in part) for part in (self.steps, self.without, self.left)))

    def __add__(self, other: Knot) -> Knot:
        both = ((self.steps, other.steps), (self.without, other.without), (self.left, other.left))
        return Knot(*(tuple(a + b for a, b in zip(*pair, strict=True)) for pair in both))


@dataclass(frozen=True)
class First:
    """What is kept of the first frame in which an edit acted that can be asked for no other amount than a frame's."""

    towards: Displacement
    """Where it went: a later one the other way has knots of its own."""
    unit: float
    """Steps."""


@dataclass(frozen=True)
class Held:
    """What is known of a person in a shot."""

    pushes: tuple[Displacement, ...]
    """One step of each held attribute on this face."""
    knots: Mapping[Corner, Knot] = field(default_factory=dict)
    """By how many units of each edit."""
    firsts: Mapping[int, First] = field(default_factory=dict)
    """By the number of the edit in the run; of those that are no Parts."""


@dataclass(frozen=True)
class Stride:
    """What one edit did to a face in a frame."""

    edit: Edit
    moved: Displacement
    amount: float
    """Steps of it, without sign."""


@dataclass(frozen=True)
class Axis:
    """One thing that can be done to a face: a part of an edit, or the whole of one that is no Parts."""

    name: str
    """Of the pack's edit, or ""."""
    at: float
    """Units that act in this frame, with their sign."""
    unit: float
    """Steps."""


def guarded(asked: Sequence[Asked], hold: Sequence[str], pack: Pack) -> tuple[tuple[Edit, ...], Guard | None]:
    """The edits of a run, and what holds; None where nothing is held.

    :raises UsageError: what cannot be held, or has nothing to be held against. :raises UnknownEdit, MalformedEdit: as
        of ``resolve``.
    """
    edits = resolve(asked, pack)
    for one in asked:
        if isinstance(one, Transfer) and not pack.made(one.pack_hash):
            raise UsageError(
                f"{one} was made by another pack, whose codes mean nothing to {pack.name}; make it by this one"
            )
    if not hold:
        return edits, None
    if not isinstance(hold, Iterable):
        raise UsageError(f"what is to be held is {hold!r:.80}; give the names of attributes")
    names, can = tuple(dict.fromkeys([hold] if isinstance(hold, str) else hold)), holdable(pack)
    for name in names:
        _check(name, can, asked, pack)
    scales = tuple(pack.spec.edits[name].scale for name in names)
    own = tuple(resolve([EditRequest(name, 1.0)], pack, in_frame=False)[0] for name in names)
    return edits, Guard(names, scales, own, pack.generator, pack.attributes)


def _check(name: str, can: Sequence[str], asked: Sequence[Asked], pack: Pack) -> None:
    told = (
        f"it can hold {', '.join(can)}"
        if can
        else "it can hold nothing: that takes an attributes network and edits whose scale pack.toml says"
    )
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"what is to be held has an empty name; pack {pack.name}: {told}")
    if name not in can:
        raise UsageError(f"pack {pack.name} cannot hold {name}; {told}")
    if all(isinstance(one, EditRequest) and one.name == name for one in asked):
        raise UsageError(
            f"{name} cannot be held: every edit is of {name}, and none is there that could move it beside what was "
            "asked for; hold another, or leave it out"
        )


def holdable(pack: Pack) -> list[str]:
    """What a pack can hold: what its attribute network reads, one of its edits changes, and whose scale it says."""
    edits = pack.spec.edits
    return sorted(n for n in pack.scores if n in edits and edits[n].scale > 0)


def hold_back(
    guard: Guard, so_far: Held | None, source: Code, strides: Sequence[Stride], face: Face, time: float
) -> tuple[Held, Displacement | None, dict[str, tuple[float, float]]]:
    """What is to be added to a face's edited code, so that what is held stays.

    An edit that is no Parts (one of a user's own) can be asked for no other amount than a frame's: its knots are
    measured with what it does in the first frame that needs them, in proportion.

    :param so_far: what is known of the person; None: nothing. :param source: what the edits began with.
    :param strides: of every edit of the run, in order.
    :return: what is known now; the displacement, None where there is nothing to correct; and by held attribute by how
        much the edits move it without and with the correction, standard deviations, as was measured.
    """
    known_now = so_far or Held(tuple(_between(source, one.apply(source, face, time)[0]) for one in guard.own))
    known_now = replace(known_now, firsts=_firsts(known_now.firsts, strides))
    axes = [_axes(stride, known_now.firsts.get(i), face, time) for i, stride in enumerate(strides)]
    around = corners([axis.at for some in axes for axis in some])
    if not around:
        return known_now, None, {}
    knots = dict(known_now.knots)
    for corner, _ in around:
        if corner not in knots:
            knots[corner] = _solved(guard, known_now.pushes, _Acting(strides, axes, corner), source, face, time)
    total = reduce(add, (knots[corner] * weight for corner, weight in around))
    pushed = [push * steps for push, steps in zip(known_now.pushes, total.steps, strict=True) if steps]
    told = dict(zip(guard.names, zip(total.without, total.left, strict=True), strict=True))
    return replace(known_now, knots=knots), reduce(add, pushed) if pushed else None, told


def _firsts(so_far: Mapping[int, First], strides: Sequence[Stride]) -> Mapping[int, First]:
    new = {
        i: First(one.moved, unit(one.amount) if one.amount >= ENOUGH else 1.0)
        for i, one in enumerate(strides)
        if one.amount > 0 and not isinstance(one.edit, Parts) and i not in so_far
    }
    return {**so_far, **new}


def _axes(stride: Stride, first: First | None, face: Face, time: float) -> list[Axis]:
    if isinstance(stride.edit, Parts):
        every = zip(stride.edit.parts, stride.edit.steps(face, time), strict=True)
        return [Axis(part.name, steps / (one := unit(part.strength.most)), one) for part, steps in every]
    if first is None:
        return [Axis("", 0.0, 1.0)]
    way = 1 if _along(stride.moved, first.towards) >= 0 else -1
    return [Axis("", way * stride.amount / first.unit, first.unit)]


@dataclass(frozen=True)
class _Acting:
    """The edits of a frame at other amounts than the frame's."""

    strides: Sequence[Stride]
    axes: Sequence[Sequence[Axis]]
    """Of each."""
    corner: Corner
    """Units of each axis."""

    def names(self) -> set[str]:
        """Of what acts."""
        every = [axis for some in self.axes for axis in some]
        return {axis.name for axis, units in zip(every, self.corner, strict=True) if units}

    def only(self, name: str) -> _Acting:
        """With what has a name, and nothing else."""
        every = [axis for some in self.axes for axis in some]
        mine = (units if axis.name == name else 0 for axis, units in zip(every, self.corner, strict=True))
        return replace(self, corner=tuple(mine))

    def of(self, code: Code) -> Code:
        """What they make of a code, one after the other."""
        for stride, axes, units in self._each():
            if isinstance(stride.edit, Parts):
                steps = [axis.unit * some for axis, some in zip(axes, units, strict=True)]
                code = stride.edit.at(code, steps)
            elif units[0]:
                code = (stride.moved * (units[0] / axes[0].at)).of(code)
        return code

    def touches(self, face: Face, time: float) -> list[Touch]:
        """The whole of where they may change a face."""
        found = list[Touch]()
        for stride, _, units in self._each():
            if isinstance(stride.edit, Parts):
                acting = [part for part, some in zip(stride.edit.parts, units, strict=True) if some]
                found += [part.touch(1.0) for part in acting]
            elif units[0]:
                found += [replace(one, share=1.0) for one in stride.edit.touches(face, time) if one.share > 0]
        return found

    def _each(self) -> Iterator[tuple[Stride, Sequence[Axis], Sequence[int]]]:
        at = 0
        for stride, axes in zip(self.strides, self.axes, strict=True):
            yield stride, axes, self.corner[at : at + len(axes)]
            at += len(axes)


def _solved(
    guard: Guard, pushes: tuple[Displacement, ...], acting: _Acting, source: Code, face: Face, time: float
) -> Knot:
    """The steps of each held attribute that bring it back, by Newton's method, with Broyden's update (1965) of the
    response where a step went too far; of all that were tried the best.

    What is asked for by name moves as far as its own edits move it by themselves.
    """
    names = acting.names()
    free = [i for i, name in enumerate(guard.names) if names != {name}]
    wanted = [i for i in free if guard.names[i] in names]
    eye = np.eye(len(guard.names))
    touches = acting.touches(face, time)
    look = _Look(guard, source, replace(face, regions=together(touches), colours=colours(touches)))
    edited = acting.of(source)

    def pushed(steps: NDArray[np.float64]) -> Code:
        return reduce(add, (push * float(x) for push, x in zip(pushes, steps, strict=True))).of(edited)

    nothing = np.zeros(len(guard.names))
    tried = [edited, *(pushed(PROBE * eye[i]) for i in free)]
    first = look.moved([*tried, *(acting.only(guard.names[i]).of(source) for i in wanted)])
    goal = nothing.copy()
    goal[wanted] = first[range(len(tried), len(first)), wanted]
    steps, left = [nothing], [first[0] - goal]
    if free:
        response = ((first[1 : len(tried)] - first[0]) / PROBE)[:, free].T  # [held, edit of a held]
        for _ in range(ROUNDS):
            if np.abs(left[-1][free]).max() < CLOSE:
                break
            damped = response.T @ response + DAMPING**2 * np.eye(len(free))
            more = nothing.copy()
            more[free] = -np.linalg.solve(damped, response.T @ left[-1][free])
            steps.append(np.clip(steps[-1] + more, -MOST, MOST))
            left.append(look.moved([pushed(steps[-1])])[0] - goal)
            went, came = (steps[-1] - steps[-2])[free], (left[-1] - left[-2])[free]
            if left[-1][free] @ left[-2][free] < 0:  # too far: the way there tells more of the response than the probe
                response += np.outer(came - response @ went, went) / (went @ went)
    best = min(range(len(steps)), key=lambda i: float(np.square(left[i][free]).sum()))
    counted = eye[free].sum(0) if free else nothing  # alone, what was asked for does not leak
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
        points = None if face.points is None else in_crop(face.points, known(face.quad), side)
        where = union(face.regions, oval(side, content=face.content), points, side)
        self.where = 1.0 if where is None else torch.from_numpy(where).to(self.before)
        # What a viewer sees is the change on the face's own pixels, and a network reads it otherwise on the inversion.
        self.shown = self.before if face.crop is None else to_tensor(face.crop[None], str(self.before.device))
        self.colours = torch.tensor([face.colours], device=self.before.device)
        self.scores = self._scores(self.shown)

    def moved(self, codes: Sequence[Code]) -> NDArray[np.float64]:
        """[N, held] by how much each held attribute has moved, standard deviations."""
        w, feature = torch.stack([code.w for code in codes]), torch.stack([code.feature for code in codes])
        noise = None if self.noise is None else self.noise.expand(len(w), -1)
        with torch.inference_mode():
            native, below = self.guard.generator.below(w, noise)
            drawn = edited_feature(feature, self.native.float(), native.float())
            after = self.guard.generator.render_from(w, drawn, below, noise).float()
            after = in_face_colours(after, self.before, self.colours)
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
