"""The solver: a logistic regression that is a sum of tables, each shrunk by its own evidence.

Every table is one block of coefficients, one for each code of its feature, and all blocks are fitted jointly by
Newton's method; what a step needs of the rows are counts by pairs of codes, so rows are only ever counted. A block has
a Gaussian prior, whose strength is estimated from the data (the generalized Fellner-Schall step of Wood and Fasiolo,
Biometrics 73, 2017, with each block's own part of the Hessian): a table with little evidence stays near nothing, one
with much is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.counts import cross_counts
from leadlight.learn.tables import sigmoid

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Rows = NDArray[np.int64]

WEAKEST, STRONGEST = 1e-2, 1e5
STEPS = 8
COUNTED_AT = (1, 2, 5)
"""Steps at which the Hessian is counted anew; between them the last one serves."""
MOST_COUNTED = 1 << 16
"""Rows of which pairs of codes are counted; of more rows, every k-th, and single codes of all."""
LARGEST_STEP = 3.0
BELIEF = 10.0
"""How many coefficients' worth of evidence the expected strength of a prior counts."""
SMALL = 1e-9


@dataclass(frozen=True, slots=True)
class Block:
    """One table to be fitted: the code of each row and the shape of its prior.

    `penalty` is a positive semi-definite matrix of `size` x `size`; `strength` times it is the prior's precision.
    Unless `fixed` it is estimated, where the one given counts as `belief` coefficients' worth of evidence, so that a
    handful of outcomes does not wipe out an effect.
    """

    codes: Codes = field(repr=False)
    penalty: Floats = field(repr=False)
    strength: float = 1.0
    fixed: bool = False
    belief: float = BELIEF

    @property
    def size(self) -> int:
        """How many coefficients it has."""
        return len(self.penalty)

    def take(self, rows: Rows) -> Block:
        """Return the block for some rows."""
        return replace(self, codes=self.codes[rows])


@dataclass(frozen=True, slots=True)
class Sum:
    """What was fitted: a coefficient for every code of every block, centred on the data, and the base.

    `weights` are the evidence behind each code, the sum of w p (1 - p); `errors` are standard errors, where asked.
    """

    base: float
    coefficients: tuple[Floats, ...]
    weights: tuple[Floats, ...]
    strengths: tuple[float, ...]
    steps: int
    errors: tuple[Floats, ...] = ()

    def log_odds(self, codes: tuple[Codes, ...]) -> Floats:
        """Return the log-odds of rows given by their codes; fewer codes than blocks leave out the last blocks."""
        total = np.full(len(codes[0]), self.base)
        for column, values in zip(codes, self.coefficients, strict=False):
            total += values[column]
        return total


def smooth_penalty(size: int, *, ridge: float = 0.02) -> Floats:
    """Return the prior of a number's table: neighbours are alike, all are near nothing; code 0 (missing) stands alone.

    >>> smooth_penalty(4, ridge=0.0)[1:, 1:].tolist()
    [[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]]
    """
    found = np.zeros((size, size))
    steps = np.diff(np.eye(size - 1), axis=0)
    found[1:, 1:] = steps.T @ steps + ridge * np.eye(size - 1)
    found[0, 0] = 0.25
    return found


def plain_penalty(size: int) -> Floats:
    """Return the prior of a category's table: values are exchangeable."""
    return np.eye(size)


