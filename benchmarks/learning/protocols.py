"""How a set is split: at random, or at origins in time, and what is measured on the part held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from leadlight.learn.examples import Examples

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

CAP = 20_000
"""About the most rows of a set that a random split uses, the part held out included, unless told: peers are slow."""
CAP_ROLLING = 40_000
"""The most rows that are trained on at an origin."""
TRAINED = 0.7
DRAWS = 20
ORIGINS = (0.5, 0.6, 0.7, 0.8, 0.9)
FEW_MOMENTS = 20
BINS = 15


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to train on and rows to test on; no lead's rows are in both parts of a random split."""

    name: str
    train: Rows
    test: Rows


@dataclass(frozen=True, slots=True)
class Judged:
    """What a system says of rows where it ranks by a score and says a probability beside it."""

    score: Floats
    probability: Floats


@dataclass(frozen=True, slots=True)
class Measured:
    """How well probabilities fit what came: area under the ROC curve, average precision, log loss, expected calibration
    error over 15 bins of equal count, Brier score; and the rates of the two parts, which tell drift.

    `ece_by_chance` is the calibration error that the same probabilities would show if they were right: the fewer rows,
    the more.
    """

    auc: float
    average_precision: float
    log_loss: float
    ece: float
    brier: float
    rate: float
    trained_rate: float
    ece_by_chance: float | None = None


def random_splits(examples: Examples, seeds: Sequence[int], cap: int = CAP) -> Iterator[Split]:
    """Yield for each seed 70 % of the leads to train on and the rest; of big sets, leads with about `cap` rows in all.

    >>> import pyarrow as pa
    >>> rows = Examples(features=pa.table({"x": [1.0] * 4}), won=np.array([True] * 4), lead=np.array([1, 1, 2, 3]))
    >>> [(s.train.tolist(), s.test.tolist()) for s in random_splits(rows, [0])]
    [([2, 3], [0, 1])]
    """
    leads, place = np.unique(examples.lead, return_inverse=True)
    kept = min(len(leads), round(len(leads) * cap / len(examples)))
    for seed in seeds:
        rank = np.random.default_rng(seed).permutation(len(leads))[place]
        cut = round(kept * TRAINED)
        yield Split(f"seed {seed}", np.flatnonzero(rank < cut), np.flatnonzero((rank >= cut) & (rank < kept)))


def rolling_splits(examples: Examples, seed: int = 0) -> Iterator[Split]:
    """Yield for each of five origins what was known before it to train on, and what came until the next to test on.

    Origins stand where 50, 60, 70, 80 and 90 % of the rows have come; of few moments, at the last five. A row is known
    when its horizon has passed.
    """
    if examples.time is None:
        return
    moments = np.unique(examples.time)
    few = len(moments) < FEW_MOMENTS
    at = moments[-len(ORIGINS) :] if few else np.unique(np.quantile(examples.time, ORIGINS, method="higher"))
    for origin, until in pairwise([*at, np.inf]):
        known = np.flatnonzero((examples.time + examples.horizon <= origin) & (examples.time < origin))
        chosen = np.sort(np.random.default_rng(seed).permutation(known)[:CAP_ROLLING])
        test = np.flatnonzero((examples.time >= origin) & (examples.time < until))
        yield Split(datetime.fromtimestamp(origin * 86_400, UTC).date().isoformat(), chosen, test)


def measure(won: NDArray[np.bool_], said: Floats | Judged, trained_rate: float) -> Measured:
    """Return how well what was said of the rows held out fits what came of them."""
    score, probability = (said.score, said.probability) if isinstance(said, Judged) else (said, said)
    return Measured(
        auc=float(roc_auc_score(won, score)),
        average_precision=float(average_precision_score(won, score)),
        log_loss=float(log_loss(won, np.clip(probability, 1e-6, 1 - 1e-6), labels=[False, True])),
        ece=calibration_error(won, probability),
        brier=float(brier_score_loss(won, probability)),
        rate=float(won.mean()),
        trained_rate=float(trained_rate),
        ece_by_chance=chance_error(probability),
    )


def calibration_error(won: NDArray[np.bool_], probability: Floats, bins: int = BINS) -> float:
    """Return the mean distance of probability and rate over bins of equal count; equal probabilities stay together.

    >>> calibration_error(np.array([True, False, True, True]), np.array([0.5, 0.5, 0.9, 0.9]), bins=2)
    0.05
    """
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    place = np.searchsorted(edges, probability, side="left")
    total = np.bincount(place, probability - won, minlength=len(edges) + 1)
    return float(np.round(np.abs(total).sum() / len(won), 12))


def chance_error(probability: Floats, draws: int = DRAWS) -> float:
    """Return the calibration error to be expected where probabilities are right, from outcomes drawn by them.

    >>> few, many = (chance_error(np.linspace(0.1, 0.9, n)) for n in (150, 15_000))
    >>> round(few, 2), round(many, 2)
    (0.11, 0.01)
    """
    random = np.random.default_rng(0)
    drawn = (random.random(len(probability)) < probability for _ in range(draws))
    return float(np.mean([calibration_error(won, probability) for won in drawn]))


def auc_within(won: NDArray[np.bool_], score: Floats, day: Rows) -> float:
    """Return the share of pairs of a won and another row of the same day that stand in order (ties count half).

    NaN where no day has both.

    >>> won, day = np.array([True, False, True, False]), np.array([1, 1, 2, 2])
    >>> score = np.array([0.2, 0.1, 0.9, 0.8])
    >>> auc_within(won, score, day), float(roc_auc_score(won, score))
    (1.0, 0.75)
    """
    in_order, pairs = 0.0, 0.0
    for rows in (day == one for one in np.unique(day)):
        count = float(won[rows].sum()) * float((~won[rows]).sum())
        if count:
            in_order += count * float(roc_auc_score(won[rows], score[rows]))
            pairs += count
    return in_order / pairs if pairs else float("nan")
