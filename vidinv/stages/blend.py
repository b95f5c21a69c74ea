"""Rendered -> Blended: the change goes into the untouched frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vidinv.faces import compositing
from vidinv.faces.masks import oval
from vidinv.types import Blended, Rendered

Composite = Literal["detail", "replace"]


@dataclass(frozen=True)
class BlendOptions:
    composite: Composite = "detail"
    follow_motion: bool = True  # in detail mode: move the frame's own pixels where the edit moves the face


def blend(stream: Iterable[Rendered], options: BlendOptions = BlendOptions()) -> Iterator[Blended]:
    """Composite every edited face, smallest first, so that the nearest lies on top.

    A frame without an edit is passed on as the same object: not one bit of it changes.
    """
    for rendered in stream:
        frame, masks = rendered.frame, []
        image = frame.image
        crops = rendered.edited.coded.aligned.crops
        for crop, before, after in zip(crops, rendered.inversions, rendered.edits, strict=True):
            if after is None:
                masks.append(None)
                continue
            masks.append(oval(after.shape[0]) * np.float32(crop.weight))
            image = _composite(image, frame.image is image, crop.quad, before, after, masks[-1], options)
        blended = frame if image is frame.image else replace(frame, image=image)
        yield Blended(blended, rendered, tuple(masks))


def _composite(
    image: NDArray, first: bool, quad: NDArray, before: NDArray, after: NDArray, mask: NDArray, options: BlendOptions
) -> NDArray:
    """The picture with one face's change in it; the frame's own array is never written to."""
    x0, y0, x1, y1 = compositing.bounds(quad, image.shape)
    if x1 <= x0 or y1 <= y0:
        return image
    if options.composite == "replace":
        box, pixels = compositing.replace_crop(image, quad, after, mask)
    elif options.follow_motion:
        box, pixels = compositing.move_and_add(image, quad, before, after, mask)
    else:
        box, pixels = compositing.add_detail(image, quad, before, after, mask)
    x0, y0, x1, y1 = box
    image = image.copy() if first else image
    image[y0:y1, x0:x1] = pixels
    return image
