"""A pack with an alias-free generator edits a video as any other pack does."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from tests.toy import ALIAS_FREE, write_toy_pack
from vidinv.api import VideoEditor
from vidinv.models.generator3 import AliasFreeGenerator
from vidinv.video import Reader


@pytest.fixture(scope="module")
def pack(tmp_path_factory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("packs") / "toy", alias_free=True)


def frames(clip: Path, count: int) -> list[np.ndarray]:
    with Reader(clip) as reader:
        return [f.image for f, _ in zip(reader, range(count), strict=False)]


def test_a_video_is_edited(invoke, pack, face_clip, tmp_path):
    short = tmp_path / "short.mp4"
    with av.open(str(face_clip)) as whole, av.open(str(short), "w") as cut:
        stream = cut.add_stream_from_template(whole.streams.video[0])
        for packet in islice(whole.demux(video=0), 10):
            packet.stream = stream
            cut.mux(packet)
    result = invoke(
        "run", short, "-o", tmp_path / "out.mp4", "-e", "smile=+2@0s-0.5s", "--pack", pack, "--precision", "fp32",
        "--report", tmp_path / "report.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["frames"], report["pack"]["name"]) == (10, "toy")
    assert report["faces"] == 10


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_frames_change_in_the_crop_alone_and_not_at_strength_zero(pack, face_clip, precision):
    editor = VideoEditor(pack, precision=precision)
    assert isinstance(editor.pack.generator, AliasFreeGenerator)
    assert editor.pack.generator.config == ALIAS_FREE
    pictures = frames(face_clip, 4)
    kept = list(editor.edit_frames(pictures, "smile=0"))
    assert all(np.array_equal(a, b) for a, b in zip(pictures, kept, strict=True))
    changed = list(editor.edit_frames(pictures, "smile=20"))
    assert not np.array_equal(pictures[2], changed[2])
    assert np.array_equal(pictures[2][:20], changed[2][:20])


def test_half_precision_draws_nearly_the_same(pack):
    generator = VideoEditor(pack, precision="fp32").pack.generator
    w = torch.randn(2, ALIAS_FREE.layers, ALIAS_FREE.d_style, generator=torch.Generator().manual_seed(0))
    full = generator(w)
    with torch.autocast("cpu", torch.bfloat16):
        half = generator(w).float()
    assert float((half - full).norm() / full.norm()) < 0.05
