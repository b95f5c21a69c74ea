"""Faces are looked at once more, and no network is asked twice about one picture."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from torch import nn

from tests.stages.test_assess import CPU, Means, rendered
from vidinv.report.quality import Instruments, QualityOptions, start
from vidinv.runtime.steps import Latest, run
from vidinv.stages.assess import AssessState, assess
from vidinv.stages.score import ScoreOptions, Scorers, ScoreState, score
from vidinv.types import Faces


def finished(count: int, net: nn.Module) -> list[Faces]:
    """Assessed frames with what came of them."""
    texture = np.random.default_rng(0).integers(40, 200, (20, 20, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    pictures = (replace(rendered(i).frame, image=texture) for i in range(count))
    frames = [replace(rendered(i), frame=picture, output=picture) for i, picture in enumerate(pictures)]
    return list(run("assess", partial(assess, identity=net, compute=CPU), AssessState(), frames))


def scored(stream: list[Faces], net: nn.Module, instruments: Instruments | None, batch: int = 8) -> ScoreState:
    quality = None if instruments is None else start(instruments.options)
    figures = Latest(ScoreState(quality=quality))
    looking = partial(score, scorers=Scorers(net, None, CPU, instruments), options=ScoreOptions(batch))
    list(run("score", looking, figures.state, stream, figures))
    return figures.state


@pytest.mark.parametrize("full", [False, True])
def test_every_picture_of_a_face_is_embedded_once(full: bool) -> None:
    net = Means()
    instruments = Instruments(None, CPU, QualityOptions()) if full else None
    scored(finished(10, net), net, instruments)
    assert sum(net.seen) == 10 * 4  # crop, inversion and drawn edit before the change goes in, then what came of it


def test_what_an_assessment_brought_along_counts_as_if_it_were_computed_here() -> None:
    stream = finished(10, Means())
    alone = [one.each(lambda face: replace(face, assessment=None)) for one in stream]
    shared, anew = (scored(some, Means(), None).tally.persons[0] for some in (stream, alone))
    assert shared.to_source == pytest.approx(anew.to_source, abs=1e-6)
    assert shared.local == pytest.approx(anew.local, abs=1e-6)


def test_a_full_report_changes_nothing_of_what_every_run_counts() -> None:
    stream, instruments = finished(10, Means()), Instruments(None, CPU, QualityOptions())
    plain, full = scored(stream, Means(), None), scored(stream, Means(), instruments)
    assert plain.tally.persons[0].to_source == full.tally.persons[0].to_source
    assert full.quality is not None
    assert full.quality.figures["psnr"].count == 2
