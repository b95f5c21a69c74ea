"""From the figures of all rows to a table."""

from __future__ import annotations

from typing import Any

# Herrmann and Zengerle 2020, 128 px: FID of reconstruction and manipulation, Hausdorff distance, CSIM.
PUBLISHED = (33.2, 36.7, 0.186, 0.480)
TITLES = {
    "full": "latent difference encoder: landmark picture, difference, cycle of latents",
    "keypoints": "landmarks as a vector",
    "naive": "naive encoder: w_hat itself, not a difference",
    "image-cycle": "cycle of pictures",
    "no-cycle": "no cycle",
    "moved": "`vidinv run --drive`: the picture moved by its landmarks; nothing trained",
    "still": "not driven at all",
}
COLUMNS = ("Fréchet, driven by itself", "Fréchet, driven", "Hausdorff", "mean distance of landmarks", "CSIM")


def table(result: dict[str, Any]) -> list[str]:
    """Markdown: the published row, a row for each run, and what the figures are of."""
    recon, manipulated, far, who = PUBLISHED
    rows = [
        f"| driven by | {' | '.join(COLUMNS)} |",
        "| --- |" + " --- |" * len(COLUMNS),
        f"| *published: latent difference encoder, 128 px* | *{recon} (FID)* | *{manipulated} (FID)* | *{far}* | "
        f"| *{who:.3f}* |",
    ]
    found = result["rows"]
    for name, title in ((n, t) for n, t in TITLES.items() if n in found):
        v = found[name]
        cells = [f"{v['recon']:.1f}", f"{v['manipulated']:.1f}", f"{v['hausdorff']:.3f}", f"{v['distance']:.4f}"]
        rows.append(f"| {title} | {' | '.join(cells)} | {v['csim']:.3f} |")
    budgets = sorted({(b["images"], b["batch"]) for b in result["budgets"].values()})
    told = " or ".join(f"{images} faces in batches of {batch}" for images, batch in budgets) or "nothing"
    networks = result["networks"]
    return [
        *rows,
        "",
        f"Trained on {told}, the same for every row; {result['faces']} faces kept for validation, "
        f"{result['resolution']} px, pack {result['pack']}. Hausdorff and mean distance: between the landmarks asked "
        f"for and those of the picture made ({networks['landmarks']}), shares of the crop's side. CSIM: driven picture "
        f"and inversion, {networks['identity']}, the former where the landmarks asked for are, which costs a face that "
        f"nobody drives a little too. Fréchet distance to the photographs on: {networks['frechet']}.",
        *(f"Missing: {TITLES[name]}, whose training has not ended." for name in result["missing"]),
    ]
