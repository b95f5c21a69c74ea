"""What codes mean: attributes read on inversions, and what lies between two of them (Zhu et al. 2020, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.inversion.bench import Bench
from benchmarks.inversion.editing import read
from benchmarks.inversion.rows import EDITED, ROWS
from benchmarks.inversion.rulers import Figures
from benchmarks.inversion.subjects import Subjects
from vidinv.errors import MissingExtra
from vidinv.inversion import Inverted
from vidinv.training.accessories import Probe, load_probe, probabilities
from vidinv.training.scores import logit
from vidinv.training.shards import read_labels
from vidinv.types import known

OLD = 40.0  # years, above which a face counts as old
STEPS = 5  # pictures of a path, its ends among them
ALL = (*EDITED[:1], "feature-style-w", *EDITED[1:])


def scored(bench: Bench, pictures: Tensor, faces: Subjects, probe: Probe | None) -> dict[str, NDArray]:
    """How much of each attribute there is, [N] each; above 0 where it is there."""
    nets = bench.rulers.nets
    assert nets is not None
    found = read(nets, pictures, faces)
    scores = {"old": found["age"] - OLD, "male": found["gender"], "smiling": found["smile"]}
    told = {name: values.numpy() for name, values in scores.items()}
    if probe is not None:
        worn = probabilities(probe, nets, pictures, known(faces.points68))
        told["glasses"] = logit(worn["glasses"].numpy())
    return told


def measure_semantics(bench: Bench, data: Path | None) -> dict[str, Any]:
    """Average precision of the scores of inversions, where those of the faces themselves say who has the attribute.

    :param data: folder of a probe for glasses; None: nothing is said of them.
    """
    probe = None if data is None else load_probe(data, read_labels(data))
    told: dict[str, Any] = {}
    for name in bench.possible(ALL):
        faces = bench.shared if ROWS[name].searches else bench.faces
        truth = scored(bench, faces.pictures, faces, probe)
        scores = scored(bench, bench.drawn(bench.kept(name).code), faces, probe)
        told[name] = {"shared": _precisions(truth, scores, bench.count)}
        if len(faces.pictures) > bench.count:
            told[name]["all"] = _precisions(truth, scores, len(faces.pictures))
    return {"faces": bench.count, "encoded": len(bench.faces.pictures), "rows": told}


def _precisions(truth: dict[str, NDArray], scores: dict[str, NDArray], count: int) -> dict[str, Any]:
    return {k: precision(truth[k][:count] > 0, scores[k][:count]) for k in truth}


def precision(truth: NDArray[np.bool_], scores: NDArray) -> dict[str, float | int | None]:
    """Area below precision over recall, and the share of faces that have it: what chance gives.

    None where all or none have it. :raises MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.metrics import average_precision_score
    except ImportError:
        raise MissingExtra(
            'average precision needs scikit-learn, which is not installed; pip install "vidinv[report]"'
        ) from None
    both = 0 < truth.sum() < len(truth)
    return {
        "with": int(truth.sum()),
        "average_precision": float(average_precision_score(truth, scores)) if both else None,
    }


def between(a: Inverted, b: Inverted, share: float) -> Inverted:
    """The codes that lie ``share`` of the way from ``a`` to ``b``."""
    return Inverted(torch.lerp(a.w, b.w, share), torch.lerp(a.feature, b.feature, share))


def pairs_of(code: Inverted) -> tuple[Inverted, Inverted]:
    """Every face with the next one, the last with the first."""
    return code, Inverted(code.w.roll(-1, 0), code.feature.roll(-1, 0))


def measure_interpolation(bench: Bench) -> dict[str, Any]:
    """How even the way between two faces is, how real what lies in its middle, and whom it looks like.

    Of every pair ``length`` is LPIPS summed along the path over LPIPS of its ends, ``evenness`` the mean step over the
    largest (1: all alike), ``identity_ends`` the mean cosine of the middle and both ends. ``frechet`` and ``swd`` are
    of all middles to the faces, ``frechet_ends`` of the inversions.
    """
    told = {}
    for name in bench.possible(ALL):
        a, b = pairs_of(bench.code(name))
        path = [bench.drawn(between(a, b, share)) for share in np.linspace(0, 1, STEPS)]
        middle, faces = path[STEPS // 2], bench.shared
        own = bench.rulers.identities(path[0], faces)["identity"]
        mine = bench.rulers.identities(middle, faces)["identity"]
        row: Figures = {"identity_ends": float(((mine * own).sum(1) + (mine * own.roll(-1, 0)).sum(1)).mean() / 2)}
        row |= bench.rulers.apart(middle, faces.pictures)
        row["frechet_ends"] = bench.rulers.apart(path[0], faces.pictures)["frechet"]
        told[name] = row | _path(path, bench.rulers.lpips)
    return {"pairs": bench.count, "rows": told}


@torch.inference_mode()
def _path(path: list[Tensor], lpips: Callable[[Tensor, Tensor], Tensor] | None) -> Figures:
    if lpips is None:
        return {}
    steps = torch.stack([lpips(a, b).flatten().double() for a, b in pairwise(path)])
    whole = lpips(path[0], path[-1]).flatten().double()
    return {"length": float((steps.sum(0) / whole).mean()), "evenness": float((steps.mean(0) / steps.amax(0)).mean())}
