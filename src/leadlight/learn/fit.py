"""Learning the tables: from examples to a sum of one- and two-feature tables in log-odds.

The steps, each with a file of its own: fine bins (bins), a sum of shrunk tables (additive), pairs that gain in other
periods (pairs), trial of every effect on the period that follows (stability), and bands for people (merge).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.errors import TooFewOutcomes, UsageError, did_you_mean
from leadlight.learn.additive import Block, Sum, fit_sum, plain_penalty, smooth_penalty
from leadlight.learn.bins import Binned, bin_features
from leadlight.learn.examples import Examples
from leadlight.learn.merge import Merged, merge_axis
from leadlight.learn.pairs import Pair, Side, choose_pairs, pair_codes, pair_term, side
from leadlight.learn.stability import Trial, forward_chain, held_out, intercept, newest, shares_kept, steepness
from leadlight.learn.tables import Axis, CategoryAxis, Tables, Term, sigmoid

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Rows = NDArray[np.int64]
Direction = Literal["rising", "falling"]

FEWEST = 10
"""Fewer wins or losses than this are too few to learn tables from."""
VALUE_STRENGTH, BAND_STRENGTH, PAIR_STRENGTH, PERIOD_STRENGTH = 20.0, 100.0, 50.0, 0.1
"""Precision, before looking, of a value's effect, of the step from one fine bin to the next, of a cell, of a period."""
FAINT_STRENGTH = 200.0
"""The same for a value of a feature of which there are many and each tells a little: it is not estimated."""
SAMPLE = 120_000
"""Rows from which pairs, priors and shares are learned; the tables themselves are learned from all rows."""
FEWEST_FOR_PAIRS = 100
MOST_SIDES = 30
PARTS_AT_RANDOM = 4
NOTHING = 0.002
"""A table whose largest log-odds are smaller is left out."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What may be set; the defaults are what was measured to be best (docs/decisions/0007-learning-tables.md).

    `half_life` (days, or the unit of `time`) lets older rows weigh less; `blocks` is into how many parts time is cut to
    see what holds; `rarest` is how often a value must be seen to have points of its own; `monotone` says for numbers
    which way their points must go; `faint` are features of which there are many and each tells a little, such as
    words. `threads` is for the linear algebra: on a busy machine, two that wait for each
    other take many times the CPU of one.
    """

    seed: int = 0
    most_pairs: int = 10
    most_bands: int = 12
    monotone: Mapping[str, Direction] = field(default_factory=dict)
    faint: frozenset[str] = frozenset()
    half_life: float | None = None
    blocks: int = 6
    most_bins: int = 48
    rarest: int = 15
    threads: int = 1


@dataclass(frozen=True, slots=True)
class TermFacts:
    """What a report says of a table: the share kept, and its bins before and after merging."""

    features: tuple[str, ...]
    kept: float
    bands_before: int
    bands_after: int


