from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.learn.examples import Examples
from leadlight.learn.fit import FitSettings, fit
from leadlight.learn.stability import Trial, forward_chain, held_out, intercept, newest, shares_kept, steepness
from leadlight.learn.tables import sigmoid


def trials(*slopes: tuple[float, float], n: int = 4000) -> list[Trial]:
    """Make a block of rows for each pair of true slopes, with a base of its own."""
    r, found = np.random.default_rng(0), []
    for k, slope in enumerate(slopes):
        x = r.normal(size=(n, 2))
        found.append(Trial(np.arange(n), x, r.random(n) < sigmoid(-3 + k + x @ np.array(slope))))
    return found


def test_shares_are_how_much_of_each_effect_was_true() -> None:
    assert shares_kept(trials((1.0, 0.5), (1.0, 0.5), (1.0, 0.5))) == pytest.approx([1.0, 0.5], abs=0.1)


def test_what_comes_and_goes_is_not_kept() -> None:
    assert shares_kept(trials((1.0, 1.0), (1.0, -1.0), (1.0, 1.0), (1.0, -1.0)))[1] < 0.15


def test_shares_stay_between_nothing_and_all() -> None:
    kept = shares_kept(trials((3.0, -3.0)))
    assert kept.tolist() == [1.0, 0.0]


def test_little_evidence_keeps_what_was_believed() -> None:
    few = [Trial(np.arange(4), 0.1 * np.ones((4, 2)), np.array([True, False, False, False]))]
    assert shares_kept(few) == pytest.approx([1.0, 1.0], abs=0.02)


def test_steepness_is_of_the_whole() -> None:
    assert steepness(trials((0.7, 0.7), (0.7, 0.7)), np.ones(2)) == pytest.approx(0.7, abs=0.05)


def test_each_trial_knows_only_the_time_before() -> None:
    block, seen = np.repeat(np.arange(4), 50), []

    def learn(before: np.ndarray, rows: np.ndarray) -> np.ndarray:
        seen.append((int(before.max()), int(rows.min()), int(rows.max())))
        return np.zeros((len(rows), 1))

    won = np.arange(200) % 2 == 0
    time = block.astype(np.float64)
    assert len(forward_chain(block, won, learn, time=time)) == 3
    assert seen == [(49, 50, 99), (99, 100, 149), (149, 150, 199)]
    assert len(forward_chain(block, won & (block > 0), learn, time=time)) == 2


def test_without_time_each_part_is_tried_on_what_all_others_teach() -> None:
    block, seen = np.repeat(np.arange(4), 50), []

    def learn(others: np.ndarray, rows: np.ndarray) -> np.ndarray:
        seen.append((sorted(set(block[others].tolist())), sorted(set(block[rows].tolist()))))
        return np.zeros((len(rows), 1))

    assert len(held_out(block, np.arange(200) % 2 == 0, learn)) == 4
    assert seen == [([1, 2, 3], [0]), ([0, 2, 3], [1]), ([0, 1, 3], [2]), ([0, 1, 2], [3])]
    assert held_out(block, np.arange(200) < 5, learn) == []  # too few outcomes to learn from


def test_each_trial_knows_only_outcomes_whose_horizon_had_passed() -> None:
    block, time, newest_known = np.repeat(np.arange(4), 50), np.arange(200.0), []

    def learn(before: np.ndarray, rows: np.ndarray) -> np.ndarray:
        newest_known.append(int(before.max()))
        return np.zeros((len(rows), 1))

    won = np.arange(200) % 2 == 0
    assert len(forward_chain(block, won, learn, time=time, horizon=30.0)) == 3
    assert newest_known == [20, 70, 120]
    newest_known.clear()
    forward_chain(block, won, learn, time=time, horizon=1000.0)  # longer than all there is: 0.6 × 199 is left between
    assert newest_known == [30]


def test_effects_that_fade_within_the_horizon_are_shrunk() -> None:
    r, n = np.random.default_rng(5), 12_000
    time, who, size = np.sort(r.uniform(0, 90, n)), r.integers(0, 20, n), r.normal(size=n)
    mood = r.normal(size=20)  # what each person adds wanders, and is another one after some weeks
    moods = [mood := 0.93 * mood + np.sqrt(1 - 0.93**2) * r.normal(size=20) for _ in range(90)]
    won = r.random(n) < sigmoid(-1 + np.array(moods)[time.astype(int), who] + size)

    def kept(horizon: float) -> dict[str, float]:
        features = pa.table({"who": [f"p{value}" for value in who], "size": size})
        fitted = fit(Examples(features=features, won=won, time=time, horizon=horizon), FitSettings(most_pairs=0))
        return {facts.features[0]: facts.kept for facts in fitted.terms}

    at_once, a_month_on = kept(0.0), kept(30.0)
    assert at_once["size"] > 0.8
    assert a_month_on["size"] > 0.8
    assert a_month_on["who"] < at_once["who"] - 0.15


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.floats(-4, 4))
def test_the_intercept_makes_probabilities_sum_to_the_wins(won: list[bool], at: float) -> None:
    outcome, z = np.array(won), np.full(len(won), at)
    share = (outcome.sum() + 0.5) / (len(won) + 1)
    assert sigmoid(z + intercept(z, outcome)).mean() == pytest.approx(share, abs=1e-6)


def test_the_newest_reach_back_until_there_are_enough_outcomes() -> None:
    won = np.zeros(1000, bool)
    won[:50] = True
    assert newest(won) == 40
    assert newest(np.zeros(1000, bool)) == 0


def test_a_count_of_rows_that_does_not_divide_evenly_is_no_trouble() -> None:
    rows = 89_934  # a step of rows / 60,000, added up, ends one row too far
    dice = np.random.default_rng(1)
    won = dice.random(rows) < 0.5
    trial = Trial(np.arange(rows), dice.normal(0, 1, (rows, 1)), won)
    assert 0 <= float(shares_kept([trial])[0]) <= 1
