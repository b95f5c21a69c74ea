"""The closing words of a run: what was done, whether the identity held, where the time went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from vidinv.cli.guard import say
from vidinv.cli.terminal import plain
from vidinv.errors import DAMAGED_INPUT_EXIT_CODE
from vidinv.report.outcome import called, people, sentence

if TYPE_CHECKING:
    from vidinv.report import Report

PERSONS = 3  # whose outcome is told without --verbose


def finish(done: Report, target: Path, told: Sequence[str], quiet: bool, verbose: bool) -> None:
    """The end of a run: warnings, closing words.

    :param told: warnings from before it. :raises typer.Exit: the input was damaged.
    """
    try:
        for warning in (*told, *done.warnings):
            say(f"warning: {warning}")
        if not quiet:
            show(done, Console(), verbose)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{target} is complete") from None
    if done.damaged:
        if done.frames_lost:
            say(f"{target} holds the {done.frames} frames that could be decoded; {done.frames_lost} are lost")
        raise typer.Exit(DAMAGED_INPUT_EXIT_CODE)


def show(report: Report, console: Console, verbose: bool = False) -> None:
    """Print all of it; warnings are said elsewhere."""
    console.print(stages(report))
    for line in (*figures(report, verbose), str(report.output)):
        console.print(plain(line), markup=False, highlight=False, soft_wrap=True)


def stages(report: Report) -> Table:
    """Where the time went."""
    table = Table(box=box.SIMPLE_HEAD, caption="stages overlap: they run in three threads", caption_justify="left")
    table.add_column("stage")
    for name in ("seconds", "items", "ms per item"):
        table.add_column(name, justify="right")
    for name, stage in report.stages.items():
        table.add_row(name, *_row(stage["seconds"], int(stage["items"])))
    table.add_section()
    table.add_row("whole run", *_row(report.seconds, report.frames))
    return table


def _row(seconds: float, items: int) -> tuple[str, str, str]:
    return f"{seconds:.2f}", str(items), f"{1000 * seconds / items:.1f}" if items else "-"


def figures(report: Report, verbose: bool = False) -> Iterator[str]:
    """What was done and how well the identity held, a line each."""
    rate = f", {report.frames / report.seconds:.1f} frames/s" if report.seconds else ""
    persons = people({person: report.names.get(str(person)) for person in report.persons})
    yield f"{' '.join(report.edits)}: {report.frames} frames, {report.faces} faces, ids of persons: {persons}{rate}"
    if report.codes is not None:
        yield f"codes of {report.codes}: nothing was looked for or inverted"
    alike, held = report.identity_similarity, report.identity_consistency
    if alike["edited"] is None:
        yield f"{report.unmeasured.get('identity', 'nobody was edited')}, so there are no identity figures"
    else:
        yield from _identity(report, alike, held, verbose)
    shown = report.outcomes if verbose else report.outcomes[:PERSONS]
    yield from (sentence(outcome, _person(report, outcome.person)) for outcome in shown)
    if len(report.outcomes) > len(shown):
        yield f"and {len(report.outcomes) - len(shown)} more persons (--verbose)"


def _person(report: Report, person: int | str) -> str:
    """The id, and the name if there is one."""
    return called(person, report.names.get(str(person)))


def _identity(report: Report, alike: Mapping[str, Any], held: Mapping[str, Any], verbose: bool) -> Iterator[str]:
    yield f"identity, likeness to the source frame: inversion {alike['inversion']:.3f}, edited {alike['edited']:.3f}"
    local = "" if report.local_identity is None else f"; TL-ID {report.local_identity:.3f}"
    yield f"identity over time: {_views(held)}{local}"
    if verbose:
        for person, views in held["persons"].items():
            yield f"  person {_person(report, person)}: {_views(views)}"


def _views(held: Mapping[str, Any]) -> str:
    return ", ".join(f"{view} {held[view]:.3f}" for view in ("source", "inversion", "edited") if held[view] is not None)


def show_comparison(report: Report, console: Console, verbose: bool = False) -> None:
    """Every figure in a table, those that could not be measured with the reason."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("figure", "value", "source's own", "goal"):
        table.add_column(name, justify="left" if name in ("figure", "goal") else "right")
    for name, figure in report.quality.items():
        if figure.value is not None:
            own = "" if figure.source is None else f"{figure.source:.4g}"
            label = f"{name} ({figure.unit})" if figure.unit else name
            table.add_row(label, f"{figure.value:.4g}", own, figure.goal)
    console.print(table)
    for name, score in report.attributes.items():
        line = f"{name}: {score['source']:.2f} -> {score['edited']:.2f} ({score['change']:+.2f})"
        console.print(line, markup=False, highlight=False)
    for name, figure in report.quality.items() if verbose else ():
        if figure.value is None:
            console.print(f"{name}: not measured, {figure.reason}", markup=False, highlight=False)
