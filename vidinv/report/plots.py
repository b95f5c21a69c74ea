"""The report's plots, as SVG to be put into a page."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vidinv.report.doubts import OCCLUDED, Untrusted
from vidinv.types import Score

COLOURS = {"inversion": "#8a8f98", "edited": "#c2410c", "source": "#2563eb", "occluded": "#a855f7"}
DOUBTS = {"missed": "#94a3b8", "pose": "#f59e0b", "occlusion": "#a855f7", "identity": "#ef4444"}
PERSONS = 8
POINTS = 800  # per line: more cannot be told apart on a screen


def identity(series: list[Score], spans: list[Untrusted]) -> str:
    """Cosine to the source's own frame over time, a panel per person; the frames not trusted are shaded.

    Where something lies over the face there is a line for its share too.

    Of a crowd only the ``PERSONS`` who are seen longest have a panel.
    """
    persons = sorted(p for p, _ in Counter(s.person for s in series).most_common(PERSONS))
    figure = Figure(figsize=(5.2, 0.6 + 1.7 * len(persons)), layout="constrained")
    panels = figure.subplots(len(persons), 1, sharex=True, squeeze=False)[:, 0].tolist()
    for person, axes in zip(persons, panels, strict=True):
        own = [s for s in series if s.person == person]
        for view in ("inversion", "edited"):
            values = [getattr(s, view) for s in own]
            if any(v is not None for v in values):
                _line(axes, own, values, view)
        shares = [s.occluded_share or 0.0 for s in own]
        if max(shares) >= OCCLUDED:
            _line(axes, own, shares, "occluded")
        _shade(axes, [span for span in spans if span.person == person], own)
        axes.set_ylim(min([0.0, *(s.edited for s in own if s.edited is not None)]), 1.02)
        axes.set_ylabel(f"person {person}" if len(persons) > 1 else "cosine")
    _finish(panels)
    panels[-1].set_xlabel("seconds")
    return _svg(figure, "identity")


def amount(series: list[Score]) -> str:
    """Steps of all edits that act over time, a line per person; of a crowd as in :func:`identity`."""
    persons = sorted(p for p, _ in Counter(s.person for s in series).most_common(PERSONS))
    figure = Figure(figsize=(5.2, 1.9), layout="constrained")
    axes = figure.subplots()
    for person in persons:
        own = [s for s in series if s.person == person]
        label = f"person {person}" if len(persons) > 1 else None
        _line(axes, own, [s.amount for s in own], "edited", label, f"C{person % 10}" if len(persons) > 1 else None)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("steps")
    axes.set_xlabel("seconds")
    _finish([axes])
    return _svg(figure, "amount")


def attribute(series: list[Score], name: str, unit: str) -> str:
    """An attribute's score over time, before and after; one pair of lines per person."""
    figure = Figure(figsize=(5.2, 2.3), layout="constrained")
    axes = figure.subplots()
    read = [s for s in series if name in s.attributes]
    for i, person in enumerate(sorted({s.person for s in read})):
        own = [s for s in read if s.person == person]
        for k, view in enumerate(("source", "edited")):
            _line(axes, own, [s.attributes[name][k] for s in own], view, label=view if i == 0 else None)
    axes.set_ylabel(unit)
    axes.set_xlabel("seconds")
    _finish([axes])
    return _svg(figure, name)


def stages(times: Mapping[str, Mapping[str, float]]) -> str:
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


def _time(score: Score) -> float:
    return score.frame if score.time is None else score.time


def _line(
    axes: Axes,
    scores: Sequence[Score],
    values: Sequence[float | None],
    view: str,
    label: str | None = "",
    colour: str | None = None,
) -> None:
    """With gaps where frames are missing."""
    step = max(1, -(-len(scores) // POINTS))
    usual = min((b.frame - a.frame for a, b in pairwise(scores)), default=1)
    # Frames of one run count up together with their place in the list.
    runs = [list(run) for _, run in groupby(enumerate(scores), lambda at: at[1].frame - usual * at[0])]
    for i, run in enumerate(runs):
        places = [at for at, _ in run][::step]
        name = (view if label == "" else label) if i == 0 else None
        heights = np.array([values[at] for at in places], float)  # None becomes NaN, which is not drawn
        mark = "." if len(places) == 1 else None
        times, shade = [_time(scores[at]) for at in places], colour or COLOURS[view]
        axes.plot(times, heights, color=shade, linewidth=1.2, label=name, marker=mark)


def _shade(axes: Axes, spans: list[Untrusted], own: list[Score]) -> None:
    times = {s.frame: _time(s) for s in own}
    # The usual one: who is away for long has a gap in between.
    step = float(np.median([_time(b) - _time(a) for a, b in pairwise(own)])) if len(own) > 1 else 0.0
    for span in spans:
        for reason in span.reasons or ("weakened",):
            label = reason if reason in DOUBTS else None
            ends = times[span.first] - step / 2, times[span.last] + step / 2
            axes.axvspan(*ends, color=DOUBTS.get(reason, "#94a3b8"), alpha=0.25, linewidth=0, label=label)


def _finish(panels: list[Axes]) -> None:
    for axes in panels:
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        if found:
            axes.legend(found.values(), found.keys(), fontsize=8, ncols=3, frameon=False, loc="lower left")


def _svg(figure: Figure, salt: str) -> str:
    """The element alone. Text stays text; the salt keeps the names of two plots on one page apart."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": 9}):
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
