"""What vidinv doctor looks at: each check yields findings, none raises."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from vidinv.errors import VidinvError

# What to import for it (av through its door), and the names under which it may be installed.
PACKAGES = {
    "torch": ("torch", ["torch"]),
    "torchvision": ("torchvision", ["torchvision"]),
    "av": ("vidinv.video.container", ["av"]),
    "opencv": ("cv2", ["opencv-python-headless", "opencv-python", "opencv-contrib-python-headless"]),
    "numpy": ("numpy", ["numpy"]),
    "facenet-pytorch": ("facenet_pytorch", ["facenet-pytorch"]),
    "lpips": ("lpips", ["lpips"]),
    "safetensors": ("safetensors", ["safetensors"]),
}
EXTRAS = {
    "ffmpeg-python": "ffmpeg",
    "matplotlib": "report",
    "torchmetrics": "report",
    "scikit-learn": "report",
    "gradio": "ui",
}  # package: extra


@dataclass(frozen=True)
class Finding:
    name: str
    state: Literal["ok", "absent", "broken"]  # absent: only an extra; broken: a run would fail
    text: str


def system() -> Iterator[Finding]:
    """Python and the operating system."""
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")


def packages() -> Iterator[Finding]:
    """Every package that a run needs, imported."""
    for name, (module, distributions) in PACKAGES.items():
        version = next((v for d in distributions if (v := _version(d))), None)
        if version is None:
            yield Finding(name, "broken", "not installed; pip install --force-reinstall vidinv")
            continue
        try:
            imported = importlib.import_module(module)
        except Exception as error:  # a package that does not fit its neighbours raises anything
            yield Finding(name, "broken", f"{version} cannot be imported: {_first_line(error)}")
            continue
        yield Finding(name, "ok", version + (_libraries(imported) if name == "av" else ""))


def _libraries(door: object) -> str:
    versions = door.av.library_versions  # type: ignore[attr-defined]
    return " with " + ", ".join(f"{k} {'.'.join(map(str, v))}" for k, v in sorted(versions.items()))


def devices(device: str, precision: str) -> Iterator[Finding]:
    """What computes, and which of it a run would take."""
    import torch

    from vidinv.runtime.compute import choose

    yield Finding("cpu", "ok", f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}")
    for i in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(i)
        yield Finding(f"cuda:{i}", "ok", f"{card.name}, {card.total_memory / 2**30:.0f} GiB")
    try:
        chosen = choose(device, precision)
        yield Finding("chosen", "ok", f"{chosen.device}, {str(chosen.dtype).removeprefix('torch.')}")
    except VidinvError as error:
        yield Finding("chosen", "broken", str(error))


def extras() -> Iterator[Finding]:
    """Optional packages, and the system's ffmpeg."""
    for name, extra in EXTRAS.items():
        version = _version(name)
        yield Finding(name, *(("ok", version) if version else ("absent", f'pip install "vidinv[{extra}]"')))
    program = shutil.which("ffmpeg")
    if program is None:
        yield Finding("ffmpeg", "absent", "no such program; apt install ffmpeg, or brew install ffmpeg")
        return
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stdout
    yield Finding("ffmpeg", "ok" if said else "absent", said.partition(" Copyright")[0] or f"{program} does not answer")


def encoders() -> Iterator[Finding]:
    """Every encoder, opened on a small picture. Without libx264 a run fails unless --codec names another."""
    from vidinv.video import ColourTags, EncoderSettings, VideoInfo, container
    from vidinv.video.encoder import CODECS

    info = VideoInfo(
        path=Path(), container="", codec="", pix_fmt="yuv420p", width=128, height=96, display_width=128,
        display_height=96, rotation=0, matrix=None, sample_aspect_ratio=None, rate=Fraction(25),
        time_base=Fraction(1, 12800), frames=None, duration=None, colour=ColourTags(), stream_index=0,
        start=Fraction(0), other_streams=(),
    )  # fmt: skip
    for codec in CODECS:
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                container.open_output(Path(folder) / "check.mkv", "matroska", {}) as output,
            ):
                container.add_encoder(output, info, EncoderSettings(codec=codec, threads=1))
            yield Finding(codec, "ok", "opens")
        except Exception as error:  # the library's own errors have no common base
            needed = codec == "libx264"
            yield Finding(codec, "broken" if needed else "absent", _first_line(error))


def model_pack(name: str | None, device: str, precision: str) -> Iterator[Finding]:
    """The pack's files against their hashes, then one frame through its networks."""
    from vidinv.cli.selfcheck import edit_one_frame
    from vidinv.packs.load import load_pack
    from vidinv.runtime.compute import choose

    try:
        compute = choose(device, precision)
        pack = load_pack(name, compute.device)
        for file in pack.spec.files:
            pack.tensors(file.removesuffix(".safetensors"))
        yield Finding("pack", "ok", f"{pack.name} in {pack.folder}, {len(pack.spec.files)} files match")
        absent = [] if pack.has("encoder") else ["encoder"]
        absent += [] if pack.spec.edits else ["edits"]
        if absent:
            yield Finding("self-check", "broken", f"this pack can edit nothing: it has no {' and no '.join(absent)}")
            return
        begun = time.perf_counter()
        edit_one_frame(pack, compute)
        seconds = time.perf_counter() - begun
        measured = f"; likeness by {pack.label('identity')}" if pack.has("identity") else ""
        done = f"one frame detected, inverted, edited and blended in {seconds:.1f} s{measured}"
        yield Finding("self-check", "ok", done)
    except VidinvError as error:
        yield Finding("pack", "broken", _first_line(error))
    except Exception as error:  # whatever it is, a run would meet it too
        yield Finding("self-check", "broken", f"{type(error).__name__}: {_first_line(error)}")


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
