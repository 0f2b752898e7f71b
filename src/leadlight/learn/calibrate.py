"""Scores to probabilities: a monotone curve through held-out outcomes, straight lines between few knots, an interval.

The curve is a logistic regression on the score whose slope may differ from one stretch of scores to the next, never
below 0. How much it may differ is found from the outcomes (empirical Bayes): few wins give one straight line in
log-odds (Platt scaling with a prior), many give a free monotone curve.

The interval is for the win rate among leads with such a score in the coming period. It has two parts: how well the
curve is known (rows of one lead count as one when they go together), and how far the level has moved from one period
to the next. The second part is measured by forecasting each past period from those before it; when recent periods
forecast better than all periods do, the level follows the recent ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.tables import sigmoid

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

POINTS_PER_UNIT = 20.0 / np.log(2.0)
"""Points in one unit of natural log-odds: 20 points double the odds."""
MAX_KNOTS = 12
BINS = 250
MAX_STRETCHES = 10
WINS_PER_STRETCH = 20
SLOPE_CHANGES = (0.02, 0.06, 0.2, 0.6, 2.0)
"""Standard deviations of the change of slope from one stretch to the next, of which the likeliest is taken."""
USUAL_SPREAD = 1.5
"""Standard deviation of log-odds among leads in real data; a score spread wider is on a scale of its own."""
SLOPE_SPREAD = 0.8
"""How far the average slope may be from what is usual, as a share of it (standard deviation of the prior)."""
TRIM = 0.002
MAX_PERIODS = 12
GAP = 1
MIXING = 1.5
"""Variance between the periods of the world over that between ours, which are as long but begin at other moments:
an average of two in the shares f and 1 - f, f uniform, has E[f² + (1 - f)²] = 2/3 of the variance."""
WINS_PER_PERIOD = 5
SPREADS = np.concatenate([[0.0], np.geomspace(0.02, 2.5, 24)])
"""Standard deviations between periods, in log-odds, that are weighed against each other."""
HOLDS = 0.8
"""How likely it is beforehand that what is believed of the slope holds; else anything usual may be."""
USUAL_PERIOD_SPREAD = 0.4
"""Scale of the half-Cauchy prior of that standard deviation."""
MEMORIES = {np.inf: 0.55, 4.0: 0.15, 1.5: 0.15, 0.7: 0.15}
"""Half-lives, in periods, over which the level may be averaged, and how likely each is beforehand."""
USUAL_MISFIT = 0.25
"""Scale of the half-normal prior of how far, in log-odds, wins in a narrow band of scores lie off the curve."""
WINS_PER_BAND = 12
MAX_BANDS = 40
EDGE = 1e-6
"""How near to never and always a probability may come."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Score to probability: straight lines between knots, flat beyond the ends; never 0 and never 1.

    `low` and `high` bound the win rate among leads with such a score in the coming period with probability `level`.
    `slope` is the average slope against log-odds read straight from the points (1 is a score that says it right);
    `period_spread` the standard deviation of the level from period to period in log-odds, None where no time was given
    or outcomes were too few to tell.
    """

    score: tuple[float, ...]
    probability: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    level: float
    rows: int
    wins: int
    slope: float
    periods: int = 0
    period_spread: float | None = field(default=None)

    def probabilities(self, score: Floats) -> Floats:
        """Return the probability at each score."""
        return np.interp(score, self.score, self.probability)

    def interval(self, score: Floats) -> tuple[Floats, Floats]:
        """Return the lower and upper bound at each score."""
        return np.interp(score, self.score, self.low), np.interp(score, self.score, self.high)

    def moved(self, shift: float) -> Calibration:
        """Return probabilities with so much added to their log-odds; the interval keeps its width in log-odds.

        >>> curve = Calibration((0.0, 20.0), (0.5, 0.8), (0.4, 0.7), (0.6, 0.9), 0.9, 100, 50, 1.0)
        >>> curve.moved(1.0).probability
        (0.731, 0.9158)
        """

        def all_moved(probabilities: tuple[float, ...]) -> tuple[float, ...]:
            p = np.clip(np.array(probabilities), EDGE, 1 - EDGE)
            return _rounded(sigmoid(np.log(p / (1 - p)) + shift))

        return replace(
            self, probability=all_moved(self.probability), low=all_moved(self.low), high=all_moved(self.high)
        )

    def as_dict(self) -> dict[str, list[float]]:
        """Return what a scorecard file holds under `calibration`."""
        return {name: list(getattr(self, name)) for name in ("score", "probability", "low", "high")}


@dataclass(frozen=True, slots=True)
class Slope:
    """What is believed of the average slope of a curve, against log-odds read straight from the points.

    `middle` is where it is expected, `spread` the standard deviation around it.
    """

    middle: float
    spread: float


def calibrate(
    score: Floats,
    won: Bools,
    *,
    lead: Ints | None = None,
    time: Floats | None = None,
    weight: Floats | None = None,
    base_rate: float | None = None,
    slope: Slope | None = None,
    level: float = 0.9,
) -> Calibration:
    """Learn the probability of a win from scores of rows that the scores were not learned from, the newest best.

    `score` is in points (20 double the odds, unless a hand-written card has a scale of its own: then the slope tells);
    `lead` names the lead of each row, `time` is the row's moment in days, `weight` how much a row counts (recency, say:
    2 ** (-age / half_life)). `base_rate` is a win rate known beforehand, believed as much as one win; without it the
    prior is Jeffreys', half a win and half a loss. So even no win at all gives a probability above 0. `slope` is what
    is believed of the average slope before these rows are seen.

    Raises ValueError where there is no row.

    >>> random = np.random.default_rng(1)
    >>> score = random.normal(-40, 30, 20_000)
    >>> won = random.random(20_000) < sigmoid(score / POINTS_PER_UNIT)
    >>> found = calibrate(score, won)
    >>> found.probabilities(np.array([-60.0, -20.0, 20.0])).round(2).tolist()
    [0.11, 0.33, 0.66]
    """
    if not len(score):
        raise ValueError("no row to calibrate on")
    weights = np.ones(len(score)) if weight is None else weight / weight.mean()
    bins, of = _bin(score, won, weights)
    curve = _fit(bins, base_rate, slope)
    effect = _design_effect(curve.log_odds(bins.x)[of], won, weights, lead)
    if effect > 1:  # rows that go together tell less than their number
        bins = bins.counted(1 / effect)
        curve = _fit(bins, base_rate, slope)
    shift = _STEADY if time is None else _forecast(curve.log_odds(bins.x), of, won, time, effect)
    return _readable(curve, bins, effect, shift, level, rows=len(score), wins=int(won.sum()))


# ------------------------------------------------------------------------------------------------------- the curve


@dataclass(frozen=True, slots=True)
class _Bins:
    """Rows put together by score: log-odds as the points say, rows and wins by weight, rows by weight squared."""

    x: Floats
    n: Floats
    wins: Floats
    squares: Floats

    def counted(self, share: float) -> _Bins:
        """Return the same rows, each counting for less."""
        return _Bins(self.x, self.n * share, self.wins * share, self.squares * share**2)


def _bin(score: Floats, won: Bools, weight: Floats) -> tuple[_Bins, Ints]:
    """Return the bins and the bin of each row."""
    low, high = np.quantile(score, [TRIM, 1 - TRIM])
    step = max(float(high - low) / BINS, 1e-9)
    place = np.floor((np.clip(score, low, high) - low) / step)
    _, of = np.unique(place, return_inverse=True)
    n = _sums(of, weight)
    x = _sums(of, weight * np.clip(score, low, high)) / n
    return _Bins(x / POINTS_PER_UNIT, n, _sums(of, weight * won), _sums(of, weight**2)), of


def _sums(of: Ints, values: Floats, size: int = 0) -> Floats:
    return np.bincount(of, values, minlength=size).astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Curve:
    """Log-odds = coefficients · basis(x); `bread` inverts the penalised information, `penalty` is the prior's."""

    knots: Floats
    centre: float
    coefficients: Floats
    information: Floats
    penalty: Floats
    bread: Floats

    def basis(self, x: Floats) -> Floats:
        return _ramps(x, self.knots, self.centre)

    def log_odds(self, x: Floats) -> Floats:
        found: Floats = self.basis(x) @ self.coefficients
        return found

    def variance(self, x: Floats, effect: float) -> Floats:
        """Return the variance of the log-odds at x: the sampling error (times the design effect) and the prior's."""
        middle = effect * self.information + self.penalty
        rows = self.basis(x) @ self.bread
        found: Floats = np.einsum("ij,jk,ik->i", rows, middle, rows)
        return found


