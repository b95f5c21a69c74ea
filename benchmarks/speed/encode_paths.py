"""What the bundled encoder and a system ffmpeg make of the same frames, at the same settings, in one run.

    python -m benchmarks.speed.encode_paths CLIP [--frames 120] [--crf 18] [--preset veryfast] [--repeats 3]
        [--publish | --out FILE.json]

Every path is given the same RGB frames, and is measured in frames per second, bits, and PSNR of its decoded picture
against those frames. The rows in between change one thing at a time, to say where a difference comes from.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.output import add_output, destination, write_atomically
from vidinv.types import Frame
from vidinv.video import EncoderSettings, Reader, VideoInfo, Writer


def library_defaults(
    frames: list[Frame], info: VideoInfo, dst: Path, settings: EncoderSettings, threads: str | None, explicit: bool
) -> None:
    """The straightforward way with the library: RGB frames into ``stream.encode``. ``threads`` None: its default."""
    with av.open(str(dst), "w") as output:
        options = {"crf": f"{settings.crf:g}", "preset": settings.preset}
        stream = output.add_stream("libx264", rate=info.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = info.width, info.height, "yuv420p"
        context = stream.codec_context
        context.time_base = info.time_base
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        if threads:
            context.thread_type = threads
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
            if explicit:
                picture = picture.reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1)
            picture.pts, picture.time_base = frame.pts, info.time_base
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))


def raw_ffmpeg(frames: list[Frame], info: VideoInfo, dst: Path, settings: EncoderSettings) -> None:
    """RGB into the pipe of a system ffmpeg, at a constant rate, its defaults for all the rest."""
    import ffmpeg

    raw = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{info.width}x{info.height}", r=str(info.rate))
    scaled = raw.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p")
    tags = {"color_primaries": 1, "color_trc": 1, "colorspace": 1, "color_range": 1}
    out = ffmpeg.output(scaled, str(dst), vcodec="libx264", crf=settings.crf, preset=settings.preset, **tags)
    process = out.global_args("-v", "error", "-y").run_async(pipe_stdin=True)
    for frame in frames:
        process.stdin.write(frame.image)
    process.stdin.close()
    if process.wait():
        raise RuntimeError("ffmpeg failed")


def through(writer: Callable[..., Writer]) -> Callable[..., None]:
    def encode(frames: list[Frame], info: VideoInfo, dst: Path, settings: EncoderSettings) -> None:
        with writer(dst, info, settings, overwrite=True) as out:
            for frame in frames:
                out.write(frame)

    return encode


def measure(clip: Path, count: int, settings: EncoderSettings, repeats: int) -> list[dict[str, Any]]:
    with Reader(clip) as reader:
        info, frames = reader.info, list(islice(reader, count))
    paths: dict[str, Callable[..., None]] = {
        "library, implicit conversion": partial(library_defaults, threads=None, explicit=False),
        "library, explicit matrix": partial(library_defaults, threads=None, explicit=True),
        "library, explicit matrix, frame threads": partial(library_defaults, threads="AUTO", explicit=True),
        "vidinv Writer": through(Writer),
    }
    if shutil.which("ffmpeg"):
        paths |= {"ffmpeg, raw RGB": raw_ffmpeg, "vidinv Writer, ffmpeg": through(partial(Writer, backend="ffmpeg"))}
    seconds: dict[str, list[float]] = {name: [] for name in paths}
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):  # in turn, so that a change in the machine's load meets all of them
            for name, encode in paths.items():
                dst = Path(folder) / "out.mp4"
                started = time.perf_counter()
                encode(frames, info, dst, settings)
                seconds[name].append(time.perf_counter() - started)
                rows[name] = {"path": name} | quality(frames, dst)
    for name, row in rows.items():
        row["frames_per_second"] = round(len(frames) / min(seconds[name]), 1)
    return list(rows.values())


def quality(frames: list[Frame], path: Path) -> dict[str, object]:
    with Reader(path) as reader:
        errors = [
            float(np.mean((a.image.astype(np.float32) - b.image) ** 2)) for a, b in zip(frames, reader, strict=True)
        ]
    with av.open(str(path)) as container:
        size = sum(p.size for p in container.demux(video=0))
    return {"psnr_db": round(10 * np.log10(255**2 / np.mean(errors)), 2), "kilobytes": round(size / 1000, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, help="a bt709, unrotated clip of constant rate")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--crf", type=float, default=18)
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--repeats", type=int, default=3)
    add_output(parser)
    given = parser.parse_args()
    settings = EncoderSettings(crf=given.crf, preset=given.preset)
    rows = measure(given.clip, given.frames, settings, given.repeats)
    first = rows[0]["frames_per_second"]
    for row in rows:
        speed = row["frames_per_second"]
        print(
            f"{row['path']:42s} {speed:7.1f} frames/s ({speed / first:.2f}x)"
            f"  {row['psnr_db']:.2f} dB  {row['kilobytes']} kB"
        )
    write_atomically(destination(given, "encode_paths.json"), rows)


if __name__ == "__main__":
    main()
