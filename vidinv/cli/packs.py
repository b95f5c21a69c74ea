"""vidinv packs: which model packs there are, what they can do, and new ones from published files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from vidinv.cli.guard import guarded, say
from vidinv.cli.import_pack import import_pack
from vidinv.cli.options import Verbose
from vidinv.cli.pull_pack import pull
from vidinv.errors import PackError

if TYPE_CHECKING:
    from vidinv.packs.load import Pack
    from vidinv.packs.spec import EditSpec


SEEN_BY = ", as the labelling network sees it"  # of all packs that are trained here
ABOUT_STEPS = "What a step does is what the labelling network sees."
ABOUT_LOOKS = (
    "Looks are blind readers' grades at two steps, 1 painted to 5 a photograph; below 3.5 an edit is experimental."
)


class _ListsByDefault(TyperGroup):
    """``vidinv packs`` and ``vidinv packs NAME`` list; a pack that is named like a command is listed by its folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = ["list", *args]
        return super().parse_args(ctx, args)


packs = typer.Typer(cls=_ListsByDefault, rich_markup_mode=None, help="List the model packs; import other people's.")


@packs.command("list")
@guarded
def list_(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PACK]...", help="Names or folders; without, all installed ones.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """List the model packs (what happens without a command). Under each: its edits, and what one step means."""
    from vidinv.packs.load import load_pack
    from vidinv.packs.locate import list_packs

    chosen = names or list_packs()
    if not chosen:
        raise PackError("no model pack is installed; reinstall vidinv, or name a pack's folder")
    failures: list[PackError] = []
    for name in chosen:
        try:
            show(load_pack(name), Console())
        except PackError as error:
            say(f"error: {error}")
            failures.append(error)
    if failures:
        raise typer.Exit(failures[0].exit_code)


packs.command("import")(import_pack)
packs.command("pull")(pull)


def show(pack: Pack, console: Console) -> None:
    """One pack: a heading and a table of its edits."""
    from vidinv.packs.own import own_names

    size = sum(_size(pack.folder / file) for file in pack.spec.files) / 1e6
    heading = f"{pack.name}: {pack.resolution} x {pack.resolution} pixels, {size:.1f} MB, hash {pack.hash[:12]}"
    console.print(heading, markup=False, highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("edit", "what it does", "one step is", "tried", "looks"):
        table.add_column(column, no_wrap=column in ("edit", "tried", "looks"))
    for name, edit in sorted(pack.spec.edits.items()):
        tried = edit.strengths
        ends = f"{min(tried):+g} to {max(tried):+g}" if tried else "-"
        table.add_row(*map(escape, (name, edit.text, _step(edit), ends, _looks(edit))))
    console.print(table)
    edits = pack.spec.edits.values()
    if any(edit.step.endswith(SEEN_BY) for edit in edits):
        console.print(ABOUT_STEPS, markup=False, highlight=False, soft_wrap=True)
    if any(edit.grade for edit in edits):
        console.print(ABOUT_LOOKS, markup=False, highlight=False, soft_wrap=True)
    if own := own_names(pack.name, pack.hash):
        line = f"Edits of your own: {', '.join(own)}; see vidinv directions list."
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _step(edit: EditSpec) -> str:
    """What a step is, with its unit where that goes without saying nowhere else."""
    step = edit.step.removesuffix(SEEN_BY)
    return step if edit.unit == "sd" or edit.unit in step else f"{step} ({edit.unit})"


def _looks(edit: EditSpec) -> str:
    """What blind readers say of its pictures."""
    if not edit.grade:
        return "not graded"
    return f"{edit.grade:.1f}" + (", experimental" if edit.experimental else "")


def _size(path: Path) -> int:
    """Bytes; a missing file is vidinv doctor's to report."""
    return path.stat().st_size if path.is_file() else 0
