"""Write a model pack: safetensors files, and the pack.toml that vidinv.packs.load reads."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import tomli_w
import torch
from safetensors.torch import save_file
from torch import Tensor

from vidinv.packs.digest import sha256
from vidinv.packs.spec import FILE_ENDING, PackSpec, table_of


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


def write_pack(folder: Path, spec: PackSpec) -> PackSpec:
    """pack.toml beside the pack's safetensors files, which have to be there.

    :return: what was written: ``spec`` with the sha256 of every safetensors file in ``folder``.
    :raises OSError: it cannot be written.
    """
    written = replace(spec, files={p.name: sha256(p) for p in sorted(folder.glob(f"*{FILE_ENDING}"))})
    (folder / "pack.toml").write_text(tomli_w.dumps(table_of(written)), encoding="utf-8")
    return written
