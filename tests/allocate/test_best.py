import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.allocate.problems import every_way, holds, one_by_one, problems

from leadlight.allocate import best as module
from leadlight.allocate.best import best, fractional_bound
from leadlight.allocate.problem import Demand, Supply


@settings(max_examples=60, deadline=None)
@given(problems(most_leads=6, most_pools=2))
def test_as_trying_all_ways_does(problem) -> None:
    demand, supply = problem
    found = best(demand, supply)
    assert holds(demand, supply, found.pool.tolist())
    assert found.value == pytest.approx(every_way(demand, supply))
    assert found.solved
    assert found.bound == pytest.approx(found.value, abs=1e-5)
    assert (found.gap, found.note) == (pytest.approx(0, abs=1e-6), "")


@settings(max_examples=60, deadline=None)
@given(problems(most_leads=25, whole=False))
def test_never_less_than_by_rank_nor_more_than_its_bound(problem) -> None:
    demand, supply = problem
    found = best(demand, supply)
    by_rank = sum(demand.value[lead] for lead, pool in enumerate(one_by_one(demand, supply)) if pool >= 0)
    assert holds(demand, supply, found.pool.tolist())
    assert by_rank - 1e-9 <= found.value <= found.bound + 1e-6


@settings(max_examples=60, deadline=None)
@given(problems(most_leads=6, most_pools=2))
def test_beyond_its_size_a_rule_and_a_true_bound(problem) -> None:
    demand, supply = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_WORTHS", 0)
        found = best(demand, supply)
    assert holds(demand, supply, found.pool.tolist())
    assert found.value <= every_way(demand, supply) + 1e-9 <= found.bound + 1e-6
    if found.value < found.bound - 1e-6:
        assert not found.solved
        assert "too large to solve exactly" in found.note


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=8), st.integers(0, 20))
def test_fractional_bound_is_never_below_the_best(items, capacity) -> None:
    need = np.array([[float(size)] for size, _ in items]).reshape(-1, 1)
    value = np.array([float(worth) for _, worth in items])
    demand = Demand(need, value, np.zeros(len(items), np.int64))
    most = every_way(demand, Supply(np.array([[float(capacity)]]), np.ones((1, 1), np.bool_)))
    assert fractional_bound(value, need[:, 0], float(capacity)) >= most - 1e-9


def test_leads_of_no_value_get_what_is_left() -> None:
    demand = Demand(np.ones((3, 1)), np.array([0.0, 5.0, 0.0]), np.zeros(3, np.int64))
    found = best(demand, Supply(np.array([[2.0]]), np.ones((1, 1), np.bool_)))
    assert found.pool.tolist() == [0, 0, -1]


def test_many_leads_of_few_needs_are_solved_exactly() -> None:
    generator = np.random.default_rng(1)
    need = generator.choice([1.0, 2.0, 4.0, 8.0], 200_000)[:, None]
    demand = Demand(need, generator.random(200_000), np.zeros(200_000, np.int64))
    found = best(demand, Supply(np.full((4, 1), 100.0), np.ones((1, 4), np.bool_)))
    assert found.solved
    assert found.value <= fractional_bound(demand.value, need[:, 0], 400.0) + 1e-6
