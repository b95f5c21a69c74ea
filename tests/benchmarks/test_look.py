"""The look of edits: figures that a stencil fails, probes that learn, and grading that joins up."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from benchmarks.look import clips, figures, grading, measure, regions, sheets
from benchmarks.look.finish import Finished, find, finish
from benchmarks.look.people import FACES, OTHERS, Person, read_people
from benchmarks.look.probes import Truth, fit_probe, fitted_of, in_units
from tests.shared import shared
from tests.toy import write_toy_pack
from vidinv import VideoEditor
from vidinv.errors import InputError
from vidinv.faces.motion import fetch
from vidinv.training import card_look
from vidinv.types import Faces, Frame
from vidinv.video import Reader

ROOT = Path(__file__).resolve().parents[2]
SIDE = 128


def points68(side: int = SIDE) -> np.ndarray:
    """An upright face as 300-W marks it, roughly."""
    p = np.zeros((68, 2))
    turn = np.linspace(np.pi, 0, 17)
    p[:17] = np.stack([0.5 + 0.36 * np.cos(turn), 0.42 + 0.5 * np.sin(turn)], 1)
    p[17:22] = np.stack([np.linspace(0.2, 0.42, 5), np.full(5, 0.3)], 1)
    p[22:27] = np.stack([np.linspace(0.58, 0.8, 5), np.full(5, 0.3)], 1)
    p[27:31] = np.stack([np.full(4, 0.5), np.linspace(0.38, 0.56, 4)], 1)
    p[31:36] = np.stack([np.linspace(0.43, 0.57, 5), np.full(5, 0.6)], 1)
    for first, x in ((36, 0.32), (42, 0.68)):
        around = np.linspace(0, 2 * np.pi, 6, endpoint=False)
        p[first : first + 6] = np.stack([x + 0.06 * np.cos(around), 0.4 + 0.025 * np.sin(around)], 1)
    around = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    p[48:60] = np.stack([0.5 + 0.13 * np.cos(around), 0.75 + 0.05 * np.sin(around)], 1)
    p[60:68] = np.stack([0.5 + 0.09 * np.cos(around[:8]), 0.75 + 0.02 * np.sin(around[:8])], 1)
    return p * side


@pytest.fixture
def changes() -> np.ndarray:
    """Six people's own changes of luma, smooth and of no common shape, [6, SIDE, SIDE]."""
    rng = np.random.default_rng(0)
    return np.stack([cv2.GaussianBlur(rng.normal(0, 200, (SIDE, SIDE)), (0, 0), 4) for _ in range(6)])


def test_a_stencil_is_the_same_for_everybody(changes: np.ndarray) -> None:
    assert figures.sameness(np.stack([changes[0] * k for k in (0.8, 1, 1.2)])) == pytest.approx(1)
    assert abs(figures.sameness(changes)) < 0.2
    half = changes + changes[:1] * 1.0
    assert 0.3 < figures.sameness(half[1:]) < 0.8


def test_faces_that_nothing_changed_have_no_say(changes: np.ndarray) -> None:
    still = np.concatenate([changes[:1], np.zeros((3, SIDE, SIDE)), changes[:1]])
    assert figures.sameness(still) == pytest.approx(1)
    assert np.isnan(figures.sameness(still[:3]))
    assert np.isnan(figures.power_above(still[1]))
    nothing = np.zeros((SIDE, SIDE, 3))
    assert np.isnan(figures.outside(nothing, np.ones((SIDE, SIDE), bool)))


@pytest.fixture
def sources() -> np.ndarray:
    """Eight pictures, smooth and of no common shape, [8, SIDE, SIDE, 3]."""
    rng = np.random.default_rng(1)
    smooth = [cv2.GaussianBlur(rng.normal(0, 40 * 12, (SIDE, SIDE, 3)), (0, 0), 4) for _ in range(8)]
    return np.clip(np.stack(smooth) + 128, 20, 230).round().astype(np.uint8)


