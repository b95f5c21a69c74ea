"""What an edited picture is asked for while T is trained: the scores, the person, and all that is to stay."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidinv.models.attributes import MOST_SURE
from vidinv.training import accessories
from vidinv.training.edit_samples import Batch
from vidinv.training.labelling import read_attributes, read_expression, read_points
from vidinv.training.losses import identity_embedding
from vidinv.training.scores import LOGITS, shapes
from vidinv.training.teachers import Teachers

ODD, NEAR = 5.0, 0.05  # standard deviations
ALIKE = 0.1  # 1 - cosine at which a picture is the person beyond doubt; inversions are at 0.03
BLUR = 8  # side, pixels, of the blurred picture whose colours are held
# Shares of the holds that an edit is spared, since it is made to change that: the colours of the blurred picture, and
# what lies outside the face.
COLOURED = {"hair": 1.0, "skin": 1.0, "beard": 1.0, "age": 0.5, "glasses": 0.9, "makeup": 0.4, "gender": 0.4}
COLOURED |= {"yaw": 0.7, "pitch": 0.7, "mouth": 0.4, "smile": 0.3}
OUTSIDE = {"hair": 1.0, "skin": 0.3, "yaw": 0.8, "pitch": 0.8, "gender": 0.6, "age": 0.4, "mouth": 0.2}
TINTED = {"hair": 1.0, "skin": 1.0, "makeup": 0.7, "yaw": 0.5, "pitch": 0.5, "glasses": 0.6, "beard": 0.6}
TINTED |= {"gender": 0.3, "mouth": 0.3, "age": 0.3, "smile": 0.2}  # what is grey or red at every single place
AT_MOUTH = {"smile": 0.8, "mouth": 0.8}  # what colours are spared where teeth and tongue appear
# And the size of the whole change. A beard and a frame are dark: held, they become light specks and thin gold.
CHANGED = {"yaw": 0.7, "pitch": 0.7, "skin": 0.8, "hair": 0.6, "beard": 0.8, "glasses": 0.8}

CHANGING = 10.0  # weight of a pixel that changes by half of all levels, over one that stays

DARK = {"beard", "glasses"}  # put on, these are darker than what they cover: drawn light, networks take them, eyes not


@dataclass(frozen=True)
class Readers:
    """Networks that read scores of pictures, with gradients."""

    teachers: Teachers
    probe: accessories.Probe
    scales: dict[str, float]  # standard deviations
    names: tuple[str, ...]  # of all scores, in order

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """Least and greatest of each score, [K]: probabilities are told from no further than MOST_SURE."""
        most = torch.tensor([MOST_SURE / self.scales[n] if n in LOGITS else float("inf") for n in self.names])
        return -most, most

    def __call__(self, pictures: Tensor, batch: Batch, rng: torch.Generator, half: int) -> Tensor:
        """[B, K] in standard deviations, NaN for those that are not read.

        Each picture is seen a little moved and in other colours, as the networks are then harder to deceive.

        :param half: 0: what landmarks and expression tell; 1: age, sex and what is worn. Asking for both takes twice as
            long as all else of a step.
        """
        moved = jitter_grids(len(pictures), rng)
        seen = jitter_colours(pictures, rng)
        with torch.autocast(pictures.device.type, enabled=False):  # landmarks in bf16 are off by half a pixel
            grids = batch.attribute_grids @ moved
            if half:
                read = read_attributes(self.teachers, seen, grids)
                worn = accessories.features_at(self.teachers, seen, batch.probe_grids @ moved)
                read |= accessories.logits(self.probe, worn)
            else:
                read = read_expression(self.teachers, seen, grids) | shapes(read_points(self.teachers, seen, grids))
        missing = pictures.new_full((len(pictures),), float("nan"))
        return torch.stack([read[n] / self.scales[n] if n in read else missing for n in self.names], 1)


def jitter_grids(count: int, rng: torch.Generator, shift: float = 0.03, scale: float = 0.06) -> Tensor:
    """Small random similarities [N, 3, 3] of a view's -1..1: shifts of its side, logarithms of its size."""
    u = torch.rand(count, 3, generator=rng, device=rng.device) * 2 - 1
    size = torch.exp(scale * u[:, 0])
    zero, one = torch.zeros_like(size), torch.ones_like(size)
    rows = [
        torch.stack([size, zero, 2 * shift * u[:, 1]], 1),
        torch.stack([zero, size, 2 * shift * u[:, 2]], 1),
        torch.stack([zero, zero, one], 1),
    ]
    return torch.stack(rows, 1)


def jitter_colours(x: Tensor, rng: torch.Generator, brightness: float = 0.1, contrast: float = 0.15) -> Tensor:
    """Pictures [B, 3, S, S] a little lighter or darker, each channel by itself by half as much."""
    u = torch.rand(len(x), 5, 1, 1, generator=rng, device=x.device) * 2 - 1
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (1 + contrast * u[:, :1]) * (x - mean) + brightness * (u[:, 1:2] + 0.5 * u[:, 2:])


