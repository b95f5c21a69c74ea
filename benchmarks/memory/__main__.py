"""Peak memory of a run on a clip and on the same clip looped, each in a process of its own.

python -m benchmarks.memory CLIP [--times 10] [--publish | --out FILE.json]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.output import add_output, destination, tell
from vidinv.stages.decode import decode
from vidinv.stages.encode import encode
from vidinv.types import Frame
from vidinv.video import probe

CHILD = """
import resource, sys, vidinv
report = vidinv.edit_video(sys.argv[1], sys.argv[2], sys.argv[3])
print(report.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def looped(clip: Path, times: int) -> Iterator[Frame]:
    """The clip's frames over and over, times and indices going on."""
    info, start, count = probe(clip), 0, 0
    for _ in range(times):
        last = start
        for frame in decode(clip):
            last = start + frame.pts
            yield replace(frame, pts=last, index=count, time=last * info.time_base)
            count += 1
        start = last + round(1 / (info.rate * info.time_base))


def peak(clip: Path, folder: Path, edit: str) -> tuple[int, float]:
    """Frames, and peak resident memory in MiB, of a run."""
    command = [sys.executable, "-c", CHILD, str(clip), str(folder / f"out-{clip.stem}.mp4"), edit]
    frames, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(frames), float(memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--edit", default="age=+2")
    parser.add_argument("--times", type=int, default=10)
    add_output(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for times in (1, options.times):
            for _ in encode(looped(options.clip, times), folder / f"x{times}.mp4", probe(options.clip)):
                pass
        once = peak(folder / "x1.mp4", folder, options.edit)
        many = peak(folder / f"x{options.times}.mp4", folder, options.edit)
    result = {
        "clip": options.clip.name,
        "frames": [once[0], many[0]],
        "peak_mib": [round(once[1], 1), round(many[1], 1)],
        "ratio": round(many[1] / once[1], 3),
    }
    tell(result, destination(options, "memory.json"))


if __name__ == "__main__":
    main()
