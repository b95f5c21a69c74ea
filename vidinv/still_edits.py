"""Faces of a still picture in a file, edited in place.

vidinv.edit_picture("photo.jpg", "older.png", "age=+2")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidinv.api import VideoEditor
from vidinv.edits.parse import Edits, check_timeless, parse_edits
from vidinv.errors import OutputIsInput
from vidinv.faces.boxes import Boxes
from vidinv.portraits import People, Picture
from vidinv.types import Composite, Frame, known
from vidinv.video.output import check_writable
from vidinv.video.stills import check_still, read_still, write_still


@dataclass(frozen=True)
class EditedPicture:
    """What came of a picture."""

    output: Path
    picture: Picture
    """[H, W, 3] RGB, 0..255, transparency over mid-grey."""
    persons: dict[int, str | None]
    """Who was edited, counted by size from 0, the largest; with the names that were recognised."""
    warnings: list[str]


def edit_picture(
    src: str | Path,
    dst: str | Path,
    edit: Edits,
    *,
    hold: Sequence[str] = (),
    composite: Composite = "detail",
    boxes: Boxes | str | Path | None = None,
    faces: People | None = None,
    overwrite: bool = False,
    pack: str | Path | None = None,
    **options: Any,
) -> EditedPicture:
    """:func:`edit_still` with an editor of its own; ``options`` are those of :class:`vidinv.VideoEditor`."""
    asked = parse_edits(edit)
    check_timeless(asked)
    editor = VideoEditor(pack, **options)
    done_to: dict[str, Any] = {"hold": hold, "composite": composite, "boxes": boxes, "faces": faces}
    return edit_still(editor, src, dst, asked, overwrite=overwrite, **done_to)


def edit_still(
    editor: VideoEditor,
    src: str | Path,
    dst: str | Path,
    edit: Edits,
    *,
    hold: Sequence[str] = (),
    composite: Composite = "detail",
    boxes: Boxes | str | Path | None = None,
    faces: People | None = None,
    overwrite: bool = False,
) -> EditedPicture:
    """Edit the faces of a picture; the rest of it stays as it is, at its full size.

    It is read upright, of 16 bits the upper 8, and written in the format of ``dst``'s name (.png, .jpg, .webp) with its
    alpha, EXIF and colour profile. The output appears when it is complete.

    :param edit: as on the command line, without curves and ranges. Persons are counted by size, 0 the largest.
    :param hold: as of :meth:`vidinv.VideoEditor.render`; so is ``faces``. :param boxes: of frame 0.
    :raises UsageError: an edit that cannot be read, or that changes with time. :raises InputError: a file that is no
        picture. :raises NoFaceFound: nobody was edited. :raises OutputError: ``dst`` cannot be written.
    """
    source, target = Path(src), Path(dst)
    asked = parse_edits(edit)
    check_timeless(asked)
    check_places(source, target, overwrite)
    still = read_still(source)
    check_still(target, still.alpha is not None)
    one = editor.edit_frame(
        Frame(still.image, 0), asked, hold=hold, composite=composite, boxes=boxes, faces=faces, called=str(source)
    )
    picture = known(one.faces.output).image
    write_still(target, picture, still, overwrite=overwrite)
    return EditedPicture(target, picture, {face.person: face.name for face in one.edited}, one.warnings)


def check_places(source: Path, target: Path, overwrite: bool) -> None:
    """Raise now what would otherwise be raised after the work: an OutputError, or an InputError of ``source``."""
    check_still(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise OutputIsInput(f"{target} is the input itself, which would be destroyed; choose another name")
    check_writable(target, overwrite)
