"""What a domain-guided encoder is measured by: its reconstructions, and how well it knows its own codes again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vidinv.models.style_encoder import StyleEncoder
from vidinv.training.adversarial import AnyGenerator
from vidinv.training.losses import identity_distance
from vidinv.training.teachers import Teachers

BATCH = 32


@torch.inference_mode()
def styled(generator: AnyGenerator, to_styles: Callable[[Tensor], Tensor], pictures: Tensor) -> tuple[Tensor, Tensor]:
    """w [N, L, D] and G(w) [N, 3, S, S] in -1..1 of pictures [N, 3, S, S]."""
    codes = [to_styles(x) for x in pictures.split(BATCH)]
    made = [generator(w).float().clamp(-1, 1) for w in codes]
    return torch.cat(codes), torch.cat(made)


@torch.inference_mode()
def style_figures(
    encoder: StyleEncoder, teachers: Teachers, w: Tensor, made: Tensor, pictures: Tensor, grids: Tensor
) -> dict[str, float]:
    """PSNR (dB), LPIPS-squeeze and identity (cosine) of G(w), and how far from the domain w is.

    ``domain`` is |w - E(G(w))| / |w - mean|, norms over all layers: what the encoder thinks of the picture that a code
    gives, in units of the code's own distance to the mean of all codes (the term that Zhu et al. 2020, Eq. 5, adds to
    an optimisation).

    :param encoder: E. :param w: [N, L, D], of any encoder; ``made`` is G(w). :param grids: identity grids, [N, 2, 3].
    """
    sums: dict[str, list[Tensor]] = {}
    for part in torch.arange(len(pictures)).split(BATCH):
        x, y, code = pictures[part], made[part], w[part]
        again = encoder(y)
        found = {
            "psnr": -10 * ((y - x) / 2).square().mean((1, 2, 3)).log10(),
            "lpips": teachers.labeller.lpips(y, x).flatten(),
            "identity": 1 - identity_distance(teachers, y, x, grids[part]),
            "domain": (code - again).flatten(1).norm(dim=1) / (code - encoder.mean_latent).flatten(1).norm(dim=1),
        }
        for name, values in found.items():
            sums.setdefault(name, []).append(values.float().cpu())
    return {name: float(torch.cat(values).mean()) for name, values in sums.items()}
