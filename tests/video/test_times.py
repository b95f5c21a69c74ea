"""What is shown when: rates that nobody states, clocks that jump or begin late, pictures that stay."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.shared import shared
from tests.video.make import clip, picture
from vidinv.stages.encode import encode
from vidinv.types import Frame
from vidinv.video import Reader, container, frame_at, probe
from vidinv.video.spans import read_spans
from vidinv.video.timing import believed_rate

JITTERED = [33 * i + 4 * (i % 3) for i in range(40)]  # milliseconds


def read(path: Path) -> list[Frame]:
    with Reader(path) as reader:
        return list(reader)


def seconds(frames: list[Frame]) -> np.ndarray:
    return np.array([float(frame.time) for frame in frames])


def again(src: Path, dst: Path) -> tuple[list[Frame], list[str]]:
    """Written without an edit, and read once more."""
    told: list[str] = []
    with Reader(src) as reader:
        list(encode(reader, dst, reader.info, warn=told.append))
    return read(dst), told


@pytest.mark.parametrize("stated", [1000, 90, 1])
def test_a_rate_that_the_times_belie_is_counted(tmp_path: Path, stated: int) -> None:
    base = Fraction(1, 1000)
    path = clip(tmp_path / "in.mkv", rate=Fraction(stated), time_base=base, times=JITTERED, audio=())
    with Reader(path) as reader:
        assert 30 <= reader.info.rate <= 31
        assert [f.time * 1000 for f in reader] == JITTERED


def test_a_rate_that_the_times_bear_out_stays_as_stated(tmp_path: Path) -> None:
    rate = Fraction(24000, 1001)
    for suffix in (".mp4", ".mkv"):
        with Reader(clip(tmp_path / f"in{suffix}", rate=rate, time_base=1 / rate, audio=())) as reader:
            assert abs(reader.info.rate / rate - 1) < 1e-4


def test_a_pause_in_a_recording_does_not_slow_its_rate(tmp_path: Path) -> None:
    times = [40 * i + (8000 if i >= 20 else 0) for i in range(40)]
    path = clip(tmp_path / "in.mp4", time_base=Fraction(1, 1000), times=times, audio=())
    with Reader(path) as reader:
        assert reader.info.rate == 25


@pytest.mark.parametrize("rate", [50, 12])
def test_a_raw_stream_keeps_the_rate_that_its_pictures_state(tmp_path: Path, rate: int) -> None:
    path = clip(tmp_path / "in.h264", rate=Fraction(rate), time_base=Fraction(1, rate), count=12, audio=())
    written, _ = again(path, tmp_path / "out.mp4")
    assert np.diff(seconds(written)) == pytest.approx(1 / rate)
    with Reader(path) as reader:
        assert any("no times" in w for w in reader.warnings)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_pictures_that_avi_stores_out_of_order_are_shown_in_order(tmp_path: Path, codec: str) -> None:
    options, base = {"bf": "2", "qmin": "2", "qmax": "4"}, Fraction(1, 25)
    path = clip(tmp_path / "in.avi", codec=codec, options=options, time_base=base, count=20, audio=())
    frames = read(path)
    assert [f.time * 25 for f in frames] == list(range(20))
    assert all(np.abs(f.image.astype(int) - picture(f.index, 128, 96)).mean() < 12 for f in frames)


def joined(folder: Path, *, count: int = 15, start: Fraction = Fraction(0)) -> Path:
    """Two recordings, whose clocks begin alike, as one file."""
    base, step = Fraction(1, 90000), 3600
    parts = []
    for name, first in (("a", 0), ("b", round(start / base))):
        times = [first + step * i for i in range(count)]
        path = clip(folder / f"{name}.ts", time_base=base, times=times, audio_start=start if first else Fraction(0))
        parts.append(path.read_bytes())
    path = folder / "joined.ts"
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize("hours", [0, 2])
def test_two_recordings_that_were_joined_become_one(tmp_path: Path, hours: int) -> None:
    """Whether the second one's clock begins like the first one's, or far ahead."""
    path = joined(tmp_path, start=Fraction(3600 * hours))
    written, told = again(path, tmp_path / "out.mp4")
    times = seconds(written)
    assert len(times) == 30
    assert not told
    assert times[0] < 0.1
    assert times[-1] < 1.35
    assert np.diff(times).min() > 0
    assert np.diff(times).max() < 0.12
    spans = read_spans(tmp_path / "out.mp4")
    assert spans.audio is not None
    assert spans.audio[1] == pytest.approx(spans.video[1], abs=0.1)


@pytest.mark.parametrize("hours", [(0, 1), (1, 0)], ids=["forward", "back"])
def test_a_whole_recording_whose_clock_jumps_is_not_damaged(tmp_path: Path, hours: tuple[int, int]) -> None:
    data = b""
    for hour in hours:
        offset = {"container_options": {"output_ts_offset": str(3600 * hour)}} if hour else {}
        data += clip(tmp_path / "part.ts", count=50, **offset).read_bytes()
    path = tmp_path / "in.ts"
    path.write_bytes(data)
    with Reader(path) as reader:
        assert sum(1 for _ in reader) == 100
        assert reader.damage is None
        assert reader.info.duration is reader.info.frames is None


def test_the_length_of_a_recording_is_known_if_its_clock_is_seen_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clip(tmp_path / "in.ts", count=50)
    assert probe(path).frames == 50
    monkeypatch.setattr(container, "_LOOKED_THROUGH", 40)
    assert probe(path).frames is None


def test_one_packet_with_a_wrong_time_moves_nothing(tmp_path: Path) -> None:
    base = Fraction(1, 90000)
    times = [3600 * i for i in range(20)]
    plain = clip(tmp_path / "plain.ts", time_base=base, times=times, audio=(), options={"bf": "0", "crf": "12"})
    data = bytearray(plain.read_bytes())
    packets = [data[i : i + 188] for i in range(0, len(data), 188)]
    starts = [i for i, p in enumerate(packets) if p[1] & 0x40 and b"\0\0\1\xe0" in p]
    struck = packets[starts[10]]
    struck[bytes(struck).find(b"\0\0\1\xe0") + 10] ^= 0x10  # a high bit of its time
    broken = tmp_path / "broken.ts"
    broken.write_bytes(b"".join(bytes(p) for p in packets))
    times = seconds(read(broken))
    assert len(times) == 20
    assert times[-1] == pytest.approx(19 * 0.04, abs=0.05)


@pytest.mark.parametrize("suffix", [".mpg", ".ts", ".mkv"])
def test_a_clock_that_begins_at_an_hour_begins_at_nought(tmp_path: Path, suffix: str) -> None:
    base = Fraction(1, 1000) if suffix == ".mkv" else Fraction(1, 25)
    times = [round((3600 + Fraction(i, 25)) / base) for i in range(15)]
    codec, sound = ("mpeg2video", ("ac3",)) if suffix == ".mpg" else ("libx264", ("aac",))
    path = clip(
        tmp_path / f"in{suffix}", codec=codec, time_base=base, times=times, audio=sound, audio_start=Fraction(3600),
        options={"g": "12"},
    )  # fmt: skip
    written, _ = again(path, tmp_path / "out.mp4")
    spans = read_spans(tmp_path / "out.mp4")
    assert seconds(written)[0] < 0.2
    assert spans.video[1] < 0.9
    assert spans.audio is not None
    assert abs(spans.audio[0] - spans.video[0]) < 0.1


def test_chapters_begin_late_with_the_pictures(tmp_path: Path) -> None:
    base = Fraction(1, 1000)
    path = clip(tmp_path / "in.mkv", time_base=base, times=[5000 + 40 * i for i in range(25)], chapters=True, audio=())
    frames, _ = again(path, tmp_path / "out.mkv")
    assert frames[0].time == 0
    with av.open(str(tmp_path / "out.mkv")) as written:
        assert [float(one["start"] * one["time_base"]) for one in written.chapters()] == [0, 0.5]


def test_the_rate_of_a_long_file_is_counted_soon() -> None:
    times = range(0, 256 * 216_000, 256)  # an hour at 60 frames per second
    begun = time.process_time()
    assert believed_rate(Fraction(60), times, Fraction(1, 15360)) == 60
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_last_picture_stays_as_long_as_it_did(tmp_path: Path, suffix: str) -> None:
    """Slides: the length of the last one is in the stream's own record alone."""
    like = clip(tmp_path / f"like{suffix}", time_base=Fraction(1, 1000), times=[0, 40, 80, 120], audio=())
    with Reader(like) as reader:
        second = round(1 / reader.info.time_base)
        ticks = [0, second // 2, second * 9 // 10, second * 3 // 2]
        frames = [Frame(picture(i, 128, 96), i, tick, Fraction(tick, second)) for i, tick in enumerate(ticks)]
        frames[-1] = replace(frames[-1], stays=5 * second)
        list(encode(iter(frames), tmp_path / f"in{suffix}", reader.info))
    written, told = again(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}")
    assert [f.time * 1000 for f in written] == [0, 500, 900, 1500]
    assert not told
    with Reader(tmp_path / f"out{suffix}") as reader:
        list(reader)
        assert float(reader.info.duration) == pytest.approx(6.5, abs=0.01)
        assert reader.damage is None


def test_the_last_picture_stays_where_an_edit_list_hides_the_first_ones(tmp_path: Path) -> None:
    step, hidden = 512, 5
    src = clip(tmp_path / "in.mp4", count=20, audio=(), options={"crf": "12", "g": "100", "bf": "0"})
    with av.open(str(src)) as source, av.open(str(tmp_path / "cut.mp4"), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        packets[-1].duration = 50 * step
        for packet in packets:
            packet.pts, packet.dts, packet.stream = packet.pts - hidden * step, packet.dts - hidden * step, stream
            output.mux(packet)
    frames = read(tmp_path / "cut.mp4")
    assert len(frames) == 20 - hidden
    assert frames[-1].stays == 50 * step


def test_a_picture_that_begins_late_begins_late(tmp_path: Path) -> None:
    src = clip(tmp_path / "in.mp4", times=[25600 + 512 * i for i in range(20)], audio_start=Fraction(0))
    written, _ = again(src, tmp_path / "out.mp4")
    assert seconds(written) == pytest.approx(2 + np.arange(20) / 25)


CASES = {"03_chrome.webm": 30, "22_raw.h264": 30, "14_slides.mp4": Fraction(8, 3)}


@pytest.mark.parametrize("name", CASES)
def test_the_rates_of_real_files(name: str) -> None:
    with Reader(shared(f"cases/{name}")) as reader:
        assert reader.info.rate == CASES[name]


def test_a_real_file_of_two_recordings_is_one(tmp_path: Path) -> None:
    written, told = again(shared("cases/11_cat.ts"), tmp_path / "out.mp4")
    assert not told
    assert max(b - a for a, b in pairwise(seconds(written))) < 0.1
    spans = read_spans(tmp_path / "out.mp4")
    assert spans.audio is not None
    assert spans.audio[1] == pytest.approx(spans.video[1], abs=0.1)


def test_a_time_of_a_broadcast_is_counted_from_its_beginning(tmp_path: Path) -> None:
    path = joined(tmp_path)
    frames = read(path)
    for frame in (frames[4], frames[20]):
        found = frame_at(path, frame.time + Fraction(1, 100))
        assert found.time == frame.time
        assert np.array_equal(found.image, frame.image)


def told_otherwise(path: Path, times: list[int]) -> Path:
    """A clip without sound whose pictures say other times, milliseconds: what no muxer would write."""
    data = bytearray(clip(path, count=len(times), audio=(), options={"bf": "0", "preset": "ultrafast"}).read_bytes())
    at, left = 13, list(times)
    while at + 15 < len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        if data[at] == 9 and data[at + 12] == 1:  # a picture, and no end of them
            data[at + 4 : at + 7] = left.pop(0).to_bytes(3, "big")
        at += 15 + size
    assert not left
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("times", "fell"),
    [
        ([1000 - 40 * i for i in range(12)], 11),
        ([40 * i - (0 if i < 6 else 160) for i in range(12)], 6),
        ([40 * (i // 2) for i in range(12)], 0),  # pictures that are there twice
    ],
)
def test_pictures_whose_times_fall_back_are_shown_one_behind_the_other(
    tmp_path: Path, times: list[int], fell: int
) -> None:
    source = told_otherwise(tmp_path / "in.flv", times)
    with Reader(source) as reader:
        at = [float(frame.time or 0) for frame in reader]
        said = [told for told in reader.warnings if "fall back" in told]
        step = reader.info.step * float(reader.info.time_base)
    assert len(at) == 12
    assert all(b > a for a, b in pairwise(at))
    if fell:
        assert said == [
            f"the times of {fell} of 12 pictures fall back; each is shown a frame's time behind the one before it"
        ]
        assert at[-1] - at[0] == pytest.approx(step * 11, rel=0.15)
    else:
        assert not said
    made, _ = again(source, tmp_path / "out.mp4")
    assert len(made) == 12
