"""A short video with boxes of two persons, a toy pack for it, and what is the same about codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from tests.toy import write_toy_pack
from vidinv.faces.boxes import CropRule
from vidinv.packs.load import load_pack
from vidinv.packs.spec import template_of
from vidinv.packs.write import write_pack
from vidinv.types import Code, Face, Faces

SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample.mp4"
SIZE, FRAMES = (160, 96), 24


def write_clip(path: Path, seed: int = 0, count: int = FRAMES) -> Path:
    """Three shots of moving noise, lossless, at uneven times."""
    rng = np.random.default_rng(seed)
    shots = [cv2.resize(rng.integers(0, 255, (6, 10, 3), np.uint8), SIZE) for _ in range(3)]
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25, time_base=Fraction(1, 1000))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for i in range(count):
            picture = av.VideoFrame.from_ndarray(np.roll(shots[3 * i // count], i, 1), format="rgb24")
            picture.pts, picture.time_base = 40 * i + 7 * (i % 3), Fraction(1, 1000)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path


# Two persons: one is missed for a moment and bridged, one goes, and nobody is there when the last shot begins.
BOXES = {
    i: [box for box, there in (((10 + i, 8, 58 + i, 56), i != 5), ((90, 30, 150, 90), i < 11 or i > 15)) if there]
    for i in range(FRAMES)
    if i not in (16, 17, 18)
}


def write_box_pack(folder: Path, seed: int = 0) -> Path:
    spec, rule = load_pack(write_toy_pack(folder, seed)).spec, CropRule("boxes", (1.0, 0.75))
    write_pack(folder, replace(spec, crops=rule, template=template_of(rule)))
    return folder


def pictures(stream: Iterator[Faces]) -> list[np.ndarray]:
    return [faces.output.image for faces in stream]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def assert_same_code(a: Code, b: Code) -> None:
    for x, y in ((a.w, b.w), (a.feature, b.feature), (a.noise, b.noise)):
        assert (x is None) == (y is None)
        if x is not None:
            assert torch.equal(x, y)
            assert x.stride() == y.stride(), "networks compute other last bits on the same numbers laid out otherwise"


def assert_same_faces(a: list[Faces], b: list[Faces], crops: bool = False) -> None:
    """In everything that is kept, types included."""
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        for name in ("index", "pts", "time", "cut"):
            assert getattr(one.frame, name) == getattr(other.frame, name), name
        assert one.frame.image.shape == other.frame.image.shape
        for face, again in zip(one.faces, other.faces, strict=True):
            assert_same_code(face.code, again.code)
            for f in fields(Face):
                x, y = getattr(face, f.name), getattr(again, f.name)
                if f.name == "crop" and not crops:
                    assert y is None
                elif isinstance(x, np.ndarray):
                    assert np.array_equal(x, y), f.name
                    assert x.dtype == y.dtype, f.name
                elif f.name != "code":
                    assert x == y, f.name
                    assert type(x) is type(y), f.name