def fit_sum(
    blocks: tuple[Block, ...],
    won: NDArray[np.bool_],
    *,
    weights: Floats | None = None,
    start: Sum | None = None,
    steps: int = STEPS,
    tolerance: float = 5e-3,
    errors: bool = False,
) -> Sum:
    """Fit all blocks jointly to outcomes.

    `weights` say how much each row counts. `start` is a sum for the first of the blocks from which to set out. Ends
    when no block moves by more than `tolerance` in log-odds (root mean square over the evidence), or after `steps`.

    >>> codes = np.repeat(np.array([1, 2], np.uint8), 500)
    >>> won = np.tile(np.arange(500), 2) < np.repeat([100, 400], 500)
    >>> fitted = fit_sum((Block(codes, plain_penalty(3)),), won)
    >>> sigmoid(fitted.log_odds((np.array([1, 2], np.uint8),))).round(2).tolist()
    [0.2, 0.8]
    """
    w = np.ones(len(won)) if weights is None else weights
    constant = Block(np.zeros(len(won), np.uint8), np.zeros((1, 1)), 0.0, fixed=True)
    every = (constant, *blocks)
    at = np.cumsum([0] + [block.size for block in every])
    beta, strengths = _begin(every, won, w, start, int(at[-1]))
    hessian = np.zeros((at[-1], at[-1]))
    step = 0
    while step < steps:
        step += 1
        p = sigmoid(_total(every, beta, at))
        gradient = _by_code(every, w * (won - p), int(at[-1]))
        if step in COUNTED_AT:
            hessian = _hessian(every, np.maximum(w * p * (1 - p), SMALL))
        beta, moved, strengths = _step(every, at, beta, gradient, hessian, strengths)
        if moved < tolerance:
            break
    return _centred(every, at, beta, hessian, strengths, step, errors)


def fit_means(
    blocks: tuple[Block, ...], values: Floats, *, weights: Floats, steps: int = STEPS, errors: bool = False
) -> Sum:
    """Fit all blocks jointly to numbers by least squares: the sum of tables is the mean, not log-odds.

    `weights` are each row's precision, one over its variance, so that priors and evidence are in the same unit.

    >>> codes = np.repeat(np.array([1, 2], np.uint8), 500)
    >>> fitted = fit_means((Block(codes, plain_penalty(3)),), codes * 2.0, weights=np.ones(1000))
    >>> fitted.log_odds((np.array([1, 2], np.uint8),)).round(2).tolist()
    [2.0, 4.0]
    """
    constant = Block(np.zeros(len(values), np.uint8), np.zeros((1, 1)), 0.0, fixed=True)
    every = (constant, *blocks)
    at = np.cumsum([0] + [block.size for block in every])
    beta, strengths = np.zeros(int(at[-1])), [block.strength for block in every]
    beta[0] = np.average(values, weights=weights)
    hessian = _hessian(every, np.maximum(weights, SMALL))
    for _ in range(steps):
        gradient = _by_code(every, weights * (values - _total(every, beta, at)), int(at[-1]))
        beta, _, strengths = _step(every, at, beta, gradient, hessian, strengths)
    return _centred(every, at, beta, hessian, strengths, steps, errors)


def _begin(
    blocks: tuple[Block, ...], won: NDArray[np.bool_], w: Floats, start: Sum | None, size: int
) -> tuple[Floats, list[float]]:
    beta = np.zeros(size)
    strengths = [block.strength for block in blocks]
    rate = (w[won].sum() + 0.5) / (w.sum() + 1.0)
    beta[0] = np.log(rate / (1 - rate))
    if start is not None:
        known = np.concatenate([[start.base], *start.coefficients])
        beta[: len(known)] = known
        strengths[1 : 1 + len(start.strengths)] = start.strengths
    return beta, strengths


def _total(blocks: tuple[Block, ...], beta: Floats, at: Rows) -> Floats:
    total = np.full(len(blocks[0].codes), beta[0])
    for block, (low, high) in zip(blocks[1:], pairwise(at[1:]), strict=True):
        total += beta[low:high][block.codes]
    return total


def _by_code(blocks: tuple[Block, ...], values: Floats, size: int) -> Floats:
    found = np.concatenate([np.bincount(block.codes, values, block.size) for block in blocks])
    assert len(found) == size
    return found


