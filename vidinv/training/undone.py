"""What a face has already, taken away by an edit network that has learned that much: pairs that end in a photograph.

To take a smile off a face is easier than to give it one, for which teeth have to be drawn. So a network learns the
second from pictures of the first, backwards: it is shown what was made, and asked for the photograph that it was made
of. (The cycle of Zhu et al. 2017, with both of its sides fixed.)
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.models.edit_network import EditNetwork
from vidinv.models.face_colours import in_face_colours, own_colours
from vidinv.models.generator import Generator
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.training.codes import Codes
from vidinv.training.edit_training import apply
from vidinv.training.scores import SCORES

# What takes away what is seen of each score, in standard deviations: teeth go with a mouth that closes.
AWAY = {"smile": {"smile": -1.7, "mouth": -1.5}, "mouth": {"mouth": -2.5}}
SHOWN = {"smile": 2.5, "mouth": 1.3}  # what inversions must be read to show, in standard deviations of the scores
PART = (0.35, 0.75)  # shares of it, for pictures between: from none to some is an edit too
LEAST = 1.0  # standard deviations of the score that must go, or nothing was taken away


def fit(what: str, codes: Codes) -> NDArray[np.int64]:
    """Rows of training faces of which it can be taken away. :raises KeyError: no way to is known."""
    read = codes.labels["read"][:, list(codes.scales).index(what)]
    may = ~codes.labels["val"] & (read > SHOWN[what])
    if what == "smile":
        may &= codes.labels["expression"][:, 1] > 0.9
    return np.flatnonzero(may)


@torch.inference_mode()
def undo(
    what: str,
    codes: Codes,
    rows: NDArray,
    network: EditNetwork,
    generator: Generator,
    colours: tuple[tuple[str, float], ...],
    share: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """Inversions without it, [N, S, S, 3].

    :param colours: of edits that draw in the face's own: EditSpec.colours. :param share: [N] 0..1, of what is taken.
    """
    w, feature, below = (torch.from_numpy(np.array(a[rows], np.float32)) for a in (codes.w, codes.feature, codes.below))
    amounts = torch.zeros(len(rows), len(SCORES))
    for name, amount in AWAY[what].items():
        amounts[:, SCORES.index(name)] = amount * (1 if share is None else torch.from_numpy(share))
    made, _ = apply(network, generator, w, feature, amounts, below)
    source = to_tensor(np.array(codes.inversions[rows]))
    made = in_face_colours(made, source, own_colours(amounts, SCORES, colours))
    return np.round(to_levels(made)).astype(np.uint8)
