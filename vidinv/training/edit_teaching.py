"""T taught by pairs alone, before it meets a discriminator: one step of all losses takes as long as four of these.

A pair that is drawn, or that something was taken away of, says to the pixel what T is to make. So the code of the other
picture is what T's own is compared with, and every second face is rendered too, since some of a code is seen and some
is not. All that T knew before, of a network that it goes on from, it keeps knowing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vidinv.models.edit_network import EditNetwork
from vidinv.models.generator import Generator
from vidinv.runtime.compute import Compute
from vidinv.training.edit_losses import change_weight
from vidinv.training.edit_samples import Batch, Pool

SHARES = {"smile": 0.45, "glasses": 0.25, "beard": 0.1}  # of all pairs, at least: teeth, lines and hairs are slowest
ONWARDS = 0.8  # share of the pairs in which something is put on, and not taken off


def taught_pairs(paired: Pool) -> Pool:
    """The same with those pairs alone of which is known to the pixel what one becomes.

    :raises ValueError: there are none.
    """
    rows = np.flatnonzero(paired.drawn >= 0)
    if not len(rows):
        raise ValueError("no pair is drawn: make some with python -m pipelines.draw_pairs")
    onwards, what = paired.asked[rows] > 0, np.array(paired.names)[paired.drawn[rows]]
    weights = paired.pair_weights[rows] / paired.pair_weights[rows].sum()
    for name, share in SHARES.items():
        part = weights[what == name].sum()
        if 0 < part < min(share, 1):
            weights = weights * np.where(what == name, share / part, (1 - share) / (1 - part))
    for way, share in ((onwards, ONWARDS), (~onwards, 1 - ONWARDS)):
        weights = np.where(way, weights * share / max(weights[way].sum(), 1e-12), weights)
    return replace(
        paired,
        pairs=paired.pairs[rows],
        pair_weights=weights / weights.sum(),
        alike=paired.alike[rows],
        drawn=paired.drawn[rows],
        asked=paired.asked[rows],
    )


def teaching_losses(
    net: EditNetwork,
    learned: EditNetwork | None,
    generator: Generator,
    batch: Batch,
    stays: Tensor,
    compute: Compute,
) -> dict[str, Tensor]:
    """Mean distances, 0-d each: of codes from those of the other pictures, squared, of pictures and their edges, and of
    what is to stay from what ``learned`` makes.

    :param stays: [E] bool: edits of which both signs stay; of the others what takes off does.
    """
    first = len(batch.w) - len(batch.partner)
    with compute.autocast():
        change, styles = net(batch.feature, batch.w, batch.amounts)
    spread = net.spread[:, None, None]
    off = (batch.feature[first:] + change[first:].float() - batch.partner_feature) / spread
    shown = slice(first, first + max(len(batch.partner) // 2, 1))
    with compute.autocast():
        made = generator.render_from(
            batch.w[shown] + styles[shown], batch.feature[shown] + change[shown], batch.below[shown]
        )
    away = made.float() - batch.partner[: len(made)]
    weight = change_weight(batch.partner[: len(made)], batch.picture[shown])
    edges = torch.stack([(weight * away).diff(dim=axis).abs().mean() for axis in (2, 3)]).sum()
    losses = {"code": off.square().mean(), "picture": (weight * away.abs()).mean(), "edges": edges}
    asked, takes_off = batch.amounts[:first] != 0, batch.amounts[:first] < 0
    rows = torch.nonzero(asked.any(1) & (~asked | stays | takes_off).all(1)).flatten()
    if learned is None or not len(rows):
        return losses | {"knows": off.new_zeros(())}
    with torch.no_grad(), compute.autocast():
        before, tinted = learned(batch.feature[rows], batch.w[rows], batch.amounts[rows])
    far = ((change[rows] - before).float() / spread).abs().mean() + (styles[rows] - tinted).float().abs().mean()
    return losses | {"knows": far * len(rows) / max(first, 1)}
