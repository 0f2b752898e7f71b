"""Pairs of levels that come together with more wins, or fewer, than each by itself brings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from leadlight.evaluate.arrays import Bools, Floats
from leadlight.insight.levels import Levels
from leadlight.insight.ratio import HALF, Ratio, beyond_chance
from leadlight.learn.tables import Places, sigmoid
from leadlight.scorecards.sentences import percent
from leadlight.spec.words import USUAL, Words

PAIRS = 8
"""How many pairs are named, at most."""
PAIRED = 200
"""How many levels are looked at in pairs; the most frequent."""
EXPECTED_WINS = 5.0
"""A pair is judged where at least so many wins were expected, or came."""
LARGEST_STEP = 3.0
"""By how much an effect may move at once, in log-odds."""
RIDGE = 0.1
"""How strongly single effects are drawn to none in the model that pairs are held against."""
LEAST = 1e-9
"""The least variance, so that none is zero."""
BLOCK = 8_192
"""Rows multiplied at once: what fits into the processor's cache."""
STEPS, CONVERGED = 25, 1e-2
"""Newton's method ends after so many steps, or when no effect (in log-odds) moves by more."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two levels that come together with more wins, or fewer, than what each brings by itself."""

    texts: tuple[str, str]
    count: int
    won: int
    expected: float
    """The wins to expect if each level only brought its own effect."""
    ratio: Ratio
    """Wins over expected wins."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the pair as plain JSON values."""
        return {
            "texts": list(self.texts), "count": self.count, "won": self.won, "expected": self.expected,
            "ratio": self.ratio.as_dict(),
        }  # fmt: skip

    def __str__(self) -> str:
        first, second = self.texts
        return (
            f"{first} with {second} ({self.count:,}): {percent(self.won / self.count)} {self.words.won}, "
            f"{percent(self.expected / self.count)} expected from each alone, {self.ratio}"
        )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Pairs of levels of two criteria, an entry each: places of the levels, cases, wins, and what was expected."""

    first: Places
    second: Places
    family: Places
    """Which two criteria."""
    count: Floats
    won: Floats
    expected: Floats
    spread: Floats
    """The variance of the wins, if nothing but single effects were at work."""
    free: Floats
    """The part of that variance that is left when the model has been fitted to the levels themselves."""


def find_pairs(levels: Sequence[Levels], won: Bools, support: int) -> tuple[Pair, ...]:
    """Find pairs of levels of two criteria that won more, or less, often than a model of single effects says.

    That model is a logistic regression over all levels at once, so that what two levels share with a third (the keen
    do everything more) is no pair of theirs. Judged are first the pairs of criteria as a whole, then the cells of those
    that hold more than chance (Benjamini and Bogomolov 2014, in two steps): there are thousands of cells.
    """
    hot, owner, names = _one_hot(levels, support)
    if hot.shape[1] < 2 or won.all() or not won.any():
        return ()
    cells = _cells(hot, owner, won, support)
    worth_looking = np.isin(cells.family, _families_beyond_chance(cells))
    z = (cells.won - cells.expected) / np.sqrt(cells.free)
    looked_at = np.flatnonzero(worth_looking)
    sure = looked_at[beyond_chance(2 * ndtr(-np.abs(z[looked_at])))]
    found = [_pair(cells, place, names) for place in sure]
    found = sorted((pair for pair in found if pair.ratio.certain), key=lambda pair: -pair.ratio.certain)
    return _without_echoes(found)[:PAIRS]


def _without_echoes(found: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return pairs in which no level comes more than twice: the rest mostly say the same from another side."""
    seen: Counter[str] = Counter()
    kept = []
    for pair in found:
        if max(seen[text] for text in pair.texts) < 2:
            kept.append(pair)
            seen.update(pair.texts)
    return tuple(kept)


