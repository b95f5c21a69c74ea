"""What an edit network is trained on: which face, which edits, how far, and what the face should then show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidinv.models.attributes import MOST_SURE
from vidinv.models.pictures import to_tensor
from vidinv.training import accessories, losses
from vidinv.training.codes import Array, Codes, read_codes
from vidinv.training.labelling import attribute_grids
from vidinv.training.sampling import balanced_weights
from vidinv.training.scores import LOGITS, MOVING, behind_dark_glass, eligible, scores
from vidinv.training.sources import PAIRS_SET, person_of
from vidinv.training.teachers import Teachers

LEAST, MOST = 0.4, 3.0  # standard deviations that an amount is between
YOUNGEST = 14.0  # years; faces are not edited to be younger, since heads of children have other shapes
SAME_LIGHT = ("imm", "ccface", "liveportrait", "deepface", "johns")  # sets in which they differ in nothing else
DRAWN = 0.65  # share of those of pipelines.draw_pairs among the pairs that are taken, where there are any


@dataclass(frozen=True)
class Pool:
    """Faces by their codes, with what is known of each before training; N of them, K scores."""

    codes: Codes
    names: tuple[str, ...]  # of the scores, in the order of all K columns
    known: NDArray[np.float32]  # [N, K] standardised scores of the pictures; NaN where not shown
    read: NDArray[np.float32]  # [N, K] those of the inversions, as the labelling networks read them
    may: NDArray[np.bool_]  # [N, K] may the face be edited in this
    rows: NDArray[np.int64]  # the training faces
    weights: NDArray[np.float64]  # of them
    identity_grids: Tensor
    attribute_grids: Tensor
    probe_grids: Tensor
    hulls: Array  # [N, h, h] 0..255, where the face is
    mouths: Array  # [N, h, h] 0..255, where the mouth is, and may be once it is open
    pairs: NDArray[np.int64]  # [P, 2] rows of two training pictures of one person
    pair_weights: NDArray[np.float64]  # [P] how often each is drawn
    alike: NDArray[np.bool_]  # [P] was their light the same?
    drawn: NDArray[np.int64]  # [P] the score in which they differ, one being the other with something drawn; or -1
    asked: NDArray[np.float32]  # [P] by how much, in standard deviations, whatever the networks read of drawings

    @property
    def device(self) -> torch.device:
        """Where the codes are, and what is drawn of them."""
        return self.identity_grids.device

    def to(self, device: str) -> Pool:
        """With codes, grids and hulls on the device, in the types that they have."""
        c = self.codes
        w, feature, below, pictures = (_sent(a, device) for a in (c.w, c.feature, c.below, c.inversions))
        codes = Codes(w, feature, below, pictures, c.labels, c.scales)
        grids = {n: getattr(self, n).to(device) for n in ("identity_grids", "attribute_grids", "probe_grids")}
        hulls, mouths = _sent(self.hulls, device), _sent(self.mouths, device)
        return replace(self, codes=codes, hulls=hulls, mouths=mouths, **grids)


@dataclass(frozen=True)
class Batch:
    """B faces with what is asked of them; tensors on the pool's device."""

    w: Tensor  # [B, L, D]
    feature: Tensor  # [B, C, h, h]
    below: Tensor  # [B, 3, h, h] the picture of the layers below K
    amounts: Tensor  # [B, K]
    picture: Tensor  # [B, 3, S, S] the inversions
    condition: Tensor  # [B, K] standardised scores the edited face should have; 0 where not known
    target: Tensor  # [B, K] the same for the readers, NaN where not known
    identity: Tensor  # [B, D] of the photographs
    identity_grids: Tensor
    attribute_grids: Tensor
    probe_grids: Tensor
    hull: Tensor  # [B, 1, h, h] 0..1
    mouth: Tensor  # [B, 1, h, h] 0..1
    partner: Tensor  # [P, 3, S, S] inversions of the other pictures of the last P faces' persons
    partner_feature: Tensor  # [P, C, h, h] their F
    partner_points: Tensor  # [P, 68, 2] their landmarks, pixels
    alike: Tensor  # [P] 1 where their light is the same
    drawn: Tensor  # [P] bool: is the partner the same picture, but for what is drawn?


def hull_maps(points68: NDArray, size: int, side: int) -> NDArray[np.uint8]:
    """Where faces are, jaw to upper forehead: [N, side, side] 0..255, of landmarks in crops of ``size`` pixels."""
    up = points68[:, 27] - points68[:, 8]  # the forehead is about as high as half of the face below the brows
    brows = points68[:, 17:27] + 0.45 * up[:, None]
    return _filled(np.concatenate([points68, brows], 1), size, side)


