"""A black box to hold scorecards against: LightGBM with free hands, early-stopped on the newest rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.learn.examples import Examples, Floats

LEAST_WINS = 20
OPTIONS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 0.8,
    "bagging_fraction": 0.8, "bagging_freq": 1, "verbose": -1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
ROUNDS, PATIENCE = 500, 30
NEWEST = 0.2


def black_box(train: Examples, judged: pa.Table, *, seed: int = 1, threads: int = 2) -> Floats | None:
    """Return the probabilities a boosted forest gives to rows it has not seen; None where wins are too few for one.

    Categories are native ones; the newest fifth of the rows says when to stop.
    """
    if min(train.wins, len(train) - train.wins) < LEAST_WINS or not train.names:
        return None
    import lightgbm

    order = np.argsort(train.time, kind="stable") if train.time is not None else np.arange(len(train))
    if train.time is None:
        order = np.random.default_rng(seed).permutation(order)
    cut = int(len(order) * (1 - NEWEST))
    columns, codes = _numbers(train.features, judged)
    own, theirs = columns[: len(train)], columns[len(train) :]
    options = {**OPTIONS, "seed": seed, "num_threads": threads}
    parts = [
        lightgbm.Dataset(own[rows], train.won[rows].astype(float), categorical_feature=codes, free_raw_data=False)
        for rows in (order[:cut], order[cut:])
    ]
    if not (train.won[order[:cut]].any() and train.won[order[cut:]].any()):
        return None
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    booster = lightgbm.train(options, parts[0], ROUNDS, valid_sets=[parts[1]], callbacks=[stop])
    found: Floats = np.asarray(booster.predict(theirs), dtype=np.float64)
    return found


def _numbers(train: pa.Table, judged: pa.Table) -> tuple[Floats, list[int]]:
    """Return the rows of both tables as one matrix, and which columns hold codes of categories."""
    both = pa.concat_tables([train, judged.select(train.column_names)])
    columns, codes = [], []
    for place, name in enumerate(both.column_names):
        column = both.column(name).combine_chunks()
        if pa.types.is_string(column.type):
            codes.append(place)
            column = pc.dictionary_encode(column).indices
        columns.append(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return np.column_stack(columns), codes
