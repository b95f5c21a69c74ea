"""Do the tensors of a file fit the network that pack.toml describes: the first that does not, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

_COUNTER = "num_batches_tracked"  # of batch norms, which nobody reads: files may lack it
_NAME = 80  # letters of a tensor's name that are shown


def misfit(tensors: Mapping[str, Tensor], needed: Mapping[str, Tensor]) -> str | None:
    """What is wrong with ``tensors``, where the network has ``needed``, or None: a tensor that is missing, that the
    network has not, of another shape, or that holds other numbers."""
    lacking = [name for name in needed if name not in tensors and not name.endswith(_COUNTER)]
    if lacking:
        return f"it lacks {_called(lacking[0])} {list(needed[lacking[0]].shape)}{_more(lacking)}"
    strange = sorted(tensors.keys() - needed.keys())
    if strange:
        return (
            f"it has {_called(strange[0])} {list(tensors[strange[0]].shape)}, which the network has not{_more(strange)}"
        )
    return next((said for name in tensors if (said := misshapen(name, tensors[name], needed[name])) is not None), None)


def misshapen(name: str, found: Tensor, needed: Tensor) -> str | None:
    """What is wrong with one tensor, or None."""
    if found.shape != needed.shape:
        return f"{_called(name)} is {list(found.shape)} and should be {list(needed.shape)}"
    # Kept numbers of any precision are read as float32; whole and complex ones are somebody else's.
    kinds = [(one.is_floating_point(), one.is_complex()) for one in (found, needed)]
    if kinds[0] != kinds[1] and not name.endswith(_COUNTER):
        return f"{_called(name)} holds {_numbers(found)} and should hold {_numbers(needed)}"
    return None


def _numbers(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _called(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[:_NAME]}..."


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
