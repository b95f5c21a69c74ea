"""Networks whose weights come from a file need no random ones first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class Uninitialised(TorchFunctionMode):
    """Inside ``with Uninitialised():`` modules are built without drawing their weights, which hold anything at all.

    Torch's own way, the "meta" device, imports its symbolic algebra for that, which takes two seconds.
    """

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "randn":
            return torch.empty(*args, **kwargs)
        if name.endswith(("uniform_", "normal_")):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
