"""What is asked for and what there is, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NOBODY = -1
"""The pool of those who wait."""
SLACK = 1e-9
"""The share of a capacity by which sums of floats may overrun it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Those who ask, the first in rank first: `need` of each resource (n × r; NaN where not known) and `value`.

    `kind` says which row of `Supply.eligible` holds for each.
    """

    need: Floats
    value: Floats
    kind: Ints

    def __len__(self) -> int:
        """How many ask."""
        return len(self.value)

    def take(self, which: Any) -> Demand:
        """Return some of them."""
        return Demand(self.need[which], self.value[which], self.kind[which])


@dataclass(frozen=True, slots=True)
class Supply:
    """The pools: `capacity` of each resource (p × r), and which kinds of demand each may serve (`eligible`, k × p)."""

    capacity: Floats
    eligible: Bools

    @property
    def limit(self) -> Floats:
        """The capacity with the slack that sums of floats need."""
        return np.asarray(self.capacity * (1 + SLACK) + SLACK * (self.capacity > 0))

    def after(self, demand: Demand, pool: Ints) -> Supply:
        """Return what is left once those with a pool have been served."""
        return Supply(np.maximum(self.capacity - used(demand, pool, self), 0.0), self.eligible)


def used(demand: Demand, pool: Ints, supply: Supply) -> Floats:
    """Return how much of each pool's resources is given away (p × r)."""
    served = pool != NOBODY
    total = np.zeros_like(supply.capacity)
    np.add.at(total, pool[served], demand.need[served])
    return total


@dataclass(frozen=True, slots=True)
class Signatures:
    """The different needs there are: rows of `need` and `kind`, and which of them each lead has (`of`)."""

    need: Floats
    kind: Ints
    of: Ints

    @staticmethod
    def find(demand: Demand) -> Signatures:
        """Return the signatures of a demand; leads of one signature can be served in just the same places."""
        table = np.column_stack([demand.kind.astype(np.float64), demand.need])
        order = np.lexsort(table.T[::-1])
        ordered = table[order]
        same = (ordered[1:] == ordered[:-1]) | (np.isnan(ordered[1:]) & np.isnan(ordered[:-1]))
        first = np.concatenate([[True], ~same.all(axis=1)]) if len(table) else np.zeros(0, np.bool_)
        of = np.empty(len(table), np.int64)
        of[order] = np.cumsum(first) - 1
        rows = ordered[first]
        return Signatures(rows[:, 1:], rows[:, 0].astype(np.int64), of)

    def fits(self, supply: Supply) -> Bools:
        """Return whether each signature could be served by each pool if it stood alone (s × p).

        One pool after the other, so that memory holds s × p bits and no more.
        """
        found = np.zeros((len(self.kind), len(supply.capacity)), np.bool_)
        for pool, limit in enumerate(supply.limit):
            found[:, pool] = supply.eligible[self.kind, pool] & (self.need <= limit).all(axis=1)
        return found
