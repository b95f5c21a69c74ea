"""Two videos of the same thing, the one edited from the other by whatever program: the same report as a run gives."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from vidinv.errors import InputError, NoFaceFound, UsageError
from vidinv.halves import reidentified
from vidinv.packs.load import load_pack
from vidinv.report import Report
from vidinv.report.build import build
from vidinv.report.quality import QualityOptions, instruments_of, start
from vidinv.report.rows import Rows
from vidinv.runtime.compute import checked_batch, choose
from vidinv.runtime.steps import Latest
from vidinv.runtime.way import Way
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.stages.pair_frames import pair_frames
from vidinv.stages.score import ScoreOptions, Scorers, ScoreState, score
from vidinv.video import Reader


def compare_videos(
    source: str | Path,
    edited: str | Path,
    *,
    pack: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int = 8,
    quality: QualityOptions = QualityOptions(),
    progress: Callable[[int, int | None], None] = lambda frames, total: None,
) -> Report:
    """Measure ``edited`` against ``source``, frame by frame, with the pack's networks and the source's faces.

    Frames are paired in their order. Where one video is longer, the rest is left out and the report says so.

    :param progress: is told the frames so far, and how many the source declares.
    :raises NoFaceFound: nobody is in the source. :raises VidinvError: a file, a pack or a device that cannot be used.
    """
    compute, batch = choose(device, precision), checked_batch(batch)
    networks, options = load_pack(pack, compute.device), DetectOptions()
    if networks.crops.kind != "face":
        raise UsageError(f"pack {networks.name} is not of faces, and only those are found again; give another --pack")
    begun, counts = time.perf_counter(), dict[str, int]()
    instruments = instruments_of(networks, compute, quality)
    scorers = Scorers(networks.optional("identity"), networks.optional("attributes"), compute, instruments)
    figures = Latest(ScoreState(quality=start(quality)))
    with (
        Reader(source) as before,
        Reader(edited) as after,
        TemporaryDirectory(prefix="vidinv-") as folder,
        closing(Rows(Path(folder) / "rows", Path(folder))) as rows,
    ):
        info, way = before.info, Way(float(before.info.rate))
        looking = partial(detect, detectors=make_detectors(options), options=replace(options, rate=way.rate))
        found = way.stage("detect", looking, DetectState(), way.watch.measure("decode", decode(before)))
        placing = partial(align, options=AlignOptions(networks.resolution, networks.template, rate=way.rate))
        placed = way.stage("align", placing, AlignState(), found)
        numbered = reidentified(placed, way, networks, compute)
        paired = pair_frames(numbered, way.watch.measure("decode edited", decode(after)), counts)
        scoring = partial(score, scorers=scorers, options=ScoreOptions(batch, networks.scores, every_face=True))
        scored = way.stage("score", scoring, figures.state, paired, figures)
        for count, faces in enumerate(scored, 1):
            for face in faces.faces:
                if face.score is not None:
                    rows.append(face.score)
            progress(count, info.frames)
        warnings = [*(f"source: {w}" for w in before.warnings), *(f"edited: {w}" for w in after.warnings)]
        warnings += [f"{name}: {r.damage}" for name, r in (("source", before), ("edited", after)) if r.damage]
        warnings += _differences(counts, before, after)
        damage = before.damage or after.damage
        tally = figures.state.tally
        if not tally.frames:
            raise InputError(f"{source} and {edited} have no frame in common")
        if not tally.persons_seen:
            raise NoFaceFound(f"{source}: no face in any of {tally.frames} frames, so there is nothing to compare")
        return build(
            source,
            edited,
            tally,
            networks,
            way.watch,
            edits=[],
            seconds=time.perf_counter() - begun,
            rows=rows,
            quality=figures.state.quality,
            instruments=instruments,
            warnings=warnings,
            damage=damage,
        )


def _differences(counts: dict[str, int], source: Reader, edited: Reader) -> list[str]:
    """In what the two files do not fit together."""
    found = []
    if counts["source"] != counts["edited"]:
        found.append(f"the source has {counts['source']} frames and the edit {counts['edited']}; the rest is left out")
    sizes = [(r.info.display_width, r.info.display_height) for r in (source, edited)]
    if sizes[0] != sizes[1]:
        texts = [f"{width}x{height}" for width, height in sizes]
        found.append(f"the edit is {texts[1]}, the source {texts[0]}; the edit was resized to be compared")
    if abs(float(source.info.rate / edited.info.rate) - 1) > 0.001:
        rates = [f"{float(r.info.rate):.3f}" for r in (source, edited)]
        found.append(f"the edit has {rates[1]} frames/s, the source {rates[0]}")
    return found
