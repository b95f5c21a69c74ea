"""Codes on disk: what is rendered of them is what a direct run gives, bit for bit; what does not fit is refused."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from tests.toy import write_toy_pack
from vidinv import halves
from vidinv.api import VideoEditor
from vidinv.errors import InputError, InputMissing, NoFaceFound, OutputExists, OutputUnwritable, UsageError
from vidinv.faces.boxes import CropRule
from vidinv.inversion import latent_file
from vidinv.inversion.latent_file import LatentFile, LatentWriter, open_latent_file
from vidinv.inversion.latent_manifest import MANIFEST, manifest_of
from vidinv.packs.load import load_pack
from vidinv.packs.spec import template_of
from vidinv.packs.write import write_pack
from vidinv.types import Code, Face, Faces
from vidinv.video import Reader

SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample.mp4"
EDITS = ("age=+2", "0:smile=1,1+2:age=-1@0.2s-")
SIZE, FRAMES = (160, 96), 24


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_clip(path: Path, seed: int = 0, count: int = FRAMES) -> Path:
    """Three shots of moving noise, lossless, at uneven times."""
    rng = np.random.default_rng(seed)
    shots = [cv2.resize(rng.integers(0, 255, (6, 10, 3), np.uint8), SIZE) for _ in range(3)]
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25, time_base=Fraction(1, 1000))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for i in range(count):
            picture = av.VideoFrame.from_ndarray(np.roll(shots[3 * i // count], i, 1), format="rgb24")
            picture.pts, picture.time_base = 40 * i + 7 * (i % 3), Fraction(1, 1000)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path


# Two persons: one is missed for a moment and bridged, one goes, and nobody is there when the last shot begins.
BOXES = {
    i: [box for box, there in (((10 + i, 8, 58 + i, 56), i != 5), ((90, 30, 150, 90), i < 11 or i > 15)) if there]
    for i in range(FRAMES)
    if i not in (16, 17, 18)
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "three-shots.mkv")


@pytest.fixture(scope="module")
def box_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_box_pack(tmp_path_factory.mktemp("packs") / "toy")


def write_box_pack(folder: Path, seed: int = 0) -> Path:
    spec, rule = load_pack(write_toy_pack(folder, seed)).spec, CropRule("boxes", (1.0, 0.75))
    write_pack(folder, replace(spec, crops=rule, template=template_of(rule)))
    return folder


@pytest.fixture(scope="module")
def editor(box_pack: Path) -> VideoEditor:
    return VideoEditor(box_pack, batch=2)


@pytest.fixture(scope="module")
def kept(editor: VideoEditor, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codes") / "codes.vidinv"
    editor.keep_codes(clip, folder, boxes=BOXES)
    return folder


@pytest.fixture
def copied(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "copied.vidinv"))


def pictures(stream: Iterator[Faces]) -> list[np.ndarray]:
    return [faces.output.image for faces in stream]


def direct(editor: VideoEditor, clip: Path, edit: str) -> list[np.ndarray]:
    rate = float(Reader(clip).info.rate)
    return pictures(editor.render(None, editor.analyse(clip, boxes=BOXES), edit, rate=rate))


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def assert_same_code(a: Code, b: Code) -> None:
    for x, y in ((a.w, b.w), (a.feature, b.feature), (a.noise, b.noise)):
        assert (x is None) == (y is None)
        if x is not None:
            assert torch.equal(x, y)
            assert x.stride() == y.stride(), "networks compute other last bits on the same numbers laid out otherwise"


def assert_same_faces(a: list[Faces], b: list[Faces], crops: bool = False) -> None:
    """In everything that is kept, types included."""
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        for name in ("index", "pts", "time", "cut"):
            assert getattr(one.frame, name) == getattr(other.frame, name), name
        assert one.frame.image.shape == other.frame.image.shape
        for face, again in zip(one.faces, other.faces, strict=True):
            assert_same_code(face.code, again.code)
            for f in fields(Face):
                x, y = getattr(face, f.name), getattr(again, f.name)
                if f.name == "crop" and not crops:
                    assert y is None
                elif isinstance(x, np.ndarray):
                    assert np.array_equal(x, y), f.name
                    assert x.dtype == y.dtype, f.name
                elif f.name != "code":
                    assert x == y, f.name
                    assert type(x) is type(y), f.name


def test_what_is_read_is_what_was_analysed(editor: VideoEditor, clip: Path, kept: Path) -> None:
    analysed = list(editor.analyse(clip, boxes=BOXES))
    file = open_latent_file(kept)
    assert_same_faces(analysed, list(file.faces()))
    assert (sum(one.frame.cut for one in analysed), len(file.manifest.parts)) == (2, 3)
    assert not all(face.seen for one in analysed for face in one.faces), "one is bridged"
    assert {len(one.faces) for one in analysed} == {0, 1, 2}
    assert len({b.frame.time - a.frame.time for a, b in pairwise(analysed)}) > 1


@pytest.mark.parametrize("edit", EDITS)
def test_rendering_from_the_file_is_the_direct_run_bit_for_bit(
    editor: VideoEditor, clip: Path, kept: Path, edit: str
) -> None:
    plain = direct(editor, clip, edit)
    assert same(pictures(editor.render(clip, kept, edit)), plain)
    with Reader(clip) as reader:
        assert same(pictures(editor.render(reader, kept, edit)), plain)
        assert not same([frame.image for frame in Reader(clip)], plain)


def test_crops_are_cut_again_as_they_were(editor: VideoEditor, clip: Path, kept: Path) -> None:
    way = halves.Way(25.0)
    again = list(halves.restored(open_latent_file(kept), iter(Reader(clip)), way, editor._means))
    assert_same_faces(list(editor.analyse(clip, boxes=BOXES)), again, crops=True)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", ["feature-style", "image2stylegan"])
def test_without_features_they_are_computed_again_to_the_same_bits(
    box_pack: Path, clip: Path, tmp_path: Path, method: str, precision: str
) -> None:
    search = {"steps": 2, "warm_steps": 1} if method == "image2stylegan" else None
    editor = VideoEditor(box_pack, batch=3, precision=precision, method=method, search=search)
    whole = editor.keep_codes(clip, tmp_path / "whole", boxes=BOXES)
    small = editor.keep_codes(clip, tmp_path / "small", boxes=BOXES, features=False)
    assert small.size < whole.size / 3
    assert (small.frames, small.faces) == (whole.frames, whole.faces)
    way = halves.Way(25.0)
    again = list(halves.restored(open_latent_file(tmp_path / "small"), iter(Reader(clip)), way, editor._means))
    assert_same_faces(list(editor.analyse(clip, boxes=BOXES)), again, crops=True)
    # Who renders need not name the method.
    other = VideoEditor(box_pack, batch=3, precision=precision)
    plain = pictures(other.render(clip, tmp_path / "whole", "age=+2"))
    assert same(pictures(other.render(clip, tmp_path / "small", "age=+2")), plain)


def test_an_f_that_was_searched_for_cannot_be_left_out(box_pack: Path, clip: Path, tmp_path: Path) -> None:
    editor = VideoEditor(box_pack, method="image2stylegan", search={"steps": 1, "feature": True})
    with pytest.raises(UsageError, match="cannot be computed again"):
        editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES, features=False)
    assert list(tmp_path.iterdir()) == []


def test_a_long_shot_goes_on_in_further_parts(
    editor: VideoEditor, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latent_file, "PART_FRAMES", 3)
    editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES)
    file = open_latent_file(tmp_path / "codes")
    assert [part.frames for part in file.manifest.parts] == [3, 3, 2, 3, 3, 2, 3, 3, 2]
    assert [part.first for part in file.manifest.parts] == [0, 3, 6, 8, 11, 14, 16, 19, 22]
    assert_same_faces(list(editor.analyse(clip, boxes=BOXES)), list(file.faces()))
    monkeypatch.setattr(latent_file, "PART_BYTES", 1)
    editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES, overwrite=True)
    assert len(open_latent_file(tmp_path / "codes").manifest.parts) > 15


def test_noise_maps_and_what_half_precision_cannot_hold_come_back(editor: VideoEditor, tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)

    def face(i: int) -> Face:
        wide = torch.randn(4, 4, 6, generator=rng).permute(2, 0, 1)
        code = Code(torch.randn(3, 5, generator=rng), wide, torch.randn(20, generator=rng))
        return Face(np.full(4, i, np.float32), person=i, quad=np.full((4, 2), i / 3), code=code)

    frames = [Faces(replace(next(iter(Reader(SAMPLE))), index=i, cut=i == 0), (face(i),)) for i in range(3)]
    about = manifest_of(editor.pack, editor.inverter, editor.compute, 2, [SAMPLE], rate=25.0)
    with LatentWriter(tmp_path / "codes", about) as writer:
        assert list(writer.through(iter(frames))) == frames
    assert_same_faces(frames, list(open_latent_file(tmp_path / "codes").faces()))


def test_pictures_are_shots_of_one_frame_each_with_a_source_of_its_own(editor: VideoEditor, tmp_path: Path) -> None:
    with Reader(SAMPLE) as reader:
        stills = [replace(f, index=i, pts=None, time=None, cut=True) for i, f in enumerate(islice(reader, 3))]
    code = Code(torch.zeros(2, 3), torch.zeros(4, 2, 2))
    frames = [Faces(f, (Face(np.zeros(4, np.float32), quad=np.zeros((4, 2)), person=0, code=code),)) for f in stills]
    names = [SAMPLE, SAMPLE.with_name("preview.png"), SAMPLE]
    about = manifest_of(editor.pack, editor.inverter, editor.compute, 2, names, rate=None)
    with LatentWriter(tmp_path / "codes", about) as writer:
        list(writer.through(iter(frames)))
    file = open_latent_file(tmp_path / "codes")
    assert_same_faces(frames, list(file.faces()))
    assert [s.name for s in file.manifest.sources] == ["sample.mp4", "preview.png", "sample.mp4"]
    with pytest.raises(InputError, match="codes of pictures"):
        editor.render(SAMPLE, tmp_path / "codes", "age=1")


def test_codes_of_another_clip_are_refused_by_name(editor: VideoEditor, clip: Path, kept: Path, tmp_path: Path) -> None:
    other = write_clip(tmp_path / "other.mkv", seed=1)
    with pytest.raises(InputError, match=r"codes of clip three-shots.mkv, not other.mkv; invert again"):
        editor.render(other, kept, "age=1")
    shutil.copy(other, tmp_path / clip.name)
    with pytest.raises(InputError, match="whose content is another"):
        editor.edit_video(tmp_path / clip.name, tmp_path / "out.mkv", "age=1", codes=kept)
    renamed = Path(shutil.copy(clip, tmp_path / "renamed.mkv"))
    assert next(editor.render(renamed, kept, "age=1")).output is not None
    with pytest.raises(InputError, match="ends after 9 frames"):
        list(editor.render(islice(Reader(clip), 9), kept, "age=1"))
    smaller = (replace(f, image=np.ascontiguousarray(f.image[::2, ::2])) for f in Reader(clip))
    with pytest.raises(InputError, match="frame 0 has 80x48 pixels, and 160x96 were analysed"):
        list(editor.render(smaller, kept, "age=1"))
    assert not [t for t in threading.enumerate() if t.name.startswith("vidinv")]


def test_codes_of_another_pack_are_refused_by_name(kept: Path, clip: Path, box_pack: Path, tmp_path: Path) -> None:
    other = VideoEditor(write_box_pack(tmp_path / "other", seed=7))
    with pytest.raises(InputError, match=r"codes of pack toy \([0-9a-f]{12}\), not toy \([0-9a-f]{12}\)"):
        other.render(clip, kept, "age=1")
    moved = Path(shutil.copytree(box_pack, tmp_path / "moved"))
    rule = CropRule("boxes", (1.0, 0.5))
    write_pack(moved, replace(load_pack(moved).spec, crops=rule, template=template_of(rule)))
    with pytest.raises(InputError, match="placed otherwise"):
        VideoEditor(moved).render(clip, kept, "age=1")


def test_codes_of_another_method_are_refused_by_name_if_one_was_asked_for(
    kept: Path, clip: Path, box_pack: Path, tmp_path: Path
) -> None:
    searching = VideoEditor(box_pack, batch=2, method="image2stylegan", search={"steps": 3})
    with pytest.raises(UsageError, match="codes made by feature-style, not image2stylegan; leave the method out"):
        searching.render(clip, kept, "age=1")
    VideoEditor(box_pack, method="feature-style").render(clip, kept, "age=1").close()
    searching.keep_codes(clip, tmp_path / "codes", boxes=BOXES)
    other = VideoEditor(box_pack, method="image2stylegan", search={"steps": 4})
    with pytest.raises(UsageError, match="made by image2stylegan with steps 3, not 4"):
        other.render(clip, tmp_path / "codes", "age=1")
    VideoEditor(box_pack).render(clip, tmp_path / "codes", "age=1").close()


def test_codes_without_their_video_are_refused(editor: VideoEditor, clip: Path, kept: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the video"):
        editor.render(None, kept, "age=1")
    with pytest.raises(UsageError, match="give no boxes"):
        editor.edit_video(clip, tmp_path / "out.mkv", "age=1", codes=kept, boxes=BOXES)
    with pytest.raises(UsageError, match="give no codes to keep"):
        editor.edit_video(clip, tmp_path / "out.mkv", "age=1", codes=kept, keep_codes=tmp_path / "more")


def cut_short(folder: Path) -> None:
    path = folder / "part-00001.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def one_bit(folder: Path) -> None:
    data = bytearray((folder / "part-00002.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "part-00002.safetensors").write_bytes(data)


def in_manifest(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        table = json.loads((folder / MANIFEST).read_text())
        for name, value in changes.items():
            (table["parts"][0] if name in table["parts"][0] and name != "frames" else table)[name] = value
        (folder / MANIFEST).write_text(json.dumps(table))

    return change


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_short, "part-00001.safetensors was cut short"),
        (one_bit, r"part-00002.safetensors is damaged \(its sha256"),
        (lambda folder: (folder / "part-00000.safetensors").unlink(), "part-00000.safetensors is missing"),
        (lambda folder: (folder / MANIFEST).unlink(), "holds no codes"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "manifest.json is damaged"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"\xff"), "manifest.json is damaged"),
        (lambda folder: (folder / MANIFEST).write_text("[1]"), "manifest.json is damaged"),
        (in_manifest(format="vidinv codes 2"), "holds 'vidinv codes 2', and this version of vidinv reads"),
        (in_manifest(file="../part-00000.safetensors"), "is no name of a part"),
        (in_manifest(size="1"), "size is '1'"),
        (in_manifest(sha256="0" * 63), "is no sha256"),
        (in_manifest(first=1), "begins at frame 1, not 0"),
        (in_manifest(frames=7), "do not add up"),
        (in_manifest(sources=[]), "names no source"),
        (in_manifest(more=1), "a manifest has"),
        (in_manifest(parts=None), "is damaged"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_and_the_next_step_named(
    editor: VideoEditor, clip: Path, copied: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(copied)
    with pytest.raises(InputError, match=said) as refused:
        editor.edit_video(clip, tmp_path / "out.mkv", "age=1", codes=copied)
    assert "vidinv invert" in str(refused.value)
    assert [p.name for p in tmp_path.iterdir()] == [copied.name], "no output is left"


def test_a_folder_that_is_not_there(editor: VideoEditor, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="holds no codes"):
        editor.render(clip, tmp_path / "nothing", "age=1")


def test_a_run_may_keep_its_codes_and_says_when_it_did_not_look(
    editor: VideoEditor, clip: Path, kept: Path, tmp_path: Path
) -> None:
    first = editor.edit_video(clip, tmp_path / "a.mkv", "age=+2", boxes=BOXES, keep_codes=tmp_path / "codes")
    second = editor.edit_video(clip, tmp_path / "b.mkv", "age=+2", codes=tmp_path / "codes")
    assert_same_faces(list(open_latent_file(kept).faces()), list(open_latent_file(tmp_path / "codes").faces()))
    assert (first.codes, second.codes) == (None, str(tmp_path / "codes"))
    assert second.as_dict()["codes"] == str(tmp_path / "codes")
    assert not {"detect", "align", "invert"} & second.stages.keys()
    assert first.series == second.series
    assert same([f.image for f in Reader(tmp_path / "a.mkv")], [f.image for f in Reader(tmp_path / "b.mkv")])


def test_whatever_ends_a_run_leaves_no_codes(editor: VideoEditor, clip: Path, tmp_path: Path) -> None:
    def stop(progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        editor.keep_codes(clip, tmp_path / "codes", boxes=BOXES, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        editor.edit_video(clip, tmp_path / "o.mkv", "age=1", boxes=BOXES, keep_codes=tmp_path / "codes", progress=stop)
    with pytest.raises(NoFaceFound, match="person"):
        editor.edit_video(clip, tmp_path / "o.mkv", "9:age=1", boxes=BOXES, keep_codes=tmp_path / "codes")
    with pytest.raises(NoFaceFound, match="nothing to invert in any of 24 frames"):
        editor.keep_codes(clip, tmp_path / "codes", boxes={})
    assert list(tmp_path.iterdir()) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("vidinv")]


def test_codes_replace_only_codes_and_only_when_told(editor: VideoEditor, clip: Path, copied: Path) -> None:
    folder = copied.parent
    with pytest.raises(OutputExists, match="--overwrite"):
        editor.keep_codes(clip, copied, boxes=BOXES)
    editor.keep_codes(clip, copied, boxes=BOXES, features=False, overwrite=True)
    assert not open_latent_file(copied).manifest.features
    (folder / "things").mkdir()
    (folder / "things" / "a.txt").write_text("mine")
    (folder / "file").write_text("mine")
    for name, said in (("things", "no codes but other things"), ("file", "is a file"), ("no/codes", "create it first")):
        with pytest.raises(OutputUnwritable, match=said):
            editor.keep_codes(clip, folder / name, boxes=BOXES, overwrite=True)
    with pytest.raises(OutputUnwritable, match="the output video too"):
        editor.edit_video(clip, folder / "x.mkv", "age=1", boxes=BOXES, keep_codes=folder / "x.mkv")
    assert sorted(p.name for p in folder.iterdir()) == ["copied.vidinv", "file", "things"]


def test_it_holds_one_part_in_memory(editor: VideoEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On either side, and no picture."""
    frame = next(iter(Reader(SAMPLE)))
    code = Code(torch.zeros(2, 3), torch.zeros(4, 2, 2))
    face = Face(np.zeros(4, np.float32), quad=np.zeros((4, 2)), code=code, crop=np.zeros((8, 8, 3), np.uint8))
    frames = (Faces(replace(frame, index=i, cut=i == 0), (face,)) for i in range(700))
    about = manifest_of(editor.pack, editor.inverter, editor.compute, 2, [SAMPLE], rate=25.0)
    with LatentWriter(tmp_path / "codes", about) as writer:
        for _ in writer.through(frames):
            assert len(writer._waiting) <= 256
            assert all(one.frame.image.base is not None and one.faces[0].crop is None for one in writer._waiting)
    file = open_latent_file(tmp_path / "codes")
    read: list[str] = []
    monkeypatch.setattr(LatentFile, "_read", lambda self, part, device: read.append(part.file) or [])
    assert next(file.faces(), None) is None
    assert len(read) == 3
