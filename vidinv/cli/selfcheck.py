"""One made-up frame through every network of a pack, on the device that a run would use."""

from __future__ import annotations

import numpy as np
import torch

from vidinv.edits.library import edits_of, resolve
from vidinv.edits.parse import EditRequest
from vidinv.faces.warps import crop
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.runtime.compute import Compute
from vidinv.stages.blend import blend
from vidinv.stages.detect import DetectOptions, detect, make_detectors
from vidinv.stages.edit import EditOptions, edit
from vidinv.stages.invert import invert
from vidinv.stages.stabilise import stabilise
from vidinv.stages.synthesise import synthesise
from vidinv.types import Aligned, Crop, Found, Frame


def edit_one_frame(pack: Pack, compute: Compute) -> None:
    """The stages of a run, save that the face's place is given: nobody is in a made-up picture.

    Raises whatever goes wrong on the way; ArithmeticError for numbers that are none.
    """
    frame = Frame(_picture(180, 320), 0)
    found = next(detect(iter([frame]), make_detectors(DetectOptions())))
    quad = np.array([[96, 26], [96, 154], [224, 154], [224, 26]], np.float64)
    face = Crop(0, quad, crop(frame.image, quad, pack.resolution))
    coded = invert([Aligned(Found(frame, found.faces), (face,))], pack.encoder, compute)
    name = min(pack.spec.edits)
    steps = resolve((EditRequest(name, 1.0),), edits_of(pack))
    rendered = next(synthesise(edit(coded, EditOptions(steps)), pack.generator, compute))
    if not all(p is not None and np.isfinite(p).all() for p in (*rendered.inversions, *rendered.edits)):
        raise ArithmeticError(f"the generator gives no numbers in {compute.dtype}; try --precision fp32")
    blended = next(blend(stabilise([rendered])))
    if blended.frame.image.shape != frame.image.shape:
        raise ArithmeticError(f"the frame came back as {blended.frame.image.shape}")
    x = to_tensor([face.image], compute.device)
    with torch.inference_mode(), compute.autocast():
        made = {n: getattr(pack, n)(x) for n in ("identity", "attributes") if pack.has(n)}
    if "identity" in made and not torch.isfinite(made["identity"]).all():
        raise ArithmeticError(f"{pack.label('identity')} gives no numbers in {compute.dtype}; try --precision fp32")


def _picture(height: int, width: int) -> np.ndarray:
    """[H, W, 3] uint8: smooth colours with a bright oval."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    image = np.stack([x * 200 / width, y * 200 / height, (x + y) * 100 / (width + height)], -1)
    image[((x - width / 2) / 40) ** 2 + ((y - height / 2) / 55) ** 2 < 1] = (224, 172, 150)
    return image.astype(np.uint8)
