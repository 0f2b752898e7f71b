"""What a win brings: a base times a factor for each of a few features, learned from past wins whose worth is known.

Worth differs by factors, not by sums, and a few wins are worth as much as all the rest. So factors are learned from
the logarithm of the worth, by the few features whose differences can hardly be chance (F test, corrected for how many
were looked at), each shrunk towards 1 by how little is known of it. The base then makes the expected worth of all past
wins add up to what they brought, so that a mean is expected and not a median (smearing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.learn.bins import fine_axis
from leadlight.learn.examples import Examples, Floats
from leadlight.learn.merge import merge_axis
from leadlight.learn.tables import Axis, NumberAxis
from leadlight.spec import models

Places = NDArray[np.int64]

MOST_FACTORS = 3
FEWEST_WINS = 12
"""With fewer wins of known worth, all are expected to bring the same."""
WINS_PER_BAND = 12
MOST_BANDS = 8
CHANCE = 0.05
"""How likely it may be that any factor at all is chance."""
CAP = 3.0
"""Robust standard deviations of log worth beyond which a win counts as that much only."""
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class WorthFactor:
    """By what the base is multiplied, at each place of one feature's axis."""

    axis: Axis
    factor: Floats = field(repr=False)
    wins: Floats = field(repr=False)
    """How many wins each place was learned from."""

    def values(self, features: pa.Table) -> Floats:
        """Return the factor of each row."""
        found: Floats = self.factor[self.axis.places(features)]
        return found


@dataclass(frozen=True, slots=True)
class Worth:
    """The base, its factors, and what they were learned from.

    `capped` is how many wins were worth so much (or so little) that they count as less; `worthless` how many brought
    nothing: they lower the base. `spread` is the standard deviation of log worth that stays unexplained.
    """

    base: float
    factors: tuple[WorthFactor, ...]
    wins: int
    capped: int
    worthless: int
    spread: float

    def expected(self, features: pa.Table) -> Floats:
        """Return the expected worth of each row, if it is won."""
        found = np.full(features.num_rows, self.base)
        for factor in self.factors:
            found = found * factor.values(features)
        return found

    def spec(self) -> models.WorthSpec:
        """Return what a scorecard file holds under `worth`: all but factors that name no value."""
        named = [_criterion(factor) for factor in self.factors if _names_a_value(factor.axis)]
        return models.WorthSpec(base=self.base, criteria=named)


def _names_a_value(axis: Axis) -> bool:
    return isinstance(axis, NumberAxis) or bool(axis.groups)


def learn_worth(examples: Examples, *, most: int = MOST_FACTORS) -> models.WorthSpec | None:
    """Return the worth of a win as it stands in a scorecard; None where no win's worth is known."""
    found = fit_worth(examples, most=most)
    return None if found is None else found.spec()


def fit_worth(examples: Examples, *, most: int = MOST_FACTORS) -> Worth | None:
    """Learn what a win brings from the rows that were won and whose worth is known; None where there are none.

    A lead of several rows counts once. The same rows always give the same worth.

    >>> size = np.tile([10.0, 1000.0], 50)
    >>> rows = Examples(pa.table({"size": size}), won=np.ones(100, bool), worth=np.tile([2e3, 6e3, 3e3, 9e3], 25))
    >>> found = fit_worth(rows)
    >>> found.base, found.expected(pa.table({"size": [10.0, 1000.0]})).round(-2).tolist()
    (4333.0, [2500.0, 7500.0])
    """
    known = examples.won & np.isfinite(examples.worth)
    if not known.any() or not (examples.worth[known] > 0).any():
        return None
    rows = examples.take(known)
    weight = _one_a_lead(rows)
    paid = rows.worth > 0
    logs, capped = _capped(np.log(rows.worth[paid]), weight[paid])
    worth = np.zeros(len(rows))
    worth[paid] = np.exp(logs)
    terms = _choose(rows.take(paid), logs, weight[paid], most)
    factors = tuple(_factor(term) for term in terms)
    plain = Worth(1.0, factors, 0, 0, 0, 0.0).expected(rows.features)
    base = float(np.sum(weight * worth) / np.sum(weight * plain))
    residual = logs - np.log(plain[paid])
    middle = np.average(residual, weights=weight[paid])
    return Worth(
        base=_digits(base, 4),
        factors=factors,
        wins=len(np.unique(rows.lead)),
        capped=capped,
        worthless=len(np.unique(rows.lead[~paid])),
        spread=float(np.sqrt(np.average((residual - middle) ** 2, weights=weight[paid]))),
    )


def _one_a_lead(rows: Examples) -> Floats:
    """Return weights that add up to 1 for each lead."""
    _, of, count = np.unique(rows.lead, return_inverse=True, return_counts=True)
    found: Floats = 1.0 / count[of]
    return found


def _capped(logs: Floats, weight: Floats) -> tuple[Floats, int]:
    """Bring logarithms far from the median in; return how many, too."""
    middle = _median(logs, weight)
    reach = CAP * 1.4826 * _median(np.abs(logs - middle), weight)
    if reach == 0:  # more than half are equal
        reach = CAP * float(np.sqrt(np.average((logs - middle) ** 2, weights=weight)))
    found = np.clip(logs, middle - reach, middle + reach)
    return found, int((found != logs).sum())


def _median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values, kind="stable")
    half = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(half, half[-1] / 2)])


