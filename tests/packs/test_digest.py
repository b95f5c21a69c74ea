"""A file is read once as long as it is as it was, and anew when it is not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from vidinv.packs import digest


def test_content_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = list[Path](), digest.sha256
    monkeypatch.setattr(digest, "sha256", lambda path: read.append(path) or real(path))
    file = tmp_path / "a.mp4"
    for data, times in ((b"one", 1), (b"two", 2), (b"three", 3)):
        file.write_bytes(data)
        os.utime(file, (times, times))
        for _ in range(2):
            assert digest.content(file) == hashlib.sha256(data).hexdigest()
        assert len(read) == times
    file.unlink()
    with pytest.raises(FileNotFoundError):
        digest.content(file)
    with pytest.raises(IsADirectoryError):
        digest.content(tmp_path)
