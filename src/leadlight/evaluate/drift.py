"""Whether what was learned still holds: have features, scores or the truth of the probabilities shifted?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from leadlight.evaluate.arrays import Bools, Floats, Ints, Texts, same_length
from leadlight.evaluate.bins import Bins, bins_of, named
from leadlight.evaluate.bootstrap import leads_of
from leadlight.evaluate.calibration import LEVEL_LIMITS, as_probability
from leadlight.spec.words import USUAL, Words, without_words

STABLE, SHIFTED = 0.1, 0.25
"""The usual bands of the population stability index: below .1 stable, from .25 a large shift (Siddiqi 2006, Credit Risk
Scorecards, chapter 9; first Lewis 1994, An Introduction to Credit Scoring)."""
SIGNIFICANCE = 0.05
NO_CHANCES = "It gives no probabilities that could be held against outcomes."
MOST_NAMED = 5
"""So many features or segments a reason names."""

Band = Literal["stable", "some shift", "large shift", "unknown"]


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a column's values have moved between two samples.

    `psi` is the population stability index Σ (now − before) ln(now / before) over the shares in the bins, half a row
    added to each bin; None where a sample is empty. `by_chance` is what two samples of these sizes of the same leads
    would stay below in 19 of 20 cases: (1/n + 1/m) times a quantile of χ² (Yurdakul 2018). Where many columns are
    looked at, it is higher, so that all of them stay below in 19 of 20 (Bonferroni). `bins` are (label, share
    before, share now).
    """

    name: str
    psi: float | None
    by_chance: float
    before: int
    now: int
    bins: tuple[tuple[str, float, float], ...] = field(repr=False)

    @property
    def band(self) -> Band:
        """The band of the index; what chance explains is stable."""
        if self.psi is None:
            return "unknown"
        if self.psi < STABLE or self.psi <= self.by_chance:
            return "stable"
        return "some shift" if self.psi < SHIFTED else "large shift"

    @property
    def moved_most(self) -> tuple[str, float, float] | None:
        """The bin whose share has changed most."""
        return max(self.bins, key=lambda item: abs(item[2] - item[1]), default=None)

    def as_dict(self) -> dict[str, Any]:
        """Return the shift as plain JSON values."""
        return {**asdict(self), "bins": [list(item) for item in self.bins], "band": self.band}

    def __str__(self) -> str:
        if self.psi is None or self.moved_most is None:
            return f"{self.name}: nothing to compare"
        label, before, now = self.moved_most
        return f"{self.name}: {self.band} (PSI {self.psi:.2f}); {label} was {before:.0%}, is {now:.0%}"


def column_drift(
    name: str, reference: pa.ChunkedArray | pa.Array, recent: pa.ChunkedArray | pa.Array, *, among: int = 1
) -> Drift:
    """Compare two samples of one column: numbers by the reference's deciles, text by its common categories.

    `among` says how many columns are looked at.

    >>> print(column_drift("source", pa.array(["ads"] * 50 + ["web"] * 50), pa.array(["ads"] * 90 + ["web"] * 10)))
    source: large shift (PSI 0.85); ads was 50%, is 90%
    """
    return _between(name, bins_of(reference), reference, recent, among)


def _between(
    name: str, bins: Bins, reference: pa.ChunkedArray | pa.Array, recent: pa.ChunkedArray | pa.Array, among: int
) -> Drift:
    before, now = bins.counts(reference), bins.counts(recent)
    used = before + now > 0
    labels = [label for label, use in zip(bins.labels, used, strict=True) if use]
    before, now = before[used], now[used]
    n, m = int(before.sum()), int(now.sum())
    if not n or not m:
        return Drift(name, None, math.inf, n, m, ())
    shares = tuple(zip(labels, (before / n).tolist(), (now / m).tolist(), strict=True))
    return Drift(name, psi(before, now), _by_chance(len(labels), n, m, among), n, m, shares)


def psi(before: Ints, now: Ints) -> float:
    """Return the population stability index of two counts over the same bins, half a row added to each bin.

    >>> round(psi(np.array([5000, 5000]), np.array([6000, 4000])), 4)
    0.0405
    """
    p, q = ((counts + 0.5) / (counts + 0.5).sum() for counts in (before, now))
    return float(((q - p) * np.log(q / p)).sum())


def _by_chance(bins: int, n: int, m: int, among: int) -> float:
    from scipy.stats import chi2

    return (1 / n + 1 / m) * float(chi2.isf(SIGNIFICANCE / among, bins - 1)) if bins > 1 else 0.0


def feature_drift(reference: pa.Table, recent: pa.Table) -> tuple[Drift, ...]:
    """Compare all columns of the reference, the greatest shift first; a column that is gone counts as missing."""
    gone = pa.nulls(recent.num_rows)
    found = [
        column_drift(
            name,
            reference[name],
            recent[name] if name in recent.column_names else gone,
            among=len(reference.column_names),
        )
        for name in reference.column_names
    ]
    return tuple(sorted(found, key=lambda item: -(item.psi or 0.0)))


def score_drift(reference: Floats, recent: Floats) -> Drift:
    """Compare two samples of scores."""
    return column_drift("score", pa.array(reference, pa.float64()), pa.array(recent, pa.float64()))


