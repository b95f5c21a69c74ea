"""The change goes into the untouched frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidinv.faces import compositing
from vidinv.faces.colour import tinted
from vidinv.faces.masks import oval
from vidinv.faces.quads import in_crop
from vidinv.faces.regions import fall, union
from vidinv.types import Change, Composite, Face, Faces, known


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
    image = own = faces.frame.picture()
    for face, change in changed:
        image = _composite(image, image is own, face, change, options.composite)
    output = faces.frame if image is own else replace(faces.frame, image=image, coded=None)
    return state, [replace(masked, output=output)]


def _mask(face: Face) -> NDArray[np.float32] | None:
    if face.change is None:
        return None
    mask = oval(len(known(face.crop)), feather=fall(face.regions), content=face.content) * np.float32(face.weight)
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


def _composite(image: NDArray[np.uint8], first: bool, face: Face, change: Change, how: Composite) -> NDArray[np.uint8]:
    """The picture with one face's change in it; the frame's own array is never written to."""
    quad, mask = known(face.quad), known(face.mask)
    x0, y0, x1, y1 = compositing.bounds(quad, image.shape)
    if x1 <= x0 or y1 <= y0:
        return image
    if how == "replace":
        changed = tinted(compositing.changed_picture(known(face.inversion), change), change.colour, known(face.crop))
        box, pixels = compositing.replace_crop(image, quad, changed, mask)
    else:
        box, pixels = compositing.add_change(image, quad, change, mask, _edges(face))
    x0, y0, x1, y1 = box
    image = image.copy() if first else image
    image[y0:y1, x0:x1] = pixels
    return image
