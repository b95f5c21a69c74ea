"""What is known of a drawn face before the change goes in."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from vidinv.faces.pose import HEAD
from vidinv.faces.quads import quad_from_points
from vidinv.models.visibility import Visibility
from vidinv.runtime.compute import Compute
from vidinv.runtime.steps import run
from vidinv.stages.assess import AssessOptions, AssessState, assess
from vidinv.types import Face, Faces, Frame

CPU = Compute("cpu", torch.float32)
POINTS = 30 * HEAD[:, :2] + [100, 60]
FACE = np.random.default_rng(0).integers(60, 190, (8, 8, 3), np.uint8).repeat(4, 0).repeat(4, 1)


class Means(nn.Module):
    """An embedding that tells pictures apart by their mean colours."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(x))
        return nn.functional.normalize(x.mean((2, 3)) + 2, dim=1)


def rendered(i: int, picture: np.ndarray = FACE, *, seen: bool = True, edit: float | None = 20.0) -> Faces:
    """The encoder explains whatever it is shown: the inversion is the crop."""
    frame = Frame(np.zeros((4, 4, 3), np.uint8), i, time=Fraction(i, 30))
    face = Face(np.zeros(4, np.float32), POINTS.astype(np.float32), 1.0, 0, seen, quad_from_points(POINTS), picture)
    if edit is not None:
        inversion = picture.astype(np.float32)
        edited = inversion + np.float32(edit) * np.array([1, 0, 0], np.float32)
        face = replace(face, inversion=inversion, edited=edited)
    return Faces(frame, (face,))


def assessed(stream: list[Faces], net: nn.Module | None = None, options=AssessOptions(), **networks) -> list[Faces]:
    looking = partial(assess, identity=net, compute=CPU, options=options, **networks)
    return list(run("assess", looking, AssessState(), stream))


@pytest.mark.parametrize("count", [0, 1, 7, 30])
def test_one_out_per_one_in_and_only_edited_faces_are_looked_at(count: int) -> None:
    net = Means()
    stream = [rendered(i, edit=None if i % 3 == 0 else 20.0) for i in range(count)]
    out = assessed(stream, net, AssessOptions(batch=4))
    assert [r.frame.index for r in out] == list(range(count))
    assert [r.faces[0].assessment is None for r in out] == [i % 3 == 0 for i in range(count)]
    assert sum(net.seen) == 3 * sum(i % 3 != 0 for i in range(count))
    assert max(net.seen, default=0) <= 12


def test_the_three_pictures_are_embedded_each_as_itself() -> None:
    (out,) = assessed([rendered(0)], Means())
    known = out.faces[0].assessment.identities
    assert known["source"] == pytest.approx(known["inversion"], abs=1e-5)
    assert known["edit"] @ known["source"] < 0.9999
    (without,) = assessed([rendered(0)])
    assert without.faces[0].assessment.identities == {}


def test_pose_and_missed_frames_are_noted() -> None:
    fine, missed = assessed([rendered(0), rendered(1, seen=False)])
    assert (fine.faces[0].assessment.yaw, fine.faces[0].assessment.pitch) == pytest.approx((0, 0), abs=0.1)
    assert fine.faces[0].assessment.doubts == ()
    assert missed.faces[0].assessment.doubts == ("missed",)


def test_what_passes_before_a_face_is_not_the_face_though_the_encoder_draws_it() -> None:
    covered = FACE.copy()
    covered[:, :16] = 20
    stream = [rendered(i, covered if 20 <= i < 24 else FACE) for i in range(45)]
    found = np.array([r.faces[0].assessment.residual for r in assessed(stream)])
    assert found[20:24].min() > 2 * np.delete(found, range(12, 32)).max() + 5
    assert found[:12].max() == pytest.approx(0, abs=1e-3)


class Dark(nn.Module):
    """What is dark covers the face, which is all of the crop."""

    def forward(self, x: torch.Tensor) -> Visibility:
        dark = (nn.functional.interpolate(x.mean(1, keepdim=True), (16, 16), mode="area")[:, 0] < -0.6).float()
        return Visibility(torch.ones_like(dark), dark)


def half_covered() -> np.ndarray:
    picture = FACE.copy()
    picture[:, :16] = 20
    return picture


def test_what_covers_a_face_is_measured_and_mapped() -> None:
    stream = [rendered(i, half_covered() if 10 <= i < 20 else FACE) for i in range(30)]
    out = [r.faces[0].assessment for r in assessed(stream, visibility=Dark())]
    assert all(a.occluded_share == 0 and a.visible is None for a in (*out[:8], *out[23:]))
    for a in out[11:19]:
        assert a.occluded_share == pytest.approx(0.5, abs=0.1)
        assert a.visible.shape == (32, 32)
        assert a.visible[:, :15].max() == 0
        assert a.visible[:, 23:].min() > 0.999


def test_what_covers_a_face_is_no_residual_part_of_it() -> None:
    """Where a network says what it is, the difference to the usual picture says nothing more."""
    stream = [rendered(i, half_covered() if 20 <= i < 24 else FACE) for i in range(45)]
    blind = [r.faces[0].assessment.residual for r in assessed(stream)]
    seeing = [r.faces[0].assessment.residual for r in assessed(stream, visibility=Dark())]
    assert max(seeing[21:23]) < 0.2 * min(blind[21:23])


