"""Parts joined to one video beside everything else of the source, without encoding anything again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidinv.errors import OutputUnwritable
from vidinv.video import container
from vidinv.video.info import VideoInfo
from vidinv.video.muxer import Muxer
from vidinv.video.parts import Part, packets_of

PUBLISHED = "published.json"  # by what the output is known, once it has its name
LONGEST_LAST = 2  # seconds that the last picture may stay, as far as the source's duration is believed


def join(
    parts: Sequence[Part], folder: Path, dst: Path, info: VideoInfo, source: Any, overwrite: bool, mark: str = ""
) -> tuple[list[str], bool]:
    """Write ``dst`` of the parts in ``folder`` and of the source's other streams; it appears when it is complete.

    :param source: the source's file, opened and not read yet. :param mark: see :class:`vidinv.video.muxer.Muxer`.
    :return: what could not be kept as it was, and whether a stream beside the video is damaged.
    :raises OutputError: it cannot be written.
    """
    paths = [folder / part.file for part in parts]
    with container.open_input(paths[0]) as encoded:
        first = encoded.streams.video[0]
        head = first.codec_context.extradata
        adding = partial(container.add_copy, encoded=first, info=info)
        muxer = Muxer(dst, info, source, overwrite, folder / f"joined{dst.suffix}", adding, mark)
    pts = np.concatenate([part.pts for part in parts])
    lasting = durations(pts, info, parts[-1].stays)
    decoded = decode_times(pts, max(part.delay for part in parts), info.step)
    at = begin = 0  # packets: those written, and those of the parts before
    try:
        for path, part in zip(paths, parts, strict=True):
            for packet in packets_of(path):
                if at == begin and packet.stream.codec_context.extradata != head:
                    raise OutputUnwritable(f"the encoder began {path.name} otherwise than the parts before; begin anew")
                place = begin + part.order[at - begin]
                packet.pts, packet.dts, packet.time_base = int(pts[place]), int(decoded[at]), info.time_base
                packet.duration = int(lasting[place])
                if at == len(pts) - 1 and muxer.counts_durations:
                    # The last in decoding order need not be the last on screen, but MP4 ends the track where it ends.
                    whole = pts[-1] - pts[0] + lasting[-1]
                    packet.duration = max(1, int(whole - (decoded[-1] - decoded[0])))
                muxer.mux(packet)
                at += 1
            begin += len(part.pts)
    except BaseException:
        muxer.abort()
        raise
    muxer.finish(folder / PUBLISHED)
    return muxer.warnings, muxer.damaged


def durations(pts: NDArray[np.int64], info: VideoInfo, stays: int | None = None) -> NDArray[np.int64]:
    """How long each frame stays on screen, ticks [N].

    :param stays: ticks, of the last one. None: nobody said; at a varying rate it is then what the source's duration
        leaves for it, if that is believable.
    """
    step, between = info.step, np.diff(pts)
    if stays is not None:
        return np.append(between, stays)
    last = step
    if info.duration is not None and (between != step).any():
        rest = int(pts[0]) + round(info.duration / info.time_base) - int(pts[-1])
        last = rest if 0 < rest * info.time_base <= LONGEST_LAST else step
    return np.append(between, last)


def decode_times(pts: NDArray[np.int64], delay: int, step: int) -> NDArray[np.int64]:
    """When each packet is decoded, ticks [N], in decoding order: ``delay`` frames before that place is shown.

    No picture is then decoded later than it is shown, and time always advances, over the seams of parts too.
    """
    if delay == 0:
        return pts
    lead = pts[delay] - pts[0] if len(pts) > delay else delay * step
    return np.concatenate([pts[:delay] - lead, pts[:-delay]])
