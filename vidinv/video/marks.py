"""The tag that says of a video file that it was edited, and what was."""

from __future__ import annotations

from collections.abc import Mapping

MAKER = "vidinv"
OWN_KEY = "com.vidinv.edited"
LONGEST = 2000  # letters of what is said of the edits, earlier ones among them; a source's own words stay whole


def mark_tags(container: str, own_keys: bool, before: Mapping[str, str], text: str) -> dict[str, str]:
    """Tags for a muxer, in the one that its container has for it. What an earlier edit wrote stands before.

    MP4 takes the name of the program that made the file (read back as ``encoder``), Matroska and WebM a tag
    EDITED_BY, and MOV, which has neither, a comment, behind the source's own. A file with keys of its own gets one.

    No more than ``LONGEST`` letters are said, and the latest edit before earlier ones.

    :param container: the muxer's name. :param own_keys: it writes any key (a camera's are copied).
    :param before: the source's tags. :param text: see :func:`mark_text`.
    """
    if container in ("matroska", "webm"):
        return {"EDITED_BY": _behind(before.get("EDITED_BY", ""), text)}
    if own_keys:
        return {OWN_KEY: _behind(before.get(OWN_KEY, ""), text)}
    if container == "mov":
        return {"comment": _behind(before.get("comment", ""), text)}
    made = before.get("encoder", "")  # of another program: who encoded what is not in this file any more
    return {"encoding_tool": _behind(made if made.startswith(MAKER) else "", text)}


def _behind(earlier: str, text: str) -> str:
    text = _short(text, LONGEST)
    at = earlier.find(f"{MAKER} ")
    own, marks = (earlier, "") if at < 0 else (earlier[:at], earlier[at:])  # the source's own words stay whole
    room = LONGEST - len(text) - len("; ")
    marks = _short(marks, room) if room > 0 else ""
    before = (own + marks).removesuffix("; ")
    return f"{before}; {text}" if before else text


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