def bump() -> np.ndarray:
    """1 in the middle of the crop, falling to 0 at its border, [SIDE, SIDE]."""
    return np.outer(*[np.exp(-(((np.arange(SIDE) / SIDE - 0.5) / 0.2) ** 2) / 2)] * 2)


def finished_of(kind: str, sources: np.ndarray) -> np.ndarray:
    """A warp or a tint for everybody, or what depends on the picture: its own detail, exaggerated."""
    if kind == "warp":
        by = np.stack([3 * bump(), -2 * bump()], 2).astype(np.float32)
        return np.stack([fetch(s, by) for s in sources])
    detail = np.stack([s - cv2.GaussianBlur(s.astype(float), (0, 0), 3) for s in sources])
    change = bump()[..., None] * (16, 10, -6) if kind == "tint" else 2 * detail
    return np.clip(np.rint(sources + change), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("kind", "alike", "margin"), [("warp", (1, 0), 0), ("tint", (np.nan, 1), 0), ("own", (0, 0), 1)]
)
def test_a_stencil_is_seen_and_has_no_margin(sources: np.ndarray, kind: str, alike: tuple, margin: float) -> None:
    """The margin by any ruler at all: the share of a change that the mean change of the others does not explain."""
    finished = finished_of(kind, sources)
    changes = [figures.split(*pair) for pair in zip(sources, finished, strict=True)]
    motion = figures.sameness_motion(np.stack([c.motion for c in changes]))
    whole = figures.sameness(figures.luma(finished.astype(float) - sources))
    assert (motion, whole) == pytest.approx(alike, abs=0.1, nan_ok=True)
    control = figures.overlaid(sources[0], figures.mean_change(changes[1:]))
    left, change = (np.linalg.norm(finished[0] - p.astype(float)) for p in (control, sources[0]))
    assert left / change == pytest.approx(margin, abs=0.15)


def test_motion_is_the_same_where_it_points_the_same_way() -> None:
    one, across, still = (np.stack([x * bump(), y * bump()], 2) for x, y in ((3, -2), (2, 3), (0, 0)))
    assert figures.sameness_motion(np.stack([one, 2 * one, still])) == pytest.approx(1, abs=0.01)
    assert figures.sameness_motion(np.stack([one, -one])) == pytest.approx(-1)
    assert figures.sameness_motion(np.stack([one, across])) == pytest.approx(0, abs=0.01)
    assert figures.sameness_motion(np.full((3, SIDE, SIDE, 2), 2.0)) == pytest.approx(1), "a shift of the whole"
    assert np.isnan(figures.sameness_motion(np.stack([one, still])))
    assert np.isnan(figures.sameness_motion(np.stack([one * 0.01] * 3)))


@pytest.mark.parametrize("amplitude", [1, 2, 8, 20])
def test_rounding_is_no_detail(sources: np.ndarray, amplitude: float) -> None:
    ramp = amplitude * np.linspace(0.5, 1, SIDE)[None, :, None]
    for tint in (amplitude * bump()[..., None], ramp):
        power = figures.power_above(figures.luma(np.rint(sources[0] + tint) - sources[0]))
        assert np.isnan(power) or power < 0.09
        assert amplitude > 2 or np.isnan(power)
    assert np.isnan(figures.outside(np.rint(bump()[..., None].repeat(3, 2)), bump() > 0.2))


@pytest.mark.parametrize(("cycles", "low", "high"), [(3, 0, 0.02), (20, 0.98, 1)])
def test_power_above_tells_shading_from_detail(cycles: float, low: float, high: float) -> None:
    wave = 20 * np.sin(2 * np.pi * cycles * np.arange(SIDE) / SIDE)[None].repeat(SIDE, 0)
    assert low <= figures.power_above(wave + 15) <= high


def test_power_above_of_sharp_and_blurred() -> None:
    sharp = np.zeros((SIDE, SIDE))
    for row in range(40, 90, 6):
        sharp[row : row + 2, 30:98] = -60
    blurred = cv2.GaussianBlur(sharp, (0, 0), 8)
    assert figures.power_above(sharp) > 0.3
    assert figures.power_above(blurred) < 0.05
    # A tint that ends at the crop's border is no detail.
    ramp = np.linspace(0, 40, SIDE)[None].repeat(SIDE, 0)
    assert figures.power_above(ramp) < 0.01


