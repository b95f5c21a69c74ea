"""Networks whose weights come from a file need no random ones first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class Uninitialised(TorchFunctionMode):
    """Inside ``with Uninitialised():`` modules are built without drawing their weights, which hold anything at all.

    Torch's own way, the "meta" device, imports its symbolic algebra for that, which takes two seconds.

    :param most: numbers that all tensors made inside may hold together. :param tensors: how many there may be.
    :raises ValueError: there are more.
    """

    def __init__(self, most: int | None = None, tensors: int | None = None) -> None:
        super().__init__()
        self._left, self._tensors = most, tensors

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in ("empty", "randn", "zeros", "ones"):
            self._count(args)
        if name == "randn":
            return torch.empty(*args, **kwargs)
        if name.endswith(("uniform_", "normal_")):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)

    def _count(self, sizes: tuple) -> None:
        shape = sizes[0] if sizes and isinstance(sizes[0], tuple | list) else sizes
        if self._left is not None:
            self._left -= math.prod(n for n in shape if isinstance(n, int))
        if self._tensors is not None:
            self._tensors -= 1
        if min(self._left or 0, self._tensors or 0) < 0:
            raise ValueError("the network of these sizes has more weights than the file")
