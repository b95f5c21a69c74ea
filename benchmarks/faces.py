"""The crops of a video, found and aligned as ``vidinv run`` would hand them to the encoder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import NoFaceFound
from vidinv.packs.load import Pack
from vidinv.runtime.steps import run
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.types import Faces, known
from vidinv.video import probe


def aligned(video: Path, pack: Pack) -> Iterator[Faces]:
    """Every frame of a video with the crops of its faces."""
    rate = float(probe(video).rate)
    options = DetectOptions(rate=rate)
    looking = partial(detect, detectors=make_detectors(options), options=options)
    placing = partial(align, options=AlignOptions(pack.resolution, pack.template, rate=rate))
    return run("align", placing, AlignState(), run("detect", looking, DetectState(), decode(video)))


def longest_seen(video: Path, pack: Pack) -> list[NDArray[np.uint8]]:
    """The crops of the person who is longest in sight. :raises NoFaceFound: nobody is."""
    found: dict[int, list[NDArray[np.uint8]]] = {}
    for faces in aligned(video, pack):
        for face in faces.faces:
            found.setdefault(face.person, []).append(known(face.crop))
    if not found:
        raise NoFaceFound(f"{video}: no face in the whole video")
    return max(found.values(), key=len)