def _hessian(blocks: tuple[Block, ...], values: Floats) -> Floats:
    """Return X' diag(values) X; of many rows from a part of them, with what is rare in the part counted in all."""
    sizes, every = [block.size for block in blocks], -(-len(values) // MOST_COUNTED)
    counted = cross_counts([block.codes[::every] for block in blocks], sizes, values[::every])
    if every == 1:
        return counted
    counted *= values.sum() / values[::every].sum()
    rest = _by_code(blocks, values, len(counted)) - np.diag(counted)
    counted[np.diag_indices_from(counted)] += np.maximum(rest, 0.0)
    return counted


def _step(
    blocks: tuple[Block, ...], at: Rows, beta: Floats, gradient: Floats, hessian: Floats, strengths: list[float]
) -> tuple[Floats, float, list[float]]:
    """Return the coefficients after one Newton step, how far they moved, and each prior's new strength."""
    from scipy.linalg import cho_factor, cho_solve

    precision, pull = hessian.copy(), gradient.copy()
    for block, strength, (low, high) in zip(blocks, strengths, pairwise(at), strict=True):
        precision[low:high, low:high] += strength * block.penalty
        pull[low:high] -= strength * block.penalty @ beta[low:high]
    precision[np.diag_indices_from(precision)] += 1e-6
    move: Floats = cho_solve(cho_factor(precision, check_finite=False), pull, check_finite=False)
    move *= min(1.0, LARGEST_STEP / max(float(np.abs(move).max()), SMALL))
    evidence = np.diag(hessian)
    new: Floats = beta + move
    furthest, found = 0.0, []
    for block, strength, (low, high) in zip(blocks, strengths, pairwise(at), strict=True):
        h = evidence[low:high]
        furthest = max(furthest, float(np.sqrt(h @ move[low:high] ** 2 / max(h.sum(), SMALL))))
        found.append(strength if block.fixed else _strength(block, h, _middled(new[low:high], h), strength))
    return new, furthest, found


def _middled(values: Floats, h: Floats) -> Floats:
    found: Floats = values - h @ values / max(h.sum(), SMALL)
    return found


def _strength(block: Block, h: Floats, beta: Floats, strength: float) -> float:
    """Return how strong the prior should be: effective coefficients over their squared size."""
    precision = np.diag(h + SMALL) + strength * block.penalty
    used = block.size - strength * float(np.sum(np.linalg.inv(precision) * block.penalty))
    size = float(beta @ block.penalty @ beta)
    return float(np.clip((used + block.belief) / (size + block.belief / block.strength), WEAKEST, STRONGEST))


def _centred(
    blocks: tuple[Block, ...],
    at: Rows,
    beta: Floats,
    hessian: Floats,
    strengths: list[float],
    steps: int,
    errors: bool,
) -> Sum:
    """Move each table's mean into the base; add standard errors where asked."""
    base, evidence = float(beta[0]), np.diag(hessian)
    coefficients, weights, spreads = [], [], []
    cover = _covariance(blocks, at, hessian, strengths) if errors else np.zeros((0, 0))
    for low, high in pairwise(at[1:]):
        h = evidence[low:high]
        centred = _middled(beta[low:high], h)
        base += float((beta[low:high] - centred)[0])
        coefficients.append(centred)
        weights.append(h.copy())
        spreads.append(_centred_errors(cover[low:high, low:high], h) if errors else np.zeros(0))
    return Sum(base, tuple(coefficients), tuple(weights), tuple(strengths[1:]), steps, tuple(spreads) if errors else ())


def _covariance(blocks: tuple[Block, ...], at: Rows, hessian: Floats, strengths: list[float]) -> Floats:
    """Return the covariance of all coefficients under data and priors."""
    precision = hessian.copy()
    for block, strength, (low, high) in zip(blocks, strengths, pairwise(at), strict=True):
        precision[low:high, low:high] += strength * block.penalty
    precision[np.diag_indices_from(precision)] += 1e-6
    found: Floats = np.linalg.inv(precision).astype(np.float64)
    return found


def _centred_errors(cover: Floats, h: Floats) -> Floats:
    """Return the standard errors of a block's coefficients less their mean over the evidence."""
    share = h / max(h.sum(), SMALL)
    with_mean = cover @ share
    found: Floats = np.sqrt(np.maximum(np.diag(cover) - 2 * with_mean + share @ with_mean, 0.0))
    return found
