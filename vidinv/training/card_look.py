"""How a pack's edits look: what benchmarks.look measured and blind readers graded, as a pack and its card tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vidinv.packs.spec import EditSpec

STRENGTHS = ("-2", "+2")  # steps at which edits are graded
CELLS = {
    "faces": "faces",
    "effect": "effect",
    "margin": "beyond an overlay",
    "probe_effect": "effect, second ruler",
    "probe_margin": "beyond an overlay",
    "identity": "identity",
    "sameness": "sameness",
    "sameness_motion": "sameness of motion",
    "power_above_8": "power above 8 cycles",
    "outside": "beside the face",
    "sharpness": "sharpness",
}


def figures_of(look: dict[str, Any], grades: dict[str, Any]) -> dict[str, Any]:
    """What the card keeps, by edit and strength: means over the faces that the edit suits, where they were measured,
    which older results have of the effects alone, and otherwise over all. None: nothing is known.

    :param look: of benchmarks.look. :param grades: of benchmarks.look.grading, of the same pack.
    """
    found: dict[str, Any] = {}
    for name, by_strength in look["edits"].items():
        for strength in STRENGTHS:
            means = by_strength[strength]["mean"] | by_strength[strength].get("suited", {})
            row = {k: means[k] for k in CELLS if k in means}
            if graded := grades["edits"].get(f"{name}={strength}"):
                row |= {"grade": graded["mean"], "least_grade": graded["least"], "grades": graded["grades"]}
            found.setdefault(name, {})[strength] = row
    return found


def merged(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """New figures in place of old ones; where there is no new grade, the old one stays beside them."""
    found = dict(before)
    for name, rows in now.items():
        old = before.get(name, {})
        kept = {s: {k: v for k, v in old.get(s, {}).items() if "grade" in k} for s in rows}
        found[name] = {s: {**({} if "grade" in row else kept[s]), **row} for s, row in rows.items()}
    return found


def graded(edits: dict[str, EditSpec], figures: dict[str, Any]) -> dict[str, EditSpec]:
    """The edits with the mean of their grades at both strengths; 0 where nobody was asked."""
    specs = {}
    for name, spec in edits.items():
        given = [figures.get(name, {}).get(s, {}).get("grade") for s in STRENGTHS]
        known = [g for g in given if g is not None]
        specs[name] = replace(spec, grade=round(sum(known) / len(known), 2) if known else 0.0)
    return specs


def rows(figures: dict[str, Any]) -> list[str]:
    """Lines of card.md."""
    head = ["edit", *CELLS.values(), "grade (least)"]
    table = [
        "## How the edits look",
        "",
        "Of `benchmarks.look` on photographs that the pack was not trained on, each edited at its own size. Figures "
        "are means over the faces that the edit suits, where their number is told; where no sameness of motion is, "
        "that is so of the effects alone, and the rest is over all. An overlay "
        "is the mean change of other people: an edit that does not go beyond it has not looked at the face. "
        "Sameness is the correlation of changes between people. Grades, 1 (painted) to 5 (photograph), are by readers "
        "who knew neither pack nor edit.",
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---" for _ in head) + " |",
    ]
    for name, by_strength in figures.items():
        for strength, row in by_strength.items():
            cells = [_cell(row.get(k)) for k in CELLS]
            grade = f"{row['grade']:.1f} ({row['least_grade']})" if "grade" in row else ""
            table.append("| " + " | ".join([f"{name}={strength}", *cells, grade]) + " |")
    return [*table, ""]


def _cell(value: float | None) -> str:
    """Empty where nothing is known; a count as it is."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.2f}"
