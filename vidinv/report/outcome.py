"""What came of the edits, person by person: how much acted, what was reached, who it still is, and what leaked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vidinv.packs.spec import EditSpec
from vidinv.report.acted import Acted
from vidinv.report.running import Running
from vidinv.report.tally import Tally

MANY = 3  # ids one behind the other, above which their ends alone are told
UNITS = {"age": "years", "smile": "P(happy)", "gender": "P(male)"}  # of scores; of all others P(NAME)


def unit_of(name: str) -> str:
    """Of a score of the attribute network."""
    return UNITS.get(name, f"P({name})")


@dataclass(frozen=True)
class Wanted:
    """One edit as it was asked for."""

    text: str
    name: str | None  # of the pack's edit; None: another
    persons: frozenset[int | str] | None  # by id or name; None: everybody


@dataclass(frozen=True)
class Moved:
    """A score before and after, mean over the frames in which it was read."""

    source: float
    edited: float
    change: float
    unit: str
    deviations: float | None  # the change in standard deviations over faces; None: the pack does not know them
    steps: float | None  # what the pack's edit of this score takes for such a change, within what was measured of it


@dataclass(frozen=True)
class Reached(Moved):
    asked: tuple[str, ...]  # as it was typed


@dataclass(frozen=True)
class HeldBack:
    """Of what was held: by how much all edits together move it beyond what edits of its own name do, standard
    deviations over faces, mean over the frames. Measured at whole amounts of the edits, in proportion between them; see
    :mod:`vidinv.edits.held`."""

    without: float  # as they would without holding
    left: float  # and as they do, the change on the face's own pixels


@dataclass(frozen=True)
class Outcome:
    """What came of the edits on one person."""

    person: int
    frames: int
    amount: float  # steps of all edits together, without sign, mean over those frames
    most: float  # and the most in any of them
    identity: Mapping[str, float]  # inversion, edited: mean cosine to the source's own frame; none: nothing measured it
    reached: Mapping[str, Reached]  # by score, those that were asked for
    leaked: Mapping[str, Moved]  # by score, all others
    held: Mapping[str, HeldBack]


def outcomes(tally: Tally, wanted: Sequence[Wanted], edits: Mapping[str, EditSpec]) -> list[Outcome]:
    """One of each person whom any edit acted on. :param edits: of the pack."""
    return [
        _outcome(person, acted, tally, wanted, edits)
        for person, acted in sorted(tally.acted.items())
        if acted.amount.count
    ]


def sentence(outcome: Outcome, called: str | None = None) -> str:
    """An outcome in a line. :param called: the person, by id and name; None: by the id alone."""
    return f"person {called or outcome.person}: {'; '.join(_parts(outcome))}"


def _parts(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.amount:.3g} steps acted"
    for name, reached in outcome.reached.items():
        steps = "" if reached.steps is None else f", {reached.steps:+.1f} steps"
        yield f"{name} {reached.source:.2f} -> {reached.edited:.2f} ({reached.change:+.2f} {reached.unit}{steps})"
    if "edited" in outcome.identity:
        yield f"identity {outcome.identity['edited']:.2f}"
    if outcome.leaked:
        yield "leaked " + ", ".join(f"{name} {_deviations(moved)}" for name, moved in outcome.leaked.items())
    if outcome.held:
        each = (f"{name} {one.without:+.2f} -> {one.left:+.2f} sd" for name, one in outcome.held.items())
        yield "held " + ", ".join(each)


def _deviations(moved: Moved) -> str:
    return f"{moved.change:+.2f} {moved.unit}" if moved.deviations is None else f"{moved.deviations:+.2f} sd"


def _outcome(
    person: int, acted: Acted, tally: Tally, wanted: Sequence[Wanted], edits: Mapping[str, EditSpec]
) -> Outcome:
    asked: dict[str, list[str]] = {}
    seen, called = tally.persons.get(person), {person, *tally.names.get(person, ())}
    for one in wanted:
        if one.name is not None and (one.persons is None or one.persons & called):
            asked.setdefault(one.name, []).append(one.text)
    reached, leaked = dict[str, Reached](), dict[str, Moved]()
    for name in acted.change:
        moved = _moved(name, acted, edits.get(name))
        if name in asked:
            reached[name] = Reached(**vars(moved), asked=tuple(asked[name]))
        else:
            leaked[name] = moved
    identity = (
        {v: seen.to_source[v] / seen.frames for v in ("inversion", "edited") if v in seen.to_source} if seen else {}
    )
    held = {name: HeldBack(*(round(_mean(one), 4) for one in pair)) for name, pair in acted.held.items()}
    return Outcome(
        person,
        acted.amount.count,
        round(_mean(acted.amount), 4),
        round(acted.most, 4),
        {view: round(value, 4) for view, value in identity.items()},
        reached,
        leaked,
        held,
    )


def _moved(name: str, acted: Acted, spec: EditSpec | None) -> Moved:
    before, change = _mean(acted.source[name]), _mean(acted.change[name])
    deviations = _mean(acted.moved[name]) / spec.scale if spec is not None and spec.scale else None
    steps = spec.measured.steps(change) if spec is not None and spec.effects else None
    return Moved(
        round(before, 4),
        round(before + change, 4),
        round(change, 4),
        unit_of(name),
        None if deviations is None else round(deviations, 4),
        None if steps is None else round(steps, 3),
    )


def _mean(running: Running) -> float:
    return running.mean or 0.0


def people(names: Mapping[int, str | None]) -> str:
    """Ids, with their names if there are any; of many that follow one another and have none, the ends: "0 to 999"."""
    runs: list[list[int]] = []
    for number in sorted(names):
        before = runs[-1][-1] if runs else None
        if before is not None and number == before + 1 and names[before] is names[number] is None:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(_ends(run) if len(run) > MANY else ", ".join(called(n, names[n]) for n in run) for run in runs)


def _ends(run: Sequence[int]) -> str:
    return f"{run[0]} to {run[-1]}"


def called(number: int | str, name: str | None) -> str:
    """The id, and the name if there is one."""
    return str(number) if name is None else f"{number} ({name})"
