"""What published face networks are shown of a face, as a part of a pack's crop."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]  # x0, y0, x1, y1


@dataclass(frozen=True)
class FaceView:
    """A rectangle about an average face, in any unit; (0, 0) is its top left corner."""

    size: tuple[float, float]  # width, height
    eyes: tuple[float, float]  # halfway between them
    mouth: tuple[float, float]  # halfway between its corners
    eye_distance: float


def box_in_crop(view: FaceView, centre: float, by_eyes: float, by_mouth: float) -> Box:
    """Where the view of an average face lies in a pack's crop of it.

    :param centre: with the other two the pack's template, see :class:`vidinv.faces.quads.Template`.
    :return: x0, y0, x1, y1, fractions of the crop; they may lie beyond it.
    """
    down = view.mouth[1] - view.eyes[1]
    half = max(by_eyes * view.eye_distance, by_mouth * down)
    left, top = view.eyes[0] - half, view.eyes[1] + centre * down - half
    x0, y0, x1, y1 = (round(v / (2 * half), 4) for v in (-left, -top, view.size[0] - left, view.size[1] - top))
    return x0, y0, x1, y1
