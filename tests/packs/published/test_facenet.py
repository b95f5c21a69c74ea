"""facenet-pytorch's InceptionResnetV1, imported from its state, is an identity network like any other."""

from __future__ import annotations

import ast
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from torch import Tensor

from tests.formula import generator_weights
from tests.packs.published import layouts
from tests.shared import shared
from tests.toy import write_toy_pack
from vidinv.errors import DamagedPack, OutputExists, UnsuitableCheckpoint, UsageError
from vidinv.faces.boxes import CropRule
from vidinv.faces.quads import FACE, quad_from_points, quad_to_affine, transform_points
from vidinv.models import inception_identity
from vidinv.models.face_detector import FaceDetector
from vidinv.models.inception_identity import facenet_box
from vidinv.models.iresnet import cut_and_resize
from vidinv.packs.load import load_pack
from vidinv.packs.published.extending import with_identity
from vidinv.packs.published.importing import FFHQ_TEMPLATE, Sources, import_pack
from vidinv.packs.spec import template_of
from vidinv.packs.write import write_pack


@pytest.fixture(scope="module")
def network() -> InceptionResnetV1:
    """Random weights, and norms that have seen something: fresh ones would give all pictures nearly one embedding."""
    torch.manual_seed(0)
    network = InceptionResnetV1(pretrained=None, classify=True, num_classes=7).requires_grad_(False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            module.momentum = None
    network(faces(96, 16))
    return network.eval()


@pytest.fixture(scope="module")
def published(network: InceptionResnetV1, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it is published: a bare state, with a classifier, in the format of torch before 1.6."""
    path = tmp_path_factory.mktemp("published") / "20180402-114759-vggface2.pt"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture(scope="module")
def extended(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the toy pack that has it."""
    folder = tmp_path_factory.mktemp("packs")
    return with_identity(write_toy_pack(folder / "toy"), published, "toy-facenet", folder).folder


def faces(side: int, count: int = 3) -> Tensor:
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(-1, 1)


def test_embeddings_are_those_of_facenet_pytorch_on_the_same_view(network: InceptionResnetV1, extended: Path) -> None:
    identity, x = load_pack(extended).identity, faces(128)
    ours = identity(x)
    network.classify = False
    theirs, of_all = (
        network(((cut_and_resize(x, box, 160) + 1) * 127.5 - 127.5) / 128)
        for box in (facenet_box(**asdict(FACE)), (0.0, 0.0, 1.0, 1.0))
    )
    assert ours.shape == (3, 512)
    assert (ours - theirs).abs().max() <= 1e-4
    assert torch.allclose(ours.norm(dim=1), torch.ones(3), atol=1e-5)
    assert (ours - of_all).abs().max() > 1e-2  # what it is shown matters, so the agreement means something
    with torch.autocast("cpu", torch.bfloat16):
        half = identity(x)
    assert half.dtype == torch.float32
    assert ((half * ours).sum(1) > 0.99).all()


def test_the_rest_of_the_pack_stays_what_it_was(extended: Path) -> None:
    base, pack = load_pack(extended.parent / "toy"), load_pack(extended)
    changed = {k for k, v in pack.spec.files.items() if base.spec.files[k] != v}
    assert changed == {"identity.safetensors"}
    assert pack.spec.files.keys() == base.spec.files.keys()
    assert (pack.template, pack.spec.edits) == (base.template, base.spec.edits)
    assert pack.hash != base.hash
    assert not any("logits" in k for k in pack.tensors("identity"))
    assert list(pack.spec.sources) == ["20180402-114759-vggface2.pt"]
    assert "InceptionResnetV1" in (extended / "card.md").read_text()


def test_figures_name_the_network_that_measured(extended: Path) -> None:
    assert load_pack(extended).label("identity") == "identity (inception-resnet) of toy-facenet"
    assert load_pack(extended.parent / "toy").label("identity") == "identity of toy"


def test_a_new_pack_can_have_it_too(published: Path, tmp_path: Path) -> None:
    torch.save({"g_ema": generator_weights(layouts.TOY_GENERATOR)}, tmp_path / "g.pt")
    done = import_pack(Sources(tmp_path / "g.pt", identity=published), "toy", tmp_path / "packs")
    assert "identity: InceptionResnetV1 of facenet-pytorch, 512 numbers" in done.found
    pack = load_pack(done.folder)
    assert pack.spec.networks["identity"].config.box == facenet_box(**asdict(FFHQ_TEMPLATE))
    assert pack.identity(faces(64)).shape == (3, 512)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"last_linear.weight": None}, r"without last_linear\.weight"),
        ({"repeat_1.0.extra.weight": torch.zeros(3)}, r"repeat_1\.0\.extra\.weight unknown"),
        ({"last_linear.weight": torch.zeros(512, 1536)}, r"last_linear\.weight is \[512, 1536\]"),
        ({"conv2d_1a.conv.weight": None}, "without conv1.weight; this is another network"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(
    network: InceptionResnetV1, tmp_path: Path, change: dict[str, Tensor | None], message: str
) -> None:
    state = {k: v for k, v in (network.state_dict() | change).items() if v is not None}
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(UnsuitableCheckpoint, match=f"other.pt: .*({message})"):
        with_identity(write_toy_pack(tmp_path / "toy"), tmp_path / "other.pt", "x", tmp_path)
    assert not (tmp_path / "x").exists()


@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch, which will not write quantised tensors for ever
@pytest.mark.parametrize("kind", ["complex64", "qint8"])
def test_weights_that_are_no_plain_numbers_are_refused(network: InceptionResnetV1, tmp_path: Path, kind: str) -> None:
    weights = torch.zeros(512, 1792)
    other = torch.quantize_per_tensor(weights, 0.1, 0, torch.qint8) if kind == "qint8" else weights.to(torch.complex64)
    torch.save(network.state_dict() | {"last_linear.weight": other}, tmp_path / "other.pt")
    with pytest.raises(UnsuitableCheckpoint, match=f"it holds tensors of {kind}"):
        with_identity(write_toy_pack(tmp_path / "toy"), tmp_path / "other.pt", "x", tmp_path)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300])
