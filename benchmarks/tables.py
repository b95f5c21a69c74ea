"""Fill the tables of README and docs: python -m benchmarks.tables [--check].

A table stands between <!-- table: NAME --> and <!-- end -->. Figures come out of benchmarks/results and the packs'
cards, the commands' options out of the program itself. --check changes nothing, and fails if something is stale.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import commands, papers
from benchmarks.ablation import report as ablation
from benchmarks.disentanglement import report as disentanglement
from benchmarks.driving import report as driving
from benchmarks.faults import report as faults
from benchmarks.inversion import report as inversion
from benchmarks.output import RESULTS, ROOT
from benchmarks.ravdess.report import written
from benchmarks.scaling import report as scaling
from benchmarks.speed import report as frames
from vidinv.packs.locate import DEFAULT_PACK
from vidinv.packs.spec import CONVINCING


def result(name: str) -> dict:
    return json.loads((RESULTS / name).read_text())


def measured_with(name: str, table: Callable[[dict], list[str]], command: str) -> list[str]:
    """The table of one result; where nobody published any, what would."""
    if not (RESULTS / name).exists():
        return [f"Not measured on a quiet machine yet: `python -m {command} --publish`."]
    return table(result(name))


def card(pack: str) -> dict:
    return json.loads((ROOT / "assets" / "models" / pack / "card.json").read_text())["figures"]


def graded(pack: str) -> dict[str, str]:
    """The edits of a pack with their grades, best first, those that are called experimental apart."""
    edits = tomllib.loads((ROOT / "assets" / "models" / pack / "pack.toml").read_text())["edits"]
    ranked = sorted(edits, key=lambda name: -edits[name]["grade"])
    passing = [n for n in ranked if edits[n]["grade"] >= CONVINCING]
    apart = {"passing": passing, "experimental": [n for n in ranked if n not in passing]}
    return {k: ", ".join(f"{n} {edits[n]['grade']:.1f}" for n in names) or "none" for k, names in apart.items()}


def summary_table() -> list[str]:
    """The README's one table: the default pack in five lines."""
    made, edits = card(DEFAULT_PACK)["reconstruction"], card(DEFAULT_PACK)["edits"]
    means, speed, memory = result("clips/results.json")["means"], result("speed.json"), result("memory.json")
    faults = result("faults.json")["kinds"].values()
    age, smile, clips = edits["age"]["2.0"], edits["smile"]["2.0"], means["edits"]["age=+2"]
    looks = graded(DEFAULT_PACK)
    held = f"{clips['tl_id']:.3f}, {clips['tg_id']:.3f}, {clips['warping_error_faces_ratio']:.3f}"
    return [
        f"| `{DEFAULT_PACK}`, measured | |",
        "| --- | --- |",
        f"| inversion of faces that it was not trained on: PSNR, SSIM, LPIPS, identity | {made['psnr']:.1f} dB, "
        f"{made['ssim']:.3f}, {made['lpips']:.3f}, {made['identity']:.3f} |",
        f"| `age=+2`, `smile=+2` on such faces: change, identity kept | {age['change']['age']:+.1f} years, "
        f"{age['identity']:.2f}; {smile['change']['smile']:+.2f} P(happy), {smile['identity']:.2f} |",
        f"| how edits look at two steps to blind readers, 1 (painted) to 5 (a photograph) | {looks['passing']} |",
        f"| the same of edits called experimental: most readers see that they are painted | {looks['experimental']} |",
        f"| `age=+2` on {means['videos']} clips: TL-ID, TG-ID, warping error of the faces over the source's own (1 is "
        f"best) | {held} |",
        f"| 1280x720, one face, {speed['machine'].split(', torch')[0]}: frames per second; peak memory, "
        f"{memory['frames'][0]} and {memory['frames'][1]} frames | {speed['frames_per_second']}; "
        f"{memory['peak_mib'][0]:.0f} and {memory['peak_mib'][1]:.0f} MiB |",
        f"| hostile files, packs and weights, signals, kills, early closes: ended as they should | "
        f"{sum(kind['right'] for kind in faults)} of {sum(kind['trials'] for kind in faults)} |",
    ]


def domain_table() -> list[str]:
    """The codes of both of the default pack's encoders, without F."""
    domain, rows = card(DEFAULT_PACK)["domain"], []
    for text, name in (("Feature-Style encoder", "feature_style"), ("domain-guided encoder", "domain")):
        f = domain[name]
        cells = (f"{f['psnr']:.1f} dB", *(f"{f[k]:.3f}" for k in ("ssim", "lpips", "identity")), f"{f['domain']:.2f}")
        rows.append(f"| {text} | {' | '.join(cells)} |")
    head = "| G(w), with w of the | PSNR | SSIM | LPIPS-squeeze | identity | out of the domain |"
    return [head, "| --- | --- | --- | --- | --- | --- |", *rows]