def test_a_single_frame_in_which_something_is_seen_is_softened_by_its_neighbours() -> None:
    stream = [rendered(i, half_covered() if i == 10 else FACE) for i in range(20)]
    steady = AssessOptions(cover=0.1)
    shares = [r.faces[0].assessment.occluded_share for r in assessed(stream, options=steady, visibility=Dark())]
    assert max(shares) == 0


def test_a_pack_without_the_network_leaves_the_face_whole() -> None:
    (out,) = assessed([rendered(0, half_covered())])
    assert out.faces[0].assessment.occluded_share is None
    assert out.faces[0].assessment.visible is None


def test_another_person_is_not_averaged_in() -> None:
    dark = np.full_like(FACE, 30)
    second = rendered(1, dark)
    second = second.each(lambda face: replace(face, person=1))
    out = assessed([rendered(0), second])
    assert [r.faces[0].assessment.residual for r in out] == pytest.approx([0, 0], abs=1e-3)


class LeftHalf(nn.Module):
    """The face is the crop's left half."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (torch.arange(x.shape[-1]) < x.shape[-1] / 2).float().expand(len(x), x.shape[-2], -1)


def test_where_a_parsing_network_sees_no_face_no_edit_goes() -> None:
    (out,) = assessed([rendered(0)], parsing=LeftHalf())
    visible = out.faces[0].assessment.visible
    assert visible[:, :14].min() > 0.999
    assert visible[:, 22:].max() == 0
    assert out.faces[0].assessment.occluded_share is None
    (both,) = assessed([rendered(0, half_covered())], parsing=LeftHalf(), visibility=Dark())
    assert both.faces[0].assessment.visible[:, :14].max() == 0


class Middle(nn.Module):
    """The face is a square in the crop's middle, which jumps by two cells in every other picture."""

    def __init__(self, jump: int = 0) -> None:
        super().__init__()
        self.jump, self.seen = jump, 0

    def forward(self, x: torch.Tensor) -> Visibility:
        face = torch.zeros(len(x), 16, 16)
        for one in face:
            shift = self.jump * (self.seen % 2)
            one[3:13, 3 + shift : 13 + shift] = 1
            self.seen += 1
        return Visibility(face, torch.zeros_like(face))


def acting(faces: Faces, **regions: float) -> Faces:
    return faces.each(lambda face: replace(face, regions=regions))


def test_where_the_face_is_bounds_what_an_edit_may_change() -> None:
    (whole,) = assessed([rendered(0)], visibility=Middle())
    region = whole.faces[0].assessment.region
    assert region[10:22, 10:22].min() > 0.99
    assert max(region[:4].max(), region[:, :4].max(), region[28:].max(), region[:, 28:].max()) == 0
    (lower,) = assessed([acting(rendered(0), lower=1.0)], visibility=Middle())
    below = lower.faces[0].assessment.region
    assert below[:12].max() == 0
    assert np.array_equal(below[20:], region[20:])
    (crop,) = assessed([acting(rendered(0), crop=1.0, lower=1.0)], visibility=Middle())
    assert crop.faces[0].assessment.region.min() == 1


def test_a_pack_that_does_not_see_the_face_has_the_regions_that_points_place() -> None:
    (out,) = assessed([rendered(0)])
    assert out.faces[0].assessment.region is None
    (lower,) = assessed([acting(rendered(0), lower=1.0)])
    assert lower.faces[0].assessment.region[:8].max() == 0
    assert lower.faces[0].assessment.region[20:].min() == 1


def test_the_outline_is_steady_in_time() -> None:
    regions = np.stack(
        [r.faces[0].assessment.region for r in assessed([rendered(i) for i in range(30)], visibility=Middle(jump=2))]
    )
    assert np.abs(np.diff(regions[8:-8], axis=0)).max() < 0.05


def test_a_flash_in_which_the_face_is_not_seen_leaves_the_frames_around_it_as_they_are() -> None:
    white = np.full_like(FACE, 255)
    stream = [rendered(i, white if i == 15 else FACE, seen=i != 15) for i in range(30)]
    out = assessed(stream)
    residuals = [r.faces[0].assessment.residual for r in out]
    assert max(residuals[:15] + residuals[16:]) < 1e-3
    luma = FACE @ [0.299, 0.587, 0.114]
    assert out[0].faces[0].assessment.light == pytest.approx((luma.mean(), luma.std()), abs=0.5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("view", ["inversion", "edited"])
def test_a_picture_of_no_numbers_is_broken_and_does_not_spread(value: float, view: str) -> None:
    stream = [rendered(i) for i in range(30)]
    spoilt = np.full((32, 32, 3), value, np.float32)
    stream[15] = stream[15].each(lambda face: replace(face, **{view: spoilt}))
    out = [one.faces[0].assessment for one in assessed(stream, Means())]
    assert [i for i, a in enumerate(out) if "broken" in a.doubts] == [15]
    assert out[15].identities == {}
    assert all(np.isfinite(a.residual) and a.residual < 1 for a in out)


def test_networks_that_give_no_numbers_break_every_face() -> None:
    class Nothing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full((len(x), 4), torch.nan)

    out = assessed([rendered(i) for i in range(5)], Nothing())
    assert all("broken" in one.faces[0].assessment.doubts for one in out)
