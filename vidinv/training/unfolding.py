"""Training of T, W+ to W* (Shukor et al. 2022, arXiv:2206.14892).

Linear classifiers c_k are fitted in W+ and then stay as they are. T learns to bend W+ so that the same hyperplanes tell
the attributes apart in W*, and that a step along one's normal leaves the others:

    classification   log(1 + exp(-y_k c_k(T(w))))
    large margin     max(0, margin - y_k c_k(T(w)))
    preservation     (c_j(T^-1(T(w) + a n_k)) - c_j(w))^2 for all j but k

y_k is 1 or -1; margin 1 is that of the support vector machines in W+. The classifiers see W+ in standard deviations,
which is what T begins with. The paper's own weights and number of couplings were not at hand; ours are chosen on faces
of the training set that T does not see.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidinv.metrics.separability import Hyperplanes, fit_hyperplanes
from vidinv.models.latent_flow import LatentFlow, LatentFlowConfig
from vidinv.training.attribute_codes import AttributeCodes
from vidinv.training.autoencoder import rate_at
from vidinv.training.checkpoints import load_optimiser, load_stream, optimiser_state


@dataclass(frozen=True)
class UnfoldingOptions:
    images: int = 200_000  # codes shown, length of the run
    batch: int = 128
    rate: float = 5e-4
    anneal: float = 0.5  # last share of the run over which the rate falls to a fiftieth
    c: float = 1e-3  # inverse regularisation of the classifiers
    tuned: float = 0.1  # share of the training faces that T does not see: settings are chosen by them
    classification: float = 1.0
    large_margin: float = 1.0
    margin: float = 2.0  # of the support vector machines' own
    preservation: float = 0.3
    edited: int = 32  # codes of a batch that preservation is measured on
    most: float = 3.0  # an edit moves its own classifier's output in W* by up to as much, of either sign
    decay: float = 0.01  # of the weights (AdamW)
    clip: float = 1.0  # norm of the gradient
    seed: int = 0


@dataclass(frozen=True)
class Classifiers:
    """Fixed; they see codes in standard deviations."""

    weights: Tensor  # [K, L * D]
    biases: Tensor  # [K]

    def __call__(self, codes: Tensor) -> Tensor:
        """[B, K] of codes [B, L * D]."""
        return codes @ self.weights.T + self.biases


@dataclass
class UnfoldingState:
    flow: LatentFlow
    classifiers: Classifiers  # fixed
    optimiser: torch.optim.AdamW
    rng: torch.Generator
    seen: int = 0

    @property
    def recipe(self) -> str:
        """One sentence for the card of a pack."""
        return (
            f"`pipelines.train_flow` showed the latent flow {self.seen} styles of faces, with linear classifiers of "
            f"{', '.join(self.flow.config.attributes)}"
        )

    def to_dict(self) -> dict:
        return {
            "flow": self.flow.state_dict(),
            "classifiers": {"weights": self.classifiers.weights, "biases": self.classifiers.biases},
            "optimiser": optimiser_state(self.optimiser),
            "rng": self.rng.get_state(),
            "seen": self.seen,
        }

    def from_dict(self, saved: dict) -> None:
        self.flow.load_state_dict(saved["flow"])
        self.classifiers = Classifiers(*(saved["classifiers"][k].float() for k in ("weights", "biases")))
        if "optimiser" in saved:
            load_optimiser(self.optimiser, saved["optimiser"])
        load_stream(self.rng, saved)
        self.seen = saved["seen"]

    def weights(self) -> dict:
        """What other programs read of a run."""
        told = {"config": asdict(self.flow.config), "recipe": self.recipe, "seen": self.seen}
        return {"latent_flow": self.flow.state_dict(), **told}


def parts(codes: AttributeCodes, tuned: float) -> tuple[NDArray, NDArray, NDArray]:
    """Rows to train with, rows of the training faces that settings are chosen by, and rows to validate with."""
    train = np.random.default_rng(0).permutation(np.flatnonzero(~codes.val))
    held = round(tuned * len(train))
    return np.sort(train[held:]), np.sort(train[:held]), np.flatnonzero(codes.val)


def fitted(flow: LatentFlow, w: Tensor, truth: NDArray, c: float) -> Hyperplanes:
    """Support vector machines in W+, in standard deviations."""
    return fit_hyperplanes(flow.standardised(w).numpy(), truth, c)


def start(w: Tensor, truth: NDArray, config: LatentFlowConfig, options: UnfoldingOptions) -> UnfoldingState:
    """T as the identity, and the classifiers, of codes to train with [N, L, D].

    :param truth: [N, K], in the order of ``config.attributes``.
    """
    torch.manual_seed(options.seed)
    flow = LatentFlow(config)
    flow.standardise(w)
    planes = fitted(flow, w, truth, options.c)
    weights = torch.from_numpy(planes.weights).float()
    flow.normals.copy_(F.normalize(weights, dim=1))
    adam = torch.optim.AdamW(flow.parameters(), lr=options.rate, weight_decay=options.decay)
    classifiers = Classifiers(weights, torch.from_numpy(planes.biases).float())
    return UnfoldingState(flow, classifiers, adam, torch.Generator().manual_seed(options.seed))


def step(state: UnfoldingState, w: Tensor, truth: Tensor, options: UnfoldingOptions) -> dict[str, Tensor]:
    """One step on codes drawn from all that there are to train with; returns the losses' values, 0-d.

    :param w: [N, L, D]. :param truth: [N, K] float, -1, 1 or 0.
    """
    for group in state.optimiser.param_groups:
        group["lr"] = rate_at(options, state.seen)
    rows = torch.randint(len(w), (options.batch,), generator=state.rng)
    some, y = w[rows], truth[rows]
    edited = min(options.edited, options.batch)
    attribute = torch.randint(y.shape[1], (edited,), generator=state.rng)
    amount = options.most * (2 * torch.rand(edited, generator=state.rng) - 1)
    star = state.flow(some)
    figures = separation(state.classifiers(star), y, options.margin)
    figures["preservation"] = preservation(state, some[:edited], star[:edited], attribute, amount)
    weighed = {
        "classification": options.classification,
        "large_margin": options.large_margin,
        "preservation": options.preservation,
    }
    loss = sum((weight * figures[name] for name, weight in weighed.items()), torch.zeros(()))
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.flow.parameters(), options.clip)
    state.optimiser.step()
    state.seen += options.batch
    return {k: v.detach() for k, v in figures.items()}


def separation(outputs: Tensor, y: Tensor, margin: float) -> dict[str, Tensor]:
    """Classification and large margin of classifiers' outputs [B, K] in W*, over what is known."""
    known = y.abs()
    count, right = known.sum().clamp_min(1), y * outputs
    return {
        "classification": (F.softplus(-right) * known).sum() / count,
        "large_margin": (F.relu(margin - right) * known).sum() / count,
    }


