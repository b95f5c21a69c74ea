"""The whole way, from frames to edited frames and from file to file.

editor = VideoEditor()
report = editor.edit_video("in.mp4", "out.mp4", "age=+2")
for picture in editor.edit_frames(pictures, "smile=1"): ...

The way is cut at the code: analyse() gives codes, render() makes frames of them, edit_video() is both in one stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from vidinv.edits.base import Edit
from vidinv.edits.library import resolve
from vidinv.edits.parse import EditRequest, parse_edits
from vidinv.errors import NoFaceFound, UsageError
from vidinv.faces.boxes import Boxes, BoxesOf, given_boxes, part_of_frame, read_boxes
from vidinv.faces.quads import quad_side
from vidinv.inversion import DEFAULT_METHOD, Inverter, make_inverter, search_options
from vidinv.models.attributes import SCORES
from vidinv.packs.load import load_pack
from vidinv.packs.spec import EditSpec
from vidinv.report import Report, Tally
from vidinv.report.build import build
from vidinv.report.preview import Picture, Preview
from vidinv.report.quality import QualityOptions, instruments_of, start
from vidinv.runtime.compute import checked_batch, choose
from vidinv.runtime.prefetch import prefetch
from vidinv.runtime.steps import Latest
from vidinv.runtime.way import Way
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.assess import AssessOptions, AssessState, assess
from vidinv.stages.blend import BlendOptions, blend
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.stages.gate import GateOptions, GateState, gate
from vidinv.stages.invert import InvertOptions, InvertState, invert
from vidinv.stages.pair_frames import put_under
from vidinv.stages.score import ScoreOptions, Scorers, ScoreState, score
from vidinv.stages.stabilise import StabiliseOptions, StabiliseState, stabilise
from vidinv.stages.synthesise import SynthesiseOptions, SynthesiseState, synthesise
from vidinv.stages.track_boxes import TrackBoxesState, track_boxes
from vidinv.types import Composite, Faces, Frame, Score, known
from vidinv.video import Reader, check_output, frame_at, probe

Edits = str | EditRequest | Sequence[str | EditRequest]
Source = str | Path | Reader | Iterable[Frame]
Stream = Generator[Faces, None, None]  # closing it ends its threads

AHEAD = 4  # items each queue may hold: bounds memory, and is enough to smooth out the batches


@dataclass(frozen=True)
class Progress:
    """How far a run is: told after every written frame."""

    frames: int
    total: int | None  # frames the file declares; None if it does not
    faces: int  # edited or watched face crops so far


class VideoEditor:
    """Holds a pack's networks for many calls. One instance serves one call at a time.

    :param pack: name or folder of a model pack; None is the default one.
    :param device: "auto", "cpu", "cuda", "cuda:1".
    :param precision: "auto" (bf16 where the device is quick at it), "fp32", "bf16", "fp16".
    :param batch: faces per pass of a network; None is 8, and fewer on a CPU where the pack's pictures are large.
    :param method: how faces are inverted: of :data:`vidinv.inversion.METHODS`.
    :param search: options of a method that searches: see :class:`vidinv.inversion.SearchOptions`; {"steps": 500}.
    :param lpips: weights of LPIPS' trunk, which a search compares by; None: features of the pack's encoder.
    :raises PackError: no such pack, or a damaged one, or one without what the method needs.
    :raises UsageError: a device or precision that is not there, a method that is not, or an option that is not for it.
    """

    def __init__(
        self,
        pack: str | Path | None = None,
        *,
        device: str = "auto",
        precision: str = "auto",
        batch: int | None = None,
        method: str = DEFAULT_METHOD,
        search: Mapping[str, Any] | None = None,
        lpips: str | Path | None = None,
    ) -> None:
        if batch is not None:
            checked_batch(batch)
        self.compute = choose(device, precision)
        self.pack = load_pack(pack, self.compute.device)
        self.batch = batch or batch_for(self.compute.device, self.pack.resolution)
        self._inverting = partial(make_inverter, self.pack, method, search_options(method, search), lpips)
        self._detect_options = DetectOptions()
        self._detectors = make_detectors(self._detect_options) if self.pack.crops.kind == "face" else None

    @cached_property
    def inverter(self) -> Inverter:
        """What makes codes of crops. :raises DamagedPack: the pack lacks one of its networks."""
        return self._inverting()

    @property
    def edits(self) -> Mapping[str, EditSpec]:
        """What the pack can do, by name."""
        return self.pack.spec.edits

    def analyse(
        self,
        src: Source,
        *,
        rate: float | None = None,
        boxes: Boxes | str | Path | None = None,
    ) -> Stream:
        """Find, align and invert the faces of a video: the first half of the way.

        :param src: a file, a Reader that the caller keeps, or frames.
        :param rate: frames per second, for smoothing; None: what the file says, and 30 for frames.
        :param boxes: where to look, for a pack that wants to be told: by the frame's number, or a CSV file.
        :return: one Faces per frame, whose faces hold their codes.
        :raises UsageError: boxes that the pack does not want, or lacks. :raises InputError: the file cannot be used.
        """
        way = Way(rate or _rate_of(src))
        return self._analysed(way.watch.measure("decode", _frames_of(src)), self._boxes(boxes), way)

    def render(
        self,
        src: Source | None,
        codes: Iterable[Faces],
        edit: Edits,
        *,
        rate: float | None = None,
        composite: Composite = "detail",
    ) -> Stream:
        """Make edited frames of codes: the second half of the way.

        :param src: the video that the codes are of, whose frames are edited; None: the codes' own frames are.
        :param codes: what :meth:`analyse` gave, in order. They may be rendered any number of times.
        :param edit: as on the command line: "age=+2", ["age=+2", "0:smile=1@1s-3s"].
        :param rate: frames per second, for smoothing and time ranges; None: what the file says, and 30 without one.
        :return: one Faces per frame, whose ``output`` is the edited frame.
        :raises UsageError: an edit that cannot be read. :raises InputError: ``src`` has another number of frames.
        """
        edits, way = resolve(parse_edits(edit), self.pack), Way(rate or _rate_of(src))
        if src is not None:
            codes = put_under(way.watch.measure("decode", _frames_of(src)), codes)
        return self._rendered(codes, edits, composite, way)

    def edit_frames(
        self,
        frames: Iterable[Picture],
        edit: Edits,
        *,
        rate: float = 30.0,
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
    ) -> Iterator[Picture]:
        """Edit a stream of pictures; one out per one in, about half a second later.

        :param frames: [H, W, 3] RGB uint8 arrays, any iterable.
        :param edit: as on the command line: "age=+2", ["age=+2", "0:smile=1@1s-3s"].
        :param rate: frames per second, for smoothing and for time ranges.
        :param boxes: where to edit, for a pack that wants to be told: by the frame's number, or a CSV file.
        :raises UsageError: an edit that cannot be read, or a picture of the wrong type.
        """
        numbered = (_as_frame(picture, i, rate) for i, picture in enumerate(frames))
        codes = self.analyse(numbered, rate=rate, boxes=boxes)
        rendered = self.render(None, codes, edit, rate=rate, composite=composite)  # now, not at the first frame

        def edited() -> Iterator[Picture]:
            with closing(rendered):
                for faces in rendered:
                    yield known(faces.output).image

        return edited()

    def edit_video(
        self,
        src: str | Path,
        dst: str | Path,
        edit: Edits,
        *,
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
        output: EncodeOptions = EncodeOptions(),
        quality: QualityOptions | None = None,
        progress: Callable[[Progress], None] = lambda progress: None,
    ) -> Report:
        """Edit a video file; everything else that it carries is copied.

        The output appears under its name when it is complete. A damaged input is edited as far as it decodes: see
        ``frames_lost`` and ``warnings`` of the report.

        :param quality: measure everything that a full report holds, which takes about a quarter more time; None:
            identity, attributes and time only.
        :raises VidinvError: see vidinv.errors; then no output is left.
        """
        requests, where = parse_edits(edit), self._boxes(boxes)
        edits = resolve(requests, self.pack)
        check_output(src, dst, output.overwrite)
        begun = time.perf_counter()
        instruments = instruments_of(self.pack, self.compute, quality) if quality is not None else None
        scorers = Scorers(self.pack.optional("identity"), self.pack.optional("attributes"), self.compute, instruments)
        scoring = ScoreOptions(self.batch, tuple(sorted({r.name for r in requests if r.name in SCORES})))
        figures = Latest(ScoreState(quality=start(quality) if quality is not None else None))
        series, faces = list[Score](), Latest(0)
        told: list[str] = []
        with Reader(src) as reader:
            info, way = reader.info, Way(float(reader.info.rate))
            codes = self._analysed(way.watch.measure("decode", decode(reader)), where, way)
            rendered = self._rendered(codes, edits, composite, way)
            with closing(rendered):
                scoring_step = partial(score, scorers=scorers, options=scoring)
                scored = way.stage("score", scoring_step, figures.state, rendered, figures)
                finished = _need_faces(scored, figures, requests, src, self.pack.crops.kind)
                written = encode(_outputs(finished, series, faces), dst, info, output, told.append)
                encoded = way.watch.measure("encode", written)
                with closing(encoded):
                    for count, _ in enumerate(encoded, 1):
                        progress(Progress(count, info.frames, faces.state))
            damage = reader.damage
            warnings = [*reader.warnings, *([str(damage)] if damage else []), *told]
            warnings += _not_seen(requests, figures.state.tally)
        return build(
            src,
            dst,
            figures.state.tally,
            self.pack,
            way.watch,
            edits=[str(r) for r in requests],
            seconds=time.perf_counter() - begun,
            series=series,
            quality=figures.state.quality,
            instruments=instruments,
            warnings=warnings,
            damage=damage,
        )

    def preview(
        self,
        src: str | Path,
        at: float,
        edit: Edits,
        *,
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
    ) -> Preview:
        """The frame at ``at`` seconds, edited by itself.

        :raises NoFaceFound: when nobody is in that frame. :raises VidinvError: as of :meth:`edit_video`.
        """
        edits, where, way = resolve(parse_edits(edit), self.pack), self._boxes(boxes), Way(30.0)
        frame = frame_at(src, Fraction(at).limit_denominator(10**6))
        rendered = self._rendered(self._analysed(iter([frame]), where, way), edits, composite, way)
        with closing(rendered):
            faces = next(rendered)
        shown = [face for face in faces.faces if face.edited is not None]
        if not shown:
            doubts = sorted({d for f in faces.faces if f.assessment is not None for d in f.assessment.doubts})
            why = f"{len(faces.faces)} faces in sight" + (f", not trusted for {', '.join(doubts)}" if doubts else "")
            raise NoFaceFound(f"{src}: nothing to edit at {at:g} s ({why}); choose another time, person or edit")
        largest = max(shown, key=lambda face: quad_side(known(face.quad)))
        inversion, edited = (np.rint(known(p)).astype(np.uint8) for p in (largest.inversion, largest.edited))
        return Preview(known(largest.crop), inversion, edited, known(faces.output).image, largest.person)

    def _boxes(self, boxes: Boxes | str | Path | None) -> BoxesOf | None:
        """Where the pack's crops are; None: the detector looks for faces."""
        rule = self.pack.crops
        if (boxes is not None) != (rule.kind == "boxes"):
            told = "has to be told where to edit: give boxes (--boxes FILE.csv)"
            wanted = told if boxes is None else "finds its crops itself: give no boxes"
            raise UsageError(f"pack {self.pack.name} {wanted}")
        if rule.kind == "face":
            return None
        if boxes is None:
            return part_of_frame(rule)
        return given_boxes(read_boxes(boxes) if isinstance(boxes, str | Path) else boxes)

    def _analysed(self, frames: Iterable[Frame], boxes: BoxesOf | None, way: Way) -> Stream:
        """Frames to codes. A thread runs ahead with the faces; closing the stream ends it."""
        pack = self.pack
        if boxes is None:
            looking = partial(detect, detectors=known(self._detectors), options=self._detect_options)
            found = way.stage("detect", looking, DetectState(), frames)
        else:
            found = way.stage("detect", partial(track_boxes, boxes=boxes), TrackBoxesState(), frames)
        placing = partial(align, options=AlignOptions(pack.resolution, pack.template, rate=way.rate))
        placed = prefetch(way.stage("align", placing, AlignState(), found), AHEAD, "vidinv-faces")
        inverting = partial(
            invert,
            inverter=self.inverter,
            compute=self.compute,
            options=InvertOptions(self.batch),
        )
        return way.stage("invert", inverting, InvertState(), way.watch.elsewhere(placed))

    def _rendered(self, codes: Iterable[Faces], edits: tuple[Edit, ...], composite: Composite, way: Way) -> Stream:
        """Codes to edited frames. A thread runs ahead with the generator's pictures; closing the stream ends it."""
        if composite not in ("detail", "replace"):
            raise UsageError(f"no compositing called {composite!r}; there are detail, replace")
        pack, compute, batch, rate = self.pack, self.compute, self.batch, way.rate
        editing = partial(edit, options=EditOptions(edits, rate=rate), compute=compute)
        edited = way.stage("edit", editing, EditState(), codes)
        drawing = partial(synthesise, generator=pack.generator, compute=compute, options=SynthesiseOptions(batch))
        drawn = prefetch(way.stage("synthesise", drawing, SynthesiseState(), edited), AHEAD, "vidinv-generator")
        assessing = partial(
            assess,
            identity=pack.optional("identity"),
            compute=compute,
            options=AssessOptions(batch, rate=rate),
            visibility=pack.optional("visibility"),
            parsing=pack.optional("parsing"),
        )
        assessed = way.stage("assess", assessing, AssessState(), way.watch.elsewhere(drawn))
        gated = way.stage("gate", partial(gate, options=GateOptions(rate=rate)), GateState(), assessed)
        steadying = partial(stabilise, options=StabiliseOptions(rate=rate))
        steady = way.stage("stabilise", steadying, StabiliseState(), gated)
        return way.stage("blend", partial(blend, options=BlendOptions(composite)), None, steady)


