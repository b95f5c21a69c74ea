"""When to look at somebody who comes, and what was seen of them so far, in embeddings of an identity network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sighting:
    """What was seen of a person so far."""

    total: NDArray[np.float32]  # [D], sum of unit embeddings
    looks: int
    last: int  # number of the frame in which they were looked at last

    @property
    def mean(self) -> NDArray[np.float32]:
        """[D], of length 1."""
        return np.asarray(self.total / max(float(np.linalg.norm(self.total)), 1e-6), np.float32)

    def with_all(self, other: Sighting | None) -> Sighting:
        """Both, of the same person."""
        if other is None:
            return self
        return Sighting(self.total + other.total, self.looks + other.looks, max(self.last, other.last))


def looked(before: Sighting | None, embedding: NDArray[np.float32], now: int) -> Sighting:
    """One look more. :param embedding: [D], of length 1. :param now: number of the frame."""
    return Sighting(embedding.copy(), 1, now).with_all(before)


@dataclass(frozen=True)
class Looking:
    """When somebody is looked at."""

    looks: int = 4  # at a person who comes
    every: float = 0.12  # seconds between them; the stage waits for the last of them
    again: float = 1.0  # seconds between further looks
    rate: float = 30.0  # frames per second

    @property
    def ahead(self) -> int:
        """Frames from the first of the looks at a person who comes to the last."""
        return (self.looks - 1) * max(1, round(self.every * self.rate))

    def due(self, before: Sighting | None, now: int) -> bool:
        """Is it time for another look in frame ``now``?"""
        if before is None:
            return True
        wait = self.every if self.is_coming(before) else self.again
        return now - before.last >= max(1, round(wait * self.rate))

    def is_coming(self, before: Sighting) -> bool:
        """Are there fewer looks than somebody who comes gets?"""
        return before.looks < self.looks


def matched(cosines: NDArray[np.float32], least: float) -> dict[int, int]:
    """Who is whom, decided for all together: the pairs above ``least`` that lie above it by most in all.

    :param cosines: [N, M]. :return: rows to columns; no two rows have the same, and rows that are like nobody none.
    """
    from scipy.optimize import linear_sum_assignment  # a large import, of use only where somebody comes back

    above = np.maximum(cosines - least, 0)
    rows, columns = linear_sum_assignment(above, maximize=True)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if cosines[i, j] >= least}
