"""The end of a run: edited frames are looked at once more, written, noted in the journal, and told of in a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import vidinv
from vidinv.edits.curve import Curve
from vidinv.edits.parse import Asked, EditRequest
from vidinv.faces.boxes import BoxesOf, BoxTable
from vidinv.halves import Means, Plan, Stream
from vidinv.inversion.latent_manifest import source_of
from vidinv.journal import Journal, described
from vidinv.report import Report
from vidinv.report.build import build
from vidinv.report.quality import QualityOptions, instruments_of, start
from vidinv.runtime.steps import Latest, Snapshot
from vidinv.runtime.way import Way
from vidinv.stages.encode import EncodeOptions, EncodeState, encode
from vidinv.stages.score import ScoreOptions, Scorers, ScoreState, score
from vidinv.streams import need_faces, not_seen, outputs, wanted_of
from vidinv.types import Progress
from vidinv.video import Damage, Reader
from vidinv.video.marks import MAKER

FEW_LARGE = 2  # large frames that wait for being looked at together
KEYS_SAID = 4  # of a curve, in an output's tag; of one with more the ends and their number


@dataclass(frozen=True)
class Ending:
    """What the end of a run needs beside its frames."""

    src: str | Path
    dst: str | Path
    plan: Plan
    means: Means
    output: EncodeOptions
    quality: QualityOptions | None  # None: identity, attributes and time only
    codes: str | None  # what was rendered, where nothing was inverted
    series: Path | None  # where all rows go if the report holds some of them only; None: nowhere
    begun: float  # when, by time.perf_counter(); earlier by what a run took that this one goes on from
    progress: Callable[[Progress], None]

    def write(
        self, rendered: Stream, reader: Reader, way: Way, journal: Journal, again: Reader | None = None
    ) -> Report:
        """:param again: the second decoder, where there is one.

        :raises VidinvError: see vidinv.errors; then no output is left.
        """
        pack, compute, info, plan = self.means.pack, self.means.compute, reader.info, self.plan
        instruments = instruments_of(pack, compute, self.quality) if self.quality is not None else None
        scorers = Scorers(pack.optional("identity"), pack.optional("attributes"), compute, instruments)
        batch = min(self.means.batch, FEW_LARGE) if info.is_large else self.means.batch
        scoring = partial(score, scorers=scorers, options=ScoreOptions(batch, pack.scores))
        figures = Latest(ScoreState(quality=start(self.quality) if self.quality is not None else None))
        told: list[str] = []
        with journal.believed():
            before: EncodeState = way.states.get("encode", EncodeState())
            written = sum(len(part.pts) for part in before.parts)
        with closing(rendered):
            scored = way.stage("score", scoring, figures.state, rendered, figures)
            finished = need_faces(scored, figures, plan.asked, self.src, pack.crops.kind, plan.people)
            count = Latest(journal.at.faces)
            frames = outputs(finished, journal.rows, count)
            hurt = list[Damage]()
            beside = partial(hurt.append, Damage(0, 0, None))
            encoding = encode(
                frames, self.dst, info, self.output, told.append, journal.folder, before, beside, marked_by(plan.asked)
            )
            with closing(way.watch.measure("encode", journal.going_on(encoding))) as encoded:
                for item in encoded:
                    if isinstance(item, Snapshot):
                        parts = item.states["encode"].parts
                        if parts:  # not while the first frames still wait in the stages
                            seconds = float((parts[-1].pts[-1] - parts[0].pts[0]) * info.time_base + 1 / info.rate)
                            journal.commit(item, count.state, seconds, self._elapsed)
                        continue
                    written += 1
                    self.progress(Progress(written, info.frames, count.state))
        damage = (again.damage if again is not None else None) or reader.damage  # who ended first knows more
        warnings = [*reader.warnings, *([str(damage)] if damage else []), *told]
        warnings += not_seen(plan.asked, figures.state.tally, plan.people)
        with journal.believed():
            report = build(
                self.src,
                self.dst,
                figures.state.tally,
                pack,
                way.watch,
                edits=[str(one) for one in plan.asked],
                wanted=wanted_of(plan.asked),
                seconds=self._elapsed,
                rows=journal.rows,
                quality=figures.state.quality,
                instruments=instruments,
                warnings=warnings,
                damage=damage or next(iter(hurt), None),
                codes=self.codes,
            )
        if self.series is not None and report.series_every > 1:
            journal.rows.copy(self.series)
            report = replace(report, series_file=str(self.series))
        return report

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self.begun


def marked_by(asked: Sequence[Asked]) -> str:
    """What an output says of its making: the edits, without what people are called and where anybody's files lie."""
    return f"{MAKER} {vidinv.__version__} edited faces: {', '.join(map(_said, asked))}"


def _said(one: Asked) -> str:
    if not isinstance(one, EditRequest):
        return type(one).__name__.lower()  # drive, transfer
    if not isinstance(one.amount, Curve):
        return str(replace(one, persons=None))
    keys = one.amount.keys
    few = keys if len(keys) <= KEYS_SAID else (keys[0], keys[-1])
    said = str(replace(one, amount=Curve(few), persons=None))
    return said if few is keys else f"{said} ({len(keys)} keys)"


def about(
    src: str | Path, plan: Plan, means: Means, boxes: BoxesOf | None, made: Any, **options: Any
) -> dict[str, str]:
    """What tells a run from another, by the names that people have for it; nothing if it cannot be told.

    :param made: how the codes are. :param options: further ones.
    :raises InputError: the source cannot be read.
    """
    return described(
        source=source_of(src).sha256,
        pack=means.pack.hash,
        edit=(plan.asked, plan.edits, plan.people and plan.people.references),
        boxes=boxes if isinstance(boxes, BoxTable) else None,  # others are the pack's
        method=made,
        device=(means.compute.device, str(means.compute.dtype), means.batch),
        **options,
    )