def pack_table() -> list[str]:
    pack = ROOT / "assets" / "models" / DEFAULT_PACK
    figures = card(pack.name)
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


def edits_table() -> list[str]:
    """What the default pack's edits do, for whoever asks for them."""
    spec = tomllib.loads((ROOT / "assets" / "models" / DEFAULT_PACK / "pack.toml").read_text())
    rows = ["| edit | what it does | one step | region | looks, of 5 |", "| --- | --- | --- | --- | --- |"]
    for name, edit in spec["edits"].items():
        step, grade = edit["step"].removesuffix(", as the labelling network sees it"), edit.get("grade")
        looks = "-" if grade is None else f"{grade:.1f}"
        rows.append(f"| `{name}` | {edit['text']} | {step} | {edit.get('region', 'face')} | {looks} |")
    return rows


def packs_table() -> list[str]:
    """The packs side by side: what the feature code's resolution buys and costs."""
    rows = [
        "| pack | F | PSNR | SSIM | LPIPS | identity | G(w) alone: LPIPS, identity | age +2: years, identity kept "
        "| smile +2: P(happy), identity kept |",
        "| --- |" + " --- |" * 8,
    ]
    for folder in sorted(p.parent for p in (ROOT / "assets" / "models").glob("*/card.json")):
        figures = card(folder.name)
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
    clips = result("editing.json")["clips"]
    # Results from before this was measured have no such figure.
    steady = any("steadiness_age" in r for r in clips.values())
    head = ["clip", "years reached", "TL-ID", "TG-ID", "warping error, frame", "in the crops"]
    head += ["identity, edit to source", *(["deviation of the change, years"] if steady else [])]
    rows = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for clip, r in clips.items():
        if "error" in r:
            rows.append(f"| {clip} | {r['error'].split(':')[0]} |" + " |" * (len(head) - 2))
            continue
        cells = [f"{r['attributes']['age']['change']:+.1f}"]
        keys = ("tl_id", "tg_id", "warping_error_ratio", "warping_error_ratio_faces", "identity_edited")
        cells += [f"{r[k]:.3f}" for k in keys]
        cells += [f"{r['steadiness_age']:.2f}" if "steadiness_age" in r else "-"] if steady else []
        rows.append(f"| {clip} | {' | '.join(cells)} |")
    return rows


def nod_table() -> list[str]:
    kept = result("editing.json")["nod_kept_at_25_fps"]
    return [
        f"| a nod at | {' | '.join(kept)} |",
        "|" + " --- |" * (len(kept) + 1),
        f"| share of its amplitude that the smoothed crops keep | {' | '.join(f'{v:.2f}' for v in kept.values())} |",
    ]


def generator_table() -> list[str]:
    told = result("generator.json")
    rows = ["| set | Fréchet distance | sliced Wasserstein distance |", "| --- | --- | --- |"]
    rows += [f"| {n} | {v['frechet']:.3f} | {v['sliced_wasserstein']:.4f} |" for n, v in told["distances"].items()]
    space, moved = told["dci"], told["equivariance"]
    dci = ", ".join(f"{space[k]:.2f}" for k in ("disentanglement", "completeness", "informativeness"))
    return [
        *rows,
        "",
        "| | |",
        "| --- | --- |",
        f"| DCI of {space['dimensions']} dimensions over {', '.join(space['factors'])}: D, C, I | {dci} |",
        f"| EQ-T, EQ-R of {moved['moved']} | {moved['eq_t']:.1f} dB, {moved['eq_r']:.1f} dB |",
        "",
        f"{told['pack']['name']}, {told['faces']} faces kept for validation; features: {told['features']}; labels of "
        f"DCI: {space['labelled_by']}, cut at the median.",
    ]


def speed_table() -> list[str]:
    speed, memory = result("speed.json"), result("memory.json")
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


def latent_table() -> list[str]:
    told = result("latent.json")
    rows = [
        "| method, clip, frames | first edit | codes kept by the way | inverted alone | second edit | over the first "
        "| the same, F computed again | kB per frame, without F |",
        "| --- |" + " --- |" * 7,
    ]
    for name, row in told["clips"].items():
        spent = row["cpu_seconds"]
        names = ("first edit", "first edit, codes kept", "inverted alone", "second edit")
        cells = [f"{name}, {row['frames']}", *(f"{spent[n]:.1f} s" for n in names)]
        ratios = row["second_over_first"], row["second_over_first_f_computed_again"]
        cells += [f"{ratio:.2f}" for ratio in ratios]
        cells.append(f"{row['kilobytes_per_frame']:.0f}, {row['kilobytes_per_frame_without_f']:.0f}")
        rows.append(f"| {' | '.join(cells)} |")
    stages = ", ".join(f"{name} {ms:.1f}" for name, ms in told["cpu_ms_per_frame"].items())
    return [
        *rows,
        "",
        f"{told['pack']['name']}, CPU seconds, {told['machine']}. CPU milliseconds per frame of each stage alone, by "
        f"the encoder: {stages}.",
    ]


