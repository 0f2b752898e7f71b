"""What each feature says alone, and what several say together: judged on rows that were not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.bins import Binned, bin_features
from leadlight.learn.examples import Bools, Examples, Floats, Ints

FOLDS = 5
PRIOR_ROWS = 10.0
"""A bin's win rate starts as that of so many rows like all rows; without it, a bin of two rows would promise much."""
PURE_PRIOR_ROWS = 1.0
MANY_ROWS, MANY_FEATURES = 20_000, 60
"""What features say together is measured on at most so many rows, and by the best of them."""
TREES: dict[str, Any] = {
    "objective": "binary", "num_leaves": 8, "learning_rate": 0.15, "min_data_in_leaf": 20, "verbose": -1,
    "num_threads": 1, "deterministic": True,
}  # fmt: skip
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Alone:
    """One feature: the place of each row on its axis (0 is missing), and what the other folds' rows say of it.

    `chance` is the win rate of the row's bin, drawn a little to that of all rows; `plain` is drawn less, so that it
    can come near to 1; `auc` is how well `chance` ranks and `error` its standard error; `told` is the share of the
    outcome's entropy that `chance` takes away (0 nothing, 1 all; below 0 it misleads).
    """

    feature: str
    codes: NDArray[np.uint8]
    chance: Floats
    plain: Floats
    auc: float
    error: float
    told: float


def each_alone(rows: Examples, folds: Ints, *, binned: Binned | None = None) -> dict[str, Alone]:
    """Return what each feature says alone; features without a value or with one value only are left out.

    >>> import pyarrow as pa
    >>> size = np.tile([1.0, 2.0], 200)
    >>> rows = Examples(features=pa.table({"size": size}), won=size > 1)
    >>> round(each_alone(rows, fold_of(rows.lead))["size"].auc, 2)
    1.0
    """
    binned = bin_features(rows.features, copies=True) if binned is None else binned
    return {
        name: _alone(name, codes, rows, folds)
        for name, codes in zip(binned.names, binned.codes, strict=True)
    }  # fmt: skip


def fold_of(lead: Ints, *, folds: int = FOLDS, seed: int = 0) -> Ints:
    """Return the fold of each row, drawn by lead, so that a lead's rows never judge one another.

    >>> set(fold_of(np.array([7, 7, 7])).tolist()) <= {0, 1, 2, 3, 4}
    True
    """
    _, place = np.unique(lead, return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(int(place.max(initial=-1)) + 1) % folds
    found: Ints = drawn[place].astype(np.int64)
    return found


def together(features: Sequence[Alone], rows: Examples, folds: Ints, *, seed: int = 0) -> float:
    """Return the AUC of all these features in one model (boosted trees on what each says alone); 0.5 of none."""
    if not features:
        return 0.5
    import lightgbm

    features = sorted(features, key=lambda one: -one.auc)[:MANY_FEATURES]
    pick = np.sort(np.random.default_rng(seed).permutation(len(rows))[:MANY_ROWS])
    said = np.stack([feature.chance[pick] for feature in features], axis=1)
    won, fold = rows.won[pick], folds[pick]
    score = np.zeros(len(pick))
    for number in range(FOLDS):
        test = fold == number
        if test.any() and won[~test].any():
            data = lightgbm.Dataset(said[~test], won[~test].astype(float))
            score[test] = lightgbm.train({**TREES, "seed": seed}, data, ROUNDS).predict(said[test])
    return auc(score, won)


def auc(score: Floats, won: Bools) -> float:
    """Return the chance that a won row stands above another, ties half; 0.5 where there is only one outcome.

    >>> auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    wins, losses = int(won.sum()), int((~won).sum())
    if not wins or not losses:
        return 0.5
    from scipy.stats import rankdata

    ranks: Any = rankdata(score)
    return float((ranks[won].sum() - wins * (wins + 1) / 2) / (wins * losses))


def auc_error(value: float, wins: float, losses: float) -> float:
    """Return the standard error of an AUC (Hanley and McNeil 1982).

    >>> round(auc_error(0.8, 100, 900), 3)
    0.027
    """
    q1, q2 = value / (2 - value), 2 * value * value / (1 + value)
    spread = value * (1 - value) + (wins - 1) * (q1 - value**2) + (losses - 1) * (q2 - value**2)
    return float(np.sqrt(max(spread, 0.0) / max(wins * losses, 1.0)))


def per_lead(rows: Examples) -> float:
    """Return how many leads there are per row, by which counts of rows are lowered to be evidence."""
    return len(np.unique(rows.lead)) / max(len(rows), 1)


def _alone(name: str, codes: NDArray[np.uint8], rows: Examples, folds: Ints) -> Alone:
    chance = out_of_fold(codes, rows.won, folds, prior=PRIOR_ROWS)
    value, share = auc(chance, rows.won), per_lead(rows)
    error = auc_error(max(value, 0.5), rows.wins * share, (len(rows) - rows.wins) * share)
    plain = out_of_fold(codes, rows.won, folds, prior=PURE_PRIOR_ROWS)
    return Alone(name, codes, chance, plain, value, error, _told(chance, rows.won))


def out_of_fold(codes: NDArray[Any], won: Bools, folds: Ints, *, prior: float) -> Floats:
    """Return each row's win rate of its bin, from the rows of the other folds."""
    places, base = int(codes.max(initial=0)) + 1, float(won.mean())
    cell = folds * places + codes
    rows = np.bincount(cell, minlength=FOLDS * places).reshape(FOLDS, places)
    wins = np.bincount(cell, weights=won, minlength=FOLDS * places).reshape(FOLDS, places)
    rate = (wins.sum(0) - wins + prior * base) / (rows.sum(0) - rows + prior)
    found: Floats = rate[folds, codes]
    return found


def _told(chance: Floats, won: Bools) -> float:
    base = float(won.mean())
    if base in (0.0, 1.0):
        return 0.0
    p = np.clip(chance, 1e-9, 1 - 1e-9)
    loss = -float(np.where(won, np.log(p), np.log1p(-p)).mean())
    entropy = -(base * np.log(base) + (1 - base) * np.log(1 - base))
    return float(1 - loss / entropy)
