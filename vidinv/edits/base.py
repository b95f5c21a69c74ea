"""The protocol of all edits: what an edit makes of a face's code."""

from __future__ import annotations

from typing import Protocol

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
        :return: the edited code, and how many steps of the edit act here, without sign; 0 where it leaves the code as
            it is.
        """
        ...
