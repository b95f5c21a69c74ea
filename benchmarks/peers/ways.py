"""Ways through a clip, each a program of its own: python -m benchmarks.peers.ways WAY CLIP OUTPUT PACK EDIT.

``published`` is the way of working that published video editing by inversion has, rebuilt with this package's networks:
faces are searched for in every frame, one frame is done at a time, the generator runs three times from the bottom
(G^K(w), G^K(w~) and both pictures drawn anew), and crops and edited faces pass from step to step as JPEG files.
``by hand`` decodes with PyAV, inverts the picture's values and encodes: what a pipeline costs that edits nothing.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LAUNCHED = float(os.environ.get("LAUNCHED", time.time()))  # when its process was asked for


def peak_mib() -> float:
    """Of this program alone: what getrusage tells begins with the peak of the program that started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


def said(ready: float, first: float, frames: int) -> None:
    told = {"ready": ready - LAUNCHED, "first": first - LAUNCHED, "frames": frames, "peak_mib": peak_mib()}
    print(json.dumps({**told, "cpu": time.process_time(), "wall": time.time() - LAUNCHED}))


def ours(clip: str, output: str, pack: str, edit: str) -> None:
    from vidinv import VideoEditor

    editor, first = VideoEditor(pack), list[float]()
    ready = time.time()
    report = editor.edit_video(clip, output, edit, progress=lambda _: first.append(time.time()) if not first else None)
    said(ready, first[0], report.frames)


def by_hand(clip: str, output: str, pack: str, edit: str) -> None:
    import av

    ready, first, frames = time.time(), 0.0, 0
    with av.open(clip) as source, av.open(output, "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream("libx264", rate=video.average_rate, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for picture in source.decode(video):
            frames += 1
            made = av.VideoFrame.from_ndarray(255 - picture.to_ndarray(format="rgb24"), format="rgb24")
            target.mux(stream.encode(made))
            first = first or time.time()
        target.mux(stream.encode(None))
    said(ready, first, frames)


def published(clip: str, output: str, pack_name: str, edit: str) -> None:
    import cv2
    import numpy as np
    import torch

    from vidinv.edits.library import resolve
    from vidinv.edits.parse import parse_edits
    from vidinv.faces import compositing
    from vidinv.faces.masks import oval
    from vidinv.faces.quads import Template, quad_from_points
    from vidinv.faces.warps import crop
    from vidinv.inversion import make_inverter
    from vidinv.models.generator import edited_feature
    from vidinv.models.pictures import to_levels, to_tensor
    from vidinv.packs.load import load_pack
    from vidinv.runtime.compute import choose
    from vidinv.stages.decode import decode
    from vidinv.stages.detect import DetectOptions, detect, make_detectors
    from vidinv.stages.encode import encode
    from vidinv.types import Face, Frame, known
    from vidinv.video import probe

    pack, compute, folder = load_pack(pack_name), choose("cpu"), Path(output).parent
    inverter, generator, edits = make_inverter(pack), pack.generator, resolve(parse_edits(edit), pack)
    detectors, info = make_detectors(DetectOptions()), probe(clip)
    template, ready, faces = pack.template, time.time(), dict[int, Face]()
    assert isinstance(template, Template), "a pack of faces"

    def write(name: str, picture: Any) -> None:
        cv2.imwrite(str(folder / name), cv2.cvtColor(np.asarray(picture, np.uint8), cv2.COLOR_RGB2BGR))

    def read(name: str) -> Any:
        return cv2.cvtColor(known(cv2.imread(str(folder / name))), cv2.COLOR_BGR2RGB)

    frames = 0
    for frame in decode(clip):  # the first program: frames and crops to files
        frames += 1
        write(f"frame{frame.index}.jpg", frame.image)
        # A state that knows nothing: every frame is searched as a whole.
        _, (found, *_) = _alone(detect, frame, detectors)
        if found.faces:
            face = found.faces[0]
            faces[frame.index] = face
            write(f"crop{frame.index}.jpg", crop(frame.image, quad_from_points(known(face.points), template), 128))
    for index, face in faces.items():  # the second: crops to edited faces
        with torch.inference_mode(), compute.autocast():
            code = inverter(to_tensor([read(f"crop{index}.jpg")]), None).codes()[0]
            edited = code
            for one in edits:
                edited, _ = one.apply(edited, face, index / float(info.rate))
            w, w2, f = code.w[None], edited.w[None], code.feature[None]
            native, moved = generator.features(w), generator.features(w2)
            before = generator(w, f)
            after = generator(w2, edited_feature(edited.feature[None], native.float(), moved.float()))
        write(f"before{index}.jpg", to_levels(before)[0])
        write(f"after{index}.jpg", to_levels(after)[0])
    first = 0.0

    def pasted() -> Iterator[Frame]:  # the third: faces into frames, frames to a video
        for frame in decode(clip):
            image = read(f"frame{frame.index}.jpg")
            if frame.index in faces:
                quad = quad_from_points(known(faces[frame.index].points), template)
                (x0, y0, x1, y1), new = compositing.replace_crop(
                    image, quad, read(f"after{frame.index}.jpg"), oval(128)
                )
                image[y0:y1, x0:x1] = new
            yield Frame(image, frame.index, frame.pts, frame.time)

    for _ in encode(pasted(), output, info):
        first = first or time.time()
    said(ready, first, frames)


def _alone(detect: Any, frame: Any, detectors: Any) -> Any:
    """A frame searched with nothing known before it; what waits for a neighbour comes out at the end."""
    from vidinv.stages.detect import DetectState

    state, out = detect(DetectState(), frame, detectors)
    return (state, out) if out else detect(state, None, detectors)


WAYS = {"ours": ours, "by hand": by_hand, "published": published}

if __name__ == "__main__":
    WAYS[sys.argv[1]](*sys.argv[2:6])
