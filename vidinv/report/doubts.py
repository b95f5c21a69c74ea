"""The frames that are not trusted, as spans of time."""

from __future__ import annotations

from typing import Any

MEANINGS = {
    "missed": "the detector did not see the face",
    "pose": "the head is turned further than the networks know faces",
    "occlusion": "something passes before the face, or it moves too fast to be followed",
    "identity": "the face does not look like its person",
}


def untrusted(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of neighbouring frames with a doubt, or in which the edit is held back, per person.

    :return: person, first and last frame, start and end (seconds), reasons, least trust, and what was done.
    """
    spans: list[dict[str, Any]] = []
    open_spans: dict[int, dict[str, Any]] = {}
    for entry in series:
        person, trust = entry["person"], entry.get("trust", 1.0)
        if not entry.get("doubts") and trust >= 1:
            continue
        span = open_spans.get(person)
        if span is None or entry["frame"] > span["last"] + 1:
            span = open_spans[person] = {
                "person": person,
                "first": entry["frame"],
                "last": entry["frame"],
                "start": entry["time"],
                "end": entry["time"],
                "reasons": [],
                "trust": 1.0,
            }
            spans.append(span)
        span["last"], span["end"], span["trust"] = entry["frame"], entry["time"], min(span["trust"], trust)
        span["reasons"] += [d for d in entry.get("doubts", []) if d not in span["reasons"]]
    for span in spans:
        if span["trust"] >= 1:
            span["done"] = "marked; too short to hold the edit back"
        elif span["trust"] > 0:
            span["done"] = "the edit is weakened"
        else:
            span["done"] = "the source is kept; the edit fades at the ends"
    return spans
