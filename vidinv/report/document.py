"""The outcome of a run, or of a comparison of two videos, as a document."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vidinv.report.figures import Figure
from vidinv.report.quality import Shown

PAGES = (".html", ".htm")


@dataclass(frozen=True)
class Report:
    """The outcome of one run. Similarities are cosines of the pack's identity network."""

    output: str | None
    edits: list[str]
    frames: int
    faces: int
    persons: list[int]
    identity_similarity: dict[str, float | None]  # inversion, edited: mean cosine to the source's own frame
    identity_consistency: dict[str, Any]  # source, inversion, edited: Eq. 9; and the same under "persons"
    local_identity: float | None  # TL-ID
    attributes: dict[str, dict[str, float]]  # name -> source, edited, change: mean scores of the attribute network
    stages: dict[str, dict[str, float]]  # name -> seconds, items
    seconds: float
    pack: dict[str, str]  # name, hash
    warnings: list[str]
    damaged: bool  # the input was; what decodes was edited
    frames_lost: int  # of a damaged input
    series: list[dict[str, Any]]  # one entry per edited face and frame
    source: str | None = None  # the video that was edited
    untrusted: list[dict[str, Any]] = field(default_factory=list)  # spans of frames: see vidinv.report.doubts
    covered: list[dict[str, Any]] = field(default_factory=list)  # spans in which something lies over a face: see there
    quality: dict[str, Figure] = field(default_factory=dict)  # by name; empty unless a full report was asked for
    networks: dict[str, str] = field(default_factory=dict)  # what measured: identity, attributes, landmarks, LPIPS
    unmeasured: dict[str, str] = field(default_factory=dict)  # network -> why its figures are null
    strip: list[Shown] = field(default_factory=list)  # pictures for the page; no part of the JSON

    def as_dict(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "strip"}

    def write(self, path: str | Path) -> None:
        """Write a page (.html) or JSON (any other name), whole or not at all.

        :raises MissingExtra: a page without the packages of the extra "report".
        """
        path = Path(path)
        if path.suffix.lower() in PAGES:
            from vidinv.report.page import render  # late: plots take seconds to import

            text = render(self)
        else:
            text = json.dumps(self.as_dict(), indent=1, allow_nan=False) + "\n"
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
