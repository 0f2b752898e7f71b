"""Learning the tables: from examples to a sum of one- and two-feature tables in log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.errors import TooFewOutcomes
from leadlight.learn.additive import Block, Sum, fit_sum, plain_penalty, smooth_penalty
from leadlight.learn.bins import Binned, bin_features
from leadlight.learn.examples import Examples
from leadlight.learn.merge import Merged, merge_axis
from leadlight.learn.pairs import Pair, Side, choose_pairs, pair_codes, pair_term, side
from leadlight.learn.tables import CategoryAxis, Tables, Term, sigmoid

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Direction = Literal["rising", "falling"]

FEWEST = 20
"""Fewer wins or losses than this are too few to learn tables from."""
PERIOD_STRENGTH = 0.1


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What may be set; the defaults are what was measured to be best (docs/decisions/0007)."""

    seed: int = 0
    most_pairs: int = 10
    most_bands: int = 8
    monotone: Mapping[str, Direction] = field(default_factory=dict)
    half_life: float | None = None
    periods: int = 8
    threads: int = 2


@dataclass(frozen=True, slots=True)
class TermFacts:
    """What a report says of a table: the share kept, and its bins before and after merging."""

    features: tuple[str, ...]
    kept: float
    bands_before: int
    bands_after: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """The tables, and how they came about."""

    tables: Tables
    terms: tuple[TermFacts, ...]
    rows: int
    wins: int
    pairs_considered: int
    pairs_chosen: tuple[tuple[str, str], ...]
    rounds: int
    left_out: dict[str, str]
    warnings: tuple[str, ...]

    def probability(self, features: pa.Table) -> Floats:
        """Return each row's probability of a win."""
        return sigmoid(self.tables.log_odds(features))


def fit(examples: Examples, settings: FitSettings | None = None) -> Fitted:
    """Learn tables from examples.

    >>> x = np.tile(np.arange(10.0), 40)
    >>> fitted = fit(Examples(features=pa.table({"x": x}), won=x + np.repeat(np.arange(40) % 7, 10) > 9))
    >>> fitted.tables.features
    ('x',)
    """
    settings = settings or FitSettings()
    check_outcomes(examples.won)
    binned = bin_features(examples.features)
    period = periods_of(examples, settings)
    weights = None
    mains = tuple(main_block(axis, codes, settings) for axis, codes in zip(binned.axes, binned.codes, strict=True))
    offset_block = Block(period.astype(np.uint8), plain_penalty(int(period.max()) + 1), PERIOD_STRENGTH, fixed=True)
    singles = fit_sum((*mains, offset_block), examples.won, weights=weights)
    sides = [side(axis, codes) for axis, codes in zip(binned.axes, binned.codes, strict=True)]
    pairs, considered = find_pairs(binned, sides, singles, examples.won, period, settings)
    merged = [
        merge_axis(axis, singles.coefficients[j], singles.weights[j], most=settings.most_bands)
        for j, axis in enumerate(binned.axes)
    ]
    blocks = coarse_blocks(binned, merged, pairs, sides, settings)
    final = fit_sum((*blocks, offset_block), examples.won, weights=weights)
    base = final.base + float(final.coefficients[-1][-1])
    return _fitted(examples, binned, merged, sides, pairs, considered, final, base)


def check_outcomes(won: NDArray[np.bool_]) -> None:
    """Raise TooFewOutcomes where there are too few wins or losses to learn from."""
    wins = int(won.sum())
    if min(wins, len(won) - wins) < FEWEST:
        raise TooFewOutcomes(wins=wins, losses=len(won) - wins, needed=FEWEST)


def periods_of(examples: Examples, settings: FitSettings) -> NDArray[np.int64]:
    """Return the period of each row: about equal counts in time; without time, parts at random."""
    n = len(examples)
    if examples.time is None:
        return np.random.default_rng(settings.seed).permutation(n) * settings.periods // n
    cuts = np.unique(np.quantile(examples.time, np.arange(1, settings.periods) / settings.periods))
    found: NDArray[np.int64] = np.unique(np.searchsorted(cuts, examples.time, side="right"), return_inverse=True)[1]
    return found


def main_block(axis: object, codes: Codes, settings: FitSettings) -> Block:
    """Return the block of a one-feature table."""
    if isinstance(axis, CategoryAxis):
        return Block(codes, plain_penalty(axis.size))
    assert hasattr(axis, "size")
    way = {"rising": 1, "falling": -1}.get(settings.monotone.get(axis.feature, ""), 0)  # type: ignore[attr-defined]
    return Block(codes, smooth_penalty(axis.size), rising=way)


def find_pairs(
    binned: Binned,
    sides: list[Side],
    singles: Sum,
    won: NDArray[np.bool_],
    period: NDArray[np.int64],
    settings: FitSettings,
) -> tuple[list[Pair], int]:
    """Return the chosen pairs and how many were considered."""
    allowed = [j for j, name in enumerate(binned.names) if name not in settings.monotone and sides[j].cells > 1]
    if settings.most_pairs == 0 or len(allowed) < 2:
        return [], 0
    spread = [float(singles.weights[j] @ singles.coefficients[j] ** 2) for j in allowed]
    allowed = sorted(np.array(allowed)[np.argsort(spread, kind="stable")[::-1][:30]].tolist())
    p = sigmoid(singles.log_odds((*binned.codes, period.astype(np.uint8))))
    return choose_pairs(sides, binned.codes, won - p, p * (1 - p), period, most=settings.most_pairs, allowed=allowed)


def coarse_blocks(
    binned: Binned, merged: list[Merged], pairs: list[Pair], sides: list[Side], settings: FitSettings
) -> tuple[Block, ...]:
    """Return the blocks of merged bands and of pairs."""
    mains = [main_block(m.axis, m.place_of[codes], settings) for m, codes in zip(merged, binned.codes, strict=True)]
    twos = []
    for pair in pairs:
        codes = pair_codes(sides[pair.first], sides[pair.second], binned.codes[pair.first], binned.codes[pair.second])
        twos.append(Block(codes, plain_penalty(sides[pair.first].cells * sides[pair.second].cells + 1), 10.0))
    return (*mains, *twos)


def _fitted(
    examples: Examples,
    binned: Binned,
    merged: list[Merged],
    sides: list[Side],
    pairs: list[Pair],
    considered: int,
    final: Sum,
    base: float,
) -> Fitted:
    terms = [Term((m.axis,), final.coefficients[j], errors=final.errors[j]) for j, m in enumerate(merged)]
    facts = [TermFacts(term.features, 1.0, binned.axes[j].size, term.axes[0].size) for j, term in enumerate(terms)]
    for k, pair in enumerate(pairs, len(merged)):
        term = pair_term(sides[pair.first], sides[pair.second], final.coefficients[k], final.errors[k])
        terms.append(term)
        facts.append(TermFacts(term.features, 1.0, term.log_odds.size, term.log_odds.size))
    names = tuple((binned.names[p.first], binned.names[p.second]) for p in pairs)
    return Fitted(
        Tables(base, tuple(terms)), tuple(facts), len(examples), examples.wins, considered, names, final.steps,
        binned.left_out, (),
    )  # fmt: skip
