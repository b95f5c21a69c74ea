"""Faces of still pictures as codes, and codes as pictures.

codes = vidinv.invert(["a.jpg", "b.jpg"], method="in-domain")
older = vidinv.draw(codes, "age=+2")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.api import VideoEditor
from vidinv.edits.base import Edit
from vidinv.edits.drawn import DrawnEdit
from vidinv.edits.held import guarded
from vidinv.edits.parse import Edits, check_names, check_timeless, parse_edits
from vidinv.errors import InputError, UsageError
from vidinv.faces.eyeglasses import put_on
from vidinv.inversion import DEFAULT_METHOD
from vidinv.inversion.base import batch_of
from vidinv.inversion.latent_checks import check_code
from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.packs.load import Pack
from vidinv.portraits import Images, Picture, found_faces, sources_of
from vidinv.shapes import told
from vidinv.types import Code, Face, known


@dataclass(frozen=True)
class Codes:
    """Faces of still pictures as points of the Feature-Style space, one of each picture."""

    __repr__ = told

    pack: str
    """Name of the pack whose space it is."""
    pack_hash: str  # Pack.codes_hash, or Pack.hash: see Pack.made
    inverted: Mapping[str, Any]
    """The method and its options."""
    names: tuple[str, ...]
    """Of the pictures: their paths, or "picture 3"; without folders where they come out of a file."""
    faces: tuple[Face, ...]
    """With box, points, quad, crop and code; without points where the pictures were crops already, and without crops
    where they come out of a file."""
    failures: Mapping[str, str]
    """Pictures that gave no code, by name, and why."""

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def codes(self) -> tuple[Code, ...]:
        """One of each face."""
        return tuple(known(face.code) for face in self.faces)

    @property
    def w(self) -> Tensor:
        """[N, L, D]."""
        return torch.stack([code.w for code in self.codes])

    @property
    def feature(self) -> Tensor:
        """[N, C, h, h], F."""
        return torch.stack([code.feature for code in self.codes])

    @property
    def crops(self) -> Picture:
        """[N, S, S, 3] RGB, 0..255: what was inverted. :raises ValueError: codes out of a file have none."""
        return np.stack([known(face.crop) for face in self.faces])


def invert(
    images: Images,
    *,
    method: str = DEFAULT_METHOD,
    pack: str | Path | None = None,
    search: Mapping[str, Any] | None = None,
    lpips: str | Path | None = None,
    person: int = 0,
    aligned: bool = False,
    failures: Literal["raise", "keep"] = "raise",
    progress: Callable[[int, int], None] = lambda done, total: None,
    **options: Any,
) -> Codes:
    """:func:`invert_pictures` with an editor of its own.

    :param method: of :data:`vidinv.inversion.METHODS`. :param search: its options: {"steps": 500, "space": "w"}.
    :param options: device, precision and batch of :class:`vidinv.VideoEditor`.
    """
    editor = VideoEditor(pack, method=method, search=search, lpips=lpips, **options)
    return invert_pictures(editor, images, person=person, aligned=aligned, failures=failures, progress=progress)


def invert_pictures(
    editor: VideoEditor,
    images: Images,
    *,
    person: int = 0,
    aligned: bool = False,
    failures: Literal["raise", "keep"] = "raise",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Codes:
    """The faces of still pictures as codes.

    :param images: files, folders of files, or [H, W, 3] RGB uint8 arrays; one or several.
    :param person: which face of each picture: 0 is the largest, 1 the next.
    :param aligned: the pictures are crops as the pack wants them, and no face is looked for.
    :param failures: "raise" the first, or "keep" them in the result and go on.
    :param progress: is told after every picture how many of how many are done.
    :raises InputMissing, NotAPicture: a file. :raises NoFaceFound: a picture has too few faces, or too small ones.
    :raises UsageError: a pack whose crops are not of faces, without ``aligned``.
    """
    names, faces, wrong = list[str](), list[Face](), dict[str, str]()
    total = len(sources := sources_of(images))
    for name, face in coded_faces(editor, sources, person=person, aligned=aligned):
        if isinstance(face, Face):
            names.append(name)
            faces.append(face)
        elif failures == "raise":
            raise face
        else:
            wrong[name] = str(face)
        progress(len(names) + len(wrong), total)
    told = editor.inverter.described()
    return Codes(editor.pack.name, editor.pack.codes_hash, told, tuple(names), tuple(faces), wrong)


def coded_faces(
    editor: VideoEditor, sources: Sequence[tuple[str, Path | Picture]], *, person: int = 0, aligned: bool = False
) -> Iterator[tuple[str, Face | InputError]]:
    """Every picture's face with its code, or why there is none; in order, a batch at a time."""
    waiting: list[tuple[str, Face | InputError]] = []
    for last, one in enumerate(found_faces(editor.pack, editor.detectors, sources, person, aligned), 1 - len(sources)):
        waiting.append(one)
        found = [face for _, face in waiting if isinstance(face, Face)]
        if len(found) == editor.batch or last == 0:
            coded = iter(_coded(editor, found) if found else ())
            yield from ((name, next(coded) if isinstance(face, Face) else face) for name, face in waiting)
            waiting = []