def _ramps(x: Floats, knots: Floats, centre: float) -> Floats:
    """Return a column of ones and for each stretch how much of it lies below x, measured from the centre."""
    widths = np.diff(knots)

    def upto(at: Any) -> Floats:
        return np.clip(np.asarray(at)[:, None] - knots[:-1], 0.0, widths)

    return np.hstack([np.ones((len(x), 1)), upto(x) - upto([centre])])


def _fit(bins: _Bins, base_rate: float | None, slope: Slope | None) -> _Curve:
    """Fit with one slope, then with slopes by stretch, at the likeliest changes of slope, as believed or as usual."""
    centre = float(np.average(bins.x, weights=bins.n))
    bins = _with_prior(bins, centre, base_rate)
    ends = np.array([bins.x.min(), max(bins.x.max(), bins.x.min() + 1e-6)])
    beliefs = {None: 0.0} if slope is None else {slope: np.log(HOLDS), None: np.log(1 - HOLDS)}

    def best(knots: Floats, changes: tuple[float, ...]) -> _Curve:
        fits = [
            (curve, evidence + prior)
            for belief, prior in beliefs.items()
            for curve, evidence in (_penalised(bins, knots, centre, change=change, slope=belief) for change in changes)
        ]
        return max(fits, key=lambda fit: fit[1])[0]

    line = best(ends, (1.0,))
    rarer = min(bins.wins.sum(), (bins.n - bins.wins).sum())
    stretches = 1 + min(MAX_STRETCHES - 1, int(rarer / WINS_PER_STRETCH), len(bins.x) // 4)
    return line if stretches == 1 else best(_knots(bins, line, stretches), SLOPE_CHANGES)


def _with_prior(bins: _Bins, centre: float, base_rate: float | None) -> _Bins:
    """Add what is believed before any outcome, as a row at the centre."""
    n, wins = (1.0, 0.5) if base_rate is None else (1.0 / base_rate, 1.0)
    at = int(np.argmin(np.abs(bins.x - centre)))
    return _Bins(bins.x, _plus(bins.n, at, n), _plus(bins.wins, at, wins), _plus(bins.squares, at, n))


def _plus(values: Floats, at: int, more: float) -> Floats:
    found = values.copy()
    found[at] += more
    return found


def _knots(bins: _Bins, line: _Curve, stretches: int) -> Floats:
    """Cut the scores into stretches that tell about equally much."""
    p = sigmoid(line.log_odds(bins.x))
    told = np.cumsum(bins.n * p * (1 - p))
    inner = np.interp(np.arange(1, stretches) / stretches * told[-1], told, bins.x)
    return np.unique(np.concatenate([bins.x[:1], inner, bins.x[-1:]]))


def _penalised(
    bins: _Bins, knots: Floats, centre: float, *, change: float, slope: Slope | None
) -> tuple[_Curve, float]:
    """Return the curve of the largest posterior density with slopes of at least 0, and the log evidence (Laplace)."""
    from scipy.optimize import lsq_linear

    basis = _ramps(bins.x, knots, centre)
    root, target = _prior(bins, basis.shape[1] - 1, change, slope)
    floor = np.r_[-np.inf, np.zeros(basis.shape[1] - 1)]
    rate = bins.wins.sum() / bins.n.sum()
    coefficients = np.r_[np.log(rate / (1 - rate)), np.full(basis.shape[1] - 1, target[-1] / root[-1].sum())]
    for _ in range(50):
        eta = np.clip(basis @ coefficients, -30, 30)
        p = sigmoid(eta)
        information = np.maximum(bins.n * p * (1 - p), 1e-12)
        half = np.sqrt(information)
        working = half * (eta + (bins.wins - bins.n * p) / information)
        found = lsq_linear(np.vstack([half[:, None] * basis, root]), np.r_[working, target], (floor, np.inf)).x
        step = found - coefficients
        coefficients = coefficients + step * min(1.0, 3.0 / max(float(np.abs(basis @ step).max()), 1e-12))
        if np.abs(basis @ step).max() < 1e-6:
            break
    p = sigmoid(basis @ coefficients)
    curvature = bins.n * p * (1 - p)
    hessian = basis.T @ (curvature[:, None] * basis)
    meat = basis.T @ ((bins.squares * p * (1 - p))[:, None] * basis)
    penalty = root.T @ root
    loss = np.sum((root @ coefficients - target) ** 2) / 2
    likelihood = np.sum(bins.wins * np.log(p) + (bins.n - bins.wins) * np.log1p(-p))
    prior = np.linalg.slogdet(root[:, 1:])[1]
    evidence = likelihood - loss + prior - np.linalg.slogdet(hessian + penalty)[1] / 2
    bread = np.linalg.inv(hessian + penalty).astype(np.float64)
    curve = _Curve(knots, centre, coefficients, meat, penalty, bread)
    return curve, float(evidence)


def _prior(bins: _Bins, slopes: int, change: float, slope: Slope | None) -> tuple[Floats, Floats]:
    """Return the prior as rows to fit: each change of slope about 0, the average slope about what is believed of it."""
    mean = np.average(bins.x, weights=bins.n)
    spread = float(np.sqrt(np.average((bins.x - mean) ** 2, weights=bins.n)))
    usual = min(1.0, USUAL_SPREAD / max(spread, 1e-9))
    believed = slope or Slope(usual, SLOPE_SPREAD * usual)
    changes = np.diff(np.eye(slopes), axis=0) / (change * usual)
    average = np.full((1, slopes), 1 / slopes) / believed.spread
    root = np.hstack([np.zeros((slopes, 1)), np.vstack([changes, average])])
    return root, np.r_[np.zeros(slopes - 1), believed.middle / believed.spread]


def _design_effect(log_odds: Floats, won: Bools, weight: Floats, lead: Ints | None) -> float:
    """Return by how much the rows of one lead, which go together, raise the variance; 1 where each stands alone."""
    if lead is None:
        return 1.0
    residual = weight * (won - sigmoid(log_odds))
    _, of = np.unique(lead, return_inverse=True)
    alone = float(np.sum(residual**2))
    return max(1.0, float(np.sum(_sums(of, residual) ** 2)) / alone) if alone > 0 else 1.0


def _misfit(curve: _Curve, bins: _Bins, effect: float) -> float:
    """Return the variance with which win rates in narrow bands of scores lie off the curve beyond chance, in log-odds.

    The mean of its posterior, so that few wins, which can show no misfit, do not rule one out.
    """
    log_odds = curve.log_odds(bins.x)
    p = sigmoid(log_odds)
    told = np.cumsum(bins.n * p * (1 - p))
    count = int(np.clip(min(bins.wins.sum(), (bins.n - bins.wins).sum()) / WINS_PER_BAND, 1, MAX_BANDS))
    band = np.minimum((told / told[-1] * count).astype(np.int64), count - 1)
    _, band = np.unique(band, return_inverse=True)
    level, variance = _levels(log_odds, bins.n, bins.wins, band, effect)
    free = 1 - min(0.8, len(curve.coefficients) / max(2 * len(level), 1))
    around = SPREADS[:, None] ** 2 + variance
    likelihood = -(np.log(around) + level**2 / free / around).sum(axis=1) / 2
    share = _posterior(likelihood - (SPREADS / USUAL_MISFIT) ** 2 / 2)
    return float(share @ SPREADS**2)


# ------------------------------------------------------------------------------------------------ the coming period


@dataclass(frozen=True, slots=True)
class _Shift:
    """By how much the coming period's level differs from the curve: normals (mean, variance) with their weights."""

    share: Floats
    mean: Floats
    variance: Floats
    periods: int = 0
    spread: float | None = None

    @property
    def expected(self) -> float:
        """The mean."""
        return float(self.share @ self.mean)


_STEADY = _Shift(np.ones(1), np.zeros(1), np.zeros(1))


def _forecast(log_odds: Floats, of: Ints, won: Bools, time: Floats, effect: float) -> _Shift:
    """Say where the level will be, from how well each past period was forecast by those before it.

    `log_odds` are the curve's in each bin, `of` is the bin of each row. A memory (over how many periods the level is
    averaged) and a spread between periods are weighed against each other by the likelihood of all forecasts, as in a
    random-effects meta-analysis on a grid.
    """
    rarer = min(int(won.sum()), int((~won).sum()))
    periods = min(MAX_PERIODS, rarer // WINS_PER_PERIOD)
    if periods < GAP + 2:
        return _STEADY
    period = _periods(time, periods)
    cells, size = of * periods + period, len(log_odds) * periods
    n, wins = _sums(cells, np.ones(len(won)), size), _sums(cells, won.astype(np.float64), size)
    part = np.tile(np.arange(periods), len(log_odds))
    level, variance = _levels(np.repeat(log_odds, periods), n, wins, part, effect)
    level, variance = level[: period.max() + 1], variance[: period.max() + 1]
    if len(level) < GAP + 2:
        return _STEADY
    return _mix(level, variance)


def _mix(level: Floats, variance: Floats) -> _Shift:
    """Weigh memories and spreads by how well each would have forecast the past."""
    likelihood, means, extra = zip(*(_one_ahead(level, variance, memory) for memory in MEMORIES), strict=True)
    prior = np.log(list(MEMORIES.values()))[:, None] - np.log1p((SPREADS / USUAL_PERIOD_SPREAD) ** 2)
    share = _posterior(np.array(likelihood) + prior)
    mean = np.repeat(np.array(means)[:, None], len(SPREADS), axis=1)
    spread = float(np.sqrt(np.sum(share * SPREADS**2)))
    return _Shift(share.ravel(), mean.ravel(), np.array(extra).ravel(), len(level), spread)


def _posterior(density: Floats) -> Floats:
    """Turn log densities along SPREADS (last axis) into shares of 1."""
    widths = np.gradient(SPREADS)
    widths[0] = SPREADS[1] / 2
    share: Floats = np.exp(density - density.max()) * widths
    share /= share.sum()
    return share


def _periods(time: Floats, count: int) -> Ints:
    """Cut the rows into at most so many periods of about equally many; rows of one moment stay together."""
    cuts = np.unique(np.quantile(time, np.arange(1, count) / count))
    place = np.searchsorted(cuts, time, side="right")
    numbers = np.cumsum(np.bincount(place) > 0) - 1
    found: Ints = numbers[place]
    return found


def _levels(log_odds: Floats, n: Floats, wins: Floats, part: Ints, effect: float) -> tuple[Floats, Floats]:
    """Return by how much the log-odds of each part (a period, a band) lie off the curve, and its sampling variance."""
    size = int(part.max()) + 1
    level = np.zeros(size)
    information = np.ones(size)
    for _ in range(12):
        p = sigmoid(log_odds + level[part])
        information = _sums(part, n * p * (1 - p)) + 0.25
        gap = _sums(part, wins - n * p) - 0.25 * level
        level = level + np.clip(gap / information, -1.0, 1.0)
    return level, effect / information


def _one_ahead(level: Floats, variance: Floats, memory: float) -> tuple[Floats, float, Floats]:
    """Forecast each period from those that ended one period before it began.

    The gap is there because the last outcomes are always some time old when a score is used, and because what moves
    the level does not keep to our periods: the end of one is much like the beginning of the next. Returns the
    log-likelihood of the forecasts by spread, the forecast of the coming period, and its variance by spread as far as
    it comes from the spread.
    """
    age = np.arange(len(level))[:, None] - np.arange(GAP + 1, len(level) + GAP + 1)[None, :]
    told = np.where(age < -GAP, 2.0 ** (age / memory), 0.0) / (variance + np.median(variance))[:, None]
    told = told / told.sum(axis=0)
    mean = level @ told
    known, square = variance @ told**2, (told**2).sum(axis=0)
    ahead = len(level) - GAP - 1
    around = SPREADS[:, None] ** 2 * (1 + square[:ahead]) + variance[GAP + 1 :] + known[:ahead]
    error = level[GAP + 1 :] - mean[:ahead]
    likelihood = -(np.log(around) + error**2 / around).sum(axis=1) / 2
    more = max(0.0, float(known[-1] - 1 / np.sum(1 / variance)))
    return likelihood, float(mean[-1]), SPREADS**2 * (MIXING + square[-1]) + more


# ------------------------------------------------------------------------------------------------- what people read


def _readable(
    curve: _Curve, bins: _Bins, effect: float, shift: _Shift, level: float, *, rows: int, wins: int
) -> Calibration:
    knots = _few_knots(curve, bins, shift.expected)
    x = knots / POINTS_PER_UNIT
    least = 0.5 / (rows + 1)
    variance = curve.variance(x, effect) + _misfit(curve, bins, 1.0)
    middle = np.clip(_projected(knots, bins, sigmoid(curve.log_odds(bins.x) + shift.expected)), least, 1 - least)
    centre = np.log(middle / (1 - middle)) - shift.expected
    low, high = (sigmoid(centre + _quantile(shift, variance, q)) for q in ((1 - level) / 2, (1 + level) / 2))
    low = np.minimum.accumulate(np.minimum(low, middle)[::-1])[::-1]
    high = np.maximum.accumulate(np.maximum(high, middle))
    return Calibration(
        score=tuple(knots.tolist()),
        probability=_rounded(middle),
        low=_rounded(np.maximum(low, least / 20)),
        high=_rounded(np.minimum(high, 1 - least / 20)),
        level=level,
        rows=rows,
        wins=wins,
        slope=_average_slope(curve, bins),
        periods=shift.periods,
        period_spread=shift.spread,
    )


def _average_slope(curve: _Curve, bins: _Bins) -> float:
    off = bins.x - np.average(bins.x, weights=bins.n)
    spread = float(np.sum(bins.n * off**2))
    return float(np.sum(bins.n * off * curve.log_odds(bins.x)) / spread) if spread > 0 else 0.0


def _few_knots(curve: _Curve, bins: _Bins, shift: float) -> Floats:
    """Return scores between which lines come close to the curve: the two ends, then where it is missed most."""
    score = bins.x * POINTS_PER_UNIT
    p = sigmoid(curve.log_odds(bins.x) + shift)
    step = _step(float(score[-1] - score[0]))
    grid = np.unique(np.round(score / step) * step)
    knots = grid[[0, -1]] if len(grid) > 1 else grid
    while len(knots) < min(MAX_KNOTS, len(grid)):
        miss = bins.n * (np.interp(score, knots, np.interp(knots, score, p)) - p) ** 2 / (p * (1 - p))
        if miss.sum() / bins.n.sum() < 1e-5:
            break
        free = np.setdiff1d(grid, knots)
        cost = [np.sum(miss[np.abs(score - at) <= _reach(at, knots)]) for at in free]
        knots = np.sort(np.append(knots, free[int(np.argmax(cost))]))
    return np.round(knots, 10)


def _reach(at: float, knots: Floats) -> float:
    """Return the distance to the nearest knot: a new one there changes the lines up to it on either side."""
    return float(np.abs(knots - at).min())


def _step(width: float) -> float:
    """Return the step scores are rounded to: whole points, finer where the scores span little."""
    return 1.0 if width >= 20 else float(10.0 ** np.floor(np.log10(max(width, 1e-6) / 20)))


def _projected(knots: Floats, bins: _Bins, p: Floats) -> Floats:
    """Return heights of the knots whose straight lines come closest to the curve, rising."""
    from scipy.optimize import lsq_linear

    score = bins.x * POINTS_PER_UNIT
    exact = np.interp(knots, score, p)
    if len(knots) == 1:
        return exact
    hats = np.stack([np.interp(score, knots, row) for row in np.eye(len(knots))], axis=1)
    rising = np.tril(np.ones((len(knots), len(knots))))
    weight = np.sqrt(bins.n / (p * (1 - p)))
    # A little of the exact height, for knots that hardly any row lies near.
    weak = 1e-3 * weight.max() * np.eye(len(knots))
    rows = np.vstack([weight[:, None] * hats, weak]) @ rising
    found = lsq_linear(rows, np.r_[weight * p, weak @ exact], (0.0, 1.0)).x
    heights: Floats = rising @ found
    return heights


def _quantile(shift: _Shift, variance: Floats, q: float) -> Floats:
    """Return a quantile of the mixture of normals, for each variance of the curve, by halving."""
    from scipy.special import ndtr

    sd = np.sqrt(shift.variance[:, None] + variance)
    reach = 12 * sd.max() + np.abs(shift.mean).max()
    low, high = np.full(len(variance), -reach), np.full(len(variance), reach)
    for _ in range(60):
        middle = (low + high) / 2
        below = shift.share @ ndtr((middle - shift.mean[:, None]) / sd) < q
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found: Floats = (low + high) / 2
    return found


def _rounded(values: Floats) -> tuple[float, ...]:
    """Round to three digits of whichever of p and 1 - p is less, so that neither becomes 0."""
    return tuple(_round(float(p)) if p < 0.5 else round(1 - _round(float(1 - p)), 12) for p in values)


def _round(p: float) -> float:
    return float(f"{p:.3g}")
