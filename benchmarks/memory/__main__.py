"""Memory, handles and threads of a run: its peak on a clip and on the same clip looped, or all along an hour of it.

python -m benchmarks.memory CLIP [--times 10] [--publish | --out FILE.json]
python -m benchmarks.memory CLIP --minutes 60 [--rate 5] [--pack NAME] [--publish | --out FILE.json]

The second loops the clip at a rate of its own, which says how many frames there are, and reads the process after every
minute of video: what it holds then must not grow.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.output import add_output, destination, tell
from vidinv.stages.decode import decode
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.types import Frame, known
from vidinv.video import VideoInfo, probe

CHILD = """
import resource, sys, vidinv
report = vidinv.edit_video(sys.argv[1], sys.argv[2], sys.argv[3])
print(report.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
WATCHED = """
import json, os, sys, threading, time, vidinv
from pathlib import Path
source, target, edit, pack, minute = sys.argv[1:6]
begun = time.time()
def told(progress):
    if progress.frames % int(minute) == 0:
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        hidden = sum(f.stat().st_size for d in Path(target).parent.glob(".*.run") for f in d.iterdir()) / 2**20
        row = [resident, len(os.listdir("/proc/self/fd")), threading.active_count(), hidden, time.time() - begun]
        print(json.dumps(row), flush=True)
report = vidinv.edit_video(
    source, target, edit, pack=None if pack == "-" else pack, progress=told, series=target + ".series",
    quality=vidinv.QualityOptions(),
)
vidinv.write_report(report, target + ".json")
vidinv.write_report(report, target + ".html")
print(json.dumps({"frames": report.frames, "every": report.series_every, "size": os.path.getsize(target)}))
"""


def looped(clip: Path, times: int) -> Iterator[Frame]:
    """The clip's frames over and over, times and indices going on."""
    info, start, count = probe(clip), 0, 0
    for _ in range(times):
        last = start
        for frame in decode(clip):
            last = start + known(frame.pts)
            yield replace(frame, pts=last, index=count, time=last * info.time_base)
            count += 1
        start = last + round(1 / (info.rate * info.time_base))


def slowed(frames: Iterator[Frame], count: int, info: VideoInfo) -> Iterator[Frame]:
    """The first ``count`` of them at another rate."""
    step = round(1 / (info.rate * info.time_base))
    for index in range(count):
        yield replace(next(frames), pts=index * step, index=index, time=index * step * info.time_base)


def peak(clip: Path, folder: Path, edit: str) -> tuple[int, float]:
    """Frames, and peak resident memory in MiB, of a run."""
    command = [sys.executable, "-c", CHILD, str(clip), str(folder / f"out-{clip.stem}.mp4"), edit]
    frames, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(frames), float(memory)


def twice(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The clip once and looped."""
    for times in (1, options.times):
        for _ in encode(looped(options.clip, times), folder / f"x{times}.mp4", probe(options.clip)):
            pass
    once = peak(folder / "x1.mp4", folder, options.edit)
    many = peak(folder / f"x{options.times}.mp4", folder, options.edit)
    return {
        "frames": [once[0], many[0]],
        "peak_mib": [round(once[1], 1), round(many[1], 1)],
        "ratio": round(many[1] / once[1], 3),
    }


def long(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """An hour of it, read every minute."""
    info = replace(probe(options.clip), rate=Fraction(options.rate), duration=None)
    count, times = options.minutes * 60 * options.rate, options.minutes * 60 * options.rate // 10
    source, target = folder / "long.mp4", folder / "edited.mp4"
    for _ in encode(slowed(looped(options.clip, times), count, info), source, info, EncodeOptions(crf=28)):
        pass
    command = [sys.executable, "-c", WATCHED, source, target, options.edit, options.pack or "-", 60 * options.rate]
    said = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.splitlines()
    rows, last = [json.loads(line) for line in said[:-1]], json.loads(said[-1])
    names = ("resident_mib", "handles", "threads", "hidden_mib", "seconds")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    settled = columns["resident_mib"][1:]
    return {
        "minutes": options.minutes,
        "rate": options.rate,
        "frames": last["frames"],
        "seconds": round(columns["seconds"][-1]),
        "resident_mib_from_minute_2": [round(min(settled), 1), round(max(settled), 1)],
        "growth": round(settled[-1] / settled[0], 4),
        "handles": sorted(set(columns["handles"])),
        "threads": sorted(set(columns["threads"])),
        "hidden_mib_at_most": round(max(columns["hidden_mib"]), 1),
        "output_mib": round(last["size"] / 2**20, 1),
        "page_mib": round((folder / "edited.mp4.html").stat().st_size / 2**20, 2),
        "report_mib": round((folder / "edited.mp4.json").stat().st_size / 2**20, 2),
        "rows_of_every": last["every"],
        "resident_mib": [round(value, 1) for value in columns["resident_mib"]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--edit", default="age=+2")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--minutes", type=int, help="length of the looped clip, in place of --times")
    parser.add_argument("--rate", type=int, default=5, help="its frames per second")
    parser.add_argument("--pack")
    add_output(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        result = (twice if options.minutes is None else long)(options, Path(name))
    name = "memory.json" if options.minutes is None else "memory-long.json"
    tell({"clip": options.clip.name} | result, destination(options, name))


if __name__ == "__main__":
    main()
