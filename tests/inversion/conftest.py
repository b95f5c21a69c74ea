"""Codes of a short video, made once for a file of tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.inversion.latent_toy import BOXES, write_box_pack, write_clip
from vidinv.api import VideoEditor


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks are slower with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "three-shots.mkv")


@pytest.fixture(scope="module")
def box_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_box_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="module")
def editor(box_pack: Path) -> VideoEditor:
    return VideoEditor(box_pack, batch=2)


@pytest.fixture(scope="module")
def kept(editor: VideoEditor, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codes") / "codes.vidinv"
    editor.keep_codes(clip, folder, boxes=BOXES)
    return folder


@pytest.fixture
def copied(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "copied.vidinv"))
