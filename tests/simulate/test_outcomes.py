from __future__ import annotations

import numpy as np
import pytest

from leadlight.simulate.events import aliases
from leadlight.simulate.intent import NEVER
from leadlight.simulate.outcomes import deals_table, expected_worth, make_leaks


@pytest.fixture(scope="module")
def deals(crowd):
    return deals_table(crowd.world, crowd.leads, crowd.paths, aliases(crowd.leads))


def test_every_closed_person_has_one_deal_at_its_moment(crowd, deals) -> None:
    leads, paths = crowd.leads, crowd.paths
    numbers = np.array([int(lead[1:]) - 1 for lead in deals["lead_id"].to_pylist()])
    persons = leads.person[numbers]
    closed = np.flatnonzero(~leads.is_duplicate & (paths.closed < NEVER))
    assert np.array_equal(np.sort(persons), closed)
    assert np.array_equal(deals["closed_at"].cast("int64").to_numpy(), paths.closed[persons])
    assert deals["stage"].to_pylist() == ["won" if won else "lost" for won in paths.won[persons]]
    assert np.all(paths.closed[persons] >= leads.created[numbers])
    assert 0 < (persons != numbers).sum() < leads.is_duplicate.sum()


def test_worth_grows_with_the_company_and_is_the_expected_one_on_average(crowd, deals) -> None:
    numbers = np.array([int(lead[1:]) - 1 for lead in deals["lead_id"].to_pylist()])
    amount, expected = deals["amount"].to_numpy(), expected_worth(crowd.world, crowd.leads)[numbers]
    assert amount.min() >= 10
    assert (amount / expected).mean() == pytest.approx(1, abs=0.01)
    assert np.corrcoef(np.log(amount), np.log(crowd.leads.employees[numbers]))[0, 1] > 0.8


def test_leaking_fields_know_the_outcome(crowd) -> None:
    leaks = make_leaks(crowd.world, crowd.leads, crowd.paths)
    open_ = crowd.paths.closed == NEVER
    quality, result = np.array(leaks.quality.to_pylist()), np.array(leaks.last_result.to_pylist())
    filled = quality != None  # noqa: E711 -- element by element
    assert filled[open_].mean() == pytest.approx(0.08, abs=0.01)
    assert filled[~open_].mean() > 0.8
    assert crowd.paths.won[quality == "hot"].mean() > 0.75
    assert crowd.paths.won[quality == "junk"].mean() < 0.05
    assert crowd.paths.won[result == "contract signed"].all()
    assert not crowd.paths.won[np.isin(result.astype(str), ["chose another", "no budget", "no need"])].any()
