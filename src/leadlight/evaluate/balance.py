"""Were the treated and those held back alike before? If the choice was random, nothing known before tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from leadlight.evaluate.arrays import Bools, Floats
from leadlight.evaluate.bins import bins_of

CHANCE = 0.001
"""How likely it may be that any feature at all differs as much by chance (Bonferroni)."""
FEWEST = 5.0
"""Bins with fewer expected rows than this in either arm are left out of the test (Cochran 1954)."""


@dataclass(frozen=True, slots=True)
class Imbalance:
    """One feature between the two arms: the bin that differs most, and how likely so much is by chance."""

    feature: str
    value: str
    treated: float
    control: float
    """Shares of the treated and of the others in that bin."""
    chance: float

    def __str__(self) -> str:
        return f"{self.feature} is {self.value} for {self.treated:.1%} of the treated and {self.control:.1%} of others"


@dataclass(frozen=True, slots=True)
class Balance:
    """Whether two arms were alike before: every feature by a chi-square test over its bins, the least alike first."""

    features: tuple[Imbalance, ...]
    share: float
    """The share treated."""
    meant: float | None
    share_chance: float | None
    """How likely a share so far from the one meant is by chance; None where none was named."""

    @property
    def differing(self) -> tuple[Imbalance, ...]:
        """The features that differ beyond chance."""
        return tuple(item for item in self.features if item.chance * len(self.features) < CHANCE)

    @property
    def alike(self) -> bool:
        """Whether nothing differs beyond chance, and as many were treated as were meant to be."""
        return not self.differing and (self.share_chance is None or self.share_chance >= CHANCE)

    def as_dict(self) -> dict[str, Any]:
        """Return the findings as plain JSON values."""
        return {
            "alike": self.alike, "share": self.share, "meant": self.meant, "share_chance": self.share_chance,
            "features": [asdict(item) for item in self.features], "differing": [i.feature for i in self.differing],
        }  # fmt: skip

    def __str__(self) -> str:
        if self.alike:
            return f"Treated and control were alike before, by {len(self.features)} features."
        said = [f"{item}" for item in self.differing[:3]]
        if self.share_chance is not None and self.share_chance < CHANCE:
            said.append(f"{self.share:.1%} were treated, not the {self.meant:.1%} that were meant to be")
        why = "either the choice was not random, or this was filled in after it (then: learn: {leave_out: […]})"
        return f"Treated and control were not alike before: {'; '.join(said)}: {why}."


def balance(features: pa.Table, treated: Bools, *, meant: float | None = None) -> Balance:
    """Compare two arms by every feature; `meant` is the share that should have been treated.

    >>> arm = np.tile([True, False], 500)
    >>> found = balance(pa.table({"even": np.arange(1000) % 4 < 2, "odd": np.where(arm, "a", "b")}), arm)
    >>> found.alike, [item.feature for item in found.differing]
    (False, ['odd'])
    """
    found = [_imbalance(name, features[name], treated) for name in features.column_names]
    share = float(treated.mean()) if len(treated) else 0.0
    return Balance(
        tuple(sorted((item for item in found if item is not None), key=lambda item: item.chance)),
        share,
        meant,
        None if meant is None else _share_chance(share, meant, len(treated)),
    )


def _imbalance(name: str, column: pa.ChunkedArray, treated: Bools) -> Imbalance | None:
    from scipy.special import chdtrc

    bins = bins_of(column)
    place = bins.place(column)
    counts = np.stack([np.bincount(place[rows], minlength=len(bins.labels)) for rows in (treated, ~treated)])
    total = counts.sum(axis=1, keepdims=True).astype(np.float64)
    if not total.all():
        return None
    expected = counts.sum(axis=0) * total / total.sum()
    told = expected.min(axis=0) >= FEWEST
    if told.sum() < 2:
        return None
    distance: Floats = ((counts - expected) ** 2 / np.maximum(expected, 1e-12)).sum(axis=0)
    most = int(np.argmax(np.where(told, distance, -1.0)))
    shares = counts[:, most] / total[:, 0]
    chance = float(chdtrc(int(told.sum()) - 1, float(distance[told].sum())))
    return Imbalance(name, bins.labels[most], float(shares[0]), float(shares[1]), chance)


def _share_chance(share: float, meant: float, n: int) -> float:
    """Return how likely a share so far from the one meant is by chance (the normal approximation)."""
    from scipy.special import ndtr

    distance = abs(share - meant) / float(np.sqrt(meant * (1 - meant) / max(n, 1)))
    return float(2 * ndtr(-distance))
