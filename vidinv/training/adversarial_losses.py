"""The losses of StyleGAN2 (Karras et al. 2020, arXiv:1912.04958): logistic, R1 and path length."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Logistic loss of logits of any shape: real ones are to be high, fake ones low (Goodfellow et al. 2014)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """The non-saturating form: -log sigmoid of the logits of generated pictures."""
    return F.softplus(-fake).mean()


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Mean squared norm of the logits' gradient at real pictures (Mescheder et al. 2018, Eq. 9), without gamma / 2.

    :param real: [B, 3, S, S]; the gradient is taken with respect to these very tensors, augmented as they are.
    :return: 0-d, differentiable in the critic's weights.
    """
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def path_lengths(pictures: Tensor, w: Tensor, rng: torch.Generator) -> Tensor:
    """|J^T y| of Eq. 4: how far a picture moves for a step in w, measured along random pictures y ~ N(0, I / S^2).

    :param pictures: [B, 3, S, S], made from ``w``; :param w: [B, L, D].
    :return: [B], differentiable in the generator's weights.
    """
    y = torch.randn(pictures.shape, generator=rng, device=pictures.device) / pictures.shape[-1]
    (gradient,) = torch.autograd.grad((pictures * y).sum(), w, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()
