"""Searching for a code: gradient descent on how a picture and what is drawn of the code differ.

Every picture of a batch has a loss of its own and Adam scales every number by itself, so that a picture's code does
not depend on the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vidinv.inversion.base import Inverted, Networks, SearchOptions
from vidinv.models.synthesis import StyleGenerator


@dataclass(frozen=True)
class Point:
    """The variables of a search."""

    style: Tensor
    """[B, L, D] in W+, [B, D] in W and Z."""
    offset: Tensor | None = None
    """[B, C, h, h], F - G^K(w); None: F is G^K(w)."""
    noise: Tensor | None = None
    """[B, M]; None: the generator's own."""

    def leaf(self) -> Point:
        """The same numbers as variables of a new search."""

        def leaf(tensor: Tensor) -> Tensor:
            return tensor.detach().clone().float().requires_grad_()

        return Point(
            leaf(self.style),
            None if self.offset is None else leaf(self.offset),
            None if self.noise is None else leaf(self.noise),
        )

    def variables(self) -> list[Tensor]:
        """Those that are looked for."""
        return [t for t in (self.style, self.offset, self.noise) if t is not None]


def point_at(style: Tensor, networks: Networks, options: SearchOptions) -> Point:
    """Where a search begins: at a style, at F = G^K(w), and at the generator's own noise.

    :param style: [B, L, D] in W+, [B, D] in W and Z.
    """
    g, count = networks.generator, len(style)
    own = g.own_noise() if options.noise else None
    offset = style.new_zeros(count, *g.config.feature_shape) if options.feature else None
    return Point(style, offset, None if own is None else own.expand(count, -1))


def point_of(code: Inverted, options: SearchOptions, generator: StyleGenerator) -> Point:
    """Where an earlier search with the same options ended."""
    style = {"w+": code.w, "w": code.w[:, 0], "z": code.z}[options.space]
    if style is None:
        raise ValueError("this code was not found in Z, so no search there can go on from it")
    offset = code.feature - generator.features(code.w, code.noise).float() if options.feature else None
    return Point(style, offset, code.noise if options.noise else None)


def styles(point: Point, options: SearchOptions, generator: StyleGenerator) -> Tensor:
    """Its styles in W+, [B, L, D]."""
    if options.space == "w+":
        return point.style
    one = generator.map(point.style) if options.space == "z" else point.style
    return one.float()[:, None].expand(-1, generator.config.layers, -1)


@torch.no_grad()
def code_of(point: Point, options: SearchOptions, generator: StyleGenerator) -> Inverted:
    """What a search has found."""
    w = styles(point, options, generator).contiguous()
    noise = None if point.noise is None else point.noise.detach()
    native = generator.features(w, noise).float()
    feature = native if point.offset is None else native + point.offset
    return Inverted(w.detach(), feature, noise, point.style.detach() if options.space == "z" else None)


def search(
    pictures: Tensor,
    networks: Networks,
    options: SearchOptions,
    begin: Point,
    steps: int,
    mask: Tensor | None = None,
) -> Iterator[tuple[Point, Tensor]]:
    """``steps`` of Adam from ``begin``.

    :param pictures: [B, 3, S, S] RGB, -1..1.
    :param mask: [B, 1, S, S] 0..1, where pictures are compared; None: everywhere.
    :return: after every step where it is (the same tensors at every step), and the loss [B] that it had before.
    """
    point = begin.leaf()
    adam = torch.optim.Adam(point.variables(), lr=options.rate)
    compare = networks.perceptual.to(pictures) if networks.perceptual and options.perceptual else None
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = options.rate * min(1.0, 1 - math.cos(math.pi * (steps - step) / steps))
        w = styles(point, options, networks.generator)
        native, below = networks.generator.below(w, point.noise)
        feature = native if point.offset is None else native.float() + point.offset
        made = networks.generator.render_from(w, feature, below, point.noise).float()
        seen = made if mask is None else made * mask + pictures * (1 - mask)
        loss = options.pixels * _mean((seen - pictures).square())
        if compare is not None:
            loss = loss + options.perceptual * compare(seen).float()
        if options.domain:
            assert networks.domain_encoder is not None
            loss = loss + options.domain * _mean((w - networks.domain_encoder(made).float()).square())
        if point.offset is not None:
            loss = loss + options.feature_pull * _mean(point.offset.square())
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        yield point, loss.detach()


def last(found: Iterator[tuple[Point, Tensor]], begin: Point) -> Point:
    """Where a search ends."""
    point = begin
    for point, _ in found:  # noqa: B007, the last one is the answer
        pass
    return point


def _mean(values: Tensor) -> Tensor:
    """Over everything but the batch, [B]."""
    return values.flatten(1).mean(1)
