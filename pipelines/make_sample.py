"""Make assets/sample.mp4: a person our generator made, who turns their head, nods and smiles, with a hum as sound.

    python -m pipelines.make_sample --data data/faces-128 --pack assets/models/face-128 --out assets/sample.mp4

The face is a mean of several synthetic faces' codes, so it is nobody's; expression is a walk along the pack's smile
direction, head motion a moving crop. Background, hair and shoulders are painted.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.faces.masks import oval
from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.packs.load import Pack, load_pack
from vidinv.stages.detect import DetectOptions, detect, make_detectors
from vidinv.training import shards
from vidinv.types import Code, Frame

WIDTH, HEIGHT, RATE, SECONDS, SOUND = 1280, 720, 25, 6, 48_000
SIDE = 400  # of the face crop in the picture, pixels


@torch.inference_mode()
def person(pack: Pack, data: Path, members: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean code of a few frontal synthetic faces of one sex and age: w [1, L, D], F [1, C, h, h]."""
    labels = shards.read_labels(data)
    p = labels["points68"]
    yaw = (p[:, 30, 0] - (p[:, 36, 0] + p[:, 45, 0]) / 2) / np.linalg.norm(p[:, 45] - p[:, 36], axis=1)
    alike = (labels["set"] == "generated") & (labels["male"] < 0.2) & (np.abs(labels["age"] - 30) < 8)
    alike &= (np.abs(yaw) < 0.03) & (labels["expression"][:, 0] > 0.8)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(alike))[:members]
    w, feature = pack.encoder(to_tensor(shards.read_crops(data, rows)))
    return w.mean(0, keepdim=True), feature.mean(0, keepdim=True)


@torch.inference_mode()
def expressions(pack: Pack, w: torch.Tensor, feature: torch.Tensor) -> NDArray[np.float32]:
    """The face in every frame, [N, S, S, 3] 0..255: a smile that comes and goes twice."""
    strengths = 0.9 * np.sin(np.pi * np.arange(RATE * SECONDS) / RATE / 3) ** 2
    codes = [(pack.directions["smile"] * float(k)).of(Code(w, feature)) for k in strengths]
    return to_levels(torch.cat([render_pair(pack.generator, w, c.w, feature, c.feature)[1] for c in codes]))


def backdrop() -> NDArray[np.float32]:
    """A wall with a soft light and a window, [H, W, 3] 0..255."""
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = np.exp(-(((xs - 900) / 700) ** 2) - ((ys - 200) / 500) ** 2)
    wall = np.stack([96 + 70 * light, 104 + 62 * light, 118 + 50 * light], 2)
    cv2.rectangle(wall, (80, 60), (330, 420), (150, 170, 190), -1)
    cv2.line(wall, (205, 60), (205, 420), (110, 120, 130), 8)
    grain = np.random.default_rng(0).normal(0, 2.0, (HEIGHT, WIDTH, 1)).astype(np.float32)
    return cv2.GaussianBlur(wall, (0, 0), 9) + cv2.GaussianBlur(grain, (0, 0), 0.7)[..., None]


def place(canvas: NDArray, face: NDArray, centre: tuple[float, float], angle: float, scale: float) -> NDArray:
    """Paint shoulders, hair and neck, and the face on top, turned by ``angle`` degrees."""
    skin = np.median(face[70:90, 40:88].reshape(-1, 3), 0)
    hair = 0.5 * np.median(face[:8].reshape(-1, 3), 0)
    cx, cy = (round(v) for v in centre)
    unit, layer, alpha = SIDE * scale, canvas.copy(), np.zeros(canvas.shape[:2], np.float32)

    def ellipse(dx: float, dy: float, rx: float, ry: float, colour: NDArray) -> None:
        a = np.radians(angle)
        x, y = cx + unit * (dx * np.cos(a) - dy * np.sin(a)), cy + unit * (dx * np.sin(a) + dy * np.cos(a))
        where = ((int(x), int(y)), (int(rx * unit), int(ry * unit)), angle, 0, 360)
        cv2.ellipse(layer, *where, colour.tolist(), -1, cv2.LINE_AA)
        cv2.ellipse(alpha, *where, 1.0, -1, cv2.LINE_AA)

    ellipse(0, -0.08, 0.62, 0.72, hair)
    ellipse(0, 0.55, 0.24, 0.40, 0.82 * skin)
    for target, colour in ((layer, (58.0, 74.0, 110.0)), (alpha, 1.0)):  # shoulders
        cv2.ellipse(target, (640, 800), (420, 260), 0, 180, 360, colour, -1, cv2.LINE_AA)
    ellipse(0, 0.02, 0.44, 0.54, 0.97 * skin)
    layer = cv2.GaussianBlur(layer, (0, 0), 4)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 3)[..., None]
    picture = canvas * (1 - alpha) + layer * alpha
    size = len(face)
    to_frame = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), -angle, unit / size)
    to_frame[:, 2] += np.array(centre) - (size - 1) / 2
    mask = cv2.warpAffine(np.array(oval(size, 0.98, 0.35)), to_frame, (WIDTH, HEIGHT))
    pasted = cv2.warpAffine(face, to_frame, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return picture * (1 - mask[..., None]) + pasted * mask[..., None]


def pictures(faces: NDArray) -> list[NDArray[np.uint8]]:
    """All frames of the film, [H, W, 3] RGB."""
    scene, made = backdrop(), []
    for i, face in enumerate(faces):
        t = i / RATE
        centre = (640 + 60 * np.sin(2 * np.pi * t / 5), 330 + 14 * np.sin(2 * np.pi * t * 0.8))
        angle, scale = 7 * np.sin(2 * np.pi * t / 3.3), 1 + 0.05 * np.sin(2 * np.pi * t / 6)
        made.append(np.clip(np.rint(place(scene, face, centre, angle, scale)), 0, 255).astype(np.uint8))
    return made


def hum() -> NDArray[np.float32]:
    """A quiet chord that breathes, [1, N] -1..1."""
    t = np.arange(SOUND * SECONDS) / SOUND
    chord = sum(np.sin(2 * np.pi * f * t) / (k + 1) for k, f in enumerate((196.0, 246.94, 293.66, 392.0)))
    return (0.06 * chord * (1 - np.cos(2 * np.pi * t / 3)))[None].astype(np.float32)


def write(path: Path, frames: list[NDArray[np.uint8]], sound: NDArray[np.float32]) -> None:
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", RATE, options={"crf": "16", "preset": "slow"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.color_range, video.codec_context.colorspace = 1, 1
        audio = output.add_stream("aac", SOUND, layout="mono")
        for i, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            output.mux(video.encode(frame))
        for at in range(0, sound.shape[1], 1024):
            chunk = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, at : at + 1024]), "fltp", "mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = SOUND, at, Fraction(1, SOUND)
            output.mux(audio.encode(chunk))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", default=None)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    pack = load_pack(options.pack)
    frames = pictures(expressions(pack, *person(pack, options.data)))
    detectors = make_detectors(DetectOptions())
    missed = [f.frame.index for f in detect((Frame(p, i) for i, p in enumerate(frames)), detectors) if not f.faces]
    if missed:
        raise SystemExit(f"the detector misses the face in frames {missed}")
    write(options.out, frames, hum())
    print(f"{options.out}: {len(frames)} frames, a face in each")


if __name__ == "__main__":
    main()
