"""vidinv doctor: what works on this machine."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.text import Text

from vidinv.cli import checks
from vidinv.cli import options as o
from vidinv.cli.guard import guarded, say
from vidinv.errors import VidinvError

_COLOURS = {"ok": "green", "absent": "yellow", "broken": "bold red"}


@guarded
def doctor(
    pack: o.Pack = None, device: o.Device = "auto", precision: o.Precision = "auto", verbose: o.Verbose = False
) -> None:
    """Say what works on this machine. Ends with exit code 1 if a run would fail."""
    console, broken = Console(), []
    groups = {
        "system": checks.system,
        "packages": checks.packages,
        "devices": lambda: checks.devices(device, precision),
        "extras, each needed by one option only": checks.extras,
        "encoders": checks.encoders,
        "model pack": lambda: checks.model_pack(pack, device, precision),
    }
    for title, look in groups.items():
        console.print(Text(title, style="bold"))
        for finding in look():
            state = Text(f"{finding.state:7}", style=_COLOURS[finding.state])
            console.print(Text.assemble("  ", state, f" {finding.name:16} {finding.text}"), soft_wrap=True)
            broken += [finding.name] if finding.state == "broken" else []
    if broken:
        say(f"error: vidinv run would fail here: {', '.join(broken)}; see the lines above")
        raise typer.Exit(VidinvError.exit_code)
