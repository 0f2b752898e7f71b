"""Why who waits waits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadlight.allocate.problem import NOBODY, Demand, Floats, Ints, Supply
from leadlight.allocate.report import amount

NO_POOL, UNKNOWN, SPLIT, SHORT = 0, 1, 2, 3
"""The reasons, as numbers: no pool may serve it; its need is not known; enough is left, but not in one pool; SHORT + r:
it needs more of resource r than any pool for it has left."""


def why_waiting(demand: Demand, supply: Supply, pool: Ints) -> Ints:
    """Return the number of the reason for each who waits, −1 for those served.

    Told from what is left in the end, which is no more than was left when its turn came.
    """
    left = supply.after(demand, pool)
    most = _most(left)[demand.kind]
    reasons = np.full(len(demand), SPLIT, np.int64)
    short = SHORT + np.argmax(np.nan_to_num(demand.need - most, nan=-np.inf), axis=1)
    # Of one pool something must be short, if only by the slack that sums of floats are given.
    sure = np.any(demand.need > most, axis=1) | (supply.eligible.sum(axis=1) == 1)[demand.kind]
    reasons = np.where(sure, short, reasons)
    reasons = np.where(np.isnan(demand.need).any(axis=1), UNKNOWN, reasons)
    reasons = np.where(np.any(supply.eligible, axis=1)[demand.kind], reasons, NO_POOL)
    return np.where(pool == NOBODY, reasons, -1)


def _most(left: Supply) -> Floats:
    """Return the most of each resource that any pool for a kind has left (k × r), −1 where there is none."""
    return np.stack(
        [
            left.capacity[pools].max(axis=0) if pools.any() else np.full(left.capacity.shape[1], -1.0)
            for pools in left.eligible
        ]
    )


def reason_of(number: int, demand: Demand, left: Supply, lead: int, resources: Sequence[str]) -> str | None:
    """Say why one waits, in words with its numbers; None for one that is served."""
    if number < 0:
        return None
    if number < SHORT:
        return in_short(number, resources)
    resource = number - SHORT
    pools = np.flatnonzero(left.eligible[demand.kind[lead]])
    most = float(left.capacity[pools, resource].max())
    where = "" if len(pools) == 1 else " in any pool for it"
    return f"needs {amount(float(demand.need[lead, resource]))} {resources[resource]}, {amount(most)} left{where}"


def in_short(number: int, resources: Sequence[str]) -> str:
    """Say why some wait, for all of them together.

    >>> in_short(NO_POOL, ["gpu"]), in_short(SHORT, ["gpu"])
    ('no pool may serve it', 'not enough gpu left')
    """
    if number >= SHORT:
        return f"not enough {resources[number - SHORT]} left"
    return ("no pool may serve it", "what it needs is not known", "enough is left, but not in one pool")[number]