def test_the_face_has_a_forehead_and_its_skin_holes() -> None:
    p = points68()
    face, skin = regions.face(p, (SIDE, SIDE)), regions.skin(p, (SIDE, SIDE))
    at = lambda x, y: (round(y * SIDE), round(x * SIDE))  # noqa: E731
    assert face[at(0.5, 0.5)]
    assert face[at(0.5, 0.15)], "the forehead"
    assert not face[at(0.05, 0.05)]
    for x, y in ((0.32, 0.4), (0.68, 0.4), (0.5, 0.75), (0.3, 0.3)):
        assert face[at(x, y)]
        assert not skin[at(x, y)]
    assert skin[at(0.3, 0.6)]
    assert skin.sum() > 0.5 * face.sum()


def test_what_lies_outside_the_face_is_told_apart() -> None:
    face = regions.face(points68(), (SIDE, SIDE))
    change = np.zeros((SIDE, SIDE, 3))
    change[face] = 10
    assert figures.outside(change, face) == 0
    change[~face] = 10
    assert figures.outside(change, face) == pytest.approx(1 - face.mean())


def test_chroma_drift_sees_tints_and_no_shade() -> None:
    before = np.full((SIDE, SIDE, 3), (180, 140, 120), np.uint8)
    skin = regions.skin(points68(), (SIDE, SIDE))
    assert figures.chroma_drift(before, before, skin) == 0
    tinted = before.copy()
    tinted[..., 0] += 30
    assert figures.chroma_drift(before, tinted, skin) > 5
    grey = np.full((SIDE, SIDE, 3), 120, np.uint8)
    assert figures.chroma_drift(grey, grey + 40, skin) < 0.5
    elsewhere = before.copy()
    elsewhere[~skin] = 0
    assert figures.chroma_drift(before, elsewhere, skin) == 0


def test_sharpness_is_one_for_the_same_and_less_for_blur() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    face = regions.face(points68(200), picture.shape)
    assert figures.sharpness(picture, picture, face) == 1
    assert figures.sharpness(picture, cv2.GaussianBlur(picture, (0, 0), 1.5), face) < 0.2
    outside = picture.copy()
    outside[~cv2.dilate(face.astype(np.uint8), np.ones((3, 3))).astype(bool)] = 0
    assert figures.sharpness(picture, outside, face) == pytest.approx(1)


@pytest.mark.parametrize("logistic", [False, True])
def test_a_probe_learns_what_is_linear_and_tells_how_well(logistic: bool) -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 40)) * np.linspace(0.5, 5, 40) + 3
    score = (x - 3) @ rng.normal(size=40)
    values = (score > 0).astype(float) if logistic else 30 + score
    values[::7] = np.nan
    val = np.arange(600) % 3 == 0
    probe = fit_probe("squeezenet", x, Truth(values, logistic, "a rule"), val)
    assert probe.validation > 0.95
    assert probe.told()["auc" if logistic else "r2"] == round(probe.validation, 3)
    said = probe.read({"squeezenet": x[val]})
    assert np.corrcoef(said, score[val])[0, 1] > 0.8
    if logistic:
        assert 0 <= said.min() <= said.max() <= 1
    else:
        assert said.mean() == pytest.approx(30 + score[val].mean(), abs=1)
    with pytest.raises(InputError, match="too few"):
        fit_probe("squeezenet", x[:60], Truth(values[:60], logistic, "a rule"), val[:60])


def test_scores_are_told_in_units() -> None:
    scale = {"age": 15.0, "smile": 2.0, "yaw": 0.1}
    assert in_units("age", np.array([2.0]), scale) == pytest.approx(30)
    assert in_units("smile", np.array([0.0]), scale) == pytest.approx(0.5)
    assert in_units("yaw", np.array([1.5]), scale) == pytest.approx(1.5)


