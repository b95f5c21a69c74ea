"""Any pair of videos is measured by the same rule."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.toy import write_toy_pack
from tests.video.make import clip
from vidinv import compare_videos
from vidinv.errors import NoFaceFound
from vidinv.report.rows import Rows
from vidinv.video import Reader

ROOT = Path(__file__).resolve().parents[1]
Change = Callable[[np.ndarray, int], np.ndarray]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    with Reader(ROOT / "assets" / "sample.mp4") as reader:
        return [cv2.resize(f.image, (320, 180), interpolation=cv2.INTER_AREA) for _, f in zip(range(16), reader)]  # noqa: B905


def video(path: Path, pictures: list[np.ndarray], change: Change = lambda p, i: p, rate: int = 25) -> Path:
    """Without loss."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264rgb", rate=Fraction(rate), options={"crf": "0", "preset": "ultrafast"})
        height, width = change(pictures[0], 0).shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, "rgb24"
        for i, picture in enumerate(pictures):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(change(picture, i), format="rgb24")))
        output.mux(stream.encode(None))
    return path


def test_a_video_against_itself_is_perfect(pack: Path, pictures: list[np.ndarray], tmp_path: Path) -> None:
    same = video(tmp_path / "a.mkv", pictures)
    told: list[int] = []
    report = compare_videos(same, same, pack=pack, progress=lambda frames, total: told.append(frames))
    assert told == list(range(1, 17))
    assert not {"trust", "doubts", "inversion"} & report.as_dict()["series"][0].keys()
    figures = {name: f.value for name, f in report.quality.items()}
    assert figures["csim"] == pytest.approx(1, abs=1e-4)
    assert figures["tl_id"] == pytest.approx(1)
    assert figures["tg_id"] == pytest.approx(1)
    assert figures["motion_kept"] == pytest.approx(1)
    for name in ("hausdorff", "seam_flicker", "outside_difference", "steadiness_age"):
        assert figures[name] == pytest.approx(0, abs=1e-6), name
    warping = report.quality["warping_error"]
    assert warping.value == warping.source
    assert (report.frames, report.faces, report.edits, report.warnings) == (16, 16, [], [])
    assert report.identity_similarity["inversion"] is None
    assert "comparison" in report.quality["psnr"].reason
    assert set(report.attributes) == {"age", "smile", "gender"}


def test_a_worse_edit_of_another_program_is_seen(pack: Path, pictures: list[np.ndarray], tmp_path: Path) -> None:
    def blinking(picture: np.ndarray, i: int) -> np.ndarray:
        return np.clip(picture.astype(int) + 24 * (i % 2), 0, 255).astype(np.uint8)

    source, edited = video(tmp_path / "a.mkv", pictures), video(tmp_path / "b.mkv", pictures, blinking)
    found = compare_videos(source, edited, pack=pack).quality
    assert found["outside_difference"].value == pytest.approx(12, abs=1)
    assert found["seam_flicker"].value > 15
    assert found["warping_error"].value > 10 * found["warping_error"].source


def test_another_size_length_and_rate_are_said_and_compared_all_the_same(
    pack: Path, pictures: list[np.ndarray], tmp_path: Path
) -> None:
    source = video(tmp_path / "a.mkv", pictures)
    smaller = video(tmp_path / "b.mkv", pictures[:12], lambda p, i: cv2.resize(p, (160, 90)), rate=24)
    report = compare_videos(source, smaller, pack=pack)
    assert report.frames == 12
    said = "; ".join(report.warnings)
    for part in ("source has 16 frames and the edit 12", "the edit is 160x90, the source 320x180", "24.000 frames/s"):
        assert part in said


def test_nobody_to_compare_is_an_error_and_leaves_no_file_open(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = clip(tmp_path / "a.mp4", count=4)
    closed, close = [], Rows.close
    monkeypatch.setattr(Rows, "close", lambda self: closed.append(self) or close(self))
    with pytest.raises(NoFaceFound, match="nothing to compare"):
        compare_videos(empty, empty, pack=pack)
    assert len(closed) == 1
