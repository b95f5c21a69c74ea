"""From figures to tables."""

from __future__ import annotations

from typing import Any

import numpy as np

# Table 1 of Shukor et al. 2022: SVM accuracy (least, most, mean) and D, C, I.
PUBLISHED = {"W+": (0.635, 0.979, 0.834, 0.67, 0.53, 0.33), "W*": (0.796, 0.991, 0.916, 0.73, 0.58, 0.30)}
UNITS = {"age": "years", "gender": "P(male)"}


def spaces_table(result: dict[str, Any]) -> list[str]:
    """Markdown: the paper's table, its own figures below ours."""
    rows = [
        "| space | SVM accuracy: least | most | mean | on the faces it was fitted to, mean | D | C | I (error) |",
        "| --- |" + " --- |" * 7,
    ]
    for name, space in result["spaces"].items():
        accuracy, fitted = np.array(space["accuracy"]), np.mean(space["accuracy_fitted"])
        cells = [f"{v:.3f}" for v in (accuracy.min(), accuracy.max(), accuracy.mean(), fitted)]
        cells += [f"{space[k]:.2f}" for k in ("disentanglement", "completeness", "informativeness")]
        rows.append(f"| {name}, {result['pack']} | {' | '.join(cells)} |")
    for name, (least, most, mean, *dci) in PUBLISHED.items():
        cells = [f"{v:.3f}" for v in (least, most, mean)] + [""] + [f"{v:.2f}" for v in dci]
        rows.append(f"| {name}, the paper | {' | '.join(cells)} |")
    budget = result["budget"]
    return [
        *rows,
        "",
        f"{result['faces']['fitted']} faces to fit with, {result['faces']['validation']} that neither T nor a machine "
        f"has seen; attributes: {', '.join(result['attributes'])}. T: {budget['couplings']} couplings, "
        f"{budget['hidden']} hidden, {budget['mb']:.1f} MB as fp16, {budget['codes']} codes shown.",
    ]


def edits_table(result: dict[str, Any]) -> list[str]:
    """Markdown: edits at equal effect."""
    rows = [
        "| edit along the normal | effect in G(w) | leak, sd | leak over effect | largest leak | identity kept | "
        "effect in G(w, F) |",
        "| --- |" + " --- |" * 6,
    ]
    for name, edit in result["edits"].items():
        if not edit["spaces"]:
            rows.append(f"| {name} | out of reach in one of the spaces | | | | | |")
        for space, lengths in edit["spaces"].items():
            found, whole = lengths["G(w)"], lengths["G(w, F)"]
            others = {k: v for k, v in found["moved"].items() if k != name}
            worst = max(others, key=lambda k: abs(others[k]))
            cells = [f"{found['effect']:+.2f} {UNITS[name]}", f"{found['leak']:.3f}"]
            cells += [f"{found['leak'] / abs(found['effect_sd']):.2f}", f"{worst} {others[worst]:+.2f}"]
            cells += [f"{found['identity']:.3f}", f"{whole['effect']:+.2f}"]
            rows.append(f"| {name} in {space} | {' | '.join(cells)} |")
    return [
        *rows,
        "",
        f"{result['faces']['edited']} adults kept for validation. Leak: root mean square of the mean changes of all "
        "other scores, in their standard deviations.",
    ]
