"""What the way through RGB does to pictures that nobody edits, before they are encoded: dB of each plane, and ms.

    python -m benchmarks.speed.untouched CLIP... [--frames 50]

Beside it what a run hands to the encoder: the samples that differ from what was decoded, which are to be none.
"""

from __future__ import annotations

import argparse
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from vidinv.video import Reader
from vidinv.video.pixels import Decoded, YuvConverter


def planes(frame: Any) -> list[np.ndarray]:
    rows = ((p, np.frombuffer(memoryview(p), np.uint8).reshape(-1, p.line_size)) for p in frame.planes)
    return [view[: p.height, : p.width] for p, view in rows]


def looked_at(clip: Path, count: int) -> str:
    squares, spent, differ, frames = np.zeros(3), np.zeros(2), 0, 0
    with Reader(clip) as reader:
        to_yuv = YuvConverter(reader.info, reader.info.pix_fmt.replace("yuvj", "yuv"))
        for frame in islice(reader.frames(compact=True), count):
            if not isinstance(frame.coded, Decoded) or not frame.coded.cuttable:
                return f"{clip.name}: {reader.info.pix_fmt} goes through RGB as a whole"
            begun = time.process_time()
            converted = to_yuv(frame.picture())
            then = time.process_time()
            passed = to_yuv.encodable(frame)
            spent += then - begun, time.process_time() - then
            own, frames = planes(frame.coded.frame), frames + 1
            differ += sum(int((a != b).sum()) for a, b in zip(own, planes(passed), strict=True))
            pairs = zip(own, planes(converted), strict=True)
            squares += [np.square(a.astype(np.float32) - b).mean() for a, b in pairs]
    decibels = "; ".join(f"{d:.1f}" for d in 10 * np.log10(255**2 / np.maximum(squares / frames, 1e-9)))
    through, past = 1000 * spent / frames
    return f"{clip.name}: Y; U; V {decibels} dB, {through:.2f} ms; passed on {differ} samples differ, {past:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=50)
    options = parser.parse_args()
    for clip in options.clips:
        print(looked_at(clip, options.frames), flush=True)


if __name__ == "__main__":
    main()
