"""By how much a treatment changes what a lead does, as a sum of tables: the effect on each, not the outcome of each.

With the share p of leads treated at random, the outcome less what was to be expected of the lead whatever its arm, over
(treated − p), is a noisy picture of the effect on that lead whose mean is right (the transformed outcome of Athey and
Imbens 2016, made less noisy as in Robinson 1988 and Nie and Wager 2021; with nothing expected and yes or no outcomes it
is the class variable transformation of Jaśkowski and Jaroszewicz 2012 in another scale). Tables are fitted to it by
least squares, each is tried on leads it was not learned from, and what did not hold is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.errors import TooFewOutcomes
from leadlight.learn.additive import Block, Sum, fit_means, plain_penalty, smooth_penalty
from leadlight.learn.bins import Binned, bin_features
from leadlight.learn.examples import Bools, Examples, Floats, Ints
from leadlight.learn.fit import FEWEST, FitSettings, fit, periods_of
from leadlight.learn.merge import merge_axis
from leadlight.learn.tables import Axis, CategoryAxis, Tables, Term, sigmoid

FOLDS = 4
USUAL = 0.1
"""Expected size of a table's effects, in standard deviations of the outcome (a small effect is 0.2: Cohen 1988)."""
BELIEF = 2.0
HOLDS, HOLDS_BELIEF = 0.5, 4.0
"""How much of an effect is expected to hold beforehand, and how precisely."""
LEAST_KEPT = 0.2
"""Of a table of which less holds, nothing is kept."""
MOST_BINS, MOST_BANDS, RAREST = 16, 5, 100
NOISE = 0.5
"""Nats of log-likelihood that it must be worth to tell two neighbours apart."""
NOTHING = 0.02
"""A table that moves leads less than this share of the usual is left out."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Rows of a campaign: the examples, who was treated, and the share that was meant to be."""

    examples: Examples
    treated: Bools
    share: float

    def take(self, rows: NDArray[Any]) -> Trial:
        """Return some rows, by number or by a mask."""
        return replace(self, examples=self.examples.take(rows), treated=self.treated[rows])

    def select(self, names: list[str]) -> Trial:
        """Return all rows with some of the features."""
        return replace(self, examples=self.examples.select(names))

    @property
    def lever(self) -> Floats:
        """Treated less the share: what the effect is multiplied by in a row's outcome."""
        found: Floats = self.treated - np.float64(self.share)
        return found


@dataclass(frozen=True, slots=True)
class Effects:
    """Tables whose sum is the effect on a lead, in wins (0.02 is two more wins per 100 treated).

    `kept` says of each feature what share of its effect held on leads it was not learned from; `mean` is the effect
    over everybody.
    """

    tables: Tables
    kept: dict[str, float]
    mean: float
    left_out: dict[str, str] = field(default_factory=dict)

    def values(self, features: pa.Table) -> Floats:
        """Return the effect on each row."""
        return self.tables.log_odds(features)


@dataclass(frozen=True, slots=True)
class _Ground:
    """Rows as codes, with the picture of each one's effect and how precise it is."""

    axes: tuple[Axis, ...]
    codes: tuple[NDArray[np.uint8], ...]
    picture: Floats
    precision: Floats
    fold: Ints
    usual: float

    def take(self, rows: Any) -> _Ground:
        parts = {name: getattr(self, name)[rows] for name in ("picture", "precision", "fold")}
        return replace(self, codes=tuple(column[rows] for column in self.codes), **parts)


def fit_effects(trial: Trial, expected: Floats, settings: FitSettings | None = None) -> Effects:
    """Learn the effect on each lead; `expected` is what was to be expected of each row, from other rows.

    Raises TooFewOutcomes where an arm has too few wins.

    >>> arm, keen = np.tile([True, False], 2000), np.repeat([True, False], 2000)
    >>> won = np.arange(4000) % 10 < np.where(arm & keen, 6, 3)
    >>> found = fit_effects(Trial(Examples(pa.table({"keen": keen}), won), arm, 0.5), np.full(4000, 0.4))
    >>> found.values(pa.table({"keen": [True, False]})).round(1).tolist()
    [0.4, 0.2]
    """
    settings = settings or FitSettings()
    check_arms(trial)
    binned = bin_features(trial.examples.features, most=MOST_BINS, rarest=RAREST)
    ground = _ground(trial, binned, expected, settings)
    kept = _kept(ground) if ground.axes else np.zeros(0)
    whole = _sum(ground)
    mean = float(np.average(ground.picture, weights=ground.precision))
    terms, rest = [], ground.picture.copy()
    for j, axis in enumerate(ground.axes):
        if kept[j] >= LEAST_KEPT:
            term, given = _term(ground, axis, whole, j, float(kept[j]))
            if given.std() >= NOTHING * ground.usual:
                terms.append(term)
                rest -= given
    base = float(np.average(rest, weights=ground.precision))
    shares = {axis.feature: float(share) for axis, share in zip(ground.axes, kept, strict=True)}
    return Effects(Tables(base, tuple(terms)), shares, mean, binned.left_out)