def find_faces(editor: VideoEditor, images: Images, *, person: int = 0, aligned: bool = False) -> list[Face]:
    """The face of each picture with its crop, before anything is inverted; arguments and errors as of
    :func:`invert_pictures`."""
    faces = list[Face]()
    for _, face in found_faces(editor.pack, editor.detectors, sources_of(images), person, aligned):
        if not isinstance(face, Face):
            raise face
        faces.append(face)
    return faces


def draw(codes: Codes, edit: Edits = (), **options: Any) -> NDArray[np.uint8]:
    """:func:`draw_codes` with an editor of its own; ``options`` are those of :class:`vidinv.VideoEditor`, with
    ``pack`` where the codes' pack is known by its path alone."""
    return draw_codes(VideoEditor(**({"pack": codes.pack} | options)), codes, edit)


def draw_codes(editor: VideoEditor, codes: Codes, edits: Edits = ()) -> NDArray[np.uint8]:
    """G(w, F) of every code, or G(w~, F~) of every edited one: [N, S, S, 3] RGB, 0..255.

    :param edits: as on the command line, "age=+2", ["age=+2", "smile=1"]; or edits themselves.
    :raises UsageError: codes of another pack, or an edit that cannot be read, or that changes with time.
    :raises InputError: codes that are said to be of this pack and are not.
    """
    if not editor.pack.made(codes.pack_hash):
        raise UsageError(f"these codes are of pack {codes.pack}, and mean nothing to {editor.pack.name}")
    check_sizes(editor.pack, codes)
    asked = parse_edits(edits) if edits else ()
    check_timeless(asked)
    check_names(asked, ())
    acting = guarded(asked, (), editor.pack)[0]
    if not len(codes):
        return np.zeros((0, editor.pack.resolution, editor.pack.resolution, 3), np.uint8)
    made = [drawn(editor, codes.faces[at : at + editor.batch], acting) for at in range(0, len(codes), editor.batch)]
    return np.concatenate(made)


def check_sizes(pack: Pack, codes: Codes) -> None:
    """:raises InputError: codes that the pack's generator does not take; out of a file they may be anybody's."""
    for name, code in zip(codes.names, codes.codes, strict=True):
        try:
            check_code(code, pack.generator.config)
        except ValueError as error:
            raise InputError(f"the codes of {name} are none of pack {pack.name} ({error}); invert it again") from None


def drawn(editor: VideoEditor, faces: Sequence[Face], edits: Sequence[Edit] = ()) -> NDArray[np.uint8]:
    """G(w, F) of faces with codes, or G(w~, F~): [B, S, S, 3] RGB, 0..255, in one pass."""
    generator = editor.pack.generator
    if any(isinstance(one, DrawnEdit) for one in edits) and any(face.crop is None for face in faces):
        made = drawn(editor, faces)
        faces = [f if f.crop is not None else replace(f, crop=x) for f, x in zip(faces, made, strict=True)]
    codes = [_on(known(face.code), editor.compute.device) for face in faces]
    whole = batch_of(codes)
    edited = codes
    with torch.inference_mode(), editor.compute.autocast():
        if edits:
            edited = [_edited(code, face, edits) for code, face in zip(codes, faces, strict=True)]
            after = batch_of(edited)
            _, pictures = render_pair(generator, whole.w, after.w, whole.feature, after.feature, whole.noise)
        else:
            pictures = generator(whole.w, whole.feature, noise=whole.noise)
    levels = np.rint(to_levels(pictures)).astype(np.uint8)
    worn = [code.worn for code in edited]
    return np.stack([one if on is None else put_on(one, on) for one, on in zip(levels, worn, strict=True)])


def _on(code: Code, device: str) -> Code:
    noise = None if code.noise is None else code.noise.to(device)
    return Code(code.w.to(device), code.feature.to(device), noise)


def _edited(code: Code, face: Face, edits: Sequence[Edit]) -> Code:
    for one in edits:
        code, _ = one.apply(code, face, 0.0)
    return code


def _coded(editor: VideoEditor, faces: Sequence[Face]) -> list[Face]:
    with editor.compute.autocast():
        codes = editor.inverter(to_tensor([known(face.crop) for face in faces], editor.compute.device)).codes()
    return [replace(face, code=code) for face, code in zip(faces, codes, strict=True)]
