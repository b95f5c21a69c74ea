"""How the plots of this benchmark look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vidinv.errors import MissingExtra


def figure_of(rows: int, columns: int) -> tuple[Any, Any]:
    """A figure and its panels, [rows, columns]. :raises MissingExtra: matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra('plots need matplotlib, which is not installed; pip install "vidinv[report]"') from None
    figure = Figure(figsize=(4.6 * columns, 0.6 + 2.6 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def finish(axes: Any) -> None:
    for panel in np.ravel(axes):
        panel.grid(axis="y", alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)


def save(figure: Any, axes: Any, path: Path) -> Path:
    """With one legend below all panels."""
    labels = {
        label: line for panel in np.ravel(axes) for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path
