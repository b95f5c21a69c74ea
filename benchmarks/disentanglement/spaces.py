"""How well each space holds attributes apart: linear SVMs, and DCI by lasso."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidinv.metrics.disentanglement import dci_lasso
from vidinv.metrics.separability import fit_hyperplanes
from vidinv.models.latent_flow import LatentFlow
from vidinv.training.attribute_codes import AttributeCodes
from vidinv.training.unfolding import unfolded

ALPHA = 0.05  # of the lasso, the paper's


def space_of(codes: NDArray, truth: NDArray, unseen: NDArray, unseen_truth: NDArray, c: float) -> dict[str, Any]:
    """Figures of one space [N, M]: SVMs and lassos fitted to ``codes`` and tried on ``unseen``."""
    planes = fit_hyperplanes(codes, truth, c)
    known, unseen_known = ((t != 0).all(1) for t in (truth, unseen_truth))
    dci = dci_lasso(codes[known], truth[known], unseen[unseen_known], unseen_truth[unseen_known], alpha=ALPHA)
    return {
        "accuracy": planes.accuracies(unseen, unseen_truth).tolist(),
        "accuracy_fitted": planes.accuracies(codes, truth).tolist(),
        "disentanglement": dci.disentanglement,
        "completeness": dci.completeness,
        "informativeness": dci.informativeness,
    }


def both_spaces(flow: LatentFlow, codes: AttributeCodes, rows: NDArray, val: NDArray, c: float) -> dict[str, Any]:
    """Figures of W+, in standard deviations, and of W*.

    :param rows: faces that the flow was trained with. :param val: faces that it was not.
    """
    w = codes.w.astype(np.float32)
    mean, spread = flow.mean.cpu().numpy(), flow.spread.cpu().numpy()
    spaces = {
        "W+": lambda part: ((part - mean) / spread).reshape(len(part), -1),
        "W*": lambda part: unfolded(flow, part),
    }
    return {
        name: space_of(see(w[rows]), codes.truth[rows], see(w[val]), codes.truth[val], c)
        for name, see in spaces.items()
    }
