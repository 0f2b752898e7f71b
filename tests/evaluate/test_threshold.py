from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.errors import UsageError
from leadlight.evaluate.rates import wilson
from leadlight.evaluate.threshold import (
    Past,
    alternatives,
    curve,
    threshold_for_capacity,
    threshold_for_cost,
    threshold_for_precision,
)

ROWS = st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.integers(1, 100)), min_size=1, max_size=60)


def past_of(rows: list[tuple[int, bool, int]]) -> Past:
    score, won, worth = (np.array(column) for column in zip(*rows, strict=True))
    return Past(score.astype(float), won, np.where(won, worth, np.nan).astype(float))


def lines(past: Past) -> list[tuple[float, int, int, float]]:
    """All lines by brute force, from the strictest: cut, called, wins, worth."""
    found = []
    for cut in sorted(set(past.score.tolist()), reverse=True):
        above = past.score >= cut
        found.append((cut, int(above.sum()), int(past.won[above].sum()), float(np.nansum(past.worth[above]))))
    return found


@given(ROWS, st.integers(1, 70))
def test_capacity_by_brute_force(rows: list[tuple[int, bool, int]], most: int) -> None:
    past = past_of(rows)
    found = threshold_for_capacity(past, most / 7, days=7)
    fitting = [line for line in lines(past) if line[1] <= most]
    choice = found.choices[0]
    if not fitting:
        assert (choice.cut, choice.called, found.met) == (None, 0, False)
        assert "share the best score" in found.note
        return
    cut, called, wins, worth = fitting[-1]
    assert (choice.cut, choice.called, choice.wins, found.met) == (cut, called, wins, True)
    assert choice.per_day == pytest.approx(called / 7)
    assert choice.worth == (pytest.approx(worth) if past.won.any() else None)
    assert (choice.precision_low, choice.precision_high) == wilson(wins, called)


@given(ROWS, st.integers(0, 120), st.none() | st.integers(1, 200))
def test_cost_by_brute_force(rows: list[tuple[int, bool, int]], cost: int, gain: int | None) -> None:
    past = past_of(rows)
    if gain is None and not past.won.any():
        with pytest.raises(UsageError, match="no win has a worth"):
            threshold_for_cost(past, cost)
        return
    nets = [(wins * gain if gain else worth) - cost * called for _, called, wins, worth in lines(past)]
    found = threshold_for_cost(past, cost, gain=gain)
    choice = found.choices[0]
    if max(nets) > 0:
        assert choice.net == pytest.approx(max(nets))
        assert choice.cut == lines(past)[nets.index(max(nets))][0]
    else:
        assert (choice.cut, found.met) == (None, False)


@given(ROWS, st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]))
def test_precision_by_brute_force(rows: list[tuple[int, bool, int]], wanted: float) -> None:
    past = past_of(rows)
    found = threshold_for_precision(past, wanted)
    fitting = [line for line in lines(past) if line[2] / line[1] >= wanted - 1e-12]
    assert found.met == bool(fitting)
    choice = found.choices[0]
    if fitting:
        assert (choice.cut, choice.called) == fitting[-1][:2]
    else:
        assert found.note.startswith("the best line reaches")


def test_days_are_counted_from_the_first_to_the_last() -> None:
    day = np.array([10.2, 10.9, 13.5, 19.0])
    past = Past(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False]), day=day)
    assert past.days == 10.0
    found = threshold_for_capacity(past, 0.2)
    assert (found.choices[0].cut, found.choices[0].per_day) == (3.0, 0.2)
    with pytest.raises(UsageError, match="days leads came in on"):
        threshold_for_capacity(Past(np.zeros(1), np.zeros(1, bool)), 5)


def test_each_team_has_its_own_line() -> None:
    group = np.array(["north", "south"] * 50, object)
    score = np.arange(100.0)
    past = Past(score, score >= 90, group=group)
    found = threshold_for_capacity(past, {"north": 1, "south": 2.5}, days=10)
    north, south = found.choices
    assert (north.group, north.called, north.cut) == ("north", 10, 80.0)
    assert (south.group, south.called, south.cut) == ("south", 25, 51.0)
    assert north.recall == 1.0
    assert "north: from 80: 10 called, 1.0 a day, 5 wins (100% of all)" in str(found)
    with pytest.raises(UsageError, match="nobody belongs to 'nroth'") as fault:
        threshold_for_capacity(past, {"nroth": 1}, days=10)
    assert "did you mean 'north'" in str(fault.value)


def test_a_table_of_alternatives_and_a_curve() -> None:
    past = Past(np.arange(200.0), np.arange(200) % 4 == 3, worth=np.full(200, 10.0), day=np.arange(200.0))
    table = alternatives(past, cost=1, gain=8)
    assert [choice.called for choice in table] == [2, 4, 10, 20, 40, 60, 100, 200]
    assert table[-1].recall == 1.0
    assert table[-1].worth == 500.0
    assert table[-1].net == 50 * 8 - 200
    points = curve(past, points=50)
    assert [choice.called for choice in points] == list(range(4, 201, 4))
    assert [choice.called for choice in curve(Past(np.zeros(9), np.zeros(9, bool)))] == [9]
    assert json.loads(json.dumps(threshold_for_cost(past, 1, gain=8).as_dict(), allow_nan=False))


def test_nobody_at_all() -> None:
    nobody = Past(np.empty(0), np.empty(0, bool), day=np.empty(0))
    assert alternatives(nobody) == ()
    assert curve(nobody) == ()
    found = threshold_for_capacity(nobody, 5, days=3)
    assert (found.met, found.note) == (False, "there are no leads")
    assert threshold_for_precision(nobody, 0.5).note == "there are no leads"
    assert not threshold_for_cost(nobody, 1, gain=5).met
    assert str(found) == "For 5 a day:\ncall nobody\nthere are no leads"


@pytest.mark.parametrize("wanted", [0.0, -1.0, 1.5])
def test_an_impossible_precision(wanted: float) -> None:
    with pytest.raises(UsageError, match="not possible"):
        threshold_for_precision(Past(np.zeros(1), np.zeros(1, bool)), wanted)
