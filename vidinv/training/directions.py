"""Directions in W+ for named attributes: fitted to labels, then refined through the generator.

Fitting regresses the codes on all attributes at once (the forward model): the pattern of one attribute is what changes
with it while the others, pose, light and the data set stay as they are. That is the supervised counterpart of
InterFaceGAN's conditional manipulation (Shen et al. 2020, section 3.3), which projects the others out afterwards.

Refining asks the labelling networks about the edited picture itself (Eq. 1 of Yao et al. 2022 included): the attribute
must reach its target, the others and the identity must stay. The displacement stays in the span of the codes' main
components, and the networks see it through jittered crops, so that it cannot win by fooling them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator, render_pair
from vidinv.training.losses import identity_distance, similarity_grids
from vidinv.training.teachers import Teachers

ATTRIBUTES = ("age", "smile", "gender")


@torch.inference_mode()
def encode_all(encoder: FeatureStyleEncoder, batches: Callable[[NDArray], Tensor], rows: NDArray) -> Tensor:
    """Styles of many faces, [N, L, D] float32; ``batches(rows)`` gives their pictures."""
    codes = []
    for start in range(0, len(rows), 32):
        with torch.autocast("cpu", torch.bfloat16):
            codes.append(encoder(batches(rows[start : start + 32]))[0].float())
    return torch.cat(codes)


def logit(p: NDArray) -> NDArray:
    p = np.clip(p, 0.002, 0.998)
    return np.log(p / (1 - p))


def scores(labels: dict[str, NDArray]) -> dict[str, NDArray]:
    """Attribute scores of every face: age in years, the others as logits, so that one step means the same anywhere."""
    return {"age": labels["age"], "smile": logit(labels["expression"][:, 1]), "gender": logit(labels["male"])}


def nuisances(labels: dict[str, NDArray]) -> NDArray:
    """What else differs between faces and must not be learned as part of an attribute, [N, K]."""
    p = labels["points68"]
    width = np.linalg.norm(p[:, 45] - p[:, 36], axis=1)
    yaw = (p[:, 30, 0] - (p[:, 36, 0] + p[:, 45, 0]) / 2) / width
    pitch = (p[:, 30, 1] - p[:, 27, 1]) / np.maximum(p[:, 8, 1] - p[:, 27, 1], 1)
    expressions = labels["expression"][:, 2:]
    sets = np.stack([labels["set"] == s for s in np.unique(labels["set"])[1:]], 1)
    return np.column_stack([yaw, pitch, labels["skin"], labels["side"], expressions, sets]).astype(np.float64)


def fit(codes: Tensor, labels: dict[str, NDArray], weights: NDArray, ridge: float = 1e-3) -> dict[str, Tensor]:
    """Pattern of one standard deviation of each attribute, [L, D].

    :param codes: [N, L, D]. :param labels: of the same faces. :param weights: [N] how much each face counts.
    """
    named = scores(labels)
    x = np.column_stack([*(named[a] for a in ATTRIBUTES), nuisances(labels)])
    mean = np.average(x, 0, weights)
    x = (x - mean) / np.maximum(np.sqrt(np.average((x - mean) ** 2, 0, weights)), 1e-6)
    y = codes.flatten(1).double().numpy()
    y = y - np.average(y, 0, weights)
    weighted = x * (weights / weights.mean())[:, None]
    gram = weighted.T @ x / len(x) + ridge * np.eye(x.shape[1])
    pattern = np.linalg.solve(gram, weighted.T @ y / len(x))
    return {a: torch.from_numpy(pattern[i]).float().view(codes.shape[1:]) for i, a in enumerate(ATTRIBUTES)}


@dataclass(frozen=True)
class RefineOptions:
    steps: int = 150
    batch: int = 8
    rate: float = 0.03
    components: int = 256  # main components of the codes that a displacement may be made of
    attribute: float = 1.0
    leak: float = 1.0
    identity: float = 1.0
    identity_kept: float = 0.75  # cosine of edit and inversion above which nothing is charged
    stay: float = 0.02  # pull towards small displacements, in standard deviations of the components
    seed: int = 0


@dataclass(frozen=True)
class Judge:
    """The labelling networks as a differentiable function of crops."""

    teachers: Teachers
    scale: dict[str, float]  # standard deviation of each attribute's score

    def __call__(self, pictures: Tensor, grids: Tensor, jitter: float = 0.0) -> Tensor:
        """Attribute scores in standard deviations, [N, 3].

        :param grids: [N, 2, 3] from :func:`attribute_grids`. :param jitter: random scale and shift of the view.
        """
        if jitter:
            n = len(grids)
            zoom = 1 + jitter * torch.randn(n, 1, 1)
            shift = jitter * torch.randn(n, 2, 1)
            grids = torch.cat([grids[:, :, :2] * zoom, grids[:, :, 2:] + shift], 2)
        where = F.affine_grid(grids, (len(grids), 3, 112, 112), align_corners=False)
        crops = (F.grid_sample(pictures, where, padding_mode="border", align_corners=False) + 1) / 2
        lab = self.teachers.labeller
        features = lab.attributes.features(crops)
        age = lab.attributes.fc(features, "fc/age")[:, 0]
        sex = lab.attributes.fc(features, "fc/gender")
        expression = lab.expression.logits(crops)
        rest = torch.cat([expression[:, :1], expression[:, 2:]], 1).logsumexp(1)
        raw = {"age": age, "smile": expression[:, 1] - rest, "gender": sex[:, 0] - sex[:, 1]}
        return torch.stack([raw[a] / self.scale[a] for a in ATTRIBUTES], 1)


def attribute_grids(points68: NDArray, size: int) -> Tensor:
    """Sampling grids from the pack's crop to the view that the attribute networks want, [N, 2, 3]."""
    low, high = points68.min(1), points68.max(1)
    side = 0.95 * np.maximum((high - low)[:, 0] / 0.842, (high - low)[:, 1] / 0.759)
    corner = (low + high) / 2 - np.array([0.493, 0.614]) * side[:, None]
    maps = np.zeros((len(points68), 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = 112 / side
    maps[:, :, 2] = -corner * (112 / side)[:, None]
    return similarity_grids(maps, size)


@dataclass(frozen=True)
class Faces:
    """Encoded faces that a displacement is tried on."""

    w: Tensor  # [N, L, D]
    feature: Tensor  # [N, C, h, h]
    points68: NDArray  # [N, 68, 2]
    identity_grids: Tensor
    attribute_grids: Tensor


def refine(
    name: str,
    start: Tensor,
    codes: Tensor,
    sample: Callable[[int], Faces],
    generator: Generator,
    judge: Judge,
    target: float,
    options: RefineOptions,
    report: Callable[[int, dict[str, float]], None],
) -> Tensor:
    """A displacement [L, D] that changes attribute ``name`` by ``target`` standard deviations, on average.

    :param start: [L, D] where to begin. :param codes: [N, L, D] codes whose main components span the displacement.
    :param sample: gives so many faces at random.
    """
    torch.manual_seed(options.seed)
    flat = codes.flatten(1)
    _, spread, basis = torch.svd_lowrank(flat - flat.mean(0), q=options.components, niter=3)
    spread = spread / len(flat) ** 0.5
    knob = ((start.flatten() @ basis) / spread).requires_grad_(True)
    optimiser = torch.optim.Adam([knob], lr=options.rate, betas=(0.9, 0.99))
    k = ATTRIBUTES.index(name)
    for i in range(options.steps):
        faces = sample(options.batch)
        sign = 1.0 if i % 2 == 0 else -1.0
        delta = sign * (basis @ (knob * spread)).view(start.shape)
        with torch.autocast("cpu", torch.bfloat16):
            before, after = render_pair(generator, faces.w, faces.w + delta, faces.feature)
        before, after = before.float().detach().clamp(-1, 1), after.float().clamp(-1, 1)
        with torch.no_grad():
            was = judge(before, faces.attribute_grids)
        change = judge(after, faces.attribute_grids, jitter=0.03) - was
        wanted = torch.full_like(change[:, k], sign * target)
        reach = F.smooth_l1_loss(change[:, k], wanted) + 0.5 * (change[:, k].mean() - sign * target).abs()
        others = [j for j in range(len(ATTRIBUTES)) if j != k]
        leak = change[:, others].mean(0).abs().sum() + 0.3 * change[:, others].square().mean()
        lost = identity_distance(judge.teachers, after, before, faces.identity_grids)
        who = F.relu(lost - (1 - options.identity_kept)).mean()
        loss = options.attribute * reach + options.leak * leak + options.identity * who
        loss = loss + options.stay * knob.square().sum().sqrt()
        optimiser.zero_grad()
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1.0, 2 * (1 - i / options.steps))
        optimiser.step()
        figures = {"change": sign * float(change[:, k].mean().detach()), "leak": float(leak.detach())}
        report(i, {**figures, "identity": 1 - float(lost.mean().detach()), "length": float(knob.detach().norm())})
    return (basis @ (knob.detach() * spread)).view(start.shape)
