"""From the figures of all runs to a table."""

from __future__ import annotations

from typing import Any

# In the table's order: the whole recipe, the paper's three ablations, the other layers for F.
TITLES = {
    "full": "the whole recipe, K = 5",
    "a-single-scale": "(A) LPIPS at one scale",
    "b-no-feature": "(B) no feature branch, G(w)",
    "c-no-synthetic": "(C) real faces alone",
    "k3": "K = 3, F at 8 px",
    "k7": "K = 7, F at 32 px",
}
COLUMNS = ("SSIM", "PSNR", "MSE (-1..1)", "LPIPS", "identity", "Fréchet distance", "G(w) alone: LPIPS, identity")


def table(result: dict[str, Any]) -> list[str]:
    """Markdown: a row for each run, and what the figures are of."""
    rows = [f"| trained with | {' | '.join(COLUMNS)} |", "| --- |" + " --- |" * len(COLUMNS)]
    variants = result["variants"]
    for name, title in ((n, t) for n, t in TITLES.items() if n in variants):
        v = variants[name]
        cells = [f"{v['ssim']:.3f}", f"{v['psnr']:.2f}", f"{4 * v['mse']:.3f}", f"{v['lpips']:.3f}"]
        cells += [f"{v['identity']:.3f}", f"{v['frechet']:.0f}", f"{v['lpips_w']:.3f}, {v['identity_w']:.3f}"]
        rows.append(f"| {title} | {' | '.join(cells)} |")
    seen = sorted({v["images"] for v in variants.values()})
    networks = result["networks"]
    return [
        *rows,
        "",
        f"{' or '.join(map(str, seen))} pictures each; {result['faces']} faces kept for validation, "
        f"{result['resolution']} px; LPIPS: {networks['lpips']}; identity: {networks['identity']}; Fréchet distance "
        f"on: {networks['frechet']}.",
        "The figures of the paper's own Table 4 were not at hand, so none of them stand here.",
        *(f"Missing: {TITLES[name]}, whose training has not ended." for name in result["missing"]),
    ]
