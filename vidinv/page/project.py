"""A project that was dropped: what the page shows of it, and what it keeps as it was."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import tomli_w

from vidinv.edits.parse import parse_edit, read_requests
from vidinv.edits.revise import Requests
from vidinv.errors import UsageError
from vidinv.job import Job, read_project, table_of
from vidinv.packs.locate import DEFAULT_PACK

SHOWN = ("source", "output", "edits", "hold", "composite", "pack")
# What the page's own jobs are rendered with too, and changes no picture before it is encoded. What is not here names
# files of whoever wrote the project, or asks for other pictures than those that are shown.
HONOURED = ("reports", "codec", "crf", "preset", "backend", "segment", "encoder_threads", "mark")


@dataclass(frozen=True)
class Project:
    """As it was read."""

    job: Job
    folder: Path  # from which its files are named, and into which it is written again
    requests: Requests  # the edits that are shown
    edits: tuple[str, ...]  # those that are not: for people by their pictures, or out of a file
    fields: tuple[str, ...]  # of the job, that the page has nothing for and that are not as by default

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """What the page neither shows nor renders, by fields of the job."""
        return (*(["edits"] if self.edits else []), *(name for name in self.fields if name not in HONOURED))

    @property
    def kept(self) -> str:
        """All that is not shown, as the file has it; "": nothing."""
        table = table_of(replace(self.job, transfers=self._near(self.job.transfers)), self.folder)
        told = {name: table[name] for name in self.fields}
        told = {"edits": list(self._near(self.edits)), **told} if self.edits else told
        return tomli_w.dumps({"job": told}).removeprefix("[job]\n").strip() if told else ""

    def with_shown(self, requests: Requests, hold: tuple[str, ...], composite: str) -> Job:
        """The job to write again: the rest of it is as it was.

        :raises MalformedEdit: nothing is left to do.
        """
        edits = (*(str(one) for one in requests), *self._near(self.edits))
        transfers = self._near(self.job.transfers)
        return replace(self.job, edits=edits, transfers=transfers, hold=hold, composite=composite)

    def _near(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Texts with names of files, taken from the folder again."""
        return tuple(text.replace(f"{self.folder}{os.sep}", "") for text in texts)


def open_project(path: Path, pack: str | None) -> Project:
    """:param pack: the page's.

    :raises InputMissing: it cannot be read. :raises UsageError: it is none, or of another pack, in which every slider
        and every code would be another.
    """
    job = read_project(path)
    if (job.pack or DEFAULT_PACK) != (pack or DEFAULT_PACK):
        raise UsageError(
            f"the project is for the pack {job.pack or DEFAULT_PACK}, and this page has {pack or DEFAULT_PACK}; start "
            "another with vidinv ui --pack"
        )
    kept = tuple(text for text in job.edits if _is_kept(text))
    shown = read_requests(",".join(text for text in job.edits if text not in kept))
    fields = tuple(name for name in table_of(job) if name not in SHOWN)
    return Project(job, path.parent, shown, kept, fields)


def check_video(project: Project, video: str) -> None:
    """:param video: what the video is called. :raises UsageError: it is another than the project's."""
    source = project.job.source.name
    if _plain(source) != _plain(video):
        raise UsageError(f"the project is of {source}, and the video is {video}; drop {source}")


def _is_kept(text: str) -> bool:
    return "=@" in text or any(isinstance(who, str) for who in parse_edit(text).persons or ())


def _plain(name: str) -> str:
    """Without what is taken out of a name when it is uploaded."""
    return "".join(letter for letter in name if letter.isalnum() or letter in "._-")
