"""What tensors of a latent file have to be before anything is done with them: others may have made them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vidinv.faces.boxes import FARTHEST
from vidinv.models.synthesis import GeneratorSizes
from vidinv.types import Code

_ROWS: dict[str, tuple[int | None, ...]] = {  # what every face has; None: however many there are
    "person": (None,),
    "seen": (None,),
    "detection": (None,),
    "weight": (None,),
    "has_points": (None,),
    "content": (None, 2),
    "box": (None, 4),
    "quad": (None, 4, 2),
}
_POINTS = (None, 5, 2)
_FRAMES: dict[str, tuple[int | None, ...]] = {
    **{f"frame.{name}": (None,) for name in ("index", "pts", "has_pts", "has_time", "cut", "faces")},
    **{f"frame.{name}": (None, 2) for name in ("time", "size")},
}
_WHOLE = ("frame.index", "frame.pts", "frame.time", "frame.size", "frame.faces", "person", "w.axes", "feature.axes")
_WITHIN = {  # the least and the most
    "frame.faces": (0.0, 2.0**31),
    "frame.size": (1.0, 65536.0),
    "person": (0.0, 2.0**31),
    "detection": (0.0, 1.0),
    "weight": (0.0, 1.0),
    "content": (1e-3, 1.0),
    "box": (-FARTHEST, FARTHEST),
    "quad": (-FARTHEST, FARTHEST),
    "points": (-FARTHEST, FARTHEST),
}
_CODES = ("w", "feature", "noise")


def check_tensors(tensors: Mapping[str, Tensor], sizes: GeneratorSizes | None) -> None:
    """Shapes, kinds and values of what :func:`vidinv.inversion.latent_parts.tensors_of` names.

    :param sizes: of the generator that the codes are for; None: codes of any.
    :raises KeyError, ValueError: they are not such.
    """
    for name, shape in _FRAMES.items():
        _check_shape(name, tensors[name], shape)
    there = bool(tensors["frame.faces"].numel() and tensors["frame.faces"].sum() > 0)
    for name, shape in (_ROWS | {"points": _POINTS} if there else {}).items():
        if name == "points" and name not in tensors:
            continue
        _check_shape(name, tensors[name], shape)
    for name in _WHOLE:
        if name in tensors and (tensors[name].is_floating_point() or tensors[name].dtype == torch.bool):
            raise ValueError(f"{name} are no whole numbers")
    for name, (least, most) in _WITHIN.items():
        if name in tensors and not bool(((tensors[name] >= least) & (tensors[name] <= most)).all()):
            raise ValueError(f"{name} holds what is not from {least:g} to {most:g}")
    if there:
        _check_codes(tensors, sizes)
        if sizes is not None:
            _check_quads(tensors["quad"].double())


def _check_shape(name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    if tensor.dim() != len(shape) or any(b not in (None, a) for a, b in zip(tensor.shape, shape, strict=True)):
        wanted = ", ".join("N" if n is None else str(n) for n in shape)
        raise ValueError(f"{name} is {list(tensor.shape)}, not [{wanted}]")


def _check_quads(quads: Tensor) -> None:
    """Squares that have an area, so that there is a way from the frame to the crop."""
    right, down = quads[:, 3] - quads[:, 0], quads[:, 1] - quads[:, 0]
    if not bool(((right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]).abs() >= 1).all()):
        raise ValueError("a quad has no area")


def _check_codes(tensors: Mapping[str, Tensor], sizes: GeneratorSizes | None) -> None:
    for name in _CODES:
        if name not in tensors:
            continue
        codes, axes = tensors[name], tensors[f"{name}.axes"]
        if not codes.is_floating_point():
            raise ValueError(f"{name} are {codes.dtype} and no floats")
        _check_shape(f"{name}.axes", axes, (len(codes), codes.dim() - 1))
        if sizes is None:
            continue
        _check_shape(name, codes, (None, *_shapes(sizes)[name]))


def check_code(code: Code, sizes: GeneratorSizes) -> None:
    """One face's. :raises ValueError: the generator takes no such."""
    for name in _CODES:
        part: Tensor | None = getattr(code, name)
        if part is not None:
            _check_shape(name, part, _shapes(sizes)[name])


def _shapes(sizes: GeneratorSizes) -> dict[str, tuple[int, ...]]:
    noise = sum(side * side for side in sizes.noise_sides)
    return {"w": (sizes.layers, sizes.d_style), "feature": sizes.feature_shape, "noise": (noise,)}
