"""Codes out of a file get back what was left out of it: the crop is cut again, and F computed again where it is not in
the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vidinv.faces.warps import crop_of
from vidinv.inversion import Inverter
from vidinv.inversion.base import batch_of
from vidinv.models.pictures import to_tensor
from vidinv.runtime.batching import Collected, collect, in_batches
from vidinv.runtime.compute import Compute
from vidinv.types import Face, Faces, known


@dataclass(frozen=True)
class RestoreOptions:
    size: int = 128  # side of the crop, pixels: the pack's resolution
    batch: int = 8  # crops per pass


RestoreState = Collected[Faces]


def restore(
    state: RestoreState,
    faces: Faces | None,
    inverter: Inverter | None,
    compute: Compute,
    options: RestoreOptions = RestoreOptions(),
) -> tuple[RestoreState, list[Faces]]:
    """Complete every face of a frame that has its picture.

    :param inverter: the method that made the codes, whose F is computed again in the batches of
        :func:`vidinv.stages.invert.invert`, for the same bits; None: F is there.
    """

    def completed(some: Sequence[Face]) -> list[Face]:
        assert inverter is not None
        codes = [known(face.code) for face in some]
        whole = batch_of(codes)
        pictures = to_tensor([known(face.crop) for face in some], compute.device)
        with compute.autocast():
            features = inverter.features(pictures, whole.w, whole.noise)
        return [
            replace(face, code=replace(code, feature=feature))
            for face, code, feature in zip(some, codes, features, strict=True)
        ]

    if faces is not None:
        frame = faces.frame.opened() if faces.faces else faces.frame
        faces = faces.each(lambda f: replace(f, crop=crop_of(frame, known(f.quad), options.size, f.content)))
    if inverter is None:
        return state, [] if faces is None else [faces]
    # A method that goes on from frame to frame has batches of its own for each.
    most = 1 if inverter.warm else None
    state, group = collect(state, faces, lambda one: len(one.faces), options.batch, most)
    some = [face for one in group for face in one.faces]
    whole = iter(in_batches(some, options.batch, completed))
    return state, [one.each(lambda _: next(whole)) for one in group]