@dataclass(frozen=True, slots=True)
class MergingLoss:
    """What bands for people cost, on the newest rows with tables from the time before: (fine bins, bands)."""

    auc: tuple[float, float]
    log_loss: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The tables, and how they came about.

    `steepness` is what all log-odds were multiplied by (it is in the tables already), `base_rows` how many of the
    newest rows gave the base, `left_out` says of features not used why; `pairs_chosen` are the pairs, best first.
    """

    tables: Tables
    terms: tuple[TermFacts, ...]
    rows: int
    wins: int
    pairs_considered: int
    pairs_chosen: tuple[tuple[str, str], ...]
    rounds: int
    blocks: int
    steepness: float
    base_rows: int
    merging: MergingLoss | None
    left_out: dict[str, str]
    warnings: tuple[str, ...]

    def probability(self, features: pa.Table) -> Floats:
        """Return each row's probability of a win."""
        return sigmoid(self.tables.log_odds(features))

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain JSON values, without the tables."""
        merging = self.merging and {"auc": list(self.merging.auc), "log_loss": list(self.merging.log_loss)}
        terms = [
            {"features": list(t.features), "kept": t.kept, "bands": [t.bands_before, t.bands_after]} for t in self.terms
        ]
        return {
            "rows": self.rows, "wins": self.wins, "terms": terms, "pairs_considered": self.pairs_considered,
            "pairs_chosen": [list(pair) for pair in self.pairs_chosen], "rounds": self.rounds, "blocks": self.blocks,
            "steepness": self.steepness, "base_rows": self.base_rows, "merging": merging,
            "left_out": dict(self.left_out), "warnings": list(self.warnings),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all steps work on: rows in order of time, as codes, with weight and period; `time` is 0 where unknown."""

    won: NDArray[np.bool_]
    weights: Floats
    period: Rows
    time: Floats
    horizon: float
    timed: bool
    axes: tuple[Axis, ...]
    codes: tuple[Codes, ...]
    settings: FitSettings

    def take(self, rows: Rows) -> _Ground:
        codes = tuple(column[rows] for column in self.codes)
        return replace(
            self, won=self.won[rows], weights=self.weights[rows], period=self.period[rows], time=self.time[rows],
            codes=codes,
        )  # fmt: skip

    @property
    def names(self) -> list[str]:
        return [axis.feature for axis in self.axes]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which tables there are: all features, and chosen pairs of them."""

    sides: tuple[Side, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def cells(self) -> tuple[int, ...]:
        return tuple(1 + self.sides[p.first].cells * self.sides[p.second].cells for p in self.pairs)

    def codes(self, ground: _Ground) -> tuple[Codes, ...]:
        twos = (
            pair_codes(self.sides[p.first], self.sides[p.second], ground.codes[p.first], ground.codes[p.second])
            for p in self.pairs
        )
        return (*ground.codes, *twos)


@dataclass(frozen=True, slots=True)
class _Learned:
    """What trials on later blocks taught."""

    kept: Floats
    steepness: float = 1.0
    blocks: int = 0
    merging: MergingLoss | None = None


def fit(examples: Examples, settings: FitSettings | None = None) -> Fitted:
    """Learn tables from examples.

    Raises TooFewOutcomes where there are too few wins or losses. Where there is no time, periods are parts at random.

    >>> x = np.tile(np.arange(10.0), 40)
    >>> fitted = fit(Examples(features=pa.table({"x": x}), won=x + np.repeat(np.arange(40) % 7, 10) > 9))
    >>> fitted.tables.features, fitted.probability(pa.table({"x": [0.0, 9.0]})).round(1).tolist()
    (('x',), [0.0, 0.9])
    """
    from threadpoolctl import threadpool_limits

    settings = settings or FitSettings()
    check_outcomes(examples.won, called=examples.words.wins)
    with threadpool_limits(settings.threads):
        return _fit(_in_order(examples, settings), settings)


def moved_by(examples: Examples, settings: FitSettings | None = None) -> dict[str, float]:
    """Return by how much each feature moves the log-odds beside all others: the standard deviation of what it adds.

    Pairs and what lasts are not looked at; a feature that cannot be used moves nothing.

    >>> x = np.tile(np.arange(10.0), 40)
    >>> some = Examples(features=pa.table({"x": x, "noise": np.repeat([0.0, 1.0], 200)}), won=x > 4)
    >>> moved = moved_by(some)
    >>> moved["x"] > 1, moved["noise"] < 0.1
    (True, True)
    """
    from threadpoolctl import threadpool_limits

    settings = settings or FitSettings()
    with threadpool_limits(settings.threads):
        examples = _in_order(examples, settings)
        binned = bin_features(examples.features, most=settings.most_bins, rarest=settings.rarest)
        ground = _sampled(_ground(examples, binned, settings))
        moved = _moved(_sum(ground, _Shape()))
    return dict.fromkeys(examples.names, 0.0) | dict(zip(ground.names, moved.tolist(), strict=True))


def _moved(singles: Sum) -> Floats:
    """Return by how much each table moves the log-odds, over the evidence."""
    parts = zip(singles.weights, singles.coefficients, strict=True)
    return np.array([np.sqrt(w @ values**2 / max(w.sum(), 1e-12)) for w, values in parts])


def check_outcomes(won: NDArray[np.bool_], *, called: str = "wins") -> None:
    """Raise TooFewOutcomes where there are too few wins or losses to learn from."""
    wins = int(won.sum())
    if min(wins, len(won) - wins) < FEWEST:
        raise TooFewOutcomes(wins=wins, losses=len(won) - wins, needed=FEWEST, called=called)


def periods_of(examples: Examples, *, count: int, seed: int) -> Rows:
    """Return the period of each row: about equal counts in time; without time, leads at random."""
    if examples.time is None:
        leads, place = np.unique(examples.lead, return_inverse=True)
        found: Rows = (np.random.default_rng(seed).permutation(len(leads)) * count // len(leads))[place]
    else:
        cuts = np.unique(np.quantile(examples.time, np.arange(1, count) / count))
        found = np.searchsorted(cuts, examples.time, side="right")
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _in_order(examples: Examples, settings: FitSettings) -> Examples:
    """Return the rows by time, or by random part."""
    time = examples.time
    if time is None:
        time = periods_of(examples, count=PARTS_AT_RANDOM, seed=settings.seed).astype(np.float64)
    return examples.take(np.argsort(time, kind="stable"))


def _fit(examples: Examples, settings: FitSettings) -> Fitted:
    binned = bin_features(examples.features, most=settings.most_bins, rarest=settings.rarest)
    _check_monotone(examples, binned, settings)
    whole = _ground(examples, binned, settings)
    ground = _sampled(whole)
    singles = _sum(ground, _Shape())
    sides = tuple(side(axis, codes) for axis, codes in zip(ground.axes, ground.codes, strict=True))
    pairs, considered = _find_pairs(ground, sides, singles)
    shape = _Shape(sides, tuple(pairs))
    learned = _learned(ground, shape)
    final = _held(whole, _sum(whole, shape, start=singles, errors=True))
    return _assembled(whole, binned, shape, final, learned, considered)


def _learned(ground: _Ground, shape: _Shape) -> _Learned:
    """Return what is kept and how steep all is, as trials tell."""
    trials, merging = _tried(ground, shape) if ground.axes else ([], None)
    if not trials:
        return _Learned(np.ones(len(ground.axes) + len(shape.pairs)))
    kept = shares_kept(trials)
    slope = steepness(trials, kept)
    return _Learned(kept, slope, len(trials), merging)


def _as_leads(examples: Examples) -> Floats:
    """Return weights by which several rows of a lead count for as much as they tell.

    Rows that always end alike are one piece of evidence, not several: each counts 1 / (1 + (k - 1) ρ) for k rows of the
    lead and the correlation ρ of outcomes within leads (Kish 1965, the design effect).
    """
    _, place, count = np.unique(examples.lead, return_inverse=True, return_counts=True)
    if count.max(initial=1) == 1:
        return np.ones(len(examples))
    rows, rate = count[place], np.bincount(place, examples.won) / count
    several = rows > 1
    within = np.mean((examples.won - rate[place])[several] ** 2 * (rows / np.maximum(rows - 1, 1))[several])
    overall = max(float(examples.won.mean() * (1 - examples.won.mean())), 1e-12)
    alike = float(np.clip(1 - within / overall, 0.0, 1.0))
    found: Floats = 1 / (1 + (rows - 1) * alike)
    return found


def _check_monotone(examples: Examples, binned: Binned, settings: FitSettings) -> None:
    """Raise UsageError where a feature that must rise or fall is unknown or no number."""
    for name, way in settings.monotone.items():
        if name not in examples.names:
            raise UsageError(f"monotone: no feature is called {name!r}; {did_you_mean(name, examples.names)}")
        if way not in ("rising", "falling"):
            raise UsageError(f"monotone: {name!r} is {way!r}; allowed are 'rising' and 'falling'")
    texts = [axis.feature for axis in binned.axes if isinstance(axis, CategoryAxis)]
    for name in texts:
        if name in settings.monotone:
            raise UsageError(f"monotone: {name!r} is no number; only numbers can be held rising or falling")


def _ground(examples: Examples, binned: Binned, settings: FitSettings) -> _Ground:
    count = settings.blocks * 2 if examples.time is not None else PARTS_AT_RANDOM
    period = periods_of(examples, count=count, seed=settings.seed)
    weights = _as_leads(examples)
    if settings.half_life and examples.time is not None:
        weights *= 2.0 ** ((examples.time - examples.time.max()) / settings.half_life)
    timed = examples.time is not None
    time = examples.time if examples.time is not None else np.zeros(len(examples))
    return _Ground(
        examples.won, weights, period, time, float(examples.horizon), timed, binned.axes, binned.codes, settings
    )


def _sampled(ground: _Ground) -> _Ground:
    """Return at most SAMPLE rows, evenly over time."""
    n = len(ground.won)
    if n <= SAMPLE:
        return ground
    chosen = np.random.default_rng(ground.settings.seed).permutation(n)[:SAMPLE]
    return ground.take(np.sort(chosen))


def _penalty(axis: Axis) -> Floats:
    return plain_penalty(axis.size) if isinstance(axis, CategoryAxis) else smooth_penalty(axis.size)


def _sum(ground: _Ground, shape: _Shape, *, start: Sum | None = None, errors: bool = False) -> Sum:
    """Fit tables for all features, pairs, and an intercept for each period; the newest period's is in the base."""
    codes = shape.codes(ground)
    penalties = [*(_penalty(axis) for axis in ground.axes), *(plain_penalty(cells) for cells in shape.cells)]
    strengths = [VALUE_STRENGTH if isinstance(axis, CategoryAxis) else BAND_STRENGTH for axis in ground.axes]
    strengths += [PAIR_STRENGTH] * len(shape.pairs)
    fixed = [name in ground.settings.faint for name in ground.names] + [False] * len(shape.pairs)
    strengths = [FAINT_STRENGTH if faint else usual for faint, usual in zip(fixed, strengths, strict=True)]
    blocks = [Block(*parts) for parts in zip(codes, penalties, strengths, fixed, strict=True)]
    if not ground.timed:
        return fit_sum(tuple(blocks), ground.won, weights=ground.weights, start=start, errors=errors)
    period = np.unique(ground.period, return_inverse=True)[1].astype(np.uint8)
    blocks.append(Block(period, plain_penalty(int(period.max()) + 1), PERIOD_STRENGTH, fixed=True))
    found = fit_sum(tuple(blocks), ground.won, weights=ground.weights, start=start, errors=errors)
    return replace(
        found,
        base=found.base + float(found.coefficients[-1][-1]),
        coefficients=found.coefficients[:-1],
        weights=found.weights[:-1],
        strengths=found.strengths[:-1],
        errors=found.errors[:-1],
    )


