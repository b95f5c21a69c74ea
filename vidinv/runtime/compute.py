"""Which device computes, and in which number format."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from vidinv.bounds import checked
from vidinv.errors import UsageError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Compute:
    device: str
    dtype: torch.dtype

    def autocast(self) -> AbstractContextManager:
        return torch.autocast(self.device.split(":")[0], self.dtype, enabled=self.dtype != torch.float32)


def has_fast_bf16(device: str) -> bool:
    """Does this device multiply bf16 faster than fp32?"""
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device)[0] >= 8
    capabilities = torch.backends.cpu.get_cpu_capability() if device == "cpu" else ""
    # oneDNN emulates bf16 on CPUs without the instructions, several times slower than fp32.
    return "AVX512" in capabilities and torch.cpu._is_avx512_bf16_supported()


def choose(device: str = "auto", precision: str = "auto") -> Compute:
    """:param device: "auto", "cpu", "cuda", "cuda:1", "mps". :param precision: "auto", "fp32", "bf16", "fp16".

    :raises UsageError: a device that is not there, or an unknown precision.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"device {device!r} cannot be used ({reason}); try --device cpu") from None
    if precision == "auto":
        precision = "bf16" if has_fast_bf16(device) else "fp32"
    if precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}; choose auto, {', '.join(PRECISIONS)}")
    return Compute(device, PRECISIONS[precision])


def checked_batch(batch: int) -> int:
    """:raises UsageError: a batch of nothing, or of more than there is memory for."""
    return int(checked("batch", batch))


def batch_for(device: str, resolution: int) -> int:
    """Faces per pass. A CPU gains nothing from many, and a face of 1024 px takes two thirds of a gigabyte."""
    return 8 if device != "cpu" else max(1, min(8, 8 * 256**2 // resolution**2))
