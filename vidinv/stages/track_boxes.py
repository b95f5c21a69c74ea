"""Frame -> Faces, where the boxes are known and only who is who has to be told."""

from __future__ import annotations

from dataclasses import dataclass

from vidinv.faces.boxes import BoxesOf
from vidinv.faces.tracks import Tracks, advance, largest_first
from vidinv.types import Face, Faces, Frame
from vidinv.video.shots import ShotState, mark_cuts


@dataclass(frozen=True)
class TrackBoxesOptions:
    patience: float = 1.2  # seconds for which a box that is missing is remembered
    rate: float = 25.0  # frames per second


@dataclass(frozen=True)
class TrackBoxesState:
    tracks: Tracks = Tracks()
    shot: ShotState = ShotState()


def track_boxes(
    state: TrackBoxesState, frame: Frame | None, boxes: BoxesOf, options: TrackBoxesOptions = TrackBoxesOptions()
) -> tuple[TrackBoxesState, list[Faces]]:
    """Name the boxes of a frame, largest first, as :func:`vidinv.stages.detect.detect` names faces."""
    shot, ready = mark_cuts(state.shot, frame, options.rate)
    tracks, out = state.tracks, list[Faces]()
    for one in ready:
        tracks = Tracks(next_person=tracks.next_person) if one.cut else tracks
        tracks, named = advance(tracks, [Face(box) for box in boxes(one)], round(options.patience * options.rate))
        out.append(Faces(one, largest_first(named)))
    return TrackBoxesState(tracks, shot), out
