"""From what is asked for to edits: the pack's calibration, and the table of kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vidinv.edits import linear, network, proxy
from vidinv.edits.base import Edit
from vidinv.edits.parse import Asked, EditRequest
from vidinv.errors import MalformedEdit, UnknownEdit
from vidinv.packs.load import Pack
from vidinv.packs.spec import EditSpec

# What pack.toml may say under an edit's "kind": requests of that kind, with their steps, to the edit that does them.
# They are applied in this order: what looks at the face does so before a displacement has moved it, networks first.
KINDS: dict[str, Callable[[Sequence[tuple[EditRequest, float]], Pack], Edit]] = {
    "network": network.build,
    "proxy": proxy.build,
    "linear": linear.build,
}


def resolve(asked_for: Sequence[Asked], pack: Pack) -> tuple[Edit, ...]:
    """Requests to edits, one for each kind that is asked for; behind them the edits that are none of the pack's.

    :raises UnknownEdit: a name that the pack does not know. :raises MalformedEdit: years of what has no years, or more
        of them than were measured to be reachable.
    """
    asked: dict[str, list[tuple[EditRequest, float]]] = {}
    others = tuple(one for one in asked_for if not isinstance(one, EditRequest))
    for request in (one for one in asked_for if isinstance(one, EditRequest)):
        spec = pack.spec.edits.get(request.name)
        if spec is None:
            listed = ", ".join(sorted(pack.spec.edits))
            told = f"it knows {listed}" if listed else "it has none: import it with --directions or --sefa"
            raise UnknownEdit(f"this pack knows no edit {request.name!r}; {told}")
        asked.setdefault(spec.kind, []).append((request, _steps(request, spec)))
    return (*(make(asked[kind], pack) for kind, make in KINDS.items() if kind in asked), *others)


def _steps(request: EditRequest, spec: EditSpec) -> float:
    if not request.in_years:
        return request.amount
    if spec.unit != "years":
        raise MalformedEdit(f"{request.name} is not measured in years; write {request.name}={request.amount:+g}")
    return steps_for(request.name, spec, request.amount)


def steps_for(name: str, spec: EditSpec, amount: float) -> float:
    """Strength whose measured mean effect is ``amount`` units, linear between measurements.

    :raises MalformedEdit: beyond what was measured to be reachable.
    """
    low, high = min(spec.effects, default=0.0), max(spec.effects, default=0.0)
    if not low <= amount <= high:
        raise MalformedEdit(
            f"{name}: {amount:+g} {spec.unit} is out of reach; this pack was measured from {low:+.0f} to "
            f"{high:+.0f} {spec.unit}"
        )
    order = np.argsort(spec.effects)
    return float(np.interp(amount, np.array(spec.effects)[order], np.array(spec.strengths)[order]))