def _find_pairs(ground: _Ground, sides: tuple[Side, ...], singles: Sum) -> tuple[list[Pair], int]:
    """Return the pairs that gain most in other periods, and how many were considered."""
    settings, wins = ground.settings, int(ground.won.sum())
    allowed = [j for j, name in enumerate(ground.names) if name not in settings.monotone and sides[j].cells > 1]
    if settings.most_pairs == 0 or len(allowed) < 2 or min(wins, len(ground.won) - wins) < FEWEST_FOR_PAIRS:
        return [], 0
    moved = _moved(singles)[allowed]
    allowed = sorted(allowed[k] for k in np.argsort(-moved, kind="stable")[:MOST_SIDES])
    z = singles.log_odds(ground.codes) + _period_effects(ground, singles)
    p = sigmoid(z)
    return choose_pairs(
        list(sides),
        ground.codes,
        ground.weights * (ground.won - p),
        ground.weights * p * (1 - p),
        ground.period,
        most=settings.most_pairs,
        allowed=allowed,
    )


def _period_effects(ground: _Ground, singles: Sum) -> Floats:
    """Return what to add to each row's log-odds so that every period sums to its wins."""
    z = singles.log_odds(ground.codes)
    found = np.zeros(len(z))
    for period in range(int(ground.period.max()) + 1) if ground.timed else ():
        rows = np.flatnonzero(ground.period == period)
        if len(rows):
            found[rows] = intercept(z[rows], ground.won[rows])
    return found


