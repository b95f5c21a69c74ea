"""What a batch made: a note per output, by which a second call knows what is complete.

The notes lie in a hidden folder beside the outputs, one file each, so that several machines may write them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vidinv import journal
from vidinv.edits.curve import Curve
from vidinv.edits.parse import EditRequest
from vidinv.errors import OutputExists
from vidinv.inversion.latent_manifest import MANIFEST, source_of
from vidinv.job import Job
from vidinv.packs.load import load_pack
from vidinv.packs.own import own_names, own_path
from vidinv.regular import read_text
from vidinv.video.output import part_path, publish, work_folder
from vidinv.video.stills import pictures_in

FOLDER = ".vidinv-batch"


@dataclass(frozen=True)
class Note:
    """Of an output that is complete."""

    about: Mapping[str, str]  # what the job was, by the names that people have for it
    size: int  # bytes
    mtime_ns: int
    reports: tuple[str, ...] = ()  # names of those that were written
    damaged: bool = False  # the source was, and is edited as far as it could be read


@dataclass(frozen=True)
class Standing:
    """How a job stands before it is done."""

    complete: bool = False
    overwrite: bool = False  # the output may be replaced
    reports: bool = False  # and the reports
    damaged: bool = False  # complete as far as the source, which is damaged, could be read
    published: bool = False  # the output is of a run that was interrupted behind it; whether of this job, it knows


def about(job: Job) -> dict[str, str]:
    """What tells a job's output from another's: by content what it reads, and not where that lies.

    :raises VidinvError: a file cannot be read, or there is no such pack.
    """
    pack = load_pack(job.pack, "cpu")
    own = sorted({one.name for one in job.requests()} & set(own_names(pack.name, pack.hash)))
    return journal.described(
        source=source_of(job.source).sha256,
        pack=pack.hash,
        edit=(
            tuple(_nameless(one) for one in job.requests()),
            tuple((_content(t.neutral), _content(t.expressive), t.amount) for t in job.transfer_requests()),
            (_content(job.drive), job.neutral, job.drive_persons),
            {name: tuple(_content(path) for path in paths) for name, paths in job.faces.items()},
            tuple(_content(own_path(name, pack.name, pack.hash)) for name in own),
        ),
        hold=job.hold,
        composite=job.composite,
        boxes=_content(job.boxes),
        codes=_content(job.codes),
        method=(job.method, dict(job.search), _content(job.lpips) if job.method else None),
        device=(job.device, job.precision, job.batch),
        encoder=(job.codec, job.crf, job.preset, job.backend, job.segment, job.encoder_threads, job.mark),
    )


def _nameless(one: EditRequest) -> EditRequest:
    """A curve is what it says, whatever its file is called."""
    return replace(one, amount=replace(one.amount, file=None)) if isinstance(one.amount, Curve) else one


def _content(path: Path | None) -> tuple[str, ...]:
    """Of a file, a folder of pictures, or a folder of codes."""
    if path is None:
        return ()
    if (path / MANIFEST).is_file():
        path = path / MANIFEST
    files = pictures_in([path]) if path.is_dir() else [path]
    return tuple(source_of(file).sha256 for file in files)


def standing(job: Job, mine: Mapping[str, str], overwrite: bool) -> Standing:
    """:param mine: of :func:`about`. :param overwrite: outputs of others may be replaced, and those of another version.

    :raises OutputExists: something is there that is not known to be of this job.
    """
    if not job.output.exists():
        return Standing(False, overwrite, overwrite)
    note = _read(job.output)
    if note is None:
        if overwrite:
            return Standing(False, True, True)
        if journal.published(job.output):
            return Standing(published=True)
        raise OutputExists(
            f"{job.output} exists, and no batch noted that it made it as it is now; move it, choose another output, or "
            "overwrite it (--overwrite)"
        )
    # A newer version need not make everything again, unless it is told to.
    names = [n for n in mine if note.about.get(n) != mine[n] and (n != "version" or overwrite)]
    if names and not overwrite:
        raise OutputExists(
            f"{job.output} exists, of a job with another {' and '.join(names)}; move it, choose another output, or "
            "overwrite it (--overwrite)"
        )
    beside = [path for path in (*job.reports, job.keep_codes) if path is not None]
    complete = not names and all(path.exists() for path in beside)
    there = {path.name for path in job.reports if path.exists()}
    return Standing(complete, True, overwrite or there <= set(note.reports), note.damaged)


def note(job: Job, mine: Mapping[str, str], damaged: bool, reports: Iterable[Path] = ()) -> None:
    """The output is complete, and so are these reports.

    :param damaged: complete as far as its source could be read. :raises OSError: it cannot be written.
    """
    file, at = _file(job.output), job.output.stat()
    file.parent.mkdir(exist_ok=True)
    told = {"about": dict(mine), "size": at.st_size, "mtime_ns": at.st_mtime_ns, "reports": [p.name for p in reports]}
    told["damaged"] = damaged
    part = part_path(file)
    try:
        part.write_text(json.dumps(told), encoding="utf-8")
        publish(part, file, overwrite=True)
    finally:
        part.unlink(missing_ok=True)


def _read(output: Path) -> Note | None:
    """None: there is none, or the output is not as it was noted."""
    try:
        told = json.loads(read_text(_file(output)))
        reports, damaged = tuple(map(str, told["reports"])), bool(told.get("damaged", False))  # older notes say nothing
        found = Note(dict(told["about"]), int(told["size"]), int(told["mtime_ns"]), reports, damaged)
        at = output.stat()
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return found if (at.st_size, at.st_mtime_ns) == (found.size, found.mtime_ns) else None


def _file(output: Path) -> Path:
    return output.parent / FOLDER / work_folder(output).with_suffix(".json").name