def test_the_tables_name_others_than_those_who_are_judged() -> None:
    names = [[(r["set"], r["file"]) for r in csv.DictReader(t.read_text().splitlines())] for t in (FACES, OTHERS)]
    assert [len(set(n)) for n in names] == [24, 29]
    assert not set(names[0]) & set(names[1])
    assert "generated" not in {group for group, _ in names[0] + names[1]}


def test_pictures_are_read_at_native_size() -> None:
    faces = shared("faces")
    with open(faces / "labels.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    labels = {k: np.array([r[k] for r in rows]) for k in ("set", "file")}
    labels["val"] = np.array([r["split"] == "val" for r in rows])
    people = read_people(FACES, faces, labels)
    assert len(people) == 24
    assert all(min(p.picture.shape[:2]) >= 200 for p in people)
    with pytest.raises(InputError, match="no validation face"):
        read_people(FACES, faces, labels | {"val": np.zeros(len(rows), bool)})


def test_pictures_in_one_stream_are_edited_as_if_alone(tmp_path: Path) -> None:
    editor = VideoEditor(write_toy_pack(tmp_path / "toy"))
    with Reader(ROOT / "assets" / "sample.mp4") as reader:
        frames = [frame.image for _, frame in zip(range(40), reader, strict=False)]
    pictures = [frames[0], frames[39][:, ::-1].copy(), np.pad(frames[20], ((8, 0), (0, 12), (0, 0)))]
    found = find(editor, pictures, ["a", "b", "c"])
    together = finish(editor, found, "smile=+2")
    for one, picture, name in zip(together, pictures, "abc", strict=True):
        [alone] = finish(editor, find(editor, [picture], [name]), "smile=+2")
        assert one.picture.shape == picture.shape
        assert (one.picture != picture).any()
        assert one.edited is not None
        assert alone.edited is not None
        # Batches round otherwise, which the flow between pictures of random weights makes more of.
        assert np.abs(one.inversion.astype(int) - alone.inversion).max() <= 3
        assert np.abs(one.edited.astype(int) - alone.edited).max() <= 3
        assert np.abs(one.picture.astype(int) - alone.picture).mean() < 2


def test_a_second_of_a_clip_is_edited_as_a_stream(tmp_path: Path) -> None:
    editor = VideoEditor(write_toy_pack(tmp_path / "toy"))
    clip = clips.read_clip(editor, ROOT / "assets" / "sample.mp4", 0.5)
    assert len(clip.codes) == round(clip.rate)
    assert [index for index, _ in clip.places] == sorted({index for index, _ in clip.places})
    made = clips.finished(editor, clip, "smile=+2")
    assert len(made) == len(clips.SHOWN)
    for frame, (index, _) in zip(made, clip.places, strict=True):
        assert frame.image.shape == clip.codes[index].frame.image.shape
        assert (frame.image != clip.codes[index].frame.image).any()


def test_the_clips_of_the_table_are_there(shared_clips: Path) -> None:
    names = [row["file"] for row in csv.DictReader(clips.TABLE.read_text().splitlines())]
    assert len(names) == 6
    assert all((shared_clips / name).exists() for name in names)


def test_tiles_are_of_native_size_and_never_larger_than_asked() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    quad = np.array([[100, 50], [100, 250], [300, 250], [300, 50]], float)
    shown = sheets.surroundings(frame, quad)
    side = shown.shape[0]
    assert shown.shape == (side, side, 3)
    assert 220 <= side <= 224
    tile = sheets.tile(shown, side + 20)
    assert tile.shape == (side + 20, side + 20, 3)
    assert (tile[10 : side + 10, 10 : side + 10] == shown).all()
    assert sheets.tile(shown, 128).shape == (128, 128, 3)
    assert (sheets.tile(frame[:64, :64], 128, enlarge=True) != sheets.GROUND).mean() > 0.9


def key() -> dict[int, grading.Entry]:
    rows = [("a", "age", "+2"), ("a", "age", "+2"), ("b", "age", "+2"), ("a", "smile", "-2"), ("untouched", "", "")]
    return {i: grading.Entry(i, *row, "utk", f"{i}.jpg") for i, row in enumerate(rows, 1)}


def test_grades_are_joined_with_the_key(tmp_path: Path) -> None:
    grading.write_key(tmp_path / "key.csv", list(key().values()))
    assert grading.read_key(tmp_path / "key.csv") == key()
    (tmp_path / "grades.csv").write_text('number,grade,words\n1,2,"painted rims, grey"\n2,4,\n3,1,haze\n5,5,\n')
    out = tmp_path / "result.json"
    grading.main(["read", str(tmp_path / "grades.csv"), "--key", str(tmp_path / "key.csv"), "--out", str(out)])
    found = json.loads(out.read_text())
    row = found["packs"]["a"]["edits"]["age=+2"]
    assert row == {"grades": 2, "mean": 3.0, "least": 2, "words": ["1: painted rims, grey"]}
    assert found["packs"]["b"]["mean"] == 1
    assert found["untouched"]["mean"] == 5
    assert found["not_graded"] == 1


@pytest.mark.parametrize("text", ["9,3,", "1,6,", "one,3,", "1,,"])
def test_a_grade_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "grades.csv").write_text(f"number,grade,words\n{text}\n")
    with pytest.raises(InputError):
        grading.read_grades(tmp_path / "grades.csv", key())


