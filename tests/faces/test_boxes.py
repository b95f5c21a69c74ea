"""Boxes are read as they are written, and refused with the place of what cannot be."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from vidinv.errors import InputMissing, UsageError
from vidinv.faces.boxes import CropRule, given_boxes, part_of_frame, read_boxes
from vidinv.faces.masks import oval
from vidinv.faces.quads import BoxTemplate, quad_from_box
from vidinv.types import Frame


def frame(index: int = 0, width: int = 160, height: int = 90) -> Frame:
    return Frame(np.zeros((height, width, 3), np.uint8), index)


def test_a_file_names_boxes_by_frame(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text("frame,x0,y0,x1,y1,what\n3,1,2,11,12,car\n3,20,2,31.5,12,car\n5,0,0,4,4,cat\n")
    boxes = given_boxes(read_boxes(path))
    assert boxes(frame(3)).tolist() == [[1, 2, 11, 12], [20, 2, 31.5, 12]]
    assert boxes(frame(4)).shape == (0, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,2,3,4\n", "first line must name the columns frame,x0,y0,x1,y1"),
        ("frame,x0,y0,x1,y1\n0,1,2,3,4\n1,1,2,x,4\n", "line 3"),
        ("frame,x0,y0,x1,y1\n0,1,2,3\n", "line 2"),
        ("", "columns"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_boxes(tmp_path / "boxes.csv")
    with pytest.raises(InputMissing, match=r"none\.csv"):
        read_boxes(tmp_path / "none.csv")


def test_rows_are_read_in_any_order_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text("\nx1,frame,y1,x0,y0\n9,7,8,2,1\n\n5,-1,5,0,0\n5,2,5,0,0\n6,7,7,3,2\n")
    boxes = given_boxes(read_boxes(path))
    assert boxes(frame(7)).tolist() == [[2, 1, 9, 8], [3, 2, 6, 7]]
    assert boxes(frame(2)).tolist() == [[0, 0, 5, 5]]
    assert not len(boxes(frame(0)))


def test_a_box_takes_no_more_memory_than_its_numbers(tmp_path: Path) -> None:
    (path := tmp_path / "boxes.csv").write_text(
        "frame,x0,y0,x1,y1\n" + "".join(f"{i},0,0,9,9\n" for i in range(50_000))
    )
    tracemalloc.start()
    boxes = given_boxes(read_boxes(path))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50_000 * 150, "an object for each would be four times that; the most that is read is 2,000,000"
    assert boxes(frame(49_999)).tolist() == [[0, 0, 9, 9]]


@pytest.mark.parametrize("number", ["9" * 30, "1e3", "", "nan"])
def test_a_frame_that_no_video_has_is_refused_by_line(tmp_path: Path, number: str) -> None:
    (path := tmp_path / "boxes.csv").write_text(f"frame,x0,y0,x1,y1\n0,0,0,9,9\n{number},0,0,9,9\n")
    with pytest.raises(UsageError, match="line 3: not five numbers"):
        read_boxes(path)
    with pytest.raises(UsageError, match="no video has so many frames"):
        given_boxes({10**30: [0, 0, 9, 9]})


@pytest.mark.parametrize("box", [[3, 0, 1, 4], [0, 0, float("nan"), 4], [1, 2, 3], ["a", 0, 1, 2]])
def test_a_box_that_is_none_is_refused_by_its_frame(box: list) -> None:
    with pytest.raises(UsageError, match="frame 7"):
        given_boxes({7: [box]})


def test_the_content_holds_the_box_and_its_margin() -> None:
    quad = quad_from_box(np.array([10, 20, 50, 40]), BoxTemplate((1.0, 0.75), margin=0.25))
    assert quad[0] == pytest.approx([0, 0])  # 40 wide, grown to 60; the square has the content's width
    assert quad[2] == pytest.approx([60, 60])
    tall = quad_from_box(np.array([10, 20, 20, 50]), BoxTemplate((1.0, 0.75)))
    assert tall[2, 1] - tall[0, 1] == pytest.approx(40)


def test_a_part_of_the_frame_is_the_largest_of_its_proportions() -> None:
    whole = part_of_frame(CropRule("frame"))(frame())
    assert whole[0] == pytest.approx([34.5, -0.5, 124.5, 89.5])
    wide = part_of_frame(CropRule("frame", (1.0, 0.5), part=(0, 0, 0.5, 1)))(frame())
    assert wide[0] == pytest.approx([-0.5, 24.5, 79.5, 64.5])


def test_a_mask_stays_inside_the_content() -> None:
    mask = oval(64, content=(1.0, 0.75))
    assert mask[32, 32] == 1
    assert not mask[:8].any()
    assert not mask[56:].any()
    assert mask[32, 4] > 0
    assert np.array_equal(oval(64, content=(1.0, 1.0)), oval(64))
