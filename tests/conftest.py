"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.shared import shared

if TYPE_CHECKING:
    from vidinv.api import VideoEditor

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; programs that tests start read it too
os.environ["VIDINV_PACKS"] = str(Path(__file__).parent / "nobodys-packs")  # not those of whoever runs the tests
# What is heavy is imported by whoever asks for it: torch reads its environment once, and few files need all of it.


@pytest.fixture(scope="session")
def shared_clips() -> Path:
    """The folder of real clips: VIDINV_SHARED/clips, or ../shared/clips beside the repository."""
    return shared("clips")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small networks are quicker so, and their sums come out the same every time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of noise, and two persons by BOXES."""
    from tests.inversion.latent_toy import write_clip

    return write_clip(tmp_path_factory.mktemp("clips") / "three-shots.mkv")


@pytest.fixture(scope="module")
def box_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy pack, which is told where to look."""
    from tests.inversion.latent_toy import write_box_pack

    return write_box_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="module")
def editor(box_pack: Path) -> VideoEditor:
    from vidinv.api import VideoEditor

    return VideoEditor(box_pack, batch=2)


@pytest.fixture(scope="module")
def kept(editor: VideoEditor, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Codes of the clip."""
    from tests.inversion.latent_toy import BOXES

    folder = tmp_path_factory.mktemp("codes") / "codes.vidinv"
    editor.keep_codes(clip, folder, boxes=BOXES)
    return folder
