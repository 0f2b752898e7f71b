from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.evaluate.splits import MIN_WINS, out_of_time_split, random_split, rolling_origins, split

ROWS = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=120)


def arrays(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row[0] for row in rows], float), np.array([row[1] for row in rows], bool)


@given(ROWS, st.integers(0, 10))
def test_nothing_learned_from_was_unknown_when_judging_begins(rows: list[tuple[int, bool]], horizon: int) -> None:
    time, won = arrays(rows)
    found = out_of_time_split(won, time=time, horizon=horizon)
    assert found.timed
    assert (time[found.train] + horizon <= found.cut).all()
    assert (time[found.test] > found.cut).all()
    assert len(found.test) > 0
    assert len(found.train) + len(found.test) + found.unsettled == len(rows)
    assert (found.train_wins, found.test_wins) == (won[found.train].sum(), won[found.test].sum())
    parts = [won[found.train], won[found.test]]
    assert found.enough == all(min(part.sum(), (~part).sum()) >= MIN_WINS for part in parts)
    assert found.until == time.max()
    assert json.loads(json.dumps(found.as_dict()).replace("-Infinity", "0"))


def test_the_newest_quarter_is_held_out_where_wins_suffice() -> None:
    time = np.arange(400.0)
    found = out_of_time_split(time % 4 == 0, time=time, horizon=20)
    assert (found.cut, len(found.train), len(found.test)) == (299.0, 280, 100)
    assert (found.train_wins, found.test_wins, found.unsettled, found.enough) == (70, 25, 20, True)


def test_the_part_grows_until_it_has_wins() -> None:
    time = np.arange(200.0)
    found = out_of_time_split((time % 2 == 0) & (time < 140), time=time)  # no win in the newest 30 %
    assert found.enough
    assert len(found.test) == 80
    assert found.test_wins == 10


def test_a_long_horizon_leaves_the_newest_tenth() -> None:
    time = np.arange(100.0)
    found = out_of_time_split(time % 2 == 0, time=time, horizon=70)
    assert not found.enough
    assert "too few to tell" in str(found)
    assert found.train_wins >= 5  # the share whose poorer part is richest


def test_rows_of_one_moment_stay_together() -> None:
    time = np.repeat([1.0, 2.0], 50)
    found = out_of_time_split(np.arange(100) % 2 == 0, time=time)
    assert (found.cut, len(found.train), len(found.test)) == (1.0, 50, 50)


@given(ROWS, st.integers(0, 5), st.integers(1, 6))
def test_origins_follow_one_another_without_gap_or_overlap(
    rows: list[tuple[int, bool]], horizon: int, origins: int
) -> None:
    time, won = arrays(rows)
    found = list(rolling_origins(won, time=time, horizon=horizon, origins=origins))
    assert len(found) <= origins
    tested = np.concatenate([item.test for item in found])
    assert len(set(tested.tolist())) == len(tested)
    assert set(tested.tolist()) == set(np.flatnonzero(time > found[0].cut).tolist())
    for item in found:
        assert (time[item.train] + horizon <= item.cut).all()
        assert (time[item.test] > item.cut).all()


def test_five_origins_over_the_newest_half() -> None:
    time = np.arange(1000.0)
    found = list(rolling_origins(time % 2 == 0, time=time, horizon=10))
    assert [(item.cut, len(item.train), len(item.test)) for item in found] == [
        (499.0, 490, 100), (599.0, 590, 100), (699.0, 690, 100), (799.0, 790, 100), (899.0, 890, 100),
    ]  # fmt: skip
    assert list(rolling_origins(np.empty(0, bool), time=np.empty(0))) == []


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=80), st.integers(0, 5))
def test_a_random_split_never_parts_a_lead(rows: list[tuple[int, bool]], seed: int) -> None:
    lead, won = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], bool)
    found = random_split(won, lead=lead, seed=seed)
    assert not set(lead[found.train]) & set(lead[found.test])
    assert sorted([*found.train, *found.test]) == list(range(len(rows)))
    again = random_split(won, lead=lead, seed=seed)
    assert (found.train == again.train).all()


def test_a_random_split_has_its_share_of_winners() -> None:
    won = np.arange(1000) < 40
    found = random_split(won)
    assert (found.train_wins, found.test_wins, len(found.test)) == (30, 10, 250)
    assert "at random" in str(found)


@pytest.mark.parametrize("time", [None, np.full(100, 5.0)])
def test_without_a_time_that_differs_it_is_at_random_and_says_so(time: np.ndarray | None) -> None:
    found = split(np.arange(100) % 2 == 0, time=time)
    assert (found.timed, found.cut, found.until) == (False, None, None)
    assert split(np.arange(100) % 2 == 0, time=np.arange(100.0), horizon=3).timed
