"""The frame keeps its own pixels: nothing changes where nothing was edited."""

import cv2
import numpy as np
import pytest

from vidinv.faces.compositing import add_change, change_between, changed_picture, replace_crop
from vidinv.faces.masks import oval
from vidinv.faces.motion import fetch
from vidinv.faces.quads import quad_from_points
from vidinv.faces.warps import crop, uncrop
from vidinv.types import Change

QUAD = quad_from_points(np.array([[150, 120], [205, 128], [178, 150], [152, 190], [196, 196]], float))


@pytest.fixture
def frame() -> np.ndarray:
    rng = np.random.default_rng(3)
    smooth = rng.integers(0, 256, (30, 40, 3)).repeat(10, 0).repeat(10, 1)
    return np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)


def apply(frame: np.ndarray, result: tuple) -> np.ndarray:
    (x0, y0, x1, y1), pixels = result
    out = frame.copy()
    out[y0:y1, x0:x1] = pixels
    return out


def difference(before: np.ndarray, after: np.ndarray) -> Change:
    """The plain difference, nothing moved."""
    return Change(np.zeros((*before.shape[:2], 2), np.float32), after - before)


@pytest.mark.parametrize("method", [difference, change_between])
def test_no_change_leaves_every_bit(frame: np.ndarray, method) -> None:
    picture = crop(frame, QUAD, 128).astype(np.float32) * 0.9 + 7
    assert np.array_equal(apply(frame, add_change(frame, QUAD, method(picture, picture), oval(128))), frame)


def test_a_change_applied_to_the_inversion_gives_the_edit_again(frame: np.ndarray) -> None:
    before = crop(frame, QUAD, 128).astype(np.float32)
    after = np.roll(before, 2, 1) * 0.8 + 20
    assert np.abs(changed_picture(before, change_between(before, after)) - after).max() < 1e-3


@pytest.mark.parametrize("method", ["detail", "motion", "replace"])
def test_outside_the_mask_every_bit_stays_at_any_strength(frame: np.ndarray, method: str) -> None:
    before = crop(frame, QUAD, 128).astype(np.float32)
    after = np.roll(before, 9, 0) * 0.5 + 90
    mask = oval(128)
    result = {
        "detail": lambda: add_change(frame, QUAD, difference(before, after), mask),
        "motion": lambda: add_change(frame, QUAD, change_between(before, after), mask),
        "replace": lambda: replace_crop(frame, QUAD, after, mask),
    }[method]()
    height, width = frame.shape[:2]
    outside = uncrop(np.ascontiguousarray(mask), QUAD, (0, 0, width, height)) == 0
    out = apply(frame, result)
    assert np.array_equal(out[outside], frame[outside])
    assert np.abs(out[~outside].astype(int) - frame[~outside]).max() > 20


def test_a_constant_change_arrives_in_full_in_the_middle(frame: np.ndarray) -> None:
    before = np.full((128, 128, 3), 100, np.float32)
    half = np.clip(frame, 60, 180)
    out = apply(half, add_change(half, QUAD, change_between(before, before + 20), oval(128)))
    x, y = QUAD.mean(0).astype(int)
    assert (out[y - 5 : y + 5, x - 5 : x + 5].astype(int) - half[y - 5 : y + 5, x - 5 : x + 5] == 20).all()


def test_motion_moves_the_frames_own_sharp_pixels() -> None:
    """A dark bar that the edit moves: pure addition leaves a ghost of the old one, moving does not."""
    rng = np.random.default_rng(0)
    size, quad = 128, np.array([[-0.5, -0.5], [-0.5, 255.5], [255.5, 255.5], [255.5, -0.5]])
    texture = rng.integers(120, 136, (256, 256, 1)).repeat(3, 2)

    def scene(at: int) -> np.ndarray:
        picture = texture.copy()
        ys = np.arange(256)
        picture[np.abs(ys - at) < 12] -= 80
        return np.clip(picture, 0, 255).astype(np.uint8)

    def soft(at: int) -> np.ndarray:
        return cv2.GaussianBlur(crop(scene(at), quad, size), (0, 0), 2).astype(np.float32)

    frame, wanted = scene(120), scene(130).astype(float)
    changes = [how(soft(120), soft(130)) for how in (difference, change_between)]
    results = [add_change(frame, quad, change, oval(size)) for change in changes]
    middle = np.s_[90:165, 100:156]
    errors = [np.abs(apply(frame, r)[middle] - wanted[middle]).mean() for r in results]
    assert errors[1] < 0.75 * errors[0]


@pytest.mark.parametrize("size", [128, 512])
def test_a_mouth_that_opens_is_explained_by_motion(size: int) -> None:
    """Textured lips that part by an eighth of the side: what motion leaves is a small part of the difference."""
    rng = np.random.default_rng(0)
    noise = cv2.resize(
        rng.integers(60, 200, (24, 24, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
    )
    y, x = (np.mgrid[:size, :size] - size / 2).astype(np.float32)
    bell = np.exp(-np.square(x / (size / 6)) - np.square((np.abs(y) - size / 8) / (size / 12)))
    down = np.stack([np.zeros_like(y), -np.sign(y) * bell * size / 16], -1).astype(np.float32)
    before, after = noise, fetch(noise, down)
    change = change_between(before, after)
    assert np.square(change.residual).mean() < 0.3 * np.square(after - before).mean()


def test_the_mask_is_soft_and_vanishes_at_the_border() -> None:
    mask = oval(128)
    assert mask.min() == 0
    assert mask.max() == mask[64, 64] == 1
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0
    assert np.abs(np.diff(mask, axis=0)).max() < 0.2


def test_what_is_put_on_moves_nothing_that_was_there(frame: np.ndarray) -> None:
    """A dark line beside a dark brow: a flow takes it for the brow, and would carry that along."""
    before = np.full((128, 128, 3), 160, np.float32)
    before[40:46, 20:108] = 40
    after = before.copy()
    after[50:56, 20:108] = 40
    put_on, moved = change_between(before, after, moves=False), change_between(before, after)
    assert np.abs(moved.motion).max() > 1
    assert np.abs(put_on.motion).max() == 0
    assert np.array_equal(put_on.residual, after - before)
    assert np.array_equal(changed_picture(before, put_on), after)


def test_edges_are_steeper_in_the_frame_where_the_edit_says_so(frame: np.ndarray) -> None:
    before = np.full((128, 128, 3), 160, np.float32)
    after = before.copy()
    after[60:66, 20:108] = 40
    after = cv2.GaussianBlur(after, (0, 0), 1.2)
    quad = np.array([[-0.5, -0.5], [-0.5, 383.5], [383.5, 383.5], [383.5, -0.5]])
    grey = np.full((384, 384, 3), 160, np.uint8)
    change, mask = change_between(before, after, moves=False), np.ones((128, 128), np.float32)
    edges = np.zeros((128, 128), np.float32)
    edges[:, 64:] = 2.5
    out = apply(grey, add_change(grey, quad, change, mask, edges)).astype(int)
    plain = apply(grey, add_change(grey, quad, change, mask)).astype(int)
    assert np.array_equal(out[:, :180], plain[:, :180])
    steepness = [np.abs(np.diff(picture[:, 280, 0])).max() for picture in (plain, out)]
    assert steepness[1] > 1.5 * steepness[0]
