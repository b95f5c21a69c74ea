"""Do sound and picture still belong together?"""

from __future__ import annotations

from vidinv.video.spans import Spans


def av_drift(source: Spans, output: Spans) -> tuple[float, float] | None:
    """How far the sound has moved against the picture, seconds, at the start and at the end; positive: it comes later.

    Only the relation of the two counts, not where a file's clock starts. 0, 0 is the goal; two different values mean
    that sound and picture run at different speeds. None where either file has no sound.
    """
    if source.audio is None or output.audio is None:
        return None
    start, end = ((output.audio[i] - output.video[i]) - (source.audio[i] - source.video[i]) for i in (0, 1))
    return start, end
