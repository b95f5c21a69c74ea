"""Files as NVIDIA's networks are published: modules that pickle themselves with their source text and state."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

SOURCE = "raise SystemExit('the source text was executed')"


def _reconstruct_persistent_obj(meta: dict) -> None:
    raise AssertionError("this would execute the source text")


class EasyDict(dict):
    pass


_reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
EasyDict.__module__ = "dnnlib.util"


class Persistent(nn.Module):
    """Pickles itself as NVIDIA's modules do: source text, class name and state."""

    def __init__(self, **init_kwargs: object) -> None:
        super().__init__()
        self._init_args, self._init_kwargs = (), EasyDict(init_kwargs)

    def __reduce__(self):
        description = {"type": "class", "version": 6, "module_src": SOURCE, "class_name": type(self).__name__}
        return _reconstruct_persistent_obj, (EasyDict(description, state=dict(self.__dict__)),)


@contextmanager
def their_modules() -> Iterator[None]:
    """Names of NVIDIA's code can be found while pickling; reading must not need them."""
    made = {n: types.ModuleType(n) for n in ("torch_utils", "torch_utils.persistence", "dnnlib", "dnnlib.util")}
    made["torch_utils.persistence"]._reconstruct_persistent_obj = _reconstruct_persistent_obj
    made["dnnlib.util"].EasyDict = EasyDict
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            sys.modules.pop(name, None)


def network_pickle(state: dict[str, Tensor], **init_kwargs: object) -> bytes:
    """A file with G_ema, a tree of modules with these parameters."""
    network = Persistent(**init_kwargs)
    for key, value in state.items():
        *path, name = key.split(".")
        module = network
        for part in path:
            if not hasattr(module, part):
                module.add_module(part, Persistent())
            module = getattr(module, part)
        module.register_buffer(name, value)
    with their_modules():
        return pickle.dumps({"G_ema": network, "D": None, "training_set_kwargs": EasyDict(path="x")})
