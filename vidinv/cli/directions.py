"""vidinv directions: edits of one's own, from pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.cli.terminal import plain
from vidinv.errors import InputMissing, OutputExists, OutputUnwritable, UnknownEdit, UsageError, VidinvError

if TYPE_CHECKING:
    from vidinv.packs.own import OwnEdit

directions = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Edits of your own: fit them to pictures, list, show, remove."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the edit is called.", show_default=False)]


class Method(StrEnum):
    interfacegan = "interfacegan"
    ganspace = "ganspace"
    sefa = "sefa"


@directions.command("fit")
@guarded
def fit(
    name: Name,
    method: Annotated[
        Method, typer.Option(help="A boundary between two kinds, a component of pictures, or one of the weights.")
    ] = Method.interfacegan,
    positive: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", show_default=False, help="Pictures that have it; or their codes (vidinv invert)."
        ),
    ] = None,
    negative: Annotated[
        Path | None, typer.Option(metavar="FOLDER", show_default=False, help="Pictures that have it not.")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", show_default=False, help="In their place: pictures with --labels; of components, without."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            show_default=False,
            help="Columns file and value: 0 and 1, or numbers, whose highest and lowest thirds are the two kinds.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            show_default=False,
            help="What is to stay as it is: age, smile, gender, glasses, beard, makeup, edits of your own, or of the "
            "pack.",
        ),
    ] = None,
    component: Annotated[int, typer.Option(help="Of ganspace and sefa: which one.")] = 0,
    layers: Annotated[
        str | None,
        typer.Option(
            metavar="coarse|middle|fine|A-B", help="Of ganspace and sefa: styles that are moved.", show_default="all"
        ),
    ] = None,
    feature: Annotated[
        bool, typer.Option("--feature/--no-feature", help="Move the feature code too, or the styles alone.")
    ] = True,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are crops already; look for no face.")
    ] = False,
    text: Annotated[str, typer.Option(help="What the edit does, for people.", show_default=False)] = "",
    region: Annotated[str, typer.Option(help="Where it acts: face, lower, eyes, eyewear, skin or crop.")] = "face",
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to keep it.", show_default="beside the pack, as an edit of it"),
    ] = None,
    pack: o.Pack = None,
    device: o.Device = "auto",
    precision: o.Precision = "auto",
    batch: o.AutoBatch = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Make an edit of pictures. It is measured, kept, and at once there for vidinv run --edit NAME=+1."""
    # Late: --help need not wait for torch.
    from vidinv.api import VideoEditor
    from vidinv.cli import files, progress
    from vidinv.directions import FitOptions, fit_direction_of
    from vidinv.packs.own import check_own_name, own_path
    from vidinv.types import Progress

    names = tuple(part.strip() for part in (against or "").split(",") if part.strip())
    how = FitOptions(method.value, component, layers, names, feature)
    given: dict[str, Any] = {"positive": positive, "negative": negative, "pictures": pictures, "labels": labels}
    for path in given.values():
        if path is not None and not path.exists():
            raise InputMissing(f"{path} does not exist; check the name")
    editor = VideoEditor(pack, device=device, precision=precision, batch=batch)
    check_own_name(name, editor.pack.spec.edits, editor.pack.name)
    target = to or own_path(name, editor.pack.name, editor.pack.hash)
    if to is not None:
        files.check_file(to, labels or Path(), overwrite)
    elif target.exists() and not overwrite:
        raise OutputExists(f"you have an edit {name} already; choose another name, or replace it (--overwrite)")
    with progress.shown(Console(stderr=True), quiet, "inverting", "pictures") as tell:
        fitted = fit_direction_of(
            editor,
            name,
            how,
            **given,
            aligned=aligned,
            text=text,
            region=region,
            progress=lambda done, total: tell(Progress(done, total, done)),
        )
    for reason in list(fitted.failures.values())[: None if verbose else SHOWN]:
        say(f"left out: {reason}")
    if (more := len(fitted.failures) - SHOWN) > 0 and not verbose:
        say(f"left out: {more} more pictures (-v names them)")
    fitted.save(to, overwrite=overwrite)
    if not quiet:
        tell_own(fitted.direction, Console())
    print(plain(target))


SHOWN = 5  # pictures left out that are named


