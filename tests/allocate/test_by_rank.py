import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.allocate.problems import NOBODY, holds, one_by_one, problems

from leadlight.allocate import by_rank as module
from leadlight.allocate.by_rank import by_rank
from leadlight.allocate.problem import Demand, Supply


def single(need: list[float], capacity: float) -> tuple[Demand, Supply]:
    ask = Demand(np.array(need).reshape(-1, 1), np.ones(len(need)), np.zeros(len(need), np.int64))
    return ask, Supply(np.array([[capacity]]), np.ones((1, 1), np.bool_))


@settings(deadline=None)
@given(problems(most_leads=30), st.booleans())
def test_as_a_loop_over_all_does(problem, spread) -> None:
    demand, supply = problem
    assert by_rank(demand, supply, spread=spread).tolist() == one_by_one(demand, supply, spread=spread)


@settings(deadline=None)
@given(problems(most_leads=30, whole=False))
def test_no_pool_gives_more_than_it_has(problem) -> None:
    demand, supply = problem
    assert holds(demand, supply, by_rank(demand, supply).tolist())


@settings(deadline=None)
@given(problems(most_leads=30))
def test_who_comes_later_changes_nothing_for_who_comes_earlier(problem) -> None:
    demand, supply = problem
    whole = by_rank(demand, supply)
    half = len(demand) // 2
    assert by_rank(demand.take(np.arange(half)), supply).tolist() == whole[:half].tolist()


@settings(deadline=None)
@given(st.lists(st.integers(0, 9).map(float), max_size=60), st.integers(0, 60))
def test_chunks_and_renewed_looks_change_nothing(needs, capacity) -> None:
    demand, supply = single(needs, float(capacity))
    expected = one_by_one(demand, supply)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", 4)
        patch.setattr(module, "AGAIN", 2)
        assert by_rank(demand, supply).tolist() == expected
        several = Supply(np.repeat(supply.capacity, 2, axis=0), np.ones((1, 2), np.bool_))
        assert by_rank(demand, several).tolist() == one_by_one(demand, several)


def test_a_large_need_does_not_block_a_small_one() -> None:
    assert by_rank(*single([4, 3, 8, 1], 8)).tolist() == [0, 0, NOBODY, 0]


def test_sums_of_tenths_fill_a_capacity() -> None:
    assert by_rank(*single([0.1] * 10, 1.0)).tolist() == [0] * 10


def test_best_fit_keeps_large_gaps_open_and_spread_shares_evenly() -> None:
    need = np.array([[1.0], [1.0]])
    demand, supply = (
        Demand(need, np.ones(2), np.zeros(2, np.int64)),
        Supply(np.array([[8.0], [2.0]]), np.ones((1, 2), np.bool_)),
    )
    assert by_rank(demand, supply).tolist() == [1, 1]
    assert by_rank(demand, supply, spread=True).tolist() == [0, 0]


def test_a_million_take_their_turn_from_one_pool() -> None:
    generator = np.random.default_rng(1)
    demand, supply = single(generator.integers(1, 9, 1_000_000).astype(float).tolist(), 100_000.0)
    pool = by_rank(demand, supply)
    served = pool != NOBODY
    assert demand.need[served].sum() == 100_000
    first = int(np.argmin(served))
    assert demand.need[:first].sum() + demand.need[first] > 100_000  # the first to wait had to
