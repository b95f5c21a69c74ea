"""The two halves of the way as rows of stages: frames to codes, and codes to edited frames.

Threads exist only here, where it says ``prefetch``.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass
from functools import partial

from vidinv.edits.base import Edit
from vidinv.edits.held import Guard
from vidinv.edits.parse import Asked
from vidinv.errors import UsageError
from vidinv.inversion import Inverter, inverter_of
from vidinv.inversion.latent_file import LatentFile
from vidinv.packs.load import Pack
from vidinv.portraits import Recognition
from vidinv.runtime.compute import Compute
from vidinv.runtime.prefetch import prefetch, unforked
from vidinv.runtime.way import Way
from vidinv.stages.align import AlignOptions, AlignState, align
from vidinv.stages.assess import AssessOptions, AssessState, assess
from vidinv.stages.blend import BlendOptions, blend
from vidinv.stages.edit import EditOptions, EditState, edit
from vidinv.stages.gate import GateOptions, GateState, gate
from vidinv.stages.invert import InvertOptions, InvertState, invert
from vidinv.stages.pair_frames import put_under, with_pictures, without_pictures
from vidinv.stages.recognise import RecogniseOptions, recognise
from vidinv.stages.reidentify import ReidentifyOptions, ReidentifyState, reidentify
from vidinv.stages.restore import RestoreOptions, RestoreState, restore
from vidinv.stages.stabilise import StabiliseOptions, StabiliseState, stabilise
from vidinv.stages.synthesise import SynthesiseOptions, SynthesiseState, synthesise
from vidinv.types import Composite, Faces, Frame
from vidinv.video import Reader

Stream = Generator[Faces, None, None]  # closing it ends its threads

OPENED = {"decode", "detect", "align", "restore", "score", "encode"}  # stages that look at what waits in them
AHEAD = 4  # items each queue may hold: bounds memory, and is enough to smooth out the batches


@dataclass(frozen=True)
class Means:
    """What both halves work with."""

    pack: Pack
    compute: Compute
    batch: int  # faces per pass of a network


@dataclass(frozen=True)
class Plan:
    """What is to be done to codes."""

    asked: tuple[Asked, ...]  # as it was asked for
    edits: tuple[Edit, ...]  # what does it
    guard: Guard | None = None  # what is held; None: nothing
    people: Recognition | None = None  # who is called by a name; None: nobody


def analysed(found: Iterable[Faces], way: Way, means: Means, inverter: Inverter, pictures: bool = True) -> Stream:
    """What was found in the frames, to codes. A thread runs ahead with the faces; closing the stream ends it.

    :param pictures: frames keep their pictures; else they are let go of as soon as the crops are cut.
    """
    pack = means.pack
    placing = partial(align, options=AlignOptions(pack.resolution, pack.template, rate=way.rate))
    aligned = way.stage("align", placing, AlignState(), found)
    placed = prefetch(aligned if pictures else without_pictures(aligned), AHEAD, "vidinv-faces")
    numbered = reidentified(way.watch.elsewhere(placed), way, pack, means.compute)
    inverting = partial(
        invert, inverter=inverter, compute=means.compute, options=InvertOptions(means.batch, rate=way.rate)
    )
    return unforked(way.stage("invert", inverting, InvertState(), numbered))


def reidentified(placed: Iterable[Faces], way: Way, pack: Pack, compute: Compute) -> Iterable[Faces]:
    """Persons found again after cuts, where the pack can tell people apart; as they are elsewhere."""
    identity = pack.optional("identity")
    if identity is None or pack.crops.kind != "face":
        return placed
    options = ReidentifyOptions(rate=way.rate)
    knowing = partial(reidentify, identity=identity, compute=compute, options=options)
    return way.stage("reidentify", knowing, ReidentifyState(), placed)


def restored(file: LatentFile, frames: Iterable[Frame], way: Way, means: Means, pictures: bool = True) -> Stream:
    """Codes out of a file, with their frames. A thread runs ahead with the frames; closing the stream ends it.

    :param pictures: as of :func:`analysed`.
    """
    codes = file.faces(means.compute.device, way.states.get("decode", 0))
    under = way.watch.measure("read", put_under(frames, codes))
    again = None if file.manifest.features else inverter_of(means.pack, file.manifest.method)
    options = RestoreOptions(means.pack.resolution, means.batch)
    restoring = partial(restore, inverter=again, compute=means.compute, options=options)
    whole = way.stage("restore", restoring, RestoreState(), under)
    return way.watch.elsewhere(prefetch(whole if pictures else without_pictures(whole), AHEAD, "vidinv-faces"))


def looking(reader: Reader) -> Collection[str] | None:
    """Stages in which frames wait with their pictures; None: in all. See :func:`vidinv.streams.again_of`."""
    return OPENED if reader.info.is_large else None


def rendered(
    codes: Iterable[Faces],
    plan: Plan,
    composite: Composite,
    way: Way,
    means: Means,
    again: Reader | None = None,
) -> Stream:
    """Codes to edited frames. A thread runs ahead with the generator's pictures; closing the stream ends it.

    :param again: reads the frames once more, where the codes have no pictures; None: they have them.
    """
    if composite not in ("detail", "replace"):
        raise UsageError(f"no compositing called {composite!r}; there are detail, replace")
    pack, compute, batch, rate = means.pack, means.compute, means.batch, way.rate
    if (people := plan.people) is not None:
        knowing = partial(
            recognise,
            references=people.references,
            identity=people.identity,
            compute=compute,
            options=RecogniseOptions(rate=rate),
        )
        codes = way.stage("recognise", knowing, people.latest.state, codes, people.latest)
    editing = partial(edit, options=EditOptions(plan.edits, rate=rate, guard=plan.guard), compute=compute)
    edited = way.stage("edit", editing, EditState(), codes)
    drawing = partial(synthesise, generator=pack.generator, compute=compute, options=SynthesiseOptions(batch))
    drawn = prefetch(way.stage("synthesise", drawing, SynthesiseState(), edited), AHEAD, "vidinv-generator")
    assessing = partial(
        assess,
        identity=pack.optional("identity"),
        compute=compute,
        options=AssessOptions(batch, rate=rate),
        visibility=pack.optional("visibility"),
        parsing=pack.optional("parsing"),
    )
    assessed = way.stage("assess", assessing, AssessState(), way.watch.elsewhere(drawn))
    gated = way.stage("gate", partial(gate, options=GateOptions(rate=rate)), GateState(), assessed)
    steadying = partial(stabilise, options=StabiliseOptions(rate=rate))
    steady: Iterable[Faces] = way.stage("stabilise", steadying, StabiliseState(), gated)
    if again is not None:
        steady = way.watch.measure("decode again", with_pictures(steady, again))
    return unforked(way.stage("blend", partial(blend, options=BlendOptions(composite)), None, steady))
