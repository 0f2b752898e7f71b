"""Strictly by rank: each in turn takes what it needs if it is still there, and waits if it is not.

The first that does not fit is passed over and the next one looked at, so that a large need does not block what small
ones could use. Nobody who comes later takes anything from one who comes earlier: who waits would wait, too, if all
behind him were not there. Age gives no right by itself: one that is to rise while it waits needs points for waiting.
"""

from __future__ import annotations

import heapq

import numpy as np

from leadlight.allocate.problem import NOBODY, Bools, Demand, Floats, Ints, Signatures, Supply

CHUNK = 65_536
"""How many leads are looked at together where there is one pool to choose from."""
AGAIN = 256
"""After so many needs that nobody could meet, at the least, all that are left are looked at together."""


def by_rank(demand: Demand, supply: Supply, *, spread: bool = False) -> Ints:
    """Return the pool of each lead, `NOBODY` where it waits; leads come in rank order.

    Where several pools could serve, it is the one that is fullest afterwards (best fit, which keeps large gaps open for
    large needs), or with `spread` the one that has most left (which shares work out evenly); ties go to the first.

    Where each lead has one pool at most, this is cumulative sums over chunks of the list. Otherwise it is a loop over
    those served and the different needs refused, not over all leads.

    >>> need = np.array([[4.0], [3.0], [8.0], [1.0]])
    >>> ask = Demand(need, np.ones(4), np.zeros(4, np.int64))
    >>> by_rank(ask, Supply(np.array([[8.0]]), np.ones((1, 1), np.bool_))).tolist()
    [0, 0, -1, 0]
    """
    if not len(demand):
        return np.empty(0, np.int64)
    if (supply.eligible.sum(axis=1) <= 1).all():
        return _each_in_its_own(demand, supply)
    return _choosing(demand, supply, spread=spread)


def _each_in_its_own(demand: Demand, supply: Supply) -> Ints:
    own = np.where(supply.eligible.any(axis=1), supply.eligible.argmax(axis=1), NOBODY)[demand.kind]
    pool = np.full(len(demand), NOBODY, np.int64)
    order = np.argsort(own, kind="stable")
    bounds = np.searchsorted(own[order], np.arange(len(supply.capacity) + 1))
    for number, limit in enumerate(supply.limit):
        members = order[bounds[number] : bounds[number + 1]]
        pool[members[_in_turn(demand.need[members], limit)]] = number
    return pool


def _in_turn(need: Floats, limit: Floats) -> Bools:
    """Return who is served from one pool: runs of leads that all fit, with those left out that no longer can."""
    served = np.zeros(len(need), np.bool_)
    left = limit.copy()
    for start in range(0, len(need), CHUNK):
        todo = start + np.flatnonzero((need[start : start + CHUNK] <= left).all(axis=1))
        while len(todo):
            sums = np.cumsum(need[todo], axis=0)
            fits = (sums <= left).all(axis=1)
            run = len(todo) if fits.all() else int(fits.argmin())
            served[todo[:run]] = True
            left = left - sums[run - 1]
            todo = todo[run:]
            todo = todo[(need[todo] <= left).all(axis=1)]
    return served


def _choosing(demand: Demand, supply: Supply, *, spread: bool) -> Ints:
    signatures = Signatures.find(demand)
    pool = np.full(len(demand), NOBODY, np.int64)
    left = supply.limit.copy()
    scale = np.maximum(supply.capacity.max(axis=0), 1e-300)
    queue = np.argsort(signatures.of, kind="stable")  # the leads of each signature, in rank order
    bounds = np.searchsorted(signatures.of[queue], np.arange(len(signatures.kind) + 1))
    place = bounds[:-1].copy()
    heap = _alive(signatures, supply, left, [(int(queue[at]), number) for number, at in enumerate(place)])
    refused, patience = 0, max(AGAIN, len(heap) // 64)
    while heap:
        lead, number = heap[0]
        room = left - signatures.need[number]
        fits = np.flatnonzero(supply.eligible[signatures.kind[number]] & (room >= 0).all(axis=1))
        if not len(fits):
            heapq.heappop(heap)
            refused += 1
            if refused >= patience:
                before, refused = len(heap), 0
                heap = _alive(signatures, supply, left, heap)
                patience = max(AGAIN, len(heap) // 64, 0 if len(heap) < before // 2 else 2 * patience)
            continue
        free = np.round((room[fits] / scale).sum(axis=1), 6)
        chosen = fits[int(free.argmax() if spread else free.argmin())]
        pool[lead] = chosen
        left[chosen] = room[chosen]
        place[number] += 1
        if place[number] == bounds[number + 1]:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (int(queue[place[number]]), number))
    return pool


def _alive(signatures: Signatures, supply: Supply, left: Floats, heap: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep the needs that are not larger, in every resource, than the most that any pool for them has left."""
    most = np.stack(
        [left[pools].max(axis=0) if pools.any() else np.full(left.shape[1], -1.0) for pools in supply.eligible]
    )
    numbers = np.array([number for _, number in heap], np.int64)
    able = np.all(signatures.need[numbers] <= most[signatures.kind[numbers]], axis=1)
    kept = [item for item, ok in zip(heap, able.tolist(), strict=True) if ok]
    heapq.heapify(kept)
    return kept
