"""Make assets/sample.mp4: a person our generator made, who turns their head, smiles and blinks, with a hum.

    python -m pipelines.make_sample --data data/faces-128 --pack PACK --out assets/sample.mp4

The face is a mean of several synthetic faces' codes, so it is nobody's; smile and gaze are the pack's edits. What is
around it is drawn (sample_portrait.py, sample_room.py) and moved with it (sample_motion.py).
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from pipelines.sample_layout import Layout, over
from pipelines.sample_motion import YAW, moved
from pipelines.sample_portrait import Portrait
from pipelines.sample_room import room
from vidinv.edits.curve import Curve
from vidinv.edits.library import resolve
from vidinv.edits.parse import EditRequest
from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.packs.load import Pack, load_pack
from vidinv.runtime.steps import run
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.training import shards
from vidinv.types import Code, Face, Frame

WIDTH, HEIGHT, RATE, SECONDS, SOUND = 1280, 720, 25, 6, 48_000
LAYOUT = Layout(WIDTH, HEIGHT + 60, (640, 345), 400)  # of the portrait at rest; a little is below the picture
SMILE = ((0.6, 0.0), (1.6, 2.2), (2.7, 2.0), (3.5, 0.4), (4.2, 0.4), (5.0, 1.6), (5.8, 0.3))
TASTE = 3  # of the people that can be made so, by how alike their members are, the one we like
GRAIN = 2.0  # before it is softened, levels


@torch.inference_mode()
def person(pack: Pack, data: Path, members: int = 3) -> Code:
    """Mean code of the few frontal synthetic faces of one sex and age that are most alike in shape and colours.

    Only such have a mean F that does not ghost.
    """
    labels = shards.read_labels(data)
    p = labels["points68"]
    yaw = (p[:, 30, 0] - (p[:, 36, 0] + p[:, 45, 0]) / 2) / np.linalg.norm(p[:, 45] - p[:, 36], axis=1)
    alike = (labels["set"] == "generated") & (labels["male"] < 0.2) & (np.abs(labels["age"] - 30) < 9)
    rows = np.flatnonzero(alike & (np.abs(yaw) < 0.05) & (labels["expression"][:, 0] > 0.6))
    crops = shards.read_crops(data, rows)
    small = np.stack([cv2.resize(c, (16, 16), interpolation=cv2.INTER_AREA) for c in crops]).astype(np.float32)
    shape = cdist(p[rows].reshape(len(rows), -1), p[rows].reshape(len(rows), -1))
    colour = cdist(small.reshape(len(rows), -1), small.reshape(len(rows), -1), "cityblock")
    apart = np.sort(shape / np.median(shape) + colour / np.median(colour), axis=1)[:, :members].sum(1)
    order = np.argsort(shape / np.median(shape) + colour / np.median(colour), axis=1)[np.argsort(apart)[TASTE]]
    w, feature = pack.encoder(to_tensor(crops[order[:members]]))
    return Code(w.mean(0), feature.mean(0))


@torch.inference_mode()
def expressions(pack: Pack, code: Code) -> NDArray[np.float32]:
    """The face in every frame, [N, S, S, 3] 0..255: a smile that comes and goes twice, and the turns of the head."""
    edits = resolve([EditRequest("smile", Curve(SMILE)), EditRequest("yaw", Curve(YAW))], pack)
    face, made = Face(np.zeros(4, np.float32)), []
    for i in range(RATE * SECONDS):
        edited = code
        for edit in edits:
            edited, _ = edit.apply(edited, face, i / RATE)
        pair = render_pair(pack.generator, code.w[None], edited.w[None], code.feature[None], edited.feature[None])
        made.append(to_levels(pair[1])[0])
    return np.stack(made)


def pictures(faces: NDArray) -> list[NDArray[np.uint8]]:
    """All frames of the film, [H, W, 3] RGB."""
    rng, made = np.random.default_rng(0), []
    scene, portrait = room(WIDTH, HEIGHT, np.random.default_rng(4)), Portrait(LAYOUT, faces[0], rng)
    for i, face in enumerate(faces):
        maps = moved(LAYOUT, HEIGHT, i / RATE)
        there = cv2.remap(portrait.alpha, *maps, cv2.INTER_LINEAR)
        picture = over(scene, cv2.remap(portrait(face), *maps, cv2.INTER_CUBIC), there)
        grain = cv2.GaussianBlur(rng.normal(0, GRAIN, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 0.7)
        made.append(np.clip(np.rint(picture + grain[..., None]), 0, 255).astype(np.uint8))
    return made


def hum() -> NDArray[np.float32]:
    """A quiet chord that breathes, [1, N] -1..1."""
    t = np.arange(SOUND * SECONDS) / SOUND
    chord = sum(np.sin(2 * np.pi * f * t) / (k + 1) for k, f in enumerate((196.0, 246.94, 293.66, 392.0)))
    return (0.06 * chord * (1 - np.cos(2 * np.pi * t / 3)))[None].astype(np.float32)


def write(path: Path, frames: list[NDArray[np.uint8]], sound: NDArray[np.float32]) -> None:
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", RATE, options={"crf": "20", "preset": "slow"})
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
    parser.add_argument("--pack", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    pack = load_pack(options.pack)
    frames = pictures(expressions(pack, person(pack, options.data)))
    step = partial(detect, detectors=make_detectors(DetectOptions()))
    found = run("detect", step, DetectState(), (Frame(p, i) for i, p in enumerate(frames)))
    missed = [f.frame.index for f in found if [face.person for face in f.faces] != [0]]
    if missed:
        raise SystemExit(f"the detector sees no face, or not that person alone, in frames {missed}")
    write(options.out, frames, hum())
    print(f"{options.out}: {len(frames)} frames, a face in each")


if __name__ == "__main__":
    main()
