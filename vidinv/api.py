"""The whole way, from frames to edited frames and from file to file.

editor = VideoEditor()
report = editor.edit_video("in.mp4", "out.mp4", "age=+2")
for picture in editor.edit_frames(pictures, "smile=1"): ...

The way is cut at the code: analyse() gives codes, render() makes frames of them, edit_video() is both in one stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidinv import halves
from vidinv.bounds import checked
from vidinv.edits.held import guarded
from vidinv.edits.parse import Edits, check_names, parse_edits
from vidinv.ending import Ending, about
from vidinv.errors import OutputUnwritable, UsageError
from vidinv.faces.boxes import Boxes, BoxesOf, given_boxes, part_of_frame, read_boxes
from vidinv.faces.eyeglasses import put_on
from vidinv.faces.quads import quad_side
from vidinv.halves import Plan, Stream
from vidinv.inversion import DEFAULT_METHOD, Inverter, make_inverter, search_options
from vidinv.inversion.latent_file import Kept, LatentFile, LatentWriter, open_latent_file
from vidinv.inversion.latent_manifest import manifest_of
from vidinv.journal import Journal, marked, published
from vidinv.packs.load import load_pack
from vidinv.packs.spec import EditSpec
from vidinv.portraits import People, recognition
from vidinv.regular import resolved
from vidinv.report import Report
from vidinv.report.preview import Picture, Preview
from vidinv.report.quality import QualityOptions
from vidinv.runtime.compute import batch_for, checked_batch, choose
from vidinv.runtime.timing import Stopwatch
from vidinv.runtime.way import Way
from vidinv.shortage import check_room
from vidinv.stages.detect import DetectOptions, DetectState, detect, make_detectors
from vidinv.stages.encode import EncodeOptions
from vidinv.stages.pair_frames import put_under
from vidinv.stages.track_boxes import TrackBoxesOptions, TrackBoxesState, track_boxes
from vidinv.streams import Alone, again_of, alone, by_size, checked_rate, frames_of, numbered, rate_of
from vidinv.types import Composite, Faces, Frame, Progress, known
from vidinv.video import Reader, check_output, frame_at

Source = str | Path | Reader | Iterable[Frame]
LONGEST = 1e15  # frames: a segment that is no shorter has no end


class VideoEditor:
    """Holds a pack's networks for many calls. One instance serves one call at a time.

    :param pack: name or folder of a model pack; None is the default one.
    :param device: "auto", "cpu", "cuda", "cuda:1".
    :param precision: "auto" (bf16 where the device is quick at it), "fp32", "bf16", "fp16".
    :param batch: faces per pass of a network; None is 8, and fewer on a CPU where the pack's pictures are large.
    :param method: how faces are inverted: of :data:`vidinv.inversion.METHODS`; None: as codes that are given were, else
        "feature-style".
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
        method: str | None = None,
        search: Mapping[str, Any] | None = None,
        lpips: str | Path | None = None,
    ) -> None:
        if batch is not None:
            checked_batch(batch)
        self.compute = choose(device, precision)
        self.pack = load_pack(pack, self.compute.device)
        self.batch = batch or batch_for(self.compute.device, self.pack.resolution)
        self._means = halves.Means(self.pack, self.compute, self.batch)
        name = method or DEFAULT_METHOD
        self._inverting = partial(make_inverter, self.pack, name, search_options(name, search), lpips)
        self._any_method = method is None and not search
        self._detect_options = DetectOptions()
        self.detectors = make_detectors(self._detect_options) if self.pack.crops.kind == "face" else None
        check_room(torch.get_num_threads())

    @cached_property
    def inverter(self) -> Inverter:
        """What makes codes of crops. :raises DamagedPack: the pack lacks one of its networks."""
        return self._inverting()

    @property
    def edits(self) -> Mapping[str, EditSpec]:
        """What the pack can do, by name, with the user's own edits of it."""
        return self.pack.edits

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
        way = Way(rate_of(src) if rate is None else checked_rate(rate))
        return self._analysed(way.watch.measure("decode", frames_of(src)), self._boxes(boxes), way)

    def keep_codes(
        self,
        src: str | Path,
        folder: str | Path,
        *,
        boxes: Boxes | str | Path | None = None,
        features: bool = True,
        overwrite: bool = False,
        progress: Callable[[Progress], None] = lambda progress: None,
    ) -> Kept:
        """Find, align and invert the faces of a video, and keep what rendering them needs.

        The folder appears under its name when it is complete.

        :param features: keep F too; without, it is computed again at every rendering, with the same batch and precision
            to the same bits.
        :raises VidinvError: as of :meth:`edit_video`; then nothing is left.
        """
        where, begun = self._boxes(boxes), time.perf_counter()
        with Reader(src) as reader:
            way, found = Way(float(reader.info.rate)), 0
            with self._writer(src, folder, way.rate, overwrite, features) as kept:
                read = way.watch.measure("decode", reader.frames(compact=True))
                stream = kept.through(self._analysed(read, where, way, False))
                with closing(stream):
                    for count, faces in enumerate(stream, 1):
                        found += len(faces.faces)
                        progress(Progress(count, reader.info.frames, found))
            damage = reader.damage
            warnings = (*reader.warnings, *([str(damage)] if damage else []))
        return kept.outcome(time.perf_counter() - begun, warnings, damage.frames_lost if damage else None)

    def render(
        self,
        src: Source | None,
        codes: Iterable[Faces] | str | Path,
        edit: Edits,
        *,
        hold: Sequence[str] = (),
        rate: float | None = None,
        composite: Composite = "detail",
        faces: People | None = None,
    ) -> Stream:
        """Make edited frames of codes: the second half of the way.

        :param src: the video that the codes are of, whose frames are edited; None: the codes' own frames are.
        :param codes: what :meth:`analyse` gave, in order, or a folder of :meth:`keep_codes`. They may be rendered any
            number of times.
        :param edit: as on the command line: "age=+2", ["age=+2", "0:smile=1@1s-3s"]; or objects with the methods of
            :class:`vidinv.edits.base.Edit`.
        :param hold: attributes that the edits are not to move: "gender", "age"; see :mod:`vidinv.edits.held`.
        :param rate: frames per second, for smoothing and time ranges; None: what the file says, and 30 without one.
        :param faces: pictures of people by the names that edits have for them: {"anna": "anna.jpg"} for "anna:age=+2".
        :return: one Faces per frame, whose ``output`` is the edited frame.
        :raises UsageError: an edit that cannot be read, or is for a name without a picture; a folder of codes without
            ``src``, or made by another method than was asked for. :raises InputError: ``src`` has other frames, or the
            codes are of another video or pack, or a person's picture has no face.
        """
        plan, way = self._plan(edit, hold, faces), Way(rate_of(src) if rate is None else checked_rate(rate))
        if isinstance(codes, str | Path):
            if src is None:
                raise UsageError(f"{codes} holds codes and no frames; give the video that they are of")
            frames = way.watch.measure("decode", frames_of(src))
            coded: Iterable[Faces] = halves.restored(self._opened(codes, src), frames, way, self._means)
        elif src is not None:
            coded = put_under(way.watch.measure("decode", frames_of(src)), codes)
        else:
            coded = codes
        return halves.rendered(coded, plan, composite, way, self._means)

    def edit_frames(
        self,
        frames: Iterable[Picture],
        edit: Edits,
        *,
        hold: Sequence[str] = (),
        rate: float = 30.0,
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
        faces: People | None = None,
    ) -> Iterator[Picture]:
        """Edit a stream of pictures; one out per one in, about half a second later, and later while it
        is in doubt who somebody is.

        :param frames: [H, W, 3] RGB uint8 arrays, any iterable.
        :param edit: as on the command line: "age=+2", ["age=+2", "0:smile=1@1s-3s"].
        :param hold: as of :meth:`render`.
        :param rate: frames per second, for smoothing and for time ranges.
        :param boxes: where to edit, for a pack that wants to be told: by the frame's number, or a CSV file.
        :param faces: as of :meth:`render`.
        :raises UsageError: an edit that cannot be read, or a picture of the wrong type.
        """
        codes = self.analyse(numbered(frames, checked_rate(rate)), rate=rate, boxes=boxes)
        rendered = self.render(
            None, codes, edit, hold=hold, rate=rate, composite=composite, faces=faces
        )  # now, not at the first frame

        def edited() -> Iterator[Picture]:
            with closing(rendered):
                for one in rendered:
                    yield known(one.output).image

        return edited()

    def edit_video(
        self,
        src: str | Path,
        dst: str | Path,
        edit: Edits,
        *,
        hold: Sequence[str] = (),
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
        faces: People | None = None,
        output: EncodeOptions = EncodeOptions(),
        quality: QualityOptions | None = None,
        codes: str | Path | None = None,
        keep_codes: str | Path | None = None,
        series: str | Path | None = None,
        resume: bool = False,
        progress: Callable[[Progress], None] = lambda progress: None,
        notify: Callable[[str], None] = lambda message: None,
        reported: Callable[[Report], None] = lambda report: None,
    ) -> Report:
        """Edit a video file; everything else that it carries is copied.

        The output appears under its name when it is complete. A damaged input is edited as far as it decodes: see
        ``frames_lost`` and ``warnings`` of the report. A run that was interrupted goes on with its last segment when it
        is made again, to the same bytes: see :mod:`vidinv.journal`.

        :param faces: as of :meth:`render`.
        :param hold: as of :meth:`render`; the report says what leaked with and without.
        :param quality: measure everything that a full report holds, which takes more time (docs/speed.md); None:
            identity, attributes and time only.
        :param codes: a folder of :meth:`keep_codes`: nothing is looked for or inverted.
        :param keep_codes: where to keep the codes of this run; it then has no segments.
        :param series: where the rows of all frames go if there are too many for the report (half an hour of one face).
        :param resume: there has to be such a run.
        :param notify: is told what does not concern the result: what an interrupted run had left.
        :param reported: is given the report, to write it to files; where it raises, the video is complete, and the same
            call makes the report again if every edit can be told from another.
        :raises VidinvError: see vidinv.errors; then no output is left.
        """
        plan = self._plan(edit, hold, faces)
        mine = published(Path(dst))  # the journal refuses if it was another run
        check_output(src, dst, output.overwrite or mine)
        if codes is not None and (boxes is not None or keep_codes is not None):
            raise UsageError(f"{codes} holds what was found already; give no {'boxes' if boxes else 'codes to keep'}")
        if keep_codes is not None and resolved(Path(keep_codes)) == resolved(Path(dst)):
            raise OutputUnwritable(f"{dst} is the output video too; choose another name for its codes")
        file = None if codes is None else self._opened(codes, src)
        where = None if file else self._boxes(boxes)
        begun = time.perf_counter()
        made = self.inverter.described() if file is None else file.manifest
        encoder, told = replace(output, overwrite=False), None if codes is None else str(codes)
        asked = {"hold": tuple(hold), "composite": composite, "encoder": encoder, "report": quality}
        run = about(src, plan, self._means, where, made, keep_codes=keep_codes is not None, **asked)
        with Reader(src) as reader, Journal(Path(dst), run, Path(src), resume, output.overwrite) as journal:
            for message in journal.messages:
                notify(message)
            rate = float(reader.info.rate)
            with journal.believed():
                states, frames = journal.states(self.compute.device, reader, halves.looking(reader))
            way = Way(rate, Stopwatch.going_on(journal.at.spent or {}), states)
            begun -= journal.at.elapsed
            rows = None if series is None else Path(series)
            written = replace(output, overwrite=output.overwrite or mine)
            ending = Ending(src, dst, plan, self._means, written, quality, told, rows, begun, progress)
            keeping = self._writer(src, keep_codes, rate, output.overwrite) if keep_codes else nullcontext()
            with keeping as kept, again_of(reader) as again:
                if kept is None and run:  # a latent file is written in one go
                    every = max(1, round(min(output.segment * rate, LONGEST)))
                    frames = marked(frames, every, journal.at.frames)
                read = way.watch.measure("decode", frames)
                wait, means = again is None, self._means
                coded = (
                    halves.restored(file, read, way, means, wait) if file else self._analysed(read, where, way, wait)
                )
                if kept is not None:
                    coded = way.watch.measure("keep", kept.through(coded))
                rendered = halves.rendered(coded, plan, composite, way, means, again)
                report = ending.write(rendered, reader, way, journal, again)
                try:
                    reported(report)
                except BaseException:
                    if report.series_file is not None:  # part of the report: left, it would be in that call's way
                        Path(report.series_file).unlink(missing_ok=True)
                    raise
                return report

    def preview(
        self,
        src: str | Path,
        at: float,
        edit: Edits,
        *,
        hold: Sequence[str] = (),
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
        faces: People | None = None,
    ) -> Preview:
        """The frame at ``at`` seconds, edited by itself.

        :param faces: as of :meth:`render`.
        :raises NoFaceFound: when nobody is in that frame. :raises VidinvError: as of :meth:`edit_video`.
        """
        checked("time", at, "at")
        frame, called = frame_at(src, Fraction(at).limit_denominator(10**6)), f"{src} at {at:g} s"
        one = self.edit_frame(frame, edit, hold=hold, composite=composite, boxes=boxes, faces=faces, called=called)
        largest = max(one.edited, key=lambda face: quad_side(known(face.quad)))
        inversion, edited = (np.rint(known(p)).astype(np.uint8) for p in (largest.inversion, largest.edited))
        edited = edited if largest.worn is None else put_on(edited, largest.worn)
        return Preview(known(largest.crop), inversion, edited, known(one.faces.output).image, largest.person)

    def edit_frame(
        self,
        frame: Frame,
        edit: Edits,
        *,
        hold: Sequence[str] = (),
        composite: Composite = "detail",
        boxes: Boxes | str | Path | None = None,
        faces: People | None = None,
        called: str = "the frame",
    ) -> Alone:
        """Edit one frame by itself. Its persons are counted by size, 0 the largest.

        :param called: in messages. :raises NoFaceFound: nobody in it was edited.
        """
        plan, where, way = self._plan(edit, hold, faces), self._boxes(boxes), Way(30.0)
        codes = by_size(self._analysed(iter([frame]), where, way))
        rendered = halves.rendered(codes, plan, composite, way, self._means)
        return alone(rendered, plan.asked, called, self.pack.crops.kind, plan.people)

    def _plan(self, edit: Edits, hold: Sequence[str], faces: People | None) -> Plan:
        asked = parse_edits(edit)
        check_names(asked, faces or ())
        edits, guard = guarded(asked, hold, self.pack)
        people = recognition(self.pack, self.detectors, self.compute, faces) if faces else None
        return Plan(asked, edits, guard, people)

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

    def _opened(self, folder: str | Path, src: Source) -> LatentFile:
        """Codes that fit this pack, this video, and the method if one was asked for."""
        path = Path(src) if isinstance(src, str | Path) else src.info.path if isinstance(src, Reader) else None
        described = None if self._any_method else self.inverter.described()
        return open_latent_file(folder).checked(self.pack, path, described)

    def _writer(
        self, src: str | Path, folder: str | Path, rate: float, overwrite: bool, features: bool = True
    ) -> LatentWriter:
        about = manifest_of(self.pack, self.inverter, self.compute, self.batch, [src], rate=rate, features=features)
        return LatentWriter(folder, about, overwrite=overwrite)

    def _analysed(self, frames: Iterable[Frame], boxes: BoxesOf | None, way: Way, pictures: bool = True) -> Stream:
        if boxes is None:
            options = replace(self._detect_options, rate=way.rate)
            looking = partial(detect, detectors=known(self.detectors), options=options)
            found = way.stage("detect", looking, DetectState(), frames)
        else:
            following = partial(track_boxes, boxes=boxes, options=TrackBoxesOptions(rate=way.rate))
            found = way.stage("detect", following, TrackBoxesState(), frames)
        return halves.analysed(found, way, self._means, self.inverter, pictures)
