"""The small networks of a pack, distilled from labels that larger networks gave to the training faces.

The teachers are not called here: their answers on the clean faces are the targets, whatever the augmentation does to
the picture. So a student also learns to see through blur, noise and bad light, which generated pictures need.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from vidinv.models.attributes import AttributeConfig, AttributeNet
from vidinv.models.identity import IdentityConfig, IdentityNet
from vidinv.models.landmarks import MIRROR, LandmarkConfig, LandmarkNet, to_fractions, to_pixels
from vidinv.models.pictures import to_tensor
from vidinv.models.visibility import VisibilityConfig, VisibilityNet
from vidinv.training.sampling import balanced_weights

STUDENTS = ("identity", "attributes", "landmarks")  # of teachers; "visibility" learns from what is drawn
Shape = IdentityConfig | AttributeConfig | LandmarkConfig | VisibilityConfig
NETS = {
    IdentityConfig: IdentityNet,
    AttributeConfig: AttributeNet,
    LandmarkConfig: LandmarkNet,
    VisibilityConfig: VisibilityNet,
}


@dataclass(frozen=True)
class Augmentation:
    """How far a picture may stray; sizes are uniform in +-value, chances are shares of the pictures."""

    turn: float = 10.0  # degrees
    scale: float = 0.08  # log
    shift: float = 0.05  # of the crop
    light: float = 0.35  # log of brightness and of contrast
    colour: float = 0.12  # log, per channel
    grey: float = 0.05  # chance of losing all colour
    soft: float = 0.4  # chance of being shrunk (to a third at most) and enlarged again
    noise: float = 0.2  # chance of noise of up to 8 levels
    jpeg: float = 0.3  # chance of JPEG at quality 25..90


@dataclass(frozen=True)
class DistilOptions:
    images: int = 300_000  # length of the run
    batch: int = 96
    rate: float = 2e-3
    decay: float = 0.05
    average: float = 0.998  # of the weights' running mean, per step: the mean is what is kept
    relational: float = 5.0  # identity: weight of the batch's similarity matrix
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


def augment(
    picture: NDArray[np.uint8], points: NDArray, how: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray]:
    """One face, mirrored half of the time, moved, lit and spoilt at random.

    :param picture: [S, S, 3] RGB.
    :param points: [68, 2] its landmarks, pixels.
    """
    size = len(picture)
    affine, points = placement(points, size, how, rng)
    picture = cv2.warpAffine(picture, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return spoil(picture, how, rng), points


def placement(
    points: NDArray, size: int, how: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray]:
    """A turn, size and place at random, mirrored half of the time: the 2x3 map of the crop, and the points after it."""
    turn, scale, dx, dy = rng.uniform(-1, 1, 4) * (math.radians(how.turn), how.scale, how.shift, how.shift)
    a, b, mid = math.exp(scale) * math.cos(turn), math.exp(scale) * math.sin(turn), (size - 1) / 2
    linear = np.array([[a, -b], [b, a]])
    if rng.random() < 0.5:
        points = points[list(MIRROR)]
        linear = linear * (-1, 1)
    offset = np.array([mid + dx * size, mid + dy * size]) - linear @ (mid, mid)
    return np.column_stack([linear, offset]), points @ linear.T + offset


def spoil(picture: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light, colour, softness, noise and compression, at random."""
    size = len(picture)
    if rng.random() < how.grey:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    gain, contrast = np.exp(rng.uniform(-how.light, how.light, 2))
    tint = np.exp(rng.uniform(-how.colour, how.colour, 3))
    levels = np.arange(256)[:, None] * gain * tint
    middle = float(picture.mean()) * gain
    table = np.clip(middle + contrast * (levels - middle), 0, 255).astype(np.uint8)
    picture = cv2.LUT(picture, table[None])
    if rng.random() < how.soft:
        small = int(size * rng.uniform(1 / 3, 1))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < how.noise:
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(0, 8)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < how.jpeg:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(25, 90))])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return picture


def targets(labels: dict[str, NDArray]) -> dict[str, Tensor]:
    """The columns of the table that the losses read, as float32 tensors."""
    return {k: torch.from_numpy(labels[k]).float() for k in ("identity", "age", "male", "expression", "points68")}


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


def identity_loss(net: IdentityNet, x: Tensor, target: dict[str, Tensor], options: DistilOptions) -> Tensor:
    """1 - cosine to the teacher's embedding, and the squared difference of all similarities within the batch."""
    mine, teachers = net(x), target["identity"]
    relation = (mine @ mine.T - teachers @ teachers.T).square().mean()
    return (1 - (mine * teachers).sum(1)).mean() + options.relational * relation


def attribute_loss(net: AttributeNet, x: Tensor, target: dict[str, Tensor], options: DistilOptions) -> Tensor:
    """Robust age (decades), cross entropy with the teacher's own doubt for sex and expression."""
    out = net.logits(x)
    age = F.smooth_l1_loss(out[:, 0], (target["age"] - 30) / 10, beta=0.3)
    male = F.binary_cross_entropy_with_logits(out[:, 1], target["male"])
    return age + male + F.cross_entropy(out[:, 2:], target["expression"])