def test_numbers_that_are_none_become_no_pack(network: InceptionResnetV1, tmp_path: Path, number: float) -> None:
    state = network.state_dict()
    state["last_linear.weight"] = torch.full((512, 1792), number, dtype=torch.float64)
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(UnsuitableCheckpoint, match=r"numbers that are none, or too large \(identity.safetensors"):
        with_identity(write_toy_pack(tmp_path / "toy"), tmp_path / "other.pt", "x", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.pt", "toy"]


def test_a_pack_is_copied_only_if_it_is_whole_and_of_faces(published: Path, extended: Path, tmp_path: Path) -> None:
    toy = write_toy_pack(tmp_path / "toy")
    with pytest.raises(OutputExists, match="toy exists"):
        with_identity(toy, published, "toy", tmp_path)
    (toy / "attributes.safetensors").write_bytes(b"broken")
    with pytest.raises(DamagedPack, match="attributes"):
        with_identity(toy, published, "x", tmp_path)
    cars = write_toy_pack(tmp_path / "cars")
    boxes = CropRule("boxes", (1.0, 0.75))
    write_pack(cars, replace(load_pack(cars).spec, crops=boxes, template=template_of(boxes)))
    with pytest.raises(UsageError, match="not of faces"):
        with_identity(cars, published, "x", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cars", "toy"]


def test_the_view_is_mtcnns_box_with_as_much_margin_as_the_crop_has() -> None:
    x0, y0, x1, y1 = facenet_box(centre=0.3, by_eyes=4.0, by_mouth=0.0)  # a crop of 8 eye distances: room enough
    assert (x0 + x1) / 2 == pytest.approx(0.5, abs=1e-3)
    assert (x1 - x0) * 8 == pytest.approx(2.16 * 1.25, abs=1e-3)
    assert (y1 - y0) * 8 == pytest.approx(2.94 * 1.25, abs=1e-3)
    x0, y0, x1, y1 = facenet_box(**asdict(FACE))  # 2.5 eye distances: less than the box is high, so no margin
    assert (x1 - x0) * 2.5 == pytest.approx(2.16, abs=1e-3)
    assert (y1 - y0) * 2.5 == pytest.approx(2.94, abs=1e-3)
    assert y0 < 0
    assert y1 > 1


def test_packs_without_it_do_not_wait_for_its_library() -> None:
    at_import = ast.parse(Path(inception_identity.__file__).read_text(encoding="utf-8")).body
    names = [ast.unparse(line) for line in at_import if isinstance(line, ast.Import | ast.ImportFrom)]
    assert names
    assert not any("facenet_pytorch" in name for name in names)


def test_mtcnns_box_of_real_faces_is_the_one_that_is_assumed() -> None:
    """In the crop of their own template, for faces that look ahead, on average."""
    found, detect = [], FaceDetector(80)
    with zipfile.ZipFile(shared("faces") / "officials.zip") as pictures:
        for name in pictures.namelist()[:24]:
            seen = detect(cv2.imdecode(np.frombuffer(pictures.read(name), np.uint8), cv2.IMREAD_COLOR_RGB))
            points = seen.points[0]
            to_crop = quad_to_affine(quad_from_points(points, FACE), 1)
            eye, other, nose = transform_points(to_crop, points)[:3, 0]
            if abs(nose - (eye + other) / 2) < 0.05:
                found.append(transform_points(to_crop, seen.boxes[0].reshape(2, 2)).ravel() + 0.5)
    assert len(found) >= 10
    assert np.abs(np.mean(found, 0) - facenet_box(**asdict(FACE))).max() < 0.05