def mouth_maps(points68: NDArray, size: int, side: int) -> NDArray[np.uint8]:
    """Where mouths are, lips included, with room for a smile and an open one: as :func:`hull_maps`."""
    lips = points68[:, 48:68]
    wide = lips.mean(1, keepdims=True) + 1.25 * (lips - lips.mean(1, keepdims=True))
    chin = points68[:, 8:9]
    return _filled(np.concatenate([wide, wide + 0.35 * (chin - lips.mean(1, keepdims=True))], 1), size, side)


def _filled(points: NDArray, size: int, side: int) -> NDArray[np.uint8]:
    """Convex hulls of points [N, P, 2] in crops of ``size`` pixels: [N, side, side] 0..255."""
    found = np.zeros((len(points), side, side), np.uint8)
    for at, p in zip(found, points, strict=True):
        mask = np.zeros((size, size), np.uint8)
        cv2.fillConvexPoly(mask, np.round(cv2.convexHull(p.astype(np.float32)).reshape(-1, 2)).astype(np.int32), 255)
        at[:] = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
    return found


def read_pool(folder: Path, names: tuple[str, ...], nets: Teachers) -> Pool:
    """A folder of codes. :param names: scores, in the order of the columns."""
    codes = read_codes(folder)
    labels, size = codes.labels, codes.inversions.shape[1]
    found = scores(labels)
    known = np.stack([found[n] / codes.scales[n] for n in names], 1).astype(np.float32)
    ends = np.array([MOST_SURE / codes.scales[n] if n in LOGITS else np.inf for n in names], np.float32)
    order = [list(codes.scales).index(n) for n in names]
    shown = np.stack([eligible(n, labels) for n in names], 1)
    train = np.flatnonzero(~labels["val"] & ~behind_dark_glass(labels))
    points = labels["points68"]
    files = zip(labels["set"], labels["file"], strict=True)
    persons = np.array([person_of(file) if group == PAIRS_SET else "" for group, file in files])
    pairs = pairs_of(persons, train)
    sets = [persons[a].split("/")[0] for a, _ in pairs]
    drawn = np.array([names.index(s) if s in names else -1 for s in sets], np.int64)
    much = labels.get("drawn", np.zeros(len(persons)))
    return Pool(
        codes=codes,
        names=names,
        known=known,
        read=np.clip(labels["read"][:, order].astype(np.float32), -ends, ends),
        may=shown,
        rows=train,
        weights=balanced_weights({k: labels[k][train] for k in ("age", "male", "skin")}),
        identity_grids=losses.identity_grids(nets, points, size),
        attribute_grids=attribute_grids(points, size),
        probe_grids=accessories.view_grids(nets, points, size),
        hulls=hull_maps(points, size, codes.feature.shape[-1]),
        mouths=mouth_maps(points, size, codes.feature.shape[-1]),
        pairs=pairs,
        pair_weights=shared(even(persons[pairs[:, 0]]), drawn >= 0),
        alike=np.array([s in SAME_LIGHT or s in names for s in sets], bool),
        drawn=drawn,
        asked=(much[pairs[:, 1]] - much[pairs[:, 0]]).astype(np.float32),
    )


def even(persons: NDArray) -> NDArray[np.float64]:
    """Probability of each pair [P], all persons alike: one with many pictures has many times as many pairs."""
    _, at, counts = np.unique(persons, return_inverse=True, return_counts=True)
    return 1 / (counts[at] * max(len(counts), 1))


