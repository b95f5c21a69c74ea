"""Faces of still pictures: found and cropped, and embedded as people who are to be found again in a video."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from vidinv.bounds import checked
from vidinv.edits.parse import NAME
from vidinv.errors import InputError, NoFaceFound, UsageError
from vidinv.faces.quads import BoxTemplate, quad_from_box, quad_side
from vidinv.models.identity import embedded
from vidinv.packs.load import Pack
from vidinv.regular import resolved
from vidinv.runtime.compute import Compute
from vidinv.runtime.steps import Latest, run
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.detect import Detectors, DetectState, detect
from vidinv.stages.recognise import RecogniseState, References
from vidinv.types import Face, Frame, known
from vidinv.video.stills import pictures_in, read_picture

Picture = NDArray[np.uint8]
Images = str | Path | Picture | Sequence[str | Path | Picture]
People = Mapping[str, Images]
"""By name the pictures of a person: files, folders of files, or [H, W, 3] RGB uint8 arrays; one or several."""


@dataclass(frozen=True)
class Recognition:
    """Who is to be known again, by what, and what came of it so far."""

    references: References
    identity: nn.Module
    latest: Latest[RecogniseState]


def recognition(pack: Pack, detectors: Detectors | None, compute: Compute, people: People) -> Recognition:
    """Look at the people's pictures: of each the largest face.

    :raises UsageError: a name that no edit could have, a pack that is not of faces or has no identity network.
    :raises InputError: a picture that cannot be read, or without a face.
    """
    if not isinstance(people, Mapping):
        raise UsageError(f"faces are {people!r:.80}; give the pictures of people by their names")
    identity = pack.optional("identity")
    if identity is None:
        raise UsageError(
            f"pack {pack.name} has no identity network, so it knows nobody by a picture; edit persons by their ids, or "
            "give it one (vidinv packs import --base)"
        )
    crops = [_crops(pack, detectors, name, images) for name, images in people.items()]
    means = np.stack([_mean(embedded(some, identity, compute)) for some in crops])
    return Recognition(References(tuple(people), means), identity, Latest(RecogniseState()))


def _crops(pack: Pack, detectors: Detectors | None, name: str, images: Images) -> list[Picture]:
    if not re.fullmatch(NAME, name) or name == "all":
        raise UsageError(f"nobody can be called {name!r}: begin with a letter, go on with letters, digits, - and _")
    crops = []
    for _, face in found_faces(pack, detectors, sources_of(images)):
        if not isinstance(face, Face):
            raise type(face)(f"the face of {name}: {face}")
        crops.append(known(face.crop))
    return crops


def _mean(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = embeddings.mean(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)


def sources_of(images: Images) -> list[tuple[str, Path | Picture]]:
    """Every picture and what it is called. :raises InputMissing, InputError: of a file or folder.
    :raises UsageError: no picture at all."""
    if not isinstance(images, str | Path | np.ndarray | Iterable):
        raise UsageError(f"pictures are {images!r:.80}; give files, folders or arrays")
    given: Iterable[str | Path | Picture] = [images] if isinstance(images, str | Path | np.ndarray) else images
    sources: list[tuple[str, Path | Picture]] = []
    seen = set[Path]()
    for image in given:
        if not isinstance(image, str | Path):
            sources.append((f"picture {len(sources)}", image))
            continue
        for path in pictures_in([Path(image)]):
            if resolved(path) not in seen:  # a picture beside its own folder is one picture
                seen.add(resolved(path))
                sources.append((str(path), path))
    if not sources:
        raise UsageError("no picture was given, so there is nothing to look at")
    return sources


def found_faces(
    pack: Pack,
    detectors: Detectors | None,
    sources: Sequence[tuple[str, Path | Picture]],
    person: int = 0,
    aligned: bool = False,
) -> Iterator[tuple[str, Face | InputError]]:
    """Every picture's face with its crop, or why there is none.

    :param detectors: None: the pack's crops are not of faces. :param person: which face of each; 0 is the largest.
    :param aligned: the pictures are crops as the pack wants them.
    :raises UsageError: faces are to be found for a pack that is not of faces.
    """
    if detectors is None and not aligned:
        raise UsageError(f"pack {pack.name} is not of faces, so none can be found for it; give crops (aligned)")
    checked("person", person)
    crops = detectors is None or aligned
    find = partial(_crop_of, pack) if crops else partial(_face_of, _finder(pack, known(detectors)), person)
    for name, source in sources:
        try:
            face: Face | InputError = find(
                name, read_picture(source) if isinstance(source, Path) else _checked(name, source)
            )
        except InputError as error:
            face = error
        yield name, face


def _checked(name: str, picture: Picture) -> Picture:
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape[2:] == (3,)):
        raise UsageError(f"{name} is no [H, W, 3] uint8 array; give RGB levels, or the name of a file")
    return picture


def _crop_of(pack: Pack, name: str, picture: Picture) -> Face:
    """A picture that is a crop already."""
    height, width, side = *picture.shape[:2], pack.resolution
    if height != width:
        raise InputError(f"{name} is {width} x {height} pixels; a crop is square")
    how = cv2.INTER_AREA if height > side else cv2.INTER_CUBIC
    crop = picture if height == side else cv2.resize(picture, (side, side), interpolation=how)
    box = np.array([0, 0, width, height], np.float32)
    return Face(box, quad=quad_from_box(box, BoxTemplate()), crop=crop.astype(np.uint8, copy=False))


def _finder(pack: Pack, detectors: Detectors) -> Callable[[Frame], tuple[list[Face], list[Face]]]:
    """What finds the faces of a picture: those that can be inverted, the largest first, and all."""
    options = AlignOptions(pack.resolution, pack.template)

    def find(frame: Frame) -> tuple[list[Face], list[Face]]:
        seen = list(run("detect", partial(detect, detectors=detectors), DetectState(), [frame]))
        [placed] = run("align", partial(align, options=options), AlignState(), seen)
        faces = sorted(placed.faces, key=lambda face: -quad_side(known(face.quad)))
        return faces, list(seen[0].faces)

    return find


def _face_of(find: Callable[[Frame], tuple[list[Face], list[Face]]], person: int, name: str, picture: Picture) -> Face:
    faces, seen = find(Frame(picture, 0))
    if person < len(faces):
        return faces[person]
    sides = ", ".join(f"{round(float(face.box[2] - face.box[0]))} px" for face in seen)
    if not seen:
        raise NoFaceFound(f"{name}: no face was found; give a picture in which one is seen from the front")
    if not faces:
        raise NoFaceFound(f"{name}: its faces are too small ({sides} wide); give a larger picture")
    raise NoFaceFound(f"{name}: it has no face {person}, counted from 0 by size; there are {len(faces)} ({sides} wide)")
