"""What a pack can do, measured on faces that it was not trained on, and the card that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vidinv.edits.drawn import worn_at
from vidinv.errors import InputError
from vidinv.faces.eyeglasses import fitted, put_on
from vidinv.models.attributes import AttributeNet
from vidinv.models.edit_network import EditNetwork
from vidinv.models.face_colours import in_face_colours
from vidinv.models.generator import Generator, edited_feature
from vidinv.models.latent_flow import LatentFlow
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.models.synthesis import StyleGenerator
from vidinv.packs.load import Pack
from vidinv.packs.spec import EditSpec
from vidinv.training.directions import Faces
from vidinv.training.labelling import Labelling
from vidinv.training.losses import identity_distance
from vidinv.training.photometry import hair
from vidinv.training.scores import ACCESSORIES, ADULT, LOGITS, colours_in_place, scores
from vidinv.training.similarity import structural
from vidinv.training.teachers import Teachers
from vidinv.types import Code, Displacement

UNITS = {"smile": "P(happy)", "gender": "P(male)"} | {a: f"P({a})" for a in ACCESSORIES}
WITHOUT = 0.2  # probability below which a face counts as one without
STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


@torch.inference_mode()
def encode_faces(encoder: nn.Module, pictures: Tensor, points68: NDArray, identity: Tensor, attribute: Tensor) -> Faces:
    """Codes and sampling grids of a batch of pictures [N, 3, S, S] in -1..1."""
    parts = [encoder(x) for x in pictures.split(32)]
    w, feature = (torch.cat(p).float() for p in zip(*parts, strict=True))
    return Faces(w, feature, points68, identity, attribute, hair(to_levels(pictures), points68))


@torch.inference_mode()
def reconstruction(generator: StyleGenerator, faces: Faces, pictures: Tensor, teachers: Teachers) -> dict[str, float]:
    """PSNR, SSIM, LPIPS-squeeze and identity of G(w, F), and the last two of G(w)."""
    sums: dict[str, list[Tensor]] = {}
    for i in range(0, len(pictures), 32):
        part = slice(i, i + 32)
        x, where = pictures[part], faces.identity_grids[part]
        for name, made in (("", generator(faces.w[part], faces.feature[part])), ("_w", generator(faces.w[part]))):
            made = made.clamp(-1, 1)
            sums.setdefault("lpips" + name, []).append(teachers.labeller.lpips(made, x).flatten())
            sums.setdefault("identity" + name, []).append(1 - identity_distance(teachers, made, x, where))
            if not name:
                sums.setdefault("psnr", []).append(-10 * ((made - x) / 2).square().mean((1, 2, 3)).log10())
                sums.setdefault("ssim", []).append(structural(made, x))
    return {k: float(torch.cat(v).float().mean()) for k, v in sums.items()}


@dataclass(frozen=True)
class Effect:
    """What an edit did to many faces at one strength."""

    change: dict[str, float]  # mean change of each score: years, probabilities, standard deviations of the others
    moved: dict[str, float]  # mean change of each score in its own standard deviations
    identity: float  # mean cosine of edit and inversion
    student: float | None  # change of the attribute as the pack's own network sees it
    share_happy: float  # share of the edited faces with P(happy) > 0.5


Move = Callable[[Code, float], Code]
"""Codes [B, ...] of faces and a number of steps to the codes of the edited faces."""


def along(displacement: Displacement) -> Move:
    """The same for every face."""
    return lambda code, steps: (displacement * steps).of(code)


def answered(network: EditNetwork, edit: int) -> Move:
    """What a network answers to each face. :param edit: which of its edits."""

    def move(code: Code, steps: float) -> Code:
        amounts = torch.zeros(len(code.w), len(network.steps))
        amounts[:, edit] = steps * network.steps[edit]
        feature, styles = network(code.feature, code.w, amounts)
        return Code(code.w + styles, code.feature + feature)

    return move


def through(flow: LatentFlow, attribute: int) -> Move:
    """In W*. :param attribute: which of the flow's."""

    def move(code: Code, steps: float) -> Code:
        lengths = torch.zeros(len(code.w), len(flow.steps))
        lengths[:, attribute] = steps * flow.steps[attribute]
        return Code(flow.moved(code.w, lengths), code.feature)

    return move