def landmark_loss(net: LandmarkNet, x: Tensor, target: dict[str, Tensor], options: DistilOptions) -> Tensor:
    """Robust distance in hundredths of the crop: a teacher that is wrong is wrong by far."""
    return F.smooth_l1_loss(100 * net(x), 100 * target["points68"], beta=1.0)


def visibility_loss(net: VisibilityNet, x: Tensor, target: dict[str, Tensor], options: DistilOptions) -> Tensor:
    """Cross entropy of both maps, and of the occluder 1 - Dice (Milletari et al. 2016), where there is one.

    Beside the face pictures hold much that nobody drew and that covers nothing: an occluder counts a quarter there.
    """
    face, occluder = net.logits(x).unbind(1)
    where = 0.25 + 0.75 * target["face"]
    plain = F.binary_cross_entropy_with_logits(face, target["face"])
    cross = (F.binary_cross_entropy_with_logits(occluder, target["occluder"], reduction="none") * where).mean()
    said, true = (where * occluder.sigmoid()).flatten(1), (where * target["occluder"]).flatten(1)
    dice = 2 * (said * target["occluder"].flatten(1)).sum(1) / (said + true).sum(1).clamp(min=1e-3)
    drawn = (true.sum(1) > 4).float()
    return plain + 2 * cross + 0.3 * ((1 - dice) * drawn).mean()


LOSSES: dict[str, Callable] = {
    "identity": identity_loss,
    "attributes": attribute_loss,
    "landmarks": landmark_loss,
    "visibility": visibility_loss,
}


