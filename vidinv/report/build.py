"""From everything that was counted to the report."""

from __future__ import annotations

from pathlib import Path

from vidinv.packs.load import Pack
from vidinv.report import figures
from vidinv.report.document import Report
from vidinv.report.doubts import covered, untrusted
from vidinv.report.quality import Meter
from vidinv.report.tally import Tally, summarise_identity
from vidinv.runtime.timing import Stopwatch
from vidinv.video.info import Damage
from vidinv.video.spans import read_spans


def build(
    source: str | Path,
    output: str | Path,
    tally: Tally,
    pack: Pack,
    watch: Stopwatch,
    *,
    edits: list[str],
    seconds: float,
    meter: Meter | None = None,
    warnings: list[str] | None = None,
    damage: Damage | None = None,
) -> Report:
    """:param edits: empty in a comparison. :param meter: None leaves ``quality`` and ``strip`` empty.

    Raises an InputError if one of the files has gone.
    """
    alike, held, local = summarise_identity(tally.persons)
    asked = ("identity", "attributes", "landmarks") if meter is not None else ("identity", "attributes")
    unmeasured = {n: f"pack {pack.name} has no {n} network" for n in asked if not pack.has(n)}
    quality, networks = {}, {n: pack.label(n) for n in asked if pack.has(n)}
    if meter is not None:
        networks |= {"lpips": f"LPIPS-{meter.lpips.trunk} v0.1"} if meter.lpips else {}
        quality = figures.reconstruction(meter, bool(edits)) | figures.identity(
            tally.persons, networks.get("identity", "no network"), unmeasured.get("identity", figures.NOBODY)
        )
        quality |= figures.over_time(meter, tally) | figures.sound(read_spans(source), read_spans(output))
    return Report(
        output=str(output),
        edits=edits,
        frames=tally.frames,
        faces=tally.faces,
        persons=sorted(tally.persons_seen),
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
        series=tally.series,
        source=str(source),
        untrusted=untrusted(tally.series),
        covered=covered(tally.series),
        quality=quality,
        networks=networks,
        unmeasured=unmeasured,
        strip=list(meter.strip) if meter else [],
    )


def _mean_attributes(tally: Tally) -> dict[str, dict[str, float]]:
    means = {n: {v: s / tally.attribute_faces for v, s in sums.items()} for n, sums in tally.attributes.items()}
    return {n: {**m, "change": m["edited"] - m["source"]} for n, m in means.items()}
