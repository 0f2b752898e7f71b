import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.scorecards.in_time import in_time

JOBS = st.lists(st.tuples(st.integers(-2, 6), st.integers(1, 4), st.integers(0, 9)), max_size=7)


def feasible(jobs, chosen, per_day) -> bool:
    """Whether the chosen are all in time, done one after the other, the earliest due first."""
    spent = 0.0
    for days, effort, _ in sorted(jobs[number] for number in chosen):
        spent += effort / per_day
        if days <= 0 or spent > days + 1e-9:
            return False
    return True


def subsets(jobs):
    return (set(chosen) for size in range(len(jobs) + 1) for chosen in itertools.combinations(range(len(jobs)), size))


def run(jobs, per_day):
    days, effort, worth = (
        (np.array(part, np.float64) for part in zip(*jobs, strict=True)) if jobs else [np.empty(0)] * 3
    )
    return set(np.flatnonzero(in_time(days, effort, worth, per_day)).tolist())


@settings(deadline=None)
@given(JOBS, st.sampled_from([0.5, 1.0, 3.0]))
def test_what_is_taken_is_in_time(jobs, per_day) -> None:
    assert feasible(jobs, run(jobs, per_day), per_day)


@settings(deadline=None)
@given(JOBS, st.sampled_from([0.5, 1.0, 3.0]))
def test_of_equal_worth_as_many_as_possible_are_in_time(jobs, per_day) -> None:
    jobs = [(days, effort, 1) for days, effort, _ in jobs]
    most = max(len(chosen) for chosen in subsets(jobs) if feasible(jobs, chosen, per_day))
    assert len(run(jobs, per_day)) == most


@settings(deadline=None)
@given(JOBS, st.sampled_from([0.5, 1.0, 3.0]))
def test_of_equal_effort_what_is_in_time_is_worth_as_much_as_possible(jobs, per_day) -> None:
    jobs = [(days, 1, worth) for days, _, worth in jobs]
    worth = lambda chosen: sum(jobs[number][2] for number in chosen)  # noqa: E731
    most = max(worth(chosen) for chosen in subsets(jobs) if feasible(jobs, chosen, per_day))
    assert worth(run(jobs, per_day)) == pytest.approx(most)


def test_no_deadline_overdue_and_too_long() -> None:
    assert run([(float("nan"), 1, 9), (-1, 1, 9), (1, 3, 9), (1, 1, 0)], 1.0) == {3}
