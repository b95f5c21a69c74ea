"""What a student can do and what it costs: its agreement with the labels, its size, its time."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from vidinv.models.attributes import AttributeNet
from vidinv.models.identity import IdentityNet
from vidinv.models.landmarks import to_pixels
from vidinv.models.pictures import to_tensor
from vidinv.models.visibility import VisibilityNet
from vidinv.training.scores import ACCESSORIES, logit


@torch.no_grad()
def answers(net: nn.Module, pictures: NDArray[np.uint8], batch: int = 64) -> dict[str, NDArray]:
    """What a network in eval mode says of clean pictures, under the names of the table's columns."""
    said, device = [], next(net.parameters()).device
    for start in range(0, len(pictures), batch):
        x = to_tensor(pictures[start : start + batch]).contiguous(memory_format=torch.channels_last)
        out = net(x.to(device))
        if isinstance(net, AttributeNet):
            said.append({k: v for k, v in out._asdict().items() if k != "worn"} | dict(out.worn))
        elif isinstance(net, IdentityNet):
            said.append({"identity": out})
        elif isinstance(net, VisibilityNet):
            said.append(out._asdict())
        else:
            said.append({"points68": to_pixels(out, pictures.shape[1])})
    return {k: torch.cat([s[k] for s in said]).cpu().numpy() for k in said[0]}


def agreement(said: dict[str, NDArray], labels: dict[str, NDArray]) -> dict[str, float]:
    """How near the student's answers are to the teachers' labels of the same faces."""
    if "identity" in said:
        pairs = np.triu_indices(len(said["identity"]), 1)
        mine, teachers = ((e @ e.T)[pairs] for e in (said["identity"], labels["identity"]))
        cosine = (said["identity"] * labels["identity"]).sum(1)
        return {
            "cosine_mean": float(cosine.mean()),
            "cosine_5th_percentile": float(np.quantile(cosine, 0.05)),
            "similarity_correlation": float(np.corrcoef(mine, teachers)[0, 1]),
        }
    if "age" in said:
        grown, happy = labels["age"] >= 16, labels["expression"][:, 1] > 0.5
        off = np.abs(said["age"] - labels["age"])
        return {
            "age_mean_difference_years": float(off.mean()),
            "age_mean_difference_years_from_16": float(off[grown].mean()),
            "age_correlation": float(np.corrcoef(said["age"], labels["age"])[0, 1]),
            "sex_agreement": float(((said["male"] > 0.5) == (labels["male"] > 0.5)).mean()),
            "sex_agreement_from_16": float(((said["male"] > 0.5) == (labels["male"] > 0.5))[grown].mean()),
            "happy_agreement": float(((said["expression"][:, 1] > 0.5) == happy).mean()),
            "happy_auc": float(roc_auc_score(happy, said["expression"][:, 1])),
            "expression_agreement": float((said["expression"].argmax(1) == labels["expression"].argmax(1)).mean()),
            **{k: v for name in ACCESSORIES if name in said for k, v in _worn(name, said[name], labels[name]).items()},
        }
    if "occluder" in said:
        return _visible(said, labels)
    p = labels["points68"]
    between = np.linalg.norm(p[:, 36:42].mean(1) - p[:, 42:48].mean(1), axis=1)
    error = np.linalg.norm(said["points68"] - p, axis=2).mean(1) / between
    inner = np.linalg.norm(said["points68"] - p, axis=2)[:, 17:].mean(1) / between
    return {
        "nme_mean": float(error.mean()),
        "nme_median": float(np.median(error)),
        "nme_without_jaw": float(inner.mean()),
        "nme_over_0.08": float((error > 0.08).mean()),
    }


def _worn(name: str, said: NDArray, label: NDArray) -> dict[str, float]:
    """Of probabilities [N]; the correlation is one of logits, as far as they tell something."""
    there, correlation = label > 0.5, np.corrcoef(logit(said), logit(label))[0, 1]
    return {
        f"{name}_agreement": float(((said > 0.5) == there).mean()),
        f"{name}_auc": float(roc_auc_score(there, said)) if 0 < there.sum() < len(there) else float("nan"),
        f"{name}_correlation": float(correlation),
    }


def _visible(said: dict[str, NDArray], labels: dict[str, NDArray]) -> dict[str, float]:
    """Of the occluder, on the face; an alarm is a hundredth of the face that is said to be covered."""
    face, true, found = labels["face"] > 0.5, labels["occluder"] > 0.5, said["occluder"] > 0.5
    covered = (true & face).any((1, 2))
    both = {k: (v & face)[covered].sum((1, 2)) for k, v in (("and", true & found), ("or", true | found))}
    alarm = (found & face).sum((1, 2)) > 0.01 * face.sum((1, 2))
    share, mine = ((m & face).sum((1, 2)) / face.sum((1, 2)) for m in (true, found))
    return {
        "occluder_iou": float(both["and"].sum() / both["or"].sum()),
        "occluder_iou_mean": float((both["and"] / both["or"]).mean()),
        "occluder_pixel_auc": float(roc_auc_score(true[face], said["occluder"][face])),
        "clean_faces_with_an_alarm": float(alarm[~(labels["occluder"] > 0.1).any((1, 2))].mean()),
        "covered_faces_without_an_alarm": float(1 - alarm[share > 0.05].mean()),
        "covered_share_mean_difference": float(np.abs(share - mine).mean()),
        "face_iou": float((face & (said["face"] > 0.5)).sum() / (face | (said["face"] > 0.5)).sum()),
    }


def cost(net: nn.Module, size: int, batch: int = 8, rounds: int = 15) -> dict[str, float]:
    """Parameters, multiplications and time of one crop of ``size`` pixels (one thread, float32, best round)."""
    macs, times, threads = 0, [], torch.get_num_threads()

    def count(module: nn.Module, _: tuple, out: Tensor) -> None:
        nonlocal macs
        assert isinstance(module, nn.Conv2d | nn.Linear)
        macs += module.weight.numel() * (out.shape[2] * out.shape[3] if out.ndim == 4 else 1)

    x = torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    torch.set_num_threads(1)
    with torch.inference_mode():
        hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        net(x)
        for hook in hooks:
            hook.remove()
        for _ in range(rounds):
            begun = time.perf_counter()
            net(x)
            times.append(time.perf_counter() - begun)
    torch.set_num_threads(threads)
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "mmac_per_crop": round(macs / 1e6, 1),
        "ms_per_crop_batch8_one_thread": round(1000 * min(times) / batch, 2),
    }
