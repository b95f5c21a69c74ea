"""Align every face with the pack's template, label it with the labelling networks and write shards and a manifest.

    python -m pipelines.prepare_faces --faces FACES --labellers LABELLERS --out data/faces-128 [--size 128]
    python -m pipelines.prepare_faces ... --out data/faces-256 --size 256 --least-side 200 --shard-mib 30

FACES holds one zip per set and labels.csv (columns set, file, split, age, sex), or pairs.zip and pairs.csv (set,
person, file): several pictures of each person. A face is left out when the detector misses it, when too much of its
crop lies outside the picture, when fewer of its pixels than --least-side lie across the crop, when black corners are in
it, or when labels/watermarks.csv names it; the manifest counts why.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.faces.quads import quad_from_points, quad_side, quad_to_affine, transform_points
from vidinv.faces.warps import crop
from vidinv.models.face_detector import FaceDetector
from vidinv.models.pictures import to_tensor
from vidinv.training import teachers
from vidinv.training.sampling import balance, balanced_weights
from vidinv.training.shards import read_crops, read_names, write_shards
from vidinv.training.sheets import write_sheet
from vidinv.training.sources import read_rows

OUTSIDE_LIMIT = 0.25  # share of the crop that reflection may fill: past it eyes appear twice
WATERMARKS = Path(__file__).parent / "labels" / "watermarks.csv"
BLACK_LIMIT = 0.06  # share of pure black inside the picture: corners of rotated originals


def skin_brightness(aligned: NDArray[np.uint8]) -> float:
    """Mean over the channels of the median colour from the brows to the upper lip, 0..255, of a crop of any size."""
    part = len(aligned) / 128
    middle = aligned[round(48 * part) : round(90 * part), round(30 * part) : round(98 * part)]
    return float(np.median(middle.reshape(-1, 3), 0).mean())


def without_watermarks(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of the table of faces whose pictures bear no stock agency's mark."""
    marked = read_names(WATERMARKS)
    return [r for r in rows if (r["set"], r["file"]) not in marked]


def prepare(task: tuple[Path, Path, list[dict[str, str]], int, float]) -> tuple[list[bytes], dict, Counter]:
    """One batch of rows of the table: JPEG crops, labels and the reasons for what was left out."""
    faces, labellers, rows, size, least_side = task
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    nets, detector = teachers.load_teachers(labellers), FaceDetector(50, 0.6)
    kept, reasons = [], Counter[str]()
    archives = {s: zipfile.ZipFile(faces / f"{s}.zip") for s in {r["set"] for r in rows}}
    for row in rows:
        picture = cv2.imdecode(np.frombuffer(archives[row["set"]].read(row["file"]), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None, f"{row['file']} of {row['set']}.zip cannot be decoded"
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        pad = max(picture.shape) // 4
        padded = np.asarray(cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REFLECT_101), np.uint8)
        found = detector(padded)
        if not len(found) or found.scores[0] < 0.9:
            reasons["no face found"] += 1
            continue
        quad = quad_from_points(found.points[0])
        if quad_side(quad) < least_side:
            reasons["too few pixels"] += 1
            continue
        inside = np.zeros(padded.shape[:2], np.uint8)
        inside[pad:-pad, pad:-pad] = 255
        covered = cv2.warpAffine(inside, quad_to_affine(quad, size), (size, size))
        if (covered < 128).mean() > OUTSIDE_LIMIT:
            reasons["crop lies outside the picture"] += 1
            continue
        aligned = crop(padded, quad, size)
        if ((aligned.max(2) < 3) & (covered > 127)).mean() > BLACK_LIMIT:
            reasons["black corners"] += 1
            continue
        kept.append((row, padded, found.boxes[0], found.points[0], quad, aligned))
    if not kept:
        return [], {}, reasons
    labels = teachers.label(nets, [k[1] for k in kept], np.stack([k[2] for k in kept]))
    maps = [quad_to_affine(k[4], size) for k in kept]
    labels["points68"] = np.stack([transform_points(m, p) for m, p in zip(maps, labels["points68"], strict=True)])
    labels["points5"] = np.stack([transform_points(m, k[3]) for m, k in zip(maps, kept, strict=True)])
    labels["side"] = np.array([quad_side(k[4]) for k in kept], np.float32)
    labels["set"] = np.array([k[0]["set"] for k in kept])
    labels["file"] = np.array([k[0]["file"] for k in kept])
    labels["val"] = np.array([k[0]["split"] == "val" for k in kept])
    labels["stated_age"] = np.array([float(k[0]["age"] or "nan") for k in kept], np.float32)
    labels["stated_sex"] = np.array([k[0]["sex"] for k in kept])
    labels["skin"] = np.array([skin_brightness(k[5]) for k in kept], np.float32)
    # Landmarks of two networks that disagree mean that one of them looked at something else.
    eyes = np.stack([labels["points68"][:, 36:42].mean(1), labels["points68"][:, 42:48].mean(1)], 1)
    agree = np.abs(eyes - labels["points5"][:, :2]).max((1, 2)) < 0.12 * size
    reasons["landmarks disagree"] += int((~agree).sum())
    jpegs = [cv2.imencode(".jpg", k[5][..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for k in kept]
    return [j for j, a in zip(jpegs, agree, strict=True) if a], {k: v[agree] for k, v in labels.items()}, reasons


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--labellers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--least-side", type=float, default=0, help="pixels of the original across a crop, at least")
    parser.add_argument("--shard-mib", type=int, default=48, help="shards of at most so many MiB")
    parser.add_argument("--limit", type=int, help="stop after so many pictures (rehearsal)")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    rows = read_rows(options.faces)
    rows = np.random.default_rng(0).permutation(np.array(rows, object))[: options.limit].tolist()
    clean, how = without_watermarks(rows), (options.size, options.least_side)
    tasks = [(options.faces, options.labellers, clean[i : i + 256], *how) for i in range(0, len(clean), 256)]
    crops, tables, reasons = [], [], Counter({"watermark": len(rows) - len(clean)})
    with ProcessPoolExecutor(options.processes) as pool:
        for done, (jpegs, labels, why) in enumerate(pool.map(prepare, tasks), 1):
            crops += jpegs
            tables += [labels] if labels else []
            reasons += why
            print(f"{min(done * 256, len(clean))}/{len(clean)} pictures, {len(crops)} kept", flush=True)
    labels = {k: np.concatenate([t[k] for t in tables]) for k in tables[0]}
    write_shards(options.out, crops, labels, options.shard_mib)
    manifest = {
        "pictures": len(rows),
        "kept": len(crops),
        "left_out": dict(reasons),
        "per_set": {s: int((labels["set"] == s).sum()) for s in np.unique(labels["set"])},
        "validation": int(labels["val"].sum()),
        "balance": balance({k: v[~labels["val"]] for k, v in labels.items()}),
        "predicted_age_mean_sd": [float(labels["age"].mean()), float(labels["age"].std())],
        "predicted_male_share": float((labels["male"] > 0.5).mean()),
    }
    (options.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    drawn = np.random.default_rng(0).choice(len(crops), 96, p=balanced_weights(labels))
    pictures = to_tensor(read_crops(options.out, drawn))
    write_sheet(options.out / "sheet.png", list(pictures.split(16)))
    print(json.dumps(manifest, indent=2))


if __name__ == "__main__":
    main()
