"""Make the pictures of docs/limits.md anew, with the default pack or another one:

    python -m pipelines.make_limits [--pack PACK] [--out docs/pictures]

Frames of assets/sample.mp4, whose face our generator drew: above as they are, below edited, at three times. Every frame
is edited by itself, as by `vidinv preview`. Look at them before docs/limits.md says anything about them.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.api import VideoEditor
from vidinv.faces.quads import quad_side
from vidinv.types import Frame, known
from vidinv.video import frame_at

ROOT = Path(__file__).resolve().parents[1]
EDITS = ("glasses", "mouth", "beard", "smile", "age")
STEPS, TIMES = 2, (0.2, 1.4, 2.5)  # seconds: neutral, smiling, and with the head on one side
SIDE, AROUND = 240, 1.3  # of a picture, pixels; of the crop's side
LARGEST = 60_000  # bytes of a file


def around(picture: NDArray[np.uint8], quad: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The square about a face, [SIDE, SIDE, 3]."""
    half = 0.5 * AROUND * quad_side(quad)
    corner = np.clip(quad.mean(0) - half, 0, np.array(picture.shape[1::-1]) - 2 * half)
    x0, y0, x1, y1 = np.rint([*corner, *(corner + 2 * half)]).astype(int)
    return np.asarray(cv2.resize(picture[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def before_and_after(editor: VideoEditor, frames: list[Frame], edit: str) -> NDArray[np.uint8]:
    """[2 SIDE, N SIDE, 3]."""
    columns = []
    for frame in frames:
        done = editor.edit_frame(frame, edit)
        quad = known(done.edited[0].quad)
        columns.append(np.concatenate([around(p, quad) for p in (frame.image, known(done.faces.output).image)]))
    return np.concatenate(columns, 1)


def inversions(editor: VideoEditor, frames: list[Frame]) -> NDArray[np.uint8]:
    """Crops, and what the generator draws of them, [2 SIDE, N SIDE, 3]."""
    columns = []
    for frame in frames:
        [face] = editor.edit_frame(frame, "age=+1").edited
        shown = (known(face.crop), np.rint(known(face.inversion)).astype(np.uint8))
        columns.append(np.concatenate([cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for p in shown]))
    return np.concatenate(columns, 1)


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    """As the best JPEG that is small enough."""
    for quality in range(92, 40, -4):
        made = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        if made.size <= LARGEST:
            path.write_bytes(made.tobytes())
            print(f"{path}: {made.size / 1000:.0f} kB")
            return
    raise SystemExit(f"{path} would be larger than {LARGEST} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", help="another than the default one")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    editor = VideoEditor(options.pack)
    frames = [frame_at(ROOT / "assets" / "sample.mp4", Fraction(t).limit_denominator(1000)) for t in TIMES]
    for name in EDITS:
        write(options.out / f"{name}.jpg", before_and_after(editor, frames, f"{name}=+{STEPS}"))
    write(options.out / "inversion.jpg", inversions(editor, frames))


if __name__ == "__main__":
    main()
