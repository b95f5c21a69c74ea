"""A method with the networks of a pack: what is handed to whoever has pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidinv.bounds import checked
from vidinv.errors import UsageError
from vidinv.inversion import feature_style, image2stylegan, in_domain
from vidinv.inversion.base import Inverted, Method, Networks, SearchOptions
from vidinv.inversion.perceptual import Perceptual, by_features, by_lpips
from vidinv.models.lpips import load_lpips
from vidinv.models.synthesis import mean_style
from vidinv.packs.load import Pack

DEFAULT_METHOD = "feature-style"
METHODS: dict[str, Method] = {
    DEFAULT_METHOD: feature_style.METHOD,
    "in-domain": in_domain.METHOD,
    "in-domain-encoder": in_domain.ENCODER,
    "image2stylegan": image2stylegan.METHOD,
}


_BOUNDED = {"rate": "search_rate"}  # numbers of a search that have another name among all bounds


@dataclass(frozen=True)
class Inverter:
    """Pictures to codes."""

    name: str
    """Of :data:`METHODS`."""
    method: Method
    networks: Networks
    options: SearchOptions

    @property
    def searches(self) -> bool:
        """It looks for every code, by many steps."""
        return self.method.search is not None

    @property
    def warm(self) -> bool:
        """In video it goes on from the same person's code in the frame before."""
        return self.method.warm

    def __call__(self, pictures: Tensor, start: Inverted | None = None) -> Inverted:
        """:param pictures: [B, 3, S, S] RGB, -1..1. :param start: codes to go on from, of a method that is warm."""
        with torch.inference_mode(not self.searches):
            if self.searches and pictures.is_inference():
                pictures = pictures.clone()  # autograd keeps nothing that was made in inference mode
            return self.method.invert(pictures, self.networks, self.options, start)

    @property
    def forgets(self) -> bool:
        """F of its codes cannot be computed again: it was searched for."""
        return self.searches and self.options.feature

    def features(self, pictures: Tensor, w: Tensor, noise: Tensor | None = None) -> Tensor:
        """F [B, C, h, h] of pictures once more, from w [B, L, D] and noise maps [B, M] that this made of them.

        The bits are the same in the same batches. Not where it :attr:`forgets`.
        """
        with torch.inference_mode(not self.searches), torch.no_grad():
            return self.method.features(pictures, w, noise, self.networks)

    def described(self) -> dict[str, Any]:
        """What codes depend on besides the pictures and the pack, as plain values."""
        told: dict[str, Any] = {"method": self.name}
        if self.searches:
            told |= {f.name: getattr(self.options, f.name) for f in fields(self.options)}
            told["perceptual_network"] = self.networks.perceptual.name if self.networks.perceptual else None
        return told


def search_options(name: str, search: Mapping[str, Any] | None = None) -> SearchOptions:
    """A method's own options, and what of them is wanted otherwise: {"steps": 500, "space": "w"}.

    :raises UsageError: no such method, or options that are not for it.
    """
    if name not in METHODS:
        raise UsageError(f"no inversion method called {name!r}; there are {', '.join(METHODS)}")
    method, wanted = METHODS[name], dict(search or {})
    if method.search is None:
        if wanted:
            others = ", ".join(other for other, one in METHODS.items() if one.search)
            raise UsageError(f"{name} does not search, so it takes no {', '.join(wanted)}; those that do are {others}")
        return SearchOptions()
    known = [f.name for f in fields(SearchOptions)]
    if unknown := sorted(wanted.keys() - set(known)):
        raise UsageError(f"no search option {unknown[0]!r}; there are {', '.join(known)}")
    options = replace(method.search, **wanted)
    for what, value, of in (("space", options.space, method.spaces), ("start", options.start, method.starts)):
        if value not in of:
            raise UsageError(f"{name} knows no {what} {value!r}; it takes {', '.join(of)}")
    _check_numbers(options)
    if options.domain and "domain_encoder" not in method.needs:
        raise UsageError(f"{name} asks no domain encoder, so that domain has no meaning; in-domain does")
    if options.warm_steps != method.search.warm_steps and not method.warm:
        raise UsageError(f"{name} begins every frame anew, so that warm_steps has no meaning; leave it out")
    if options.seed != method.search.seed and options.start != "random":
        raise UsageError("a seed is of a random start; ask for start random too, or leave the seed out")
    return options


def _check_numbers(options: SearchOptions) -> None:
    """:raises UsageError: one of another type, or out of range."""
    for f in fields(options):
        value = getattr(options, f.name)
        if f.type in ("int", "float"):
            checked(_BOUNDED.get(f.name, f.name if f.type == "int" else "weight"), value, f.name)
        if f.type == "bool" and not isinstance(value, bool):
            raise UsageError(f"{f.name} must be True or False, not {value!r}")


def inverter_of(pack: Pack, described: Mapping[str, Any]) -> Inverter:
    """The method that made codes, as far as :meth:`Inverter.features` needs it.

    :param described: what :meth:`Inverter.described` said.
    :raises UsageError: this version does not know it. :raises DamagedPack: as :func:`make_inverter`.
    """
    told = dict(described)
    name = str(told.pop("method", None))
    told.pop("perceptual_network", None)
    # Nothing is searched for, so nothing is compared.
    return make_inverter(pack, name, search_options(name, told | {"perceptual": 0.0} if told else told))


def make_inverter(
    pack: Pack, name: str = DEFAULT_METHOD, options: SearchOptions | None = None, lpips: str | Path | None = None
) -> Inverter:
    """A method with its networks out of a pack.

    :param options: from :func:`search_options`; None: the method's own.
    :param lpips: weights of LPIPS' trunk, for the perceptual term; None: the features of the pack's encoder.
    :raises UsageError: no such method, or noise maps for a generator without. :raises DamagedPack: the pack lacks a
        network that the method needs.
    """
    options = options or search_options(name)
    method = METHODS[name]
    if options.noise and pack.generator.own_noise() is None:
        raise UsageError(f"the generator of pack {pack.name} gives noise no weight; look for a code without noise maps")
    networks = Networks(
        pack.generator,
        _mean_latent(pack),
        pack.encoder if "encoder" in method.needs else None,
        pack.domain_encoder if "domain_encoder" in method.needs else None,
        _perceptual(pack, lpips) if method.search and options.perceptual else None,
    )
    return Inverter(name, method, networks, options)


def _perceptual(pack: Pack, lpips: str | Path | None) -> Perceptual:
    if lpips is not None:
        return by_lpips(load_lpips(lpips, pack.device))
    if not pack.has("encoder"):
        raise UsageError(
            f"pack {pack.name} has no encoder to compare pictures by; give weights of LPIPS' trunk (--lpips)"
        )
    return by_features(pack.encoder, f"encoder of {pack.name}")


def _mean_latent(pack: Pack) -> Tensor:
    """[L, D]: the encoder's, which is of faces; else that of the mapping."""
    if pack.has("encoder"):
        return pack.encoder.mean_latent
    return mean_style(pack.generator).expand(pack.generator.config.layers, -1)
