"""What a line does to groups that are protected: who is chosen, who wins, and what gives a group away."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from leadlight.evaluate.arrays import Bools, Floats, Texts, same_length
from leadlight.evaluate.bins import bins_of, named
from leadlight.evaluate.bootstrap import Metric
from leadlight.evaluate.drift import Since, calibration_since
from leadlight.evaluate.rates import Rate, wilson
from leadlight.spec.words import USUAL, Words

FOUR_FIFTHS = 0.8
"""A group chosen less than four fifths as often as the one chosen most is a sign of adverse impact (US Uniform
Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D)."""
REFERENCE_SHARE = 0.02
"""Smaller groups are compared, but not compared with (the same guidelines)."""
PROXY = 0.1
"""A feature that takes away so much of the uncertainty about the group is called a proxy."""
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Group:
    """One value of a protected attribute: how often it is chosen and won.

    `ratio` is its rate of being chosen over that of the group chosen most, with its 95 % interval (Katz et al. 1978);
    None for that group itself, and where nobody was chosen. `since` holds its wins against the probabilities said.
    """

    name: str
    chosen: Rate
    """How many were at or above the line; `won` counts those."""
    won: Rate
    ratio: Metric | None
    since: Since | None
    chosen_of_won: Rate
    """Of those that were won, how many were chosen: equal opportunity (Hardt, Price and Srebro 2016) is equal rates."""
    chosen_of_lost: Rate
    """Of those that were not."""
    gap: float | None = None
    """Mean score less that of the group chosen most, in standard deviations of all scores (lenders' SMD)."""

    @property
    def verb(self) -> str:
        """What became of those above the line: granted, inspected; `chosen` where the workspace has no word."""
        return "chosen" if self.won.words.action == USUAL.action else self.won.words.action

    @property
    def falls_short(self) -> bool:
        """Whether it is chosen less than four fifths as often, beyond chance."""
        return self.ratio is not None and self.ratio.high < FOUR_FIFTHS

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "name": self.name, "n": self.chosen.n, "chosen": self.chosen.as_dict(), "won": self.won.as_dict(),
            "ratio": None if self.ratio is None else self.ratio.as_dict(), "falls_short": self.falls_short,
            "since": None if self.since is None else self.since.as_dict(),
            "chosen_of_won": self.chosen_of_won.as_dict(), "chosen_of_lost": self.chosen_of_lost.as_dict(),
            "gap": self.gap,
        }  # fmt: skip

    def __str__(self) -> str:
        won = f"{self.won.rate or 0:.1%} {self.won.words.won}"
        often = f"{self.name}: {self.chosen.rate or 0:.1%} of {self.chosen.n:,} {self.verb}, {won}"
        if self.ratio is None:
            return often
        return f"{often}; {self.verb} {self.ratio.value:.2f} times as often as the first"


@dataclass(frozen=True, slots=True)
class Proxy:
    """How much a feature tells about a protected attribute.

    `told` is the share of the uncertainty about the group that the feature takes away (Theil's U: mutual information
    over entropy), less what chance would (Miller and Madow 1955). `right` is how often the group is guessed right
    from the feature's bin, `right_without` from nothing.
    """

    feature: str
    told: float
    right: float
    right_without: float

    @property
    def is_proxy(self) -> bool:
        """Whether it tells enough to stand for the group."""
        return self.told >= PROXY

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {**asdict(self), "is_proxy": self.is_proxy}

    def __str__(self) -> str:
        return f"{self.feature} guesses it right in {self.right:.0%} instead of {self.right_without:.0%}"


@dataclass(frozen=True, slots=True)
class Fairness:
    """One protected attribute: its groups, the one chosen most first, and the features that tell most about it."""

    attribute: str
    groups: tuple[Group, ...]
    proxies: tuple[Proxy, ...]
    line: str = ""
    """Who counts as chosen, in words."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What to look at, in sentences."""
        most = self.groups[0].name if self.groups else ""
        found = [
            f"{item.name} is {item.verb} {item.ratio.value:.0%} as often as {most}, less than four fifths"
            for item in self.groups
            if item.falls_short and item.ratio is not None
        ]
        found += [
            f"the probabilities do not hold for {item.since}" for item in self.groups if item.since and item.since.off
        ]
        named = [str(item) for item in self.proxies if item.is_proxy]
        return (*found, *named)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "attribute": self.attribute,
            "line": self.line,
            "groups": [item.as_dict() for item in self.groups],
            "proxies": [item.as_dict() for item in self.proxies],
            "findings": list(self.findings),
        }

    def __str__(self) -> str:
        line = f", {self.groups[0].verb}: {self.line}" if self.line and self.groups else ""
        head = f"{self.attribute}{line}: " + ("; ".join(self.findings) if self.findings else "nothing stands out")
        return "\n".join([head, *(f"  {item}" for item in self.groups)])


