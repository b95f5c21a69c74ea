"""The whole way, from frames to edited frames and from file to file.

editor = VideoEditor()
report = editor.edit_video("in.mp4", "out.mp4", "age=+2")
for picture in editor.edit_frames(pictures, "smile=1"): ...
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidinv.edits.library import NamedEdit, TimedDisplacement, edits_of, resolve
from vidinv.edits.parse import EditRequest, parse_edits
from vidinv.errors import NoFaceFound, UsageError
from vidinv.faces.boxes import Boxes, given_boxes, part_of_frame, read_boxes
from vidinv.models.attributes import SCORES
from vidinv.packs.load import load_pack
from vidinv.report import Report, Tally
from vidinv.report.build import build
from vidinv.report.quality import Meter, QualityOptions
from vidinv.runtime.compute import checked_batch, choose
from vidinv.runtime.prefetch import prefetch
from vidinv.runtime.timing import Stopwatch
from vidinv.stages.align import AlignOptions, align
from vidinv.stages.assess import AssessOptions, assess
from vidinv.stages.blend import BlendOptions, Composite, blend
from vidinv.stages.decode import decode
from vidinv.stages.detect import DetectOptions, detect, make_detectors
from vidinv.stages.edit import EditOptions, edit
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.stages.gate import GateOptions, gate
from vidinv.stages.invert import InvertOptions, invert
from vidinv.stages.score import ScoreOptions, score
from vidinv.stages.stabilise import StabiliseOptions, stabilise
from vidinv.stages.synthesise import SynthesiseOptions, synthesise
from vidinv.stages.track_boxes import track_boxes
from vidinv.types import Blended, Found, Frame
from vidinv.video import Reader, check_output, frame_at

Edits = str | EditRequest | Sequence[str | EditRequest]
Persons = int | Iterable[int] | None

AHEAD = 4  # items each queue may hold: bounds memory, and is enough to smooth out the batches


@dataclass(frozen=True)
class Progress:
    """How far a run is: told after every written frame."""

    frames: int
    total: int | None  # frames the file declares; None if it does not
    faces: int  # edited or watched face crops so far


@dataclass(frozen=True)
class Preview:
    """One frame, step by step. All pictures are RGB uint8; the first three are crops of the largest edited face."""

    source: NDArray[np.uint8]  # [S, S, 3]
    inversion: NDArray[np.uint8]  # [S, S, 3] G(w, F)
    edit: NDArray[np.uint8]  # [S, S, 3] G(w~, F~)
    frame: NDArray[np.uint8]  # [H, W, 3] the composited frame
    person: int

    def sheet(self) -> NDArray[np.uint8]:
        """All four side by side, as high as the frame (at most 720 pixels)."""
        height = min(self.frame.shape[0], 720)
        width = round(self.frame.shape[1] * height / self.frame.shape[0])
        crops = [cv2.resize(c, (height, height), interpolation=cv2.INTER_CUBIC) for c in self._crops()]
        frame = cv2.resize(self.frame, (width, height), interpolation=cv2.INTER_AREA)
        return np.concatenate([*crops, frame], 1)

    def _crops(self) -> tuple[NDArray, NDArray, NDArray]:
        return self.source, self.inversion, self.edit


class VideoEditor:
    """Holds a pack's networks for many calls. One instance serves one call at a time.

    :param pack: name or folder of a model pack; None is the default one.
    :param device: "auto", "cpu", "cuda", "cuda:1".
    :param precision: "auto" (bf16 where the device is quick at it), "fp32", "bf16", "fp16".
    :param batch: faces per pass of a network; None is 8, and fewer on a CPU where the pack's pictures are large.
    :raises PackError: no such pack, or a damaged one. :raises UsageError: a device or precision that is not there.
    """

    def __init__(
        self, pack: str | Path | None = None, *, device: str = "auto", precision: str = "auto", batch: int | None = None
    ) -> None:
        if batch is not None:
            checked_batch(batch)
        self.compute = choose(device, precision)
        self.pack = load_pack(pack, self.compute.device)
        self.batch = batch or batch_for(self.compute.device, self.pack.resolution)
        self._detect_options = DetectOptions()
        self._detectors = make_detectors(self._detect_options) if self.pack.crops.kind == "face" else None

    @property
    def edits(self) -> dict[str, NamedEdit]:
        """What the pack can do, by name."""
        return edits_of(self.pack)

    def edit_frames(
        self,
        frames: Iterable[NDArray[np.uint8]],
        edit: Edits,
        *,
        rate: float = 30.0,
        persons: Persons = None,
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Edit a stream of pictures; one out per one in, about half a second later.

        :param frames: [H, W, 3] RGB uint8 arrays, any iterable.
        :param edit: as on the command line: "age=+2", ["age=+2", "smile=1@1s-3s"].
        :param rate: frames per second, for smoothing and for time ranges.
        :param persons: ids of those to edit; None is everybody.
        :param boxes: where to edit, for a pack that wants to be told: by the frame's number, or a CSV file.
        :raises UsageError: an edit that cannot be read, or a picture of the wrong type.
        """
        requests = parse_edits(edit)
        resolved, find = resolve(requests, self.edits), self._finder(boxes)  # now, not at the first frame

        def edited() -> Iterator[NDArray[np.uint8]]:
            with ExitStack() as stack:
                numbered = (_as_frame(picture, i, rate) for i, picture in enumerate(frames))
                for blended in self._way(find(numbered), resolved, rate, persons, composite, Stopwatch(), stack):
                    yield blended.frame.image

        return edited()

    def edit_video(
        self,
        src: str | Path,
        dst: str | Path,
        edit: Edits,
        *,
        persons: Persons = None,
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
        requests = parse_edits(edit)
        resolved, find = resolve(requests, self.edits), self._finder(boxes)
        check_output(src, dst, output.overwrite)
        watch, tally, begun = Stopwatch(), Tally(), time.perf_counter()
        meter = Meter.of(self.pack, self.compute, quality) if quality is not None else None
        pack, scores = self.pack, tuple(sorted({r.name for r in requests if r.name in SCORES}))
        with Reader(src) as reader, ExitStack() as stack:
            info, rate = reader.info, float(reader.info.rate)
            warnings: list[str] = []
            stream = self._way(
                find(watch.measure("decode", decode(reader))), resolved, rate, persons, composite, watch, stack
            )
            measured = score(
                stream,
                tally,
                pack.identity if pack.has("identity") else None,
                pack.attributes if pack.has("attributes") else None,
                self.compute,
                ScoreOptions(self.batch, scores if pack.has("attributes") else ()),
                meter=meter,
            )
            finished = _need_faces(watch.measure("measure", measured), tally, persons, src, self.pack.crops.kind)
            written = encode((b.frame for b in finished), dst, info, output, warnings.append)
            for _ in stack.enter_context(closing(watch.measure("encode", written))):
                progress(Progress(watch.stages["encode"].items + 1, info.frames, tally.faces))
            damage = reader.damage
            warnings = [*reader.warnings, *([str(damage)] if damage else []), *warnings]
        return build(
            src,
            dst,
            tally,
            pack,
            watch,
            edits=[str(r) for r in requests],
            seconds=time.perf_counter() - begun,
            meter=meter,
            warnings=warnings,
            damage=damage,
        )

    def preview(
        self,
        src: str | Path,
        at: float,
        edit: Edits,
        *,
        persons: Persons = None,
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
    ) -> Preview:
        """The frame at ``at`` seconds, edited by itself.

        :raises NoFaceFound: when nobody is in that frame. :raises VidinvError: as of :meth:`edit_video`.
        """
        resolved, find = resolve(parse_edits(edit), self.edits), self._finder(boxes)
        frame = frame_at(src, Fraction(at).limit_denominator(10**6))
        with ExitStack() as stack:
            way = self._way(find(iter([frame])), resolved, 30.0, persons, composite, Stopwatch(), stack)
            blended = next(iter(way))
        rendered = blended.rendered
        crops = rendered.edited.coded.aligned.crops
        shown = [i for i, picture in enumerate(rendered.edits) if picture is not None]
        if not shown:
            doubts = sorted({d for a in rendered.assessments if a is not None for d in a.doubts})
            why = f"{len(crops)} faces in sight" + (f", not trusted for {', '.join(doubts)}" if doubts else "")
            raise NoFaceFound(f"{src}: nothing to edit at {at:g} s ({why}); choose another time, person or edit")
        largest = max(shown, key=lambda i: float(np.linalg.norm(crops[i].quad[3] - crops[i].quad[0])))
        pictures = (rendered.inversions[largest], rendered.edits[largest])
        inversion, edited = (np.rint(p).astype(np.uint8) for p in pictures)
        return Preview(crops[largest].image, inversion, edited, blended.frame.image, crops[largest].person)

    def _finder(self, boxes: Boxes | str | Path | None) -> Callable[[Iterator[Frame]], Iterator[Found]]:
        """The stage that finds what the pack's crops show."""
        rule = self.pack.crops
        if (boxes is not None) != (rule.kind == "boxes"):
            told = "has to be told where to edit: give boxes (--boxes FILE.csv)"
            wanted = told if boxes is None else "finds its crops itself: give no boxes"
            raise UsageError(f"pack {self.pack.name} {wanted}")
        if rule.kind == "face":
            return lambda frames: detect(frames, self._detectors, self._detect_options)
        if boxes is None:
            known = part_of_frame(rule)
        else:
            known = given_boxes(read_boxes(boxes) if isinstance(boxes, str | Path) else boxes)
        return lambda frames: track_boxes(frames, known)

    def _way(
        self,
        found: Iterator[Found],
        edits: tuple[TimedDisplacement, ...],
        rate: float,
        persons: Persons,
        composite: Composite,
        watch: Stopwatch,
        stack: ExitStack,
    ) -> Iterator[Blended]:
        """What was found to finished frames. Two threads run ahead; ``stack`` ends them."""
        if composite not in ("detail", "replace"):
            raise UsageError(f"no compositing called {composite!r}; there are detail, replace")
        pack, batch = self.pack, self.batch
        chosen = None if persons is None else frozenset([persons] if isinstance(persons, int) else persons)
        found = watch.measure("detect", found)
        placed = watch.measure("align", align(found, AlignOptions(pack.resolution, pack.template, rate=rate)))
        placed = stack.enter_context(closing(prefetch(placed, AHEAD, "vidinv-faces")))
        coded = watch.measure("invert", invert(placed, pack.encoder, self.compute, InvertOptions(batch)))
        edited = watch.measure("edit", edit(coded, EditOptions(edits, chosen, rate=rate)))
        drawn = synthesise(edited, pack.generator, self.compute, SynthesiseOptions(batch))
        drawn = stack.enter_context(closing(prefetch(watch.measure("synthesise", drawn), AHEAD, "vidinv-generator")))
        known = pack.identity if pack.has("identity") else None
        looking = AssessOptions(batch, rate=rate)
        visibility = pack.visibility if pack.has("visibility") else None
        drawn = watch.measure("appraise", assess(drawn, known, self.compute, looking, visibility=visibility))
        drawn = watch.measure("trust", gate(drawn, GateOptions(rate=rate)))
        drawn = watch.measure("steady", stabilise(drawn, StabiliseOptions(rate=rate)))
        return watch.measure("blend", blend(drawn, BlendOptions(composite)))


def edit_frames(
    frames: Iterable[NDArray[np.uint8]],
    edit: Edits,
    *,
    pack: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch: int | None = None,
    **options,
) -> Iterator[NDArray[np.uint8]]:
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
    **options,
) -> Report:
    """:meth:`VideoEditor.edit_video` with an editor of its own."""
    editor = VideoEditor(pack, device=device, precision=precision, batch=batch)
    return editor.edit_video(src, dst, edit, **options)


