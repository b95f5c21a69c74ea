"""Write the README's tables from the results: python -m benchmarks.readme_tables [--check]."""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from functools import partial
from pathlib import Path

from benchmarks.ravdess.report import written

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def pack_table() -> list[str]:
    pack = ROOT / "assets" / "models" / "face-128"
    figures = json.loads((pack / "card.json").read_text())["figures"]
    edits = tomllib.loads((pack / "pack.toml").read_text())["edits"]
    inversion = figures["reconstruction"]
    rows = [
        "| validation faces | PSNR | SSIM | LPIPS-squeeze | identity |",
        "| --- | --- | --- | --- | --- |",
        f"| inversion G(w, F) | {inversion['psnr']:.1f} dB | {inversion['ssim']:.3f} | {inversion['lpips']:.3f} "
        f"| {inversion['identity']:.3f} |",
        f"| G(w) alone | | | {inversion['lpips_w']:.3f} | {inversion['identity_w']:.3f} |",
        "",
        "| edit | +2 steps: change / identity kept / largest leak | -2 steps |",
        "| --- | --- | --- |",
    ]
    for name, edit in edits.items():
        cells = []
        for steps in ("2.0", "-2.0"):
            effect = figures["edits"][name][steps]
            leak = max(abs(effect["moved"][a]) for a in ("age", "smile", "gender") if a != name)
            change = f"{effect['change'][name]:+.{1 if edit['unit'] == 'years' else 2}f} {edit['unit']}"
            cells.append(f"{change} / {effect['identity']:.2f} / {leak:.2f} sd")
        rows.append(f"| {name}: {edit['text']} | {' | '.join(cells)} |")
    return rows


def packs_table() -> list[str]:
    """The packs side by side: what the feature code's resolution buys and costs."""
    rows = [
        "| pack | F | PSNR | SSIM | LPIPS | identity | G(w) alone: LPIPS, identity | age +2: years, identity kept "
        "| smile +2: P(happy), identity kept |",
        "| --- |" + " --- |" * 8,
    ]
    for folder in sorted(p.parent for p in (ROOT / "assets" / "models").glob("*/card.json")):
        figures = json.loads((folder / "card.json").read_text())["figures"]
        side = tomllib.loads((folder / "pack.toml").read_text())["encoder"]["feature_side"]
        made, age, smile = figures["reconstruction"], figures["edits"]["age"]["2.0"], figures["edits"]["smile"]["2.0"]
        rows.append(
            f"| {folder.name} | {side} px | {made['psnr']:.1f} dB | {made['ssim']:.3f} | {made['lpips']:.3f} | "
            f"{made['identity']:.3f} | {made['lpips_w']:.3f}, {made['identity_w']:.3f} | "
            f"{age['change']['age']:+.1f}, {age['identity']:.2f} | "
            f"{smile['change']['smile']:+.2f}, {smile['identity']:.2f} |"
        )
    return rows


def editing_table() -> list[str]:
    results = json.loads((RESULTS / "editing.json").read_text())
    rows = [
        "| clip | years reached | TL-ID | TG-ID | warping error, frame | in the crops | identity, edit to source |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for clip, r in results["clips"].items():
        if "error" in r:
            rows.append(f"| {clip} | {r['error'].split(':')[0]} | | | | | |")
            continue
        reached = r["attributes"]["age"]["change"]
        rows.append(
            f"| {clip} | {reached:+.1f} | {r['tl_id']:.3f} | {r['tg_id']:.3f} | {r['warping_error_ratio']:.3f} | "
            f"{r['warping_error_ratio_faces']:.3f} | {r['identity_edited']:.3f} |"
        )
    return rows


def speed_table() -> list[str]:
    speed = json.loads((RESULTS / "speed.json").read_text())
    memory = json.loads((RESULTS / "memory.json").read_text())
    stages = ", ".join(f"{k} {v:.1f}" for k, v in speed["cpu_ms_per_frame"].items())
    return [
        "| what | |",
        "| --- | --- |",
        f"| frames per second, end to end, {speed['machine']} | {speed['frames_per_second']} |",
        f"| wall time over (CPU seconds of the stages alone / cores) | {speed['wall_over_ideal']} |",
        f"| CPU milliseconds per frame | {stages} |",
        f"| peak memory, {memory['frames'][0]} and {memory['frames'][1]} frames | {memory['peak_mib'][0]:.0f} and "
        f"{memory['peak_mib'][1]:.0f} MiB |",
    ]


def published_table() -> list[str]:
    results = json.loads((RESULTS / "published.json").read_text())
    rows = [f"| 1024 px, {results['mib']} MiB of weights, {results['machine']} | |", "| --- | --- |"]
    rows += [f"| start-up, {name} | {row['cpu_seconds']:.2f} CPU s |" for name, row in results["start_up"].items()]
    for name, row in results["per_face"].items():
        times = f"{row['invert_ms']:.0f}, {row['render_pair_ms']:.0f}, {row['identity_ms']:.0f} {results['clock']} ms"
        rows.append(f"| a face, {name}: invert, draw both pictures, recognise | {times} |")
        rows.append(f"| peak memory, {name} | {row['peak_mib']} MiB |")
    return rows


def video_set_table(name: str) -> list[str]:
    """Of benchmarks.ravdess: "ravdess", beside the published rows, or "clips", one by one."""
    result = json.loads((RESULTS / name / "results.json").read_text())
    return written(result)


def filled(text: str) -> str:
    tables = {
        "pack": pack_table,
        "packs": packs_table,
        "editing": editing_table,
        "speed": speed_table,
        "published": published_table,
    }
    tables |= {name: partial(video_set_table, name) for name in ("ravdess", "clips")}
    for name, rows in tables.items():
        block = f"<!-- table: {name} -->\n" + "\n".join(rows()) + "\n<!-- end -->"
        text = re.sub(rf"<!-- table: {name} -->.*?<!-- end -->", lambda _, b=block: b, text, flags=re.S)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the README is not up to date")
    options = parser.parse_args()
    readme = ROOT / "README.md"
    text = filled(readme.read_text(encoding="utf-8"))
    if options.check:
        raise SystemExit(0 if text == readme.read_text(encoding="utf-8") else "README.md is not up to date")
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
