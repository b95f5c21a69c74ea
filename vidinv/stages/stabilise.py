"""What the edit changes, averaged over the past along the face's own motion.

From frame to frame the generator's two pictures differ at random. The last frame's change is moved to where the face is
now (optical flow between the source's crops) and the new one is mixed into it: what sits on the skin stays on the skin.
The frame's own pixels are not touched by it, so nothing of the footage is smeared.

What is drawn takes the face's colours as far as the edits have none of their own to draw in (EditSpec.colours), and
footage without colours of its own takes the change's luma only: what is grey or sepia stays so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.faces.colour import beside_tint, colour_share, tinted
from vidinv.faces.compositing import change_between, followed
from vidinv.faces.motion import fetch, optical_flow
from vidinv.faces.steady import steadied
from vidinv.models.face_colours import in_face_colours
from vidinv.models.pictures import to_tensor
from vidinv.types import Change, Eyeglasses, Face, Faces, known


@dataclass(frozen=True)
class StabiliseOptions:
    memory: float = 0.3  # seconds after which a change counts 1/e; 0: every frame by itself
    trust: float = 30.0  # levels of 0..255: where flow leaves a larger residual (a blink), the past counts little
    colour: float = 1.0  # seconds after which a frame's word on whether the footage has colours counts 1/e
    rate: float = 30.0  # frames per second, for frames that carry no time


@dataclass(frozen=True)
class Past:
    """What is kept of a person from one frame to the next."""

    time: float
    crop: NDArray[np.uint8]  # [S, S, 3] the source's
    motion: NDArray[np.float32]  # [S, S, 3] mean of Change.motion, and of the amount it was made at
    residual: NDArray[np.float32]  # [S, S, 3] mean of Change.residual
    colour: float  # levels: mean of faces.colour.beside_tint, by how much each tells
    told: float  # sum of how much each told
    worn: Eyeglasses | None  # what is put on the face


@dataclass(frozen=True)
class StabiliseState:
    past: Mapping[int, Past] = field(default_factory=dict)  # by person, of the last frame


def stabilise(
    state: StabiliseState, faces: Faces | None, options: StabiliseOptions = StabiliseOptions()
) -> tuple[StabiliseState, list[Faces]]:
    """Average every edited face's change over the frames before it in which it is edited too, back to the last cut."""
    if faces is None:
        return state, []
    before = {} if faces.frame.cut else state.past
    time = faces.frame.seconds(options.rate)
    now = {f.person: _mixed(before.get(f.person), f, time, options) for f in faces.faces if f.edited is not None}
    return StabiliseState(now), [faces.each(lambda face: _steady(face, now.get(face.person)))]


def _steady(face: Face, mean: Past | None) -> Face:
    if mean is None:
        return face
    # An amount that comes or goes must not drag behind: what is averaged is the change per amount.
    gain = face.amount / np.maximum(mean.motion[..., 2], 1e-6)
    motion, residual = (
        np.asarray(part * _each(gain, part), np.float32) for part in (mean.motion[..., :2], mean.residual)
    )
    change = Change(motion, residual)
    if face.edited_code is not None and face.edited_code.change is not None:
        change = followed(change, face.edited_code.change)  # steady by itself, and what is driven must not lag
    share = colour_share(mean.colour)
    return replace(face, change=Change(change.motion, tinted(change.residual, share), share), worn=mean.worn)


def _in_colours(change: Change, face: Face) -> Change:
    """What an edit draws in the colours of the face that it says it has no other for."""
    if face.colours >= 1:
        return change
    before = fetch(known(face.inversion), change.motion)
    pictures = to_tensor(np.stack([before + change.residual, before])).contiguous()
    drawn = in_face_colours(pictures[:1], pictures[1:], torch.tensor([face.colours]))
    return replace(change, residual=((drawn - pictures[1:]) * 127.5)[0].permute(1, 2, 0).contiguous().numpy())


def _each(factor: NDArray[Any], like: NDArray[Any]) -> NDArray[np.float32]:
    """[S, S, C] the factor of each place for all channels of ``like``: NumPy's own way with them takes ten times as
    long."""
    return np.asarray(cv2.merge([np.asarray(factor, np.float32)] * like.shape[2]), np.float32)


def _mixed(past: Past | None, face: Face, time: float, options: StabiliseOptions) -> Past:
    """The past, moved to where the face is now, with the new change mixed into it."""
    crop, made = known(face.crop), change_between(known(face.inversion), known(face.edited), moves=face.moves)
    change = _in_colours(made, face)
    amounts = np.full_like(change.motion[..., :1], face.amount)
    motion, residual = np.concatenate([change.motion, amounts], 2), change.residual
    worn = None if face.edited_code is None else face.edited_code.worn
    colour, told = beside_tint(crop)
    if past is not None:
        before = past.told * math.exp(-max(time - past.time, 0) / max(options.colour, 1e-6))
        colour = (before * past.colour + told * colour) / max(before + told, 1e-6)
        told += before
    if past is not None and options.memory > 0:
        by = np.asarray(cv2.GaussianBlur(optical_flow(crop, past.crop), (0, 0), crop.shape[0] / 64), np.float32)
        apart = cv2.absdiff(fetch(past.crop, by), crop).astype(np.float32) @ np.full(3, 1 / 3, np.float32)
        mismatch = cv2.GaussianBlur(apart, (0, 0), crop.shape[0] / 85)
        keep = math.exp(-max(time - past.time, 0) / options.memory) * np.exp(-np.square(mismatch / options.trust))
        motion, residual = (
            new + _each(keep, new) * (fetch(old, by) - new)
            for old, new in ((past.motion, motion), (past.residual, residual))
        )
        if worn is not None and past.worn is not None:
            worn = steadied(past.worn, worn, by, np.asarray(keep, np.float32))
    return Past(time, crop, motion, residual, colour, told, worn)