def preservation(state: UnfoldingState, w: Tensor, star: Tensor, attribute: Tensor, amount: Tensor) -> Tensor:
    """Mean square by which edits move the outputs in W+ of all classifiers but their own.

    :param star: T(w), [B, L * D]. :param attribute: [B], which one each code is edited in. :param amount: [B], by how
        much the edit moves that classifier's output in W*.
    """
    normals, classifiers = state.flow.normals[attribute], state.classifiers
    lengths = amount / classifiers.weights.norm(dim=1)[attribute]
    edited = state.flow.inverse(star + lengths[:, None] * normals)
    change = classifiers(state.flow.standardised(edited)) - classifiers(state.flow.standardised(w))
    others = 1 - F.one_hot(attribute, change.shape[1]).to(change)
    return (change.square() * others).sum() / others.sum().clamp_min(1)


@torch.inference_mode()
def unfolded(flow: LatentFlow, w: NDArray, batch: int = 1024) -> NDArray[np.float32]:
    """W* of codes [N, L, D]: [N, L * D]."""
    found = [flow(torch.from_numpy(part).float()) for part in np.array_split(w, -(-len(w) // batch))]
    return torch.cat(found).numpy()


@torch.inference_mode()
def accuracies(state: UnfoldingState, w: Tensor, truth: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of codes that each fixed classifier gets right, in W+ and in W*, [K] each."""
    planes = Hyperplanes(*(x.double().numpy() for x in (state.classifiers.weights, state.classifiers.biases)))
    return planes.accuracies(state.flow.standardised(w).numpy(), truth), planes.accuracies(state.flow(w).numpy(), truth)


@torch.inference_mode()
def leak(state: UnfoldingState, w: Tensor, amount: float = 2.0) -> tuple[float, float]:
    """What an edit moves other classifiers by over what it moves its own by, both in W+: along the normals in W+, and
    in W*. Root mean squares over all attributes, of one code each time and of either sign."""
    count, classifiers = len(state.classifiers.biases), state.classifiers
    squares = torch.zeros(2, 2, dtype=torch.float64)
    for number in range(count):
        for sign in (-1.0, 1.0):
            length = sign * amount / classifiers.weights[number].norm()
            lengths = torch.zeros(len(w), count)
            lengths[:, number] = length
            before = state.flow.standardised(w)
            ends = before + lengths @ state.flow.normals, state.flow.standardised(state.flow.moved(w, lengths))
            for row, end in enumerate(ends):
                change = (classifiers(end) - classifiers(before)).double().square().mean(0)
                squares[row, 0] += change[number]
                squares[row, 1] += (change.sum() - change[number]) / (count - 1)
    ratio = (squares[:, 1] / squares[:, 0]).sqrt()
    return float(ratio[0]), float(ratio[1])
