"""Published files that packs can be made of: what each is for, whose terms it is under, and where it is.

A sha256 or a size stands here where it is known; the authors of most files state neither. Files without an address of
their own (behind a page that asks something first) have to be fetched by hand.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownFile:
    name: str  # what it is asked for by
    file: str  # what it is called on disk
    option: str  # of vidinv packs import
    purpose: str
    licence: str  # and who may accept it
    page: str  # where its authors say so
    address: str | None = None  # None: to be fetched by hand from ``page``
    size: int | None = None  # bytes
    sha256: str | None = None


_NVIDIA = "NVIDIA Source Code License: you yourself, for non-commercial research or evaluation"
_ADA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained"
_ADA_PAGE = "https://github.com/NVlabs/stylegan2-ada-pytorch"
_E4E = "https://raw.githubusercontent.com/omertov/encoder4editing/main/editings"
_E4E_PAGE = "https://github.com/omertov/encoder4editing"
_FACENET = "https://github.com/timesler/facenet-pytorch"
_FSE_PAGE = "https://github.com/InterDigitalInc/FeatureStyleEncoder"
_FSE = "InterDigital's own terms, LICENSE.txt on its page: you yourself, or whoever uses it in your name"


def _ada(name: str, purpose: str) -> KnownFile:
    address = f"{_ADA}/{name}.pkl"
    return KnownFile(f"nvidia-{name}", f"{name}.pkl", "--generator", purpose, _NVIDIA, _ADA_PAGE, address)


def _ngc(file: str, purpose: str) -> KnownFile:
    """NVIDIA's later files, StyleGAN3 and StyleGAN2; the family is the first part of their names."""
    family = file.split("-")[0]
    address = f"https://api.ngc.nvidia.com/v2/models/nvidia/research/{family}/versions/1/files/{file}.pkl"
    page = "https://github.com/NVlabs/stylegan3"
    return KnownFile(f"nvidia-{file}", f"{file}.pkl", "--generator", purpose, _NVIDIA, page, address)


def _e4e(name: str, path: str, purpose: str, size: int, sha256: str) -> KnownFile:
    file = path.rpartition("/")[2]
    return KnownFile(name, file, "--directions", purpose, "MIT", _E4E_PAGE, f"{_E4E}/{path}", size, sha256)


def _facenet(name: str, file: str, data: str) -> KnownFile:
    licence = f"MIT, the licence of facenet-pytorch; trained on {data}, a data set with terms of its own"
    purpose = f"InceptionResnetV1 trained on {data}: identity figures"
    address = f"{_FACENET}/releases/download/v2.2.9/{file}"
    return KnownFile(name, file, "--identity", purpose, licence, _FACENET, address)


CATALOGUE = (
    _ada("ffhq", "StyleGAN2 of faces, 1024 px"),
    _ada("metfaces", "StyleGAN2-ADA of painted and sculpted faces, 1024 px"),
    _ada("afhqcat", "StyleGAN2-ADA of cats, 512 px"),
    _ada("afhqdog", "StyleGAN2-ADA of dogs, 512 px"),
    _ada("afhqwild", "StyleGAN2-ADA of wild animals, 512 px"),
    _ngc("stylegan2-ffhq-256x256", "StyleGAN2 of faces, 256 px"),
    _ngc("stylegan2-ffhq-512x512", "StyleGAN2 of faces, 512 px"),
    _ngc("stylegan2-celebahq-256x256", "StyleGAN2 of celebrities' faces, 256 px"),
    _ngc("stylegan2-lsundog-256x256", "StyleGAN2 of dogs, 256 px"),
    _ngc("stylegan3-t-ffhq-1024x1024", "StyleGAN3-T of faces, 1024 px"),
    _ngc("stylegan3-r-ffhq-1024x1024", "StyleGAN3-R of faces, 1024 px"),
    _ngc("stylegan3-t-ffhqu-256x256", "StyleGAN3-T of unaligned faces, 256 px"),
    _ngc("stylegan3-r-ffhqu-256x256", "StyleGAN3-R of unaligned faces, 256 px"),
    _ngc("stylegan3-t-afhqv2-512x512", "StyleGAN3-T of animals, 512 px"),
    _ngc("stylegan3-r-afhqv2-512x512", "StyleGAN3-R of animals, 512 px"),
    KnownFile(
        "rosinality-ffhq",
        "stylegan2-ffhq-config-f.pt",
        "--generator",
        "StyleGAN2 of faces, 1024 px, as pSp and the Feature-Style encoder use it",
        _NVIDIA,
        "https://drive.google.com/file/d/1EM87UquaoQmk17Q8d5kYIAHqu0dkYqdT/view",
    ),
    KnownFile(
        "feature-style-encoder", "143_enc.pth", "--encoder", "Feature-Style encoder of faces, 1024 px", _FSE, _FSE_PAGE
    ),
    KnownFile("arcface", "backbone.pth", "--identity", "ArcFace on an iresnet50: identity figures", _FSE, _FSE_PAGE),
    _facenet("facenet-vggface2", "20180402-114759-vggface2.pt", "VGGFace2"),
    _facenet("facenet-casia", "20180408-102900-casia-webface.pt", "CASIA-WebFace"),
    KnownFile(
        "face-parsing",
        "79999_iter.pth",
        "--parsing",
        "BiSeNet: parts of a face",
        "MIT; trained on CelebAMask-HQ, whose terms are non-commercial research",
        "https://drive.google.com/open?id=154JgKpzCPW82qINcVieuPH3fZ2e0P812",
    ),
    _e4e(
        "e4e-age", "interfacegan_directions/age.pt", "age, for StyleGAN2 of faces", 2808,
        "50074516b1629707d89b5e43d6b8abd1792212fa3b961a87a11323d6a5222ae0",
    ),
    _e4e(
        "e4e-smile", "interfacegan_directions/smile.pt", "smile, for StyleGAN2 of faces", 2808,
        "817a7e732b59dee9eba862bec8bd7e8373568443bc9f9731a21cf9b0356f0653",
    ),
    _e4e(
        "e4e-pose", "interfacegan_directions/pose.pt", "pose, for StyleGAN2 of faces at 1024 px", 37624,
        "736e0eacc8488fa0b020a2e7bd256b957284c364191dfea693705e5d06d43e7d",
    ),
    _e4e(
        "ganspace-ffhq", "ganspace_pca/ffhq_pca.pt", "GANSpace's components, for StyleGAN2 of faces", 167562,
        "4d7f9df1c96180d9026b9cb8d04753579fbf385f321a9d0e263641601c5e5d36",
    ),
    _e4e(
        "ganspace-cars", "ganspace_pca/cars_pca.pt", "GANSpace's components, for StyleGAN2 of cars", 167562,
        "a5c3bae61ecd85de077fbbf103f5f30cf4b7676fe23a8508166eaf2ce73c8392",
    ),
)  # fmt: skip
