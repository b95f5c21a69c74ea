"""Codes of still pictures in a latent file, with a picture of each inversion beside them for people.

vidinv.keep_pictures(["a.jpg", "b.jpg"], "codes/")
codes = vidinv.read_codes("codes/")
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from vidinv.api import VideoEditor
from vidinv.errors import InputError, NoFaceFound
from vidinv.inversion.latent_file import Kept, LatentWriter, open_latent_file
from vidinv.inversion.latent_manifest import AGAIN, manifest_of, source_of
from vidinv.metrics import reconstruction
from vidinv.portraits import Images, Picture, sources_of
from vidinv.stills import Codes, coded_faces, drawn
from vidinv.types import Face, Faces, Frame, known

NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class KeptPictures:
    """What came of pictures whose codes were kept."""

    file: Kept
    psnr: Mapping[str, float]
    """Of every inversion against its crop, dB, by the picture's name."""
    failures: Mapping[str, str]
    """Pictures that gave no code, by name, and why."""


def keep_pictures(
    images: Images, folder: str | Path, *, pack: str | Path | None = None, method: str | None = None, **options: Any
) -> KeptPictures:
    """:func:`keep_codes_of` with an editor of its own; ``options`` are those of :class:`vidinv.VideoEditor`."""
    return keep_codes_of(VideoEditor(pack, method=method, **options), images, folder)


def keep_codes_of(
    editor: VideoEditor,
    images: Images,
    folder: str | Path,
    *,
    person: int = 0,
    aligned: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int, int], None] = lambda done, total, faces: None,
) -> KeptPictures:
    """Invert the faces of pictures in files, and keep their codes; one that cannot be used does not stop the rest.

    Beside the parts there is for each picture NUMBER-NAME.png: the crop, and what the generator draws of its code.

    :param images: files, or folders of files. :param person: of each picture; 0 is the largest face.
    :param aligned: the pictures are crops as the pack wants them.
    :param progress: is told after every picture how many of how many are done, and the faces so far.
    :raises NoFaceFound: not one picture gave a code. :raises VidinvError: as of :func:`vidinv.invert`.
    """
    begun, sources = time.perf_counter(), sources_of(images)
    if arrays := [name for name, source in sources if not isinstance(source, Path)]:
        raise InputError(f"{arrays[0]} lies in no file by which its codes could be known again; save it first")
    about = manifest_of(editor.pack, editor.inverter, editor.compute, editor.batch, [], rate=None)
    psnr, wrong = dict[str, float](), dict[str, str]()
    with LatentWriter(folder, about, overwrite=overwrite) as kept:
        for name, face in coded_faces(editor, sources, person=person, aligned=aligned):
            if isinstance(face, Face):
                frame = Frame(NO_PICTURE, len(psnr), cut=True)  # every picture is a shot of its own
                kept.manifest = replace(kept.manifest, sources=(*kept.manifest.sources, source_of(name)))
                kept.write(Faces(frame, (replace(face, person=0),)))
                pair = (known(face.crop), drawn(editor, [face])[0])
                kept.add(f"{len(psnr):05d}-{_short(Path(name).stem)}.png", _png(np.concatenate(pair, 1)))
                psnr[name] = float(reconstruction.psnr(*(torch.from_numpy(p)[None].double() / 255 for p in pair)))
            else:
                wrong[name] = str(face)
            progress(len(psnr) + len(wrong), len(sources), len(psnr))
        if not psnr:
            first = next(iter(wrong.values()))
            raise NoFaceFound(f"{first} (and {len(wrong) - 1} more)" if len(wrong) > 1 else first)
        kept.finish()
    return KeptPictures(kept.outcome(time.perf_counter() - begun), psnr, wrong)


def read_codes(folder: str | Path, *, device: str = "cpu") -> Codes:
    """Codes of pictures that were kept, without their crops.

    :raises InputError: the folder holds none, or codes of a video, or was damaged.
    """
    file = open_latent_file(folder)
    told = file.manifest
    if told.rate is not None:
        raise InputError(f"{folder} holds codes of a video ({told.named}); give it to vidinv run --codes")
    names = tuple(source.name for source in told.sources)
    every = list(file.faces(device))
    if len(every) != len(names) or any(len(one.faces) != 1 for one in every):
        raise InputError(f"{folder} holds codes of {len(every)} pictures, not one of each of {len(names)}; {AGAIN}")
    faces = tuple(one.faces[0] for one in every)
    return Codes(told.pack, told.pack_hash, told.method, names, faces, {})


def _short(stem: str) -> str:
    """What of a name fits into another one on every file system."""
    return stem.encode(errors="surrogateescape")[:100].decode(errors="ignore")


def _png(picture: Picture) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
