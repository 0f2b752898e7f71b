"""What learning sees: one row per lead and moment, the values known then, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.spec.words import USUAL, Words

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows to learn from or to judge by, all of the same length.

    `features` has columns of double, string or bool, where null means missing; `won` says whether a win came within
    `horizon` days after the row's moment; `time` is that moment in days since 1970 (or any number that rises with
    time), None where nothing tells the order; `lead` names the lead, whose rows belong together; `worth` is what its
    win brought, NaN where it was not won or nobody knows.

    >>> rows = Examples(features=pa.table({"size": [1.0, None]}), won=np.array([True, False]))
    >>> len(rows), rows.wins, rows.take(np.array([1])).features["size"].to_pylist()
    (2, 1, [None])
    """

    features: pa.Table
    won: Bools
    time: Floats | None = None
    lead: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    worth: Floats = field(default_factory=lambda: np.empty(0))
    horizon: float = 0.0
    words: Words = field(default=USUAL, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Fill in what was not given: every row a lead of its own, no worth known."""
        n = self.features.num_rows
        if not len(self.lead):
            object.__setattr__(self, "lead", np.arange(n, dtype=np.int64))
        if not len(self.worth):
            object.__setattr__(self, "worth", np.full(n, np.nan))
        lengths = {len(self.won), len(self.lead), len(self.worth), n if self.time is None else len(self.time)}
        if lengths != {n}:
            raise ValueError(f"{n} rows of features, but the other columns have {sorted(lengths)}")

    def __len__(self) -> int:
        return int(self.features.num_rows)

    @property
    def wins(self) -> int:
        """How many rows were won."""
        return int(self.won.sum())

    @property
    def names(self) -> list[str]:
        """The features' names."""
        return list(self.features.column_names)

    def take(self, rows: NDArray[Any]) -> Examples:
        """Return some rows, by number or by a mask, in that order."""
        place = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        time = None if self.time is None else self.time[place]
        features = self.features.take(pa.array(place))
        return replace(
            self, features=features, won=self.won[place], time=time, lead=self.lead[place], worth=self.worth[place]
        )

    def select(self, names: list[str]) -> Examples:
        """Return all rows with some of the features."""
        return replace(self, features=self.features.select(names))
