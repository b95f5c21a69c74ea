"""What a stage must cost at the least: its networks' products at this machine's best, and its bytes, moved once.

The ceilings are measured here, on one core: the best rate of a 3x3 convolution in bf16 and in float32, the rate of a
copy that no cache holds, and what the codecs take of pictures that nobody converts. A floor is no promise: it leaves
out all that is neither a product nor a frame's byte.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from vidinv import VideoEditor
from vidinv.video import EncoderSettings, probe

# Reads and writes of a frame's RGB bytes that nobody can spare: YUV has half of them.
FRAMES_MOVED = {"decode": 1.5, "blend": 2.0, "encode": 1.5}
COUNTED = 26  # frames: a second, with its full search


def quickest(work: Callable[[], Any], times: int = 12) -> float:
    """CPU seconds of the quickest of several runs."""
    best = float("inf")
    for _ in range(times + 1):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def ceilings() -> dict[str, float]:
    """Products per second of convolutions, and bytes per second of a copy, on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = {}
    with torch.inference_mode():
        for name, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
            rates = []
            for batch, channels, side in ((1, 64, 64), (8, 128, 32), (8, 256, 16)):
                x = torch.randn(batch, channels, side, side).to(dtype, memory_format=torch.channels_last)
                weight = torch.randn(channels, channels, 3, 3).to(dtype, memory_format=torch.channels_last)
                spent = quickest(partial(F.conv2d, x, weight, padding=1))
                rates.append(batch * side**2 * 9 * channels**2 / spent)
            found[f"{name}_gmac_per_second"] = round(max(rates) / 1e9, 1)
        much = torch.zeros(1 << 28, dtype=torch.uint8)
        there = torch.empty_like(much)
        found["gbytes_per_second"] = round(2 * much.numel() / quickest(lambda: there.copy_(much), 4) / 1e9, 2)
    torch.set_num_threads(threads)
    return found


def codecs(clip: Path, settings: EncoderSettings = EncoderSettings()) -> dict[str, float]:
    """CPU milliseconds per frame of the decoder and of x264 alone, on pictures as they store them."""
    with av.open(str(clip)) as source:
        begun = time.process_time()
        pictures = list(islice(source.decode(video=0), 100))
        decoding = time.process_time() - begun
    with av.open(io.BytesIO(), "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": f"{settings.crf:g}", "preset": settings.preset})
        stream.width, stream.height, stream.pix_fmt = pictures[0].width, pictures[0].height, "yuv420p"
        begun = time.process_time()
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
        encoding = time.process_time() - begun
    return {"decode": 1e3 * decoding / len(pictures), "encode": 1e3 * encoding / len(pictures)}


def counted(name: str, stream: Iterable[Any], table: dict[str, dict[str, float]]) -> list[Any]:
    """Run a stage to its end and book the products of its networks."""
    with FlopCounterMode(display=False) as counter:
        items = list(stream)
    table[name] = {"macs": counter.get_total_flops() / 2, "items": len(items)}
    return items


def measured(
    editor: VideoEditor, clip: Path, folder: Path, stages: Callable[..., dict[str, dict[str, float]]]
) -> dict[str, Any]:
    """Ceilings, and per stage the products and the floor. :param stages: runs them on a clip with a booking."""
    from benchmarks.speed.__main__ import first_frames

    best, codec, info = ceilings(), codecs(clip), probe(clip)
    short = first_frames(clip, COUNTED, folder)
    booked = stages(clip=short, timed=counted)
    frames = booked["decode"]["items"]  # of a short clip fewer
    products = {name: row["macs"] / frames for name, row in booked.items()}
    frame, rate = 3 * info.width * info.height, best["gbytes_per_second"] * 1e6
    floors = {}
    for name, macs in products.items():
        # The detector's networks compute in float32 whatever the others do.
        half = editor.compute.dtype != torch.float32 and name != "detect"
        speed = best["bf16_gmac_per_second" if half else "fp32_gmac_per_second"] * 1e6
        moved = FRAMES_MOVED.get(name, 0) * frame / rate
        floors[name] = round(macs / speed + moved + codec.get(name, 0), 2)
    return {
        "ceilings": best,
        "codec_ms_per_frame": {name: round(value, 2) for name, value in codec.items()},
        "mmac_per_frame": {name: round(macs / 1e6, 1) for name, macs in products.items()},
        "floor_ms_per_frame": floors,
    }
