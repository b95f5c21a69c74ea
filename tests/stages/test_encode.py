import pytest

from tests.video.make import clip
from vidinv.stages.decode import decode
from vidinv.stages.encode import EncodeOptions, encode
from vidinv.video import probe


@pytest.fixture
def src(tmp_path):
    return clip(tmp_path / "in.mp4")


def test_every_frame_is_handed_on_in_order_and_the_file_appears_at_the_end(tmp_path, src):
    dst = tmp_path / "out.mp4"
    stream = encode(decode(src), dst, probe(src), EncodeOptions(preset="ultrafast"))
    seen = [next(stream).index]
    assert not dst.exists()
    seen += [frame.index for frame in stream]
    assert seen == list(range(30))
    assert probe(dst).frames == 30


def test_closing_early_leaves_no_file(tmp_path, src):
    stream = encode(decode(src), tmp_path / "out.mp4", probe(src))
    next(stream)
    stream.close()
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_an_error_upstream_leaves_no_file(tmp_path, src):
    def broken():
        yield from list(decode(src))[:5]
        raise RuntimeError("upstream")

    with pytest.raises(RuntimeError, match="upstream"):
        list(encode(broken(), tmp_path / "out.mp4", probe(src)))
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_what_could_not_be_kept_is_told(tmp_path):
    src = clip(tmp_path / "in.mkv", size=(127, 95), codec="mpeg4", options={}, count=4)
    told = []
    list(encode(decode(src), tmp_path / "out.mp4", probe(src), warn=told.append))
    assert len(told) == 1
    assert "odd" in told[0]
