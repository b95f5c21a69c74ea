"""Published edit directions, and those that a generator's own weights hold.

Nobody measured on this package's scale what they do, so their unit is what their authors chose: one step is the vector
as published. InterFaceGAN (Shen et al. 2020) gives unit normals of boundaries, GANSpace (Härkönen et al. 2020)
principal components with their standard deviations, SeFa (Shen & Zhou 2021) eigenvectors of the weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidinv.errors import UnsuitableCheckpoint, UsageError
from vidinv.models.synthesis import GeneratorSizes

# Published key names of GANSpace: components, standard deviations.
_COMPONENTS = (("comp", "std"), ("lat_comp", "lat_stdev"), ("lat_comp", "lat_std"))
# Modulation weights of StyleGAN2's convolutions and of StyleGAN3's, whose last one is the RGB layer.
_MODULATION = re.compile(r"convs\.(\d+)\.(?:conv\.modulation|affine)\.weight")
_FILE = re.compile(r"(?:([A-Za-z][\w-]*)=)?(.+?)(?:#(\d+))?(?:@(\d+)-(\d+))?")


@dataclass(frozen=True)
class PublishedDirection:
    displacement: Tensor  # [L, D] float32, one step
    step: str  # what that is


@dataclass(frozen=True)
class DirectionFile:
    """A file, and what of it becomes edits."""

    name: str
    path: Path
    component: int | None = None  # of GANSpace's: this one alone; None: the first ones
    styles: tuple[int, int] | None = None  # first and last style that is moved; None: all


def direction_file(text: str) -> DirectionFile:
    """Read ``[NAME=]FILE[#COMPONENT][@FIRST-LAST]``; a file that is called just so is that file.

    :raises UsageError: it names no file.
    """
    if Path(text).exists():
        return DirectionFile(direction_name(Path(text)), Path(text))
    found = _FILE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} names no file; write [NAME=]FILE[#COMPONENT][@FIRST-LAST]")
    name, path, component, first, last = found.groups()
    number = None if component is None else int(component)
    called = name or direction_name(Path(path)) + ("" if number is None else f"-{number}")
    return DirectionFile(called, Path(path), number, None if first is None else (int(first), int(last)))


def direction_name(path: Path) -> str:
    """What an edit is called after its file: letters, digits, - and _, a letter first."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-")
    return name if name[:1].isalpha() else f"edit-{name}"


def read_directions(
    tree: Any, file: DirectionFile, config: GeneratorSizes, components: int = 10
) -> dict[str, PublishedDirection]:
    """One direction, or the first ``components`` of GANSpace as NAME-0, NAME-1, ...

    :param tree: a vector [D] or [1, D] of W, [L, D] or [1, L, D] of W+, or a dictionary of GANSpace.
    :raises UnsuitableCheckpoint: another shape than the generator's styles, or neither kind of file.
    :raises UsageError: a component or a style that is not there.
    """
    name, path = file.name, file.path
    first, last = file.styles or (0, config.layers - 1)
    if not first <= last < config.layers:
        raise UsageError(f"{path}@{first}-{last}: the generator has the styles 0-{config.layers - 1}")
    where = f"in styles {first} to {last}" if file.styles else "in every style"
    chosen = torch.zeros(config.layers, 1)
    chosen[first : last + 1] = 1
    if isinstance(tree, Tensor):
        if file.component is not None:
            raise UsageError(f"{path}#{file.component}: this file holds one vector and no components")
        vector = _in_w_plus(tree, "the vector", path, config)
        length = float(vector[first : last + 1].norm(dim=1).mean())
        return {name: PublishedDirection(vector * chosen, f"the published vector, of length {length:.3g} {where}")}
    for comp, std in _COMPONENTS:
        if isinstance(tree, dict) and {comp, std} <= tree.keys():
            if file.component is not None and file.component >= len(tree[comp]):
                raise UsageError(f"{path}#{file.component}: this file holds the components 0-{len(tree[comp]) - 1}")
            names = {i: f"{name}-{i}" for i in range(min(components, len(tree[comp])))}
            step = f"one standard deviation of W along this principal component, {where}"
            return {
                called: PublishedDirection(
                    _in_w_plus(tree[comp][i], comp, path, config) * float(tree[std].flatten()[i]) * chosen, step
                )
                for i, called in (names if file.component is None else {file.component: name}).items()
            }
    holds = f" (but {', '.join(sorted(map(str, tree))[:4])})" if isinstance(tree, dict) else ""
    raise UnsuitableCheckpoint(f"{path} holds no direction: neither one vector nor GANSpace's components{holds}")


def sefa(
    state: Mapping[str, Tensor], count: int, layers: int, chosen: range | None = None
) -> dict[str, PublishedDirection]:
    """Closed-form factorisation: the ``count`` directions of W that move the styles of all layers most.

    They are the eigenvectors of A^T A (Eq. 6) for A [sum of C, D], the modulation weights of all convolutions.

    :param state: weights under the names of vidinv.models.generator.Generator, or of generator3.AliasFreeGenerator.
    :param layers: L, styles of the generator.
    :param chosen: the styles that are looked at and moved alone; None: every one.
    :raises UsageError: styles that no convolution takes.
    """
    where = range(layers) if chosen is None else chosen
    layers_of = {int(found[1]): weight for k, weight in state.items() if (found := _MODULATION.fullmatch(k))}
    looked = [layers_of[i].double() for i in sorted(layers_of) if i in where]
    if not looked:
        raise UsageError(f"no convolution takes the styles {where.start}-{where.stop - 1}; there are {len(layers_of)}")
    a = torch.cat(looked)
    _, vectors = torch.linalg.eigh(a.t() @ a)  # ascending
    vectors = vectors.flip(1).t()[:count]
    # An eigenvector's sign is open; the larger side becomes the positive one, on every machine.
    vectors = vectors * vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()
    told = "every style" if chosen is None else f"styles {where.start} to {where.stop - 1}"
    step = f"the unit eigenvector of the weights, in {told}"
    moved = torch.tensor([[float(i in where)] for i in range(layers)])
    return {f"sefa-{i}": PublishedDirection(v.float() * moved, step) for i, v in enumerate(vectors)}


def _in_w_plus(vector: Tensor, what: str, path: Path, config: GeneratorSizes) -> Tensor:
    kept = vector.detach().float()
    while kept.dim() > 2 and len(kept) == 1:
        kept = kept[0]
    kept = kept.reshape(1, -1) if kept.dim() == 1 else kept
    if kept.dim() != 2 or len(kept) not in (1, config.layers) or kept.shape[1] != config.d_style:
        raise UnsuitableCheckpoint(
            f"{path}: {what} is {list(vector.shape)}; the generator has {config.layers} styles of {config.d_style}"
        )
    if not torch.isfinite(kept).all() or not kept.any():
        raise UnsuitableCheckpoint(f"{path}: {what} is zero or no number")
    return kept.expand(config.layers, -1).contiguous()
