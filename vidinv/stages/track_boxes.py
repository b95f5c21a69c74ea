"""Frame -> Faces, where the boxes are known and only who is who has to be told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vidinv.faces.boxes import BoxesOf
from vidinv.faces.tracks import Tracks, advance, largest_first
from vidinv.types import Face, Faces, Frame
from vidinv.video.shots import ShotState, is_cut


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
    if frame is None:
        return state, []
    cut, shot = is_cut(state.shot, frame.image)
    tracks = Tracks(next_person=state.tracks.next_person) if cut else state.tracks
    tracks, named = advance(tracks, [Face(box) for box in boxes(frame)], round(options.patience * options.rate))
    return TrackBoxesState(tracks, shot), [Faces(replace(frame, cut=cut), largest_first(named))]
