"""From everything that was counted to the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidinv.errors import InputError
from vidinv.packs.load import Pack
from vidinv.report import figures
from vidinv.report.document import Report
from vidinv.report.doubts import occluded, untrusted
from vidinv.report.outcome import Wanted, outcomes
from vidinv.report.quality import Instruments, Quality
from vidinv.report.rows import Rows, thinned
from vidinv.report.tally import Tally, summarise_identity
from vidinv.runtime.timing import Stopwatch
from vidinv.video.info import Damage
from vidinv.video.spans import Spans, read_spans


def build(
    source: str | Path,
    output: str | Path,
    tally: Tally,
    pack: Pack,
    watch: Stopwatch,
    *,
    edits: list[str],
    wanted: Sequence[Wanted] = (),
    seconds: float,
    rows: Rows,
    quality: Quality | None = None,
    instruments: Instruments | None = None,
    warnings: list[str] | None = None,
    damage: Damage | None = None,
    codes: str | None = None,
) -> Report:
    """:param edits: empty in a comparison. :param wanted: the same, with what and whom each is about.
    :param quality: what ``instruments`` measured; None leaves ``quality`` and ``strip`` empty.
    """
    alike, held, local = summarise_identity(tally.persons)
    full = quality is not None and instruments is not None
    asked = ("identity", "attributes", "landmarks") if full else ("identity", "attributes")
    unmeasured = {n: f"pack {pack.name} has no {n} network" for n in asked if not pack.has(n)}
    series, every = thinned(rows)
    figured: dict[str, figures.Figure] = {}
    networks = {n: pack.label(n) for n in asked if pack.has(n)}
    if quality is not None and instruments is not None:
        networks |= {"lpips": f"LPIPS-{instruments.lpips.trunk} v0.1"} if instruments.lpips else {}
        figured = figures.reconstruction(quality, instruments, bool(edits)) | figures.identity(
            tally.persons, networks.get("identity", "no network"), unmeasured.get("identity", figures.NOBODY)
        )
        no_points = f"pack {pack.name} has no landmark network" if instruments.landmarks is None else ""
        figured |= figures.over_time(quality, tally, no_points) | figures.sound(_spans(source), _spans(output))
    return Report(
        output=str(output),
        edits=edits,
        frames=tally.frames,
        faces=tally.faces,
        persons=sorted(tally.persons_seen),
        names={str(person): ", ".join(names) for person, names in sorted(tally.names.items())},
        identity_similarity=alike,
        identity_consistency=held,
        local_identity=local,
        attributes=_mean_attributes(tally),
        stages={n: {"seconds": round(s.seconds, 3), "items": s.items} for n, s in watch.stages.items()},
        seconds=round(seconds, 3),
        pack={"name": pack.name, "hash": pack.hash},
        warnings=warnings or [],
        damaged=damage is not None,
        frames_lost=damage.frames_lost if damage else 0,
        series=series,
        series_every=every,
        source=str(source),
        untrusted=untrusted(rows),
        occluded=occluded(rows),
        quality=figured,
        networks=networks,
        unmeasured=unmeasured,
        strip=list(quality.strip) if quality is not None else [],
        codes=codes,
        outcomes=outcomes(tally, wanted, pack.spec.edits),
    )


def _spans(path: str | Path) -> Spans | None:
    """None: the file has gone meanwhile, or cannot be read any more."""
    try:
        return read_spans(path)
    except InputError:
        return None


def _mean_attributes(tally: Tally) -> dict[str, dict[str, float]]:
    means = {n: {v: s / tally.attribute_faces for v, s in sums.items()} for n, sums in tally.attributes.items()}
    return {n: {**m, "change": m["edited"] - m["source"]} for n, m in means.items()}
