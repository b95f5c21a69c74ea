"""Ends of streams."""

from __future__ import annotations


def close(stream: object) -> None:
    """Close a generator, or whatever else can be closed; leave anything else alone."""
    closing = getattr(stream, "close", None)
    if closing is not None:
        closing()