@dataclass(frozen=True, slots=True)
class Since:
    """How many wins came since, where the probabilities said so many; `low` to `high` is what chance allows.

    The range holds 95 % of the cases in which all probabilities are true: the sum's normal approximation with its skew
    (Cornish and Fisher 1938). Where segments are many, it is wider, so that all of them are inside in 95 %.
    """

    segment: str | None
    """None is everybody."""
    n: int
    won: int
    expected: float
    low: float
    high: float
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def off(self) -> bool:
        """Whether the difference is beyond chance, and too large to let be."""
        low, high = (limit * self.expected for limit in LEVEL_LIMITS)
        return not self.low <= self.won <= self.high and not low <= self.won <= high

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return {**without_words(self), "off": self.off}

    def __str__(self) -> str:
        whose = "" if self.segment is None else f"{self.segment}: "
        chance = f"{self.low:,.0f} to {self.high:,.0f} by chance"
        came = f"{self.won:,} of {self.n:,} {self.words.won}"
        return f"{whose}{came} where {self.expected:,.1f} were expected ({chance})"


def calibration_since(
    probability: Floats,
    won: Bools,
    *,
    segment: Texts | None = None,
    lead: Ints | None = None,
    words: Words = USUAL,
) -> tuple[Since, ...]:
    """Hold the probabilities said against the outcomes since: of everybody first, then of each segment by size.

    Rows of one lead are taken to win or lose together, which widens the range.
    """
    rows = same_length(probability=probability, won=won, segment=segment, lead=lead)
    said, code = as_probability(probability), leads_of(lead, rows).code
    everybody = _since(None, said, won, code, tests=1, words=words)
    if segment is None or not rows:
        return (everybody,)
    names, place = np.unique(named(segment).astype(str), return_inverse=True)
    parts = [
        _since(str(name), said[here], won[here], code[here], tests=len(names), words=words)
        for i, name in enumerate(names)
        for here in [place == i]
    ]
    return (everybody, *sorted(parts, key=lambda item: -item.n))


def _since(name: str | None, said: Floats, won: Bools, code: Ints, *, tests: int, words: Words) -> Since:
    from scipy.stats import norm

    expected = float(said.sum())
    spread = said * (1 - said)
    variance = float((np.bincount(code, weights=np.sqrt(spread)) ** 2).sum()) if len(code) else 0.0
    skew = float((spread * (1 - 2 * said)).sum()) / variance**1.5 if variance > 0 else 0.0
    z = float(norm.isf(SIGNIFICANCE / 2 / tests))
    low, high = (expected + math.sqrt(variance) * (side * z + skew * (z * z - 1) / 6) for side in (-1, 1))
    # Wins are whole numbers: half a win of room on both sides.
    ends = max(low - 0.5, 0.0), min(high + 0.5, float(len(said)))
    return Since(name, len(said), int(won.sum()), expected, *ends, words)


@dataclass(frozen=True, slots=True)
class Watch:
    """What has shifted since a scorecard was learned, and whether to learn again."""

    score: Drift | None
    features: tuple[Drift, ...]
    since: tuple[Since, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why to learn again, in sentences; empty where nothing calls for it."""
        found = []
        if self.score is not None and self.score.band == "large shift":
            found.append(f"the scores have shifted (PSI {self.score.psi:.2f}, {SHIFTED} is large)")
        shifted = [item for item in self.features if item.band == "large shift"]
        if shifted:
            found.append(f"{_counted(shifted, 'feature')} shifted: " + "; ".join(map(str, shifted[:MOST_NAMED])))
        found += [
            f"the probabilities no longer hold: {item}" for item in self.since if item.off and item.segment is None
        ]
        parts = [item for item in self.since if item.off and item.segment is not None]
        if parts:
            found.append("the probabilities no longer hold for " + "; ".join(map(str, parts[:MOST_NAMED])))
        return tuple(found)

    @property
    def needs_learning(self) -> bool:
        """Whether there is a reason to learn again."""
        return bool(self.reasons)

    def as_dict(self) -> dict[str, Any]:
        """Return all shifts as plain JSON values."""
        return {
            "needs_learning": self.needs_learning,
            "reasons": list(self.reasons),
            "score": None if self.score is None else self.score.as_dict(),
            "features": [item.as_dict() for item in self.features],
            "since": [item.as_dict() for item in self.since],
        }

    def __str__(self) -> str:
        if self.needs_learning:
            return "Learn again: " + "; ".join(self.reasons) + "."
        known = f"{self.since[0]}." if self.since and self.since[0].n else "No outcomes have come since."
        return f"No need to learn again: nothing has shifted much. {known if self.since else NO_CHANCES}"


def _counted(items: Sequence[object], noun: str) -> str:
    return f"1 {noun} has" if len(items) == 1 else f"{len(items)} {noun}s have"


def watch(
    *,
    reference: pa.Table | None = None,
    recent: pa.Table | None = None,
    reference_score: Floats | None = None,
    recent_score: Floats | None = None,
    probability: Floats | None = None,
    won: Bools | None = None,
    segment: Texts | None = None,
    lead: Ints | None = None,
    words: Words = USUAL,
) -> Watch:
    """Compare what a scorecard was learned from with what came since; each pair that is given is compared.

    `reference` and `recent` hold the features, one row for each lead; `probability`, `won`, `segment` and `lead` are
    the rows whose outcome has been settled since.
    """
    features = feature_drift(reference, recent) if reference is not None and recent is not None else ()
    score = None
    if reference_score is not None and recent_score is not None:
        score = score_drift(reference_score, recent_score)
    since: tuple[Since, ...] = ()
    if probability is not None and won is not None:
        since = calibration_since(probability, won, segment=segment, lead=lead, words=words)
    return Watch(score, features, since)
