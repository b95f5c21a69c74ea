"""What an MP4 or MOV file says of its own size, before anything believes it: a kilobyte can ask for gigabytes.

Where all samples have one size, a table of them is that size and a count (ISO/IEC 14496-12, sections 8.7.3 and 8.8.8),
and FFmpeg makes a row of 24 bytes for each. QuickTime's index may be compressed, a thousandfold of zeros.
"""

from __future__ import annotations

import mmap
import re
import zlib
from contextlib import suppress
from pathlib import Path

from vidinv.errors import NotAVideo
from vidinv.video.boxes import boxes

MOST_SAMPLES = 20_000_000
"""Of a file that has fewer bytes than samples: an index of 480 MB. Of an honest one it is the size that bounds them."""
MOST_EXPANDED = 1 << 26  # bytes of a compressed index; QuickTime's own have some hundred thousand
_OPAQUE = (b"mdat", b"skip", b"wide", b"uuid")  # at the outermost level: what FFmpeg looks for no index in
_OTHERS = (b"\x1a\x45\xdf\xa3", b"RIFF", b"OggS", b"FLV\x01")  # how Matroska and WebM, AVI, Ogg and Flash Video begin
_PACKETS = (0, 188, 376, 564)  # where packets of a transport stream begin
_TABLES = re.compile(rb"stsz.{8}(?P<sizes>.{4})|trun.{4}(?P<run>.{4})", re.DOTALL)
_COMPRESSED = re.compile(rb"cmvd(.{4})", re.DOTALL)


def check_declared(path: Path) -> None:
    """:raises NotAVideo: it says that it has far more than fits into it. :raises OSError: it cannot be read."""
    size, samples = path.stat().st_size, 0
    if not size or _is_another(path):
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for kind, begin, end in boxes(file, 0, size):
            if _may_be_index(data, kind, begin):
                samples += _samples(data, begin, min(end, size)) + _compressed(data, begin, min(end, size), path)
            if samples > max(MOST_SAMPLES, size):
                raise NotAVideo(
                    f"{path} says it has {samples} pictures and pieces of sound, in {size} bytes; check the file"
                )


def _is_another(path: Path) -> bool:
    """Is it sure to be read as something else? Its pictures would be taken for boxes, and now and then for an index."""
    with path.open("rb") as file:
        head = file.read(4 + _PACKETS[-1] * 188)
    of_packets = any(all(head[first + n : first + n + 1] == b"G" for n in _PACKETS) for first in (0, 4))
    # A word there would be a box's name, and FFmpeg might believe it.
    return (of_packets or head.startswith(_OTHERS)) and not head[4:8].isalnum()


def _may_be_index(data: mmap.mmap, kind: bytes, begin: int) -> bool:
    """Whole boxes are looked through, whatever is in them: what is read otherwise here than there would be a way in."""
    if kind == b"free":  # FFmpeg looks into what was struck out, too, if there is no other
        return data[begin + 4 : begin + 8] in (b"mvhd", b"cmov")
    return kind not in _OPAQUE


def _samples(data: mmap.mmap | bytes, begin: int, end: int) -> int:
    return sum(int.from_bytes(found["sizes"] or found["run"]) for found in _TABLES.finditer(data, begin, end))


def _compressed(data: mmap.mmap, begin: int, end: int, path: Path) -> int:
    """Samples in an index that is compressed."""
    found = _COMPRESSED.search(data, begin, end)
    if found is None:
        return 0
    machine, expanded = zlib.decompressobj(), b""
    with suppress(zlib.error):  # over which FFmpeg stumbles too
        expanded = machine.decompress(data[found.end() : min(end, found.end() + MOST_EXPANDED)], MOST_EXPANDED)
    twice = b"cmvd" in expanded or _COMPRESSED.search(data, found.end(), end)
    if twice or machine.unconsumed_tail or int.from_bytes(found[1]) > MOST_EXPANDED:
        raise NotAVideo(
            f"{path} has a compressed index of more than {MOST_EXPANDED >> 20} MiB, or several; check the file, or "
            "convert it"
        )
    return _samples(expanded, 0, len(expanded))
