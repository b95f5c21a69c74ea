"""What the source carries survives: times, geometry, colour tags, and everything beside the picture bit for bit."""

from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest

from tests.video.make import clip, other_packets, picture, psnr
from vidinv.video import EncoderSettings, Reader, Writer, muxer, probe

FINE = EncoderSettings(crf=10, preset="ultrafast")

KEPT = {
    "plain": ("mp4", {}),
    "variable-rate": ("mp4", {"times": [0, 512, 1500, 1600, 4000, 4001, 9000, 12000]}),
    "tagged-bt709": ("mp4", {"colour": (1, 1, 1, 1)}),
    "full-range": ("mp4", {"colour": (1, 1, 1, 2)}),
    "sar-15-16": ("mp4", {"sar": Fraction(15, 16)}),
    "rotated-90": ("mp4", {"rotation": 90}),
    "rotated-180": ("mp4", {"rotation": 180}),
    "rotated-270": ("mov", {"rotation": -90}),
    "mirrored": ("mp4", {"rotation": 90, "mirrored": True}),
    "rotated-matroska": ("mkv", {"rotation": 90}),
    "two-audio-tracks": ("mp4", {"audio": ("aac", "aac")}),
    "late-audio": ("mp4", {"audio_start": Fraction(1, 3)}),
    "pcm": ("mov", {"audio": ("pcm_s16le",)}),
    "mp4-subtitles-chapters": (
        "mp4",
        {"subtitles": "mov_text", "chapters": True, "metadata": {"title": "a", "artist": "b"}},
    ),
    "matroska-subtitles-chapters": ("mkv", {"subtitles": "subrip", "chapters": True, "metadata": {"title": "a"}}),
    "no-audio": ("mp4", {"audio": ()}),
    "4:4:4": ("mp4", {"pix_fmt": "yuv444p"}),
}


def copy(src, dst, settings=FINE, **options):
    """(info of the source, frames read, warnings of the writer)"""
    with Reader(src) as reader, Writer(dst, reader.info, settings, **options) as writer:
        frames = []
        for frame in reader:
            writer.write(frame)
            frames.append(frame)
    assert reader.damage is None
    return reader.info, frames, writer.warnings


def read(path):
    with Reader(path) as reader:
        return list(reader)


