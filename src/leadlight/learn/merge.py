"""Bands and groups that people can read: fine bins that do not differ become one, until few are left."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.tables import MISSING, Axis, CategoryAxis, NumberAxis

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

NOISE = 0.02
"""Nats of log-likelihood over all rows; neighbours whose difference is worth less are merged though there is room."""
USUAL = 8
"""So many bands or groups people read with ease."""
WORTH_A_BAND = 1.0
"""Nats of log-likelihood that a band beyond the usual number must be worth, as a parameter by Akaike's criterion."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A coarser axis and where each fine code goes on it."""

    axis: Axis
    place_of: Codes = field(repr=False)


def merge_axis(axis: Axis, values: Floats, weights: Floats, *, most: int, noise: float = NOISE) -> Merged:
    """Return the axis with at most `most` bands or groups, losing as little likelihood as can be.

    `values` are the log-odds of each fine code and `weights` how much evidence each has (the sum of p(1 - p)).
    """
    if isinstance(axis, NumberAxis):
        return _merge_bands(axis, values, weights, most=most, noise=noise)
    return _merge_values(axis, values, weights, most=most, noise=noise)


def neighbours(values: Floats, weights: Floats, *, most: int, noise: float = NOISE) -> NDArray[np.int64]:
    """Return the cluster of each of a row of values when neighbours are merged, the cheapest first.

    Merging costs w1 w2 / (w1 + w2) (v1 - v2)^2 / 2, the second-order loss of log-likelihood. At most `most` clusters
    are left, and more than `USUAL` only where each is worth it.

    >>> neighbours(np.array([0.0, 0.01, 2.0]), np.array([9.0, 9.0, 9.0]), most=8).tolist()
    [0, 0, 1]
    >>> neighbours(np.array([0.0, 1.0, 9.0]), np.array([9.0, 9.0, 9.0]), most=2).tolist()
    [0, 0, 1]
    """
    v, w = list(values), list(np.maximum(weights, 1e-9))
    starts = list(range(len(v)))
    while len(v) > 1:
        left, right = np.array(w[:-1]), np.array(w[1:])
        costs = left * right / (left + right) * np.diff(v) ** 2 / 2
        k = int(np.argmin(costs))
        if len(v) <= most and costs[k] >= (noise if len(v) <= USUAL else WORTH_A_BAND):
            break
        v[k : k + 2] = [(v[k] * w[k] + v[k + 1] * w[k + 1]) / (w[k] + w[k + 1])]
        w[k : k + 2] = [w[k] + w[k + 1]]
        del starts[k + 1]
    found: NDArray[np.int64] = np.searchsorted(starts, np.arange(len(values)), side="right") - 1
    return found


def _merge_bands(axis: NumberAxis, values: Floats, weights: Floats, *, most: int, noise: float) -> Merged:
    cluster = neighbours(values[1:], weights[1:], most=most, noise=noise)
    cuts = tuple(cut for cut, step in zip(axis.cuts, np.diff(cluster), strict=True) if step)
    return Merged(NumberAxis(axis.feature, cuts), np.concatenate([[MISSING], cluster + 1]).astype(np.uint8))


def _merge_values(axis: CategoryAxis, values: Floats, weights: Floats, *, most: int, noise: float) -> Merged:
    """Group known values whose log-odds are alike; missing and other stay by themselves."""
    known = np.arange(1, axis.size - 1)
    order = known[np.argsort(-values[known], kind="stable")]
    cluster = neighbours(values[order], weights[order], most=most, noise=noise)
    count = int(cluster[-1]) + 1 if len(cluster) else 0
    groups = tuple(
        tuple(value for code in sorted(order[cluster == k]) for value in axis.groups[code - 1]) for k in range(count)
    )
    place_of = np.zeros(axis.size, np.uint8)
    place_of[order] = cluster + 1
    place_of[-1] = count + 1
    return Merged(CategoryAxis(axis.feature, groups), place_of)
