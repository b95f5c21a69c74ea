"""The protocol of all edits: what an edit makes of a face's code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from vidinv.faces.regions import Touch
from vidinv.types import Code, Face


class Edit(Protocol):
    """Something that is done to a person's faces; it knows to whom, when and how strongly."""

    def acts(self, face: Face, time: float) -> bool:
        """Does it do anything to this face at this time (seconds)? Then :meth:`apply` is asked."""
        ...

    def apply(self, code: Code, face: Face, time: float) -> tuple[Code, float]:
        """Edit one face of one frame.

        :param code: what to start from: the face's smoothed code, or what another edit made of it.
        :param face: the record with all that is known before: person, place, crop, its own code.
        :param time: of the frame, seconds.
        :return: the edited code, and how many steps of the edit act here, without sign; 0 where it leaves w and F as
            they are.
        """
        ...

    def touches(self, face: Face, time: float) -> Sequence[Touch]:
        """Where on the face it acts, as ``EditSpec.region`` says, how much of it acts there at this time, and in whose
        colours. Of several edits at once the union counts."""
        ...


@runtime_checkable
class AppliesTogether(Protocol):
    """An edit that asks a network, which takes several faces more quickly together than one by one."""

    def apply_together(
        self, codes: Sequence[Code], faces: Sequence[Face], times: Sequence[float]
    ) -> list[tuple[Code, float]]:
        """:meth:`Edit.apply` of each."""
        ...


def apply_each(
    edit: Edit, codes: Sequence[Code], faces: Sequence[Face], times: Sequence[float]
) -> list[tuple[Code, float]]:
    """:meth:`Edit.apply` of each, together where the edit knows how."""
    if isinstance(edit, AppliesTogether):
        return edit.apply_together(codes, faces, times)
    return [edit.apply(*each) for each in zip(codes, faces, times, strict=True)]
