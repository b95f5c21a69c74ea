"""What a pack can do, measured on faces that it was not trained on, and the card that says so."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.attributes import AttributeNet
from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator, render_pair
from vidinv.training.directions import Faces
from vidinv.training.judge import Judge
from vidinv.training.losses import identity_distance
from vidinv.training.scores import ATTRIBUTES, SCORES
from vidinv.training.teachers import Teachers
from vidinv.types import Code, Displacement

STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


@torch.inference_mode()
def encode_faces(
    encoder: FeatureStyleEncoder, pictures: Tensor, points68: NDArray, identity: Tensor, attribute: Tensor
) -> Faces:
    """Codes and sampling grids of a batch of pictures [N, 3, S, S] in -1..1."""
    parts = [encoder(x) for x in pictures.split(32)]
    w, feature = (torch.cat(p).float() for p in zip(*parts, strict=True))
    return Faces(w, feature, points68, identity, attribute)


@torch.inference_mode()
def reconstruction(generator: Generator, faces: Faces, pictures: Tensor, teachers: Teachers) -> dict[str, float]:
    """PSNR, SSIM, LPIPS-squeeze and identity of G(w, F), and the last two of G(w)."""
    from skimage.metrics import structural_similarity

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
                pairs = zip((made + 1) / 2, (x + 1) / 2, strict=True)
                ssim = [
                    structural_similarity(
                        a.permute(1, 2, 0).numpy(),
                        b.permute(1, 2, 0).numpy(),
                        channel_axis=2,
                        data_range=1.0,
                        gaussian_weights=True,
                        sigma=1.5,
                        use_sample_covariance=False,
                    )
                    for a, b in pairs
                ]
                sums.setdefault("ssim", []).append(torch.tensor(ssim))
    return {k: float(torch.cat(v).float().mean()) for k, v in sums.items()}


@dataclass(frozen=True)
class Effect:
    """What an edit did to many faces at one strength."""

    change: dict[str, float]  # mean change of each score: years, P(happy), P(male), standard deviations of the others
    moved: dict[str, float]  # mean change of each score in its own standard deviations
    identity: float  # mean cosine of edit and inversion
    student: float | None  # change of the attribute as the pack's own network sees it
    share_happy: float  # share of the edited faces with P(happy) > 0.5


@torch.inference_mode()
def effect(
    name: str,
    displacement: Displacement,
    strength: float,
    generator: Generator,
    faces: Faces,
    judge: Judge,
    student: AttributeNet | None,
) -> Effect:
    """Measure ``strength`` times ``displacement`` on ``faces``."""
    found: dict[str, list[Tensor]] = {"before": [], "after": [], "identity": [], "s0": [], "s1": []}
    for i in range(0, len(faces.w), 32):
        part = slice(i, i + 32)
        code = Code(faces.w[part], faces.feature[part])
        moved = (displacement * strength).of(code)
        before, after = render_pair(generator, code.w, moved.w, code.feature, moved.feature)
        before, after = before.clamp(-1, 1), after.clamp(-1, 1)
        found["before"].append(judge(before, faces.attribute_grids[part]))
        found["after"].append(judge(after, faces.attribute_grids[part]))
        found["identity"].append(1 - identity_distance(judge.teachers, after, before, faces.identity_grids[part]))
        if student is not None and name in ATTRIBUTES:
            found["s0"].append(student(before).score(name))
            found["s1"].append(student(after).score(name))
    got = {k: torch.cat(v) for k, v in found.items() if v}
    units = [_units(a, got["after"][:, i], judge) - _units(a, got["before"][:, i], judge) for i, a in enumerate(SCORES)]
    moved = (got["after"] - got["before"]).mean(0)
    smile = SCORES.index("smile")
    return Effect(
        change={a: float(u.mean()) for a, u in zip(SCORES, units, strict=True)},
        moved={a: float(moved[i]) for i, a in enumerate(SCORES)},
        identity=float(got["identity"].mean()),
        student=float((got["s1"] - got["s0"]).mean()) if "s0" in got else None,
        share_happy=float((_units("smile", got["after"][:, smile], judge) > 0.5).float().mean()),
    )


def _units(name: str, score: Tensor, judge: Judge) -> Tensor:
    """Scores in standard deviations back to years and probabilities, where they are that."""
    raw = score * judge.scale[name]
    return {"age": raw, "smile": raw.sigmoid(), "gender": raw.sigmoid()}.get(name, score)


def adults(labels: dict[str, NDArray], rows: NDArray) -> NDArray:
    return rows[labels["age"][rows] >= 18]


def neutral(labels: dict[str, NDArray], rows: NDArray) -> NDArray:
    """Faces that the expression network calls neutral."""
    return rows[np.argmax(labels["expression"][rows], 1) == 0]


def whom(name: str, labels: dict[str, NDArray], rows: NDArray) -> NDArray:
    """The faces that an edit is measured on."""
    return neutral(labels, rows) if name == "smile" else adults(labels, rows)


def subset(faces: Faces, rows: NDArray) -> Faces:
    return Faces(*(getattr(faces, f.name)[rows] for f in fields(faces)))


def describe_step(name: str, effects: list[Effect]) -> str:
    """One sentence for people, from what was measured at -2 and +2 steps."""
    down, up = (effects[STRENGTHS.index(s)].change[name] / 2 for s in (-2.0, 2.0))
    if name == "age":
        return f"{up:+.1f} years a step upwards, {-down:+.1f} downwards, as the labelling network sees it"
    unit = {"smile": "in P(happy)", "gender": "in P(male)"}.get(name, "standard deviations")
    return f"{up:+.2f} {unit} a step upwards, {-down:+.2f} downwards, as the labelling network sees it"
