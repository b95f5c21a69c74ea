"""A decoded picture with rectangles of it changed: what a frame is between blending and encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidinv.types import Box, Coded, Frame, inside, known


@dataclass(frozen=True)
class Patch:
    """A rectangle of a picture."""

    box: Box
    pixels: NDArray[np.uint8]  # [h, w, 3] RGB 0..255, of all that is in the box
    touched: Box  # within it: outside of this they are those of before


@dataclass(frozen=True)
class Patched:
    """See :class:`vidinv.types.Coded`. A later patch lies over those before it, and was made of what they are."""

    base: Coded | None  # what was decoded; None: in a saved state, which holds what the source does not
    patches: tuple[Patch, ...]
    cuttable: ClassVar[bool] = True

    def picture(self) -> NDArray[np.uint8]:
        whole = known(self.base).picture()
        return _pasted(whole, (0, 0, whole.shape[1], whole.shape[0]), self.patches)

    def part(self, box: Box) -> NDArray[np.uint8]:
        for number, patch in reversed(list(enumerate(self.patches))):
            if _common(box, patch.box) == box:
                own = inside(patch.pixels, _moved(box, patch.box))
                over = [one for one in self.patches[number + 1 :] if _common(box, one.box) is not None]
                return _pasted(own.copy(), box, over) if over else own
        return _pasted(known(self.base).part(box), box, self.patches)

    def sampled(self, step: int) -> NDArray[np.uint8]:
        return self.picture()[::step, ::step]

    def on(self, base: Coded | None) -> Patched:
        """The same changes, of another picture."""
        return replace(self, base=base)

    @property
    def touched(self) -> Box:
        """The smallest rectangle that holds all that was changed."""
        x0, y0, x1, y1 = zip(*(patch.touched for patch in self.patches), strict=True)
        return min(x0), min(y0), max(x1), max(y1)


def patched(frame: Frame, patch: Patch) -> Frame:
    """The frame with one rectangle more changed."""
    coded = frame.coded
    before = coded if isinstance(coded, Patched) else Patched(coded, ())
    return replace(frame, coded=replace(before, patches=(*before.patches, patch)))


def _common(a: Box, b: Box) -> Box | None:
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _pasted(image: NDArray[np.uint8], box: Box, patches: Sequence[Patch]) -> NDArray[np.uint8]:
    """A rectangle of the picture, which is written to, with what lies over it."""
    for patch in patches:
        common = _common(box, patch.box)
        if common is not None:
            inside(image, _moved(common, box))[:] = inside(patch.pixels, _moved(common, patch.box))
    return image


def _moved(box: Box, origin: Box) -> Box:
    """In a picture that begins where ``origin`` does."""
    x, y = origin[:2]
    return box[0] - x, box[1] - y, box[2] - x, box[3] - y