def batch_for(device: str, resolution: int) -> int:
    """Faces per pass. A CPU gains nothing from many, and a face of 1024 px takes two thirds of a gigabyte."""
    return 8 if device != "cpu" else max(1, min(8, 8 * 256**2 // resolution**2))


def _as_frame(picture: NDArray, index: int, rate: float) -> Frame:
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3):
        raise UsageError(f"frame {index} is no [H, W, 3] uint8 array")
    if picture.shape[2] != 3:
        raise UsageError(f"frame {index} has {picture.shape[2]} channels; give RGB")
    return Frame(picture, index, time=Fraction(index / rate).limit_denominator(10**6))


def _need_faces(
    stream: Iterable[Blended], tally: Tally, persons: Persons, src: str | Path, kind: str
) -> Iterator[Blended]:
    """Pass on; at the end, a video in which there was nobody to edit is an error and leaves no output."""
    yield from stream
    if not tally.persons_seen:
        last = tally.frames - 1
        none = "no face in any" if kind == "face" else f"no box that is large enough in any (0 to {last})"
        raise NoFaceFound(f"{src}: {none} of {tally.frames} frames, so there is nothing to edit")
    wanted = {persons} if isinstance(persons, int) else set(persons or tally.persons_seen)
    if not wanted & tally.persons_seen:
        seen = ", ".join(str(p) for p in sorted(tally.persons_seen))
        raise NoFaceFound(f"{src}: person {sorted(wanted)} was never seen; the persons are {seen}")