def moves_of(pack: Pack) -> dict[str, Move]:
    """What each edit of a pack does."""
    kinds: dict[str, Callable[[str], Move]] = {
        "linear": lambda name: along(pack.directions[name]),
        "network": lambda name: answered(pack.edit_network, pack.edit_number(name)),
        "proxy": lambda name: through(pack.latent_flow, pack.attribute_number(name)),
    }
    return {name: kinds[edit.kind](name) for name, edit in pack.spec.edits.items()}


@torch.inference_mode()
def effects(
    name: str,
    move: Move,
    strengths: Sequence[float],
    generator: StyleGenerator,
    faces: Faces,
    labelling: Labelling,
    student: AttributeNet | None,
    colours: float = 1.0,
    drawn: str = "",
) -> list[Effect]:
    """Measure an edit on ``faces``, once for each of ``strengths``. :param colours, drawn: EditSpec's."""
    before: list[dict[str, Tensor]] = []
    after: list[list[dict[str, Tensor]]] = [[] for _ in strengths]
    asked = student if student is not None and name in student.config.scores else None
    for i in range(0, len(faces.w), 32):
        part = slice(i, i + 32)
        some = subset(faces, part)
        code = Code(some.w, some.feature)
        native, skip = generator.below(code.w)
        inversion = generator.render_from(code.w, code.feature, skip).clamp(-1, 1)
        before.append(_read(inversion, some, name, labelling, asked))
        for strength, found in zip(strengths, after, strict=True):
            if drawn and strength > 0:
                picture = drawn_at(inversion, some.points68, strength)
            else:
                moved = move(code, strength)
                native_moved, skip = generator.below(moved.w)
                feature = edited_feature(moved.feature, native, native_moved)
                picture = generator.render_from(moved.w, feature, skip).clamp(-1, 1)
                picture = in_face_colours(picture, inversion, torch.tensor([colours]))
            kept = 1 - identity_distance(labelling.teachers, picture, inversion, some.identity_grids)
            found.append(_read(picture, some, name, labelling, asked) | {"identity": kept})
    return [_effect(_together(before), _together(found), labelling) for found in after]


def drawn_at(pictures: Tensor, points68: NDArray, steps: float) -> Tensor:
    """What so many steps of an edit, above 0, put on in pictures [B, 3, S, S], -1..1.

    :param points68: [B, 68, 2] pixels.
    """
    crops = np.rint(to_levels(pictures)).astype(np.uint8)
    made = [put_on(crop, worn_at(fitted(crop, points), steps)) for crop, points in zip(crops, points68, strict=True)]
    return to_tensor(made).to(pictures)


def _read(
    pictures: Tensor, faces: Faces, name: str, labelling: Labelling, student: AttributeNet | None
) -> dict[str, Tensor]:
    read = labelling(pictures, faces)
    return read if student is None else read | {"student": student(pictures).score(name)}


