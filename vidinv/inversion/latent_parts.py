"""Frames with the codes of their faces as tensors, and back, bit for bit.

What a later stage computes anew is left out: frames' pictures and the crops. Tensors have a row for each frame (names
that begin with "frame.") or for each face, frame by frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vidinv.inversion.latent_checks import check_tensors
from vidinv.models.synthesis import GeneratorSizes
from vidinv.types import Code, Face, Faces, Frame, known, no_picture

NOTHING = torch.empty(0)
"""In place of F, where a file holds none."""


def lean(faces: Faces, features: bool) -> Faces:
    """What of a frame and its faces is kept: not their pictures, whose sizes alone remain, nor F if it is left out."""
    frame = replace(faces.frame, image=no_picture(*faces.frame.image.shape[:2]), coded=None)
    return Faces(frame, tuple(replace(face, crop=None, code=_lean(known(face.code), features)) for face in faces.faces))


def _lean(code: Code, features: bool) -> Code:
    """Off the device, where what waits would be in the way."""
    noise = None if code.noise is None else code.noise.cpu()
    return Code(code.w.cpu(), code.feature.cpu() if features else NOTHING, noise)


def size_of(faces: Faces) -> int:
    """Bytes of the codes of a frame of :func:`lean`, the bulk of it."""
    codes = [known(face.code) for face in faces.faces]
    return sum(t.nbytes for code in codes for t in (code.w, code.feature, code.noise) if t is not None)


def tensors_of(some: Sequence[Faces], features: bool) -> dict[str, Tensor]:
    """Frames as named tensors.

    :param features: keep F.
    """
    frames, faces = [one.frame for one in some], [face for one in some for face in one.faces]
    nowhen = Fraction(0)
    tensors = {
        "frame.index": torch.tensor([f.index for f in frames]),
        "frame.pts": torch.tensor([f.pts or 0 for f in frames]),
        "frame.has_pts": torch.tensor([f.pts is not None for f in frames]),
        "frame.time": torch.tensor([(f.time or nowhen).as_integer_ratio() for f in frames]),
        "frame.has_time": torch.tensor([f.time is not None for f in frames]),
        "frame.cut": torch.tensor([f.cut for f in frames]),
        "frame.size": torch.tensor([f.image.shape[:2] for f in frames]),
        "frame.faces": torch.tensor([len(one.faces) for one in some]),
    }
    if not faces:
        return tensors
    tensors |= {
        "person": torch.tensor([f.person for f in faces]),
        "seen": torch.tensor([f.seen for f in faces]),
        "detection": torch.tensor([f.detection for f in faces], dtype=torch.float64),
        "weight": torch.tensor([f.weight for f in faces], dtype=torch.float64),
        "content": torch.tensor([f.content for f in faces], dtype=torch.float64),
        "box": torch.from_numpy(np.stack([f.box for f in faces])),
        "quad": torch.from_numpy(np.stack([known(f.quad) for f in faces])),
        "has_points": torch.tensor([f.points is not None for f in faces]),
    }
    if points := [f.points for f in faces if f.points is not None]:
        tensors["points"] = torch.from_numpy(np.stack(points))
    codes = [known(f.code) for f in faces]
    tensors |= _codes("w", [code.w for code in codes])
    tensors |= _codes("feature", [code.feature for code in codes]) if features else {}
    if codes[0].noise is not None:
        tensors |= _codes("noise", [known(code.noise) for code in codes])
    # Stacked arrays keep the order of their axes in memory, and a file of tensors takes one order alone.
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def faces_of(tensors: Mapping[str, Tensor], device: str = "cpu", sizes: GeneratorSizes | None = None) -> list[Faces]:
    """What :func:`tensors_of` was given, without pictures and crops, and with NOTHING for an F that was left out.

    :param device: where the codes go. :param sizes: of the generator that they are for; None: of any.
    :raises KeyError, ValueError, RuntimeError, TypeError, IndexError: no such tensors.
    """
    check_tensors(tensors, sizes)
    counts = tensors["frame.faces"].tolist()
    faces = iter(_faces(tensors, sum(counts), device) if sum(counts) else ())
    columns = [tensors[f"frame.{name}"].tolist() for name in ("index", "pts", "has_pts", "time", "has_time")]
    rows = zip(*columns, tensors["frame.cut"].tolist(), tensors["frame.size"].tolist(), counts, strict=True)
    return [
        Faces(
            Frame(no_picture(*size), index, pts if has_pts else None, Fraction(*time) if has_time else None, cut=cut),
            tuple(next(faces) for _ in range(count)),
        )
        for index, pts, has_pts, time, has_time, cut, size, count in rows
    ]


def _faces(tensors: Mapping[str, Tensor], count: int, device: str) -> list[Face]:
    points = iter(tensors["points"].numpy() if "points" in tensors else ())
    ws, features = _laid_out(tensors, "w", count, device), _laid_out(tensors, "feature", count, device)
    noises: Sequence[Tensor | None] = _laid_out(tensors, "noise", count, device) or [None] * count
    codes = [Code(*three) for three in zip(ws, features or [NOTHING.to(device)] * count, noises, strict=True)]
    plain: Callable[[str], list[Any]] = lambda name: tensors[name].tolist()  # noqa: E731
    rows = zip(
        tensors["box"].numpy(),
        plain("has_points"),
        plain("detection"),
        plain("person"),
        plain("seen"),
        tensors["quad"].numpy(),
        plain("content"),
        plain("weight"),
        codes,
        strict=True,
    )
    return [
        Face(
            box=box,
            points=next(points) if has_points else None,
            detection=detection,
            person=person,
            seen=seen,
            quad=quad,
            content=(content[0], content[1]),
            weight=weight,
            code=code,
        )
        for box, has_points, detection, person, seen, quad, content, weight, code in rows
    ]


def _codes(name: str, rows: Sequence[Tensor]) -> dict[str, Tensor]:
    """Rows of one kind; with the order of their axes in memory, since networks compute other last bits on the same
    numbers laid out otherwise."""
    orders = [sorted(range(row.dim()), key=lambda axis, row=row: -row.stride()[axis]) for row in rows]  # type: ignore[misc]
    return {
        name: _narrow(torch.stack([row.detach().cpu().contiguous() for row in rows])),
        f"{name}.axes": torch.tensor(orders),
    }


def _narrow(tensor: Tensor) -> Tensor:
    """In half of the bytes where that loses nothing: what a network said in half precision."""
    for kind in (torch.bfloat16, torch.float16):
        if torch.equal((half := tensor.to(kind)).float(), tensor):
            return half
    return tensor


def _laid_out(tensors: Mapping[str, Tensor], name: str, count: int, device: str) -> list[Tensor]:
    """The rows as they lay in memory; none where there are none."""
    if name not in tensors:
        return []
    rows, orders = tensors[name].float().to(device), tensors[f"{name}.axes"].tolist()
    if len(rows) != count:
        raise ValueError(f"{len(rows)} codes of {count} faces")
    return [
        row.permute(order).contiguous().permute([order.index(axis) for axis in range(len(order))])
        for row, order in zip(rows, orders, strict=True)
    ]