def test_the_same_faces_are_shown_of_every_pack() -> None:
    some = [3, 5, 8, 9, 12, 30, 31]
    few = grading.chosen(some, "age", 3, 24)
    assert few == grading.chosen(some, "age", 3, 24)
    assert set(few) < set(some[:5])
    assert set(grading.chosen(some, "age", 6, 24)) == set(some[:6]), "others fill up"
    assert grading.chosen(some, "age", 9, 24)[5:] == [30, 31]
    assert len({grading.chosen(some, name, 1, 24)[0] for name in ("age", "smile", "beard", "hair", "eyes")}) > 1
    assert grading.chosen([], "age", 8, 24) == []


def test_numbers_are_drawn_above_their_tiles(tmp_path: Path) -> None:
    pictures = [np.full((200, 200, 3), 10 * i, np.uint8) for i in range(14)]
    grading.write_numbered(tmp_path, pictures)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["sheet-01.png", "sheet-02.png"]
    sheet = cv2.imread(str(tmp_path / "sheet-01.png"))
    assert sheet.shape == (grading.DOWN * (grading.TILE + sheets.CAPTION), grading.ACROSS * grading.TILE, 3)
    assert cv2.imread(str(tmp_path / "sheet-02.png")).shape[0] == grading.TILE + sheets.CAPTION


def test_faces_that_were_refused_have_no_figures(monkeypatch: pytest.MonkeyPatch, sources: np.ndarray) -> None:
    p, crowd = points68(), measure.Crowd([Person("utk", f"{i}.jpg", i, s) for i, s in enumerate(sources)], [], sources)
    before = {k: np.zeros(8) for k in ("age", "probe.age")}
    judged = measure.Judged(crowd, [p] * 8, SimpleNamespace(points68=[p] * 8), {}, before)
    read = lambda crops, faces: {k: figures.luma(crops).mean((1, 2)) for k in before}  # noqa: E731
    monkeypatch.setattr(measure, "_crops", lambda crowd, finished: np.stack([f.picture for f in finished]))
    monkeypatch.setattr(measure, "_identity", lambda judged, after, rulers: np.ones(8))
    monkeypatch.setattr(measure, "suited", lambda edit, strength, labels: np.arange(1, 4))
    made = [Finished(after, after, after) for after in finished_of("tint", sources)]
    made[1] = Finished(sources[1], sources[1], None)
    rulers, others = SimpleNamespace(read=read), measure.Others(crowd, {})
    found = measure.measured("age", 2, judged, others, made + made[:3] + made[:3] + made[:2], rulers)
    assert [found[k] for k in ("edited", "edited_others", "overlay_of")] == [7, 5, 5]
    assert found["suited"]["faces"] == 2
    for figure in ("effect", "margin", "identity", "sharpness"):
        assert [i for i, v in enumerate(found["faces"][figure]) if v is None] == [1]
    assert found["suited"]["sameness"] > 0.9
    assert found["mean"].keys() == found["suited"].keys() - {"faces"}
    nothing = measure.measured("age", 2, judged, others, [Finished(s, s, None) for s in sources] * 2, rulers)
    assert set(nothing["mean"].values()) == {None}


