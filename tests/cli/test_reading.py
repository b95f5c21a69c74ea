"""What the options say, and what is printed of progress."""

import io

import pytest
from rich.console import Console

from vidinv.cli.options import read_edits
from vidinv.cli.progress import EVERY, lines, shown
from vidinv.edits.times import read_time
from vidinv.errors import UsageError
from vidinv.packs.locate import DEFAULT_PACK
from vidinv.stages.encode import EncodeOptions
from vidinv.types import Progress
from vidinv.video.encoder import CODECS


def test_edits_may_be_repeated_and_joined():
    assert [str(e) for e in read_edits(["age=+2,smile=1", "gender=-1@1s-2s"], ["all"])] == [
        "age=+2",
        "smile=+1",
        "gender=-1@1s-2s",
    ]


@pytest.mark.parametrize(
    ("texts", "persons"), [(["all"], None), (["0"], {0}), (["2", "0"], {2, 0}), (["1", "all"], None)]
)
def test_persons_are_those_of_every_edit_that_names_none_itself(texts, persons):
    everybody, one = read_edits(["age=+2", "3:smile=1"], texts)
    assert (everybody.persons, one.persons) == (persons, {3})


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2), ("2", 2), ("2.5s", 2.5), (".5", 0.5), ("1:02.5", 62.5), ("1:0:1s", 3601)]
)
def test_times(text, seconds):
    assert read_time(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1:", "2m", "nan", "1e3"])
def test_times_that_are_none(text):
    with pytest.raises(UsageError, match="cannot read the time"):
        read_time(text)


def test_help_names_every_encoder_and_the_defaults_are_those_of_the_api(invoke):
    text = " ".join(invoke("run", "--help").stdout.split()).replace("- ", "-")
    assert all(codec in text for codec in CODECS)
    defaults = EncodeOptions()
    assert defaults.codec is None
    for value in (
        "(libvpx-vp9 for .webm, else libx264)",
        defaults.preset,
        f"{defaults.crf:g}",
        defaults.backend,
        f"({DEFAULT_PACK})",
    ):
        assert f"[default: {value}]" in text


def test_without_a_terminal_progress_is_a_line_now_and_then():
    now, said = 0.0, []
    tell = lines(lambda: now, said.append)
    for frame in range(1, 302):
        tell(Progress(frame, 600, 2 * frame))
        now += 0.125
    assert said == [
        "81 of 600 frames, 8.0 frames/s, 65 s left, 162 faces",
        "161 of 600 frames, 8.0 frames/s, 55 s left, 322 faces",
        "241 of 600 frames, 8.0 frames/s, 45 s left, 482 faces",
    ]
    assert EVERY == 10


def test_without_a_total_nothing_is_promised():
    now, said = 0.0, []
    tell = lines(lambda: now, said.append)
    tell(Progress(1, None, 0))
    now = 12.5
    tell(Progress(26, None, 0))
    assert said == ["26 frames, 2.0 frames/s, 0 faces"]


def test_on_a_terminal_there_is_a_bar_that_goes_away():
    screen = io.StringIO()
    with shown(Console(file=screen, force_terminal=True, width=120, _environ={}), quiet=False) as tell:
        tell(Progress(5, 10, 7))
        tell(Progress(12, 10, 9))  # more frames than were declared
    assert "editing" in screen.getvalue()
    assert "12/12" in screen.getvalue()
    assert "9 faces" in screen.getvalue()
    assert "frames/s" in screen.getvalue()


def test_quiet_has_neither():
    screen = io.StringIO()
    with shown(Console(file=screen, force_terminal=True), quiet=True) as tell:
        tell(Progress(5, 10, 7))
    assert screen.getvalue() == ""
