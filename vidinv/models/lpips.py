"""LPIPS (Zhang et al. 2018): distance in the features of an image classifier, whose weights the user has as a file.

The linear heads lie in the lpips package. The trunks (torchvision's ImageNet weights of AlexNet, VGG-16, SqueezeNet
1.1) do not, and are never downloaded here.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vidinv.errors import InputError, InputMissing
from vidinv.regular import check_header

# What tells the trunks apart: torchvision's name of one tensor, and its shape.
_SIGNS = {
    "squeeze": ("features.3.squeeze.weight", (16, 64, 1, 1)),
    "alex": ("features.0.weight", (64, 3, 11, 11)),
    "vgg": ("features.28.weight", (512, 512, 3, 3)),
}


class Lpips(nn.Module):
    """The distance. ``trunk`` is its network's name, without which a figure means nothing."""

    def __init__(self, trunk: str, state: dict[str, Tensor]) -> None:
        super().__init__()
        import lpips

        self.trunk = trunk
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks torchvision for a model in a way that is going out of use
            self.distance = lpips.LPIPS(net=trunk, pnet_rand=True, verbose=False).eval().requires_grad_(False)
        # The package cuts torchvision's ``features`` into slices but keeps their numbers: slice3.net 5 is features.5.
        wanted = {k: re.sub(r"^slice\d+\.", "features.", k) for k in self.distance.net.state_dict()}
        self.distance.net.load_state_dict({k: state[v].float() for k, v in wanted.items()})

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """:param a: [N, 3, H, W] RGB on a scale of 0..1. :param b: likewise. :return: [N] float64; 0 when equal.

        Gradients pass to both, for methods that optimise.
        """
        return self.distance(a.float(), b.float(), normalize=True).reshape(-1).double()


def load_lpips(weights: str | Path, device: str = "cpu") -> Lpips:
    """LPIPS v0.1 on the trunk in ``weights``: torchvision's state dict as .pth (tensors only) or .safetensors.

    :raises InputMissing: no such file. :raises InputError: it holds no trunk that LPIPS knows.
    """
    weights = Path(weights)
    if not weights.is_file():
        raise InputMissing(f"{weights} does not exist; give the weights file of LPIPS' trunk")
    try:
        if weights.suffix == ".safetensors":
            check_header(weights)
            state = load_file(weights)
        else:
            state = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception as error:  # what a file that is something else makes the two loaders raise has no common base
        reason = str(error).partition("\n")[0][:120]
        raise InputError(f"{weights} cannot be read as weights ({reason}); save a state dict of tensors") from None
    for trunk, (key, shape) in _SIGNS.items():
        if isinstance(state, dict) and key in state and tuple(state[key].shape) == shape:
            try:
                return Lpips(trunk, state).to(device)
            except (KeyError, RuntimeError) as error:
                raise InputError(f"{weights} is no whole {trunk} trunk ({str(error)[:120]})") from None
    raise InputError(
        f"{weights} holds no trunk of LPIPS; it takes torchvision's state dict of squeezenet1_1, alexnet or vgg16"
    )
