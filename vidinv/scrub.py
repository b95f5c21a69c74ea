"""A frame of a video whose codes are kept, under edits that change: what is shown while somebody tries.

editor.keep_codes("in.mp4", "codes")
scrub = Scrub(editor, "in.mp4", "codes")
scrub.alone(40, "age=+2")     # at once: that frame by itself
scrub.rendered(40, "age=+2")  # what the run makes of it, bit for bit
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidinv.api import VideoEditor
from vidinv.edits.base import Edit
from vidinv.edits.held import guarded
from vidinv.edits.parse import Edits, check_names, parse_edits, persons_of
from vidinv.errors import InputError, UsageError
from vidinv.faces.quads import quad_side
from vidinv.faces.smoothing import reach
from vidinv.faces.warps import crop
from vidinv.inversion.latent_file import LatentFile, open_latent_file
from vidinv.portraits import People
from vidinv.runtime.batching import Collected, collect
from vidinv.shapes import told
from vidinv.stages.edit import EditOptions
from vidinv.types import Composite, Face, Faces, Frame, known
from vidinv.video import Reader, frame_at

Picture = NDArray[np.uint8]  # [H, W, 3] RGB
CROPS = 64 * 2**20  # bytes of crops that are kept from one look to the next


@dataclass(frozen=True)
class Seen:
    """Somebody in a video."""

    __repr__ = told

    person: int
    """Id, as the report counts them."""
    frames: int
    first: float
    """Seconds."""
    last: float
    at: float
    """When the face is largest, seconds."""
    picture: Picture
    """[S, S, 3] the crop there."""


@dataclass(frozen=True)
class Look:
    """One frame, before and after. Pictures are RGB uint8 [H, W, 3] of the video's own size."""

    __repr__ = told

    index: int
    time: float
    """Seconds."""
    before: Picture
    after: Picture
    exact: bool
    """Is ``after`` what the run makes of it, before it is encoded, bit for bit?"""


@dataclass(frozen=True)
class _Row:
    """What is remembered of each frame."""

    time: Fraction
    pts: int | None
    cut: bool
    persons: tuple[int, ...]
    sides: tuple[float, ...]  # of their crops, pixels of the frame


