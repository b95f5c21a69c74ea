"""Checkpoints that travel: written whole or not at all, in parts of a chosen size, exact or small.

A checkpoint NAME in a folder is NAME.json, which lists its parts and their sha256, and the parts NAME-SEEN.000, .001
... which together are one file of ``torch.save``. The list is replaced last, so a crash leaves the checkpoint before.

An exact checkpoint resumes a run as if it had never stopped. A portable one is a fifth of its size: fp16, without
optimisers, without random stream, and of a network with a running mean the mean alone. The run goes on from the means,
the optimisers measure their scales anew, and the device may be of another kind.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

MIB = 2**20


def write(folder: Path, name: str, content: dict[str, Any], part_mib: int | None = None) -> None:
    """:param content: nested dicts and lists of tensors and numbers; ``content["seen"]`` numbers the parts.
    :param part_mib: most MiB a part may have; one part if None."""
    stream = io.BytesIO()
    torch.save(content, stream)
    data, parts = stream.getbuffer(), {}
    size = part_mib * MIB if part_mib else len(data)
    for number, start in enumerate(range(0, len(data), size)):
        part = f"{name}-{content['seen']:08d}.{number:03d}"
        chunk = data[start : start + size]
        _replace(folder / part, chunk)
        parts[part] = hashlib.sha256(chunk).hexdigest()
    _replace(folder / f"{name}.json", json.dumps({"seen": content["seen"], "parts": parts}, indent=1).encode())
    for old in folder.glob(f"{name}-[0-9]*.[0-9][0-9][0-9]"):
        if old.name not in parts:
            old.unlink()


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """What :func:`write` wrote, on the CPU; None where there is no such checkpoint.

    :raises ValueError: a part is missing or damaged.
    """
    index = folder / f"{name}.json"
    if not index.is_file():
        return None
    data = b""
    for part, digest in json.loads(index.read_text())["parts"].items():
        chunk = (folder / part).read_bytes() if (folder / part).is_file() else b""
        if hashlib.sha256(chunk).hexdigest() != digest:
            raise ValueError(f"{folder / part} is missing or damaged; bring it back, or remove {index} to start anew")
        data += chunk
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def resume(folder: Path, name: str = "state") -> dict[str, Any] | None:
    """The exact checkpoint of a run, else the portable one, else None."""
    return read(folder, name) or read(folder, f"{name}-portable")


def keep(folder: Path, content: dict, weights: dict, part_mib: int | None = None, name: str = "state") -> None:
    """Write the exact and the portable checkpoint, and ``weights``, for other programs, as checkpoint.pt (fp16)."""
    write(folder, name, content, part_mib)
    write(folder, f"{name}-portable", portable(content), part_mib)
    stream = io.BytesIO()
    torch.save(portable(weights), stream)
    _replace(folder / "checkpoint.pt", stream.getbuffer())


def hand_out(folder: Path, to: Path, name: str = "state") -> None:
    """Copy what goes on elsewhere: the portable checkpoint, the log and the newest sheets, in place of older ones."""
    to.mkdir(parents=True, exist_ok=True)
    index = f"{name}-portable.json"
    listed = json.loads((folder / index).read_text())
    sheets = sorted(p.name for p in folder.glob("*.png"))
    newest = [s for s in sheets if f"{listed['seen']:07d}" in s]
    logs = ["log.jsonl"] if (folder / "log.jsonl").exists() else []
    wanted = [*listed["parts"], *newest, *logs, index]  # the list last
    for file in wanted:
        _replace(to / file, (folder / file).read_bytes())
    for old in [*to.glob(f"{name}-portable-*"), *to.glob("*.png")]:
        if old.name not in wanted:
            old.unlink()


def read_weights(folder: Path) -> dict[str, Any]:
    """What :func:`keep` wrote for other programs, on the CPU."""
    return torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)


def portable(content: Any) -> Any:
    """The same as fp16, without optimisers, random stream, and every NAME beside which there is an average_NAME."""
    if isinstance(content, dict):
        spared = {"optimiser", "rng"} | {k.removeprefix("average_") for k in content if k.startswith("average_")}
        return {k: portable(v) for k, v in content.items() if k not in spared}
    if isinstance(content, Tensor) and content.is_floating_point() and content.ndim:
        return content.detach().cpu().half()
    return content


def optimiser_state(adam: torch.optim.Adam) -> dict[str, Any]:
    """``adam.state_dict()`` without what is no state: at beta1 = 0 the first moment is the gradient of the moment."""
    saved = adam.state_dict()
    if adam.param_groups[0]["betas"][0]:
        return saved
    return saved | {"state": {k: {"step": v["step"], "exp_avg_sq": v["exp_avg_sq"]} for k, v in saved["state"].items()}}


def load_optimiser(adam: torch.optim.Adam, saved: dict[str, Any]) -> None:
    """The inverse of :func:`optimiser_state`."""
    state = {k: {"exp_avg": torch.zeros_like(v["exp_avg_sq"]), **v} for k, v in saved["state"].items()}
    adam.load_state_dict(saved | {"state": state})


def weights_of(saved: dict[str, Any], name: str) -> dict[str, Tensor]:
    """State dict of a network in an exact or a portable checkpoint."""
    return saved[name] if name in saved else saved[f"average_{name}"]


class Contest(Protocol):
    """A network that is trained against a critic, with the running mean of its weights."""

    @property
    def net(self) -> nn.Module:
        """What is trained."""

    @property
    def average(self) -> nn.Module:
        """The running mean of its weights."""

    @property
    def critic(self) -> nn.Module:
        """Its critic."""

    @property
    def optimiser(self) -> torch.optim.Adam:
        """That of ``net``."""

    @property
    def critic_optimiser(self) -> torch.optim.Adam:
        """That of ``critic``."""


def contest_state(state: Contest) -> dict[str, Any]:
    """What is kept of it."""
    return {
        "net": state.net.state_dict(),
        "average_net": state.average.state_dict(),
        "critic": state.critic.state_dict(),
        "optimiser": {"net": optimiser_state(state.optimiser), "critic": optimiser_state(state.critic_optimiser)},
    }


def load_contest(state: Contest, saved: dict[str, Any]) -> None:
    """Go on from it; from a portable one without the optimisers."""
    state.net.load_state_dict(weights_of(saved, "net"))
    state.average.load_state_dict(saved["average_net"])
    state.critic.load_state_dict(saved["critic"])
    if "optimiser" in saved:
        load_optimiser(state.optimiser, saved["optimiser"]["net"])
        load_optimiser(state.critic_optimiser, saved["optimiser"]["critic"])


def load_stream(rng: torch.Generator, saved: dict[str, Any]) -> None:
    """Go on in the random stream of an exact checkpoint; after a portable one begin another, not the first again."""
    if "rng" in saved:
        rng.set_state(saved["rng"])
    else:
        rng.manual_seed(saved["seen"])


def _replace(path: Path, data: bytes | memoryview) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