def check_arms(trial: Trial) -> None:
    """Raise TooFewOutcomes where an arm has too few wins or too few others to learn from."""
    for rows in (trial.treated, ~trial.treated):
        wins = int(trial.examples.won[rows].sum())
        if min(wins, int(rows.sum()) - wins) < FEWEST:
            called = trial.examples.words.wins
            raise TooFewOutcomes(wins=wins, losses=int(rows.sum()) - wins, needed=FEWEST, called=called)


def expected_outcomes(trial: Trial, settings: FitSettings, *, folds: int = 2) -> tuple[Floats, list[Tables]]:
    """Return each row's chance of a win whatever its arm, from other leads' rows, and the tables it was said by."""
    examples = trial.examples
    fold = periods_of(replace(examples, time=None), count=folds, seed=settings.seed)
    found, tables = np.zeros(len(examples)), []
    for k in range(folds):
        before = examples.take(fold != k)
        fitted = _response(before, settings)
        found[fold == k] = sigmoid(fitted.log_odds(examples.features.filter(pa.array(fold == k))))
        tables.append(fitted)
    return found, tables


def _response(examples: Examples, settings: FitSettings) -> Tables:
    """Return the tables of the outcome; of too few outcomes, the same for everybody."""
    if min(examples.wins, len(examples) - examples.wins) < FEWEST:
        rate = (examples.wins + 0.5) / (len(examples) + 1)
        return Tables(float(np.log(rate / (1 - rate))), ())
    return fit(examples, replace(settings, most_pairs=0)).tables


def _ground(trial: Trial, binned: Binned, expected: Floats, settings: FitSettings) -> _Ground:
    surprise, lever = trial.examples.won - expected, trial.lever
    mean = float(surprise @ lever / (lever @ lever))
    noise = float(np.mean((surprise - mean * lever) ** 2))
    fold = periods_of(replace(trial.examples, time=None), count=FOLDS, seed=settings.seed)
    usual = USUAL * float(trial.examples.won.std())
    return _Ground(binned.axes, binned.codes, surprise / lever, lever**2 / max(noise, 1e-12), fold, usual)


def _sum(ground: _Ground) -> Sum:
    strength = 1 / ground.usual**2
    blocks = [
        Block(codes, plain_penalty(axis.size), strength, belief=BELIEF)
        if isinstance(axis, CategoryAxis)
        else Block(codes, smooth_penalty(axis.size), 5 * strength, belief=BELIEF)
        for axis, codes in zip(ground.axes, ground.codes, strict=True)
    ]
    return fit_means(tuple(blocks), ground.picture, weights=ground.precision)


def _kept(ground: _Ground) -> Floats:
    """Return what share of each table holds on leads it was not learned from, from 0 to 1 (a regression on all)."""
    from scipy.optimize import lsq_linear

    rows, pictures, weights = [], [], []
    for k in range(int(ground.fold.max()) + 1):
        there = ground.fold == k
        tables, here = _sum(ground.take(~there)), ground.take(there)
        given = np.stack([v[c] for v, c in zip(tables.coefficients, here.codes, strict=True)], axis=1)
        w = here.precision
        rows.append(given - np.average(given, axis=0, weights=w))
        pictures.append(here.picture - np.average(here.picture, weights=w))
        weights.append(w)
    x, y, w = np.concatenate(rows), np.concatenate(pictures), np.sqrt(np.concatenate(weights))
    belief = np.sqrt(HOLDS_BELIEF)
    x = np.vstack([x * w[:, None], belief * np.eye(x.shape[1])])
    y = np.r_[y * w, np.full(x.shape[1], belief * HOLDS)]
    found: Floats = lsq_linear(x, y, (0.0, 1.0)).x
    return found


def _term(ground: _Ground, axis: Axis, whole: Sum, j: int, kept: float) -> tuple[Term, Floats]:
    """Return a feature's table in bands for people, around 0, and what it gives to each row."""
    merged = merge_axis(axis, kept * whole.coefficients[j], whole.weights[j], most=MOST_BANDS, noise=NOISE)
    weight = whole.weights[j] + 1e-9
    size = merged.axis.size
    total = np.bincount(merged.place_of, weight * kept * whole.coefficients[j], size)
    values = total / np.maximum(np.bincount(merged.place_of, weight, size), 1e-12)
    place = merged.place_of[ground.codes[j]]
    values -= np.average(values[place], weights=ground.precision)
    values[np.bincount(place, minlength=size) == 0] = 0.0  # never seen, nothing known
    return Term((merged.axis,), values, kept), values[place]
