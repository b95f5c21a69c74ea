"""An expression as an edit: from two pictures, on anybody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vidinv
from tests.toy import write_toy_pack
from vidinv.edits.parse import parse_edit, persons_of
from vidinv.edits.transfer_parse import parse_transfer
from vidinv.errors import MalformedEdit, UsageError
from vidinv.report import Tally
from vidinv.streams import not_seen


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="module")
def crops() -> list[np.ndarray]:
    y, x = np.mgrid[0:64, 0:64]
    first = np.stack([x * 3, y * 3, (x + y) * 2], -1).astype(np.uint8)
    return [first, 255 - first]


def test_on_the_neutral_face_itself_it_gives_the_expressive_one(toy: Path, crops: list[np.ndarray]) -> None:
    """Eq. 1 and the difference of F together are just the way from one code to the other."""
    how = {"pack": toy, "precision": "fp32"}
    codes = vidinv.invert(crops, aligned=True, **how)
    one = vidinv.transfer(*crops, aligned=True, **how)
    neutral = replace(codes, names=codes.names[:1], faces=codes.faces[:1])
    assert np.abs(vidinv.draw(neutral, one, **how)[0].astype(int) - vidinv.draw(codes, **how)[1]).max() <= 2
    half = vidinv.transfer(*crops, 0.5, aligned=True, **how)
    moved = half.apply(codes.codes[0], codes.faces[0], 0.0)
    assert moved[1] == 0.5
    assert np.allclose(moved[0].w, (codes.w[0] + codes.w[1]) / 2, atol=1e-5)


def test_the_same_picture_twice_does_nothing(toy: Path, crops: list[np.ndarray]) -> None:
    told: list[str] = []
    same = vidinv.transfer(crops[0], crops[0], pack=toy, aligned=True, warn=told.append)
    codes = vidinv.invert(crops[1:], pack=toy, aligned=True)
    assert np.array_equal(vidinv.draw(codes, same, pack=toy), vidinv.draw(codes, "age=0", pack=toy))
    assert told == []


def test_two_persons_are_warned_of(toy: Path, crops: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidinv.transfers.ALIKE", 1.1)  # a toy's identities are all alike
    told: list[str] = []
    vidinv.transfer(*crops, pack=toy, aligned=True, warn=told.append)
    assert "two persons" in told[0]


def test_it_is_for_whom_and_when_it_was_asked_for(toy: Path, crops: list[np.ndarray]) -> None:
    how = {"pack": toy, "aligned": True}
    one = vidinv.transfer(*crops, 0.7, start=1, end=3, persons=frozenset({0, "anna"}), **how)
    assert str(one) == "0+anna:picture,picture=+0.7@1s-3s"
    assert persons_of(one) == {0, "anna"}
    editor, codes = vidinv.VideoEditor(toy), vidinv.invert(crops, **how)
    with pytest.raises(UsageError, match="no picture of anna was given"):
        editor.render(None, codes.faces, one)
    with pytest.raises(UsageError, match="has no time"):
        vidinv.draw(codes, one, pack=toy)
    late = vidinv.transfer(*crops, persons=frozenset({7}), **how)
    told = not_seen([late, parse_edit("0+7:age=1")], Tally().add_frame(frozenset({0}), {}))
    assert told == [
        "7:picture,picture=+1 did nothing: person 7 was never seen (the persons are 0)",
        "0+7:age=+1 did nothing to 7: person 7 was never seen (the persons are 0)",
    ]


def test_codes_of_another_pack_are_refused(toy: Path, crops: list[np.ndarray], tmp_path: Path) -> None:
    other = vidinv.VideoEditor(write_toy_pack(tmp_path / "other", seed=5))
    one = vidinv.transfer(*crops, pack=toy, aligned=True)
    with pytest.raises(UsageError, match="another pack"):
        other.render(None, [], one)
    with pytest.raises(UsageError, match="is a folder"):
        vidinv.transfer(tmp_path, crops[0], pack=toy, aligned=True)


@pytest.mark.parametrize(
    ("text", "files", "amount", "start", "persons"),
    [
        ("a.jpg,b.jpg", ("a.jpg", "b.jpg"), 1.0, 0.0, None),
        ("a.jpg, b.jpg=0.7", ("a.jpg", "b.jpg"), 0.7, 0.0, None),
        ("0+2:x/a.jpg,x/b.jpg=-1@1s-3s", ("x/a.jpg", "x/b.jpg"), -1.0, 1.0, frozenset({0, 2})),
        ("C:/a.jpg,C:/b.jpg=2", ("C:/a.jpg", "C:/b.jpg"), 2.0, 0.0, None),
    ],
)
def test_what_users_type(text: str, files: tuple[str, str], amount: float, start: float, persons: object) -> None:
    read = parse_transfer(text)
    assert (read.neutral, read.expressive) == tuple(map(Path, files))
    assert (read.how.amount, read.how.start, read.how.persons) == (amount, start, persons)


@pytest.mark.parametrize("text", ["a.jpg", "a.jpg,b.jpg,c.jpg", ",b.jpg", "a.jpg,b.jpg=", "a.jpg,b.jpg=2y", ""])
def test_what_is_no_transfer_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(MalformedEdit, match=r"NEUTRAL\.jpg,EXPRESSIVE\.jpg"):
        parse_transfer(text)
