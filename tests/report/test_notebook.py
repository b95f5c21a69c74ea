"""What a notebook shows, and that records of arrays say their shapes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import torch

from tests.report.test_page import made_up
from vidinv.report.preview import Preview
from vidinv.types import Code, Face, Faces, Frame


def test_a_report_shows_itself_and_what_is_in_it_is_no_markup() -> None:
    report = made_up(edits=["age=+2", "<script>alert(1)</script>"])
    text = report._repr_html_()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "0.700" in text
    assert "30.00 to 41.00" in text
    assert text.count("data:image/jpeg;base64,") == 2 * min(2, len(report.strip))
    unmeasured = replace(report, identity_similarity={"inversion": None, "edited": None})
    assert "not measured" in unmeasured._repr_html_()
    assert repr(report).startswith("<Report of out.mp4: age=+2")


def test_a_preview_is_a_picture() -> None:
    grey = np.full((64, 64, 3), 90, np.uint8)
    shown = Preview(grey, grey, grey, np.full((48, 80, 3), 90, np.uint8), 0)
    picture = cv2.imdecode(np.frombuffer(shown._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (48, 3 * 48 + 80, 3)
    assert "frame=uint8[48, 80, 3]" in repr(shown)


def test_records_say_shapes_and_not_numbers() -> None:
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 3, time=Fraction(1, 5))
    assert repr(frame) == "Frame(image=uint8[4, 6, 3], index=3, time=Fraction(1, 5), cut=False)"
    code = Code(torch.zeros(12, 8), torch.zeros(2, 4, 4))
    assert repr(code) == "Code(w=float32[12, 8], feature=float32[2, 4, 4])"
    face = Face(np.zeros(4, np.float32), person=1, code=code, held={n: (1.0, 2.0) for n in "abcdef"})
    assert "box=float32[4]" in repr(face)
    assert "and 2 more" in repr(face)
    assert repr(Faces(frame, (face, face))) == f"Faces(frame={frame!r}, faces=<2 Face>)"
