"""Who the ideal buyer is: what the won have more often than all, criterion by criterion, and which pairs matter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from leadlight.engines.base import Engine
from leadlight.evaluate.arrays import Bools, Floats
from leadlight.expr.types import Type
from leadlight.insight.cases import SAMPLE, WON, Cases, in_days, only_leads, past_cases, scored_cases
from leadlight.insight.levels import Levels, columns, levels
from leadlight.insight.ratio import HALF, Ratio, log_lift
from leadlight.learn.tables import Places, sigmoid
from leadlight.scorecards.compile import Options, name_types
from leadlight.scorecards.sentences import amount, percent
from leadlight.spec.resolved import ResolvedCriterion, ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import fill

SUPPORT = 30
"""The fewest cases of a level, or of a pair of levels, that say anything."""
SHOWN = 6
"""How many levels of each kind a profile names, of each group of the scorecard."""
PAIRS = 8
"""How many pairs it names."""
PAIRED = 200
"""How many levels are looked at in pairs; the most frequent."""
EXPECTED_WINS = 5.0
"""A pair is judged where at least so many wins were expected, or came."""
FALSE_SHARE = 0.05
"""The share of pairs named that may be chance (Benjamini and Hochberg 1995)."""
EQUAL = 0.05
"""Points that differ by less count as the same."""
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
class Level:
    """One level of a criterion: how often the won have it, how often all, and the points it gives."""

    key: str
    """The criterion's key."""
    group: str
    criterion: str
    text: str
    """The criterion and the level in words."""
    count: int
    won: int
    share_won: float
    """Its share among the won."""
    share_all: float
    lift: Ratio
    """Its share among the won over its share among all; so much more often than others it was won."""
    points: float
    """The mean points it gives."""
    beyond: float
    """Those points, less the mean over all cases: what having it changes in a score."""

    @property
    def adds(self) -> float:
        """How much it adds to buying and to the score: log2 of the lift × points beyond the mean."""
        return math.log2(self.lift.value) * self.beyond

    def as_dict(self) -> dict[str, Any]:
        """Return the level as plain JSON values."""
        return {
            "key": self.key, "group": self.group, "criterion": self.criterion, "text": self.text, "count": self.count,
            "won": self.won, "share_won": self.share_won, "share_all": self.share_all, "lift": self.lift.as_dict(),
            "points": self.points, "beyond": self.beyond,
        }  # fmt: skip

    def __str__(self) -> str:
        return (
            f"{self.text} ({self.count:,}): {percent(self.share_won)} of the won, {percent(self.share_all)} of all, "
            f"{self.lift}, {amount(self.beyond)} points against the mean"
        )


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

    def as_dict(self) -> dict[str, Any]:
        """Return the pair as plain JSON values."""
        return {
            "texts": list(self.texts), "count": self.count, "won": self.won, "expected": self.expected,
            "ratio": self.ratio.as_dict(),
        }  # fmt: skip

    def __str__(self) -> str:
        first, second = self.texts
        return (
            f"{first} with {second} ({self.count:,}): {percent(self.won / self.count)} won, "
            f"{percent(self.expected / self.count)} expected from each alone, {self.ratio}"
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """The ideal buyer and the opposite, as a scorecard's criteria tell them apart in past cases.

    `ideal` and `anti` are levels whose lift is above (below) 1 beyond chance and whose points say so too, those that
    add most first. `contrary` are levels of which points and outcomes say the opposite: the scorecard's own blind
    spots. `pairs` matter beyond their singles. Intervals are 95 %.
    """

    entity: str
    scorecard: str
    version: str
    as_of: datetime
    ages: tuple[timedelta, ...]
    """How long after its creation each case was looked at."""
    horizon: timedelta
    cases: int
    won: int
    ideal: tuple[Level, ...]
    anti: tuple[Level, ...]
    contrary: tuple[Level, ...]
    pairs: tuple[Pair, ...]
    levels: tuple[Level, ...] = field(repr=False)
    """All levels that occur, criterion by criterion."""

    @property
    def rule(self) -> str:
        """How the cases came about, in a sentence."""
        *earlier, last = [f"{in_days(age):g}" for age in self.ages]
        ages = f"{', '.join(earlier)} or {last}" if earlier else last
        return (
            f"{self.cases:,} past {self.entity} cases, each as it stood {ages} days after its creation; {self.won:,} "
            f"({percent(self.won / self.cases)}) were won within {in_days(self.horizon):g} days after that"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as plain JSON values."""
        return {
            "entity": self.entity,
            "scorecard": self.scorecard,
            "version": self.version,
            "as_of": self.as_of.isoformat() + "Z",
            "ages_days": [in_days(age) for age in self.ages],
            "horizon_days": in_days(self.horizon),
            "cases": self.cases,
            "won": self.won,
            "ideal": [level.as_dict() for level in self.ideal],
            "anti": [level.as_dict() for level in self.anti],
            "contrary": [level.as_dict() for level in self.contrary],
            "pairs": [pair.as_dict() for pair in self.pairs],
            "levels": [level.as_dict() for level in self.levels],
        }

    def __str__(self) -> str:
        parts: list[tuple[str, Sequence[Level | Pair]]] = [
            ("The won are more often", self.ideal),
            ("The won are less often", self.anti),
            ("Points and outcomes disagree", self.contrary),
            ("Together more, or less, than each alone", self.pairs),
        ]
        lines = [f"Ideal {self.entity} by {self.scorecard} as of {self.as_of:%Y-%m-%d}", self.rule]
        for title, items in parts:
            lines += [title, *(f"  {item}" for item in items)] if items else []
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one criterion shows in the cases."""

    criterion: ResolvedCriterion
    levels: Levels
    points: Floats


def profile(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    support: int = SUPPORT,
    sample: int | None = SAMPLE,
) -> Profile:
    """Hold what the won are and do against what all are and do, as far as it was known then.

    Each past lead is looked at once, at its creation or one of `learn: moments` after it, which of them is drawn from
    its id (see `insight.cases`); so nothing counts that came after, and least of all after the outcome. Levels
    with fewer than `support` cases are counted and never named as ideal. At most `sample` cases are drawn.

    Raises UsageError for a scorecard of accounts or a workspace without `outcome`, NotFoundError without past wins.
    """
    only_leads(scorecard, "a profile")
    with (
        past_cases(engine, workspace, as_of, [timedelta(0), *workspace.spec.learn.moments], sample=sample) as cases,
        scored_cases(engine, workspace, scorecard, cases, options=Options(evidence=True)) as table,
    ):
        won: Bools = engine.arrow(fill("SELECT {won} FROM {table}", won=WON, table=table)).column(0).to_numpy()
        types = name_types(workspace.with_features(scorecard.features))
        facts = [_facts(engine, criterion, table, types) for criterion in scorecard.criteria]
    found = [level for item in facts for level in _levels(item, won)]
    return _profile(workspace, scorecard, as_of, cases, won, found, support, _pairs(facts, won, support))


def _profile(
    workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, as_of: datetime, cases: Cases, won: Bools,
    found: list[Level], support: int, pairs: tuple[Pair, ...],
) -> Profile:  # fmt: skip
    sure = [level for level in found if level.count >= support and level.lift.certain]
    by_adding = sorted(sure, key=lambda level: -level.adds)
    agreeing = [level for level in by_adding if level.adds > 0 and abs(level.beyond) >= EQUAL]
    contrary = [level for level in by_adding[::-1] if level.adds < 0 and abs(level.beyond) >= EQUAL]
    return Profile(
        entity=workspace.spec.entity,
        scorecard=scorecard.name,
        version=scorecard.version,
        as_of=as_of,
        ages=cases.ages,
        horizon=cases.horizon,
        cases=len(won),
        won=int(won.sum()),
        ideal=_of_each_group([level for level in agreeing if level.beyond > 0]),
        anti=_of_each_group([level for level in agreeing if level.beyond < 0]),
        contrary=_of_each_group(contrary),
        pairs=pairs,
        levels=tuple(found),
    )


def _of_each_group(found: Sequence[Level]) -> tuple[Level, ...]:
    """Return the first of each group of the scorecard, so that what people do leaves room for who they are."""
    seen: Counter[str] = Counter()
    kept = []
    for level in found:
        seen[level.group] += 1
        kept += [level] if seen[level.group] <= SHOWN else []
    return tuple(kept)


def _facts(engine: Engine, criterion: ResolvedCriterion, table: str, types: Mapping[str, Type]) -> _Facts:
    """Read what one criterion saw: a criterion at a time, so that wide scorecards fit into memory."""
    names = list(dict.fromkeys([criterion.key, *columns(criterion)]))
    rows: pa.Table = engine.arrow(fill("SELECT {names} FROM {table}", names=names, table=table))
    return _Facts(criterion, levels(criterion, rows, types), rows.column(criterion.key).to_numpy())


def _levels(facts: _Facts, won: Bools) -> list[Level]:
    """Count cases, wins and points of each level that occurs."""
    size, place = len(facts.levels.names), facts.levels.place
    n = np.bincount(place, minlength=size).astype(np.float64)
    wins = np.bincount(place, weights=won, minlength=size).astype(np.float64)
    points = np.bincount(place, weights=facts.points, minlength=size)
    total, all_wins, mean = len(won), int(won.sum()), float(facts.points.mean())
    occurs = np.flatnonzero(n)
    log, error = log_lift(wins[occurs], n[occurs], all_wins, total)
    return [
        Level(
            key=facts.criterion.key,
            group=facts.criterion.group,
            criterion=facts.criterion.spec.name,
            text=facts.levels.names[i],
            count=int(n[i]),
            won=int(wins[i]),
            share_won=float(wins[i] / all_wins),
            share_all=float(n[i] / total),
            lift=Ratio.of_log(float(log[j]), float(error[j])),
            points=float(points[i] / n[i]),
            beyond=float(points[i] / n[i] - mean),
        )
        for j, i in enumerate(occurs)
    ]


# ------------------------------------------------------------------------------------------------------------- pairs


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


def _pairs(facts: Sequence[_Facts], won: Bools, support: int) -> tuple[Pair, ...]:
    """Find pairs of levels of two criteria that won more, or less, often than a model of single effects says.

    That model is a logistic regression over all levels at once, so that what two levels share with a third (the keen
    do everything more) is no pair of theirs. Judged are first the pairs of criteria as a whole, then the cells of those
    that hold more than chance (Benjamini and Bogomolov 2014, in two steps): there are thousands of cells.
    """
    hot, owner, names = _one_hot(facts, support)
    if hot.shape[1] < 2 or won.all() or not won.any():
        return ()
    cells = _cells(hot, owner, won, support)
    worth_looking = np.isin(cells.family, _families_beyond_chance(cells))
    z = (cells.won - cells.expected) / np.sqrt(cells.free)
    looked_at = np.flatnonzero(worth_looking)
    sure = looked_at[_beyond_chance(2 * ndtr(-np.abs(z[looked_at])))]
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
    return families[_beyond_chance(chdtrc(np.array(free, np.float64), total))]


def _one_hot(facts: Sequence[_Facts], support: int) -> tuple[Matrix, Places, list[str]]:
    """Return a column for each of the most frequent levels, the criterion each belongs to, and their names."""
    found = [
        (int(n), number, place)
        for number, item in enumerate(facts)
        for place, n in enumerate(np.bincount(item.levels.place, minlength=len(item.levels.names)))
        if support <= n < len(item.levels.place)
    ]
    kept = sorted(sorted(found, key=lambda item: -item[0])[:PAIRED], key=lambda item: item[1:])
    size = len(facts[0].levels.place) if facts else 0
    hot: Matrix = np.zeros((size, len(kept)), np.float32)
    for column, (_, number, place) in enumerate(kept):
        hot[:, column] = facts[number].levels.place == place
    owner = np.array([number for _, number, _ in kept], np.int64)
    return hot, owner, [facts[number].levels.names[place] for _, number, place in kept]


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
    penalty = np.diag([0.0, *[RIDGE] * hot.shape[1]])
    effects = np.zeros(columns.shape[1])
    effects[0] = math.log(won.mean() / (1 - won.mean()))
    for _ in range(STEPS):
        chance: Matrix = sigmoid(columns @ effects.astype(np.float32)).astype(np.float32)
        slope = (columns.T @ (won - chance)).astype(np.float64) - penalty @ effects
        step = np.linalg.solve(_together(columns, chance * (1 - chance)) + penalty, slope)
        effects += step
        if np.abs(step).max() < CONVERGED:
            break
    return chance


def _beyond_chance(p: Floats) -> Bools:
    """Return which of many findings are more than chance, from their p-values (Benjamini and Hochberg 1995).

    >>> _beyond_chance(np.array([0.001, 0.04, 0.9])).tolist()
    [True, False, False]
    """
    ranked = np.sort(p)
    passing = np.flatnonzero(ranked <= FALSE_SHARE * np.arange(1, len(p) + 1) / max(len(p), 1))
    limit = ranked[passing[-1]] if len(passing) else -1.0
    found: Bools = p <= limit
    return found


def _pair(cells: _Cells, place: int, names: Sequence[str]) -> Pair:
    """Return a pair with the interval of its wins over those expected (of which the model is taken as known)."""
    count, won, expected = (float(column[place]) for column in (cells.count, cells.won, cells.expected))
    error = math.sqrt(1 / (won + HALF) - 1 / (count + HALF))
    ratio = Ratio.of_log(math.log((won + HALF) / (expected + HALF)), error)
    return Pair((names[cells.first[place]], names[cells.second[place]]), int(count), int(won), expected, ratio)
