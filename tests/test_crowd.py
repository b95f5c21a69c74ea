"""More faces in a picture than anybody counts: all are edited, in bounded time and memory."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.faults.inputs import SAMPLE
from benchmarks.faults.outcome import attempt, vidinv
from tests.toy import write_toy_pack
from vidinv.video import Reader

CELL, COLUMNS, ROWS = (96, 108), 84, 12


@pytest.mark.slow
def test_a_thousand_faces_in_a_picture_are_edited(tmp_path: Path) -> None:
    if not SAMPLE.is_file():
        pytest.skip("needs assets/sample.mp4, which an installed package has not")
    with Reader(SAMPLE) as reader:
        whole = next(iter(reader)).image
    height = whole.shape[0]
    width = height * CELL[0] // CELL[1]
    left = (whole.shape[1] - width) // 2
    one = cv2.resize(whole[:, left : left + width], CELL, interpolation=cv2.INTER_AREA)
    (folder := tmp_path / "there").mkdir()
    before = np.tile(one, (ROWS, COLUMNS, 1))
    cv2.imwrite(str(folder / "in.png"), before[..., ::-1])
    command = vidinv("run", "in.png", "-o", "out.png", "-e", "age=+2", "--pack", write_toy_pack(tmp_path / "toy"))
    done, said = attempt(command, folder, timeout=280)
    assert done.code == 0
    assert f"persons 0 to {COLUMNS * ROWS - 1}" in said
    assert done.peak < 3000, f"{done.peak:.0f} MiB"
    after = cv2.imread(str(folder / "out.png"))[..., ::-1]
    changed = (after != before).any(2).reshape(ROWS, CELL[1], COLUMNS, CELL[0]).any((1, 3))
    assert changed.all()  # every one of them
