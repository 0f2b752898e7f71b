"""How well an order finds the wins: figures that need no probability, on weighted rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadlight.evaluate.arrays import Bools, Floats, Ints, no_gaps
from leadlight.evaluate.bootstrap import Leads

SHARES = (0.05, 0.1, 0.2)
"""The shares of leads ranked first at which gain and lift are told."""


@dataclass(frozen=True, slots=True)
class Order:
    """Rows sorted by score, the best first, ready to be weighed again and again."""

    lead: Ints
    """Each row's number of its lead, as in `Leads.code`."""
    won: Floats
    weight: Floats | None
    starts: Ints | None
    """Where each run of equal scores starts; None where all scores differ."""


def in_order(score: Floats, won: Bools, leads: Leads, *, weights: Floats | None = None) -> Order:
    """Sort rows by score, the best first. Raises ValueError where a score is NaN."""
    score = no_gaps("score", score)
    place = np.argsort(-score, kind="stable")
    sorted_ = score[place]
    starts = np.flatnonzero(np.concatenate([[True], sorted_[1:] != sorted_[:-1]])) if len(score) else place
    weight = None if weights is None else no_gaps("weights", weights)[place]
    runs = None if len(starts) == len(score) else starts
    return Order(leads.code[place], won[place].astype(np.float64), weight, runs)


def rank_figures(order: Order, counts: Floats, *, shares: Sequence[float] = SHARES) -> Floats:
    """Return, for each row of counts (how often each lead is drawn), AUC, average precision and the gain at `shares`.

    AUC is the chance that a win stands above another row, ties half (Mann and Whitney 1947). Average precision is the
    mean, over wins, of the share of wins down to there, rows of one score taken together. Gain is the share of
    all wins among the share of rows ranked first; where the share ends within a tie, that part of the tie counts.
    NaN where there is no win, or for AUC nothing else. Shape: draws × (2 + shares).
    """
    if not len(order.won):
        return np.full((len(counts), 2 + len(shares)), np.nan)
    rows = np.take(counts, order.lead, axis=1)
    if order.weight is not None:
        rows *= order.weight
    wins = rows * order.won
    if order.starts is not None:
        rows, wins = (np.add.reduceat(part, order.starts, axis=1) for part in (rows, wins))
    seen, found = np.cumsum(rows, axis=1), np.cumsum(wins, axis=1)
    total, won = seen[:, -1], found[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Others at or above a run: all seen less wins found, of the run itself half.
        above = seen - found
        above -= (rows - wins) / 2
        auc = 1 - np.einsum("ij,ij->i", wins, above) / (won * (total - won))
        precision = np.einsum("ij,ij->i", wins, np.divide(found, seen, out=np.zeros_like(seen), where=seen > 0)) / won
        gain = np.array([_shared(seen[i], found[i], shares) for i in range(len(seen))]) / won[:, None]
    figures = np.column_stack([auc, precision, gain])
    figures[won == 0] = np.nan
    figures[total - won == 0, 0] = np.nan
    return figures


def _shared(seen: Floats, found: Floats, shares: Sequence[float]) -> Floats:
    """Return the wins among the first of each share, with a straight line within ties."""
    cut = np.multiply(shares, seen[-1])
    first = seen[0]
    within = np.interp(cut, seen, found)
    return np.where(cut < first, found[0] * cut / first if first else 0.0, within)
