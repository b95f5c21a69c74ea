"""How a pack's edits look: what benchmarks.look measured and blind readers graded, as a pack and its card tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vidinv.packs.spec import EditSpec

STRENGTHS = ("-2", "+2")  # steps at which edits are graded
CELLS = {
    "effect": "effect",
    "margin": "beyond an overlay",
    "probe_effect": "effect, second ruler",
    "probe_margin": "beyond an overlay",
    "identity": "identity",
    "sameness": "sameness",
    "power_above_8": "power above 8 cycles",
    "outside": "beside the face",
    "sharpness": "sharpness",
}


def figures_of(look: dict[str, Any], grades: dict[str, Any]) -> dict[str, Any]:
    """What the card keeps, by edit and strength.

    :param look: of benchmarks.look. :param grades: of benchmarks.look.grading, of the same pack.
    """
    found: dict[str, Any] = {}
    for name, by_strength in look["edits"].items():
        for strength in STRENGTHS:
            means = by_strength[strength]["mean"]
            row = {k: means[k] for k in CELLS if k in means}
            if graded := grades["edits"].get(f"{name}={strength}"):
                row |= {"grade": graded["mean"], "least_grade": graded["least"], "grades": graded["grades"]}
            found.setdefault(name, {})[strength] = row
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
        "Of `benchmarks.look` on photographs that the pack was not trained on, each edited at its own size. An overlay "
        "is the mean change of 29 other people: an edit that does not go beyond it has not looked at the face. "
        "Sameness is the correlation of changes between people. Grades, 1 (painted) to 5 (photograph), are by readers "
        "who knew neither pack nor edit.",
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---" for _ in head) + " |",
    ]
    for name, by_strength in figures.items():
        for strength, row in by_strength.items():
            cells = [f"{row[k]:.2f}" if k in row else "" for k in CELLS]
            grade = f"{row['grade']:.1f} ({row['least_grade']})" if "grade" in row else ""
            table.append("| " + " | ".join([f"{name}={strength}", *cells, grade]) + " |")
    return [*table, ""]
