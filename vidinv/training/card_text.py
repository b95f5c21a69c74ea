"""card.md: what a pack is made of, what it was seen to do, and what it must not be used for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vidinv.packs.spec import EditSpec, PackSpec
from vidinv.training import card_look
from vidinv.training.card import COHORTS, COHORTS_BELOW
from vidinv.training.scores import ATTRIBUTES, LOGITS

FIRST_PACK = {  # what a first pack must show, by the project's design
    "psnr": 27,
    "ssim": 0.80,
    "lpips": 0.09,
    "identity": 0.80,
    "lpips_w": 0.24,
    "identity_w": 0.30,
}
MEASURES = {"age": "years", "hair": "of lightness L*", "skin": "degrees of the typology angle"}
LICENCE = """\
## Data and terms

Trained on a mix of published face sets: UTKFace (non-commercial research), the synthetic-faces portraits
(CC BY-NC-SA 4.0), MEBeauty, faces made by generators, official portraits and football players' portraits.
{pairs}**Research use only.** The labels of age, sex and expression are what networks read in pictures, with those
networks' errors and prejudices; none of them is a fact about a person. Do not use the pack to deceive about a real
person.
"""
PAIRS = """\
The edit network saw several pictures of each person as well: Labeled Faces in the Wild (research; news photographs),
IMM and ccface (education and research), and frames and photographs out of repositories under MIT and Boost licences.
"""


def write_card(
    folder: Path,
    spec: PackSpec,
    figures: dict[str, Any],
    students: dict[str, Any],
    manifest: dict[str, Any],
    made: dict[str, Any],
    scale: dict[str, float],
) -> None:
    """Write card.md and, for programs, card.json.

    :param manifest: of the data folder that it was trained on.
    :param made: ``recipe``, a sentence without its full stop, and ``images_seen``; ``edit_recipe`` and
        ``domain_recipe`` and ``flow_recipe``, the same of the edit network, of the domain-guided encoder and of the
        latent flow, where the pack has them.
    """
    faces = {k: manifest[k] for k in ("pictures", "kept", "per_set", "validation")}
    content = {**made, "faces": faces, "scales": scale, "figures": figures, "students": students}
    (folder / "card.json").write_text(json.dumps(content, indent=1) + "\n")
    size = sum(p.stat().st_size for p in folder.glob("*.safetensors")) / 1e6
    rows = [f"# {spec.name}", "", f"{spec.resolution} px faces, {size:.1f} MB.", ""]
    rows += _recipe(manifest, made)
    rows += _reconstruction(figures)
    if "domain" in figures:
        rows += _domain(figures["domain"])
    if "look" in figures:
        rows += card_look.rows(figures["look"])
    for name, edit in spec.edits.items():
        rows += _edit(name, edit, figures["edits"][name], scale)
    rows += _students(students)
    rows += ["", LICENCE.format(pairs=PAIRS if "edit_recipe" in made else "")]
    (folder / "card.md").write_text("\n".join(rows), encoding="utf-8")


def _recipe(manifest: dict[str, Any], made: dict[str, Any]) -> list[str]:
    sets = ", ".join(f"{n} {c}" for n, c in manifest["per_set"].items())
    return [
        "## Recipe",
        "",
        f"`pipelines.prepare_faces` kept {manifest['kept']} of {manifest['pictures']} pictures ({sets}); "
        f"{manifest['validation']} of them are for validation only. {made['recipe']}; "
        "`pipelines.fit_directions` found the linear edits, `pipelines.train_students` the small networks."
        + "".join(f" {made[k]}." for k in ("edit_recipe", "domain_recipe", "flow_recipe") if k in made),
        "",
        "Unless something else is said, figures were measured on validation faces with the fp16 weights of this "
        "folder, by the labelling networks the pack was trained with, so they flatter it.",
        "",
    ]


def _reconstruction(figures: dict[str, Any]) -> list[str]:
    names = {
        "psnr": "PSNR of G(w, F), dB",
        "ssim": "SSIM of G(w, F)",
        "lpips": "LPIPS-squeeze of G(w, F)",
        "identity": "identity cosine of G(w, F)",
        "lpips_w": "LPIPS-squeeze of G(w)",
        "identity_w": "identity cosine of G(w)",
    }
    rows = ["## Inversion", "", "| what | this pack | asked of a first pack |", "| --- | --- | --- |"]
    rows += [f"| {text} | {figures['reconstruction'][k]:.3f} | {FIRST_PACK[k]} |" for k, text in names.items()]
    frechet = figures["frechet"]
    rows += [
        f"| Fréchet distance, squeezenet features: inversions | {frechet['inversions']:.2f} | |",
        f"| the same, samples G(w) with w from a Gaussian of the codes | {frechet['samples']:.2f} | reported |",
        "",
    ]
    return rows


def _domain(figures: dict[str, dict[str, float]]) -> list[str]:
    """Two encoders' codes, without F: figures by the encoder, "domain" and "feature_style", then by the measure; and
    how many faces there were of "faces": "training", "measured"."""
    names = {
        "psnr": "PSNR of G(w), dB",
        "ssim": "SSIM of G(w)",
        "lpips": "LPIPS-squeeze of G(w)",
        "identity": "identity cosine of G(w)",
        "domain": "out of the domain",
    }
    mine, other = figures["domain"], figures["feature_style"]
    return [
        "## Domain-guided encoder",
        "",
        "What In-Domain inversion (Zhu et al. 2020) starts at and is held to. Both encoders' codes, without F. Out of "
        "the domain is |w - E(G(w))| / |w - mean|, E the domain-guided encoder: how far w is from what E reads in "
        f"G(w). Measured on {figures['faces']['measured']} validation faces of a folder with "
        f"{figures['faces']['training']} faces to train on.",
        "",
        "| what | w of the domain-guided encoder | w of the Feature-Style encoder |",
        "| --- | --- | --- |",
        *(f"| {text} | {mine[k]:.3f} | {other[k]:.3f} |" for k, text in names.items()),
        "",
    ]


def _edit(name: str, edit: EditSpec, effects: dict[str, Any], scale: dict[str, float]) -> list[str]:
    others = [a for a in ATTRIBUTES if a != name]
    cohort = COHORTS.get(name, "adults") + (f", below zero on {COHORTS_BELOW[name]}" if name in COHORTS_BELOW else "")
    how = {"network": ", by the edit network", "proxy": ", in W*"}.get(edit.kind, "")
    how += "; upwards in the frame itself" if edit.drawn else ""
    rows = [f"## Edit: {name}{how}", "", f"{edit.text}. One step: {edit.step}. Measured on {cohort}.", ""]
    head = ["steps", f"change, {edit.unit}", "by the pack's own network", "identity kept"]
    head += [f"leak into {o}, sd" for o in others] + (["share with P(happy) > .5"] if name == "smile" else [])
    rows += ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    for strength, e in effects.items():
        student = "" if e["student"] is None else f"{e['student']:+.2f}"
        cells = [f"{float(strength):+g}", f"{e['change'][name]:+.2f}", student, f"{e['identity']:.3f}"]
        cells += [f"{e['moved'][o]:+.2f}" for o in others]
        cells += [f"{e['share_happy']:.0%}"] if name == "smile" else []
        rows.append("| " + " | ".join(cells) + " |")
    unit = MEASURES.get(name, "of the logit" if name in LOGITS else "of the landmarks' measure")
    rows += ["", f"One standard deviation of {name} over the training faces is {scale[name]:.3g} {unit}.", ""]
    return rows


def _students(students: dict[str, Any]) -> list[str]:
    rows = ["## Small networks of our own, against their teachers on the validation faces", ""]
    for name, table in students.items():
        plain = {k: v for part in (table, table["agreement"]) for k, v in part.items() if isinstance(v, int | float)}
        rows.append(f"- {name}: " + ", ".join(f"{k.replace('_', ' ')} {v:.4g}" for k, v in plain.items()))
    return rows
