"""From codes and labels to a direction: what moves a face by one step, and how far along it a face is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.errors import InputError, UsageError
from vidinv.fitting import boundary as svm
from vidinv.fitting.boundary import Rows
from vidinv.fitting.components import following, principal
from vidinv.packs.load import Pack
from vidinv.packs.published.directions import sefa
from vidinv.types import Displacement

METHODS = ("interfacegan", "ganspace", "sefa")


@dataclass(frozen=True)
class Other:
    """Something that a direction is to leave alone."""

    normal: Rows
    """[L D], of any length."""
    column: Rows
    """[N], how much of it each face has."""


@dataclass(frozen=True)
class Direction:
    """What was fitted."""

    displacement: Displacement
    """One step."""
    normal: Tensor
    """[L, D], unit: what a code is scored by."""
    scale: float
    """Standard deviation of w . normal: one of the score."""
    step: str
    """What a step is, for people."""
    made: Mapping[str, Any] = field(default_factory=dict)
    """Figures of the fit."""


def by_boundary(
    w: Tensor,
    feature: Tensor | None,
    values: NDArray[np.float64],
    others: Mapping[str, Other],
    held: NDArray[np.bool_],
) -> Direction:
    """InterFaceGAN: the normal of the boundary between two kinds of faces, held against others.

    :param w: [N, L, D]. :param feature: [N, C, h, h]; None: F is not moved, but by Eq. 1.
    :param values: [N], see :func:`vidinv.fitting.boundary.kinds_of`.
    :param held: [N], faces that nothing is fitted to: see :func:`vidinv.fitting.boundary.held_out`.
    :raises UsageError, MissingExtra: see :mod:`vidinv.fitting.boundary`.
    """
    x, kinds = w.flatten(1).double().numpy(), svm.kinds_of(values)
    used = ~held & (kinds != 0)
    found = svm.boundary(x[used], kinds[used])
    normal = svm.conditional(found.normal, [other.normal for other in others.values()])
    projections = x @ normal
    sd = svm.spread(projections[used], kinds[used])
    moved = None
    if feature is not None:
        # The labels themselves: a machine that has few faces knows them by heart, and what it makes of them is noise.
        mine = kinds.astype(np.float64) if _classes(values) else _standard(values)
        columns = np.column_stack([mine, *(_standard(other.column) for other in others.values())])
        moved = following(feature[torch.from_numpy(~held)], columns[~held])
    judged = held & (kinds != 0)
    distances = found.distances(x)
    made: dict[str, Any] = {
        "positive": int((kinds == 1).sum()),
        "negative": int((kinds == -1).sum()),
        "between": int((kinds == 0).sum()),
        "held_out": int(judged.sum()),
        "accuracy": svm.accuracy(distances[judged], kinds[judged]),
        "kept_of_normal": float(normal @ found.normal),
    }
    if not _classes(values):
        made["rank_correlation"] = svm.rank_correlation(distances[held], values[held])
    return Direction(
        displacement=Displacement(_styles(normal * sd, w), moved),
        normal=_styles(found.normal, w),
        scale=svm.spread(x[used] @ found.normal, kinds[used]),
        step="one standard deviation of the pictures' codes across the boundary",
        made=made,
    )


def by_component(w: Tensor, feature: Tensor | None, component: int, chosen: range | None) -> Direction:
    """GANSpace: a principal component of codes.

    :param w: [N, L, D]; :param feature: as of :func:`by_boundary`. :param chosen: styles; None: every one.
    :raises InputError: too few codes. :raises UsageError: a component that is not there.
    """
    if len(w) < svm.NEEDED:
        raise InputError(f"{len(w)} pictures can be used, and {svm.NEEDED} are needed; give more")
    x, where = w.flatten(1).double().numpy(), range(w.shape[1]) if chosen is None else chosen
    size = w.shape[2]
    looked = slice(where.start * size, where.stop * size)
    normal = np.zeros(x.shape[1])
    normal[looked], share = principal(x[:, looked], component)
    projections = x @ normal
    sd = svm.spread(projections)
    moved = None if feature is None else following(feature, _standard(projections)[:, None])
    step = f"one standard deviation of the pictures' codes along component {component}"
    made = {"pictures": len(w), "share_of_variance": share}
    return Direction(Displacement(_styles(normal * sd, w), moved), _styles(normal, w), sd, step, made)


def by_weights(pack: Pack, component: int, chosen: range | None, w: Tensor | None) -> Direction:
    """SeFa: what moves the styles most, by the generator's weights; :func:`vidinv.packs.published.directions.sefa`.

    :param w: [N, L, D], codes that say how long a step is; None: it is the unit vector.
    :raises UsageError: a component that is not there, or styles that no convolution takes.
    """
    sizes = pack.generator.config
    if not 0 <= component < sizes.d_style:
        raise UsageError(
            f"component {component}: this generator's weights have the components 0 to {sizes.d_style - 1}"
        )
    listed = sefa(pack.generator.state_dict(), component + 1, sizes.layers, chosen)
    published = listed[f"sefa-{component}"]
    vector = published.displacement.cpu()
    length = float(vector.norm())
    normal = vector / length
    if w is None:
        return Direction(Displacement(vector), normal, length, published.step)
    sd = float((w.flatten(1) @ normal.flatten()).std(correction=0))
    step = f"one standard deviation of the pictures' codes along component {component} of the weights"
    return Direction(Displacement(normal * sd), normal, sd, step, {"pictures": len(w)})


def other_by_scores(w: Tensor, scores: Rows, held: NDArray[np.bool_]) -> Other:
    """Of scores [N] that a network read: the boundary between the faces at either end."""
    x, rows = w.flatten(1).double().numpy(), ~held
    kinds = svm.kinds_of(scores)
    rows &= kinds != 0
    return Other(svm.boundary(x[rows], kinds[rows]).normal, scores)


def other_by_normal(w: Tensor, normal: Tensor) -> Other:
    """Of another direction [L, D]."""
    flat = normal.flatten().double().cpu().numpy()
    return Other(flat, w.flatten(1).double().numpy() @ flat)


def _classes(values: NDArray[np.float64]) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _styles(flat: Rows, like: Tensor) -> Tensor:
    return torch.from_numpy(flat).float().unflatten(0, like.shape[1:])


def _standard(column: Rows) -> Rows:
    return (column - column.mean()) / max(float(column.std()), 1e-9)