def shared(weights: NDArray, drawn: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The same, DRAWN of it on the pairs with something drawn."""
    if not drawn.any() or drawn.all():
        return weights
    part = weights[drawn].sum() / weights.sum()
    return weights * np.where(drawn, DRAWN / part, (1 - DRAWN) / (1 - part)) / weights.sum()


def pairs_of(persons: NDArray, rows: NDArray) -> NDArray[np.int64]:
    """Every two of ``rows`` that show the same person, both ways round, [P, 2]. :param persons: [N], "" for nobody."""
    groups = [rows[persons[rows] == person] for person in np.unique(persons[rows]) if person]
    found = [(a, b) for group in groups for a in group for b in group if a != b]
    return np.array(found, np.int64).reshape(-1, 2)


def centre_of(pool: Pool) -> NDArray[np.float32]:
    """Means of the scores over the training faces, [K]."""
    return np.nanmean(pool.known[pool.rows], 0)


def draw_amounts(pool: Pool, rows: NDArray, rng: np.random.Generator, twice: float) -> NDArray[np.float32]:
    """Amounts [B, K] that bring one score of each face, or two, to where another face of the pool has it.

    So amounts are drawn as faces are: continuous, and nobody is asked for what there is not.

    :param twice: share of the faces that are asked for two edits.
    """
    amounts = np.zeros((len(rows), len(pool.names)), np.float32)
    shares = pool.weights.cumsum()  # what rng.choice would add up again for every face
    shares /= shares[-1]
    for at, row in enumerate(rows):
        edits = np.flatnonzero(pool.may[row])
        for edit in rng.permutation(edits)[: 2 if rng.random() < twice else 1]:
            others = pool.rows[shares.searchsorted(rng.random(16), side="right")]
            asked = pool.known[others, edit] - pool.known[row, edit]
            fit = np.isfinite(asked) & (np.abs(asked) > LEAST)
            if pool.names[edit] == "age":
                fit &= pool.codes.labels["age"][others] >= YOUNGEST
            if fit.any():
                amounts[at, edit] = np.clip(asked[fit][0], -MOST, MOST)
    return amounts


def only(pool: Pool, edits: tuple[str, ...]) -> Pool:
    """The same faces, edited in some scores alone. :raises ValueError: a name that is no score."""
    if unknown := sorted(set(edits) - set(pool.names)):
        raise ValueError(f"no score is called {', '.join(unknown)}; there are {', '.join(pool.names)}")
    return replace(pool, may=pool.may & np.array([name in edits for name in pool.names]))


def draw(pool: Pool, paired: Pool, centre: NDArray, sizes: tuple[int, int], twice: float, seed: tuple) -> Batch:
    """A batch.

    :param paired: whose pairs are drawn. :param centre: [K] means of the scores.
    :param sizes: faces without a partner, and with one, which come last. :param seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    rows = rng.choice(pool.rows, sizes[0], p=pool.weights)
    amounts = draw_amounts(pool, rows, rng, twice)
    chosen = rng.choice(len(paired.pairs), sizes[1], p=paired.pair_weights)
    first, second = paired.pairs[chosen].T
    drawn = paired.drawn[chosen]
    differ = np.array([n in MOVING for n in pool.names])  # between pictures of one person
    between = np.where(differ, paired.known[second] - paired.known[first], 0)
    between[drawn >= 0] = np.eye(len(pool.names))[drawn[drawn >= 0]] * paired.asked[chosen][drawn >= 0, None]
    between = np.clip(np.nan_to_num(between), -MOST, MOST).astype(np.float32)
    amounts = np.concatenate([amounts, between])

    device = pool.device

    def both(of) -> Tensor:
        return torch.cat([take(of(pool), rows), take(of(paired), first)]).to(device)

    known = np.concatenate([pool.known[rows], paired.known[first]])
    read = np.concatenate([pool.read[rows], paired.read[first]])
    return Batch(
        w=both(lambda p: p.codes.w).float(),
        feature=both(lambda p: p.codes.feature).float().contiguous(memory_format=torch.channels_last),
        below=both(lambda p: p.codes.below).float(),
        amounts=torch.from_numpy(amounts).to(device),
        picture=to_tensor(both(lambda p: p.codes.inversions), device),
        condition=torch.from_numpy(np.nan_to_num(known - centre + amounts)).float().to(device),
        target=torch.from_numpy(read + amounts).float().to(device),
        identity=both(lambda p: p.codes.labels["identity"]).float(),
        identity_grids=both(lambda p: p.identity_grids),
        attribute_grids=both(lambda p: p.attribute_grids),
        probe_grids=both(lambda p: p.probe_grids),
        hull=both(lambda p: p.hulls).float()[:, None] / 255,
        mouth=both(lambda p: p.mouths).float()[:, None] / 255,
        partner=to_tensor(take(paired.codes.inversions, second), device),
        partner_feature=take(paired.codes.feature, second).to(device).float(),
        partner_points=take(paired.codes.labels["points68"], second).float().to(device),
        alike=take(paired.alike, chosen).float().to(device),
        drawn=torch.from_numpy(drawn >= 0).to(device),
    )


def draw_real(pool: Pool, paired: Pool, centre: NDArray, sizes: tuple[int, int], seed: tuple) -> tuple[Tensor, Tensor]:
    """Inversions of other faces, [B, 3, S, S], and their standardised scores [B, K], NaN where not known."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(pool.rows, sizes[0], p=pool.weights)
    mates = rng.choice(paired.rows, sizes[1])
    pictures = torch.cat([take(pool.codes.inversions, rows), take(paired.codes.inversions, mates)])
    known = np.concatenate([pool.known[rows], paired.known[mates]]) - centre
    return to_tensor(pictures, pool.device), torch.from_numpy(known).float().to(pool.device)


def take(array: Array, rows: NDArray) -> Tensor:
    """Some rows of an array, where that is and in its type."""
    if isinstance(array, Tensor):
        return array[torch.from_numpy(rows).to(array.device)]
    return torch.from_numpy(np.ascontiguousarray(array[rows]))


def _sent(array: Array, device: str) -> Tensor:
    """An array on a device; read bit by bit, as it may be larger than the memory here."""
    if isinstance(array, Tensor):
        return array.to(device)
    sent = torch.empty(array.shape, dtype=torch.from_numpy(np.empty(0, array.dtype)).dtype, device=device)
    for rows in np.array_split(np.arange(len(array)), -(-len(array) // 512)):
        sent[rows[0] : rows[-1] + 1] = torch.from_numpy(np.array(array[rows[0] : rows[-1] + 1]))
    return sent