def _tried(ground: _Ground, shape: _Shape) -> tuple[list[Trial], MergingLoss | None]:
    """Try the tables of the time before on each block of time; without time, those of all other parts on each part."""
    block = ground.period // 2 if ground.timed else ground.period
    codes, found = shape.codes(ground), []

    def learn(before: Rows, rows: Rows) -> Floats:
        found.append(_held(ground, _sum(ground.take(before), shape)))
        return np.stack([v[c[rows]] for v, c in zip(found[-1].coefficients, codes, strict=True)], axis=1)

    if ground.timed:
        trials = forward_chain(block, ground.won, learn, time=ground.time, horizon=ground.horizon)
    else:
        trials = held_out(block, ground.won, learn)
    return trials, _merging_loss(ground, trials[-1], found[-1]) if trials else None


def _merging_loss(ground: _Ground, trial: Trial, tables: Sum) -> MergingLoss | None:
    """Return AUC and log loss on a trial's rows with its fine tables and with their bands."""
    from sklearn.metrics import log_loss, roc_auc_score

    if trial.won.all() or not trial.won.any():
        return None
    coarse = trial.contributions.copy()
    for j, axis in enumerate(ground.axes):
        merged = _merged(ground, axis, tables, j)
        values = _mean_by(merged, tables.coefficients[j], tables.weights[j])
        coarse[:, j] = values[merged.place_of[ground.codes[j][trial.rows]]]
    scores = [part.sum(1) for part in (trial.contributions, coarse)]
    chances = [sigmoid(z + intercept(z, trial.won)) for z in scores]
    auc = [float(roc_auc_score(trial.won, z)) for z in scores]
    loss = [float(log_loss(trial.won, p)) for p in chances]
    return MergingLoss((auc[0], auc[1]), (loss[0], loss[1]))


