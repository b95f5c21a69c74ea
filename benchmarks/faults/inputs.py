"""Files as nobody should make them: each by a seed, so that a trial can be had again."""

from __future__ import annotations

import itertools
import pickle
import random
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tomli_w
import torch

from benchmarks.output import ROOT
from vidinv.packs.digest import sha256
from vidinv.stages.encode import encode
from vidinv.types import Frame
from vidinv.video import Reader
from vidinv.video.new_file import NewVideo

SAMPLE = ROOT / "assets" / "sample.mp4"
ENDINGS = (".mp4", ".mkv", ".mov", ".webm")
HEADS = (
    b"#EXTM3U\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n",
    b"ffconcat version 1.0\nfile 'clip.mp4'\n",
    b"RIFF\xff\xff\xff\xffAVI ",
    b"FLV\x01\x05\0\0\0\x09",
    b"\x1a\x45\xdf\xa3\xff",
    b"\0\0\0\x18ftypmp42",
    b"GIF89a\xff\xff\xff\xff",
    b"\x47" * 188,
)


def clip(path: Path, frames: int = 12, width: int = 320) -> Path:
    """Somebody's face for a moment, in the container of the name, beside the sample's sound where that takes it."""
    with Reader(SAMPLE) as reader:
        info, height = reader.info, round(width * reader.info.height / reader.info.width / 2) * 2
        small = []
        for frame in itertools.islice(reader, frames):
            image = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
            small.append(Frame(np.asarray(image, np.uint8), frame.index, frame.pts, frame.time))
    if path.suffix == ".webm":
        with NewVideo(path, (width, height), info.rate) as made:
            for frame in small:
                made.write(frame)
        return path
    shape: dict[str, Any] = {"width": width, "height": height, "display_width": width, "display_height": height}
    for _ in encode(iter(small), path, replace(info, **shape, other_streams=())):
        pass
    return path


def spoilt(data: bytes, seed: int) -> bytes:
    """A video with flipped bytes, one that ends early, one with somebody else's head, or with a hole."""
    chance, kind = random.Random(seed), seed % 4
    made = bytearray(data)
    if kind == 0:
        for _ in range(chance.choice((1, 10, 100, 1000))):
            made[chance.randrange(len(made))] = chance.randrange(256)
    elif kind == 1:
        del made[chance.randrange(len(made)) :]
    elif kind == 2:
        head = chance.choice(HEADS)
        made[: len(head)] = head
    else:
        start = chance.randrange(len(made))
        made[start : start + chance.randrange(1, 20_000)] = b""
    return bytes(made)


VALUES: tuple[Any, ...] = (
    0, -1, 100_000_000, 2**62, float("nan"), float("inf"), 1e300, "x", "\x1b[2J", [], [[[1]]], {"a": 1}, True,
)  # fmt: skip


def tamper_table(folder: Path, chance: random.Random) -> None:
    """Another value somewhere in pack.toml."""
    path = folder / "pack.toml"
    table = tomllib.loads(path.read_text())
    inner: Any = table
    while isinstance(inner, dict) and inner:
        key = chance.choice(sorted(inner))
        if not isinstance(inner[key], dict) or not inner[key] or chance.random() < 0.2:
            inner[key] = chance.choice(VALUES)
            break
        inner = inner[key]
    path.unlink()
    path.write_text(tomli_w.dumps(table))


def tamper_weights(folder: Path, chance: random.Random) -> None:
    """Another file under the name of one: cut, flipped, a device, or with a hash that vouches for it."""
    path = chance.choice(sorted(folder.glob("*.safetensors")))
    data = bytearray(path.read_bytes())
    path.unlink()
    kind = chance.randrange(4)
    if kind == 0:
        path.symlink_to("/dev/zero")
        return
    if kind == 1:
        del data[chance.randrange(len(data)) :]
    else:
        for _ in range(100):
            data[chance.randrange(len(data))] = chance.choice((0, 0x7C, 0xFC, 0xFF, chance.randrange(256)))
    path.write_bytes(data)
    if kind == 3:
        table = tomllib.loads((folder / "pack.toml").read_text())
        table["files"][path.name] = sha256(path)
        (folder / "pack.toml").unlink()
        (folder / "pack.toml").write_text(tomli_w.dumps(table))


def tamper_names(folder: Path, chance: random.Random) -> None:
    """A name in [files] that leads out of the folder."""
    path = folder / "pack.toml"
    names = ("../other/generator.safetensors", "/etc/passwd", "..", "a/b.safetensors", "x\0.safetensors")
    table = tomllib.loads(path.read_text())
    table["files"][chance.choice(names)] = "0" * 64
    path.unlink()
    path.write_text(tomli_w.dumps(table))


TAMPERS: tuple[Callable[[Path, random.Random], None], ...] = (tamper_table, tamper_weights, tamper_names)


class _Call:
    def __init__(self, function: Any, *args: Any) -> None:
        self.reduced = function, args

    def __reduce__(self) -> Any:
        return self.reduced


def hostile_pickle(path: Path, seed: int) -> Path:
    """Weights that would write a file called "executed", or take all memory, were they believed."""
    evil = _Call(open, "executed", "w")
    cut = random.Random(seed).randrange(1, 200)
    made: tuple[Callable[[], Any], ...] = (
        lambda: path.write_bytes(pickle.dumps(evil)),
        lambda: path.write_bytes(pickle.dumps({"G_ema": {"w": [evil]}}, 4)),
        lambda: path.write_bytes(b"\x80\x02Nr\xff\xff\xff\x7f."),
        lambda: path.write_bytes(b"\x80\x04\x8e" + (10**11).to_bytes(8, "little") + b"N."),
        lambda: path.write_bytes(pickle.dumps({"w": torch.zeros(9)})[:cut]),
        lambda: torch.save({"g_ema": evil}, path),
        lambda: torch.save({"g_ema": evil}, path, _use_new_zipfile_serialization=False),
        lambda: torch.save({"g_ema": {"w": torch.zeros(1).half().expand(2 * 10**9)}}, path),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.write_bytes(random.Random(seed).randbytes(5000)),
    )
    made[seed % len(made)]()
    return path
