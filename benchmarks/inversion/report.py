"""From the figures to tables, the published rows beside ours, and what of the published order comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.inversion.claims import claims
from benchmarks.inversion.published import CELEBA_HQ, IN_DOMAIN
from benchmarks.inversion.rows import ROWS

Result = Mapping[str, Any]
COLUMNS = {"ssim": 3, "psnr": 2, "mse": 3, "lpips": 3, "identity": 3}  # and their digits
SCALE = {"mse": 4}  # published MSE is of pictures in -1..1


def cell(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Markdown."""
    rule = "|" + " --- |" * len(head)
    return [f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(line)} |" for line in lines)]


def methods(result: Result) -> list[str]:
    """One table: all rows on the same faces."""
    head = ["method", "SSIM", "PSNR, dB", "MSE (-1..1)", "LPIPS", "identity", "identity, pack's own"]
    head += ["Fréchet", "SWD", "off its domain", "CPU s", "wall s", "steps"]
    lines = []
    for row in result["rows"].values():
        if "left_out" in row:
            lines.append([row["title"], row["left_out"], *[""] * (len(head) - 2)])
            continue
        v, seconds = row["figures"], row["seconds"]
        line = [row["title"], *(cell(_scaled(v, k), d) for k, d in COLUMNS.items()), cell(v["identity_pack"])]
        line += [cell(v["frechet"], 0), cell(v["swd"], 2), cell(v.get("domain"), 2)]
        line += [cell(seconds["cpu"], 3), cell(seconds["wall"], 3), str(row["search"].get("steps", "-"))]
        lines.append(line)
    wide = [
        [row["title"], *(cell(_scaled(row["more"]["figures"], k), d) for k, d in COLUMNS.items())]
        + [cell(row["more"]["figures"]["frechet"], 0), cell(row["more"]["figures"]["swd"], 2)]
        for row in result["rows"].values()
        if "more" in row
    ]
    more = table([f"{result['setup']['encoded']} faces", *head[1:6], "Fréchet", "SWD"], wide)
    return [*table(head, lines), "", *more, "", setup(result)]


def _scaled(figures: Mapping[str, Any], name: str) -> float | None:
    return None if figures.get(name) is None else figures[name] * SCALE.get(name, 1)


def setup(result: Result) -> str:
    """What the figures are of."""
    told, networks = result["setup"], result["setup"]["networks"]
    batches = sorted({row["seconds"]["batch"] for row in result["rows"].values() if "seconds" in row})
    return (
        f"{told['faces']} faces kept for validation (encoders also on {told['encoded']}), {told['resolution']} px, "
        f"pack {told['pack']}, {told['precision']}; LPIPS: {networks['lpips']}; identity: {networks['identity']}; the "
        f"pack's own: {networks['identity_pack']}; Fréchet distance and SWD to the same faces on: {networks['sets']}; "
        f"seconds are of one picture in batches of {' or '.join(map(str, batches))} on one thread of a busy CPU."
    )


def published(result: Result) -> list[str]:
    """The published rows, and ours that answer to them."""
    head = [
        "published: 1000 faces of CelebA-HQ",
        "SSIM",
        "PSNR, dB",
        "MSE (-1..1)",
        "LPIPS",
        "identity",
        "FID",
    ]
    digits = (3, 2, 3, 3, 3, 2)
    lines = [[n, *(cell(v, d) for v, d in zip(values, digits, strict=True))] for n, values in CELEBA_HQ.items()]
    other = ["published: In-Domain, faces", "seconds", "FID", "MSE"]
    rows = [[n, f"{s:g}", cell(fid, 2), cell(mse)] for n, (s, fid, mse) in IN_DOMAIN.items()]
    return [*table(head, lines), "", *table(other, rows)]


def order(result: Result) -> list[str]:
    """What the papers say, ours beside it."""
    lines = [[c.said, c.found, "yes" if c.holds else "no"] for c in claims(result)]
    return table(["what was published", "here", "comes out"], lines)


def over_time(result: Result) -> list[str]:
    """What the searches have reached after some of their steps, and the encoders at once."""
    told = result["time"]
    marks = (10, 50, 100, 200)
    head = ["PSNR in dB, LPIPS after", *(f"{m} steps" for m in marks), "CPU s a step"]
    lines = []
    for name, curve in told["curves"].items():
        at = {row["steps"]: row for row in curve}
        cells = [f"{at[m]['psnr']:.1f}, {cell(at[m].get('lpips'))}" if m in at else "" for m in marks]
        lines.append([ROWS[name].title, *cells, cell(curve[-1]["cpu_seconds"] / curve[-1]["steps"])])
    points = [
        [ROWS[name].title, f"{row['psnr']:.1f}, {cell(row.get('lpips'))}", cell(row["cpu_seconds"])]
        for name, row in told["points"].items()
    ]
    found = [*table(head, lines), "", *table(["PSNR in dB, LPIPS at once", "", "CPU s"], points)]
    return [*found, "", f"{told['faces']} faces; seconds are of one picture."]


