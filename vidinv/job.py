"""A job: all that one run of the whole way is asked for, as plain values, for a file or another process.

jobs.toml, or a project, which has one job:

    format = 1

    [defaults]
    edits = ["age=+2"]

    [[job]]
    source = "a.mp4"
    output = "older/a.mp4"
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import tomli_w

from vidinv.bounds import checked
from vidinv.edits.parse import LONGEST_ID, EditRequest, check_count, parse_edit, read_requests
from vidinv.edits.transfer_parse import TransferRequest, parse_transfer
from vidinv.errors import InputMissing, MalformedEdit, OutputIsInput, UsageError, VidinvError
from vidinv.packs.locate import is_path
from vidinv.regular import read_toml, resolved
from vidinv.runtime.lines import Lines
from vidinv.types import Backend, Composite
from vidinv.video.output import FORMATS, written_suffix

FORMAT = 1  # of the files that this version writes, and the newest that it reads
VIDEOS = frozenset(
    (*FORMATS, ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m2v", ".mpeg", ".mpg", ".mts", ".mxf", ".nut")
    + (".ogv", ".ts", ".vob", ".wmv", ".y4m")
)
"""How names of files end that are taken for videos where a folder is given; a file that is named may end otherwise."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Names and meanings are those of :class:`vidinv.VideoEditor` and its ``edit_video``, and of ``vidinv run``.

    :raises MalformedEdit: nothing to do, or a text that is no edit. :raises UsageError: a value that is none of those
        that are there.
    """

    source: Path
    output: Path
    edits: tuple[str, ...] = ()  # each one edit or several: "age=+2,0:smile=1@1s-3s"
    transfers: tuple[str, ...] = ()  # "neutral.jpg,smile.jpg=0.7"
    drive: Path | None = None  # a video or a table that moves the face
    neutral: float | None = None  # seconds of the driver at which its face is at rest
    drive_persons: tuple[str, ...] = ()  # whom to drive: ids and names; none: everybody
    hold: tuple[str, ...] = ()
    faces: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)  # by name the pictures of a person
    composite: str = "detail"
    boxes: Path | None = None
    codes: Path | None = None
    keep_codes: Path | None = None
    reports: tuple[Path, ...] = ()  # .html, .json
    codec: str | None = None  # what the container takes
    crf: float = 18
    preset: str = "veryfast"
    backend: str = "pyav"
    segment: float = 8.0
    encoder_threads: int = 0  # 0: as many as there are cores, and above 1080p four at most
    mark: bool = True  # say in the output's own tags what was edited
    pack: str | None = None  # a name, or a path with a separator
    device: str = "auto"
    precision: str = "auto"
    batch: int | None = None
    method: str | None = None
    search: Mapping[str, Any] = field(default_factory=dict)  # of vidinv.inversion.SearchOptions
    lpips: Path | None = None

    def __post_init__(self) -> None:
        for name, kind in (("composite", Composite), ("backend", Backend)):
            if getattr(self, name) not in get_args(kind):
                raise UsageError(f"{name} is {getattr(self, name)!r}; there are {', '.join(get_args(kind))}")
        if not (self.edits or self.transfers or self.drive):
            raise MalformedEdit("nothing to do was given; say what with edits, transfers or drive")
        for name in ("crf", "segment", "encoder_threads", "batch", "neutral"):
            if (value := getattr(self, name)) is not None:
                checked("time" if name == "neutral" else name, value, name)
        for name in ("steps", "warm_steps", "seed"):
            if name in self.search:
                checked(name, self.search[name], f"search.{name}")
        for text in self.transfers:
            parse_transfer(text)
        check_count(len(_single(self.edits)))
        if long := [who for who in self.drive_persons if who.isdecimal() and len(who) > LONGEST_ID]:
            raise UsageError(f"drive_persons is {long[0]!r:.60} and should be ids of the report, or names of faces")
        for text in _single(self.edits):
            if "=@" not in text:  # else it is a file's name, which another folder may be meant for yet
                parse_edit(text)

    @property
    def settings(self) -> tuple[Any, ...]:
        """What of it the editor is made of: jobs with the same need but one."""
        search = tuple(sorted(self.search.items()))
        return (self.pack, self.device, self.precision, self.batch, self.method, search, self.lpips)

    @property
    def reads(self) -> tuple[Path, ...]:
        """Files that it is made of, beside its pack and the tables that edits name."""
        named = [path for path in (self.drive, self.boxes, self.codes, self.lpips) if path is not None]
        pictures = [path for paths in self.faces.values() for path in paths]
        between = [Path(path) for one in self.transfer_requests() for path in (one.neutral, one.expressive)]
        return (self.source, *named, *pictures, *between)

    def requests(self) -> tuple[EditRequest, ...]:
        """The edits, read. :raises VidinvError: a curve's file that cannot be used."""
        return tuple(one for text in self.edits for one in read_requests(text))

    def transfer_requests(self) -> tuple[TransferRequest, ...]:
        return tuple(parse_transfer(text) for text in self.transfers)


