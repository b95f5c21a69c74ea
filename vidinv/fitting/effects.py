"""What a direction does to faces, and what it should have left alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vidinv.models.attributes import MOST_SURE
from vidinv.models.generator import render_pair
from vidinv.packs.load import Pack
from vidinv.packs.own import Effects
from vidinv.runtime.compute import Compute
from vidinv.types import Code, Displacement

TRIED = (-2.0, -1.0, 1.0, 2.0)  # steps
FACES = 64  # that are measured at most
Encode = Callable[[Tensor], Tensor]
"""Pictures [B, 3, S, S] in -1..1 to w [B, L, D]."""


@torch.inference_mode()
def read_scores(pack: Pack, compute: Compute, pictures: Tensor) -> Tensor:
    """Of pictures [B, 3, S, S] in -1..1 what the pack's attribute network sees, [B, K]: years, and logits as far as
    they tell something; without one, K = 0."""
    if not pack.has("attributes"):
        return torch.zeros(len(pictures), 0)
    with compute.autocast():
        read = pack.attributes.scores(pictures)
    ends = {name: float("inf") if name == "age" else MOST_SURE for name in read}
    return torch.stack([read[name].clamp(-ends[name], ends[name]) for name in pack.scores], 1).cpu()


@torch.inference_mode()
def measured(
    pack: Pack,
    compute: Compute,
    w: Tensor,
    feature: Tensor,
    displacement: Displacement,
    own: Callable[[Tensor], Tensor],
    sds: Tensor,
    encode: Encode,
    *,
    held_out: bool,
    batch: int,
) -> Effects:
    """Mean changes at TRIED steps, against the inversion.

    :param w: [N, L, D]; :param feature: [N, C, h, h]; :param displacement: one step.
    :param own: w [B, L, D] to the direction's own score [B], sd.
    :param sds: [K], standard deviations of the attribute network's scores.
    """
    changes: dict[float, list[Tensor]] = {steps: [] for steps in TRIED}
    kept: dict[float, list[Tensor]] = {steps: [] for steps in TRIED}
    part = displacement.feature
    step = Displacement(displacement.w.to(compute.device), None if part is None else part.to(compute.device))

    def read(pictures: Tensor) -> Tensor:
        """[B, 1 + K]: the direction's own score, and the network's, sd."""
        mine = own(encode(pictures).float().cpu())[:, None]
        return torch.cat([mine, read_scores(pack, compute, pictures) / sds], 1)

    for styles, some in zip(w[:FACES].split(batch), feature[:FACES].split(batch), strict=True):
        code = Code(styles.to(compute.device), some.to(compute.device).float())
        start = None
        for steps in TRIED:
            moved = (step * steps).of(code)
            with compute.autocast():
                pair = render_pair(pack.generator, code.w, moved.w, code.feature, moved.feature)
                before, after = (p.float().clamp(-1, 1) for p in pair)
                start = read(before) if start is None else start
                changes[steps].append(read(after) - start)
                if pack.has("identity"):
                    a, b = (pack.identity(p).float().cpu() for p in (before, after))
                    kept[steps].append((a * b).sum(1))
    means = np.array([torch.cat(changes[steps]).double().mean(0).numpy() for steps in TRIED])
    return Effects(
        faces=min(len(w), FACES),
        held_out=held_out,
        strengths=TRIED,
        own=_rounded(means[:, 0]),
        scores={name: _rounded(means[:, i]) for i, name in enumerate(pack.scores, 1)},
        identity=_rounded([float(torch.cat(kept[s]).mean()) for s in TRIED]) if pack.has("identity") else (),
    )


def _rounded(values: np.ndarray | list[float]) -> tuple[float, ...]:
    return tuple(round(float(v), 3) + 0.0 for v in values)
