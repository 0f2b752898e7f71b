from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from tests.allocate.problems import problems

from leadlight.allocate.problem import Signatures, used


@settings(deadline=None)
@given(problems(most_leads=30))
def test_leads_of_one_signature_are_the_same(problem) -> None:
    demand, supply = problem
    found = Signatures.find(demand)
    rows = [(kind, *map(str, need)) for kind, need in zip(demand.kind.tolist(), demand.need.tolist(), strict=True)]
    assert len(found.kind) == len(set(rows))
    for lead, row in enumerate(rows):
        number = found.of[lead]
        assert (found.kind[number], *map(str, found.need[number].tolist())) == row
    fits = found.fits(supply)
    for number, pool in np.ndindex(fits.shape):
        able = supply.eligible[found.kind[number], pool] and bool((found.need[number] <= supply.capacity[pool]).all())
        assert fits[number, pool] == able


@settings(deadline=None)
@given(problems(most_leads=10))
def test_what_is_used_adds_up(problem) -> None:
    demand, supply = problem
    known = ~np.isnan(demand.need).any(axis=1)
    pool = np.where(known, np.arange(len(demand)) % len(supply.capacity), -1)
    spent = used(demand, pool, supply)
    for number in range(len(supply.capacity)):
        assert np.allclose(spent[number], demand.need[pool == number].sum(axis=0))
