"""The change goes into the untouched frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.faces import compositing
from vidinv.faces.colour import tinted
from vidinv.faces.eyeglasses import in_frame, put_on
from vidinv.faces.masks import Map, oval
from vidinv.faces.quads import in_crop
from vidinv.faces.regions import union
from vidinv.faces.warps import uncrop
from vidinv.types import Box, Change, Composite, Face, Faces, Frame, inside, known
from vidinv.video.patched import Patch, patched


@dataclass(frozen=True)
class BlendOptions:
    composite: Composite = "detail"  # add the change to the frame's own pixels, or paste the generated face


def blend(state: None, faces: Faces | None, options: BlendOptions = BlendOptions()) -> tuple[None, list[Faces]]:
    """Composite every changed face, in the order of persons, into ``output``.

    A frame without a change is passed on as the same object: not one bit of it changes.
    """
    if faces is None:
        return state, []
    masked = faces.each(lambda face: replace(face, mask=_mask(face)))
    changed = [(face, face.change) for face in masked.faces if face.change is not None]
    if not changed:
        return state, [replace(masked, output=faces.frame)]
    own = output = faces.frame.opened()
    for face, change in changed:
        if not _only_worn(face):
            output = _composite(output, output is own, face, change, options.composite)
        output = _wearing(output, output is own, face)
    return state, [replace(masked, output=faces.frame if output is own else output)]


def _only_worn(face: Face) -> bool:
    """Does no edit change its code or its picture? Then the two that were generated are one."""
    return face.worn is not None and face.amount == 0 and known(face.edited_code).change is None


def _mask(face: Face) -> NDArray[np.float32] | None:
    if face.change is None:
        return None
    mask = oval(len(known(face.crop)), content=face.content) * np.float32(face.weight)
    if face.assessment is None:
        return mask
    # What lies over the face keeps its own pixels, and so does what is beside it.
    for part in (face.assessment.visible, face.assessment.region):
        mask = mask if part is None else mask * part
    return mask


def _edges(face: Face) -> NDArray[np.float32] | None:
    """[S, S]: how much steeper what is drawn is made; None: nowhere."""
    if not face.edges or face.points is None:
        return None
    size = len(known(face.crop))
    points = in_crop(face.points, known(face.quad), size)
    return union(face.edges, np.ones((size, size), np.float32), points, size)


def _composite(frame: Frame, first: bool, face: Face, change: Change, how: Composite) -> Frame:
    """The frame with one face's change in it; the frame's own array is never written to."""
    quad, mask = known(face.quad), known(face.mask)
    x0, y0, x1, y1 = compositing.bounds(quad, frame.image.shape)
    if x1 <= x0 or y1 <= y0:
        return frame
    where = compositing.place(frame, quad, change, mask)
    if how == "replace":
        changed = tinted(compositing.changed_picture(known(face.inversion), change), change.colour, known(face.crop))
        box, pixels = compositing.replace_crop(where, quad, changed, mask)
    else:
        box, pixels = compositing.add_change(where, quad, change, mask, _edges(face))
    return _with_pixels(frame, first, where, box, pixels)


def _wearing(frame: Frame, first: bool, face: Face) -> Frame:
    """The frame with what is put on one face; its own array is never written to."""
    if face.worn is None or face.weight <= 0:
        return frame
    quad, (height, width) = known(face.quad), frame.image.shape[:2]
    placed = in_frame(face.worn, quad, len(known(face.crop)), height, width)
    if placed is None:
        return frame
    there, box = placed
    own = frame.part(box)
    pixels = put_on(own, there, _seen(face, quad, box), known(face.change).colour)
    return _with_pixels(frame, first, compositing.Place(own, box[:2], frame.image.shape), box, pixels)


def _seen(face: Face, quad: NDArray[np.float64], box: Box) -> Map | np.float32:
    """Of a rectangle of the frame, 0..1: how much of what is put on the face shows, which what lies over it hides."""
    weight = np.float32(face.weight)
    if face.assessment is None or face.assessment.visible is None:
        return weight
    # Beyond the crop nobody knows of anything that lies over it.
    return np.asarray(weight * (1 - uncrop(1 - face.assessment.visible, quad, box)), np.float32)


def _with_pixels(frame: Frame, first: bool, where: compositing.Place, box: Box, pixels: NDArray[np.uint8]) -> Frame:
    """:param first: is the array its own still, which is not written to?"""
    if frame.coded is not None:
        return _with_patch(frame, where, box, pixels)
    image = frame.image.copy() if first else frame.image
    inside(image, box)[:] = pixels
    return replace(frame, image=image)


def _with_patch(frame: Frame, where: compositing.Place, box: Box, pixels: NDArray[np.uint8]) -> Frame:
    """Of what is known of the frame the new pixels, and which of them are others than before."""
    own, (left, top) = where.own(box), where.corner
    differs = cv2.absdiff(own, pixels).reshape(len(own), -1)
    x, y, wide, high = cv2.boundingRect(differs)
    if not wide:
        return frame
    touched = (box[0] + x // 3, box[1] + y, box[0] - (-(x + wide) // 3), box[1] + y + high)
    region = where.region.copy()
    inside(region, (box[0] - left, box[1] - top, box[2] - left, box[3] - top))[:] = pixels
    height, width = region.shape[:2]
    return patched(frame, Patch((left, top, left + width, top + height), region, touched))
