"""The rows: methods with what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vidinv.errors import UsageError
from vidinv.inversion import METHODS
from vidinv.packs.load import Pack


@dataclass(frozen=True)
class Row:
    title: str
    method: str
    """Of :data:`vidinv.inversion.METHODS`."""
    search: Mapping[str, Any] = field(default_factory=dict)
    """Options that are not the method's own."""
    styles_alone: bool = False
    """F is put aside, and the picture is G(w)."""

    @property
    def searches(self) -> bool:
        return METHODS[self.method].search is not None


I2S = "image2stylegan"
ROWS: dict[str, Row] = {
    "feature-style": Row("Feature-Style encoder, G(w, F)", "feature-style"),
    "feature-style-w": Row("its styles alone, G(w)", "feature-style", styles_alone=True),
    "in-domain-encoder": Row("domain-guided encoder, G(w)", "in-domain-encoder"),
    "in-domain": Row("In-Domain inversion", "in-domain"),
    I2S: Row("Image2StyleGAN, W+ from the mean latent", I2S),
    "image2stylegan-random": Row("Image2StyleGAN, W+ from noise", I2S, {"start": "random"}),
    "image2stylegan-w": Row("Image2StyleGAN, W", I2S, {"space": "w"}),
    "image2stylegan-z": Row("Image2StyleGAN, Z", I2S, {"space": "z"}),
    "image2stylegan-feature": Row("Image2StyleGAN and a feature code", I2S, {"feature": True}),
    "image2stylegan-noise": Row("Image2StyleGAN and noise maps", I2S, {"noise": True}),
}
EDITED = ("feature-style", "in-domain-encoder", "in-domain", I2S)
"""Those whose codes are edited, mixed and tried on what is no upright face."""


def chosen(names: str | None) -> tuple[str, ...]:
    """Rows by their names with commas between; None: all. :raises UsageError: a name that is none."""
    some = tuple(names.split(",")) if names else tuple(ROWS)
    if unknown := [n for n in some if n not in ROWS]:
        raise UsageError(f"--rows: no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    return some


def lacking(pack: Pack, row: Row) -> str | None:
    """Why a pack cannot do a row; None: it can."""
    missing = [n for n in METHODS[row.method].needs if not pack.has(n)]
    if missing:
        return f"the pack has no {missing[0]}"
    if row.search.get("noise") and pack.generator.own_noise() is None:
        return "the pack's generator gives noise no weight"
    return None


def possible(pack: Pack, names: Sequence[str]) -> tuple[str, ...]:
    """Those of ``names`` that a pack can do."""
    return tuple(n for n in names if lacking(pack, ROWS[n]) is None)
