"""What holds from one period to the next: effects are tried on the period that follows, and kept as far as they held.

For each block of time from the second on, tables are learned from what was known before it only. What each of them then
says of the block's rows are its contributions, and a logistic regression of what happened on the contributions, with
an intercept of its own for each block, tells what share of each effect was true (1 all of it, 0 nothing). Shares start
from 1 and are moved by evidence. The drift of the base rate is in the intercepts and touches no share.

Where there is no time, blocks are parts at random, and each is tried on what all others teach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.tables import sigmoid

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

BELIEF = 16.0
"""Precision of the belief, before looking, that an effect holds wholly: a standard deviation of a quarter."""
STEEPNESS_BELIEF = 25.0
FLATTEST, STEEPEST = 0.3, 1.5
MOST_ROWS = 60_000
WIDEST_GAP = 0.6
"""The largest share of the time there is that a trial leaves between what is learned from and what it is tried on."""
NEWEST = 0.1
"""Share of the rows, the newest, from which the base rate is taken."""
INTERCEPT_STEPS = 20
FEWEST_WON = 10
FEWEST_FOR_BASE = 10


@dataclass(frozen=True, slots=True)
class Trial:
    """What the tables of the time before said of a block of rows, and what happened."""

    rows: Rows = field(repr=False)
    contributions: Floats = field(repr=False)
    won: NDArray[np.bool_] = field(repr=False)


def forward_chain(
    block: Rows,
    won: NDArray[np.bool_],
    learn: Callable[[Rows, Rows], Floats],
    *,
    time: Floats,
    horizon: float = 0.0,
    fewest: int = FEWEST_WON,
) -> list[Trial]:
    """Return a trial for each block that has enough wins and losses before it.

    `learn(before, rows)` learns from some rows and returns the contributions to others, of shape (rows, terms). A trial
    learns from what was known when its block began: rows a horizon older. Effects that fade within the horizon are so
    seen to fade, as they will when the tables are used. Where there is little more time than a horizon, as much of it
    is left between as there can be (`WIDEST_GAP`).
    """
    trials = []
    for k in range(1, int(block.max()) + 1):
        rows = np.flatnonzero(block == k)
        if not len(rows):
            continue
        before = np.flatnonzero((block < k) & _known(rows, time, horizon))
        wins = int(won[before].sum())
        if min(wins, len(before) - wins) < fewest:
            continue
        trials.append(Trial(rows, learn(before, rows), won[rows]))
    return trials


def held_out(
    block: Rows, won: NDArray[np.bool_], learn: Callable[[Rows, Rows], Floats], *, fewest: int = FEWEST_WON
) -> list[Trial]:
    """Return a trial for each block, of tables learned from all others: for rows that have no order.

    >>> block, won = np.repeat([0, 1, 2], 40), np.arange(120) % 2 == 0
    >>> [len(trial.rows) for trial in held_out(block, won, lambda others, rows: np.zeros((len(rows), 1)))]
    [40, 40, 40]
    """
    trials = []
    for k in range(int(block.max()) + 1):
        rows, others = np.flatnonzero(block == k), np.flatnonzero(block != k)
        wins = int(won[others].sum())
        if len(rows) and min(wins, len(others) - wins) >= fewest:
            trials.append(Trial(rows, learn(others, rows), won[rows]))
    return trials


def _known(rows: Rows, time: Floats, horizon: float) -> NDArray[np.bool_]:
    """Return which rows' outcomes were known when the first of `rows` was there, or nearly so."""
    gap = min(horizon, WIDEST_GAP * float(time.max() - time.min()))
    found: NDArray[np.bool_] = time + gap <= time[rows].min()
    return found


def shares_kept(trials: list[Trial]) -> Floats:
    """Return the share of each effect to keep, between 0 and 1, pooled over the trials."""
    from scipy.optimize import minimize

    x = np.concatenate([trial.contributions for trial in trials])
    y = np.concatenate([trial.won for trial in trials]).astype(np.float64)
    block = np.repeat(np.arange(len(trials)), [len(trial.rows) for trial in trials])
    w = 1.0
    if len(y) > MOST_ROWS:
        every = (np.arange(MOST_ROWS) * (len(y) / MOST_ROWS)).astype(np.int64)
        w = len(y) / len(every)
        x, y, block = x[every], y[every], block[every]
    count = len(trials)

    def loss(point: Floats) -> tuple[float, Floats]:
        base, share = point[:count], point[count:]
        z = base[block] + x @ share
        r = w * (sigmoid(z) - y)
        value = w * float((np.logaddexp(0.0, z) - y * z).sum()) + BELIEF / 2 * float(((share - 1) ** 2).sum())
        return value, np.concatenate([np.bincount(block, r, count), x.T @ r + BELIEF * (share - 1)])

    start = np.concatenate([[intercept(t.contributions.sum(1), t.won) for t in trials], np.ones(x.shape[1])])
    bounds = [(-15.0, 15.0)] * count + [(0.0, 1.0)] * x.shape[1]
    found: Floats = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x[count:]
    return found


def intercept(log_odds: Floats, won: NDArray[np.bool_]) -> float:
    """Return what to add to log-odds so that they sum to the wins (drawn to a half by one row more).

    >>> round(intercept(np.zeros(99), np.arange(99) < 24), 2)
    -1.13
    """
    n, middle = len(won), float(log_odds.mean())
    share = (float(won.sum()) + 0.5) / (n + 1)
    found = float(np.log(share / (1 - share))) - middle
    for _ in range(INTERCEPT_STEPS):
        p = sigmoid(log_odds + found)
        move = (share * n - float(p.sum())) / max(float((p * (1 - p)).sum()), 1e-9)
        found += float(np.clip(move, -1.0, 1.0))
        if abs(move) < 1e-6:
            break
    return found


def steepness(trials: list[Trial], kept: Floats) -> float:
    """Return what to multiply all log-odds by, so that they are as steep as what happened."""
    from scipy.optimize import minimize_scalar

    scored = [(trial.contributions @ kept, trial.won.astype(np.float64), trial.won) for trial in trials]

    def loss(slope: float) -> float:
        total = STEEPNESS_BELIEF / 2 * (slope - 1) ** 2
        for score, y, won in scored:
            z = slope * score
            z = z + intercept(z, won)
            total += float((np.logaddexp(0.0, z) - y * z).sum())
        return total

    return float(minimize_scalar(loss, bounds=(FLATTEST, STEEPEST), method="bounded", options={"xatol": 0.01}).x)


def newest(won: NDArray[np.bool_], *, share: float = NEWEST, fewest: int = FEWEST_FOR_BASE) -> int:
    """Return where the newest rows begin that give the base: a share of all, more where they have too few outcomes.

    >>> newest(np.arange(1000) % 10 == 0), newest(np.arange(1000) % 100 == 0)
    (900, 0)
    """
    n = len(won)
    wins = np.cumsum(won[::-1])
    enough = np.flatnonzero((wins >= fewest) & (np.arange(1, n + 1) - wins >= fewest))
    return min(n - max(int(n * share), 1), n - 1 - int(enough[0])) if len(enough) else 0
