"""A black box to hold scorecards against: LightGBM with free hands, early-stopped on the newest rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.learn.examples import Examples, Floats

if TYPE_CHECKING:
    from lightgbm import Booster

LEAST_WINS = 20
OPTIONS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 0.8,
    "bagging_fraction": 0.8, "bagging_freq": 1, "verbose": -1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
ROUNDS, PATIENCE = 500, 30
NEWEST = 0.2


@dataclass(frozen=True, slots=True)
class BlackBox:
    """Boosted trees, and how much each feature helped them (the sum of what its splits gained)."""

    booster: Booster = field(repr=False)
    categories: Mapping[str, pa.Array] = field(repr=False)
    """Text features with the values seen; one not seen is missing."""
    names: tuple[str, ...]
    gain: Mapping[str, float]

    def probability(self, features: pa.Table) -> Floats:
        """Return each row's probability of a win."""
        found: Floats = np.asarray(self.booster.predict(_numbers(features, self.names, self.categories)), np.float64)
        return found


def black_box(train: Examples, *, seed: int = 1, threads: int = 1) -> BlackBox | None:
    """Fit a black box; None where wins are too few for one.

    Categories are native ones; the newest fifth of the rows says when to stop.
    """
    if min(train.wins, len(train) - train.wins) < LEAST_WINS or not train.names:
        return None
    import lightgbm

    order = _order(train, seed)
    older, newer = np.split(order, [int(len(order) * (1 - NEWEST))])
    if not (train.won[older].any() and train.won[newer].any()):
        return None
    columns = {name: train.features.column(name) for name in train.names}
    categories = {name: pc.unique(c.drop_null()) for name, c in columns.items() if pa.types.is_string(c.type)}
    matrix = _numbers(train.features, train.names, categories)
    codes = [place for place, name in enumerate(train.names) if name in categories]
    parts = [
        lightgbm.Dataset(matrix[rows], train.won[rows].astype(float), categorical_feature=codes, free_raw_data=False)
        for rows in (older, newer)
    ]
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    options = {**OPTIONS, "seed": seed, "num_threads": threads}
    booster = lightgbm.train(options, parts[0], ROUNDS, valid_sets=[parts[1]], callbacks=[stop])
    gain = dict(zip(train.names, booster.feature_importance("gain").tolist(), strict=True))
    return BlackBox(booster, categories, tuple(train.names), gain)


def _order(train: Examples, seed: int) -> Any:
    if train.time is not None:
        return np.argsort(train.time, kind="stable")
    return np.random.default_rng(seed).permutation(len(train))


def _numbers(features: pa.Table, names: Any, categories: Mapping[str, pa.Array]) -> Floats:
    """Return the rows as one matrix: categories as codes, missing as NaN."""
    columns = []
    for name in names:
        column = features.column(name).combine_chunks()
        if name in categories:
            column = pc.index_in(column, categories[name], skip_nulls=True)
        columns.append(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return np.column_stack(columns)
