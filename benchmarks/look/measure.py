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
from vidinv.types import Change, Faces

SIDE = 128  # of the crops that are compared, pixels, whatever the pack's resolution
FEWEST = 8  # people whom an edit suits, of whom the overlay is made; where there are fewer, of all


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
class Others:
    """Those whose mean change is laid over the judged."""

    crowd: Crowd
    labels: dict[str, NDArray]  # [N] per column


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
    native, points = _points(crowd, nets)
    grids = losses.identity_grids(nets, points, SIDE), attribute_grids(points, SIDE)
    no_code = torch.zeros(len(points))
    faces = directions.Faces(no_code, no_code, points, *grids, photometry.hair(crowd.crops, points))
    return Judged(crowd, native, faces, _labels(crowd, labels, points), rulers.read(crowd.crops, faces))


def others_of(crowd: Crowd, labels: dict[str, NDArray], rulers: Rulers) -> Others:
    """:param labels: of the whole data."""
    return Others(crowd, _labels(crowd, labels, _points(crowd, rulers.labelling.teachers)[1]))


def _points(crowd: Crowd, nets: teachers.Teachers) -> tuple[list[NDArray], NDArray]:
    """68 landmarks of everybody, in the native pictures and in the crops, pixels."""
    boxes = np.stack([one.faces[0].box for one in crowd.found])
    native = list(teachers.label(nets, [p.picture for p in crowd.people], boxes)["points68"])
    maps = [quad_to_affine(quad_of(one), SIDE) for one in crowd.found]
    return native, np.stack([transform_points(m, p) for m, p in zip(maps, native, strict=True)])


def _labels(crowd: Crowd, labels: dict[str, NDArray], points: NDArray) -> dict[str, NDArray]:
    rows = [p.row for p in crowd.people]
    return {k: v[rows] for k, v in labels.items()} | photometry.measured(crowd.crops, points)


def suited(edit: str, strength: float, labels: dict[str, NDArray]) -> NDArray[np.int64]:
    """Those on whom a pack's card measures the edit, as indices."""
    below = strength < 0 and edit in card.COHORTS_BELOW
    return card.cohort(edit, labels, np.arange(len(labels["age"])), below)


def lenders(edit: str, strength: float, labels: dict[str, NDArray], edited: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Whose change an overlay is made of, as indices: whom the edit suits, of those whom it went into; of all of these
    where it suits fewer than FEWEST.

    :param labels: of the others. :param edited: [N], of them.
    """
    who = suited(edit, strength, labels)
    who = who[edited[who]]
    return who if len(who) >= FEWEST else np.flatnonzero(edited)


def measured(
    edit: str, strength: float, judged: Judged, others: Others, finished: Sequence[Finished], rulers: Rulers
) -> dict[str, object]:
    """All figures of one edit at one strength. A face that was refused kept its source and has none.

    :param finished: of the judged, then of the others.
    """
    count = len(judged.crowd.people)
    edited, lent = (np.array([one.edited is not None for one in some]) for some in (finished[:count], finished[count:]))
    after = _crops(judged.crowd, finished[:count])
    changes = [figures.split(*pair) for pair in zip(judged.crowd.crops, after, strict=True)]
    lending = lenders(edit, strength, others.labels, lent)
    control = _overlays(judged.crowd, others.crowd, finished[count:], lending)
    found = {
        **_effects(edit, judged, after, control, rulers),
        "identity": _identity(judged, after, rulers),
        **_looks(judged, finished[:count], after),
    }
    found = {k: np.where(edited, v, np.nan) for k, v in found.items()}
    who = suited(edit, strength, judged.labels)
    who = who[edited[who]]
    whole = figures.luma(after.astype(np.float64) - judged.crowd.crops)
    return {
        "edited": int(edited.sum()),
        "edited_others": int(lent.sum()),
        "overlay_of": len(lending),
        "mean": means(found, whole, changes, np.flatnonzero(edited)),
        "suited": {"faces": len(who)} | means(found, whole, changes, who),
        "faces": {k: [_rounded(float(x)) for x in v] for k, v in found.items()},
    }


def means(
    found: dict[str, NDArray[np.float64]], whole: NDArray, changes: Sequence[Change], who: NDArray[np.int64]
) -> dict[str, float | None]:
    """Every figure over some of the judged; None: it says nothing of any of them.

    :param found: [N] per figure. :param whole: [N, SIDE, SIDE] the changes of luma, levels.
    :param changes: the same, as motion and the rest. :param who: indices.
    """
    motions, rest = (np.stack([getattr(c, part) for c in changes])[who] for part in ("motion", "residual"))
    alike = {
        "sameness": figures.sameness(whole[who]),
        "sameness_motion": figures.sameness_motion(motions),
        "sameness_residual": figures.sameness(figures.luma(rest)),
    }
    return {k: _rounded(_mean(v[who])) for k, v in found.items()} | {k: _rounded(v) for k, v in alike.items()}


def _overlays(
    judged: Crowd, others: Crowd, finished: Sequence[Finished], lending: NDArray[np.int64]
) -> NDArray[np.uint8] | None:
    """The mean change of some of the others over each source, [N, SIDE, SIDE, 3]; None where there are none."""
    if not len(lending):
        return None
    borrowed = _crops(others, finished)
    mean = figures.mean_change([figures.split(others.crops[i], borrowed[i]) for i in lending])
    return np.stack([figures.overlaid(source, mean) for source in judged.crops])


def _crops(crowd: Crowd, finished: Sequence[Finished]) -> NDArray[np.uint8]:
    return np.stack([crop(f.picture, quad_of(one), SIDE) for f, one in zip(finished, crowd.found, strict=True)])


def _effects(
    edit: str, judged: Judged, after: NDArray[np.uint8], control: NDArray[np.uint8] | None, rulers: Rulers
) -> dict[str, NDArray[np.float64]]:
    """What both rulers see, and how much more it is than of other people's mean change laid over the source; NaN where
    there is no such change."""
    reached = rulers.read(after, judged.faces)
    stencil = None if control is None else rulers.read(control, judged.faces)
    found = {}
    for prefix, name in (("", edit), ("probe_", f"probe.{edit}")):
        found[f"{prefix}effect"] = reached[name] - judged.before[name]
        none = np.full(len(after), np.nan)
        found[f"{prefix}margin"] = none if stencil is None else reached[name] - stencil[name]
    return found


@torch.inference_mode()
def _identity(judged: Judged, after: NDArray[np.uint8], rulers: Rulers) -> NDArray[np.float64]:
    """Cosine of finished face and source, [N]."""
    nets, grids = rulers.labelling.teachers, judged.faces.identity_grids
    pair = to_tensor(after), to_tensor(judged.crowd.crops)
    return (1 - losses.identity_distance(nets, *pair, grids)).double().numpy()


def _looks(judged: Judged, finished: Sequence[Finished], after: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    changes = after.astype(np.float64) - judged.crowd.crops
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
