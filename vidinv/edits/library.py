"""From what is asked for to edits: the pack's calibration, and the table of kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from vidinv.edits import drawn, linear, network, proxy
from vidinv.edits.base import Edit
from vidinv.edits.curve import Curve
from vidinv.edits.parse import Asked, EditRequest
from vidinv.edits.strength import Span, Strength
from vidinv.errors import MalformedEdit, UnknownEdit
from vidinv.packs.load import Pack
from vidinv.packs.spec import EditSpec

IN_FRAME = "drawn"  # the way of what is drawn into the frame itself, whatever kind an edit is otherwise
# What pack.toml may say under an edit's "kind", and IN_FRAME: requests of that kind, with their strengths, to the edit
# that does all of them. They are applied in this order: what looks at the face does so before a displacement has moved
# it, networks first.
KINDS: dict[str, Callable[[Sequence[tuple[EditRequest, Strength]], Pack], Edit]] = {
    "network": network.build,
    "proxy": proxy.build,
    "linear": linear.build,
    IN_FRAME: drawn.build,
}


def resolve(asked_for: Sequence[Asked], pack: Pack, in_frame: bool = True) -> tuple[Edit, ...]:
    """Requests to edits, one for each kind that is asked for; behind them the edits that are none of the pack's.

    :param in_frame: False: nothing is drawn into the frame itself, codes are edited whatever is asked for.
    :raises UnknownEdit: a name that is neither the pack's nor of the user's own edits. :raises MalformedEdit: years of
        what has no years, or more of them than were measured to be reachable.
    """
    asked: dict[str, list[tuple[EditRequest, Strength]]] = {}
    others = tuple(one for one in asked_for if not isinstance(one, EditRequest))
    for request in (one for one in asked_for if isinstance(one, EditRequest)):
        spec = pack.edit(request.name)
        if spec is None:
            listed = ", ".join(sorted(pack.edits))
            told = f"it knows {listed}" if listed else "it has none: import it with --directions or --sefa"
            raise UnknownEdit(f"this pack knows no edit {request.name!r}; {told}")
        spec = spec if in_frame else replace(spec, drawn="")
        for kind, strength in _ways(spec, _strength(request, spec)):
            asked.setdefault(kind, []).append((request, strength))
    return (*(make(asked[kind], pack) for kind, make in KINDS.items() if kind in asked), *others)


def _ways(spec: EditSpec, strength: Strength) -> Iterator[tuple[str, Strength]]:
    """How its steps are made: by its kind, or upwards in the frame."""
    if not spec.drawn:
        yield spec.kind, strength
        return
    up, down = replace(strength, way=1), replace(strength, way=-1)
    yield from ((kind, one) for kind, one in ((spec.kind, down), (IN_FRAME, up)) if one.most > 0)


def _strength(request: EditRequest, spec: EditSpec) -> Strength:
    span = Span(request.start, request.end, request.ease)
    if not request.in_years:
        return Strength(request.amount, span)
    amounts = request.amount.amounts if isinstance(request.amount, Curve) else (request.amount,)
    if spec.unit != "years":
        raise MalformedEdit(f"{request.name} is not measured in years; write {request.name}={amounts[-1]:+g}")
    for amount in amounts:  # those between a curve's key frames lie between theirs
        steps_for(request.name, spec, amount)
    return Strength(request.amount, span, spec.measured)


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
    return spec.measured.steps(amount)
