"""The tables of benchmarks.speed, its comparisons and benchmarks.peers."""

from __future__ import annotations

from typing import Any


def stages(told: dict[str, Any]) -> list[str]:
    """Per pack and stage: CPU milliseconds, the floor, and the products of the networks."""
    rows = []
    for pack, result in told.items():
        best, codec = result["ceilings"], result["codec_ms_per_frame"]
        rows += [
            f"| {pack}: a frame's | CPU ms | floor ms | million products |",
            "| --- | --- | --- | --- |",
        ]
        for stage, spent in result["cpu_ms_per_frame"].items():
            macs = result["mmac_per_frame"][stage]
            rows.append(f"| {stage} | {spent:.1f} | {result['floor_ms_per_frame'][stage]:.2f} | {macs:.0f} |")
        columns = (result["cpu_ms_per_frame"], result["floor_ms_per_frame"])
        rows.append(f"| together | {' | '.join(f'{sum(column.values()):.1f}' for column in columns)} | |")
        rows += [
            "",
            f"{result['frames']} frames of {result['clip']}; {result['machine']}; load average {result['load']}. "
            f"Ceilings of a core: {best['bf16_gmac_per_second']} (bf16) and {best['fp32_gmac_per_second']} (float32) "
            f"thousand million products a second in a 3x3 convolution, {best['gbytes_per_second']} GB/s copied; x264 "
            f"alone {codec['encode']:.1f} ms, its decoder {codec['decode']:.1f} ms.",
            "",
        ]
    return rows[:-1]


def against(told: dict[str, Any]) -> list[str]:
    """Two checkouts on the same clips: before -> now."""
    rows = [
        "| clip, frames | finding: CPU | faces | frames without | persons | gaps | jitter | whole run: CPU "
        "| PSNR of the two outputs | identity of inversion, edit |",
        "| --- |" + " --- |" * 9,
    ]
    for clip, row in told["clips"].items():
        if "error" in row:
            rows.append(f"| {clip} | {row['error']} |" + " |" * 8)
            continue
        a, b = row["find"]["other"], row["find"]["this"]
        cells = [f"{clip}, {b['frames']}", f"{row['find']['ratio']:.2f}"]
        cells += [f"{a[name]} → {b[name]}" for name in ("faces", "empty", "persons", "gaps")]
        cells.append("" if b["jitter"] is None else f"{a['jitter']:.1f} → {b['jitter']:.1f}")
        if "edit" in row:
            alike = [row["edit"][side]["alike"] for side in ("other", "this")]
            pairs = [f"{alike[0][v]:.3f} → {alike[1][v]:.3f}" for v in ("inversion", "edited")]
            cells += [f"{row['edit']['ratio']:.2f}", f"{row['psnr']:.1f} dB", ", ".join(pairs)]
        else:
            cells += ["", "", ""]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def peers(told: dict[str, Any]) -> list[str]:
    """Ways of working on one clip, each beside ours."""
    rows = [
        "| way | CPU, over ours | CPU seconds | ready after | first frame after | peak memory |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for way, row in told["ways"].items():
        cells = [f"{told['cpu_over_ours'][way]:.2f}", f"{row['cpu']:.1f}", f"{row['ready']:.1f} s"]
        cells += [f"{row['first']:.1f} s", f"{row['peak_mib']:.0f} MiB"]
        rows.append(f"| {way} | {' | '.join(cells)} |")
    absent = f" Not installed here, and so not run: {', '.join(told['absent'])}." if told["absent"] else ""
    return [
        *rows,
        "",
        f"{told['frames']} frames of {told['clip']}, {told['pack']}, start-up and reading of networks counted in; "
        f"load average {told['load']}.{absent}",
    ]


def growth(told: dict[str, Any]) -> list[str]:
    """What a run takes as it grows, question by question."""
    names = {"length": "times the clip", "height": "lines", "faces": "faces", "cores": "cores"}
    rows = ["| what grows | CPU ms a frame | wall ms a frame | peak memory |", "| --- | --- | --- | --- |"]
    for name, points in told["points"].items():
        for value, row in points.items():
            each = (f"{1e3 * row[clock] / row['frames']:.0f}" for clock in ("cpu", "wall"))
            rows.append(f"| {names[name]}: {value} | {' | '.join(each)} | {row['peak_mib']:.0f} MiB |")
    return [
        *rows,
        "",
        f"{told['frames']} frames of {told['clip']}, {told['pack']}, without start-up; load average {told['load']}.",
    ]