@dataclass
class State:
    net: nn.Module
    mean: nn.Module  # the running mean of its weights: the student
    optimiser: torch.optim.Optimizer
    seen: int = 0

    def save(self, path: Path) -> None:
        part = path.with_suffix(".part")
        parts = {k: getattr(self, k).state_dict() for k in ("net", "mean", "optimiser")}
        torch.save({**parts, "seen": self.seen}, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        for part in ("net", "mean", "optimiser"):
            getattr(self, part).load_state_dict(saved[part])
        self.seen = saved["seen"]


def start(
    config: Shape,
    options: DistilOptions,
    labels: dict[str, NDArray] | None = None,
    size: int = 128,
    device: str | torch.device = "cpu",
) -> State:
    """:param labels: of the training faces (crops of ``size`` pixels); the landmark network starts at their median."""
    torch.manual_seed(options.seed)
    net = NETS[type(config)](config).to(memory_format=torch.channels_last)
    if isinstance(net, LandmarkNet) and labels is not None:
        net.mean_points.copy_(to_fractions(torch.from_numpy(np.median(labels["points68"], 0)), size))
    net.to(device)
    # Norms and biases are not decayed: they set scales that the data give.
    kinds = [[p for p in net.parameters() if (p.ndim > 1) == matrix] for matrix in (True, False)]
    groups = [{"params": kinds[0], "weight_decay": options.decay}, {"params": kinds[1], "weight_decay": 0.0}]
    return State(net, copy.deepcopy(net).requires_grad_(False), torch.optim.AdamW(groups, lr=options.rate))


def rate_at(options: DistilOptions, seen: int) -> float:
    """A rise over the first 4 % of the run, then a cosine down to 1 %."""
    done = min(seen / options.images, 1.0)
    fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
    return options.rate * fall * min((seen + options.batch) / (0.04 * options.images), 1.0)


def step(state: State, name: str, x: Tensor, target: dict[str, Tensor], options: DistilOptions) -> float:
    """One step on pictures ``x`` [B, 3, S, S] in -1..1; returns the loss."""
    for group in state.optimiser.param_groups:
        group["lr"] = rate_at(options, state.seen)
    state.net.train()
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
        for mean, now in zip(state.mean.state_dict().values(), state.net.state_dict().values(), strict=True):
            mean.lerp_(now, 1 - keep) if mean.is_floating_point() else mean.copy_(now)
    return float(loss.detach())


def train(state: State, name: str, feed: Iterator, options: DistilOptions, report: Callable) -> None:
    """Until ``options.images`` are seen or ``report(state, loss)``, called every step, answers True."""
    stop = False
    while state.seen < options.images and not stop:
        x, target = next(feed)
        stop = report(state, step(state, name, x, target, options))


def weights(net: nn.Module) -> dict[str, Tensor]:
    """What a pack stores: float16, plain memory order."""
    return {k: (v.half() if v.is_floating_point() else v).cpu().contiguous() for k, v in net.state_dict().items()}


@torch.no_grad()
def answers(net: nn.Module, pictures: NDArray[np.uint8], batch: int = 64) -> dict[str, NDArray]:
    """What a network in eval mode says of clean pictures, under the names of the table's columns."""
    said, device = [], next(net.parameters()).device
    for start in range(0, len(pictures), batch):
        x = to_tensor(pictures[start : start + batch]).contiguous(memory_format=torch.channels_last)
        out = net(x.to(device))
        if isinstance(net, AttributeNet):
            said.append(out._asdict())
        elif isinstance(net, IdentityNet):
            said.append({"identity": out})
        elif isinstance(net, VisibilityNet):
            said.append(out._asdict())
        else:
            said.append({"points68": to_pixels(out, pictures.shape[1])})
    return {k: torch.cat([s[k] for s in said]).cpu().numpy() for k in said[0]}


def agreement(said: dict[str, NDArray], labels: dict[str, NDArray]) -> dict[str, float]:
    """How near the student's answers are to the teachers' labels of the same faces."""
    if "identity" in said:
        pairs = np.triu_indices(len(said["identity"]), 1)
        mine, teachers = ((e @ e.T)[pairs] for e in (said["identity"], labels["identity"]))
        cosine = (said["identity"] * labels["identity"]).sum(1)
        return {
            "cosine_mean": float(cosine.mean()),
            "cosine_5th_percentile": float(np.quantile(cosine, 0.05)),
            "similarity_correlation": float(np.corrcoef(mine, teachers)[0, 1]),
        }
    if "age" in said:
        grown, happy = labels["age"] >= 16, labels["expression"][:, 1] > 0.5
        off = np.abs(said["age"] - labels["age"])
        return {
            "age_mean_difference_years": float(off.mean()),
            "age_mean_difference_years_from_16": float(off[grown].mean()),
            "age_correlation": float(np.corrcoef(said["age"], labels["age"])[0, 1]),
            "sex_agreement": float(((said["male"] > 0.5) == (labels["male"] > 0.5)).mean()),
            "sex_agreement_from_16": float(((said["male"] > 0.5) == (labels["male"] > 0.5))[grown].mean()),
            "happy_agreement": float(((said["expression"][:, 1] > 0.5) == happy).mean()),
            "happy_auc": float(roc_auc_score(happy, said["expression"][:, 1])),
            "expression_agreement": float((said["expression"].argmax(1) == labels["expression"].argmax(1)).mean()),
        }
    if "occluder" in said:
        return _visible(said, labels)
    p = labels["points68"]
    between = np.linalg.norm(p[:, 36:42].mean(1) - p[:, 42:48].mean(1), axis=1)
    error = np.linalg.norm(said["points68"] - p, axis=2).mean(1) / between
    inner = np.linalg.norm(said["points68"] - p, axis=2)[:, 17:].mean(1) / between
    return {
        "nme_mean": float(error.mean()),
        "nme_median": float(np.median(error)),
        "nme_without_jaw": float(inner.mean()),
        "nme_over_0.08": float((error > 0.08).mean()),
    }


def _visible(said: dict[str, NDArray], labels: dict[str, NDArray]) -> dict[str, float]:
    """Of the occluder, on the face; an alarm is a hundredth of the face that is said to be covered."""
    face, true, found = labels["face"] > 0.5, labels["occluder"] > 0.5, said["occluder"] > 0.5
    covered = (true & face).any((1, 2))
    both = {k: (v & face)[covered].sum((1, 2)) for k, v in (("and", true & found), ("or", true | found))}
    alarm = (found & face).sum((1, 2)) > 0.01 * face.sum((1, 2))
    share, mine = ((m & face).sum((1, 2)) / face.sum((1, 2)) for m in (true, found))
    return {
        "occluder_iou": float(both["and"].sum() / both["or"].sum()),
        "occluder_iou_mean": float((both["and"] / both["or"]).mean()),
        "occluder_pixel_auc": float(roc_auc_score(true[face], said["occluder"][face])),
        "clean_faces_with_an_alarm": float(alarm[~(labels["occluder"] > 0.1).any((1, 2))].mean()),
        "covered_faces_without_an_alarm": float(1 - alarm[share > 0.05].mean()),
        "covered_share_mean_difference": float(np.abs(share - mine).mean()),
        "face_iou": float((face & (said["face"] > 0.5)).sum() / (face | (said["face"] > 0.5)).sum()),
    }


def cost(net: nn.Module, size: int, batch: int = 8, rounds: int = 15) -> dict[str, float]:
    """Parameters, multiplications and time of one crop of ``size`` pixels (one thread, float32, best round)."""
    macs, times, threads = 0, [], torch.get_num_threads()

    def count(module: nn.Module, _: tuple, out: Tensor) -> None:
        nonlocal macs
        macs += module.weight.numel() * (out.shape[2] * out.shape[3] if out.ndim == 4 else 1)

    x = torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    torch.set_num_threads(1)
    with torch.inference_mode():
        hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        net(x)
        for hook in hooks:
            hook.remove()
        for _ in range(rounds):
            begun = time.perf_counter()
            net(x)
            times.append(time.perf_counter() - begun)
    torch.set_num_threads(threads)
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "mmac_per_crop": round(macs / 1e6, 1),
        "ms_per_crop_batch8_one_thread": round(1000 * min(times) / batch, 2),
    }
