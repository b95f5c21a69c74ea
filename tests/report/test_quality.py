"""The meter on made-up frames: what it counts, how often, and what it says where it cannot."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from vidinv.faces.quads import quad_from_points
from vidinv.faces.warps import crop
from vidinv.report.figures import over_time, reconstruction, sound
from vidinv.report.quality import Instruments, Quality, QualityOptions, edited_crop, measure, place, start
from vidinv.report.tally import Tally
from vidinv.runtime.compute import Compute
from vidinv.types import Face, Faces, Frame
from vidinv.video.spans import Spans

QUAD = quad_from_points(np.array([[70, 70], [110, 70], [90, 92], [75, 112], [105, 112]], float))
TEXTURE = np.random.default_rng(0).integers(40, 200, (40, 60, 3), np.uint8).repeat(5, 0).repeat(5, 1)


class Brightest(nn.Module):
    """68 landmarks that lie in a row, moved by the crop's brightness: an edit that brightens moves the face."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        row = torch.stack([torch.linspace(0.2, 0.8, 68), torch.full((68,), 0.5)], 1)
        return row[None] + 0.02 * x.mean((1, 2, 3))[:, None, None]


def tools(**options) -> Instruments:
    often = {"flow_every": 1, "whole_every": 1} | options
    return Instruments(Brightest(), Compute("cpu", torch.float32), QualityOptions(**often))


def measured(group: list[Faces], **options) -> Quality:
    with_ = tools(**options)
    return measure(start(with_.options), group, with_)


def compared(index: int, brighter: int = 0, outside: int = 0, person: int = 0) -> Faces:
    source = TEXTURE
    edited = source.copy()
    edited[60:130, 60:130] += np.uint8(brighter)
    edited[:30, :30] += np.uint8(outside)
    frames = [Frame(image, index, time=Fraction(index, 25)) for image in (source, edited)]
    own = crop(source, QUAD, 64)
    inversion = np.clip(own.astype(np.float32) + 8, 0, 255)
    return Faces(
        frames[0], (Face(np.zeros(4, np.float32), person=person, quad=QUAD, crop=own, inversion=inversion),), frames[1]
    )


def test_an_untouched_video_is_perfect() -> None:
    found = measured([compared(i) for i in range(6)])
    rows = over_time(found, Tally())
    for name in ("outside_difference", "seam_flicker", "hausdorff", "landmark_jitter", "warping_error"):
        assert rows[name].value == pytest.approx(0, abs=1e-9), name
    assert rows["warping_error"].source == pytest.approx(0, abs=1e-9)


def test_a_blinking_edit_flickers_in_the_seam_in_the_flow_and_in_the_landmarks() -> None:
    steady = measured([compared(i, 20) for i in range(8)])
    blinking = measured([compared(i, 20 * (i % 2)) for i in range(8)])
    calm, wild = over_time(steady, Tally()), over_time(blinking, Tally())
    for name in ("seam_flicker", "warping_error", "warping_error_faces", "landmark_jitter"):
        assert wild[name].value > calm[name].value + 1e-6, name
    assert calm["seam_flicker"].value == 0
    assert wild["warping_error_faces"].value > wild["warping_error"].value
    assert calm["hausdorff"].value > 0