def test_an_overlay_is_made_of_those_whom_the_edit_suits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "suited", lambda edit, strength, labels: np.arange(10))
    for first, last in ((2, 10), (3, 29)):  # fewer than eight are too few
        assert measure.lenders("age", 2, {}, np.arange(29) >= first).tolist() == list(range(first, last))


def test_the_card_tells_of_those_whom_the_edit_suits() -> None:
    mean = {"effect": 1.0, "margin": None, "identity": 0.5, "sameness": 0.7}
    known = {"mean": mean, "suited": {"faces": 5, "effect": 2.0, "margin": None}}
    wholly = {"mean": mean, "suited": {"faces": 5, "effect": 2.0, "identity": 0.9, "sameness_motion": None}}
    found = card_look.figures_of({"edits": {"age": {"-2": known, "+2": wholly}}}, {"edits": {}})
    assert found["age"]["-2"] == {"faces": 5, "effect": 2.0, "margin": None, "identity": 0.5, "sameness": 0.7}
    assert found["age"]["+2"]["identity"] == 0.9
    assert "| age=-2 | 5 | 2.00 |  |  |  | 0.50 | 0.70 |  |  |  |  |  |" in card_look.rows(found)


@pytest.mark.parametrize("pack", ["face-128", "face-128-detail"])
def test_published_results_still_make_a_card(pack: str) -> None:
    folder = ROOT / "benchmarks" / "results" / "look"
    look, grades = (json.loads((folder / f"{n}.json").read_text()) for n in (pack, "grades-2026-11-28"))
    found = card_look.figures_of(look, grades["packs"][pack])
    row, told = found["smile"]["+2"], look["edits"]["smile"]["+2"]
    assert (row["faces"], row["sameness"]) == (told["suited"]["faces"], told["mean"]["sameness"])
    assert len([line for line in card_look.rows(found) if "=" in line]) == 2 * len(found)


def test_other_labels_or_networks_are_other_probes(tmp_path: Path) -> None:
    names = ("labels.npz", "hand.csv", "nets/weights.pt")
    (tmp_path / "nets").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"1")
    told = lambda: fitted_of(tmp_path, tmp_path / "nets", tmp_path / "hand.csv")  # noqa: E731
    seen = {told()}
    assert seen == {told()}
    for name in names:
        (tmp_path / name).write_bytes(b"12")
        seen.add(told())
    assert len(seen) == 4


def test_a_frame_of_a_clip_is_graded_only_where_an_edit_does_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its grade would be the footage's."""
    rng, quad = np.random.default_rng(0), np.array([[20, 20], [20, 80], [80, 80], [80, 20]], float)
    frames = [Frame(rng.integers(0, 256, (100, 100, 3)).astype(np.uint8), i) for i in range(3)]
    clip = clips.Clip(30.0, [Faces(frame) for frame in frames], [(i, quad) for i in range(3)])

    def finished(editor: object, clip: clips.Clip, edit: str) -> list[Frame]:
        dark = [Frame(frame.image // 2, frame.index) for frame in frames]
        return dark if edit == "age=+2" else frames

    monkeypatch.setattr(clips, "finished", finished)
    [(edit, strength, file, shown)] = grading.edited_frames(None, {"a.mp4": clip}, ["age", "smile"])
    assert (edit, strength, file) == ("age", 2.0, "a.mp4")
    assert np.array_equal(shown, grading.middle(clip) // 2)
