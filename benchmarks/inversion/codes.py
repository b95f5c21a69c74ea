"""Codes of the rows. Those that were searched for are kept on disk: what took an hour is not done twice."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.inversion.rows import ROWS, Row
from vidinv.inversion import Inverted, Inverter, make_inverter, search_options
from vidinv.inversion.base import together
from vidinv.packs.load import Pack
from vidinv.runtime.compute import Compute

ENCODED, SEARCHED = 16, 8  # pictures of a batch


@dataclass(frozen=True)
class Kept:
    """Codes of N pictures, and what they took."""

    code: Inverted
    seconds: dict[str, float]
    """"cpu" and "wall", of one picture, "batch" of them at a time."""

    def first(self, count: int) -> Inverted:
        noise = None if self.code.noise is None else self.code.noise[:count]
        return Inverted(self.code.w[:count], self.code.feature[:count], noise)


@dataclass(frozen=True)
class Keeper:
    """Inverts, and looks first whether that was done before."""

    pack: Pack
    compute: Compute
    folder: Path
    steps: int | None = None
    """Of all searches; None: each method's own."""

    def inverter(self, row: Row) -> Inverter:
        wanted = dict(row.search) | ({} if self.steps is None or not row.searches else {"steps": self.steps})
        return make_inverter(self.pack, row.method, search_options(row.method, wanted))

    def described(self, row: Row) -> dict[str, Any]:
        """What a row's codes depend on, beside the pictures and the networks."""
        told = self.inverter(row).described() | {"precision": str(self.compute.dtype).removeprefix("torch.")}
        if row.method.startswith("in-domain"):
            told["domain_encoder"] = (self.pack.spec.files.get("domain_encoder.safetensors") or "")[:16]
        return told

    def codes(self, name: str, pictures: Tensor, digest: str) -> Kept:
        """:param digest: by which the pictures are known."""
        row = ROWS[name]
        files = {n: self.pack.spec.files.get(f"{n}.safetensors") for n in ("generator", "encoder")}
        told = json.dumps({"row": self.described(row), "files": files, "pictures": digest}, sort_keys=True)
        path = self.folder / f"{name}-{digest}.safetensors"
        kept = _read(path, told)
        if kept is None:
            kept = _inverted(self.inverter(row), self.compute, pictures)
            if row.searches:  # an encoder's are made again sooner than read
                _write(path, told, kept)
        if not row.styles_alone:
            return kept
        w = kept.code.w
        with torch.inference_mode():
            native = torch.cat([self.pack.generator.features(part).float() for part in w.split(ENCODED)])
        return Kept(Inverted(w, native), kept.seconds)


def _inverted(invert: Inverter, compute: Compute, pictures: Tensor) -> Kept:
    batch = SEARCHED if invert.searches else ENCODED
    if not invert.searches:
        with compute.autocast():
            invert(pictures[:batch])  # what is made once is not counted
    cpu, wall = time.process_time(), time.perf_counter()
    parts = []
    for part in pictures.split(batch):
        with compute.autocast():
            parts.append(invert(to_device(part, compute)))
    count = len(pictures)
    seconds = {"cpu": (time.process_time() - cpu) / count, "wall": (time.perf_counter() - wall) / count}
    return Kept(together(parts), seconds | {"batch": batch})


def to_device(pictures: Tensor, compute: Compute) -> Tensor:
    return pictures.to(compute.device).contiguous(memory_format=torch.channels_last)


def _read(path: Path, told: str) -> Kept | None:
    if not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        about = file.metadata() or {}
        if about.get("told") != told:
            return None
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
    return Kept(Inverted(tensors["w"], tensors["feature"], tensors.get("noise")), json.loads(about["seconds"]))


def _write(path: Path, told: str, kept: Kept) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {"w": kept.code.w, "feature": kept.code.feature, "noise": kept.code.noise}
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    some = {k: v.detach().cpu().contiguous() for k, v in tensors.items() if v is not None}
    try:
        save_file(some, part, {"told": told, "seconds": json.dumps(kept.seconds)})
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@torch.inference_mode()
def drawn(pack: Pack, code: Inverted) -> Tensor:
    """G(w, F), [N, 3, S, S] in -1..1."""
    noises = [None] * len(code.w) if code.noise is None else list(code.noise.split(ENCODED))
    parts = zip(code.w.split(ENCODED), code.feature.split(ENCODED), noises, strict=False)
    return torch.cat([pack.generator(w, f, noise=n).float().clamp(-1, 1) for w, f, n in parts]).cpu()