def score_loss(
    read: Tensor, target: Tensor, amounts: Tensor, others: float, ends: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Mean Huber loss, 0-d, of scores that are read [B, K]; those that are not edited count ``others``.

    A reading that is off by more than ODD has lost the face, and does not pull at all.

    :param ends: [K] least and greatest that a target can be; beyond one that lies there, a reading cannot be wrong.
    """
    known, nothing = torch.isfinite(read) & torch.isfinite(target), torch.zeros_like(read)
    if ends is not None:
        low, high = (end.to(read.device) for end in ends)
        target = target.clamp(low, high)
        past = ((target <= low + NEAR) & (read < target)) | ((target >= high - NEAR) & (read > target))
        known = known & ~past
    off = torch.where(known, read - target, nothing).clamp(-ODD, ODD)
    loss = F.smooth_l1_loss(off, torch.zeros_like(off), reduction="none", beta=0.5)
    weight = torch.where(amounts != 0, 1.0, others) * known
    return (loss * weight).sum(1).mean()


def identity_loss(teachers: Teachers, pictures: Tensor, batch: Batch, count: int) -> Tensor:
    """Mean, 0-d, of how far the first ``count`` pictures are from the photograph beyond ALIKE, as 1 - cosine."""
    found = identity_embedding(teachers, pictures[:count], batch.identity_grids[:count])
    return (1 - (found * batch.identity[:count]).sum(1) - ALIKE).clamp_min(0).mean()


def holds(pictures: Tensor, batch: Batch, names: tuple[str, ...]) -> dict[str, Tensor]:
    """What changed that should not, 0-d each: colours of the blurred picture, colours at every place, pixels beside the
    face, pixels at all; and what became lighter where something DARK, and nothing else, is put on.

    Pairs that are drawn are left out: what they are to become is known, pixel by pixel."""
    free = F.pad(batch.drawn.float(), (len(pictures) - len(batch.drawn), 0))
    change = pictures - batch.picture
    elsewhere = 1 - batch.mouth * (1 - held(batch.amounts, names, AT_MOUTH))[:, None, None, None]
    blurred = (F.adaptive_avg_pool2d(change, BLUR).abs() * F.adaptive_avg_pool2d(elsewhere, BLUR)).mean((1, 2, 3))
    size = change.abs().mean(1, keepdim=True)
    beside, elsewhere = (_as_large(x, size) for x in (1 - batch.hull, elsewhere))
    outside = (size * beside).mean((1, 2, 3))
    tint = ((change - change.mean(1, keepdim=True)).abs() * elsewhere).mean((1, 2, 3))
    found = {"blurred": (blurred, COLOURED), "tint": (tint, TINTED)}
    found |= {"outside": (outside, OUTSIDE), "change": (size.mean((1, 2, 3)), CHANGED)}
    lighter = change.mean(1).clamp_min(0).mean((1, 2)) * puts_on(batch.amounts, names, DARK)
    kept = {name: value * held(batch.amounts, names, spared) for name, (value, spared) in found.items()}
    return {name: (value * (1 - free)).mean() for name, value in (kept | {"lighter": lighter}).items()}


def held(amounts: Tensor, names: tuple[str, ...], spared: dict[str, float]) -> Tensor:
    """[B] 0..1: what is left of a hold beside the edit that is spared most of it."""
    share = torch.tensor([spared.get(n, 0.0) for n in names], device=amounts.device)
    return 1 - ((amounts != 0) * share).amax(1)


def puts_on(amounts: Tensor, names: tuple[str, ...], what: set[str]) -> Tensor:
    """[B] bool: is all that is asked for more of these?"""
    these = torch.tensor([n in what for n in names], device=amounts.device)
    return (amounts > 0)[:, these].any(1) & ~(amounts != 0)[:, ~these].any(1) & ~(amounts < 0).any(1)


def pair_losses(teachers: Teachers, pictures: Tensor, batch: Batch) -> dict[str, Tensor]:
    """How far the last P pictures are from what they were to become, 0-d each.

    Landmarks are compared as shapes about the eyes and mouth, in shares of the crop. Pixels and LPIPS are compared in
    the face, with the partner's colours brought to the picture's own, and count more where the light was the same;
    most, everywhere and as they are where the partner is the same picture with something drawn on it.
    """
    first, size = len(pictures) - len(batch.partner), pictures.shape[-1]
    made, own = pictures[first:], batch.picture[first:]
    with torch.autocast(made.device.type, enabled=False):
        points = read_points(teachers, made, batch.attribute_grids[first:]) / size
    motion = (points - batch.partner_points / size).abs().mean((1, 2))
    drawn = batch.drawn[:, None, None, None].to(made.dtype)
    partner = batch.partner + (1 - drawn) * (blur(own) - blur(batch.partner))
    where = torch.maximum(_as_large(batch.hull[first:], made), drawn)
    weight = 0.25 + 0.75 * batch.alike + batch.drawn
    changing = torch.where(batch.drawn[:, None, None, None], change_weight(batch.partner, own), 1.0)
    pixels = ((made - partner).abs() * where * changing).mean((1, 2, 3)) * weight
    target = own + where * (partner - own)
    perceptual = teachers.labeller.lpips(own + where * (made - own), target).flatten().float() * weight
    return {"motion": motion.mean(), "pair": pixels.mean(), "pair_lpips": perceptual.mean()}


def change_weight(partner: Tensor, own: Tensor) -> Tensor:
    """What each pixel counts of a picture [P, 3, S, S] that is to become another: [P, 1, S, S], 1 where they are alike.

    Of a thin frame whose place is not sure the median of all that may be is none: counted by how much they are to
    change, its pixels make one appear.
    """
    return 1 + CHANGING * (partner - own).abs().mean(1, keepdim=True)


def blur(x: Tensor) -> Tensor:
    """Colours of pictures at BLUR pixels, at their own size."""
    return _as_large(F.adaptive_avg_pool2d(x, BLUR), x)


def _as_large(maps: Tensor, as_these: Tensor) -> Tensor:
    return F.interpolate(maps, as_these.shape[-2:], mode="bilinear", align_corners=False)
