"""Edit every clip of a folder and measure what came out: identity, flicker, effect, and what else survived.

    python -m benchmarks.editing CLIPS [--edit age=+2] [--composite detail] [--sheets FOLDER] [--publish | --out FILE]

The output is encoded without loss, so that the codec's own noise is not counted as flicker.
Per clip: TL-ID and TG-ID, warping error of the output over the source's own (whole frame, and inside the face crops
only), identity consistency, change of the attribute and its deviation over time. Once: how much of a nod the smoothing
of the crops keeps. With --sheets, one PNG per clip: source, inversion, edit, frame.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.editing.nod import nod_kept
from benchmarks.faces import aligned
from benchmarks.output import add_output, destination, write_atomically
from vidinv import EncodeOptions, VideoEditor, VidinvError
from vidinv.edits.parse import EditRequest, parse_edits
from vidinv.faces.warps import crop
from vidinv.metrics.identity import global_consistency, local_consistency
from vidinv.metrics.seam import steadiness
from vidinv.metrics.temporal import warping_error
from vidinv.models.pictures import to_tensor
from vidinv.stages.decode import decode
from vidinv.types import known

SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v", ".webm")


def measure(editor: VideoEditor, source: Path, output: Path, every: int, edit: str) -> dict[str, float]:
    """Compare two videos frame by frame, faces found in the source."""
    pack = editor.pack
    faces: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    errors: list[tuple[float, float, float, float]] = []
    previous = None
    for placed, edited in zip(aligned(source, pack), decode(output), strict=True):
        frame, region = placed.frame, np.zeros(edited.image.shape[:2], np.uint8)
        for face in placed.faces:
            quad = known(face.quad)
            pair = known(face.crop), crop(edited.image, quad, pack.resolution)
            faces.setdefault(face.person, []).append(pair)
            cv2.fillConvexPoly(region, np.round(quad).astype(np.int32), 1)
        if previous is not None and frame.index % every == 0 and not frame.cut and region.any():
            both = (previous[0], frame.image), (previous[1], edited.image)
            errors.append((*warping_error(*both), *warping_error(*both, region > 0)))
        previous = frame.image, edited.image
    longest = max(faces.values(), key=len)
    source_ids, edited_ids = (embed(editor, [pair[i] for pair in longest]) for i in (0, 1))
    sums = np.nansum(np.array(errors), 0)
    held = {}
    for name in {r.name for r in parse_edits(edit) if isinstance(r, EditRequest)} & set(pack.scores):
        before, after = (scores(editor, [pair[i] for pair in longest], name) for i in (0, 1))
        held[f"steadiness_{name}"] = steadiness(before, after)
    return held | {
        "tl_id": local_consistency(source_ids, edited_ids),
        "tg_id": global_consistency(source_ids, edited_ids),
        "warping_error_ratio": float(sums[1] / sums[0]),
        "warping_error_ratio_faces": float(sums[3] / sums[2]),
        "identity_edited": float((source_ids * edited_ids).sum(1).mean()),
    }


@torch.inference_mode()
def embed(editor: VideoEditor, crops: list[np.ndarray]) -> np.ndarray:
    made = [editor.pack.identity(to_tensor(crops[i : i + 32])) for i in range(0, len(crops), 32)]
    return torch.cat(made).numpy()


@torch.inference_mode()
def scores(editor: VideoEditor, crops: list[np.ndarray], name: str) -> np.ndarray:
    """Of the attribute network, crop by crop, in the edit's own unit."""
    made = [editor.pack.attributes(to_tensor(crops[i : i + 32])).score(name) for i in range(0, len(crops), 32)]
    return torch.cat(made).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--edit", default="age=+2")
    parser.add_argument("--composite", default="detail")
    parser.add_argument("--only", help="part of the file name")
    parser.add_argument(
        "--every",
        type=int,
        default=7,
        help="frames between two readings of the warping error; no multiple of a pulldown",
    )
    parser.add_argument("--pack")
    parser.add_argument("--sheets", type=Path)
    add_output(parser)
    options = parser.parse_args()
    editor, results = VideoEditor(options.pack), dict[str, dict[str, Any]]()
    clips = sorted(
        p for p in options.clips.rglob("*") if p.suffix.lower() in SUFFIXES and (options.only or "") in p.name
    )
    for clip in clips:
        with tempfile.TemporaryDirectory() as name:
            output = Path(name) / f"edited{clip.suffix}"
            try:
                report = editor.edit_video(
                    clip,
                    output,
                    options.edit,
                    composite=options.composite,
                    output=EncodeOptions(crf=0, preset="ultrafast"),
                )
                row: dict[str, Any] = dict(measure(editor, clip, output, options.every, options.edit))
            except VidinvError as error:
                results[clip.name] = {"error": type(error).__name__}
                print(clip.name, results[clip.name], flush=True)
                continue
        row |= {
            "identity_consistency": {k: report.identity_consistency[k] for k in ("source", "inversion", "edited")},
            "identity_inversion": report.identity_similarity["inversion"],
            "attributes": report.attributes,
            "frames_per_second": report.frames / report.seconds,
        }
        results[clip.name] = row
        print(clip.name, json.dumps(row), flush=True)
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
            shown = sorted(report.series, key=lambda s: -s.weight)[
                len(report.series) // 3 : len(report.series) // 3 + 1
            ]
            at = (shown[0].time or 0.0) if shown else 0.0
            sheet = editor.preview(clip, at, options.edit, composite=options.composite).sheet()
            cv2.imwrite(str(options.sheets / f"{clip.stem}.png"), sheet[..., ::-1])
    told = {"edit": options.edit, "pack": editor.pack.name, "nod_kept_at_25_fps": nod_kept(25.0), "clips": results}
    print(json.dumps(told["nod_kept_at_25_fps"]))
    write_atomically(destination(options, "editing.json"), told)


if __name__ == "__main__":
    main()
