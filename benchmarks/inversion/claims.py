"""What the papers say of the methods' order, and whether our figures say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Rows = Mapping[str, Mapping[str, float]]
I2S = "image2stylegan"


@dataclass(frozen=True)
class Claim:
    said: str
    found: str
    holds: bool


def claims(result: Mapping[str, Any]) -> list[Claim]:
    """Of all papers, as far as their rows were measured."""
    rows = {n: r["figures"] | {"cpu": r["seconds"]["cpu"]} for n, r in result["rows"].items() if "figures" in r}
    return [
        claim
        for make in (_distortion, _feature, _in_domain, _spaces, _editing, _between)
        for claim in make(rows, result)
    ]


def _better(a: Mapping[str, float], b: Mapping[str, float]) -> bool:
    """Nearer by PSNR and by LPIPS, where that was measured."""
    return a["psnr"] > b["psnr"] and (a.get("lpips") is None or a["lpips"] < b["lpips"])


def _told(rows: Rows, *names: str) -> str:
    def one(v: Mapping[str, float]) -> str:
        return f"{v['psnr']:.1f} dB" + ("" if v.get("lpips") is None else f", {v['lpips']:.3f}")

    return "; ".join(f"{name} {one(rows[name])}" for name in names)


def _distortion(rows: Rows, result: Mapping[str, Any]) -> list[Claim]:
    found = []
    for encoder in ("feature-style-w", "in-domain-encoder"):
        if {I2S, encoder} <= rows.keys():
            said = f"optimisation in W+ is nearer than {encoder} (PSNR, LPIPS)"
            found.append(Claim(said, _told(rows, I2S, encoder), _better(rows[I2S], rows[encoder])))
    return found


def _feature(rows: Rows, result: Mapping[str, Any]) -> list[Claim]:
    if not {I2S, "feature-style", "in-domain"} <= rows.keys():
        return []
    mine = rows["feature-style"]
    near = all(_better(mine, rows[other]) for other in (I2S, "in-domain"))
    told = _told(rows, "feature-style", I2S, "in-domain") + f"; {mine['cpu']:.3f} and {rows[I2S]['cpu']:.1f} CPU s"
    return [
        Claim(
            "the feature code is nearer than both, at an encoder's speed", told, near and mine["cpu"] < rows[I2S]["cpu"]
        )
    ]


def _in_domain(rows: Rows, result: Mapping[str, Any]) -> list[Claim]:
    if not {I2S, "in-domain", "in-domain-encoder"} <= rows.keys():
        return []
    mine, encoder, other = rows["in-domain"], rows["in-domain-encoder"], rows[I2S]
    mse = f"MSE {4 * mine['mse']:.3f}, {4 * encoder['mse']:.3f}"
    found = [
        Claim("In-Domain inversion is nearer than its encoder", mse, mine["mse"] < encoder["mse"]),
        Claim(
            "In-Domain inversions lie nearer to real faces as a set than plain optimisation's (FID)",
            f"Fréchet {mine['frechet']:.0f}, {other['frechet']:.0f}",
            mine["frechet"] < other["frechet"],
        ),
    ]
    if "domain" in mine:
        told = f"off the domain by {mine['domain']:.2f}, {other['domain']:.2f}"
        found.append(
            Claim(
                "In-Domain codes stay in the domain, Image2StyleGAN's leave it", told, mine["domain"] < other["domain"]
            )
        )
    return found


def _spaces(rows: Rows, result: Mapping[str, Any]) -> list[Claim]:
    found = []
    for other, said in (
        ("image2stylegan-w", "W+ holds more faces than W"),
        ("image2stylegan-z", "W+ holds more faces than Z"),
        ("image2stylegan-random", "the mean latent is the better start for a face"),
    ):
        if {I2S, other} <= rows.keys():
            found.append(Claim(said, _told(rows, I2S, other), _better(rows[I2S], rows[other])))
    return found


def _editing(rows: Rows, result: Mapping[str, Any]) -> list[Claim]:
    """By the styles alone, since neither paper knows of a feature code."""
    edited = result.get("editing", {}).get("rows", {})
    if not {I2S, "in-domain"} <= edited.keys():
        return []
    part = "by the styles alone"
    at: Callable[[str, str], float] = lambda name, edit: edited[name][part][edit]["at_equal_loss"]  # noqa: E731
    edits = list(edited[I2S][part])
    told = "; ".join(f"{edit} {at('in-domain', edit):.2f}, {at(I2S, edit):.2f} sd" for edit in edits)
    said = "In-Domain codes are easier to edit than Image2StyleGAN's (change at equal loss of identity)"
    return [Claim(said, told, all(at("in-domain", edit) > at(I2S, edit) for edit in edits))]


def _between(rows: Rows, result: Mapping[str, Any]) -> list[Claim]:
    paths = result.get("meaning", {}).get("interpolation", {}).get("rows", {})
    if not {I2S, "in-domain"} <= paths.keys():
        return []
    mine, other = paths["in-domain"], paths[I2S]
    said = "what lies between two In-Domain codes is nearer to real faces than between two of Image2StyleGAN's"
    found = f"Fréchet of middles {mine['frechet']:.0f}, {other['frechet']:.0f}"
    return [Claim(said, found, mine["frechet"] < other["frechet"])]
