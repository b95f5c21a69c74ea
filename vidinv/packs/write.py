"""Write a model pack: safetensors files, and the pack.toml that vidinv.packs.load reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from vidinv.packs.digest import sha256


def write_tensors(path: Path, tensors: dict[str, Tensor], dtype: torch.dtype = torch.float16) -> None:
    """One safetensors file, floating point as ``dtype``.

    :raises ValueError: numbers that ``dtype`` cannot hold, or that are none.
    """
    written = {k: v.detach().cpu().to(dtype if v.is_floating_point() else v.dtype) for k, v in tensors.items()}
    # What fp16 cannot hold would come back as inf and turn pictures black far from here.
    broken = [k for k, v in written.items() if v.is_floating_point() and not torch.isfinite(v).all()]
    if broken:
        raise ValueError(f"{path.name}: not representable in {str(dtype)[6:]}: {', '.join(broken)}")
    save_file({k: v.contiguous() for k, v in written.items()}, str(path))
    # It was made as a private file of a passing name; a pack may be everybody's, as far as the user's umask lets it.
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def write_pack_toml(folder: Path, settings: dict[str, Any]) -> None:
    """pack.toml with the sha256 of every safetensors file in ``folder``."""
    files = {p.name: sha256(p) for p in sorted(folder.glob("*.safetensors"))}
    lines = _table("", {**settings, "files": files})
    (folder / "pack.toml").write_text("\n".join(lines).lstrip("\n") + "\n", encoding="utf-8")


def _table(name: str, table: dict[str, Any]) -> list[str]:
    """TOML of a nested table. Strings and numbers of JSON are TOML's too, and so are lists of them."""
    plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
    lines = [f"\n[{name}]"] if name and plain else []
    lines += [f"{_key(k)} = {json.dumps(v, ensure_ascii=False)}" for k, v in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _table(f"{name}.{_key(key)}" if name else _key(key), value)
    return lines


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)
