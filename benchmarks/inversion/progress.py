"""Quality over time: what a search has reached after some steps, beside what encoders say at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.inversion.bench import Bench
from benchmarks.inversion.codes import to_device
from benchmarks.inversion.plots import figure_of, finish, save
from benchmarks.inversion.rows import I2S, ROWS
from vidinv.inversion import Inverted, Inverter
from vidinv.inversion.image2stylegan import begin_at
from vidinv.inversion.search import code_of, point_at, search

CURVES = (I2S, "image2stylegan-random", "image2stylegan-w", "image2stylegan-feature", "in-domain")
POINTS = ("feature-style", "feature-style-w", "in-domain-encoder")
MARKS = (1, 2, 5, 10, 20, 35, 50, 70, 100, 140, 200, 300, 500, 1000)  # steps after which one looks
PICTURES = 4  # the first of the faces
SHOWN = {"psnr": "PSNR, dB", "lpips": "LPIPS"}


def measure_progress(bench: Bench) -> dict[str, Any]:
    """PSNR and LPIPS of the first faces, after steps and CPU seconds per picture."""
    some = bench.faces.first(min(PICTURES, bench.count))
    curves = dict[str, list[dict[str, Any]]]()
    for name in bench.possible(CURVES):
        curves[name] = []
        for steps, seconds, code in _marks(bench, name, to_device(some.pictures, bench.keeper.compute)):
            figures = bench.rulers.pairs(bench.drawn(code), some)
            means = {k: float(figures[k].double().mean()) for k in SHOWN if k in figures}
            curves[name].append({"steps": steps, "cpu_seconds": seconds} | means)
    points = {}
    for name in bench.possible(POINTS):
        kept = bench.kept(name)
        figures = bench.rulers.pairs(bench.drawn(kept.first(len(some.pictures))), some)
        means = {k: float(figures[k].double().mean()) for k in SHOWN if k in figures}
        points[name] = {"cpu_seconds": kept.seconds["cpu"]} | means
    return {"faces": len(some.pictures), "curves": curves, "points": points}


def _marks(bench: Bench, name: str, pictures: torch.Tensor) -> Iterator[tuple[int, float, Inverted]]:
    """Steps, CPU seconds per picture so far (looking is not counted), and the code."""
    invert, compute = bench.keeper.inverter(ROWS[name]), bench.keeper.compute
    options, networks = invert.options, invert.networks
    begun = time.process_time()
    with compute.autocast():
        begin = _begin(invert, pictures)
    spent = time.process_time() - begun
    steps, begun = 0, time.process_time()
    found = search(pictures, networks, options, begin, options.steps)
    while True:
        with compute.autocast():
            at = next(found, None)
        if at is None:
            return
        steps += 1
        if steps in MARKS or steps == options.steps:
            spent += time.process_time() - begun
            yield steps, spent / len(pictures), code_of(at[0], options, networks.generator)
            begun = time.process_time()


def _begin(invert: Inverter, pictures: torch.Tensor):
    networks, options = invert.networks, invert.options
    if networks.domain_encoder is None:
        return begin_at(len(pictures), networks, options)
    with torch.no_grad():
        return point_at(networks.domain_encoder(pictures).float(), networks, options)


def plot(told: dict[str, Any], path: Path) -> Path:
    """Both figures against seconds and against steps. :raises MissingExtra: matplotlib is not installed."""
    shown = [k for k in SHOWN if all(k in row for curve in told["curves"].values() for row in curve)]
    figure, axes = figure_of(len(shown), 2)
    for panels, figure_name in zip(axes, shown, strict=True):
        for number, (name, curve) in enumerate(told["curves"].items()):
            values = [row[figure_name] for row in curve]
            for panel, x in zip(panels, ("cpu_seconds", "steps"), strict=True):
                panel.plot([row[x] for row in curve], values, f"C{number}-", linewidth=1.3, label=ROWS[name].title)
        for number, (name, row) in enumerate(told["points"].items(), len(told["curves"])):
            panels[0].plot(row["cpu_seconds"], row[figure_name], f"C{number}D", label=ROWS[name].title)
            panels[1].axhline(row[figure_name], color=f"C{number}", linewidth=0.9, linestyle=":")
        panels[0].set_ylabel(SHOWN[figure_name])
        panels[0].set_xscale("log")
    for panel, x in zip(axes[-1], ("CPU seconds per picture", "steps"), strict=True):
        panel.set_xlabel(x)
    finish(axes)
    return save(figure, axes, path)
