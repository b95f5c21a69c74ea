"""Codes of two or three pictures made into one: styles crossed, ways between codes, expressions carried over.

As in Image2StyleGAN (Abdal et al. 2019, section 5), there for styles alone. What styles become is drawn by Eq. 1 of Yao
et al. 2022, so the feature code needs no crossing.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from vidinv.errors import UsageError
from vidinv.types import Code

LAYERS = ("coarse", "middle", "fine")
"""Pose and shape; features and hair; colours and texture (Karras et al. 2019, section 3.1)."""

COARSE, MIDDLE = 4, 8  # the first style of the middle and of the fine layers: those of 16 and of 64 pixels


def layers_of(name: str, count: int) -> range:
    """Which of ``count`` styles a name stands for. :raises UsageError: none of :data:`LAYERS`."""
    if name not in LAYERS:
        raise UsageError(f"no layers called {name!r}; there are {', '.join(LAYERS)}")
    edges = [0, min(COARSE, count), min(MIDDLE, count), count]
    at = LAYERS.index(name)
    return range(edges[at], edges[at + 1])


def crossed(code: Code, other: Code, layers: range) -> Code:
    """``code`` with another's styles in some layers; F and noise stay its own."""
    w = code.w.clone()
    w[list(layers)] = other.w[list(layers)]
    return replace(code, w=w)


def between(code: Code, other: Code, share: float) -> Code:
    """On the straight way from ``code`` (0) to ``other`` (1): morphing, w = l w1 + (1 - l) w2."""
    noise = None if code.noise is None or other.noise is None else torch.lerp(code.noise, other.noise, share)
    w, feature = torch.lerp(code.w, other.w, share), torch.lerp(code.feature, other.feature, share)
    return replace(code, w=w, feature=feature, noise=noise)


def transferred(code: Code, neutral: Code, expressive: Code, amount: float = 1.0) -> Code:
    """Someone's expression on another: w1 + l (w3 - w2), of two pictures of one person."""
    return replace(code, w=code.w + amount * (expressive.w - neutral.w))
