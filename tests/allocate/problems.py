"""Small problems of allocation, and plain loops that solve them: what the real thing is held against."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from leadlight.allocate.problem import Demand, Supply

NOBODY = -1


@st.composite
def problems(draw, *, most_leads=12, most_pools=3, whole=True):
    resources = draw(st.integers(1, 2))
    pools = draw(st.integers(1, most_pools))
    leads = draw(st.integers(0, most_leads))
    kinds = draw(st.integers(1, 2))
    amount = st.integers(0, 6).map(float) if whole else st.floats(0.001, 6)
    need = st.one_of(amount, amount, amount, st.just(float("nan")))
    return (
        Demand(
            np.array([[draw(need) for _ in range(resources)] for _ in range(leads)]).reshape(leads, resources),
            np.array([float(draw(st.integers(0, 9))) for _ in range(leads)]),
            np.array([draw(st.integers(0, kinds - 1)) for _ in range(leads)], np.int64),
        ),
        Supply(
            np.array([[float(draw(st.integers(0, 12))) for _ in range(resources)] for _ in range(pools)]),
            np.array([[draw(st.booleans()) for _ in range(pools)] for _ in range(kinds)]),
        ),
    )


def one_by_one(demand: Demand, supply: Supply, *, spread: bool = False) -> list[int]:
    """Strictly by rank: a loop over all leads, and over all pools for each."""
    left = supply.capacity.tolist()
    most = [max(column) or 1e-300 for column in zip(*left, strict=True)]
    found = []
    for need, kind in zip(demand.need.tolist(), demand.kind.tolist(), strict=True):
        chosen, chosen_free = NOBODY, None
        for pool, room in enumerate(left):
            if not supply.eligible[kind][pool] or not all(n <= r + 1e-9 for n, r in zip(need, room, strict=True)):
                continue
            free = round(sum((r - n) / m for n, r, m in zip(need, room, most, strict=True)), 6)
            if chosen_free is None or (free > chosen_free if spread else free < chosen_free):
                chosen, chosen_free = pool, free
        if chosen != NOBODY:
            left[chosen] = [r - n for n, r in zip(need, left[chosen], strict=True)]
        found.append(chosen)
    return found


def every_way(demand: Demand, supply: Supply) -> float:
    """The best total, by trying all there are."""
    places = range(-1, len(supply.capacity))
    most = 0.0
    for given in itertools.product(places, repeat=len(demand)):
        if holds(demand, supply, list(given)):
            most = max(most, sum(demand.value[lead] for lead, pool in enumerate(given) if pool != NOBODY))
    return most


def holds(demand: Demand, supply: Supply, given: list[int]) -> bool:
    """Whether nobody is where it may not be, and no pool gives more than it has."""
    spent = np.zeros_like(supply.capacity)
    for lead, pool in enumerate(given):
        if pool == NOBODY:
            continue
        if not supply.eligible[demand.kind[lead]][pool] or np.isnan(demand.need[lead]).any():
            return False
        spent[pool] += demand.need[lead]
    return bool((spent <= supply.capacity + 1e-6).all())