@directions.command("list")
@guarded
def list_(
    pack: o.Pack = None,
    verbose: o.Verbose = False,
) -> None:
    """List your own edits of a pack; those that were fitted to another version of it are named as such."""
    from vidinv.packs.load import load_pack
    from vidinv.packs.own import checked, own_files, read_own

    chosen, console = load_pack(pack), Console()
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("edit", "what it does", "method", "accuracy", "own score at +1"):
        table.add_column(column, no_wrap=column != "what it does")
    found = own_files(chosen.name)
    for path in found:
        try:
            own = checked(read_own(path), path, chosen.name, chosen.hash)
        except VidinvError as error:
            say(f"warning: {error}")
            continue
        effects, accuracy = own.effects, own.made.get("accuracy")
        step = None if effects is None else dict(zip(effects.strengths, effects.own, strict=True)).get(1.0)
        at = "" if step is None else f"{step:+.2f} sd"
        told = "" if accuracy is None else f"{accuracy:.0%}"
        table.add_row(*map(escape, (own.name, own.spec.text, str(own.made.get("method", "")), told, at)))
    if table.row_count:
        console.print(table)
    else:
        print(f"you have fitted no edit to pack {chosen.name} as it is now; see vidinv directions fit --help")


@directions.command("show")
@guarded
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="One of your edits.", show_default=False)],
    pack: o.Pack = None,
    verbose: o.Verbose = False,
) -> None:
    """Show how an edit of your own was made, what it does, and what it leaks into."""
    tell_own(_named(name, pack), Console())


@directions.command("add")
@guarded
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of fit --to, or somebody else's.", show_default=False)],
    pack: o.Pack = None,
    overwrite: o.Overwrite = False,
    verbose: o.Verbose = False,
) -> None:
    """Add a direction that was kept in a file to your own edits of a pack."""
    from vidinv.packs.load import load_pack
    from vidinv.packs.own import check_own_name, checked, read_own

    chosen = load_pack(pack)
    own = checked(read_own(file), file, chosen.name, chosen.hash)
    check_own_name(own.name, chosen.spec.edits, chosen.name)
    print(plain(own.save(overwrite=overwrite)))


@directions.command("remove")
@guarded
def remove(name: Name, pack: o.Pack = None, verbose: o.Verbose = False) -> None:
    """Remove an edit of your own."""
    from vidinv.packs.load import load_pack
    from vidinv.packs.own import own_files

    chosen = load_pack(pack)
    paths = [path for path in own_files(chosen.name) if path.stem == name]
    if not paths:
        raise UsageError(f"you have fitted no edit {name!r} to pack {chosen.name}; see vidinv directions list")
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise OutputUnwritable(f"{path} cannot be removed: {error.strerror}") from None
        print(plain(f"removed {path}"))


def _named(name: str, pack: str | None) -> OwnEdit:
    from vidinv.packs.load import load_pack
    from vidinv.packs.own import read_own
    from vidinv.packs.spec import FILE_ENDING

    file = Path(name)
    if name.endswith(FILE_ENDING):
        return read_own(file)
    try:
        return load_pack(pack).own(name)
    except UnknownEdit:
        if not file.is_file():
            raise
        return read_own(file)  # fit --to asks for no ending


def tell_own(own: OwnEdit, console: Console) -> None:
    """How it was made, and a table of its effects."""
    moved = "styles and feature code" if own.displacement.feature is not None else "styles alone"
    lines = [f"{own.name}: {own.spec.text}", f"pack {own.pack} ({own.pack_hash[:12]}), moves {moved}"]
    lines += [f"one step is {own.spec.step}", *_made(own.made)]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    effects = own.effects
    if effects is None:
        console.print("not measured: no pictures were given", markup=False)
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("steps", *(f"{s:+g}" for s in effects.strengths)):
        table.add_column(column, justify="left" if column == "steps" else "right")
    table.add_row("own score, sd", *(f"{v:+.2f}" for v in effects.own))
    for name, changes in effects.scores.items():
        table.add_row(f"{escape(name)}, sd", *(f"{v:+.2f}" for v in changes))
    if effects.identity:
        table.add_row("identity kept", *(f"{v:.2f}" for v in effects.identity))
    console.print(table)
    whose = "that nothing was fitted to" if effects.held_out else "that it was fitted to"
    console.print(
        f"mean changes of {effects.faces} faces {whose}, as the pack's networks see them", markup=False, soft_wrap=True
    )


def _made(made: Any) -> list[str]:
    """Figures of the fit, for people."""
    if made.get("method") != "interfacegan":
        layers = made.get("layers") or "every style"
        some = f"{made['pictures']} pictures" if "pictures" in made else "no pictures"
        share = f", {made['share_of_variance']:.1%} of their variance" if "share_of_variance" in made else ""
        return [f"{made.get('method')}, component {made.get('component')}, {layers}, {some}{share}"]
    against = ", ".join(made.get("against", ())) or "nothing"
    lines = [
        f"interfacegan, {made['positive']} positive and {made['negative']} negative pictures, against {against}",
        f"the boundary tells {made['accuracy']:.1%} of {made['held_out']} held-out pictures right (50% is chance)",
    ]
    if "rank_correlation" in made:
        lines.append(f"rank correlation of its distances and the held-out labels: {made['rank_correlation']:.2f}")
    if against != "nothing":
        lines.append(f"{made['kept_of_normal']:.2f} of the boundary's normal is left beside what it is held against")
    return lines
