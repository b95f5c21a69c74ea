"""The rows of a report's series on disk, a line of JSON each, so that an hour of them takes no memory."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vidinv.errors import InputError
from vidinv.types import Score
from vidinv.video.leftovers import note_report
from vidinv.video.output import part_path, publish, write_error

MOST = 10_000  # rows that a report holds itself
FINEST = 5  # frames between two readings of attributes: where rows are left out, those with readings stay


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file, once they have been read."""

    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)  # which can go on with what comes behind them


def beginning(path: Path, size: int) -> Beginning | None:
    """Of a file that is written to; None: it has fewer bytes. :raises OSError: it cannot be read."""
    left, digest = size, hashlib.sha256()
    with path.open("rb") as file:
        while left > 0 and (piece := file.read(min(left, 2**20))):
            digest.update(piece)
            left -= len(piece)
    return Beginning(size, digest) if not left else None


class Rows:
    """Rows in the order in which they came; can be gone through again and again while more are added.

    :param path: of the file. :param called: the output that they belong to, for messages.
    :param before: the bytes of the file that are to be kept; None: none are. :param count: rows in them.
    :raises OutputError: here and from every method: it cannot be written.
    """

    def __init__(self, path: Path, called: Path, before: Beginning | None = None, count: int = 0) -> None:
        before = before or Beginning()
        self.path, self._called, self._count, self._size = path, called, count, before.size
        self._digest = before.digest.copy()
        with self._writing():
            self._file = path.open("ab")
            self._file.truncate(before.size)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise write_error(error, self._called) from error

    def append(self, row: Score) -> None:
        line = (json.dumps(asdict(row)) + "\n").encode()
        with self._writing():
            self._file.write(line)
        self._digest.update(line)
        self._size += len(line)
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Score]:
        with self._writing():
            self._file.flush()
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield _row(line)
                except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                    raise InputError(
                        f"{self.path}, line {number}: it is no row of a report, so its run cannot go on; remove "
                        f"{self.path.parent}"
                    ) from None

    def written(self) -> tuple[int, str]:
        """Bytes so far and their sha256; they are handed to the system."""
        with self._writing():
            self._file.flush()
        return self._size, self._digest.hexdigest()

    def copy(self, path: Path) -> None:
        """All of them to a file, whole or not at all. :raises OutputError: it cannot be written."""
        part = part_path(path)
        try:
            self.written()
            shutil.copyfile(self.path, part)
            note_report(self.path.parent, part, path)
            publish(part, path, overwrite=True)
        except OSError as error:
            raise write_error(error, path) from error
        finally:
            part.unlink(missing_ok=True)

    def close(self) -> None:
        with suppress(OSError):  # what could not be written was said, or is not needed any more
            self._file.close()


def _row(line: bytes) -> Score:
    told = json.loads(line)
    told["doubts"] = tuple(told["doubts"])
    told["attributes"] = {name: (before, after) for name, (before, after) in told["attributes"].items()}
    return Score(**told)


def thinned(rows: Rows) -> tuple[list[Score], int]:
    """All rows, or those of every so many frames where there would be more than :data:`MOST`: (rows, frames)."""
    every = -(-len(rows) // MOST)
    every = 1 if every <= 1 else FINEST * -(-every // FINEST)
    return [row for row in rows if row.frame % every == 0], every
