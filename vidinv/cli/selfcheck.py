"""One made-up frame through every network of a pack, on the device that a run would use."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from vidinv.edits.library import resolve
from vidinv.edits.parse import EditRequest
from vidinv.faces.warps import crop
from vidinv.inversion import make_inverter
from vidinv.models.pictures import to_tensor
from vidinv.packs.load import Pack
from vidinv.runtime.compute import Compute
from vidinv.runtime.steps import run
from vidinv.stages.blend import blend
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.stages.invert import InvertState, invert
from vidinv.stages.stabilise import StabiliseState, stabilise
from vidinv.stages.synthesise import SynthesiseState, synthesise
from vidinv.types import Face, Faces, Frame, known


def edit_one_frame(pack: Pack, compute: Compute) -> None:
    """The stages of a run, save that the face's place is given: nobody is in a made-up picture.

    Raises whatever goes wrong on the way; ArithmeticError for numbers that are none.
    """
    frame = Frame(_picture(180, 320), 0)
    _, [found] = detect(DetectState(), frame, make_detectors(DetectOptions()))
    quad = np.array([[96, 26], [96, 154], [224, 154], [224, 26]], np.float64)
    face = Face(
        np.array([96, 26, 224, 154], np.float32), person=0, quad=quad, crop=crop(frame.image, quad, pack.resolution)
    )
    one_of_each = {edit.kind: name for name, edit in sorted(pack.spec.edits.items(), reverse=True)}
    edits = resolve(tuple(EditRequest(name, 1.0) for name in one_of_each.values()), pack, in_frame=False)
    inverting = partial(invert, inverter=make_inverter(pack), compute=compute)
    coded = run("invert", inverting, InvertState(), [Faces(found.frame, (face,))])
    edited = run("edit", partial(edit, options=EditOptions(edits), compute=compute), EditState(), coded)
    drawing = partial(synthesise, generator=pack.generator, compute=compute)
    drawn = list(run("synthesise", drawing, SynthesiseState(), edited))
    if not all(np.isfinite(known(p)).all() for p in (drawn[0].faces[0].inversion, drawn[0].faces[0].edited)):
        raise ArithmeticError(f"the generator gives no numbers in {compute.dtype}; try --precision fp32")
    [blended] = run("blend", blend, None, run("stabilise", stabilise, StabiliseState(), drawn))
    if known(blended.output).image.shape != frame.image.shape:
        raise ArithmeticError(f"the frame came back as {known(blended.output).image.shape}")
    x = to_tensor([known(face.crop)], compute.device)
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
