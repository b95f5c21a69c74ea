"""What the program says of itself, as Markdown for docs/command-line.md."""

from __future__ import annotations

from typing import Any

import typer

from vidinv.cli.guard import EXIT_CODES
from vidinv.cli.main import app


def commands() -> list[str]:
    """Every command with its arguments and options, in the program's own order.

    Made from names, defaults and help texts alone: how typer draws a help page differs from version to version.
    """
    root: Any = typer.main.get_command(app)
    return "\n\n".join(_told(root, "vidinv")).splitlines()


def exit_codes() -> list[str]:
    return ["| code | meaning |", "| --- | --- |", *(f"| {code} | {text} |" for code, text in EXIT_CODES.items())]


def _told(command: Any, path: str) -> list[str]:
    if hasattr(command, "commands"):
        return [text for name, part in command.commands.items() for text in _told(part, f"{path} {name}")]
    given = [p for p in command.params if p.param_type_name == "argument" or p.required]
    usage = " ".join([path, *(_usage(p) for p in given), "[OPTIONS]"])
    listed = "\n".join(f"- {_line(p)}" for p in command.params if p.name != "help")
    return [f"### {path}\n\n{_plain(command.help)}\n\n    {usage}\n\n{listed}"]


def _usage(parameter: Any) -> str:
    value = parameter.metavar or "VALUE"
    return value if parameter.param_type_name == "argument" else f"{parameter.opts[0]} {value}"


def _line(parameter: Any) -> str:
    option = parameter.param_type_name == "option"
    value = parameter.metavar or ""
    # In code, for names hold what Markdown would read.
    name = " ".join([", ".join(parameter.opts), value]).strip() if option else value or parameter.name.upper()
    end = " Required." if parameter.required else _default(parameter)
    return f"`{name}`: {_plain(parameter.help)}{end}"


def _default(parameter: Any) -> str:
    said, value = parameter.show_default, parameter.default
    if isinstance(said, str):
        return f" Default: {said}."
    if said is False or value is None or value in ([], (), False):
        return ""
    value = getattr(value, "value", value)
    return f" Default: `{' '.join(map(str, value)) if isinstance(value, list | tuple) else value}`."


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).replace("<", "&lt;")
