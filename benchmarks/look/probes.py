"""The second ruler: linear probes on features of a network that the first ruler does not use.

The first ruler is the labelling networks, which edits are fitted and calibrated by. What both see is there; what the
first alone sees may be there for its eyes only. Of an edit network the second is not independent: its training passes
through the trunks that the probes read too, and only the read-out is another. The probes learn from true labels where
there are some, and otherwise from the first ruler's own. Their features are of the ImageNet squeezenet trunk; of
accessories, which the first ruler reads off that very trunk, they are of the networks for age and expression.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pipelines.label_accessories import read_table
from vidinv.errors import InputError
from vidinv.models.pictures import to_tensor
from vidinv.packs.digest import sha256
from vidinv.training import photometry, shards
from vidinv.training.labelling import attribute_grids
from vidinv.training.scores import ACCESSORIES, LOGITS, scales, scores
from vidinv.training.teachers import Teachers

HAND_LABELS = Path(__file__).resolve().parents[2] / "pipelines" / "labels" / "accessories.csv"
CELLS = {7: 4, 12: 3}  # layer of squeezenet's features: cells a side in which it is pooled over the crop
DRAWN = 5000  # training faces that the probes learn from, beside those labelled by hand
FEWEST = 50  # labelled faces that a probe is fitted to
COMPONENTS = 300  # principal components of the features that a probe is fitted to
VERSION = 1  # of what is kept: another one is fitted anew


@dataclass(frozen=True)
class Probe:
    """Linear in the features of its trunk."""

    trunk: str  # "squeezenet" or "attributes"
    weight: NDArray[np.float64]  # [D]
    bias: float
    logistic: bool  # answers with a probability, otherwise in the score's unit
    learned: str  # what its labels were
    faces: int  # that it learned from
    validation: float  # R2, or AUC of the logistic ones, on validation faces

    def read(self, features: dict[str, NDArray]) -> NDArray[np.float64]:
        """[N] years, probabilities, or standard deviations. :param features: of :func:`read_features`."""
        said = features[self.trunk] @ self.weight + self.bias
        return 1 / (1 + np.exp(-said)) if self.logistic else said

    def told(self) -> dict[str, object]:
        figure = "auc" if self.logistic else "r2"
        return {"features": self.trunk, "labels": self.learned, "faces": self.faces, figure: round(self.validation, 3)}


@torch.inference_mode()
def read_features(teachers: Teachers, pictures: Tensor, points68: NDArray) -> dict[str, NDArray[np.float32]]:
    """[N, D] of each trunk. :param pictures: [N, 3, S, S] in -1..1, crops. :param points68: [N, 68, 2] in them."""
    lab, grids = teachers.labeller, attribute_grids(points68, pictures.shape[-1])
    found: dict[str, list[Tensor]] = {"squeezenet": [], "attributes": []}
    for x, grid in zip(pictures.split(32), grids.split(32), strict=True):
        where = F.affine_grid(grid, [len(x), 3, 112, 112], align_corners=False)
        view = (F.grid_sample(x, where, padding_mode="border", align_corners=False) + 1) / 2
        seen = [lab.attributes.features(view), lab.expression.features(view)]
        found["attributes"].append(torch.cat(seen, 1))
        y, pooled = (x - lab.lpips.shift) / lab.lpips.scale, []
        for index, layer in enumerate(lab.lpips.features):
            y = layer(y)
            if index in CELLS:
                pooled.append(F.adaptive_avg_pool2d(y, CELLS[index]).flatten(1))
        found["squeezenet"].append(torch.cat(pooled, 1))
    return {name: torch.cat(parts).numpy() for name, parts in found.items()}


@dataclass(frozen=True)
class Truth:
    """What a probe of one score learns."""

    values: NDArray[np.float64]  # [N] in the score's unit, 0 or 1 where logistic; NaN where it is not known
    logistic: bool
    told: str


def truths(labels: dict[str, NDArray], by_hand: dict[str, NDArray], scale: dict[str, float]) -> dict[str, Truth]:
    """Of every score that has a scale, for all faces of the table ``labels``, which has the columns of photometry."""
    sexes = np.full(len(labels["stated_sex"]), np.nan)
    sexes[labels["stated_sex"] == "male"], sexes[labels["stated_sex"] == "female"] = 1, 0
    sexes[labels["set"] == "generated"] = np.nan  # whom nobody asked
    found = {
        "age": Truth(labels["stated_age"].astype(float), False, "stated ages of utk"),
        "gender": Truth(sexes, True, "stated sexes of photographs"),
        "smile": Truth((labels["expression"][:, 1] > 0.5).astype(float), True, "the expression network"),
    }
    found |= {name: Truth(by_hand[name], True, "labels by hand") for name in ACCESSORIES if name in scale}
    rest = {name: score for name, score in scores(labels).items() if name in scale and name not in found}
    return found | {name: Truth(score / scale[name], False, "the first ruler") for name, score in rest.items()}


def fit_probe(trunk: str, x: NDArray, truth: Truth, val: NDArray[np.bool_]) -> Probe:
    """One probe, on principal components of the features, with a penalty chosen by cross-validation.

    :param x: [N, D]. :param val: [N], faces that it does not learn from and is validated on.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.metrics import r2_score, roc_auc_score
    from sklearn.model_selection import GridSearchCV

    known = np.isfinite(truth.values)
    train, held = (np.flatnonzero(known & which) for which in (~val, val))
    if min(len(train), len(held)) < FEWEST:
        raise InputError(f"{len(train)} faces to learn {truth.told} from and {len(held)} to validate on are too few")
    mean, sd = x[train].mean(0), np.maximum(x[train].std(0), 1e-6)
    count = min(COMPONENTS, len(train) // 2, x.shape[1])
    pca = PCA(count, svd_solver="randomized", random_state=0).fit((x[train] - mean) / sd)
    parts = pca.transform((x[train] - mean) / sd)
    size = float(parts[:, 0].std())
    if truth.logistic:
        tried = {"C": np.logspace(-4, 1, 6)}
        search = GridSearchCV(
            LogisticRegression(max_iter=500), tried, scoring="neg_log_loss", cv=4, error_score="raise"
        )
        model = search.fit(parts / size, truth.values[train].astype(int)).best_estimator_
        coefficients, intercept = model.coef_[0], float(model.intercept_[0])
    else:
        model = RidgeCV(np.logspace(-4, 3, 15)).fit(parts / size, truth.values[train])
        coefficients, intercept = model.coef_, float(model.intercept_)
    weight = (coefficients / size) @ pca.components_
    bias = intercept - float(weight @ pca.mean_) - float((weight / sd) @ mean)
    said = x[held] @ (weight / sd) + bias
    measure = roc_auc_score if truth.logistic else r2_score
    figure = float(measure(truth.values[held], said))
    return Probe(trunk, weight / sd, bias, truth.logistic, truth.told, len(train), figure)


def fit_probes(teachers: Teachers, data: Path) -> tuple[dict[str, Probe], dict[str, float]]:
    """A probe of every score of the data, and the scores' scales as packs have them."""
    labels = shards.read_labels(data)
    by_hand = read_table(HAND_LABELS, labels)
    train = np.flatnonzero(~labels["val"])
    chosen = np.zeros(len(labels["val"]), bool)
    chosen[np.random.default_rng(0).permutation(train)[:DRAWN]] = True
    chosen |= labels["val"] | np.any([np.isfinite(v) for v in by_hand.values()], 0)
    rows, parts = np.flatnonzero(chosen), []
    for some in np.array_split(rows, len(rows) // 512 + 1):
        pictures = shards.read_crops(data, some)
        seen = photometry.measured(pictures, labels["points68"][some])
        parts.append(read_features(teachers, to_tensor(pictures), labels["points68"][some]) | seen)
        print(f"features of {sum(len(p['white']) for p in parts)}/{len(rows)} faces", flush=True)
    table = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    x = {trunk: table.pop(trunk) for trunk in ("squeezenet", "attributes")}
    mine = {k: v[rows] for k, v in labels.items()} | table
    learned = {k: v[~mine["val"]] for k, v in mine.items()}
    whole = scales({k: v[~labels["val"]] for k, v in labels.items()})
    scale = scales(learned) | whole
    found = {}
    for name, truth in truths(mine, {k: v[rows] for k, v in by_hand.items()}, scale).items():
        trunk = "attributes" if name in ACCESSORIES else "squeezenet"
        found[name] = fit_probe(trunk, x[trunk], truth, mine["val"])
        print(name, found[name].told(), flush=True)
    return found, scale


def fitted_of(data: Path, labellers: Path, by_hand: Path = HAND_LABELS) -> str:
    """A name for what probes are fitted of: the table of labels, those by hand, and the labelling networks' files, by
    name, size and time."""
    files = sorted(p for p in labellers.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    told = [(p.relative_to(labellers).as_posix(), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    whole = repr((sha256(data / "labels.npz"), sha256(by_hand), told))
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def kept_probes(
    teachers: Teachers, data: Path, labellers: Path, folder: Path
) -> tuple[dict[str, Probe], dict[str, float]]:
    """:func:`fit_probes`, once for each :func:`fitted_of`; what was fitted is kept in ``folder``.

    :param labellers: the folder that the teachers were read from.
    """
    path = folder / f"probes-{VERSION}-{fitted_of(data, labellers)}.npz"
    if not path.exists():
        found, scale = fit_probes(teachers, data)
        columns: dict[str, Any] = {f"weight.{n}": p.weight for n, p in found.items()}
        rest = [[n, p.trunk, repr(p.bias), str(int(p.logistic)), p.learned, str(p.faces), repr(p.validation)]
                for n, p in found.items()]  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        passing = path.with_suffix(".part.npz")
        np.savez(passing, probes=np.array(rest), scales=np.array([[n, repr(s)] for n, s in scale.items()]), **columns)
        passing.replace(path)
    with np.load(path, allow_pickle=False) as kept:
        found = {
            n: Probe(trunk, kept[f"weight.{n}"], float(bias), logistic == "1", told, int(faces), float(figure))
            for n, trunk, bias, logistic, told, faces, figure in kept["probes"].tolist()
        }
        return found, {name: float(scale) for name, scale in kept["scales"].tolist()}


def in_units(name: str, score: NDArray, scale: dict[str, float]) -> NDArray[np.float64]:
    """The first ruler's scores, in standard deviations, as an edit's effect is told: years, probabilities, the others
    as they are."""
    raw = np.asarray(score, np.float64)
    if name == "age":
        return raw * scale[name]
    return 1 / (1 + np.exp(-raw * scale[name])) if name in LOGITS else raw