# ------------------------------------------------------------------------------------------------------- the factors


@dataclass(frozen=True, slots=True)
class _Level:
    """One feature's axis, the place of each win on it, and the log factor of each place."""

    axis: Axis
    places: Places
    effect: Floats
    wins: Floats

    @property
    def values(self) -> Floats:
        found: Floats = self.effect[self.places]
        return found


def _choose(rows: Examples, logs: Floats, weight: Floats, most: int) -> list[_Level]:
    """Take the feature whose differences are least likely chance, again and again, and fit all that were taken."""
    total = float(weight.sum())
    chosen: list[_Level] = []
    if total < FEWEST_WINS or np.ptp(logs) < 1e-9:
        return chosen
    bands = int(np.clip(total / WINS_PER_BAND, 2, MOST_BANDS))
    axes = [fine_axis(name, rows.features.column(name).combine_chunks(), most=bands) for name in rows.names]
    places = [axis.places(rows.features) for axis in axes]
    left = list(range(len(axes)))
    while left and len(chosen) < most:
        residual = _residual(logs, weight, chosen)
        chance = [_chance(residual, weight, places[j], axes[j].size) for j in left]
        best = int(np.argmin(chance))
        if chance[best] * len(axes) > CHANCE:
            break
        j = left.pop(best)
        chosen.append(_merged(axes[j], places[j], residual, weight, rows))
        chosen = _refitted(chosen, logs, weight)
    return chosen


def _residual(logs: Floats, weight: Floats, terms: Sequence[_Level]) -> Floats:
    rest = logs - sum((term.values for term in terms), np.zeros(len(logs)))
    found: Floats = rest - np.average(rest, weights=weight)
    return found


def _chance(residual: Floats, weight: Floats, place: Places, size: int) -> float:
    """Return how likely places as different as these are when none differs (F test of a one-way analysis)."""
    from scipy.special import fdtrc

    n, mean = _means(residual, weight, place, size)
    between = float(np.sum(n * mean**2))
    within = float(np.sum(weight * residual**2)) - between
    groups, total = int((n > 0).sum()), float(n.sum())
    if groups < 2 or total <= groups + 1:
        return 1.0
    if within <= 1e-12 * between:
        return 0.0
    return float(fdtrc(groups - 1, total - groups, between / (groups - 1) / (within / (total - groups))))


def _means(residual: Floats, weight: Floats, place: Places, size: int) -> tuple[Floats, Floats]:
    """Return the weight and the mean of each place; 0 where nothing is."""
    n = np.bincount(place, weight, minlength=size).astype(np.float64)
    return n, np.bincount(place, weight * residual, minlength=size) / np.maximum(n, 1e-12)


def _shrunk(residual: Floats, weight: Floats, place: Places, size: int) -> tuple[Floats, Floats]:
    """Return the wins and the mean of each place drawn towards 0, by the moments of a random effect."""
    n, mean = _means(residual, weight, place, size)
    groups, total = int((n > 0).sum()), float(n.sum())
    between = float(np.sum(n * mean**2))
    noise = max(0.0, float(np.sum(weight * residual**2)) - between) / max(total - groups, 1.0)
    spread = max(0.0, between - (groups - 1) * noise) / max(total - float(np.sum(n**2)) / total, 1e-12)
    kept = n * spread / np.maximum(n * spread + noise, 1e-300)
    return n, mean * kept


def _merged(axis: Axis, place: Places, residual: Floats, weight: Floats, rows: Examples) -> _Level:
    """Put bands and values together that do not differ."""
    n, mean = _means(residual, weight, place, axis.size)
    noise = float(np.average((residual - mean[place]) ** 2, weights=weight))
    coarse = merge_axis(axis, mean, n / max(noise, 1e-12), most=MOST_BANDS).axis
    places = coarse.places(rows.features)
    return _Level(coarse, places, np.zeros(coarse.size), np.zeros(coarse.size))


def _refitted(terms: list[_Level], logs: Floats, weight: Floats) -> list[_Level]:
    """Fit each factor to what the others leave, in turn, until they agree."""
    found = list(terms)
    for _ in range(ROUNDS if len(terms) > 1 else 1):
        for j, term in enumerate(found):
            residual = _residual(logs, weight, [*found[:j], *found[j + 1 :]])
            wins, effect = _shrunk(residual, weight, term.places, term.axis.size)
            found[j] = _Level(term.axis, term.places, effect, wins)
    return found


# ------------------------------------------------------------------------------------------------- what people read


def _factor(term: _Level) -> WorthFactor:
    factor = np.array([_digits(float(value), 3) for value in np.exp(term.effect)])
    return WorthFactor(term.axis, factor, term.wins)


def _digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _criterion(factor: WorthFactor) -> models.WorthCategory | models.WorthBands:
    axis, values = factor.axis, factor.factor.tolist()
    name, missing = axis.feature, values[0]
    if isinstance(axis, NumberAxis):
        edges = [None, *axis.cuts, None]
        bands = list(zip(edges[:-1], edges[1:], values[1:], strict=True))
        return models.WorthBands(name=name, feature=name, bands=bands, missing=missing)
    factors: dict[str | bool | int | float, float] = {
        value: values[k] for k, group in enumerate(axis.groups, 1) for value in group
    }
    return models.WorthCategory(name=name, feature=name, factors=factors, missing=missing, other=values[-1])
