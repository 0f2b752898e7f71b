from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from tests.allocate.problems import NOBODY, problems

from leadlight.allocate.by_rank import by_rank
from leadlight.allocate.problem import Demand, Supply
from leadlight.allocate.reasons import NO_POOL, SHORT, SPLIT, UNKNOWN, reason_of, why_waiting


@settings(deadline=None)
@given(problems(most_leads=20))
def test_every_reason_is_true(problem) -> None:
    demand, supply = problem
    pool = by_rank(demand, supply)
    left = supply.after(demand, pool)
    for lead, number in enumerate(why_waiting(demand, supply, pool).tolist()):
        may = np.flatnonzero(supply.eligible[demand.kind[lead]])
        if pool[lead] != NOBODY:
            assert number == -1
        elif number == NO_POOL:
            assert not len(may)
        elif number == UNKNOWN:
            assert np.isnan(demand.need[lead]).any()
        elif number == SPLIT:
            assert (demand.need[lead] <= left.capacity[may].max(axis=0)).all()
            assert not (demand.need[lead] <= left.capacity[may]).all(axis=1).any()
        else:
            assert (demand.need[lead, number - SHORT] > left.capacity[may, number - SHORT]).all()


def test_in_words_with_the_numbers() -> None:
    demand = Demand(np.array([[8.0], [8.0]]), np.ones(2), np.zeros(2, np.int64))
    supply = Supply(np.array([[11.0]]), np.ones((1, 1), np.bool_))
    pool = by_rank(demand, supply)
    left = supply.after(demand, pool)
    reasons = why_waiting(demand, supply, pool)
    assert reason_of(int(reasons[1]), demand, left, 1, ["gpu"]) == "needs 8 gpu, 3 left"
    assert reason_of(int(reasons[0]), demand, left, 0, ["gpu"]) is None
