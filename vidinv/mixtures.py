"""Still pictures made into one another, through their codes.

vidinv.mix("a.jpg", "b.jpg", layers="fine").picture
vidinv.mix_grid(["a.jpg", "b.jpg", "c.jpg"]).sheet()
vidinv.diffuse("face.jpg", "head.jpg").picture
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.api import VideoEditor
from vidinv.edits.mixing import crossed, layers_of
from vidinv.errors import UsageError
from vidinv.faces.masks import oval
from vidinv.faces.quads import in_crop
from vidinv.faces.regions import BEYOND, REGIONS, union
from vidinv.inversion import DEFAULT_METHOD
from vidinv.inversion.in_domain import diffuse as diffused
from vidinv.models.generator import render_pair
from vidinv.models.pictures import to_levels, to_tensor
from vidinv.portraits import Images, Picture, sources_of
from vidinv.stills import find_faces, invert_pictures
from vidinv.types import Face, known

PASTED = tuple(name for name in REGIONS if name not in BEYOND)
"""Regions of one face that can be put into another."""


@dataclass(frozen=True)
class Mixture:
    """Crops, each [S, S, 3] RGB, 0..255."""

    first: Picture
    second: Picture
    paste: Picture | None
    """What the optimiser was shown; None: nothing was pasted."""
    picture: Picture
    """What came of both."""

    def sheet(self) -> Picture:
        """All of them side by side."""
        shown = [self.first, self.second, *([] if self.paste is None else [self.paste]), self.picture]
        return np.concatenate(shown, 1)


@dataclass(frozen=True)
class Grid:
    """Every feature code with every style. Crops are RGB, 0..255."""

    crops: Picture
    """[N, S, S, 3] what was inverted."""
    pictures: Picture
    """[N, N, S, S, 3]: row i has the feature code of face i, column j the styles of face j."""

    def sheet(self) -> Picture:
        """The grid with the faces beside its rows and above its columns."""
        side = self.crops.shape[1]
        top = [np.full((side, side, 3), 255, np.uint8), *self.crops]
        rows = [np.concatenate([crop, *row], 1) for crop, row in zip(self.crops, self.pictures, strict=True)]
        return np.concatenate([np.concatenate(top, 1), *rows], 0)


def mix_grid(
    images: Images,
    *,
    pack: str | Path | None = None,
    method: str = DEFAULT_METHOD,
    search: Mapping[str, Any] | None = None,
    aligned: bool = False,
    **options: Any,
) -> Grid:
    """The feature code of each face with the styles of each: G(w_j, F_i), style mixing of Yao et al. 2022 (Figure 7).

    F_i is taken as it is. Eq. 1 moves a feature code along with an edit of its own styles; styles of somebody else
    would move what is to stay, so here they act from layer K on: the face's geometry is F's, its colours are theirs.

    :param images: two pictures or more. :param options: as of :class:`vidinv.VideoEditor`.
    :raises UsageError: fewer than two. :raises VidinvError: as of :func:`vidinv.invert`.
    """
    if len(sources_of(images)) < 2:
        raise UsageError("a grid takes two pictures or more, and there is one; name another")
    editor = VideoEditor(pack, method=method, search=search, **options)
    codes = invert_pictures(editor, images, aligned=aligned)
    rows = []
    for code in codes.codes:
        row = []
        for styles in codes.w.split(editor.batch):
            feature = code.feature.expand(len(styles), *code.feature.shape)
            noise = None if code.noise is None else code.noise.expand(len(styles), -1)
            with torch.inference_mode(), editor.compute.autocast():
                made = editor.pack.generator(styles, feature, noise=noise)
            row.append(np.rint(to_levels(made)).astype(np.uint8))
        rows.append(np.concatenate(row))
    return Grid(codes.crops, np.stack(rows))


def mix(
    first: str | Path | Picture,
    second: str | Path | Picture,
    *,
    layers: str,
    pack: str | Path | None = None,
    method: str = DEFAULT_METHOD,
    search: Mapping[str, Any] | None = None,
    aligned: bool = False,
    **options: Any,
) -> Mixture:
    """The first face with the second's styles in some layers (Abdal et al. 2019, section 5.2), drawn by Eq. 1.

    :param layers: "coarse", "middle" or "fine". :param options: as of :class:`vidinv.VideoEditor`.
    :raises VidinvError: as of :func:`vidinv.invert`.
    """
    editor = VideoEditor(pack, method=method, search=search, **options)
    codes = invert_pictures(editor, _two(first, second), aligned=aligned)
    a, b = codes.codes
    w = crossed(a, b, layers_of(layers, len(a.w))).w
    noise = None if a.noise is None else a.noise[None]
    with torch.inference_mode(), editor.compute.autocast():
        _, made = render_pair(editor.pack.generator, a.w[None], w[None], a.feature[None], noise=noise)
    return Mixture(codes.crops[0], codes.crops[1], None, _picture(made))


def diffuse(
    target: str | Path | Picture,
    context: str | Path | Picture,
    *,
    region: str = "face",
    pack: str | Path | None = None,
    search: Mapping[str, Any] | None = None,
    lpips: str | Path | None = None,
    aligned: bool = False,
    **options: Any,
) -> Mixture:
    """Semantic diffusion (Zhu et al. 2020, section 4.4): a region of the first face in the second, made one.

    :param region: of :data:`PASTED`. :param search: options of the method in-domain.
    :raises UsageError: no such region. :raises DamagedPack: the pack has no domain encoder. :raises VidinvError: as of
        :func:`vidinv.invert`.
    """
    if region not in PASTED:
        raise UsageError(f"no region called {region!r}; there are {', '.join(PASTED)}")
    editor = VideoEditor(pack, method="in-domain", search=search, lpips=lpips, **options)
    inverter, faces = editor.inverter, find_faces(editor, _two(target, context), aligned=aligned)
    crops = np.stack([known(face.crop) for face in faces])
    x = to_tensor(crops, editor.compute.device)
    mask = torch.from_numpy(region_mask(faces[0], region)).to(x)[None, None]
    paste = x[:1] * mask + x[1:] * (1 - mask)
    with torch.inference_mode(False), editor.compute.autocast():
        # Clones: a caller's inference mode made the pastes into what autograd does not keep.
        code = diffused(paste.clone(), mask.clone(), inverter.networks, inverter.options)
        with torch.no_grad():
            made = editor.pack.generator(code.w, code.feature, noise=code.noise)
    return Mixture(crops[0], crops[1], _picture(paste), _picture(made))


def _two(first: str | Path | Picture, second: str | Path | Picture) -> list[str | Path | Picture]:
    """:raises UsageError: one of them is a folder, which is many pictures or none."""
    for one in (first, second):
        if isinstance(one, str | Path) and Path(one).is_dir():
            raise UsageError(f"{one} is a folder; name one of its pictures")
    return [first, second]


def region_mask(face: Face, region: str) -> NDArray[np.float32]:
    """[S, S]: where the face's region is, softly."""
    side = len(known(face.crop))
    points = None
    if face.points is not None:
        points = in_crop(face.points, known(face.quad), side)
    elif REGIONS[region] is not None:
        raise UsageError(f"region {region} is placed by a face's points, which a crop has not; give whole pictures")
    return known(union({region: 1.0}, oval(side, 0.8), points, side))


def _picture(batch: Tensor) -> Picture:
    return np.rint(to_levels(batch)[0]).astype(np.uint8)
