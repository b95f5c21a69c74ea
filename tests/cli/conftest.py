"""The command line in this process and in one of its own, a toy pack, and a clip with a face."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest
from typer.testing import CliRunner, Result

from tests.toy import write_toy_pack
from vidinv.cli.main import app
from vidinv.video import Reader

REPOSITORY = Path(__file__).resolve().parents[2]
Invoke = Callable[..., Result]


@pytest.fixture
def invoke() -> Invoke:
    """Runs the program's commands; .exit_code, .stdout, .stderr."""
    return lambda *args: CliRunner().invoke(app, [str(a) for a in args], prog_name="vidinv")


@pytest.fixture
def start() -> Callable[..., subprocess.Popen]:
    """Starts the program as a process of its own, with pipes."""

    def start(*args: object, code: str = "", **options) -> subprocess.Popen:
        program = f"{code}\nfrom vidinv.cli.main import main\nmain()"
        command = [sys.executable, "-c", program, *map(str, args)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes, **options)

    return start


@pytest.fixture(scope="session")
def toy_pack(tmp_path_factory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("packs") / "toy")


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory, request) -> Path:
    """Two seconds of somebody's face, 320 pixels wide, index at the front, every tenth frame a key frame."""
    source = REPOSITORY / "assets" / "sample.mp4"
    if not source.is_file():
        source = request.getfixturevalue("shared_clips") / "frontal_720p_aac.mp4"
    path = tmp_path_factory.mktemp("clips") / "face.mp4"
    size = (320, 180)
    with (
        Reader(source) as reader,
        av.open(str(path), "w", container_options={"movflags": "+faststart"}) as output,
    ):
        stream = output.add_stream("libx264", rate=Fraction(25), options={"crf": "16", "g": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index, frame in zip(range(50), reader, strict=False):
            small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
            picture = av.VideoFrame.from_ndarray(small, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path