def fairness(
    attribute: str,
    group: Texts,
    *,
    chosen: Bools,
    won: Bools,
    probability: Floats | None = None,
    features: pa.Table | None = None,
    words: Words = USUAL,
    score: Floats | None = None,
    line: str = "",
) -> Fairness:
    """Compare the groups of a protected attribute: who is at or above the line, who won, what was said of them.

    `line` says in words who is; `score` is for the gap between mean scores.
    `features` are those the scorecard uses, in which proxies are looked for. A group without a name is called missing.
    """
    same_length(group=group, chosen=chosen, won=won, probability=probability)
    names = named(group)
    since: dict[str | None, Since] = {}
    if probability is not None:
        since = {item.segment: item for item in calibration_since(probability, won, segment=names, words=words)}
    groups = _groups(names, chosen, won, since, words, score)
    return Fairness(attribute, groups, () if features is None else proxies(names, features), line)


def _groups(
    names: Texts, chosen: Bools, won: Bools, since: dict[str | None, Since], words: Words, score: Floats | None
) -> tuple[Group, ...]:
    of = {name: names == name for name in sorted(set(names.tolist()))}
    rates = {name: _rate(name, chosen[rows], words) for name, rows in of.items()}
    small = REFERENCE_SHARE * len(names)
    order = sorted(rates, key=lambda name: (rates[name].n < small, -(rates[name].rate or 0)))
    ratios = {name: _ratio(rates[name], rates[order[0]]) for name in order[1:]}
    gaps = _gaps(score, of, order) if score is not None else {}
    return tuple(
        Group(
            name,
            rates[name],
            _rate(name, won[of[name]], words),
            ratios.get(name),
            since.get(name),
            _rate(name, chosen[of[name] & won], words),
            _rate(name, chosen[of[name] & ~won], words),
            gaps.get(name),
        )
        for name in order
    )


def _gaps(score: Floats, of: dict[str, Bools], order: list[str]) -> dict[str, float]:
    """Return each group's mean score less that of the first, in standard deviations of all scores."""
    spread = float(score.std())
    means = {name: float(score[rows].mean()) for name, rows in of.items()}
    return {name: (means[name] - means[order[0]]) / spread for name in order[1:]} if spread > 0 else {}


def _rate(name: str, among: Bools, words: Words = USUAL) -> Rate:
    n, count = len(among), int(among.sum())
    return Rate(name, n, count, *wilson(count, n), words)


def _ratio(part: Rate, most: Rate) -> Metric | None:
    """Return the ratio of two rates with its interval (Katz et al. 1978), of half a lead where none."""
    if not most.won:
        return None
    chosen = part.won or 0.5
    ratio = chosen / part.n / (most.won / most.n)
    half = Z * math.sqrt(max(1 / chosen - 1 / part.n + 1 / most.won - 1 / most.n, 0.0))
    value = part.won / part.n / (most.won / most.n)
    return Metric(value, min(ratio * math.exp(-half), value), ratio * math.exp(half))


def proxies(group: Texts, features: pa.Table) -> tuple[Proxy, ...]:
    """Return how much each feature tells about the group, by its bins, the most first."""
    names, code = np.unique(group.astype(str), return_inverse=True)
    found = [_proxy(name, features[name], code, len(names)) for name in features.column_names]
    return tuple(sorted(found, key=lambda item: -item.told))


def _proxy(name: str, column: pa.ChunkedArray, code: np.ndarray[Any, Any], groups: int) -> Proxy:
    bins = bins_of(column)
    n = len(code)
    if not n:
        return Proxy(name, 0.0, 0.0, 0.0)
    counts = np.bincount(bins.place(column) * groups + code, minlength=len(bins.labels) * groups)
    table = counts.reshape(-1, groups).astype(np.float64)
    table = table[table.sum(axis=1) > 0]
    by_group, by_bin = table.sum(axis=0), table.sum(axis=1)
    entropy = _entropy(by_group)
    information = entropy + _entropy(by_bin) - _entropy(table.ravel()) - (len(table) - 1) * (groups - 1) / (2 * n)
    told = min(max(information / entropy, 0.0), 1.0) if entropy > 0 else 0.0
    return Proxy(name, told, float(table.max(axis=1).sum()) / n, float(by_group.max()) / n)


def _entropy(counts: Floats) -> float:
    """Return the entropy of counts in nats."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())