def edit_frames(
    frames: Iterable[Picture],
    edit: Edits,
    *,
    pack: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    **options: Any,
) -> Iterator[Picture]:
    """:meth:`VideoEditor.edit_frames` with an editor of its own."""
    editor = VideoEditor(pack, device=device, precision=precision, batch=batch)
    return editor.edit_frames(frames, edit, **options)


def edit_video(
    src: str | Path,
    dst: str | Path,
    edit: Edits,
    *,
    pack: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    **options: Any,
) -> Report:
    """:meth:`VideoEditor.edit_video` with an editor of its own."""
    editor = VideoEditor(pack, device=device, precision=precision, batch=batch)
    return editor.edit_video(src, dst, edit, **options)


def batch_for(device: str, resolution: int) -> int:
    """Faces per pass. A CPU gains nothing from many, and a face of 1024 px takes two thirds of a gigabyte."""
    return 8 if device != "cpu" else max(1, min(8, 8 * 256**2 // resolution**2))


def _frames_of(src: Source) -> Iterable[Frame]:
    return decode(src) if isinstance(src, str | Path | Reader) else src


def _rate_of(src: object) -> float:
    """Frames per second of a file; 30 of anything else."""
    if isinstance(src, Reader):
        return float(src.info.rate)
    return float(probe(src).rate) if isinstance(src, str | Path) else 30.0


def _as_frame(picture: Picture, index: int, rate: float) -> Frame:
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3):
        raise UsageError(f"frame {index} is no [H, W, 3] uint8 array")
    if picture.shape[2] != 3:
        raise UsageError(f"frame {index} has {picture.shape[2]} channels; give RGB")
    return Frame(picture, index, time=Fraction(index / rate).limit_denominator(10**6))


def _outputs(stream: Iterable[Faces], series: list[Score], count: Latest[int]) -> Iterator[Frame]:
    """The finished frames; what is said of their faces goes into the report's series, and they are counted."""
    for faces in stream:
        count(count.state + len(faces.faces))
        series += [face.score for face in faces.faces if face.score is not None]
        yield known(faces.output)


def _need_faces(
    stream: Iterable[Faces], figures: Latest[ScoreState], requests: Sequence[EditRequest], src: str | Path, kind: str
) -> Iterator[Faces]:
    """Pass on; at the end, a video in which there was nobody to edit is an error and leaves no output."""
    yield from stream
    tally = figures.state.tally
    if not tally.persons_seen:
        last = tally.frames - 1
        none = "no face in any" if kind == "face" else f"no box that is large enough in any (0 to {last})"
        raise NoFaceFound(f"{src}: {none} of {tally.frames} frames, so there is nothing to edit")
    wanted = {p for r in requests for p in (tally.persons_seen if r.persons is None else r.persons)}
    if not wanted & tally.persons_seen:
        seen = ", ".join(str(p) for p in sorted(tally.persons_seen))
        raise NoFaceFound(f"{src}: person {sorted(wanted)} was never seen; the persons are {seen}")


def _not_seen(requests: Sequence[EditRequest], tally: Tally) -> list[str]:
    """Edits that did nothing, since their people never came."""
    seen = ", ".join(str(p) for p in sorted(tally.persons_seen))
    missing = [r for r in requests if r.persons is not None and not r.persons & tally.persons_seen]
    return [f"{request} did nothing: the persons are {seen}" for request in missing]