def _together(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {k: torch.cat([p[k] for p in parts]) for k in parts[0]}


def _effect(before: dict[str, Tensor], after: dict[str, Tensor], labelling: Labelling) -> Effect:
    return Effect(
        change={
            a: float((_units(a, after[a], labelling) - _units(a, before[a], labelling)).nanmean())
            for a in labelling.scale
        },
        moved={a: float((after[a] - before[a]).nanmean()) for a in labelling.scale},
        identity=float(after["identity"].mean()),
        student=float((after["student"] - before["student"]).mean()) if "student" in after else None,
        share_happy=float((_units("smile", after["smile"], labelling) > 0.5).float().mean()),
    )


def _units(name: str, score: Tensor, labelling: Labelling) -> Tensor:
    """Scores in standard deviations back to years and probabilities, where they are that."""
    raw = score * labelling.scale[name]
    return raw if name == "age" else raw.sigmoid() if name in LOGITS else score


COHORTS = {  # the faces that an edit is measured on; all others on adults
    "smile": "neutral faces",
    "hair": "adults whose hair the crop shows",
    "skin": "adults in pictures with colours",
    "glasses": "adults without glasses",
    "beard": "men without a beard",
    "makeup": "women without makeup",
}

COHORTS_BELOW = {  # and below zero steps: those who have what is taken away; all others on the same
    "smile": "smiling ones",
    "glasses": "those with glasses",
    "beard": "those with a beard",
    "makeup": "those with makeup",
}


def cohort(name: str, labels: dict[str, NDArray], rows: NDArray, below: bool = False) -> NDArray:
    """Those of ``rows`` that COHORTS names for the edit, or COHORTS_BELOW."""
    if name == "smile":
        # What the expression network calls neutral, or happy.
        return rows[np.argmax(labels["expression"][rows], 1) == int(below)]
    suited = (labels["age"] >= ADULT) & np.isfinite(scores(labels)[name])
    if name in ACCESSORIES:
        suited &= labels[name] > 1 - WITHOUT if below else labels[name] < WITHOUT
    if name in ("beard", "makeup"):
        suited &= (labels["male"] > 0.5) == (name == "beard")
    return rows[suited[rows]]


def subset(faces: Faces, rows: NDArray | slice) -> Faces:
    return Faces(*(getattr(faces, f.name)[rows] for f in fields(faces)))


def measured(
    name: str,
    move: Move,
    generator: Generator,
    faces: Faces,
    labels: dict[str, NDArray],
    labelling: Labelling,
    student: AttributeNet | None,
    colours: float = 1.0,
    drawn: str = "",
) -> list[Effect]:
    """What an edit does at each of STRENGTHS.

    :param faces: N of them. :param labels: theirs. :param colours, drawn: EditSpec's.
    :raises InputError: none of the faces is one to measure this edit on.
    """
    groups: dict[bool, Sequence[float]] = {False: STRENGTHS}
    if name in COHORTS_BELOW:
        groups = {True: [s for s in STRENGTHS if s < 0], False: [s for s in STRENGTHS if s >= 0]}
    found = []
    for below, strengths in groups.items():
        rows = cohort(name, labels, np.arange(len(faces.w)), below)
        if not len(rows):
            who = COHORTS_BELOW[name] if below else COHORTS.get(name, "adults")
            raise InputError(
                f"{name}: among {len(faces.w)} validation faces are none of {who}; measure more faces, or leave the "
                "edit out of the settings"
            )
        found += effects(name, move, strengths, generator, subset(faces, rows), labelling, student, colours, drawn)
    return found


def measure_edits(
    pack: Pack, names: Iterable[str], faces: Faces, labels: dict[str, NDArray], labelling: Labelling
) -> tuple[dict[str, EditSpec], dict[str, dict[str, dict]]]:
    """Some edits of a pack as its pack.toml is to describe them, and their figures for the card, by strength."""
    specs, figures, generator = {}, {}, pack.generator
    assert isinstance(generator, Generator)
    moves = moves_of(pack)
    for name in names:
        spec = pack.spec.edits[name]
        colours = colours_in_place(name, spec.colours)
        found = measured(name, moves[name], generator, faces, labels, labelling, pack.attributes, colours, spec.drawn)
        figures[name] = {str(s): asdict(e) for s, e in zip(STRENGTHS, found, strict=True)}
        specs[name] = replace(
            pack.spec.edits[name],
            step=describe_step(name, found),
            strengths=STRENGTHS,
            effects=tuple(round(e.change[name], 3) for e in found),
            scale=float(f"{labelling.scale[name]:.3g}"),
        )
        print(name, specs[name].step, flush=True)
    return specs, figures


def describe_step(name: str, effects: list[Effect]) -> str:
    """One sentence for people, from what was measured at -2 and +2 steps."""
    down, up = (effects[STRENGTHS.index(s)].change[name] / 2 for s in (-2.0, 2.0))
    if name == "age":
        return f"{up:+.1f} years a step upwards, {-down:+.1f} downwards, as the labelling network sees it"
    unit = f"in {UNITS[name]}" if name in LOGITS else "standard deviations"
    return f"{up:+.2f} {unit} a step upwards, {-down:+.2f} downwards, as the labelling network sees it"
