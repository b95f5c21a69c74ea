"""What pictures are measured by, and what it is called: without its network's name a figure means nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.generator.measure import BATCH, in_batches, named_features
from benchmarks.inversion.subjects import Subjects
from vidinv.metrics import reconstruction
from vidinv.metrics.frechet import frechet_distance
from vidinv.metrics.sliced_wasserstein import sliced_wasserstein
from vidinv.models.lpips import load_lpips
from vidinv.packs.load import Pack
from vidinv.training.frechet import squeeze_features
from vidinv.training.losses import identity_embedding, identity_grids
from vidinv.training.teachers import Teachers

PIXELS = {"ssim": reconstruction.ssim, "psnr": reconstruction.psnr, "mse": reconstruction.mse}  # on a scale of 0..1
Figures = dict[str, float | None]


@dataclass(frozen=True)
class Rulers:
    """The networks at hand."""

    pack: Pack
    nets: Teachers | None
    lpips: Callable[[Tensor, Tensor], Tensor] | None
    """Two batches in -1..1 to their distances [B]."""
    features: Callable[[Tensor], NDArray]
    """[N, 3, S, S] in -1..1 to [N, D]."""
    names: dict[str, str | None]

    @torch.inference_mode()
    def identities(self, pictures: Tensor, where: Subjects) -> dict[str, Tensor]:
        """Unit embeddings of pictures in -1..1, by the outside network and by the pack's own.

        :param where: the pictures that they were made of.
        """
        found = {}
        if self.nets is not None and where.points68 is not None:
            grids = identity_grids(self.nets, where.points68, pictures.shape[-1])
            parts = zip(pictures.split(BATCH), grids.split(BATCH), strict=True)
            found["identity"] = torch.cat([identity_embedding(self.nets, *part) for part in parts])
        if self.pack.has("identity"):
            found["identity_pack"] = in_batches(lambda x: self.pack.identity(x).float(), pictures)
        return found

    @torch.inference_mode()
    def pairs(self, made: Tensor, of: Subjects) -> dict[str, Tensor]:
        """Every figure of every pair [N], of pictures in -1..1. MSE is on a scale of 0..1."""
        rows: dict[str, list[Tensor]] = {}
        for a, b in zip(made.split(BATCH), of.pictures.split(BATCH), strict=True):
            for name, measure in PIXELS.items():
                rows.setdefault(name, []).append(measure((a + 1) / 2, (b + 1) / 2))
            if self.lpips is not None:
                rows.setdefault("lpips", []).append(self.lpips(a, b).flatten())
        figures = {name: torch.cat(parts) for name, parts in rows.items()}
        mine, theirs = self.identities(made, of), self.identities(of.pictures, of)
        return figures | {name: (mine[name] * theirs[name]).sum(1) for name in mine}

    def measured(self, made: Tensor, of: Subjects) -> Figures:
        """Means over the pairs, and the distances of the two sets; None: no network was at hand."""
        figures: Figures = dict.fromkeys(("ssim", "psnr", "mse", "lpips", "identity", "identity_pack"))
        figures |= {name: float(values.double().mean()) for name, values in self.pairs(made, of).items()}
        return figures | self.apart(made, of.pictures)

    def apart(self, made: Tensor, real: Tensor) -> Figures:
        """Fréchet and sliced Wasserstein distance of two sets of pictures."""
        a, b = self.features(made), self.features(real)
        return {"frechet": frechet_distance(a, b), "swd": sliced_wasserstein(a, b)}


def rulers_of(pack: Pack, nets: Teachers | None, lpips: Path | None) -> Rulers:
    """:param lpips: weights of LPIPS' trunk, in place of the labelling networks' own. Raises as load_lpips."""
    identity_pack = pack.label("identity") if pack.has("identity") else None
    names: dict[str, str | None] = {
        "lpips": None,
        "identity": None if nets is None else f"{type(nets.labeller.embed).__name__} of the labelling networks",
        "identity_pack": identity_pack,
    }
    if lpips is None and nets is not None:
        squeeze = nets.labeller.lpips
        where = "last layer of LPIPS-squeeze's trunk, averaged over the picture"
        names |= {"lpips": "LPIPS-squeeze v0.1", "sets": where}
        return Rulers(pack, nets, lambda a, b: squeeze(a, b), lambda x: squeeze_features(nets, x), names)
    given = load_lpips(lpips) if lpips is not None else None
    look, called = named_features(pack, given)
    names |= {"lpips": None if given is None else f"LPIPS-{given.trunk} v0.1", "sets": called}
    distance = None if given is None else lambda a, b: given((a + 1) / 2, (b + 1) / 2)
    features = torch.inference_mode()(lambda x: in_batches(look, x).numpy())
    return Rulers(pack, nets, distance, features, names)
