"""The crops of a video, found and aligned as ``vidinv run`` would hand them to the encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import NoFaceFound
from vidinv.packs.load import Pack
from vidinv.stages.align import AlignOptions, align
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, detect, make_detectors
from vidinv.types import Aligned
from vidinv.video import probe


def aligned(video: Path, pack: Pack) -> Iterator[Aligned]:
    """Every frame of a video with the crops of its faces."""
    options, rate = DetectOptions(), float(probe(video).rate)
    found = detect(decode(video), make_detectors(options), options)
    return align(found, AlignOptions(pack.resolution, pack.template, rate=rate))


def longest_seen(video: Path, pack: Pack) -> list[NDArray[np.uint8]]:
    """The crops of the person who is longest in sight. :raises NoFaceFound: nobody is."""
    found: dict[int, list[NDArray[np.uint8]]] = {}
    for frame in aligned(video, pack):
        for crop in frame.crops:
            found.setdefault(crop.person, []).append(crop.image)
    if not found:
        raise NoFaceFound(f"{video}: no face in the whole video")
    return max(found.values(), key=len)
