"""Edits of one's own: from pictures to a direction that edits like those of the pack.

fitted = vidinv.fit_direction("glasses", positive="with/", negative="without/", against=["age", "gender"])
fitted.save()
vidinv.edit_video("in.mp4", "out.mp4", "glasses=+1")
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vidinv.api import VideoEditor
from vidinv.bounds import checked
from vidinv.edits.mixing import LAYERS, layers_of
from vidinv.errors import InputError, InputMissing, UnknownEdit, UsageError
from vidinv.faces.regions import REGIONS
from vidinv.fitting import boundary as svm
from vidinv.fitting import fit
from vidinv.fitting.effects import measured, read_scores
from vidinv.inversion.latent_manifest import is_latent_file
from vidinv.models.pictures import to_tensor
from vidinv.packs.own import Effects, OwnEdit, check_own_name
from vidinv.packs.spec import EditSpec
from vidinv.regular import opened_text, table_lines
from vidinv.still_files import read_codes
from vidinv.stills import Images, check_sizes, coded_faces, drawn, sources_of
from vidinv.types import Displacement, Face, known

Labels = str | Path | Mapping[str, float] | Sequence[float]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class FitOptions:
    """How a direction is looked for."""

    method: str = "interfacegan"
    """Of :data:`vidinv.fitting.fit.METHODS`."""
    component: int = 0
    """Of ganspace and sefa, from 0."""
    layers: str | None = None
    """Of ganspace and sefa, the styles that are moved: coarse, middle, fine, or FIRST-LAST; None: every one."""
    against: tuple[str, ...] = ()
    """Of interfacegan, what must not change: age, smile, gender, glasses, beard, makeup (as the pack's network reads
    the pictures, where it does), other own edits, or edits of the pack that are displacements."""
    feature: bool = True
    """Of interfacegan, and of ganspace in every style: F follows the score of the pictures."""

    def __post_init__(self) -> None:
        checked("component", self.component)


@dataclass(frozen=True)
class Fitted:
    """A direction, and the pictures that could not be used for it."""

    direction: OwnEdit
    failures: Mapping[str, str]
    """Pictures that gave no code, or have no label, by name, and why."""

    @property
    def displacement(self) -> Displacement:
        """One step; :func:`vidinv.edits.linear.along` makes an edit of it that need not be saved."""
        return self.direction.displacement

    def save(self, path: str | Path | None = None, *, overwrite: bool = False) -> Path:
        """See :meth:`vidinv.packs.own.OwnEdit.save`; without a path it is an edit of the pack from now on."""
        return self.direction.save(path, overwrite=overwrite)


@dataclass(frozen=True)
class Examples:
    """Faces as codes, on the CPU."""

    w: Tensor  # [N, L, D] float32
    feature: Tensor  # [N, C, h, h] float16: those of a thousand faces take as many quarters of a megabyte, or more
    scores: Tensor  # [N, K] of the pack's attribute network
    values: np.ndarray  # [N], labels
    failures: Mapping[str, str]


def fit_direction(
    name: str,
    *,
    positive: Images | None = None,
    negative: Images | None = None,
    pictures: Images | None = None,
    labels: Labels | None = None,
    aligned: bool = False,
    text: str = "",
    region: str = "face",
    pack: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    **options: Any,
) -> Fitted:
    """:func:`fit_direction_of` with an editor of its own; ``options`` are those of :class:`FitOptions`."""
    how = FitOptions(**(options | ({"against": tuple(options["against"])} if "against" in options else {})))
    editor = VideoEditor(pack, device=device, precision=precision, batch=batch)
    given: dict[str, Any] = {"positive": positive, "negative": negative, "pictures": pictures, "labels": labels}
    return fit_direction_of(editor, name, how, **given, aligned=aligned, text=text, region=region)


def fit_direction_of(
    editor: VideoEditor,
    name: str,
    options: FitOptions = FitOptions(),
    *,
    positive: Images | None = None,
    negative: Images | None = None,
    pictures: Images | None = None,
    labels: Labels | None = None,
    aligned: bool = False,
    text: str = "",
    region: str = "face",
    progress: Told = lambda done, total: None,
) -> Fitted:
    """Fit a named direction to pictures, and measure it on those that nothing was fitted to.

    :param positive, negative: pictures with and without it: files, folders, arrays, or a folder of kept codes.
    :param pictures: of one lot, with ``labels``; for ganspace, and for the steps of sefa, without.
    :param labels: a CSV file with the columns file and value, the same as a mapping, or a number of each picture; 0 and
        1, or any numbers.
    :param aligned: the pictures are crops as the pack wants them. :param text: what the edit does, for people.
    :param region: of :data:`vidinv.faces.regions.REGIONS`, where on the face it acts.
    :param progress: is told after every picture how many of how many are inverted.
    :raises UsageError: options that do not go together, or a name that the pack has. :raises InputError: too few
        pictures, or of one kind only. :raises MissingExtra: scikit-learn is not installed.
    """
    check_own_name(name, editor.pack.spec.edits, editor.pack.name)
    chosen = _checked(editor, options, positive, negative, pictures, labels)
    spec = EditSpec(unit="sd", step="", text=text or f"more (+) or less (-) {name}", region=_region(region))
    if labels is not None and pictures is not None:
        read = _labels(labels, pictures)
        lots: list[tuple[Images, Any]] = [(pictures, read)]
    else:
        lots = [(lot, value) for lot, value in ((positive, 1.0), (negative, 0.0), (pictures, 0.0)) if lot is not None]
    listed = [_listed(editor, images, label) for images, label in lots]
    if options.method == "interfacegan":  # before the work, too
        svm.require()
        svm.check_counts(svm.kinds_of(np.array([value for one in listed for value in one.values])))
    some = _gathered(editor, listed, aligned, progress) if lots else None
    found, held = _fitted(editor, options, chosen, some)
    spec = replace(spec, step=found.step)
    effects = None
    if some is not None:
        rows = torch.from_numpy(held if held.any() else ~held)
        effects = _measured(editor, found, some, rows, bool(held.any()))
        spec = replace(spec, strengths=effects.strengths, effects=effects.own)
    made = {"method": options.method, **found.made}
    if options.method == "interfacegan":
        made |= {"against": list(options.against), "feature": options.feature}
    else:
        made |= {"component": options.component, "layers": options.layers}
        made |= {"feature": found.displacement.feature is not None}
    pack = editor.pack
    own = OwnEdit(name, pack.name, pack.hash, spec, found.displacement, found.normal, found.scale, made, effects)
    return Fitted(own, {} if some is None else some.failures)


def _checked(editor: VideoEditor, options: FitOptions, *given: object) -> range | None:
    """The styles that are moved. :raises UsageError: options that do not go together."""
    positive, negative, pictures, labels = (one is not None for one in given)
    method = options.method
    if method not in fit.METHODS:
        raise UsageError(f"no method {method!r} to fit a direction; there are {', '.join(fit.METHODS)}")
    if method == "interfacegan":
        if (positive, negative, pictures, labels) not in ((True, True, False, False), (False, False, True, True)):
            raise UsageError("interfacegan takes positive and negative pictures, or pictures with labels")
        if options.component or options.layers:
            raise UsageError("component and layers are of ganspace and sefa; a boundary is one, and of all styles")
        if options.against:
            _other_names(editor, options.against)
        return None
    if positive or negative or labels:
        raise UsageError(f"{method} knows no labels; give it pictures alone" + (", or nothing" * (method == "sefa")))
    if options.against:
        raise UsageError(f"against is of interfacegan; {method} gives a component as it is")
    if method == "ganspace" and not pictures:
        raise UsageError("ganspace needs pictures, whose components it finds")
    return None if options.layers is None else _layers(options.layers, editor.pack.generator.config.layers)


def _layers(text: str, count: int) -> range:
    """:raises UsageError: neither a name nor FIRST-LAST within the styles."""
    if text in LAYERS:
        return layers_of(text, count)
    found = re.fullmatch(r"(\d+)-(\d+)", text, re.ASCII)
    if found is None or not int(found[1]) <= int(found[2]) < count:
        raise UsageError(f"layers {text!r}: write coarse, middle, fine, or FIRST-LAST within 0-{count - 1}")
    return range(int(found[1]), int(found[2]) + 1)


def _region(name: str) -> str:
    if name not in REGIONS:
        raise UsageError(f"no region {name!r} of a face; there are {', '.join(REGIONS)}")
    return name


def _labels(labels: Labels, pictures: Images) -> Mapping[str, float] | Sequence[float]:
    if isinstance(labels, str | Path):
        return read_labels(labels)
    if isinstance(labels, Mapping):
        return labels
    values = [float(v) for v in labels]
    count = len(sources_of(pictures))
    if len(values) != count:
        raise UsageError(f"{len(values)} labels of {count} pictures; give one of each")
    return values


def read_labels(path: str | Path) -> dict[str, float]:
    """A CSV file with the columns file and value. :raises InputMissing, InputError: by line, what is wrong with it."""
    found: dict[str, float] = {}
    try:
        with opened_text(Path(path)) as lines:
            reader = csv.DictReader(table_lines(lines))
            if not {"file", "value"} <= set(reader.fieldnames or ()):
                raise InputError(f"{path}: its first line is to name the columns file and value")
            for row in reader:
                try:
                    value = float(row["value"])
                except (TypeError, ValueError):
                    value = float("nan")
                if not np.isfinite(value) or row["file"] is None:
                    raise InputError(f"{path}, line {reader.line_num}: {row['value']!r:.40} is no number; write 0 or 1")
                if found.setdefault(row["file"], value) != value:
                    raise InputError(f"{path}, line {reader.line_num}: {row['file']} has two labels; leave one out")
    except FileNotFoundError:
        raise InputMissing(f"{path} does not exist; give a CSV file with the columns file and value") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); give the columns file and value") from None
    return found


@dataclass(frozen=True)
class Lot:
    """Pictures, or faces that were inverted before, with their labels."""

    sources: list[tuple[str, Any]]
    values: list[float]
    failures: dict[str, str]


def _listed(editor: VideoEditor, images: Images, label: Any) -> Lot:
    """:param label: a value of all, one of each name, or of each place. :raises InputError: no picture has one."""
    kept = _kept(editor, images)
    sources = sources_of(images) if kept is None else kept
    labelled = [(name, what, _value(label, name, at)) for at, (name, what) in enumerate(sources)]
    failures = {name: f"{name}: it has no label" for name, _, value in labelled if value is None}
    if len(failures) == len(sources):
        raise InputError(f"no label is of any of the {len(sources)} pictures; the first is {Path(sources[0][0]).name}")
    rest = [(name, what) for name, what, value in labelled if value is not None]
    return Lot(rest, [value for *_, value in labelled if value is not None], failures)


def _gathered(editor: VideoEditor, lots: Sequence[Lot], aligned: bool, progress: Told) -> Examples:
    """Codes of all pictures that give one, and their labels."""
    w, feature, scores, values = list[Tensor](), list[Tensor](), list[Tensor](), list[float]()
    failures = {name: why for lot in lots for name, why in lot.failures.items()}
    total, done = sum(len(lot.sources) for lot in lots), 0
    for lot in lots:
        waiting: list[Face] = []
        coded = _coded(editor, lot.sources, aligned)
        for at, (value, (name, face)) in enumerate(zip(lot.values, coded, strict=True), 1):
            if isinstance(face, Face):
                code = known(face.code)
                w.append(code.w.float().cpu())
                feature.append(code.feature.half().cpu())
                values.append(value)
                waiting.append(face)
            else:
                failures[name] = str(face)
            if waiting and (len(waiting) == editor.batch or at == len(lot.sources)):
                scores.append(_scores(editor, waiting))
                waiting = []
            done += 1
            progress(done, total)
    if not w:
        raise InputError(f"none of the {total} pictures can be used: {next(iter(failures.values()))}")
    return Examples(torch.stack(w), torch.stack(feature), torch.cat(scores), np.array(values), failures)


def _kept(editor: VideoEditor, images: Images) -> list[tuple[str, Any]] | None:
    """Faces out of a folder of codes; None: it is none."""
    if not isinstance(images, str | Path) or not is_latent_file(Path(images)):
        return None
    codes = read_codes(images, device=editor.compute.device)
    if not editor.pack.made(codes.pack_hash):
        raise InputError(f"{images} holds codes of another pack ({codes.pack}); invert the pictures again")
    check_sizes(editor.pack, codes)
    return list(zip(codes.names, codes.faces, strict=True))


def _coded(editor: VideoEditor, sources: list[tuple[str, Any]], aligned: bool) -> Any:
    """Every face with its code, or why there is none."""
    if sources and isinstance(sources[0][1], Face):
        return sources
    return coded_faces(editor, sources, aligned=aligned)


def _value(label: Any, name: str, at: int) -> float | None:
    if isinstance(label, Mapping):
        return next((float(label[key]) for key in (name, Path(name).name) if key in label), None)
    return float(label[at]) if isinstance(label, Sequence) else float(label)


def _scores(editor: VideoEditor, faces: list[Face]) -> Tensor:
    """Of the crops; of codes that came without, of what is drawn of them."""
    whole = all(face.crop is not None for face in faces)
    pictures = np.stack([known(face.crop) for face in faces]) if whole else drawn(editor, faces)
    return read_scores(editor.pack, editor.compute, to_tensor(pictures, editor.compute.device))


def _fitted(
    editor: VideoEditor, options: FitOptions, chosen: range | None, some: Examples | None
) -> tuple[fit.Direction, np.ndarray]:
    """The direction, and which pictures were held out."""
    nothing = np.zeros(0 if some is None else len(some.w), bool)
    if options.method == "sefa" or some is None:
        w = None if some is None else some.w
        if w is not None and len(w) < svm.NEEDED:
            raise InputError(f"{len(w)} pictures can be used, and {svm.NEEDED} are needed; give more, or none")
        return fit.by_weights(editor.pack, options.component, chosen, w), nothing
    feature = some.feature if options.feature and chosen is None else None
    if options.method == "ganspace":
        return fit.by_component(some.w, feature, options.component, chosen), nothing
    kinds = svm.kinds_of(some.values)
    svm.check_counts(kinds)
    held = svm.held_out(kinds)
    others = {name: _other(editor, name, some, held) for name in options.against}
    return fit.by_boundary(some.w, feature, some.values, others, held), held


def _other_names(editor: VideoEditor, names: Sequence[str]) -> None:
    """:raises UsageError, UnknownEdit: one of them is nothing that a direction can be held against."""
    pack = editor.pack
    for name in names:
        if name in pack.scores:
            continue
        spec = pack.edit(name)
        if spec is None:
            known_ = sorted({*pack.scores, *pack.edits})
            raise UnknownEdit(f"nothing called {name!r} to hold a direction against; there are {', '.join(known_)}")
        if spec.kind != "linear":
            raise UsageError(f"{name} is no displacement in this pack, so nothing can be held against it")


def _other(editor: VideoEditor, name: str, some: Examples, held: np.ndarray) -> fit.Other:
    pack = editor.pack
    if name in pack.scores:
        return fit.other_by_scores(some.w, some.scores[:, pack.scores.index(name)].double().numpy(), held)
    own = name not in pack.spec.edits
    return fit.other_by_normal(some.w, pack.own(name).normal if own else pack.displacement(name).w)


def _measured(editor: VideoEditor, found: fit.Direction, some: Examples, rows: Tensor, held_out: bool) -> Effects:
    def own(w: Tensor) -> Tensor:
        return w.flatten(1) @ found.normal.flatten() / found.scale

    def encode(pictures: Tensor) -> Tensor:
        return editor.inverter(pictures).w

    mixed = torch.from_numpy(np.random.default_rng(0).permutation(int(rows.sum())))  # they lie kind by kind
    w, feature = some.w[rows][mixed], some.feature[rows][mixed]
    sds = some.scores.std(0).clamp_min(1e-6)
    move = found.displacement
    return measured(
        editor.pack, editor.compute, w, feature, move, own, sds, encode, held_out=held_out, batch=editor.batch
    )