@pytest.mark.parametrize("kind", KEPT)
def test_everything_of_the_source_survives(tmp_path, kind):
    suffix, how = KEPT[kind]
    src, dst = clip(tmp_path / f"in.{suffix}", **how), tmp_path / f"out.{suffix}"
    before, frames, warnings = copy(src, dst)
    after, written = probe(dst), read(dst)
    assert warnings == []
    assert [f.pts * before.time_base for f in frames] == [f.time for f in written]
    for name in ("display_width", "display_height", "rotation", "matrix", "sample_aspect_ratio", "time_base", "colour"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.other_streams == before.other_streams
    assert after.stream_index == before.stream_index
    assert other_packets(dst) == other_packets(src)
    assert np.mean([psnr(a.image, b.image) for a, b in zip(frames, written, strict=True)]) > 40
    with av.open(str(src)) as a, av.open(str(dst)) as b:
        assert [(c["start"] * c["time_base"], c["metadata"]) for c in a.chapters()] == [
            (c["start"] * c["time_base"], c["metadata"]) for c in b.chapters()
        ]
        assert {k: a.metadata.get(k) for k in ("title", "artist")} == {
            k: b.metadata.get(k) for k in ("title", "artist")
        }


def test_constant_rate_and_duration_stay_exact(tmp_path):
    rate = Fraction(24000, 1001)
    src = clip(tmp_path / "in.mp4", rate=rate, time_base=Fraction(1, 24000))
    before, _, _ = copy(src, tmp_path / "out.mp4")
    after = probe(tmp_path / "out.mp4")
    assert (after.rate, after.frames) == (before.rate, before.frames)
    assert abs(after.duration - before.duration) < Fraction(1, 1000)


def test_the_last_picture_of_a_variable_rate_ends_where_the_video_ends(tmp_path):
    src = clip(tmp_path / "in.mkv", times=[0, 40, 120, 160, 700, 705, 900], time_base=Fraction(1, 1000), audio=())
    copy(src, tmp_path / "out.mp4")
    assert abs(probe(tmp_path / "out.mp4").duration - Fraction(900 + 40, 1000)) <= Fraction(1, 10)


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_frames_are_read_upright(tmp_path, rotation, turns):
    path = clip(tmp_path / "in.mp4", rotation=rotation, audio=(), count=3)
    frame = read(path)[0]
    assert frame.image.flags.c_contiguous
    assert psnr(frame.image, np.rot90(picture(0, 128, 96), turns)) > 33


def test_colours_are_right_with_and_without_tags(tmp_path):
    for name, colour in (("untagged", None), ("709", (1, 1, 1, 1)), ("full", (1, 1, 1, 2))):
        frames = read(clip(tmp_path / f"{name}.mp4", colour=colour, audio=(), count=2))
        flat = frames[0].image[60:90:2, 20:120:2].astype(int) - picture(0, 128, 96)[60:90:2, 20:120:2]
        assert np.abs(flat).mean() < 1.5, name


def test_conversion_alone_loses_no_brightness(tmp_path):
    """YUV -> RGB -> YUV gives the luma back to the bit: only the encoder may change pixels."""
    from vidinv.video.pixels import RgbConverter, YuvConverter

    path = clip(tmp_path / "in.mp4", size=(320, 240), audio=(), count=2, colour=(1, 1, 1, 1))
    info = probe(path)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    again = YuvConverter(info, "yuv420p")(RgbConverter(info)(frame))
    before, after = (f.to_ndarray().astype(int) for f in (frame, again))
    lost = np.abs(before - after)[80:240]  # above, the square's colour lies outside of RGB
    assert lost.max() <= 1
    assert (lost == 0).mean() > 0.99
    assert psnr(before[240:].astype(np.uint8), after[240:]) > 45


@pytest.mark.parametrize(("size", "suffix"), [((127, 95), "mp4"), ((128, 95), "mkv"), ((127, 96), "mp4")])
def test_odd_sizes_keep_their_size_and_say_how(tmp_path, size, suffix):
    src = clip(tmp_path / "in.mkv", size=size, codec="mpeg4", options={}, count=8)
    _, frames, warnings = copy(src, tmp_path / f"out.{suffix}")
    written = read(tmp_path / f"out.{suffix}")
    assert written[0].image.shape == (size[1], size[0], 3) == frames[0].image.shape
    assert any("odd" in w for w in warnings)


def test_ten_bit_422_is_read_at_eight_bit_and_keeps_its_chroma(tmp_path):
    src = clip(tmp_path / "in.mov", pix_fmt="yuv422p10le", count=5)
    with Reader(src) as reader:
        assert any("8 bits" in w for w in reader.warnings)
    copy(src, tmp_path / "out.mov")
    assert probe(tmp_path / "out.mov").pix_fmt == "yuv422p"


@pytest.mark.parametrize("codec", ["libx265", "libsvtav1", "libvpx-vp9", "mpeg4"])
def test_other_encoders_keep_times_and_colours(tmp_path, codec):
    src = clip(tmp_path / "in.mp4", times=[0, 512, 1500, 2048, 4000, 9000], time_base=Fraction(1, 90000))
    _, frames, _ = copy(src, tmp_path / "out.mkv" if codec == "libvpx-vp9" else tmp_path / "out.mp4",
                        EncoderSettings(codec=codec, crf=12, preset="ultrafast"))  # fmt: skip
    written = read(tmp_path / ("out.mkv" if codec == "libvpx-vp9" else "out.mp4"))
    tick = Fraction(1, 1000) if codec == "libvpx-vp9" else 0  # Matroska counts milliseconds
    offset = written[0].time - frames[0].time  # and moves everything so that nothing is negative
    assert all(abs(a.time + offset - b.time) <= tick for a, b in zip(frames, written, strict=True))
    assert np.mean([psnr(a.image, b.image) for a, b in zip(frames, written, strict=True)]) > 32


def test_broadcast_streams_keep_the_offset_between_sound_and_picture(tmp_path):
    src = clip(tmp_path / "in.ts", audio_start=Fraction(1, 3), count=40)
    copy(src, tmp_path / "out.mp4")

    def offset(path):
        with av.open(str(path)) as c:
            first = {s.type: None for s in c.streams}
            for p in c.demux():
                if p.pts is not None and (first[p.stream.type] is None or p.pts * p.time_base < first[p.stream.type]):
                    first[p.stream.type] = p.pts * p.time_base
        return first["audio"] - first["video"]

    assert abs(offset(src) - offset(tmp_path / "out.mp4")) < Fraction(1, 1000)


CLIPS = [
    "camera_pulls_back_480x908_aac.mp4", "extreme_closeup_960x720.mp4", "frontal_720p_aac.mp4",
    "glasses_expressions_sar15x16_aac.mp4", "hand_over_face_360p_23976.mp4", "no_face_at_all.mp4",
    "selfie_portrait_720x1280.mp4", "several_people_1080p_aac.mp4", "single_face_mp3_audio.mp4",
    "talking_portrait_540x960.mp4", "three_quarter_720p_aac.mp4", "vfr_hevc_cut_to_no_face.mov",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_real_clips_survive(tmp_path, shared_clips, name):
    src, dst = shared_clips / name, tmp_path / name
    times, quality, kept = [], [], []
    with Reader(src) as reader, Writer(dst, reader.info, FINE) as writer:
        before = reader.info
        for frame in reader:
            writer.write(frame)
            times.append(frame.time)
            kept += [frame.image] if frame.index % 40 == 0 else []
    assert (reader.damage, writer.warnings) == (None, [])
    with Reader(dst) as again:
        after = again.info
        written = []
        for frame in again:
            written.append(frame.time)
            quality += [psnr(frame.image, kept[frame.index // 40])] if frame.index % 40 == 0 else []
    assert written == times
    for what in ("display_width", "display_height", "rotation", "sample_aspect_ratio", "time_base", "colour"):
        assert getattr(after, what) == getattr(before, what), what
    assert other_packets(dst) == other_packets(src)
    assert abs(after.duration - before.duration) <= 1 / before.rate
    assert np.mean(quality) > 40


def test_reading_stops_early_without_trouble(tmp_path):
    with Reader(clip(tmp_path / "in.mp4")) as reader:
        assert len(list(islice(reader, 3))) == 3


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])  # MP4 has them a second time, as a track, which is no other loss
def test_chapters_without_an_end_are_left_out_and_said(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(muxer, "MOST_CHAPTERS", 1)
    _, _, warnings = copy(clip(tmp_path / f"in.{suffix}", chapters=True), tmp_path / f"out.{suffix}")
    assert warnings == [f"in.{suffix} has 2 chapters, and 1 are the most that are copied; they were left out"]
    with av.open(str(tmp_path / f"out.{suffix}")) as written:
        assert not written.chapters()