NEEDED = tuple(f.name for f in fields(Job) if f.default is MISSING and f.default_factory is MISSING)


def anchored(job: Job, folder: Path) -> Job:
    """With every name of a file that is relative taken from ``folder``, those within texts too."""
    return replace(job, **_anchored({f.name: getattr(job, f.name) for f in fields(Job)}, folder))


def _anchored(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The same of some of a job's fields."""
    found = dict(values)
    for name, value in values.items():
        if name == "edits":
            found[name] = tuple(_edit_at(text, folder) for text in _single(value))
        elif name == "transfers":
            found[name] = tuple(_transfer_at(text, folder) for text in value)
        elif name == "faces":
            found[name] = {who: tuple(folder / path for path in paths) for who, paths in value.items()}
        elif name == "reports":
            found[name] = tuple(folder / path for path in value)
        elif isinstance(value, Path):
            found[name] = folder / value
        elif name == "pack" and value and is_path(value):
            found[name] = str(folder / value)
    return found


def _single(edits: Iterable[str]) -> list[str]:
    return [part.strip() for text in edits for part in text.split(",") if part.strip()]


def _edit_at(text: str, folder: Path) -> str:
    name, at, file = text.partition("=@")
    return f"{name}=@{folder / file}" if at else text


def _transfer_at(text: str, folder: Path) -> str:
    one = parse_transfer(text)
    whom, _, amount = one.amount.partition("transfer=")
    if len(whom) == 2:  # before an absolute path a letter would be a drive
        whom = f"{whom[0]}+{whom}"
    return f"{whom}{folder / one.neutral},{folder / one.expressive}={amount}"


def read_jobs(path: str | Path, out: Path | None = None, defaults: Mapping[str, Any] | None = None) -> tuple[Job, ...]:
    """The jobs of a TOML file: tables [[job]] of fields of :class:`Job`, and in [defaults] what they share.

    :param out: a folder for the outputs of jobs that name none. :param defaults: fields, of which the file's own come
        before; their files are taken from the current folder, those in the file from the file's.
    :raises InputMissing: no such file. :raises UsageError: what is wrong, by the file, the job's number and the key.
    """
    path = Path(path)
    try:
        told, text = read_toml(path)
    except OSError as error:
        raise InputMissing(f"{path} cannot be read ({error.strerror}); give a TOML file of jobs") from None
    except ValueError as error:
        raise UsageError(f"{path} is no TOML file ({error})") from None
    form = told.get("format", FORMAT)
    if type(form) is not int or not 1 <= form <= FORMAT:
        raise UsageError(f"{path}: format is {form!r}, and this version reads 1 to {FORMAT}; update vidinv")
    if unknown := sorted(told.keys() - {"format", "defaults", "job"}):
        raise UsageError(f"{path}: {unknown[0]} is unknown; there are format, [defaults] and [[job]]")
    shared = _fields(told.get("defaults", {}), f"{path}, [defaults]", Lines(text, 0))
    tables = told.get("job", [])
    if not isinstance(tables, list) or not tables:
        raise UsageError(f"{path} holds no job; write [[job]], and below it source = and output =")
    return tuple(
        _job(table, f"{path}, job {number}", Lines(text, number), path.parent, out, shared, defaults or {})
        for number, table in enumerate(tables, 1)
    )


def _job(
    table: Any,
    where: str,
    lines: Lines,
    folder: Path,
    out: Path | None,
    shared: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> Job:
    given = {**shared, **_fields(table, where, lines)}
    if "source" not in given:
        raise UsageError(f"{where}: source is missing; name the video")
    if "output" not in given:
        if out is None:
            raise UsageError(f"{where}: output is missing; name it, or a folder for all (--out)")
        given["output"] = Path.cwd() / named(given["source"], out)
    try:
        return Job(**{**_anchored(defaults, Path.cwd()), **_anchored(given, folder)})
    except VidinvError as error:
        raise type(error)(f"{where}: {error}{lines.of_error(str(error), _READ)}") from None


def _fields(table: Any, where: str, lines: Lines) -> dict[str, Any]:
    """A table's values as those of a job. :raises UsageError: an unknown key, or a value of another type."""
    if not isinstance(table, dict):
        raise UsageError(f"{where} is {table!r:.60} and should be a table")
    if unknown := sorted(table.keys() - _READ.keys()):
        raise UsageError(f"{where}: {unknown[0]} is unknown; there are {', '.join(_READ)}{lines.of(unknown[0])}")
    found = {}
    for name, value in table.items():
        try:
            found[name] = _READ[name](value)
        except ValueError as error:
            raise UsageError(f"{where}: {name} is {value!r:.80} and should be {error}{lines.of(name)}") from None
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


def _path(value: Any) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("the name of a file")
    return Path(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise ValueError("a finite number")
    return float(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number")
    return value


def _many(value: Any, each: Callable[[Any], Any]) -> tuple[Any, ...]:
    """A list; one alone may stand without its brackets."""
    if not isinstance(value, list):
        return (each(value),)
    return tuple(each(one) for one in value)


def _faces(value: Any) -> dict[str, tuple[Path, ...]]:
    if not isinstance(value, dict):
        raise ValueError('a table such as {anna = ["anna.jpg"]}')
    return {name: _many(paths, _path) for name, paths in value.items()}


def _search(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(v, str | bool | int | float) for v in value.values()):
        raise ValueError("a table such as {steps = 500}")
    return value


_KINDS: dict[str, Callable[[Any], Any]] = {
    "Path": _path,
    "Path | None": _path,
    "str": _text,
    "str | None": _text,
    "float": _number,
    "float | None": _number,
    "int": _whole,
    "bool": _switch,
    "int | None": _whole,
    "tuple[str, ...]": partial(_many, each=_text),
    "tuple[Path, ...]": partial(_many, each=_path),
    "Mapping[str, tuple[Path, ...]]": _faces,
    "Mapping[str, Any]": _search,
}
_READ = {f.name: _KINDS[str(f.type)] for f in fields(Job)}


def table_of(job: Job, folder: Path | None = None) -> dict[str, Any]:
    """What [[job]] holds: all that is not as by default, files within ``folder`` by their names from there."""

    def plain(value: Any) -> Any:
        if isinstance(value, Path):
            return str(value.relative_to(folder) if folder is not None and value.is_relative_to(folder) else value)
        if isinstance(value, Mapping):
            return {name: plain(one) for name, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, tuple) else value

    usual = Job(source=job.source, output=job.output, edits=("nothing=0",))
    told = {f.name: getattr(job, f.name) for f in fields(Job)}
    return {k: plain(value) for k, value in told.items() if k in NEEDED or value != getattr(usual, k)}


def read_project(path: str | Path) -> Job:
    """The one job of a file. Errors as of :func:`read_jobs`."""
    jobs = read_jobs(path)
    if len(jobs) > 1:
        raise UsageError(f"{path} holds {len(jobs)} jobs, and a project is one; vidinv batch does all of them")
    return jobs[0]


def write_jobs(path: str | Path, jobs: Sequence[Job]) -> None:
    """What :func:`read_jobs` reads again: what all jobs share stands in [defaults]. :raises OSError: see there."""
    path = Path(path)
    tables = [table_of(job, path.parent) for job in jobs]
    first = tables[0] if len(tables) > 1 else {}
    shared = {k: v for k, v in first.items() if k not in NEEDED and all(t.get(k) == v for t in tables)}
    own = [{k: v for k, v in table.items() if k not in shared} for table in tables]
    pieces = [tomli_w.dumps({"format": FORMAT})] + ([tomli_w.dumps({"defaults": shared})] if shared else [])
    # The library itself puts short tables into one line each.
    pieces += [tomli_w.dumps({"job": table}).replace("[job]\n", "[[job]]\n", 1) for table in own]
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text("\n".join(pieces), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def named(source: Path, out: Path) -> Path:
    """The output in a folder: under the source's name, in its own container where that can be written."""
    return out / f"{source.stem}{written_suffix(source)}"


def jobs_of(sources: str | Path, out: Path, defaults: Mapping[str, Any]) -> tuple[Job, ...]:
    """A job for every video of a folder, for every one that a pattern such as ``clips/**/*.mp4`` finds, or for a file.

    :param sources: where a file has that very name, brackets and all, it is that, whatever its name ends in.
    :param out: the folder of the outputs; what lies in it is no source. :param defaults: fields that all jobs have.
    :raises InputMissing: no video is there, or the folder cannot be read.
    :raises OutputIsInput: ``out`` is the folder itself. :raises UsageError: two sources whose outputs would have one
        name, or one that would be written over.
    """
    try:
        videos = _videos(Path(sources), out)
    except OSError as error:
        raise InputMissing(
            f"{sources} cannot be read ({error.strerror}); check its name, and who may read it"
        ) from None
    if not videos:
        raise InputMissing(
            f"{sources} holds no video; give a folder of videos, a pattern such as 'clips/*.mp4' or a file of jobs "
            f"(.toml). Names of videos end in {', '.join(sorted(VIDEOS))}"
        )
    jobs = tuple(Job(source=path, output=named(path, out), **defaults) for path in videos)
    check_together(jobs)
    return jobs


def _videos(sources: Path, out: Path) -> list[Path]:
    """:raises OSError: they cannot be listed. :raises OutputIsInput: see above."""
    if sources.is_file():
        return [sources]
    if sources.is_dir() and resolved(sources) == resolved(out):
        raise OutputIsInput(f"{out} is the folder of the videos themselves; choose another one (--out)")
    found = list(sources.iterdir()) if sources.is_dir() else map(Path, glob.glob(str(sources), recursive=True))
    videos = sorted(p for p in found if p.suffix.lower() in VIDEOS and p.is_file() and not p.name.startswith("."))
    return [path for path in videos if resolved(path.parent) != resolved(out)]


def check_together(jobs: Sequence[Job]) -> None:
    """:raises UsageError: two jobs that would write one file, or one that would write what another reads."""
    writers: dict[Path, Job] = {}
    for job in jobs:
        for path in (job.output, *job.reports, *([job.keep_codes] if job.keep_codes else [])):
            other = writers.setdefault(resolved(path), job)
            if other is not job:
                raise UsageError(
                    f"{other.source} and {job.source} would both become {path}; give one of them another output, in a "
                    "file of jobs"
                )
    for job in jobs:
        for path in job.reads:
            taken = writers.get(resolved(path))
            # Of its own codes and the like the run itself says more.
            if taken is not None and (taken is not job or path == job.source):
                raise UsageError(f"{path} is what becomes of {taken.source} too; choose another output for that")
