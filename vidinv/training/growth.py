"""Begin a network with the weights of another: of the same resolution, or of half of it (Karras et al. 2018, growing).

A generator of twice the resolution has one more block on top, an encoder one more stage in front; everything between
means the same in both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidinv.models.feature_style_encoder import FeatureStyleEncoder
from vidinv.models.generator import Generator

Tensors = dict[str, Tensor]


def begin_with(generator: Generator, encoder: FeatureStyleEncoder, g: Tensors, e: Tensors) -> list[str]:
    """Take over what fits of the tensors ``g`` and ``e`` of another generator and encoder.

    :return: names of the tensors that begin anew, because the other has none of that name and size.
    """
    if len(encoder.stages) == _stages(e) + 1:
        g, e = _grown_generator(generator, g), _grown_encoder(encoder, e)
    return [f"{n}.{k}" for n, net, t in (("generator", generator, g), ("encoder", encoder, e)) for k in _take(net, t)]


def _take(network: nn.Module, tensors: Tensors) -> list[str]:
    own = network.state_dict()
    fitting = {k: v for k, v in tensors.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(fitting, strict=False)
    return [k for k in own if k not in fitting]


def _stages(encoder: Tensors) -> int:
    return 1 + max(int(k.split(".")[1]) for k in encoder if k.startswith("stages."))


def _grown_generator(generator: Generator, tensors: Tensors) -> Tensors:
    """With a last RGB projection that adds nothing yet: at first the picture is the smaller one's, enlarged."""
    last = f"to_rgb.{len(generator.to_rgb) - 1}.conv.weight"
    return tensors | {last: generator.state_dict()[last] * 0}


def _grown_encoder(encoder: FeatureStyleEncoder, tensors: Tensors) -> Tensors:
    """Its stages moved up by one, and the last style given to the new layers too."""
    grown = {}
    for name, tensor in tensors.items():
        if name.startswith("stem."):
            continue
        if name.startswith("stages."):
            _, index, rest = name.split(".", 2)
            name = f"stages.{int(index) + 1}.{rest}"
        grown[name] = tensor
    own, layers = encoder.state_dict(), len(tensors["mean_latent"])
    for name in ("mean_latent", "to_style.3.weight", "to_style.3.bias"):
        styles = tensors[name].reshape(layers, -1)
        more = styles[-1:].expand(encoder.config.layers - layers, -1)
        grown[name] = torch.cat([styles, more]).reshape(own[name].shape)
    return grown
