"""Rendered -> Rendered: what is known of every drawn face before the change goes in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from vidinv.faces.masks import oval
from vidinv.faces.pose import pose_from_points
from vidinv.models.identity import IdentityNet
from vidinv.models.pictures import to_tensor
from vidinv.runtime.batching import groups
from vidinv.runtime.compute import Compute
from vidinv.runtime.window import View, windowed
from vidinv.types import Appraisal, Rendered

VIEWS = ("source", "inversion", "edit")


@dataclass(frozen=True)
class AppraiseOptions:
    batch: int = 8  # faces per pass
    sigma: float = 0.08  # seconds; what a face is, is the mean of its inversions over so long: what only passes is not
    rate: float = 30.0  # frames per second


Embeddings = tuple[dict[str, NDArray[np.float32]] | None, ...]  # per crop; None: not edited


def appraise(
    stream: Iterable[Rendered],
    identity: IdentityNet | None,
    compute: Compute,
    options: AppraiseOptions = AppraiseOptions(),
) -> Iterator[Rendered]:
    """Add an Appraisal for every edited face. The only doubt it raises is "missed"; others are :func:`trust`'s.

    The encoder reproduces a hand before a face as well as the face, so a frame's own inversion tells nothing of it.
    The mean over the frames around does: something that comes and goes is not in it.

    :param identity: None leaves ``identities`` empty.
    """
    sigma = options.sigma * options.rate
    embedded = _with_embeddings(stream, identity, compute, options.batch)
    for (rendered, embeddings), view in windowed(embedded, math.ceil(2 * sigma), _inversions):
        appraisals = tuple(
            None if known is None else _appraisal(rendered, i, known, _mean(view, crop.person, sigma))
            for i, (crop, known) in enumerate(zip(rendered.edited.coded.aligned.crops, embeddings, strict=True))
        )
        yield replace(rendered, appraisals=appraisals)


def _with_embeddings(
    stream: Iterable[Rendered], identity: IdentityNet | None, compute: Compute, batch: int
) -> Iterator[tuple[Rendered, Embeddings]]:
    for group in groups(stream, lambda r: sum(e is not None for e in r.edits), batch):
        drawn = [_views(r, i) for r in group for i, e in enumerate(r.edits) if e is not None]
        embeddings = iter(_embedded(drawn, identity, compute, batch))
        for rendered in group:
            yield rendered, tuple(None if e is None else next(embeddings) for e in rendered.edits)


def _inversions(item: tuple[Rendered, Embeddings]) -> dict[int, NDArray[np.float32]]:
    """What the window remembers of a frame: the inversions, by person. A person lives within one shot."""
    crops = item[0].edited.coded.aligned.crops
    return {c.person: picture for c, picture in zip(crops, item[0].inversions, strict=True) if picture is not None}


def _mean(view: View[dict[int, NDArray]], person: int, sigma: float) -> NDArray[np.float32]:
    """Gaussian mean of the person's inversions around the middle of the view."""
    near = [(i - view.at, pictures[person]) for i, pictures in enumerate(view.around) if person in pictures]
    weights = np.exp([-0.5 * (t / max(sigma, 1e-9)) ** 2 for t, _ in near]).astype(np.float32)
    return np.tensordot(weights / weights.sum(), np.stack([picture for _, picture in near]), 1)


def _views(rendered: Rendered, i: int) -> NDArray[np.float32]:
    """[3, S, S, 3] in the order of VIEWS, 0..255."""
    source = rendered.edited.coded.aligned.crops[i].image.astype(np.float32)
    return np.stack([source, rendered.inversions[i], rendered.edits[i]])


def _embedded(
    drawn: list[NDArray], identity: IdentityNet | None, compute: Compute, batch: int
) -> list[dict[str, NDArray[np.float32]]]:
    if identity is None:
        return [{} for _ in drawn]
    found = []
    for start in range(0, len(drawn), batch):
        views = np.concatenate(drawn[start : start + batch])
        with torch.inference_mode(), compute.autocast():
            embeddings = identity(to_tensor(views, compute.device)).float().cpu().numpy()
        threes = embeddings.reshape(-1, len(VIEWS), embeddings.shape[-1])
        # Copies: a row that is kept for the report would keep its whole batch.
        found += [{view: row.copy() for view, row in zip(VIEWS, three, strict=True)} for three in threes]
    return found


def _appraisal(rendered: Rendered, i: int, identities: dict[str, NDArray], usual: NDArray) -> Appraisal:
    """:param usual: [S, S, 3] what the face looks like about now, 0..255."""
    aligned = rendered.edited.coded.aligned
    crop = aligned.crops[i]
    face = next((f for f in aligned.found.faces if f.person == crop.person), None)
    yaw, pitch = pose_from_points(face.points)[:2] if face is not None and face.points is not None else (0.0, 0.0)
    mask = oval(len(crop.image), content=crop.content)
    error = np.square(crop.image - usual).mean(2)
    unexplained = float(np.sqrt((error * mask).sum() / mask.sum()))
    seen = face is not None and face.seen
    return Appraisal(identities, yaw, pitch, unexplained, rendered.edited.strength, () if seen else ("missed",))