class Scrub:
    """Frames of one video, found and inverted once. One call at a time, as of its editor.

    :param src: the video. :param codes: of :meth:`vidinv.VideoEditor.keep_codes`, with features.
    :raises InputError: no such codes, or codes of another video or pack. :raises UsageError: codes without features.
    """

    def __init__(self, editor: VideoEditor, src: str | Path, codes: str | Path) -> None:
        self.editor, self.src = editor, Path(src)
        self._file = open_latent_file(codes).checked(editor.pack, self.src, None)
        if not self._file.manifest.features:
            raise UsageError(f"{codes} has no features, which every look would compute again; keep them")
        self.rate = known(self._file.manifest.rate)
        self._rows = _rows(self._file, self.rate)
        self._crops: dict[int, tuple[Picture, ...]] = {}
        self._held = 0  # bytes of them
        self._part = lru_cache(maxsize=2)(self._read_part)
        self._frame = lru_cache(maxsize=4)(self._read_frame)

    def __len__(self) -> int:
        """Frames."""
        return len(self._rows)

    @property
    def duration(self) -> float:
        """Seconds, to the last frame."""
        return float(self._rows[-1].time)

    def index(self, seconds: float) -> int:
        """Of the frame on screen at a time; before the start the first, after the end the last one."""
        return max(0, bisect_right(self._rows, seconds + 1e-6, key=lambda row: float(row.time)) - 1)

    def time(self, index: int) -> float:
        """Seconds."""
        return float(self._rows[index].time)

    def sees(self, person: int, index: int) -> bool:
        """Was somebody found in a frame?"""
        return person in self._rows[index].persons

    def persons(self, most: int = 60) -> list[Seen]:
        """Everybody in the video, by their first frame; where they are more, the ``most`` who are seen for longest."""
        where: dict[int, list[int]] = {}
        for index, row in enumerate(self._rows):
            for person in row.persons:
                where.setdefault(person, []).append(index)
        longest = sorted(where, key=lambda person: (-len(where[person]), person))[:most]
        return [self._seen(person, where[person]) for person in sorted(longest)]

    def alone(
        self,
        index: int,
        edit: Edits,
        *,
        hold: Sequence[str] = (),
        composite: Composite = "detail",
        faces: People | None = None,
    ) -> Look:
        """One frame by itself, from its codes: at once, and without what a run averages over the frames around it.

        Arguments and errors as of :meth:`vidinv.VideoEditor.render`, and no edit at all leaves the frame as it is.
        """
        coded = self._coded(index)
        if not edit:
            return self._look(index, coded.frame.image, coded.frame.image, True)
        with closing(
            self.editor.render(None, iter([coded]), edit, hold=hold, rate=self.rate, composite=composite, faces=faces)
        ) as stream:
            after = known(next(stream).output).image
        exact = after is coded.frame.image and not self._touched(edit, hold, faces, coded)
        return self._look(index, coded.frame.image, after, exact)

    def rendered(
        self,
        index: int,
        edit: Edits,
        *,
        hold: Sequence[str] = (),
        composite: Composite = "detail",
        faces: People | None = None,
        going: Callable[[int, int], bool] = lambda done, total: True,
    ) -> Look | None:
        """One frame as the run of :meth:`vidinv.VideoEditor.edit_video` makes it, bit for bit.

        What a frame becomes depends on those of its shot before it and on half a second behind it, so these are
        rendered too: it takes as long as a run from the beginning of the shot.

        :param going: is told before the first and after every frame how many of about how many are done; False ends
            the work.
        :return: None: it was ended.
        """
        if not edit:
            return self.alone(index, edit)
        first, done = self._first(index, edit, hold, faces), 0

        def coded() -> Iterator[Faces]:
            for one in range(first, len(self)):
                yield self._coded(one) if one == index else self._bare(one)

        if not going(0, index + 1 - first):
            return None
        self._cut(first, min(len(self), index + 1 + round(self.rate)))
        with closing(
            self.editor.render(None, coded(), edit, hold=hold, rate=self.rate, composite=composite, faces=faces)
        ) as stream:
            for one in stream:
                done += 1
                if one.frame.index == index:
                    return self._look(index, one.frame.image, known(one.output).image, True)
                if not going(done, index + 1 - first):
                    return None
        raise InputError(f"{self._file.folder} ends before frame {index}; invert again")

    def check(self, edit: Edits, hold: Sequence[str] = (), faces: People | None = None) -> None:
        """:raises VidinvError: these edits cannot be done; see :meth:`vidinv.VideoEditor.render`."""
        self._edits(edit, hold, faces)

    def _look(self, index: int, before: Picture, after: Picture, exact: bool) -> Look:
        return Look(index, self.time(index), before, after, exact)

    def _touched(self, edit: Edits, hold: Sequence[str], faces: People | None, coded: Faces) -> bool:
        """Does anything act on anybody in this frame, or could it?"""
        time = coded.frame.seconds(self.rate)
        return bool(faces) or any(one.acts(f, time) for one in self._edits(edit, hold, faces) for f in coded.faces)

    def _edits(self, edit: Edits, hold: Sequence[str], faces: People | None) -> tuple[Edit, ...]:
        asked = parse_edits(edit)
        check_names(asked, faces or ())
        return guarded(asked, hold, self.editor.pack)[0]

    def _first(self, index: int, edit: Edits, hold: Sequence[str], faces: People | None) -> int:
        """Where to begin for the same bits: nothing is carried over a cut but the batches of the networks, whose sizes
        tell in the last bits. So it is a frame at which a batch of the drawing begins and a group of the edit stage
        too; where an edit asks a network, so far before the shot that what waits there for its window is the same."""
        if any(isinstance(who, str) for one in parse_edits(edit) for who in persons_of(one) or ()):
            return 0  # who has a name is known only from looking
        edits, batch = self._edits(edit, hold, faces), self.editor.batch
        shot = next((at for at in range(index, 0, -1) if self._rows[at].cut), 0)
        asks = EditOptions(edits, rate=self.rate)
        group = asks.group
        latest = shot - group - reach(asks.sigma * asks.rate) if group > 1 else shot
        drawing, editing, first = Collected[int](), Collected[int](), 0
        for at in range(latest):
            drawing, _ = collect(drawing, at, lambda one: self._acted(edits, one), batch)
            if group > 1:
                editing, _ = collect(editing, at, lambda one: len(self._rows[one].persons), group, most=group)
            if not drawing.items and not editing.items:
                first = at + 1
        return first

    def _acted(self, edits: Sequence[Edit], index: int) -> int:
        """Faces of a frame that anything acts on."""
        row = self._rows[index]
        box = np.zeros(4, np.float32)
        people = (Face(box, person=person) for person in row.persons)
        return sum(any(one.acts(face, float(row.time)) for one in edits) for face in people)

    def _seen(self, person: int, where: Sequence[int]) -> Seen:
        def side(index: int) -> float:
            row = self._rows[index]
            return row.sides[row.persons.index(person)]

        best = max(where, key=side)
        coded = self._coded(best)
        face = next(face for face in coded.faces if face.person == person)
        return Seen(person, len(where), self.time(where[0]), self.time(where[-1]), self.time(best), known(face.crop))

    def _coded(self, index: int) -> Faces:
        """A frame with its picture, and its faces with their crops."""
        bare, frame = self._codes(index), self._frame(index)
        if index not in self._crops:
            self._keep(index, self._cut_of(bare, frame.image))
        return self._with_crops(replace(bare, frame=frame))

    def _bare(self, index: int) -> Faces:
        """The same without the picture, where nobody looks at it."""
        if index not in self._crops:
            self._cut(index, min(len(self), index + round(self.rate)))
        return self._with_crops(self._codes(index))

    def _with_crops(self, faces: Faces) -> Faces:
        crops = iter(self._crops[faces.frame.index])
        return faces.each(lambda face: replace(face, crop=next(crops)))

    def _codes(self, index: int) -> Faces:
        part = next(p for p in self._file.manifest.parts if index < p.first + p.frames)
        return self._part(part.first, part.frames)[index - part.first]

    def _read_part(self, first: int, frames: int) -> list[Faces]:
        return list(islice(self._file.faces(self.editor.compute.device, first), frames))

    def _read_frame(self, index: int) -> Frame:
        """By its time, else by counting: a damaged file may hold times that seeking does not find."""
        bare = self._codes(index).frame
        found = frame_at(self.src, self._rows[index].time)
        if found.pts != bare.pts:
            with Reader(self.src) as reader:
                found = next(frame for frame in reader.frames(index))
        return replace(bare, image=found.image)

    def _cut(self, first: int, stop: int) -> None:
        """The crops of these frames, in one pass over the video; of the first ones, where there is no room for all."""
        missing = [at for at in range(first, stop) if at not in self._crops]
        if not missing:
            return
        with Reader(self.src) as reader:
            for frame in islice(reader.frames(missing[0]), missing[-1] + 1 - missing[0]):
                if self._held > CROPS and frame.index > missing[0]:
                    return
                self._keep(frame.index, self._cut_of(self._codes(frame.index), frame.image))

    def _keep(self, index: int, crops: tuple[Picture, ...]) -> None:
        """The only place where crops are remembered, for them to be bounded: by CROPS and those of one frame."""
        if index in self._crops:  # from a pass over the video that began before it
            return
        if self._held > CROPS:
            self._crops.clear()
            self._held = 0
        self._crops[index] = crops
        self._held += _size(crops)

    def _cut_of(self, faces: Faces, image: Picture) -> tuple[Picture, ...]:
        side = self.editor.pack.resolution
        return tuple(crop(image, known(face.quad), side, face.content) for face in faces.faces)


def _size(crops: Sequence[Picture]) -> int:
    return sum(picture.nbytes for picture in crops)


def _rows(file: LatentFile, rate: float) -> list[_Row]:
    return [
        _Row(
            one.frame.time if one.frame.time is not None else Fraction(one.frame.index / rate),
            one.frame.pts,
            one.frame.cut,
            tuple(face.person for face in one.faces),
            tuple(quad_side(known(face.quad)) for face in one.faces),
        )
        for one in file.faces()
    ]
