"""The solver: a logistic regression that is a sum of tables, each shrunk by its own evidence.

Every table is one block of coefficients, one for each code. Blocks are fitted in turn to what the others leave
(backfitting inside Newton steps: Hastie and Tibshirani, Generalized Additive Models, 1990). A block has a Gaussian prior;
its strength is estimated from the data itself (the Fellner-Schall step of Wood and Fasiolo, Biometrics 73, 2017), so that
a table without evidence goes to nothing and one with much evidence is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.tables import sigmoid

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

WEAKEST, STRONGEST = 1e-3, 1e5
STEPS, SWEEPS = 30, 6
SMALL = 1e-12


@dataclass(frozen=True, slots=True)
class Block:
    """One table to be fitted: the code of each row, the shape of its prior and which way it must go.

    `penalty` is a positive semi-definite matrix of `size` x `size`; `strength` times it is the prior's precision, and it is
    estimated unless `fixed`. `rising` +1 or -1 holds the coefficients from code 1 on in order.
    """

    codes: Codes = field(repr=False)
    penalty: Floats = field(repr=False)
    strength: float = 1.0
    fixed: bool = False
    rising: int = 0

    @property
    def size(self) -> int:
        """How many coefficients it has."""
        return len(self.penalty)

    def take(self, rows: NDArray[np.int64]) -> Block:
        """Return the block for some rows."""
        return replace(self, codes=self.codes[rows])


@dataclass(frozen=True, slots=True)
class Sum:
    """What was fitted: a coefficient for every code of every block, and how sure each is."""

    base: float
    coefficients: tuple[Floats, ...]
    errors: tuple[Floats, ...]
    strengths: tuple[float, ...]
    weights: tuple[Floats, ...]
    steps: int

    def log_odds(self, codes: tuple[Codes, ...]) -> Floats:
        """Return the log-odds of rows given by their codes; fewer codes than blocks leave out the last blocks."""
        total = np.full(len(codes[0]) if codes else 0, self.base)
        for column, values in zip(codes, self.coefficients, strict=False):
            total += values[column]
        return total


def smooth_penalty(size: int, *, smooth: float = 1.0, ridge: float = 0.02) -> Floats:
    """Return the prior of a number's table: neighbours are alike, all are near nothing; code 0 (missing) stands alone.

    >>> smooth_penalty(4, ridge=0.0)[1:, 1:].tolist()
    [[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]]
    """
    found = np.zeros((size, size))
    steps = np.diff(np.eye(size - 1), axis=0)
    found[1:, 1:] = smooth * steps.T @ steps + ridge * np.eye(size - 1)
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
    offset: Floats | None = None,
    start: Sum | None = None,
    tighter: float = 1.0,
    steps: int = STEPS,
    tolerance: float = 2e-3,
) -> Sum:
    """Fit all blocks jointly to outcomes.

    `weights` say how much each row counts, `offset` is log-odds known before. `tighter` multiplies every prior's
    precision. Ends when no coefficient with evidence moves by more than `tolerance` in log-odds.
    """
    y = won.astype(np.float64)
    w = np.ones(len(y)) if weights is None else weights
    total = np.zeros(len(y)) if offset is None else offset.copy()
    base = 0.0 if start is None else start.base
    betas = [np.zeros(block.size) for block in blocks] if start is None else [b.copy() for b in start.coefficients]
    strengths = [b.strength for b in blocks] if start is None else list(start.strengths)
    total += base
    for block, beta in zip(blocks, betas, strict=True):
        total += beta[block.codes]
    hessians = [np.zeros(block.size) for block in blocks]
    step = 0
    for step in range(1, steps + 1):
        p = sigmoid(total)
        v = np.maximum(w * p * (1 - p), SMALL)
        r = w * (y - p)
        v_sum = v.sum()
        hessians = [np.bincount(block.codes, v, block.size) for block in blocks]
        before = [beta.copy() for beta in betas]
        for sweep in range(SWEEPS):
            largest = 0.0
            move = r.sum() / v_sum
            base += move
            r -= move * v
            for j, block in enumerate(blocks):
                g = np.bincount(block.codes, r, block.size)
                delta, strengths[j] = _solve(block, g, hessians[j], betas[j], strengths[j], tighter, sweep == 0)
                # Keep each table centred on the data: its mean belongs to the base, not to the prior.
                betas[j] = betas[j] + delta
                r -= v * delta[block.codes]
                largest = max(largest, _movement(delta, hessians[j], v_sum))
            if largest < tolerance / 2:
                break
        moves = [beta - old for beta, old in zip(betas, before, strict=True)]
        total = np.full(len(y), base) if offset is None else offset + base
        for block, beta in zip(blocks, betas, strict=True):
            total += beta[block.codes]
        if max((_movement(m, h, v_sum) for m, h in zip(moves, hessians, strict=True)), default=0.0) < tolerance:
            break
    return _centred(base, betas, blocks, hessians, strengths, tighter, step)


def _movement(delta: Floats, hessian: Floats, total: float) -> float:
    return float(np.sqrt(max(delta**2 @ hessian / total, 0.0)))


def _solve(
    block: Block, g: Floats, h: Floats, beta: Floats, strength: float, tighter: float, update: bool
) -> tuple[Floats, float]:
    """Return the Newton step of one block and its prior's new strength."""
    precision = np.diag(h) + tighter * strength * block.penalty
    precision[np.diag_indices_from(precision)] += 1e-9 * (1.0 + h.sum())
    new = np.linalg.solve(precision, g + h * beta)
    if block.rising:
        new = _ordered(new, h, block.rising)
    if update and not block.fixed:
        cover = np.linalg.inv(precision)
        used = block.size - tighter * strength * np.sum(cover * block.penalty)
        size = float(new @ block.penalty @ new)
        strength = float(np.clip(max(used, 1e-3) / max(size, 1e-9), WEAKEST, STRONGEST))
    return new - beta, strength


def _ordered(values: Floats, h: Floats, rising: int) -> Floats:
    """Return the nearest values in order from code 1 on."""
    from sklearn.isotonic import isotonic_regression

    found = values.copy()
    found[1:] = isotonic_regression(values[1:], sample_weight=h[1:] + 1e-9, increasing=rising > 0)
    return found


def _centred(
    base: float,
    betas: list[Floats],
    blocks: tuple[Block, ...],
    hessians: list[Floats],
    strengths: list[float],
    tighter: float,
    steps: int,
) -> Sum:
    """Move each table's mean into the base and add standard errors."""
    centred, errors = [], []
    for block, beta, h, strength in zip(blocks, betas, hessians, strengths, strict=True):
        mean = float(beta @ h / max(h.sum(), SMALL))
        base += mean
        centred.append(beta - mean)
        precision = np.diag(h) + tighter * strength * block.penalty + 1e-9 * np.eye(block.size)
        errors.append(np.sqrt(np.maximum(np.diag(np.linalg.inv(precision)), 0.0)))
    return Sum(base, tuple(centred), tuple(errors), tuple(strengths), tuple(hessians), steps)
