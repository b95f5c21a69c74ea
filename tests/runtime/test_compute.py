"""Devices and number formats are chosen, or refused with a reason."""

import pytest
import torch

from vidinv.errors import UsageError
from vidinv.runtime.compute import choose, has_fast_bf16


def test_the_cpu_computes_in_bf16_only_where_it_is_quick_at_it() -> None:
    expected = torch.bfloat16 if has_fast_bf16("cpu") else torch.float32
    assert choose("cpu").dtype == expected
    assert choose("cpu", "fp32").dtype == torch.float32


def test_autocast_is_off_in_fp32_and_on_otherwise() -> None:
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with choose("cpu", precision).autocast():
            assert (torch.zeros(2, 2) @ torch.zeros(2, 2)).dtype == dtype


@pytest.mark.parametrize("device", ["cuda:99", "no-such-device"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(UsageError, match="--device cpu"):
        choose(device)


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="bf16"):
        choose("cpu", "fp7")
