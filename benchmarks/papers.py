"""What the papers publish beside what is measured here, a short table for each: Markdown for docs/papers.md.

The whole tables are those of benchmarks.inversion, ravdess, disentanglement and driving, out of the same results.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.disentanglement.report import PUBLISHED as SPACES
from benchmarks.driving.report import PUBLISHED as DRIVEN
from benchmarks.inversion.published import CELEBA_HQ, IN_DOMAIN
from benchmarks.output import RESULTS
from benchmarks.ravdess.report import DIGITS, PUBLISHED_SCALE
from benchmarks.ravdess.report import PUBLISHED as RAVDESS

KEYS = tuple(DIGITS)


def result(name: str) -> Any:
    return json.loads((RESULTS / name).read_text())


def rows(*cells: tuple[object, ...]) -> list[str]:
    """The first is the heading."""
    lines = [f"| {' | '.join(str(c) for c in row)} |" for row in cells]
    return [lines[0], "|" + " --- |" * len(cells[0]), *lines[1:]]


def cells(figures: dict[str, float]) -> list[str]:
    """SSIM, PSNR, MSE (of pictures in -1..1, as published), LPIPS, identity."""
    return [f"{figures[k] * PUBLISHED_SCALE.get(k, 1):.{DIGITS[k]}f}" for k in KEYS]


def published(values: tuple[float, ...]) -> list[str]:
    return [f"{v:.{DIGITS[k]}f}" for k, v in zip(KEYS, values, strict=False)]


def feature_style() -> list[str]:
    images, videos = result("inversion/results.json"), result("ravdess/results.json")
    faces, size = images["setup"]["faces"], images["setup"]["resolution"]
    means = videos["means"]
    return rows(
        ("Feature-Style encoder", "of", "SSIM", "PSNR", "MSE", "LPIPS", "identity"),
        ("the paper, pictures", "1000 faces, 1024 px", *published(CELEBA_HQ["FSE"])),
        ("here, pictures", f"{faces} faces, {size} px", *cells(images["rows"]["feature-style"]["figures"])),
        ("the paper, RAVDESS", "120 videos, 1024 px", *published(RAVDESS["FSE"])),
        (
            "here, RAVDESS",
            f"{means['videos']} video, {videos['resolution']} px",
            *cells(means["inversion"]["feature-style"]),
        ),
    )


def image2stylegan() -> list[str]:
    found = result("inversion/results.json")["rows"]
    names = ("image2stylegan", "image2stylegan-random", "image2stylegan-w", "image2stylegan-z")
    told = [(found[n]["title"], f"{found[n]['search']['steps']}", *cells(found[n]["figures"])) for n in names]
    return rows(("here", "steps", "SSIM", "PSNR", "MSE", "LPIPS", "identity"), *told)


def in_domain() -> list[str]:
    found, told = result("inversion/results.json")["rows"], []
    for title, name in (("domain-guided encoder", "in-domain-encoder"), ("In-Domain inversion", "in-domain")):
        seconds, _, mse = IN_DOMAIN[title]
        ours = found[name]["figures"]["mse"] * PUBLISHED_SCALE["mse"]
        told.append(
            (title, f"{seconds:g} s", f"{mse:.3f}", f"{found[name]['seconds']['cpu']:.3g} CPU s", f"{ours:.3f}")
        )
    return rows(("", "the paper: a picture takes", "MSE", "here: a picture takes", "MSE"), *told)


def unfolding() -> list[str]:
    told = []
    for name, space in result("disentanglement.json")["spaces"].items():
        ours = f"{np.mean(space['accuracy']):.3f}", *(f"{space[k]:.2f}" for k in ("disentanglement", "completeness"))
        told.append((name, f"{SPACES[name][2]:.3f}", f"{SPACES[name][3]:.2f}", f"{SPACES[name][4]:.2f}", *ours))
    return rows(("", "the paper: mean accuracy", "D", "C", "here: mean accuracy", "D", "C"), *told)


def driving() -> list[str]:
    found = result("driving.json")["rows"]
    titles = {"full": "here, the whole method", "moved": "here, `--drive`", "still": "here, not driven"}
    told = [(t, f"{found[n]['hausdorff']:.3f}", f"{found[n]['csim']:.3f}") for n, t in titles.items()]
    return rows(("", "Hausdorff", "CSIM"), ("the paper, 128 px", f"{DRIVEN[2]:.3f}", f"{DRIVEN[3]:.3f}"), *told)


TABLES: dict[str, Callable[[], list[str]]] = {
    "paper feature-style": feature_style,
    "paper image2stylegan": image2stylegan,
    "paper in-domain": in_domain,
    "paper unfolding": unfolding,
    "paper driving": driving,
}
