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