def clips(result: Result) -> list[str]:
    head = ["clip", "method", "PSNR, dB", "LPIPS", "identity", "identity consistency", "TL-ID", "jitter of w"]
    head += ["warping error over the source's", "steps a frame"]
    lines = []
    for clip, ways in result["clips"]["clips"].items():
        for name, v in ways.items():
            line = [clip, name, cell(v["psnr"], 2), cell(v.get("lpips")), cell(v.get("identity"))]
            if "identity_consistency" in v:
                line.append(f"{v['identity_consistency']:.3f} (source {v['identity_consistency_source']:.3f})")
            else:
                line.append("-")
            line += [cell(v.get("identity_local")), cell(v["jitter"]), cell(v["warping_error_ratio"], 2)]
            lines.append([*line, f"{v['steps']:.0f}"])
    return [*table(head, lines), "", f"{result['clips']['frames']} neighbouring frames of each, in the crops."]


def editing(result: Result) -> list[str]:
    """The change that a loss of identity buys, and what the strongest edit does."""
    told = result["editing"]
    parts = list(next(iter(told["rows"].values())))
    edits = list(told["spread"])
    head = ["codes of", *(f"{edit}, {part}" for part in parts for edit in edits)]
    lines = []
    for name, row in told["rows"].items():
        at = [f"{row[part][edit]['at_equal_loss']:.2f}" for part in parts for edit in edits]
        lines.append([ROWS[name].title, *at])
    steps = [
        "codes of",
        *(f"{edit} {s:+g}: change, identity to inversion, to source" for edit in edits for s in (-2, 2)),
    ]
    curves = []
    for name, row in told["rows"].items():
        cells = []
        for edit in edits:
            points = {point["steps"]: point for point in row[parts[0]][edit]["curve"]}
            for s in (-2.0, 2.0):
                p = points[s]
                cells.append(f"{p['change']:+.2f}, {p['identity_inversion']:.2f}, {p['identity_source']:.2f}")
        curves.append([ROWS[name].title, *cells])
    unit = ", ".join(f"{edit} {sd:.1f}" for edit, sd in told["spread"].items())
    return [
        *table(head, lines),
        "",
        *table(steps, curves),
        "",
        f"{told['faces']} faces. The first table: change, in standard deviations of the faces ({unit}; years and log "
        f"odds), where the cosine to the unedited inversion has fallen by {told['loss']}, the mean of both directions.",
    ]


def meaning(result: Result) -> list[str]:
    told = result["meaning"]
    attributes = told["attributes"]
    names = list(next(iter(attributes["rows"].values()))["shared"])
    lines = []
    for name, row in attributes["rows"].items():
        cells = [cell(row["shared"][a]["average_precision"], 2) for a in names]
        wide = [cell(row["all"][a]["average_precision"], 2) if "all" in row else "" for a in names]
        lines.append([ROWS[name].title, *(f"{a} ({b})" if b else a for a, b in zip(cells, wide, strict=True))])
    first = next(iter(attributes["rows"].values()))
    shares = [f"{a} ({first['shared'][a]['with']} of {attributes['faces']})" for a in names]
    path = ["codes of", "path over its ends", "evenness", "identity of the middle to both ends"]
    path += ["Fréchet of middles", "of the inversions"]
    ways = [
        [ROWS[name].title, cell(v.get("length"), 2), cell(v.get("evenness"), 2), cell(v["identity_ends"], 2)]
        + [cell(v["frechet"], 0), cell(v["frechet_ends"], 0)]
        for name, v in told["interpolation"]["rows"].items()
    ]
    return [*table(["average precision of", *shares], lines), "", *table(path, ways)]


def experiments(result: Result) -> list[str]:
    told = result["experiments"]
    embedding = told["embedding"]
    rows = embedding["rows"]
    lines = [
        [what, *(f"{cell(row[what]['psnr'], 1)}, {cell(row[what].get('lpips'), 2)}" for row in rows.values())]
        for what in (*embedding["ways"], *embedding["things"])
    ]
    mixing = [
        [
            ROWS[name].title,
            *(cell(v[k], 2) for k in ("identity_coarse", "identity_fine", "colour_coarse", "colour_fine")),
        ]
        for name, v in told["mixing"]["rows"].items()
    ]
    head = ["layers crossed", "identity to whom the coarse are of", "the fine", "colour off the coarse's", "the fine's"]
    found = [*table(["PSNR in dB, LPIPS", *(ROWS[n].title for n in rows)], lines), "", *table(head, mixing)]
    if "expression" in told:
        moves = told["expression"]["rows"]
        shares = list(next(iter(moves.values())))
        smiles = [
            [ROWS[n].title, *(f"{v[s]['change']:+.2f}, {v[s]['identity']:.2f}" for s in shares)]
            for n, v in moves.items()
        ]
        found += ["", *table(["P(happy), identity at lambda", *shares], smiles)]
    return found


TABLES = {
    "inversion methods": methods,
    "inversion published": published,
    "inversion order": order,
    "inversion time": over_time,
    "inversion clips": clips,
    "inversion editing": editing,
    "inversion meaning": meaning,
    "inversion experiments": experiments,
}
