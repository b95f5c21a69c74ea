"""The small networks of a pack, distilled from labels that larger networks gave to the training faces.

The teachers are not called here: their answers on the clean faces are the targets, whatever the augmentation does to
the picture. So a student also learns to see through blur, noise and bad light, which generated pictures need.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.errors import InputError
from vidinv.models.attributes import AttributeConfig, AttributeNet
from vidinv.models.identity import IdentityConfig, IdentityNet
from vidinv.models.landmarks import LandmarkConfig, LandmarkNet, to_fractions
from vidinv.models.pictures import to_tensor
from vidinv.models.student import Student, StudentConfig
from vidinv.models.visibility import VisibilityConfig, VisibilityNet
from vidinv.training.photo_augmentation import PhotoAugmentation, augment
from vidinv.training.sampling import balanced_weights
from vidinv.training.scores import ACCESSORIES
from vidinv.training.student_losses import LOSSES

NETS: dict[type[StudentConfig], type[Student]] = {
    IdentityConfig: IdentityNet,
    AttributeConfig: AttributeNet,
    LandmarkConfig: LandmarkNet,
    VisibilityConfig: VisibilityNet,
}


@dataclass(frozen=True)
class DistilOptions:
    images: int = 300_000  # length of the run
    batch: int = 96
    rate: float = 2e-3
    decay: float = 0.05
    average: float = 0.998  # of the weights' running mean, per step: the mean is what is kept
    relational: float = 5.0  # identity: weight of the batch's similarity matrix
    apart: float = 0.1  # attributes: weight of the distance of logits, of what is worn
    seed: int = 0
    augmentation: PhotoAugmentation = field(default_factory=PhotoAugmentation)


def targets(labels: dict[str, NDArray]) -> dict[str, Tensor]:
    """The columns of the table that the losses read, as float32 tensors."""
    columns = ("identity", "age", "male", "expression", "points68", *(n for n in ACCESSORIES if n in labels))
    return {k: torch.from_numpy(labels[k]).float() for k in columns}


def batches(
    pictures: NDArray[np.uint8], labels: dict[str, NDArray], options: DistilOptions, seen: int = 0
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Endless batches (pictures [B, 3, S, S] in -1..1, targets), from image number ``seen`` of the run onwards.

    Image n of a run is the same however often the run was cut: each has its own random numbers.
    ``points68`` moves along with the picture and comes in fractions of the crop.
    """
    weights, table = balanced_weights(labels), targets(labels)
    while True:
        rows = np.random.default_rng((options.seed, seen, 1)).choice(len(pictures), options.batch, p=weights)
        drawn = [
            augment(pictures[r], labels["points68"][r], options.augmentation, np.random.default_rng((options.seed, n)))
            for n, r in enumerate(rows, seen)
        ]
        chosen = {k: v[torch.from_numpy(rows)] for k, v in table.items()}
        points = torch.from_numpy(np.stack([d[1] for d in drawn])).float()
        chosen["points68"] = to_fractions(points, pictures.shape[1])
        x = to_tensor(np.stack([d[0] for d in drawn]))
        seen += options.batch
        yield x.contiguous(memory_format=torch.channels_last), chosen


@dataclass
class DistilState:
    net: Student
    average: Student  # the running mean of its weights: the student that is kept
    optimiser: torch.optim.AdamW
    seen: int = 0
    kept: tuple[str, ...] = ()  # parts of the network that stay as they began

    def to_dict(self) -> dict:
        return {
            "net": self.net.state_dict(),
            "average_net": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "seen": self.seen,
        }

    def from_dict(self, saved: dict) -> None:
        self.net.load_state_dict(saved["net"])
        self.average.load_state_dict(saved["average_net"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.seen = saved["seen"]


def start(
    config: StudentConfig,
    options: DistilOptions,
    labels: dict[str, NDArray] | None = None,
    size: int = 128,
    device: str | torch.device = "cpu",
    known: Mapping[str, Tensor] | None = None,
) -> DistilState:
    """:param labels: of the training faces (crops of ``size`` pixels); the landmark network starts at their median.
    :param known: weights of a network that reads less: what it has stays as it is, bit for bit, and the rest learns.
    :raises InputError: it holds what the network has not, or all that it has.
    """
    torch.manual_seed(options.seed)
    net = NETS[type(config)](config).to(memory_format=torch.channels_last)
    if isinstance(net, LandmarkNet) and labels is not None:
        net.mean_points.copy_(to_fractions(torch.from_numpy(np.median(labels["points68"], 0)), size))
    kept = keep(net, known) if known is not None else ()
    net.to(device)
    # Norms and biases are not decayed: they set scales that the data give.
    learning = [p for p in net.parameters() if p.requires_grad]
    kinds = [[p for p in learning if (p.ndim > 1) == matrix] for matrix in (True, False)]
    groups = [{"params": kinds[0], "weight_decay": options.decay}, {"params": kinds[1], "weight_decay": 0.0}]
    average, optimiser = copy.deepcopy(net).requires_grad_(False), torch.optim.AdamW(groups, lr=options.rate)
    return DistilState(net, average, optimiser, kept=kept)


def keep(net: Student, known: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Give a network what another one has, and let that stay; the parts that do, by their names.

    :raises InputError: see :func:`start`.
    """
    parts = {name.partition(".")[0] for name in known}
    mine = net.state_dict()
    misfits = [n for n, v in known.items() if n not in mine or mine[n].shape != v.shape]
    if misfits or parts == {n.partition(".")[0] for n in mine}:
        why = f"of other sizes ({', '.join(misfits[:3])})" if misfits else "one that reads all of this already"
        raise InputError(f"the network to begin with is {why}; name another, or train without one")
    net.load_state_dict(dict(known), strict=False)
    for part in parts:
        net.get_submodule(part).requires_grad_(False)
    return tuple(sorted(parts))


def rate_at(options: DistilOptions, seen: int) -> float:
    """A rise over the first 4 % of the run, then a cosine down to 1 %."""
    done = min(seen / options.images, 1.0)
    fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
    return options.rate * fall * min((seen + options.batch) / (0.04 * options.images), 1.0)


def step(
    state: DistilState, name: str, x: Tensor, target: dict[str, Tensor], options: DistilOptions
) -> dict[str, Tensor]:
    """One step on pictures ``x`` [B, 3, S, S] in -1..1; returns the loss, 0-d, still on the device."""
    for group in state.optimiser.param_groups:
        group["lr"] = rate_at(options, state.seen)
    state.net.train()
    for part in state.kept:
        state.net.get_submodule(part).eval()  # or batch norms would go on counting
    device = next(state.net.parameters()).device
    x, target = x.to(device), {k: v.to(device) for k, v in target.items()}
    with torch.autocast(x.device.type, torch.bfloat16):
        loss = LOSSES[name](state.net, x, target, options)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), 5.0)
    state.optimiser.step()
    state.seen += len(x)
    keep = min(options.average, state.seen / (state.seen + 10 * len(x)))  # young means forget quickly
    with torch.no_grad():
        for mean, now in zip(state.average.state_dict().values(), state.net.state_dict().values(), strict=True):
            mean.lerp_(now, 1 - keep) if mean.is_floating_point() else mean.copy_(now)
    return {"loss": loss.detach()}
