"""The best total: who should be served so that what is served is worth most, whatever the order.

An integer programme solved exactly by HiGHS through `scipy.optimize.milp` (branch and bound with a proof): how many
leads of each need go to each pool, and which of them, the worthiest first. Leads with the same need are
interchangeable but for their value, so that only as many of each as could ever be served are looked at.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadlight.allocate.by_rank import by_rank
from leadlight.allocate.problem import NOBODY, Bools, Demand, Floats, Ints, Signatures, Supply, used

MOST_WORTHS = 50_000
MOST_PLACES = 50_000
"""Beyond so many pairs of a need and a worth, or of a need and a pool, nothing is solved exactly."""


@dataclass(frozen=True, slots=True)
class Best:
    """The pool of each lead, and what is known of the optimum.

    `bound` is what no allocation can exceed, None where that was not worked out; `gap` is the share of the bound that
    is not reached. `solved` says that it is the optimum (within one part in a million); `note` says why it is not.
    """

    pool: Ints
    value: float
    bound: float | None
    solved: bool
    note: str = ""

    @property
    def gap(self) -> float | None:
        """The share of the bound that is not reached, at most."""
        if self.bound is None:
            return None
        return max(0.0, (self.bound - self.value) / self.bound) if self.bound > 0 else 0.0


def best(demand: Demand, supply: Supply, *, time_limit: float = 20.0, spread: bool = False) -> Best:
    """Return the allocation of greatest total value; what is then left goes by rank to those of no value.

    Where it is too large to solve, or `time_limit` (seconds) ends the search, it is the best of what was found: by
    rank, by value for what it takes, or by the search so far, with the gap.

    >>> need, value = np.array([[5.0], [4.0], [4.0]]), np.array([6.0, 5.0, 4.0])
    >>> found = best(Demand(need, value, np.zeros(3, np.int64)), Supply(np.array([[8.0]]), np.ones((1, 1), np.bool_)))
    >>> found.pool.tolist(), found.value, found.solved
    ([-1, 0, 0], 9.0, True)
    """
    tries = [by_rank(demand, supply, spread=spread), _by_yield(demand, supply, spread=spread)]
    bound, solved, note = None, False, ""
    signatures = Signatures.find(demand)
    fits = signatures.fits(supply)
    chosen = _worth_a_look(demand, signatures, supply, fits)
    if not len(chosen):
        bound, solved = 0.0, True
    elif (steps := _Steps.find(demand, signatures, chosen)).size > MOST_WORTHS or fits.sum() > MOST_PLACES:
        bound = _relaxed(demand, signatures, supply, fits)
        note = (
            f"too large to solve exactly ({steps.size:,} pairs of a need and a worth, {int(fits.sum()):,} of a need "
            "and a pool): the better of two rules, by rank and by value for what it takes"
        )
    else:
        pool, bound, note = _solve(demand, signatures, supply, fits, chosen, steps, time_limit)
        tries += [] if pool is None else [pool]
    values = np.array([demand.value[pool != NOBODY].sum() for pool in tries])
    first = int(np.argmax(values >= values.max() * (1 - 1e-12)))  # of equal ones the one by rank
    found = _topped_up(demand, supply, tries[first], spread=spread)
    value = float(demand.value[found != NOBODY].sum())
    if bound is not None and not note:
        solved = value >= bound - 1e-6 * max(1.0, abs(bound))
        note = "" if solved else "the search ended before the optimum was proven"
    return Best(found, value, None if bound is None else max(bound, value), solved, note)


def _by_yield(demand: Demand, supply: Supply, *, spread: bool) -> Ints:
    """Serve in order of value for what it takes of all there is (Dantzig 1957, for several resources)."""
    whole = np.maximum(supply.capacity.sum(axis=0), 1e-300)
    share = (demand.need / whole).sum(axis=1)
    ratio = np.nan_to_num(demand.value / np.maximum(share, 1e-12), nan=-1.0)
    order = np.argsort(-ratio, kind="stable")
    pool = np.full(len(demand), NOBODY, np.int64)
    pool[order] = by_rank(demand.take(order), supply, spread=spread)
    return pool


def _worth_a_look(demand: Demand, signatures: Signatures, supply: Supply, fits: Bools) -> Ints:
    """Return the leads of value that could be served: of each need the worthiest, as many as all pools can take."""
    possible = np.any(fits, axis=1)
    room = np.zeros(len(fits))
    for pool, capacity in enumerate(supply.limit):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            times = np.where(signatures.need > 0, np.floor(capacity / signatures.need), np.inf).min(axis=1)
        room += np.where(fits[:, pool], times, 0.0)
    order = np.lexsort((-demand.value, signatures.of))
    starts = np.searchsorted(signatures.of[order], np.arange(len(fits)))
    place = np.empty(len(demand), np.int64)
    place[order] = np.arange(len(demand)) - starts[signatures.of[order]]
    wanted = possible[signatures.of] & (demand.value > 0) & (place < room[signatures.of])
    return np.flatnonzero(wanted)


@dataclass(frozen=True, slots=True)
class _Steps:
    """The different worths of leads of the same need: signature, worth, and how many there are."""

    signature: Ints
    value: Floats
    count: Floats

    @staticmethod
    def find(demand: Demand, signatures: Signatures, chosen: Ints) -> _Steps:
        of, value = signatures.of[chosen], demand.value[chosen]
        order = np.lexsort((value, of))
        of, value = of[order], value[order]
        first = np.flatnonzero(np.concatenate([[True], (of[1:] != of[:-1]) | (value[1:] != value[:-1])]))
        return _Steps(of[first], value[first], np.diff(np.append(first, len(of))).astype(np.float64))

    @property
    def size(self) -> int:
        """How many pairs of a need and a worth there are."""
        return len(self.value)


def _solve(
    demand: Demand,
    signatures: Signatures,
    supply: Supply,
    fits: Bools,
    chosen: Ints,
    steps: _Steps,
    time_limit: float,
) -> tuple[Ints | None, float | None, str]:
    """Solve for z (how many of each need and worth are served) and y (how many of each need each pool serves).

    With y whole, z comes out whole by itself: of one need, the worthiest are taken.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    present = np.unique(steps.signature)
    need, pool = np.nonzero(fits[present])
    row = np.searchsorted(present, steps.signature)
    most = np.bincount(row, weights=steps.count)[need]
    scale = float(steps.value.max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # HiGHS warns where its time is up, which the result says too
        result = milp(
            np.concatenate([-steps.value / scale, np.zeros(len(need))]),
            integrality=np.concatenate([np.zeros(steps.size), np.ones(len(need))]),
            bounds=Bounds(0, np.concatenate([steps.count, most])),
            constraints=[
                LinearConstraint(_balance(row, need, len(present)), -np.inf, 0),
                LinearConstraint(
                    _spending(signatures.need[present][need], pool, supply, steps.size),
                    -np.inf,
                    supply.capacity.ravel(),
                ),
            ],
            options={"time_limit": time_limit, "mip_rel_gap": 1e-7, "disp": False},
        )
    dual = getattr(result, "mip_dual_bound", None)
    bound = None if dual is None or not np.isfinite(dual) else -float(dual) * scale
    note = f"the search was ended after {time_limit:g} s" if result.status == 1 else ""
    if result.x is None:
        return None, bound, note or "the search found nothing"
    given = np.rint(result.x[steps.size :]).astype(np.int64)
    return _placed(demand, signatures, supply, chosen, present[need], pool, given), bound, note


def _balance(step_row: Ints, place_row: Ints, rows: int) -> Any:
    """Of each need no more are served than have a place: Σ z - Σ y <= 0."""
    from scipy import sparse

    steps, places = len(step_row), len(place_row)
    values = np.concatenate([np.ones(steps), -np.ones(places)])
    at = (np.concatenate([step_row, place_row]), np.arange(steps + places))
    return sparse.csr_array((values, at), shape=(rows, steps + places))


def _spending(takes: Floats, pool: Ints, supply: Supply, steps: int) -> Any:
    """Each pool gives no more of each resource than it has: Σ need · y <= capacity."""
    from scipy import sparse

    pools, resources = supply.capacity.shape
    rows = (pool[:, None] * resources + np.arange(resources)).ravel()
    columns = np.repeat(steps + np.arange(len(pool)), resources)
    return sparse.csr_array((takes.ravel(), (rows, columns)), shape=(pools * resources, steps + len(pool)))


def _placed(
    demand: Demand, signatures: Signatures, supply: Supply, chosen: Ints, need: Ints, pool: Ints, given: Ints
) -> Ints:
    """Give the places of each need to its worthiest leads, the first pool first."""
    order = chosen[np.lexsort((-demand.value[chosen], signatures.of[chosen]))]
    starts = np.searchsorted(signatures.of[order], np.arange(len(signatures.kind)))
    slots_need, slots_pool = np.repeat(need, given), np.repeat(pool, given)
    slot_order = np.lexsort((slots_pool, slots_need))
    slots_need, slots_pool = slots_need[slot_order], slots_pool[slot_order]
    place = np.arange(len(slots_need)) - np.searchsorted(slots_need, slots_need)
    count = np.bincount(signatures.of[order], minlength=len(signatures.kind))
    taken = place < count[slots_need]  # there may be more places than leads: they cost nothing where nothing is needed
    found = np.full(len(demand), NOBODY, np.int64)
    found[order[starts[slots_need[taken]] + place[taken]]] = slots_pool[taken]
    return _within(demand, supply, found)


def _within(demand: Demand, supply: Supply, pool: Ints) -> Ints:
    """Take back all of a pool that rounding has filled beyond its capacity: it is refilled by rank afterwards."""
    over = np.any(used(demand, pool, supply) > supply.limit, axis=1)
    if not over.any():
        return pool
    return np.where((pool != NOBODY) & over[np.maximum(pool, 0)], NOBODY, pool)


def _topped_up(demand: Demand, supply: Supply, pool: Ints, *, spread: bool) -> Ints:
    """Give what is left, by rank, to those who wait."""
    waiting = np.flatnonzero(pool == NOBODY)
    rest = by_rank(demand.take(waiting), supply.after(demand, pool), spread=spread)
    found = pool.copy()
    found[waiting] = rest
    return found


def _relaxed(demand: Demand, signatures: Signatures, supply: Supply, fits: Bools) -> float:
    """Return a bound: the least of what each resource alone, of all pools together, would allow."""
    able = np.flatnonzero(np.any(fits, axis=1)[signatures.of] & (demand.value > 0))
    value, need = demand.value[able], demand.need[able]
    whole = supply.capacity.sum(axis=0)
    return min(fractional_bound(value, need[:, resource], float(whole[resource])) for resource in range(len(whole)))


def fractional_bound(value: Floats, need: Floats, capacity: float) -> float:
    """Return what no choice of leads can exceed where there is one resource: the last one is served in part.

    >>> fractional_bound(np.array([6.0, 5.0, 4.0]), np.array([5.0, 4.0, 4.0]), 8.0)
    9.8
    """
    with np.errstate(over="ignore"):
        order = np.argsort(-value / np.maximum(need, 1e-300), kind="stable")
    left = capacity - np.concatenate([[0.0], np.cumsum(need[order])[:-1]])
    with np.errstate(over="ignore"):
        part = np.clip(left / np.maximum(need[order], 1e-300), 0.0, 1.0)
    share = np.where(need[order] > 0, part, 1.0)
    return float((value[order] * share).sum())
