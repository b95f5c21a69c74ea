"""Frame -> Found, where the boxes are known and only who is who has to be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vidinv.faces.boxes import BoxesOf
from vidinv.faces.tracks import Tracks, advance
from vidinv.types import Face, Found, Frame
from vidinv.video.shots import ShotState, is_cut


@dataclass(frozen=True)
class TrackBoxesOptions:
    patience: int = 30  # frames for which a box that is missing is remembered


def track_boxes(
    frames: Iterable[Frame], boxes: BoxesOf, options: TrackBoxesOptions = TrackBoxesOptions()
) -> Iterator[Found]:
    """Name the boxes of every frame, largest first, as :func:`detect` names faces; one Found per frame."""
    tracks, shot = Tracks(), ShotState()
    for frame in frames:
        cut, shot = is_cut(shot, frame.image)
        if cut:
            tracks = Tracks(next_person=tracks.next_person)
        tracks, named = advance(tracks, [Face(box, None, 1.0) for box in boxes(frame)], options.patience)
        yield Found(frame, tuple(sorted(named, key=lambda f: -float((f.box[2:] - f.box[:2]).max()))), cut)
