"""Steadied -> Blended: the change goes into the untouched frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vidinv.faces import compositing
from vidinv.faces.masks import oval
from vidinv.types import Blended, Change, Steadied

Composite = Literal["detail", "replace"]


@dataclass(frozen=True)
class BlendOptions:
    composite: Composite = "detail"


def blend(stream: Iterable[Steadied], options: BlendOptions = BlendOptions()) -> Iterator[Blended]:
    """Composite every edited face, smallest first, so that the nearest lies on top.

    A frame without an edit is passed on as the same object: not one bit of it changes.
    """
    for steadied in stream:
        frame, rendered, masks = steadied.frame, steadied.rendered, []
        image = frame.image
        crops = rendered.edited.coded.aligned.crops
        known = rendered.assessments or (None,) * len(crops)
        for crop, before, change, assessment in zip(crops, rendered.inversions, steadied.changes, known, strict=True):
            if change is None:
                masks.append(None)
                continue
            mask = oval(before.shape[0], content=crop.content) * np.float32(crop.weight)
            if assessment is not None and assessment.visible is not None:
                mask = mask * assessment.visible  # what lies over the face keeps its own pixels
            masks.append(mask)
            image = _composite(image, frame.image is image, crop.quad, before, change, masks[-1], options.composite)
        blended = frame if image is frame.image else replace(frame, image=image)
        yield Blended(blended, rendered, tuple(masks))


def _composite(
    image: NDArray, first: bool, quad: NDArray, before: NDArray, change: Change, mask: NDArray, how: Composite
) -> NDArray:
    """The picture with one face's change in it; the frame's own array is never written to."""
    x0, y0, x1, y1 = compositing.bounds(quad, image.shape)
    if x1 <= x0 or y1 <= y0:
        return image
    if how == "replace":
        box, pixels = compositing.replace_crop(image, quad, compositing.changed_picture(before, change), mask)
    else:
        box, pixels = compositing.add_change(image, quad, change, mask)
    x0, y0, x1, y1 = box
    image = image.copy() if first else image
    image[y0:y1, x0:x1] = pixels
    return image
