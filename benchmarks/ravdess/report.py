"""From the rows of all videos to means, tables and plots."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
TABLE3 = ("ssim", "psnr", "mse", "lpips", "identity")
# Yao et al. 2022, Table 3: 120 random videos of RAVDESS, SSIM, PSNR, MSE, LPIPS, identity.
PUBLISHED = {
    "pSp": (0.736, 22.30, 0.025, 0.196, 0.687),
    "e4e": (0.713, 20.57, 0.037, 0.220, 0.620),
    "restyle-pSp": (0.761, 23.17, 0.021, 0.189, 0.781),
    "HFGI": (0.783, 24.04, 0.017, 0.182, 0.810),
    "FSE": (0.818, 26.64, 0.009, 0.122, 0.895),
}
DIGITS = {"ssim": 3, "psnr": 2, "mse": 3, "lpips": 3, "identity": 3}
# Their MSE is of pictures in -1..1, as their own PSNR says (26.64 dB is 0.0022 on 0..1 and 0.0087 on -1..1).
PUBLISHED_SCALE = {"mse": 4}


def summarise(rows: list[Row]) -> dict[str, Any]:
    """Means over the videos, each counting the same; figures that a video lacks are left out of theirs."""
    good = [r for r in rows if "error" not in r]
    methods = list(good[0]["inversion"]) if good else []
    edits = list(good[0]["edits"]) if good else []
    return {
        "videos": len(good),
        "actors": len({r["actor"] for r in good}),
        "inversion": {m: _means(r["inversion"][m] for r in good) for m in methods},
        "edits": {e: _means(_flat(r["edits"][e]) for r in good) for e in edits},
        "failed": {r["video"]: r["error"] for r in rows if "error" in r},
    }


def _flat(row: Row) -> Row:
    """Without what is summed up elsewhere, and with the ratios that only hold within a video."""
    ratios = {
        f"{name}_ratio": row[name] / row[f"{name}_source"]
        for name in ("warping_error", "warping_error_faces", "landmark_jitter")
        if row.get(name) is not None and row.get(f"{name}_source")
    }
    return (
        {k: v for k, v in row.items() if k != "reached"}
        | ratios
        | {f"reached_{k}": v for k, v in row["reached"].items()}
    )


def _means(rows: Iterable[Row]) -> dict[str, float | None]:
    rows = list(rows)
    found = {}
    for name in dict.fromkeys(k for r in rows for k in r):
        values = [r[name] for r in rows if r.get(name) is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


def table(result: Row, published: bool) -> list[str]:
    """Markdown: inversion beside the published rows, then the edits."""
    lines = [
        "| method | SSIM | PSNR | MSE (-1..1) | LPIPS | identity | identity consistency |",
        "| --- |" + " --- |" * 6,
    ]
    if published:
        for name, values in PUBLISHED.items():
            cells = [f"{v:.{DIGITS[k]}f}" for k, v in zip(TABLE3, values, strict=True)]
            lines.append(f"| {name}, published | {' | '.join(cells)} | |")
    means = result["means"]
    for name, row in means["inversion"].items():
        cells = [_cell(row[k], DIGITS[k], PUBLISHED_SCALE.get(k, 1)) for k in TABLE3]
        held = f"{_cell(row['identity_consistency'], 3)} (source {_cell(row['identity_consistency_source'], 3)})"
        lines.append(f"| {name}, {result['pack']['name']} | {' | '.join(cells)} | {held} |")
    lines += ["", "| edit | reached | TL-ID | TG-ID | warping error, frame | in the crops | identity, edit to source |"]
    lines += ["| --- |" + " --- |" * 6]
    for edit, row in means["edits"].items():
        name = edit.partition("=")[0]
        unit = {"age": " years", "smile": " P(happy)", "gender": " P(male)"}.get(name, "")
        reached = row.get(f"reached_{name}")
        cells = [
            _cell(row.get(k), 3) for k in ("tl_id", "tg_id", "warping_error_ratio", "warping_error_faces_ratio", "csim")
        ]
        lines.append(f"| {edit} | {'-' if reached is None else f'{reached:+.2f}{unit}'} | {' | '.join(cells)} |")
    return lines


def written(result: Row) -> list[str]:
    """Markdown: all there is to say of a result."""
    ravdess = result["set"] == "ravdess"
    return [*table(result, ravdess), *([] if ravdess else ["", *each_video(result)]), "", *notes(result)]


def each_video(result: Row) -> list[str]:
    """Markdown: every video's own inversion, by the first method."""
    lines = ["| video | SSIM | PSNR | LPIPS | identity | identity consistency: source, inversion |"]
    lines.append("| --- |" + " --- |" * 5)
    for row in result["videos"]:
        if "error" in row:
            continue
        own = next(iter(row["inversion"].values()))
        cells = [_cell(own[k], DIGITS[k]) for k in ("ssim", "psnr", "lpips", "identity")]
        held = ", ".join(_cell(own[k], 3) for k in ("identity_consistency_source", "identity_consistency"))
        lines.append(f"| {row['video']} | {' | '.join(cells)} | {held} |")
    return lines


def notes(result: Row) -> list[str]:
    """What the figures are of, and why they are not the published ones' equals."""
    networks = result["networks"]
    sizes = sorted({f"{r['size'][0]}x{r['size'][1]}" for r in result["videos"] if "error" not in r})
    means = result["means"]
    who = f" of {_some(means['actors'], 'actor')}, seed {result['seed']}" if result["set"] == "ravdess" else ""
    lines = [
        f"{_some(means['videos'], 'video')}{who} ({', '.join(sizes)}); crops of {result['resolution']} px by the "
        "pack's template, every frame inverted by itself; warping errors are over the source's own, before the codec; "
        f"LPIPS: {networks['lpips'] or 'not measured, no weights were given'}; identity: {networks['identity']}.",
    ]
    if result["set"] == "ravdess":
        lines.append(
            "The published rows are of 120 videos at 1024 px, FFHQ crops, LPIPS and identity by other networks: they "
            "give an orientation, no ranking. A pack's own identity network is small and lenient; its card has the "
            "figures of a stronger one."
        )
    lines += [f"Missing: {m}." for m in result["missing"]]
    lines += [f"Not measured: {name} ({error})." for name, error in result["means"]["failed"].items()]
    return lines


def _cell(value: float | None, digits: int, scale: float = 1) -> str:
    return "-" if value is None else f"{scale * value:.{digits}f}"


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def plot(result: Row, folder: Path) -> list[Path]:
    """Fig. 9: identity consistency of source and inversions as boxes over the videos; and that of the edits' TG-ID."""
    good = [r for r in result["videos"] if "error" not in r]
    if not good:
        return []
    boxes = {"source": [next(iter(r["inversion"].values()))["identity_consistency_source"] for r in good]}
    boxes |= {m: [r["inversion"][m]["identity_consistency"] for r in good] for m in good[0]["inversion"]}
    edits = {e: [r["edits"][e]["tg_id"] for r in good if r["edits"][e]["tg_id"] is not None] for e in good[0]["edits"]}
    made = [_boxes(boxes, "identity consistency (Eq. 9)", folder / "identity_consistency.png")]
    return made + ([_boxes(edits, "TG-ID", folder / "edits.png")] if edits else [])


def _boxes(values: dict[str, list[float]], label: str, path: Path) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.5 + 1.2 * len(values), 3.2), layout="constrained")
    axes = figure.subplots()
    axes.boxplot(list(values.values()), tick_labels=list(values), widths=0.5)
    axes.set_ylabel(label)
    axes.grid(axis="y", alpha=0.3)
    figure.savefig(path, dpi=120)
    return path
