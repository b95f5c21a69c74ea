"""The suite's figures as a table."""

from __future__ import annotations

from typing import Any


def table(told: dict[str, Any]) -> list[str]:
    """A row per kind of fault."""
    rows = [
        "| what went wrong | trials | right | half files | hangs | tracebacks | executed | wrong exits | peak, MiB |",
        "|" + " --- |" * 9,
    ]
    for kind in told["kinds"].values():
        cells = [kind[k] for k in ("trials", "right", "half", "hang", "traceback", "executed", "wrong", "peak_mib")]
        rows.append(f"| {kind['name']} | {' | '.join(map(str, cells))} |")
    return rows
