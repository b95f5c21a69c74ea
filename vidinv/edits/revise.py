"""Edits that are asked for, changed one at a time: what an interface does when somebody moves, times or drops one.

Every function takes requests and returns others. One request is known by whom it is for and by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vidinv.edits.curve import Curve
from vidinv.edits.parse import EASE, EditRequest
from vidinv.errors import UsageError

Who = frozenset[int | str] | None
Requests = tuple[EditRequest, ...]
SAME = 0.02  # seconds: key frames that are nearer are one


def found(requests: Sequence[EditRequest], who: Who, name: str) -> EditRequest | None:
    """The request for exactly these persons (None: everybody), if there is one."""
    return next((one for one in requests if (one.persons, one.name) == (who, name)), None)


def amount_at(request: EditRequest | None, time: float) -> float:
    """What is asked for at a time (seconds), in the request's own unit; 0 of none."""
    if request is None:
        return 0.0
    return request.amount.at(time) if isinstance(request.amount, Curve) else request.amount


def moved(
    requests: Sequence[EditRequest],
    who: Who,
    name: str,
    amount: float,
    in_years: bool = False,
    time: float = 0.0,
    converted: Callable[[float], float] | None = None,
) -> Requests:
    """With another amount; of a curve the key frame at ``time`` (seconds), set where there was none.

    :param converted: an amount in the curve's unit to ``amount``'s, where those differ; see
        :class:`vidinv.packs.spec.Scale`.
    :raises UsageError: a curve of the other unit, and nothing to convert its other keys by.
    """
    before = found(requests, who, name)
    if before is None:
        return (*requests, EditRequest(name, amount, in_years, persons=who)) if amount else tuple(requests)
    if isinstance(before.amount, Curve):
        keys = [key for key in before.amount.keys if abs(key[0] - time) > SAME]
        if before.in_years != in_years:
            if converted is None:
                unit = "years" if before.in_years else "steps"
                raise UsageError(f"the key frames of {name} are in {unit}, and one cannot be in another unit")
            keys = [(at, converted(value)) for at, value in keys]
        keys.append((time, amount))
        return _with(requests, before, replace(before, amount=Curve(tuple(sorted(keys))), in_years=in_years))
    if not amount and not before.changes:
        return _with(requests, before, None)
    return _with(requests, before, replace(before, amount=amount, in_years=in_years))


def timed(
    requests: Sequence[EditRequest],
    who: Who,
    name: str,
    start: float,
    end: float,
    ease: float = EASE,
    time: float = 0.0,
) -> Requests:
    """Between two times (seconds) only; of a curve the amount at ``time`` stays.

    :raises MalformedEdit: a range that ends before it begins.
    """
    before = found(requests, who, name)
    if before is None:
        return tuple(requests)
    return _with(requests, before, replace(before, amount=amount_at(before, time), start=start, end=end, ease=ease))


def always(requests: Sequence[EditRequest], who: Who, name: str, time: float = 0.0) -> Requests:
    """Without times: of a curve the amount at ``time`` (seconds) stays."""
    return timed(requests, who, name, 0.0, float("inf"), EASE, time)


def keyed(requests: Sequence[EditRequest], who: Who, name: str, end: float) -> Requests:
    """Along a curve, which has the same amount from 0 to ``end`` (seconds) as yet."""
    before = found(requests, who, name)
    if before is None or isinstance(before.amount, Curve):
        return tuple(requests)
    keys = ((0.0, before.amount), (max(end, 2 * SAME), before.amount))
    curve = EditRequest(before.name, Curve(keys), before.in_years, persons=before.persons)
    return _with(requests, before, curve)


def unkeyed(requests: Sequence[EditRequest], who: Who, name: str, time: float) -> Requests:
    """Without the key frame nearest to a time (seconds); with one left the amount is the same always."""
    before = found(requests, who, name)
    if before is None or not isinstance(before.amount, Curve):
        return tuple(requests)
    keys = list(before.amount.keys)
    keys.remove(min(keys, key=lambda key: abs(key[0] - time)))
    amount = Curve(tuple(keys)) if len(keys) > 1 else keys[0][1]
    return _with(requests, before, replace(before, amount=amount))


def dropped(requests: Sequence[EditRequest], who: Who, name: str) -> Requests:
    """Without it."""
    before = found(requests, who, name)
    return tuple(requests) if before is None else _with(requests, before, None)


def _with(requests: Sequence[EditRequest], before: EditRequest, after: EditRequest | None) -> Requests:
    changed = (after if one is before else one for one in requests)
    return tuple(one for one in changed if one is not None)
