"""From tallies to the figures of a report, each with its unit, its goal, and the reason where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vidinv.metrics.sync import av_drift
from vidinv.report.outcome import unit_of
from vidinv.report.quality import Instruments, Quality
from vidinv.report.running import Running, finite
from vidinv.report.tally import PersonTally, Tally, global_identity, summarise_identity
from vidinv.video.spans import Spans

NO_INVERSION = "no inversion in a comparison of two videos"
NOBODY = "nobody was edited"


@dataclass(frozen=True)
class Figure:
    """A number, with what it means."""

    value: float | None
    source: float | None  # the source's own value
    unit: str
    goal: str
    reason: str | None  # why there is no value


def figure(value: float | None, unit: str, goal: str, *, source: float | None = None, reason: str = "") -> Figure:
    """``reason`` says why there is no value; it is dropped where there is one."""
    value = finite(value)
    return Figure(value, finite(source), unit, goal, None if value is not None else reason or "too few frames")


def reconstruction(quality: Quality, tools: Instruments, inverted: bool) -> dict[str, Figure]:
    """The inversion against the crop, both at the pack's resolution."""
    missing = dict(quality.missing)
    if tools.lpips is None:
        missing["lpips"] = "no weights of LPIPS' trunk were given (--lpips FILE)"
    trunk = f"LPIPS-{tools.lpips.trunk}, " if tools.lpips else ""
    rows = {"psnr": ("dB", "higher"), "ssim": ("", "1"), "ms_ssim": ("", "1"), "mse": ("0..1 squared", "0")}
    rows["lpips"] = (f"{trunk}v0.1", "0")
    empty = NOBODY if inverted else NO_INVERSION
    return {n: figure(_mean(quality, n), *row, reason=missing.get(n, empty)) for n, row in rows.items()}


def identity(persons: Mapping[int, PersonTally], network: str, reason: str = NOBODY) -> dict[str, Figure]:
    """Similarities are cosines of the named network's embeddings; ``reason`` says why there are none."""
    alike, held, local = summarise_identity(persons)
    return {
        "csim": figure(alike["edited"], f"cosine, {network}", "1", reason=reason),
        "identity_consistency": figure(
            held["edited"], f"cosine, {network}", "the source's", source=held["source"], reason=reason
        ),
        "tl_id": figure(local, "ratio", "1", reason="" if persons else reason),
        "tg_id": figure(global_identity(persons), "ratio", "1", reason="" if persons else reason),
    }


def over_time(quality: Quality, tally: Tally, no_points: str = "") -> dict[str, Figure]:
    """What flickers, shakes, stands still or drifts.

    :param no_points: why there are no landmarks, where there are none.
    """
    moved = [m for m in quality.motion.values() if m.count > 2]
    kept = [m.kept for m in moved if m.kept is not None]
    rows = {
        "warping_error": figure(
            _mean(quality, "warping/edited"), "0..1 squared", "the source's", source=_mean(quality, "warping/source")
        ),
        "warping_error_faces": figure(
            _mean(quality, "warping_faces/edited"),
            "0..1 squared",
            "the source's",
            source=_mean(quality, "warping_faces/source"),
        ),
        "landmark_jitter": figure(
            _mean(quality, "jitter/edited"),
            "% of the eyes' distance",
            "the source's",
            source=_mean(quality, "jitter/source"),
            reason=no_points,
        ),
        "motion_kept": figure(float(np.mean(kept)) if kept else None, "ratio", "1", reason=no_points),
        "hausdorff": figure(
            _mean(quality, "hausdorff"), "eyes' distances", "0 for edits that move nothing", reason=no_points or NOBODY
        ),
        "seam_flicker": figure(_mean(quality, "seam"), "levels of 255", "0"),
        "outside_difference": figure(
            _mean(quality, "outside"), "levels of 255", "0", reason="the face fills the picture"
        ),
    }
    for name, persons in _by_attribute(tally).items():
        unit = unit_of(name)
        total = sum(r.count for r in persons)
        deviations = [(r.count, r.deviation) for r in persons if r.deviation is not None]
        value = sum(n * d for n, d in deviations) / total if deviations else None
        rows[f"steadiness_{name}"] = figure(value, f"{unit}, deviation over time", "0")
    return rows


def sound(source: Spans | None, output: Spans | None) -> dict[str, Figure]:
    """A/V drift from start to end, and what the sound was moved by at the start."""
    unit = "ms"
    if source is None or output is None:
        missing = "one of the files cannot be read"
    elif (moved := av_drift(source, output)) is not None:
        start, end = (1000 * m for m in moved)
        return {"av_shift": figure(start, unit, "0"), "av_drift": figure(end - start, unit, "0")}
    else:
        missing = "no sound in one of the files"
    return {n: figure(None, unit, "0", reason=missing) for n in ("av_shift", "av_drift")}


def _mean(quality: Quality, name: str) -> float | None:
    return quality.figures[name].mean if name in quality.figures else None


def _by_attribute(tally: Tally) -> dict[str, list[Running]]:
    found: dict[str, list[Running]] = {}
    for (name, _), running in sorted(tally.changes.items()):
        found.setdefault(name, []).append(running)
    return found
