"""The frames that are not trusted, and those in which something covers a face, as spans of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

COVERED = 0.02  # share of a face: less is not told
MEANINGS = {
    "missed": "the detector did not see the face",
    "pose": "the head is turned further than the networks know faces",
    "occlusion": "something hides the face or passes before it, or it moves too fast to be followed",
    "identity": "the face does not look like its person",
}


Entry = dict[str, Any]  # of the report's series


def untrusted(series: list[Entry]) -> list[dict[str, Any]]:
    """Runs of neighbouring frames with a doubt, or in which the edit is held back, per person.

    :return: person, first and last frame, start and end (seconds), reasons, least trust, and what was done.
    """
    spans = []
    for span, entries in _runs(series, lambda e: bool(e.get("doubts")) or e.get("trust", 1.0) < 1):
        reasons = list(dict.fromkeys(d for e in entries for d in e.get("doubts", [])))
        spans.append(span | {"reasons": reasons, "trust": min(e.get("trust", 1.0) for e in entries)})
    for span in spans:
        if span["trust"] >= 1:
            span["done"] = "marked; too short to hold the edit back"
        elif span["trust"] > 0:
            span["done"] = "the edit is weakened"
        else:
            span["done"] = "the source is kept; the edit fades at the ends"
    return spans


def covered(series: list[Entry]) -> list[dict[str, Any]]:
    """Runs of neighbouring frames in which something lies over the face, per person.

    :return: person, first and last frame, start and end (seconds), the largest covered share, and what was done.
    """
    spans = []
    for span, entries in _runs(series, lambda e: e.get("covered", 0) >= COVERED):
        held = sum(e.get("trust", 1.0) == 0 for e in entries)
        done = "the edit goes around it" if held < len(entries) else "the source is kept"
        if 0 < held < len(entries):
            done += f"; in {held} of {len(entries)} frames the source is kept"
        spans.append(span | {"share": max(e["covered"] for e in entries), "done": done})
    return spans


def _runs(series: list[Entry], wanted: Callable[[Entry], bool]) -> list[tuple[dict[str, Any], list[Entry]]]:
    """Spans of neighbouring frames of a person that are all ``wanted``, in the order of their starts."""
    runs: list[list[Entry]] = []
    last: dict[int, list[Entry]] = {}
    for entry in filter(wanted, series):
        run = last.get(entry["person"])
        if run is None or entry["frame"] > run[-1]["frame"] + 1:
            run = last[entry["person"]] = []
            runs.append(run)
        run.append(entry)
    return [
        (
            {
                "person": run[0]["person"],
                "first": run[0]["frame"],
                "last": run[-1]["frame"],
                "start": run[0]["time"],
                "end": run[-1]["time"],
            },
            run,
        )
        for run in runs
    ]