def _merged(ground: _Ground, axis: Axis, tables: Sum, j: int) -> Merged:
    return merge_axis(axis, tables.coefficients[j], tables.weights[j], most=ground.settings.most_bands)


def _mean_by(merged: Merged, values: Floats, weights: Floats) -> Floats:
    """Return the mean of the fine values in each place of the coarse axis."""
    w = weights + 1e-9
    total = np.bincount(merged.place_of, w * values, merged.axis.size)
    found: Floats = total / np.maximum(np.bincount(merged.place_of, w, merged.axis.size), 1e-12)
    return found


def _held(ground: _Ground, tables: Sum) -> Sum:
    """Return the tables with monotone features in order."""
    ways = {j: ground.settings.monotone.get(name) for j, name in enumerate(ground.names)}
    if not any(ways.values()):
        return tables
    values = list(tables.coefficients)
    for j, way in ways.items():
        if way is not None:
            values[j] = in_order(values[j], tables.weights[j], way)
    return replace(tables, coefficients=tuple(values))


def in_order(values: Floats, weights: Floats, way: Direction) -> Floats:
    """Return the nearest values that only rise, or only fall, from code 1 on (code 0 is missing).

    >>> in_order(np.array([9.0, 0.0, 2.0, 1.0]), np.ones(4), "rising").tolist()
    [9.0, 0.0, 1.5, 1.5]
    """
    from sklearn.isotonic import isotonic_regression

    found = values.copy()
    found[1:] = isotonic_regression(values[1:], sample_weight=weights[1:] + 1e-9, increasing=way == "rising")
    return found


