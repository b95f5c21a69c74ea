"""One edit at one strength, on all people: every figure of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.look import figures, regions
from benchmarks.look.finish import Finished, find, quad_of
from benchmarks.look.people import Person
from benchmarks.look.probes import Probe, in_units, read_features
from vidinv import VideoEditor
from vidinv.faces.quads import quad_to_affine, transform_points
from vidinv.faces.warps import crop
from vidinv.models.pictures import to_tensor
from vidinv.training import card, directions, losses, photometry, teachers
from vidinv.training.labelling import Labelling, attribute_grids
from vidinv.types import Faces

SIDE = 128  # of the crops that are compared, pixels, whatever the pack's resolution


@dataclass(frozen=True)
class Crowd:
    """Some people before anything is done to them, N of them."""

    people: list[Person]
    found: list[Faces]  # of each one frame with one face
    crops: NDArray[np.uint8]  # [N, SIDE, SIDE, 3]


@dataclass(frozen=True)
class Judged:
    """Those whom an edit is judged on, with all that is known of them, and with what both rulers say of them."""

    crowd: Crowd
    points: list[NDArray]  # [68, 2] of each, pixels of the native picture
    faces: directions.Faces  # places in the crops; no codes
    labels: dict[str, NDArray]  # [N] per column
    before: dict[str, NDArray]  # [N] of every score, of the first ruler and, as "probe.NAME", of the second


@dataclass(frozen=True)
class Rulers:
    labelling: Labelling
    probes: dict[str, Probe]

    def read(self, crops: NDArray[np.uint8], faces: directions.Faces) -> dict[str, NDArray[np.float64]]:
        """Every score in the unit in which effects are told, [N]; the probes' as "probe.NAME"."""
        x, scale = to_tensor(crops), self.labelling.scale
        first = {n: in_units(n, s.numpy(), scale) for n, s in self.labelling(x, faces).items()}
        features = read_features(self.labelling.teachers, x, faces.points68)
        return first | {f"probe.{n}": probe.read(features) for n, probe in self.probes.items()}


def gather(editor: VideoEditor, people: list[Person]) -> Crowd:
    found = find(editor, [p.picture for p in people], [p.name for p in people])
    crops = [crop(p.picture, quad_of(one), SIDE) for p, one in zip(people, found, strict=True)]
    return Crowd(people, found, np.stack(crops))


def judge_of(crowd: Crowd, labels: dict[str, NDArray], rulers: Rulers) -> Judged:
    """:param labels: of the whole data."""
    nets = rulers.labelling.teachers
    boxes = np.stack([one.faces[0].box for one in crowd.found])
    native = list(teachers.label(nets, [p.picture for p in crowd.people], boxes)["points68"])
    maps = [quad_to_affine(quad_of(one), SIDE) for one in crowd.found]
    points = np.stack([transform_points(m, p) for m, p in zip(maps, native, strict=True)])
    grids = losses.identity_grids(nets, points, SIDE), attribute_grids(points, SIDE)
    no_code = torch.zeros(len(points))
    faces = directions.Faces(no_code, no_code, points, *grids, photometry.hair(crowd.crops, points))
    rows = [p.row for p in crowd.people]
    mine = {k: v[rows] for k, v in labels.items()} | photometry.measured(crowd.crops, points)
    return Judged(crowd, native, faces, mine, rulers.read(crowd.crops, faces))


def suited(edit: str, strength: float, labels: dict[str, NDArray]) -> NDArray[np.int64]:
    """Those on whom a pack's card measures the edit, as indices."""
    below = strength < 0 and edit in card.COHORTS_BELOW
    return card.cohort(edit, labels, np.arange(len(labels["age"])), below)


def measured(
    edit: str, strength: float, judged: Judged, others: Crowd, finished: Sequence[Finished], rulers: Rulers
) -> dict[str, object]:
    """All figures of one edit at one strength.

    :param finished: of the judged, then of the others.
    """
    count = len(judged.crowd.people)
    after = _crops(judged.crowd, finished[:count])
    changes = after.astype(np.float64) - judged.crowd.crops
    borrowed = _crops(others, finished[count:]).astype(np.float64) - others.crops
    control = np.stack([figures.overlaid(source, borrowed) for source in judged.crowd.crops])
    found = {
        **_effects(edit, judged, after, control, rulers),
        "identity": _identity(judged, after, rulers),
        **_looks(judged, finished[:count], after, changes),
    }
    who = suited(edit, strength, judged.labels)
    effects = ("effect", "margin", "probe_effect", "probe_margin")
    return {
        "edited": sum(one.edited is not None for one in finished[:count]),
        "mean": {k: _rounded(_mean(v)) for k, v in found.items()}
        | {"sameness": _rounded(figures.sameness(figures.luma(changes)))},
        "suited": {"faces": len(who)} | {k: _rounded(_mean(found[k][who])) for k in effects},
        "faces": {k: [_rounded(float(x)) for x in v] for k, v in found.items() if k != "control"},
    }


def _crops(crowd: Crowd, finished: Sequence[Finished]) -> NDArray[np.uint8]:
    return np.stack([crop(f.picture, quad_of(one), SIDE) for f, one in zip(finished, crowd.found, strict=True)])


def _effects(
    edit: str, judged: Judged, after: NDArray[np.uint8], control: NDArray[np.uint8], rulers: Rulers
) -> dict[str, NDArray[np.float64]]:
    """What both rulers see, and how much more it is than of other people's mean change laid over the source."""
    reached, stencil = (rulers.read(crops, judged.faces) for crops in (after, control))
    found = {}
    for prefix, name in (("", edit), ("probe_", f"probe.{edit}")):
        effect = reached[name] - judged.before[name]
        found[f"{prefix}effect"] = effect
        found[f"{prefix}margin"] = effect - (stencil[name] - judged.before[name])
    return found


@torch.inference_mode()
def _identity(judged: Judged, after: NDArray[np.uint8], rulers: Rulers) -> NDArray[np.float64]:
    """Cosine of finished face and source, [N]."""
    nets, grids = rulers.labelling.teachers, judged.faces.identity_grids
    pair = to_tensor(after), to_tensor(judged.crowd.crops)
    return (1 - losses.identity_distance(nets, *pair, grids)).double().numpy()


def _looks(
    judged: Judged, finished: Sequence[Finished], after: NDArray[np.uint8], changes: NDArray
) -> dict[str, NDArray[np.float64]]:
    rows = []
    for i, person in enumerate(judged.crowd.people):
        points, shape = judged.faces.points68[i], changes.shape[1:3]
        native = regions.face(judged.points[i], person.picture.shape)
        rows.append(
            {
                "power_above_8": figures.power_above(figures.luma(changes[i])),
                "outside": figures.outside(changes[i], regions.face(points, shape)),
                "chroma_drift": figures.chroma_drift(judged.crowd.crops[i], after[i], regions.skin(points, shape)),
                "sharpness": figures.sharpness(person.picture, finished[i].picture, native),
            }
        )
    return {k: np.array([row[k] for row in rows]) for k in rows[0]}


def _mean(values: NDArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _rounded(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None
