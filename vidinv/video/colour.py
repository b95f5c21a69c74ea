"""Colour decisions: which matrix, which range, which pixel format. Pure functions over tags and names.

Frames travel as full-range RGB in the source's own primaries and transfer curve; only the YUV matrix and the range
are undone on the way in and done again, the same, on the way out.
"""

from __future__ import annotations

from collections.abc import Collection

from vidinv.errors import UnsupportedColour
from vidinv.video.dolby import DolbyVision
from vidinv.video.info import UNSPECIFIED, ColourTags

LIMITED, FULL = 1, 2
_HDR = {16: "PQ (HDR10)", 18: "HLG"}
# H.273 matrix -> the number swscale knows it by.
_SWSCALE = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_RGB_MATRIX = 0
_PLAYS_AS_SDR, _HDR_BASES = 2, {1: 16, 4: 18, 6: 16}  # of Dolby Vision, and their transfer curves


def refuse_hdr(tags: ColourTags, name: str, dolby: DolbyVision | None = None) -> None:
    """Raise UnsupportedColour for a picture that eight-bit RGB would wash out.

    :param dolby: what the file records of Dolby Vision. Its own colours are no YUV, and without it they are wrong.
    """
    if dolby is not None and dolby.base not in (_PLAYS_AS_SDR, *_HDR_BASES):
        raise UnsupportedColour(
            f"{name} is Dolby Vision video of profile {dolby.profile}, whose colours nothing else tells. Convert it: "
            'ffmpeg -i IN -vf "libplacebo=tonemapping=bt.2390:colorspace=bt709:color_primaries=bt709:color_trc=bt709:'
            'range=tv,format=yuv420p" -c:a copy OUT'
        )
    transfer = tags.transfer if dolby is None else _HDR_BASES.get(dolby.base, tags.transfer)
    if transfer in _HDR:
        raise UnsupportedColour(
            f"{name} is {_HDR[transfer]} video, which 8 bits would wash out. Convert it to SDR: ffmpeg -i IN -vf "
            '"zscale=t=linear:npl=100,tonemap=hable,zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p" -c:a copy OUT'
        )
    if tags.matrix not in _SWSCALE and tags.matrix not in (UNSPECIFIED, _RGB_MATRIX):
        raise UnsupportedColour(f"{name} has the unusual colour matrix {tags.matrix} (H.273). Convert it to bt709")


def swscale_matrix(tags: ColourTags, width: int, height: int) -> int:
    """The matrix of the stream, or what players assume where none is stated: bt709 for HD, else bt601."""
    return _SWSCALE.get(tags.matrix, 1 if height >= 720 or width >= 1280 else 5)


def yuv_range(tags: ColourTags, pix_fmt: str) -> int:
    """LIMITED or FULL. Unstated means limited, but the old "yuvj" formats say full by their name."""
    return FULL if tags.range == FULL or pix_fmt.startswith("yuvj") else LIMITED


def is_rgb(pix_fmt: str) -> bool:
    return pix_fmt.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr"))


def output_tags(tags: ColourTags, pix_fmt: str) -> ColourTags:
    """The tags of the encoded stream: the source's own. An RGB source becomes YUV, so its matrix has to change."""
    if is_rgb(pix_fmt):
        return ColourTags(tags.primaries, tags.transfer, 1, LIMITED)
    stated = FULL if yuv_range(tags, pix_fmt) == FULL else tags.range
    return ColourTags(tags.primaries, tags.transfer, tags.matrix, stated)


def _chroma(pix_fmt: str) -> str:
    if is_rgb(pix_fmt) or "444" in pix_fmt:
        return "444"
    return "422" if "422" in pix_fmt or pix_fmt.startswith(("nv16", "nv20", "p21")) else "420"


def output_pix_fmt(pix_fmt: str, width: int, height: int, supported: Collection[str]) -> tuple[str, str | None]:
    """An 8-bit format with the source's chroma sampling, and a warning where it had to differ.

    Chroma at half resolution cannot describe an odd size in H.264 and H.265, so odd sizes go to the finer sampling.
    """
    chroma = _chroma(pix_fmt)
    wanted = chroma
    if (width % 2 and chroma != "444") or (height % 2 and chroma == "420"):
        wanted = "422" if chroma == "420" and width % 2 == 0 else "444"
    for sampling in dict.fromkeys((wanted, "444", chroma, "420")):
        name = f"yuv{sampling}p"
        if name in supported:
            if sampling == chroma:
                return name, None
            odd = wanted != chroma and sampling == wanted
            why = f"{width}x{height} is odd" if odd else f"the encoder has no yuv{chroma}p"
            return name, f"written as {name} instead of yuv{chroma}p, because {why}"
    return "yuv420p", None