def _single(whole: _Ground, final: Sum, learned: _Learned, j: int) -> tuple[Term, TermFacts, Floats]:
    """Return a feature's table in bands, what a report says of it, and its contributions."""
    axis, merged = whole.axes[j], _merged(whole, whole.axes[j], final, j)
    kept, scale = float(learned.kept[j]), learned.kept[j] * learned.steepness
    values = scale * _mean_by(merged, final.coefficients[j], final.weights[j])
    errors = scale * _mean_by(merged, final.errors[j], final.weights[j])
    values, given = _around_mean(values, merged.place_of[whole.codes[j]])
    term = Term((merged.axis,), values, kept, errors)
    return term, TermFacts(term.features, kept, axis.size, merged.axis.size), given


def _double(
    shape: _Shape, final: Sum, learned: _Learned, codes: tuple[Codes, ...], j: int
) -> tuple[Term, TermFacts, Floats]:
    """Return a pair's table, what a report says of it, and its contributions; j counts features first, then pairs."""
    pair = shape.pairs[j - (len(codes) - len(shape.pairs))]
    kept, scale = float(learned.kept[j]), learned.kept[j] * learned.steepness
    values, given = _around_mean(scale * final.coefficients[j], codes[j])
    term = pair_term(shape.sides[pair.first], shape.sides[pair.second], values, scale * final.errors[j], kept)
    return term, TermFacts(term.features, kept, len(values), len(values)), given


def _around_mean(values: Floats, codes: Codes) -> tuple[Floats, Floats]:
    """Return a table moved so that it gives 0 to the rows on average, and what it gives to each row."""
    mean = float(values @ np.bincount(codes, minlength=len(values))) / len(codes)
    return values - mean, (values - mean)[codes]


def _assembled(whole: _Ground, binned: Binned, shape: _Shape, final: Sum, learned: _Learned, considered: int) -> Fitted:
    """Return tables in bands, shrunk by what is kept, with the base of the newest rows."""
    codes, singles = shape.codes(whole), range(len(whole.axes))
    parts = [_single(whole, final, learned, j) for j in singles]
    parts += [_double(shape, final, learned, codes, j) for j in range(len(singles), len(codes))]
    used = [part for part in parts if np.abs(part[0].log_odds).max() >= NOTHING]
    score = np.zeros(len(whole.won))
    for _, _, contribution in used:
        score += contribution
    since = newest(whole.won) if whole.timed else 0
    base = intercept(score[since:], whole.won[since:])
    return Fitted(
        tables=Tables(base, tuple(term for term, _, _ in used)),
        terms=tuple(facts for _, facts, _ in parts),
        rows=len(whole.won),
        wins=int(whole.won.sum()),
        pairs_considered=considered,
        pairs_chosen=tuple((whole.names[p.first], whole.names[p.second]) for p in shape.pairs),
        rounds=final.steps,
        blocks=learned.blocks,
        steepness=learned.steepness,
        base_rows=len(score) - since,
        merging=learned.merging,
        left_out=binned.left_out,
        warnings=tuple(_warnings(binned, learned)),
    )


def _warnings(binned: Binned, learned: _Learned) -> list[str]:
    """Return what a person should know."""
    found = [f"{name} is not used: it {why}" for name, why in binned.left_out.items()]
    if not binned.axes:
        found.append("no feature is left to learn from; every row gets the base rate")
    elif not learned.blocks:
        found.append("too few outcomes in the earlier periods to see whether effects hold; all are kept")
    return found