def _cells(hot: Matrix, owner: Places, won: Bools, support: int) -> _Cells:
    """Count all pairs of levels together, by matrix products, and keep those that can tell something.

    `free` is the variance of an adjusted residual (Haberman 1973), with variances in the place of counts.
    """
    chance = _single_effects(hot, won)
    variance = chance * (1 - chance)
    count, wins = _together(hot), _together(hot[won])
    expected, spread = _together(hot, chance), _together(hot, variance)
    single, rest = np.diag(count), 1 - np.diag(spread) / variance.sum(dtype=np.float64)
    proper = np.triu(owner[:, None] != owner[None, :])
    proper &= (count >= support) & (count < np.minimum(single[:, None], single[None, :]))
    proper &= np.maximum(wins, expected) >= EXPECTED_WINS
    first, second = np.nonzero(proper)
    seen = [matrix[first, second] for matrix in (count, wins, expected, spread)]
    return _Cells(
        first=first,
        second=second,
        family=owner[first] * len(hot) + owner[second],
        count=seen[0],
        won=seen[1],
        expected=seen[2],
        spread=np.maximum(seen[3], LEAST),
        free=np.maximum(seen[3] * rest[first] * rest[second], LEAST),
    )


def _families_beyond_chance(cells: _Cells) -> Places:
    """Return the pairs of criteria whose cells together differ from single effects by more than chance (chi-square)."""
    families, place = np.unique(cells.family, return_inverse=True)
    total = np.bincount(place, weights=(cells.won - cells.expected) ** 2 / cells.spread, minlength=len(families))
    free = [
        max(len(at) - len(np.unique(cells.first[at])) - len(np.unique(cells.second[at])) + 1, 1)
        for at in (np.flatnonzero(place == number) for number in range(len(families)))
    ]
    return families[beyond_chance(chdtrc(np.array(free, np.float64), total))]


def _one_hot(levels: Sequence[Levels], support: int) -> tuple[Matrix, Places, list[str]]:
    """Return a column for each of the most frequent levels, the criterion each belongs to, and their names."""
    found = [
        (int(n), number, place)
        for number, item in enumerate(levels)
        for place, n in enumerate(np.bincount(item.place, minlength=len(item.names)))
        if support <= n < len(item.place)
    ]
    kept = sorted(sorted(found, key=lambda item: -item[0])[:PAIRED], key=lambda item: item[1:])
    size = len(levels[0].place) if levels else 0
    hot: Matrix = np.zeros((size, len(kept)), np.float32)
    for column, (_, number, place) in enumerate(kept):
        hot[:, column] = levels[number].place == place
    owner = np.array([number for _, number, _ in kept], np.int64)
    return hot, owner, [levels[number].names[place] for _, number, place in kept]


def _together(hot: Matrix, weight: Matrix | None = None) -> Floats:
    """Return the sums of weights (cases, unless told) over the rows that have both of two columns, block by block."""
    found = np.zeros((hot.shape[1], hot.shape[1]))
    for start in range(0, len(hot), BLOCK):
        block = hot[start : start + BLOCK]
        found += block.T @ (block if weight is None else block * weight[start : start + BLOCK, None])
    return found


def _single_effects(hot: Matrix, won: Bools) -> Matrix:
    """Return each case's chance of a win by the effects of single levels.

    A logistic regression with a ridge penalty, solved by Newton's method: with one column a level this is a few
    matrix products, over all cases, so that the wins expected of each level are those that came.
    """
    columns = np.hstack([np.ones((len(hot), 1), np.float32), hot])
    penalty = np.diag([LEAST, *[RIDGE] * hot.shape[1]])
    effects = np.zeros(columns.shape[1])
    effects[0] = math.log(won.mean() / (1 - won.mean()))
    for _ in range(STEPS):
        chance: Matrix = sigmoid(columns @ effects.astype(np.float32)).astype(np.float32)
        slope = (columns.T @ (won - chance)).astype(np.float64) - penalty @ effects
        step = np.linalg.solve(_together(columns, chance * (1 - chance)) + penalty, slope)
        # With many levels (words of texts) and few wins a full step may overshoot to where every case is certain.
        effects += step * min(1.0, LARGEST_STEP / max(float(np.abs(step).max()), LEAST))
        if np.abs(step).max() < CONVERGED:
            break
    found: Matrix = sigmoid(columns @ effects.astype(np.float32)).astype(np.float32)
    return found


def _pair(cells: _Cells, place: int, names: Sequence[str]) -> Pair:
    """Return a pair with the interval of its wins over those expected (of which the model is taken as known)."""
    count, won, expected = (float(column[place]) for column in (cells.count, cells.won, cells.expected))
    error = math.sqrt(1 / (won + HALF) - 1 / (count + 1))
    ratio = Ratio.of_log(math.log((won + HALF) / (expected + HALF)), error)
    return Pair((names[cells.first[place]], names[cells.second[place]]), int(count), int(won), expected, ratio)
