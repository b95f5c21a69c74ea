"""Write the README's tables from the results: python -m benchmarks.readme_tables [--check]."""

from __future__ import annotations

import argparse
import json
import re
from functools import partial
from pathlib import Path

from benchmarks.ravdess.report import written

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def pack_table() -> list[str]:
    card = json.loads((ROOT / "assets" / "models" / "face-128" / "card.json").read_text())
    inversion, edits = card["figures"]["reconstruction"], card["figures"]["edits"]
    rows = [
        "| validation faces | |",
        "| --- | --- |",
        "| inversion G(w, F): PSNR / SSIM / LPIPS-squeeze / identity "
        f"| {inversion['psnr']:.1f} dB / {inversion['ssim']:.3f} / {inversion['lpips']:.3f} "
        f"/ {inversion['identity']:.3f} |",
        f"| G(w) alone: LPIPS-squeeze / identity | {inversion['lpips_w']:.3f} / {inversion['identity_w']:.3f} |",
    ]
    attributes = {"age": "years", "smile": "P(happy)", "gender": "P(male)"}
    for name, effects in edits.items():
        up, unit = effects["2.0"], attributes.get(name, "sd")
        leak = max(abs(up["moved"][a]) for a in attributes if a != name)
        rows.append(
            f"| {name} +2: change / identity kept / largest leak | {up['change'][name]:+.2f} {unit} / "
            f"{up['identity']:.3f} / {leak:.2f} sd |"
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
    tables = {"pack": pack_table, "editing": editing_table, "speed": speed_table, "published": published_table}
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
