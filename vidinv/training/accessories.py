"""A probe for what faces wear (glasses, beard, makeup): logistic regressions on squeezenet features, from hand labels.

Features are the activations of the labelling networks' LPIPS trunk, pooled in a few cells over the part of the face
that a label is about, in a view in which every face's eyes and mouth lie alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidinv.errors import InputError, InputMissing
from vidinv.training.losses import similarity_grids
from vidinv.training.teachers import Teachers

FILE = "accessories.safetensors"
VIEW = 128  # side of the view, pixels
EYES_MOUTH = np.array([[30, 23], [82, 23], [56, 77]], float)  # where they lie in the view, in 112ths of it
LAYERS = 8  # of squeezenet's features: rims of glasses are still told apart there
# Part of the view in 112ths (x0, y0, x1, y1), and how many cells it is pooled in (rows, columns).
PARTS = {
    "glasses": ((10, 0, 102, 48), (2, 4)),
    "beard": ((15, 51, 97, 107), (2, 3)),
    "makeup": ((10, 0, 102, 92), (3, 3)),
}
STRENGTHS = tuple(float(c) for c in 10.0 ** np.arange(-5, 1))  # inverse regularisation that is tried
FOLDS = 4


@dataclass(frozen=True)
class Probe:
    """A linear classifier per label."""

    weights: dict[str, Tensor]  # [D] of each label, its own D
    biases: dict[str, Tensor]  # []

    def to(self, device: str) -> Probe:
        weights, biases = ({k: v.to(device) for k, v in part.items()} for part in (self.weights, self.biases))
        return Probe(weights, biases)

    def save(self, folder: Path) -> None:
        """As accessories.safetensors: ``NAME.weight`` and ``NAME.bias``."""
        from safetensors.torch import save_file  # where there is a GPU it may be absent

        tensors = {f"{n}.weight": w.contiguous() for n, w in self.weights.items()}
        save_file(tensors | {f"{n}.bias": b for n, b in self.biases.items()}, folder / FILE)


def load_probe(folder: Path, labels: dict[str, NDArray]) -> Probe | None:
    """The probe that made the columns of a data folder's table; None where it has no such columns.

    :raises InputMissing: the columns are there, but not the probe.
    """
    if labels.keys().isdisjoint(PARTS):
        return None
    path = folder / FILE
    if not path.exists():
        raise InputMissing(
            f"{path} is missing, though labels.npz has columns of it; run python -m pipelines.label_accessories again"
        )
    from safetensors.torch import load_file

    tensors = load_file(path)
    kinds = ({n.removesuffix(k): t for n, t in tensors.items() if n.endswith(k)} for k in (".weight", ".bias"))
    return Probe(*kinds)


def view_grids(teachers: Teachers, points68: NDArray, size: int) -> Tensor:
    """Sampling grids [N, 2, 3] from ``size`` x ``size`` crops with landmarks [N, 68, 2] to the probe's view."""
    places = [np.stack([p[36:42].mean(0), p[42:48].mean(0), p[48:60].mean(0)]) for p in points68]
    return similarity_grids(np.stack([teachers.alignment.similarity(place, EYES_MOUTH) for place in places]), size)


def features_at(teachers: Teachers, pictures: Tensor, grids: Tensor) -> dict[str, Tensor]:
    """Features of each label, [N, D], of crops [N, 3, S, S] in -1..1 at grids of :func:`view_grids`; with gradients."""
    net = teachers.labeller.lpips
    where = F.affine_grid(grids, [len(pictures), 3, VIEW, VIEW], align_corners=False)
    x = F.grid_sample(pictures, where, padding_mode="border", align_corners=False)
    x = net.features[:LAYERS]((x - net.shift) / net.scale)
    found = {}
    for name, (part, cells) in PARTS.items():
        x0, y0, x1, y1 = (round(edge / 112 * x.shape[-1]) for edge in part)
        found[name] = F.adaptive_avg_pool2d(x[:, :, y0:y1, x0:x1], cells).flatten(1)
    return found


@torch.inference_mode()
def features(teachers: Teachers, pictures: Tensor, points68: NDArray) -> dict[str, Tensor]:
    """Features of each label, [N, D], of crops [N, 3, S, S] in -1..1 with landmarks [N, 68, 2]."""
    grids = view_grids(teachers, points68, pictures.shape[-1])
    parts = [features_at(teachers, *some) for some in zip(pictures.split(32), grids.split(32), strict=True)]
    return {name: torch.cat([part[name] for part in parts]) for name in PARTS}


def logits(probe: Probe, read: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of each of the probe's labels, [N], from its features."""
    return {n: read[n] @ w + probe.biases[n] for n, w in probe.weights.items()}


def probabilities(probe: Probe, teachers: Teachers, pictures: Tensor, points68: NDArray) -> dict[str, Tensor]:
    """0..1 of each of the probe's labels, [N], of crops as :func:`features` takes them."""
    return {n: torch.sigmoid(v) for n, v in logits(probe, features(teachers, pictures, points68)).items()}


def learn(x: NDArray, truth: NDArray) -> tuple[Tensor, Tensor, dict[str, float]]:
    """Weight [D], bias and the cross-validated log-loss and regularisation of one label.

    :param x: [N, D] features. :param truth: [N] 0 or 1.
    :raises InputError: fewer than FOLDS faces of either kind.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    if min(truth.sum(), (1 - truth).sum()) < FOLDS:
        raise InputError(f"{int(truth.sum())} of {len(truth)} faces have it: {FOLDS} of either kind are needed")
    mean, sd = x.mean(0), np.maximum(x.std(0), 1e-6)
    tried = GridSearchCV(
        LogisticRegression(max_iter=500), {"C": STRENGTHS}, scoring="neg_log_loss", cv=FOLDS, error_score="raise"
    ).fit((x - mean) / sd, truth.astype(int))
    weight = tried.best_estimator_.coef_[0] / sd
    bias = tried.best_estimator_.intercept_[0] - weight @ mean
    chosen = {"c": float(tried.best_params_["C"]), "log_loss": float(-tried.best_score_)}
    return torch.from_numpy(weight).float(), torch.tensor(bias).float(), chosen


def agreement(predicted: NDArray, truth: NDArray) -> dict[str, float]:
    """How well probabilities [N] agree with labels by hand [N] of 0 and 1: accuracy, and AUC where both occur."""
    from sklearn.metrics import roc_auc_score

    both = 0 < truth.sum() < len(truth)
    right = {"faces": len(truth), "with": int(truth.sum()), "accuracy": float(((predicted > 0.5) == truth).mean())}
    return right | ({"auc": float(roc_auc_score(truth, predicted))} if both else {})
