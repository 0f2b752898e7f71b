"""Random numbers that belong to somebody: a pure function of (seed, stream, index, draw).

No generator is carried along. The same lead gets the same numbers whichever chunk it falls in and however many leads
there are, and one more draw in one stream moves nothing in another. The function is splitmix64, which passes BigCrush.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]
Index = npt.NDArray[np.integer[Any]]

GOLDEN = 0x9E3779B97F4A7C15
MAX_EXACT_MEAN = 40.0
"""Above this mean a Poisson count is drawn from its normal limit: nothing the truth depends on is that large."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Random numbers for a seed. `index` says whose they are, `stream` what for, `draw` which one of several.

    >>> draws = Draws(1)
    >>> bool((draws.uniform("a", np.arange(5))[2:] == draws.uniform("a", np.arange(2, 5))).all())
    True
    """

    seed: int

    def uniform(self, stream: str, index: Index, draw: Index | int = 0) -> Floats:
        """Numbers between 0 and 1, never either of them."""
        bits = self._bits(stream, index, draw)
        bits >>= np.uint64(11)
        found: Floats = bits.astype(np.float64)
        found += 0.5
        found *= 2.0**-53
        return found

    def normal(self, stream: str, index: Index, draw: int = 0) -> Floats:
        """Standard normal numbers (Box and Muller)."""
        radius = np.sqrt(-2.0 * np.log(self.uniform(stream, index, 2 * draw + 1)))
        angle = self.uniform(stream, index, 2 * draw + 2)
        found: Floats = radius * np.cos(2.0 * np.pi * angle)
        return found

    def choice(self, stream: str, index: Index, shares: Floats, row: Index | int = 0) -> Codes:
        """A code for each index, with the probabilities in `shares`, or in its row `row` when it has several rows."""
        table = np.atleast_2d(shares)
        limits = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)
        limits[:, -1] = 1.0
        limits += np.arange(len(table))[:, None]
        place = np.searchsorted(limits.ravel(), self.uniform(stream, index) + row, side="right")
        found: Codes = np.minimum(place - row * table.shape[1], table.shape[1] - 1).astype(np.int8)
        return found

    def poisson(self, stream: str, index: Index, mean: Floats) -> Ints:
        """Counts with the given means."""
        uniform = self.uniform(stream, index)
        count = np.zeros(len(uniform), dtype=np.int64)
        few = np.flatnonzero(mean <= MAX_EXACT_MEAN)
        count[few] = _poisson_by_inversion(uniform[few], mean[few])
        many = np.flatnonzero(mean > MAX_EXACT_MEAN)
        z = self.normal(stream, index[many])
        count[many] = np.maximum(0, np.rint(mean[many] + np.sqrt(mean[many]) * z)).astype(np.int64)
        return count

    def _bits(self, stream: str, index: Index, draw: Index | int) -> npt.NDArray[np.uint64]:
        key = int.from_bytes(blake2b(f"{self.seed}/{stream}".encode(), digest_size=8).digest(), "little")
        bits = index.astype(np.uint64)
        bits *= np.uint64(GOLDEN)
        bits += np.uint64(key)
        _mix(bits)
        if isinstance(draw, int) and draw == 0:
            return bits
        bits += np.asarray(draw).astype(np.uint64) * np.full(1, GOLDEN, dtype=np.uint64)
        return _mix(bits)


def _mix(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Finish splitmix64, in place."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits ^= bits >> np.uint64(shift)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return bits


def _poisson_by_inversion(uniform: Floats, mean: Floats) -> Ints:
    """Walk up the distribution function until it passes the uniform number."""
    count = np.zeros(len(uniform), dtype=np.int64)
    left, term = np.arange(len(uniform)), np.exp(-mean)
    total = term.copy()
    for k in range(1, int(4 * MAX_EXACT_MEAN)):
        go = uniform[left] > total
        left, term, total = left[go], term[go], total[go]
        if not len(left):
            break
        term = term * mean[left] / k
        total = total + term
        count[left] = k
    return count