def test_neighbours_are_neighbours_only_without_a_gap_and_without_a_cut() -> None:
    gaps = measured([compared(i, 20 * (i % 4 // 2)) for i in range(0, 12, 2)])
    stream = [compared(i, 20 * (i % 2)) for i in range(8)]
    cuts = measured([replace(faces, frame=replace(faces.frame, cut=True)) for faces in stream])
    for found in (gaps, cuts):
        assert over_time(found, Tally())["seam_flicker"].value is None
        assert over_time(found, Tally())["landmark_jitter"].reason == "too few frames"
    assert over_time(cuts, Tally())["warping_error"].value is None


def test_flow_about_the_faces_says_what_flow_over_the_whole_picture_says_of_them() -> None:
    stream = [compared(i, 20 * (i % 2)) for i in range(8)]
    whole, near = measured(stream), measured(stream, whole_every=100)
    name = "warping_faces/edited"
    assert near.figures[name].mean == pytest.approx(whole.figures[name].mean, rel=0.05)
    assert near.figures[name].count == whole.figures[name].count
    assert (whole.figures["warping/edited"].count, near.figures["warping/edited"].count) == (7, 1)


def test_flow_is_looked_for_about_faces_at_the_pictures_border_too() -> None:
    outside = [replace(faces, faces=()) for faces in (compared(0), compared(1))]
    for quad in (QUAD - 60, QUAD + [200, 120], (QUAD - QUAD.mean(0)) * 0.05 + 3):
        stream = [one.each(lambda face, quad=quad: replace(face, quad=quad)) for one in (compared(0), compared(1))]
        found = measured(stream, whole_every=100, flow_every=1)
        assert found.figures["warping_faces/source"].mean == pytest.approx(0, abs=1e-9)
    assert "warping_faces/source" not in measured(outside).figures


def test_crops_that_are_there_already_change_no_figure() -> None:
    stream, with_ = [compared(i, 20 * (i % 2)) for i in range(6)], tools()
    crops = {place(one, face): edited_crop(one, face) for one in stream for face in one.faces}
    alone, shared = measure(start(with_.options), stream, with_), measure(start(with_.options), stream, with_, crops)
    assert alone.figures == shared.figures


def test_what_changes_outside_the_faces_is_counted() -> None:
    found = measured([compared(i, 20, outside=30) for i in range(3)])
    inside = np.zeros(TEXTURE.shape[:2], bool)
    low, high = QUAD.min(0).round().astype(int), QUAD.max(0).round().astype(int)
    inside[low[1] : high[1] + 1, low[0] : high[0] + 1] = True
    expected = 30 * 900 / (~inside).sum()
    assert over_time(found, Tally())["outside_difference"].value == pytest.approx(expected, rel=0.05)


def test_the_inversion_is_measured_where_there_is_one_and_missing_figures_say_why() -> None:
    found = measured([compared(i) for i in range(5)], reconstruction_every=2)
    rows = reconstruction(found, tools(), inverted=True)
    assert found.figures["psnr"].count == 3
    assert rows["psnr"].value == pytest.approx(20 * np.log10(255 / 8), abs=0.1)
    assert 0 < rows["ssim"].value <= 1
    assert "161 pixels" in rows["ms_ssim"].reason
    assert "--lpips" in rows["lpips"].reason
    alone = measured([compared(i).each(lambda face: replace(face, inversion=None)) for i in range(3)])
    assert "comparison" in reconstruction(alone, tools(), inverted=False)["psnr"].reason


def test_the_strip_is_short_and_shows_both() -> None:
    with_ = tools(shown=4)
    found = start(with_.options)
    for first in range(0, 40, 8):
        found = measure(found, [compared(i, 30) for i in range(first, first + 8)], with_)
    strip = list(found.strip)
    assert 2 <= len(strip) <= 4
    assert all(s.source.shape == s.edited.shape == (213, 320, 3) for s in strip)
    assert not np.array_equal(*strip[0].faces)


def test_frames_without_a_face_are_no_trouble() -> None:
    nobody = replace(compared(0), faces=())
    found = measured([replace(nobody, frame=replace(nobody.frame, index=i)) for i in range(4)])
    assert over_time(found, Tally())["hausdorff"].reason == "nobody was edited"
    assert all(s.faces is None for s in found.strip)


def test_sound_is_said_in_milliseconds_or_why_not() -> None:
    late = sound(Spans((0, 10), (0, 10)), Spans((0, 10), (0.04, 10.04)))
    assert late["av_shift"].value == pytest.approx(40)
    assert late["av_drift"].value == pytest.approx(0)
    assert sound(Spans((0, 10), None), Spans((0, 10), None))["av_drift"].reason == "no sound in one of the files"
