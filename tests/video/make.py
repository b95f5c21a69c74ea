"""Small video files of every kind that the tests need, made on the spot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np


def picture(index: int, width: int, height: int) -> np.ndarray:
    """[H, W, 3] smooth colours with a bright square that moves; tells up from down and left from right."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 200 // width, y * 200 // height, (x + y) * 100 // (width + height) + 50], -1).astype(np.uint8)
    left = 4 + 3 * index % (width // 2)
    image[8 : height // 4, left : left + width // 6] = (250, 240, 40)
    return image


def clip(
    path: Path,
    *,
    size: tuple[int, int] = (128, 96),
    times: Sequence[int] | None = None,
    count: int = 30,
    time_base: Fraction = Fraction(1, 12800),
    rate: Fraction = Fraction(25),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    colour: tuple[int, int, int, int] | None = None,
    sar: Fraction | None = None,
    rotation: int | None = None,
    mirrored: bool = False,
    audio: Sequence[str] = ("aac",),
    audio_start: Fraction = Fraction(0),
    subtitles: str | None = None,
    chapters: bool = False,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """A clip with ``count`` pictures, or with one at each of ``times`` (ticks), and a sine in every audio track."""
    step = round(1 / rate / time_base)
    ticks = list(times) if times is not None else [i * step for i in range(count)]
    with av.open(str(path), "w", container_options=container_options or {}) as output:
        output.metadata.update(metadata or {})
        video = output.add_stream(codec, rate=rate, options=options or {"crf": "12", "preset": "veryfast"})
        context = video.codec_context
        context.width, context.height, context.pix_fmt = *size, pix_fmt
        context.time_base = video.time_base = time_base
        if colour:
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = colour
        if sar:
            context.sample_aspect_ratio = sar
        if rotation is not None:
            video.set_display_rotation(rotation, hflip=mirrored)
        sounds = [output.add_stream(name, rate=48000) for name in audio]
        for number, sound in enumerate(sounds):
            sound.metadata["language"] = ("eng", "deu", "fra")[number]
        texts = output.add_mux_stream(subtitles, time_base=Fraction(1, 1000)) if subtitles else None
        if chapters:
            base, first = Fraction(1, 1000), round(1000 * ticks[0] * time_base)
            output.set_chapters(
                [{"id": i, "start": first + i * 500, "end": first + i * 500 + 500, "time_base": base,
                  "metadata": {"title": t}} for i, t in enumerate(("first", "second"))]
            )  # fmt: skip
        for i, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(picture(i, *size), format="rgb24")
            matrix = 1 if colour and colour[2] == 1 else 5
            full = 2 if colour and colour[3] == 2 else 1
            frame = frame.reformat(format=pix_fmt, src_colorspace=matrix, dst_colorspace=matrix, dst_color_range=full)
            frame.pts, frame.time_base = tick, context.time_base
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        seconds = float(ticks[-1] * time_base) + 0.04 - float(audio_start)
        for number, sound in enumerate(sounds):
            _sine(output, sound, 220 * (number + 1), seconds, audio_start)
        if texts is not None:
            _text(output, texts, subtitles == "mov_text")
    return path


def _sine(output: Any, stream: Any, frequency: float, seconds: float, start: Fraction) -> None:
    rate = 48000
    floats = stream.codec_context.name in ("aac", "ac3")
    size = {"aac": 1024, "ac3": 1536}.get(stream.codec_context.name, 960)
    for i in range(int(seconds * rate) // size):
        wave = 0.3 * np.sin(2 * np.pi * frequency * (np.arange(size) + i * size) / rate)
        samples = wave.astype(np.float32) if floats else (wave * 32767).astype(np.int16)
        layout = np.stack([samples, samples]) if floats else np.repeat(samples, 2)[None]
        frame = av.AudioFrame.from_ndarray(layout, format="fltp" if floats else "s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, i * size + int(start * rate), Fraction(1, rate)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _text(output: Any, stream: Any, mov: bool) -> None:
    for i, text in enumerate((b"one", b"two")):
        packet = av.Packet(len(text).to_bytes(2, "big") + text if mov else text)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = 100 + 400 * i
        packet.duration = 300
        output.mux(packet)


def other_packets(path: Path) -> dict[int, list[tuple[str, Fraction]]]:
    """Per stream that is not video: sha256 and presentation time in seconds of every packet."""
    found: dict[int, list[tuple[str, Fraction]]] = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size and packet.stream.type != "video":
                digest = hashlib.sha256(bytes(packet)).hexdigest()
                found.setdefault(packet.stream_index, []).append((digest, packet.pts * packet.time_base))
    return found


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(np.float32) - b) ** 2), 1e-9)))
