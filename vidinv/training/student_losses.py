"""What each student is taught by: its distance to the labels of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from vidinv.models.attributes import MOST_SURE, SUREST, TOLD, AttributeNet
from vidinv.models.identity import IdentityNet
from vidinv.models.landmarks import LandmarkNet
from vidinv.models.visibility import VisibilityNet


class LossOptions(Protocol):
    @property
    def relational(self) -> float:
        """Identity: weight of the batch's similarity matrix."""

    @property
    def apart(self) -> float:
        """Attributes: weight of the distance of logits, of what is worn."""


def identity_loss(net: IdentityNet, x: Tensor, target: dict[str, Tensor], options: LossOptions) -> Tensor:
    """1 - cosine to the teacher's embedding, and the squared difference of all similarities within the batch."""
    mine, teachers = net(x), target["identity"]
    relation = (mine @ mine.T - teachers @ teachers.T).square().mean()
    return (1 - (mine * teachers).sum(1)).mean() + options.relational * relation


def attribute_loss(net: AttributeNet, x: Tensor, target: dict[str, Tensor], options: LossOptions) -> Tensor:
    """Robust age (decades), cross entropy with the teacher's own doubt for sex, expression and what is worn; of that
    also the robust distance of the logits as far as they tell something, since what an edit does is told in them."""
    out = net.logits(x)
    age = F.smooth_l1_loss(out[:, 0], (target["age"] - 30) / 10, beta=0.3)
    male = F.binary_cross_entropy_with_logits(out[:, 1], target["male"])
    loss = age + male + F.cross_entropy(out[:, 2:TOLD], target["expression"])
    if not net.config.worn:
        return loss
    worn, mine = torch.stack([target[name] for name in net.config.worn], 1), out[:, TOLD:]
    known = worn.clamp(1 - SUREST, SUREST).logit()
    apart = F.smooth_l1_loss(mine.clamp(-MOST_SURE, MOST_SURE), known, beta=1.0)
    return loss + len(net.config.worn) * (F.binary_cross_entropy_with_logits(mine, worn) + options.apart * apart)


def landmark_loss(net: LandmarkNet, x: Tensor, target: dict[str, Tensor], options: LossOptions) -> Tensor:
    """Robust distance in hundredths of the crop: a teacher that is wrong is wrong by far."""
    return F.smooth_l1_loss(100 * net(x), 100 * target["points68"], beta=1.0)


def visibility_loss(net: VisibilityNet, x: Tensor, target: dict[str, Tensor], options: LossOptions) -> Tensor:
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
