from itertools import islice

import pytest

from tests.video.make import clip
from vidinv.errors import InputMissing
from vidinv.stages.decode import DecodeOptions, decode
from vidinv.video import Reader


def test_frames_come_in_order_with_their_times(tmp_path):
    path = clip(tmp_path / "in.mp4", times=[0, 512, 1500, 4000])
    frames = list(decode(path, DecodeOptions(threads=1)))
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert [f.pts for f in frames] == [0, 512, 1500, 4000]
    assert all(f.image.shape == (96, 128, 3) and f.image.dtype == "uint8" for f in frames)


def test_a_reader_of_the_callers_tells_of_damage_afterwards(tmp_path):
    path = clip(tmp_path / "in.mp4", size=(320, 240), count=50, container_options={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with Reader(path) as reader:
        frames = list(decode(reader))
        assert reader.damage.frames_lost == 50 - len(frames)


def test_closing_early_closes_the_file(tmp_path):
    stream = decode(clip(tmp_path / "in.mp4"))
    assert len(list(islice(stream, 2))) == 2
    stream.close()
    assert next(stream, None) is None


def test_a_missing_file_is_said_at_the_first_frame(tmp_path):
    with pytest.raises(InputMissing):
        next(decode(tmp_path / "none.mp4"))
