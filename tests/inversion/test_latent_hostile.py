"""Codes that somebody else made, to take all memory or to make a run fail in the middle: refused by name."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from vidinv import VideoEditor
from vidinv.errors import InputError
from vidinv.faces.warps import crop
from vidinv.inversion.latent_file import LARGEST_PART

PART = "part-00000.safetensors"


def tampered(folder: Path, data: bytes | None, **told: object) -> Path:
    """Another first part, with the size and the sha256 that are right for it."""
    manifest = json.loads((folder / "manifest.json").read_text())
    if data is not None:
        (folder / PART).write_bytes(data)
        told |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest["parts"][0] |= told
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def filled(value: float) -> Callable[[Tensor], Tensor]:
    return lambda tensor: torch.full_like(tensor, value)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("quad", filled(float("nan"))),
        ("quad", lambda quad: quad * 1e9),
        ("quad", filled(5.0)),
        ("quad", lambda quad: quad[:, :2]),
        ("box", filled(float("inf"))),
        ("weight", filled(1e30)),
        ("content", filled(float("nan"))),
        ("person", lambda person: person - 5),
        ("person", lambda person: person.float()),
        ("w", lambda w: w[:, :1]),
        ("feature", lambda feature: feature[:, :, :1, :1]),
        ("feature", lambda feature: feature.to(torch.int8)),
        ("feature.axes", lambda axes: axes[:, :1]),
        ("frame.size", filled(2**40)),
        ("frame.faces", filled(-1)),
        ("frame.faces", lambda _: torch.empty(2**40, 0, dtype=torch.int64)),
    ],
)
def test_values_that_no_inversion_gives_are_refused_by_name(
    editor: VideoEditor, clip: Path, copied: Path, name: str, change: Callable[[Tensor], Tensor]
) -> None:
    tensors = load_file(copied / PART)
    tensors[name] = change(tensors[name]).contiguous()
    tampered(copied, save(tensors))
    with pytest.raises(InputError, match=rf"{PART} is damaged \({name}|{PART} is damaged \(a {name}") as refused:
        list(editor.render(clip, copied, "age=1"))
    assert "invert again" in str(refused.value)


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 0, -25.0, 1e308, 1e-300, 10**400])
def test_a_rate_that_no_video_has_is_refused_by_name(
    editor: VideoEditor, clip: Path, copied: Path, rate: float
) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    (copied / "manifest.json").write_text(json.dumps(manifest | {"rate": rate}))
    with pytest.raises(InputError, match=r"manifest\.json is damaged \(rate is ") as refused:
        editor.render(clip, copied, "age=1")
    assert "invert again" in str(refused.value)


@pytest.mark.parametrize(
    "header",
    [
        b"{" + b",".join(b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % i for i in range(20_001)) + b"}",
        json.dumps({"w": {"dtype": "F32", "shape": [1] * 1000, "data_offsets": [0, 4]}}).encode(),
        b'{"a":' * 100_000,
        b" " * (1 << 23),
    ],
    ids=["tensors", "axes", "depth", "length"],
)
def test_a_header_that_would_take_a_minute_is_refused_at_once(
    editor: VideoEditor, clip: Path, copied: Path, header: bytes
) -> None:
    tampered(copied, struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(InputError, match=PART):
        list(editor.render(clip, copied, "age=1"))


def test_a_part_of_any_size_is_not_read(editor: VideoEditor, clip: Path, copied: Path) -> None:
    with (copied / PART).open("wb") as file:
        file.truncate(LARGEST_PART + 1)  # a hole, which takes no room on the disk
    tampered(copied, None, size=LARGEST_PART + 1)
    with pytest.raises(InputError, match=f"{LARGEST_PART} are the most"):
        list(editor.render(clip, copied, "age=1"))


@pytest.mark.parametrize("where", [(5000, 20), (-5000, 20), (20, 5000), (20, -5000), (-300_000, -300_000)])
def test_a_quad_beside_the_frame_is_cut_and_no_error(where: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    quad = np.array([[0, 0], [0, 900], [900, 900], [900, 0]], float) + where
    assert crop(image, quad, 64).shape == (64, 64, 3)