def published_table() -> list[str]:
    results = result("published.json")
    rows = [f"| 1024 px, {results['mib']} MiB of weights, {results['machine']} | |", "| --- | --- |"]
    rows += [f"| start-up, {name} | {row['cpu_seconds']:.2f} CPU s |" for name, row in results["start_up"].items()]
    for name, row in results["per_face"].items():
        times = f"{row['invert_ms']:.0f}, {row['render_pair_ms']:.0f}, {row['identity_ms']:.0f} {results['clock']} ms"
        rows.append(f"| a face, {name}: invert, draw both pictures, recognise | {times} |")
        rows.append(f"| peak memory, {name} | {row['peak_mib']} MiB |")
    return rows


def video_set_table(name: str) -> list[str]:
    """Of benchmarks.ravdess: "ravdess", beside the published rows, or "clips", one by one."""
    return written(result(f"{name}/results.json"))


def holding_table() -> list[str]:
    """What leaks without and with holding, told by two rulers."""
    told = result("holding.json")
    head = (
        f"| {told['pack']['name']} | leak, pack's network | leak, labelling networks | effect kept | identity | CPU |"
    )
    rows = [head, "|" + " --- |" * 6]
    for row in told["rows"]:
        cells = [f"{row[r]['without']['size']:.2f} → {row[r]['with']['size']:.2f} sd" for r in ("pack", "labellers")]
        cells.append(f"{row['effect']['with'] / row['effect']['without']:.2f}")
        cells.append(f"{row['identity']['without']:.2f} → {row['identity']['with']:.2f}")
        cells.append(f"{row['seconds_per_face']:.2f} s")
        rows.append(f"| `{row['edit']}`, {row['held']} held | {' | '.join(cells)} |")
    return rows


def inversion_table(name: str) -> list[str]:
    return inversion.TABLES[name](result("inversion/results.json"))


TABLES: dict[str, Callable[[], list[str]]] = {
    "summary": summary_table,
    "pack": pack_table,
    "domain": domain_table,
    "packs": packs_table,
    "edits": edits_table,
    "editing": editing_table,
    "nod": nod_table,
    "ravdess": partial(video_set_table, "ravdess"),
    "clips": partial(video_set_table, "clips"),
    "speed": speed_table,
    "speed stages": partial(measured_with, "speed-stages.json", frames.stages, "benchmarks.speed CLIP --stages"),
    "speed against": lambda: frames.against(result("against.json")),
    "peers": partial(measured_with, "peers.json", frames.peers, "benchmarks.peers CLIP"),
    "growth": partial(measured_with, "growth.json", frames.growth, "benchmarks.growth CLIP"),
    "latent": latent_table,
    "holding": holding_table,
    "published": published_table,
    "generator": generator_table,
    "ablation": lambda: ablation.table(result("ablation.json")),
    "driving": lambda: driving.table(result("driving.json")),
    "scaling": lambda: scaling.table(result("scaling.json")),
    "cost": lambda: scaling.cost(result("speed.json")),
    "disentanglement": lambda: disentanglement.spaces_table(result("disentanglement.json")),
    "disentangled edits": lambda: disentanglement.edits_table(result("disentanglement.json")),
    **papers.TABLES,
    **{name: partial(inversion_table, name) for name in inversion.TABLES},
    "faults": lambda: faults.table(result("faults.json")),
    "commands": commands.commands,
    "exit codes": commands.exit_codes,
}


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def filled(text: str) -> str:
    """A document with its tables up to date. Raises a KeyError for a table that nobody knows."""

    def block(found: re.Match[str]) -> str:
        return f"<!-- table: {found[1]} -->\n" + "\n".join(TABLES[found[1]]()) + "\n<!-- end -->"

    return re.sub(r"<!-- table: (.*?) -->.*?<!-- end -->", block, text, flags=re.S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if a document is not up to date")
    options = parser.parse_args()
    stale = []
    for path in documents():
        before = path.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            stale.append(path.relative_to(ROOT))
            if not options.check:
                path.write_text(after, encoding="utf-8")
    for path in stale:
        print(f"{path}: {'not up to date' if options.check else 'filled'}")
    raise SystemExit(1 if options.check and stale else 0)


if __name__ == "__main__":
    main()
