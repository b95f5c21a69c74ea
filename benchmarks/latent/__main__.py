"""CPU seconds of a first edit, of inverting alone, and of a second edit from the codes that were kept.

    python -m benchmarks.latent CLIP [CLIP ...] [--frames 100] [--searched 8] [--repeats 2]
        [--publish | --out FILE.json]

Each clip's first frames by the encoder; then the first clip's first few by a search (image2stylegan). Runs alternate
and of each the quickest counts, with one thread for networks, so that none waits at the cost of CPU seconds. Beside
them what every stage takes alone: those from edit on are left to do whatever was kept.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.output import add_output, destination, tell
from benchmarks.speed.__main__ import first_frames, stages_alone
from vidinv import VideoEditor
from vidinv.types import Faces, known
from vidinv.video import probe

EDIT, SECOND = "age=+2", "smile=+2"
KEPT = ("detect", "align", "invert")


def cpu_seconds(run: Callable[[], Any]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def measured(editor: VideoEditor, clip: Path, folder: Path, repeats: int) -> dict[str, Any]:
    """Of one clip and one method."""
    whole, small = folder / "whole", folder / "small"

    def edit(name: str, request: str, **options: Any) -> Callable[[], Any]:
        return lambda: editor.edit_video(clip, folder / f"{name}-{at}.mp4", request, **options)

    runs: dict[str, list[float]] = {}
    for at in range(repeats):
        ways = {
            "first edit": edit("first", EDIT),
            "first edit, codes kept": edit("keeping", EDIT, keep_codes=folder / f"by-the-way-{at}"),
            "inverted alone": lambda: editor.keep_codes(clip, whole, overwrite=True),
            "second edit": edit("second", SECOND, codes=whole),
        }
        if at == 0:
            editor.keep_codes(clip, small, features=False)
        ways["second edit, F computed again"] = edit("again", SECOND, codes=small)
        for name, way in ways.items():
            runs.setdefault(name, []).append(cpu_seconds(way))
    direct = editor.render(None, editor.analyse(clip), EDIT, rate=float(probe(clip).rate))
    same = [np.array_equal(a, b) for a, b in zip(drawn(direct), drawn(editor.render(clip, whole, EDIT)), strict=True)]
    seconds = {name: min(some) for name, some in runs.items()}
    return {
        "frames": len(same),
        "cpu_seconds": {name: round(value, 2) for name, value in seconds.items()},
        "second_over_first": round(seconds["second edit"] / seconds["first edit"], 3),
        "second_over_first_f_computed_again": round(
            seconds["second edit, F computed again"] / seconds["first edit"], 3
        ),
        "kilobytes_per_frame": round(size(whole) / len(same) / 1000, 1),
        "kilobytes_per_frame_without_f": round(size(small) / len(same) / 1000, 1),
        "same_frames_as_the_direct_run_before_encoding": all(same),
    }


def drawn(stream: Iterable[Faces]) -> Iterator[NDArray[np.uint8]]:
    return (known(faces.output).image for faces in stream)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--searched", type=int, default=8, help="frames that are inverted by a search")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--pack")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    add_output(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    means = {"device": options.device, "precision": options.precision}
    editor, rows = VideoEditor(options.pack, **means), {}
    with tempfile.TemporaryDirectory() as name:
        for clip in options.clips:
            folder = Path(name) / clip.stem
            folder.mkdir()
            short = first_frames(clip, options.frames, folder)
            editor.edit_video(short, folder / "warm.mp4", EDIT)
            rows[f"feature-style, {clip.stem}"] = measured(editor, short, folder, options.repeats)
        alone = stages_alone(editor, first_frames(options.clips[0], options.frames, Path(name)), SECOND, Path(name))
        folder = Path(name) / "searched"
        folder.mkdir()
        short = first_frames(options.clips[0], options.searched, folder)
        searching = VideoEditor(options.pack, method="image2stylegan", **means)
        rows[f"image2stylegan, {options.clips[0].stem}"] = measured(searching, short, folder, 1)
    per_frame = {name: round(1e3 * row["cpu"] / max(row["items"], 1), 2) for name, row in alone.items()}
    result = {
        "machine": f"{platform.machine()}, torch {torch.__version__}, {editor.compute.dtype}, one thread for networks",
        "pack": {"name": editor.pack.name, "hash": editor.pack.hash},
        "edits": [EDIT, SECOND],
        "clips": rows,
        "cpu_ms_per_frame": per_frame,
        "share_of_detect_align_invert": round(sum(per_frame[n] for n in KEPT) / sum(per_frame.values()), 3),
    }
    tell(result, destination(options, "latent.json"))


if __name__ == "__main__":
    main()
