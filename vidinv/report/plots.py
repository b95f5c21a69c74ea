"""The report's plots, as SVG to be put into a page."""

from __future__ import annotations

import io
from collections import Counter
from itertools import groupby, pairwise
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vidinv.report.doubts import COVERED

COLOURS = {"inversion": "#8a8f98", "edited": "#c2410c", "source": "#2563eb", "covered": "#a855f7"}
DOUBTS = {"missed": "#94a3b8", "pose": "#f59e0b", "occlusion": "#a855f7", "identity": "#ef4444"}
PERSONS = 8
POINTS = 800  # per line: more cannot be told apart on a screen
Entry = dict[str, Any]


def identity(series: list[Entry], spans: list[dict[str, Any]]) -> str:
    """Cosine to the source's own frame over time, a panel per person; the frames not trusted are shaded.

    Where something covers the face there is a line for the covered share too.

    Of a crowd only the ``PERSONS`` who are seen longest have a panel.
    """
    persons = sorted(p for p, _ in Counter(e["person"] for e in series).most_common(PERSONS))
    figure = Figure(figsize=(5.2, 0.6 + 1.7 * len(persons)), layout="constrained")
    panels = figure.subplots(len(persons), 1, sharex=True, squeeze=False)[:, 0]
    for person, axes in zip(persons, panels, strict=True):
        own = [e for e in series if e["person"] == person]
        for view in ("inversion", "edited"):
            if any(view in e for e in own):
                _line(axes, own, [e.get(view) for e in own], view)
        if any(e.get("covered", 0) >= COVERED for e in own):
            _line(axes, own, [e.get("covered", 0.0) for e in own], "covered")
        _shade(axes, [s for s in spans if s["person"] == person], own)
        axes.set_ylim(min([0.0, *(e["edited"] for e in own if "edited" in e)]), 1.02)
        axes.set_ylabel(f"person {person}" if len(persons) > 1 else "cosine")
    _finish(panels)
    panels[-1].set_xlabel("seconds")
    return _svg(figure, "identity")


def attribute(series: list[Entry], name: str, unit: str) -> str:
    """An attribute's score over time, before and after; one pair of lines per person."""
    figure = Figure(figsize=(5.2, 2.3), layout="constrained")
    axes = figure.subplots()
    read = [e for e in series if name in e.get("attributes", {})]
    for i, person in enumerate(sorted({e["person"] for e in read})):
        own = [e for e in read if e["person"] == person]
        for k, view in enumerate(("source", "edited")):
            _line(axes, own, [e["attributes"][name][k] for e in own], view, label=view if i == 0 else None)
    axes.set_ylabel(unit)
    axes.set_xlabel("seconds")
    _finish([axes])
    return _svg(figure, name)


def stages(times: dict[str, dict[str, float]]) -> str:
    """Where the time went, seconds per stage."""
    figure = Figure(figsize=(5.2, 0.7 + 0.22 * len(times)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(times), [t["seconds"] for t in times.values()], color=COLOURS["source"])
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("seconds")
    axes.spines[["top", "right"]].set_visible(False)
    return _svg(figure, "stages")


def _time(entry: Entry) -> float:
    return entry["frame"] if entry["time"] is None else entry["time"]


def _line(axes: Axes, entries: list[Entry], values: list[float], view: str, label: str | None = "") -> None:
    """With gaps where frames are missing."""
    step = max(1, -(-len(entries) // POINTS))
    usual = min((b["frame"] - a["frame"] for a, b in pairwise(entries)), default=1)
    kept = list(enumerate(entries))
    # Frames of one run count up together with their place in the list.
    runs = [list(run) for _, run in groupby(kept, lambda at: at[1]["frame"] - usual * at[0])]
    for i, run in enumerate(runs):
        places = [at for at, _ in run][::step]
        name = (view if label == "" else label) if i == 0 else None
        line = [_time(entries[at]) for at in places], [values[at] for at in places]
        axes.plot(*line, color=COLOURS[view], linewidth=1.2, label=name, marker="." if len(places) == 1 else None)


def _shade(axes: Axes, spans: list[dict[str, Any]], own: list[Entry]) -> None:
    times = {e["frame"]: _time(e) for e in own}
    step = (max(times.values()) - min(times.values())) / max(len(own) - 1, 1)
    for span in spans:
        for reason in span["reasons"] or [None]:
            ends = times[span["first"]] - step / 2, times[span["last"]] + step / 2
            axes.axvspan(*ends, color=DOUBTS.get(reason, "#94a3b8"), alpha=0.25, linewidth=0, label=reason)


def _finish(panels: list[Axes]) -> None:
    for axes in panels:
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(found.values(), found.keys(), fontsize=8, ncols=3, frameon=False, loc="lower left")


def _svg(figure: Figure, salt: str) -> str:
    """The element alone. Text stays text; the salt keeps the names of two plots on one page apart."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": 9}):
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
