from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from leadlight.evaluate.calibration import BINS, bins_of, calibration


def world(n: int, *, seed: int = 0, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(spread * rng.normal(size=n) - 1.5)))
    return p, rng.random(n) < p


def odds(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


def said(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_slope_is_that_of_a_logistic_regression() -> None:
    p, won = world(3000)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(odds(p)[:, None], won)
    found = calibration(p, won)
    assert found.slope.value == pytest.approx(fitted.coef_[0, 0], rel=1e-4)
    # One lead per row and a true model: the error is that of the information, about.
    x = np.column_stack([np.ones(len(p)), odds(p)])
    q = fitted.predict_proba(odds(p)[:, None])[:, 1]
    error = np.sqrt(np.linalg.inv((x * (q * (1 - q))[:, None]).T @ x)[1, 1])
    assert (found.slope.high - found.slope.value) / 1.96 == pytest.approx(error, rel=0.1)


def test_true_probabilities_are_calibrated_and_intervals_hold_the_truth() -> None:
    found = [calibration(*world(800, seed=seed), seed=seed) for seed in range(200)]
    level = np.mean([item.level.low <= 1 <= item.level.high for item in found])
    slope = np.mean([item.slope.low <= 1 <= item.slope.high for item in found])
    chance = np.mean([item.ece <= item.ece_by_chance for item in found])
    test = np.mean([item.p_value < 0.05 for item in found])
    assert level >= 0.91
    assert slope >= 0.91
    assert chance >= 0.91
    assert 0.01 <= test <= 0.10
    assert all(item.calibrated for item in found)


def test_rows_of_one_lead_are_not_taken_for_news() -> None:
    p, won = world(300)
    once = calibration(p, won)
    again = calibration(np.tile(p, 5), np.tile(won, 5), lead=np.tile(np.arange(300), 5))
    assert again.slope == pytest.approx(once.slope) or again.slope.low == pytest.approx(once.slope.low, rel=1e-6)
    assert again.level.high == pytest.approx(once.level.high)
    assert again.ece_by_chance == pytest.approx(once.ece_by_chance, rel=1e-6)
    assert again.bins[0].low == pytest.approx(once.bins[0].low)
    naive = calibration(np.tile(p, 5), np.tile(won, 5))
    assert naive.level.high < once.level.high


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda p: said(odds(p) - 0.8), "wins came where"),
        (lambda p: said(1.5 + 2 * (odds(p) + 1.5) - 3.0), "too extreme"),
        (lambda p: said(odds(p) / 2 - 0.75), "too timid"),
    ],
)
def test_what_is_wrong_is_found_and_named(change, fault: str) -> None:
    p, won = world(4000)
    found = calibration(change(p), won)
    assert not found.calibrated
    assert any(fault in text for text in found.faults)
    assert str(found).startswith("not calibrated: ")


def test_spiegelhalter_by_hand_and_on_what_is_too_low() -> None:
    # (0.8 − 0.4) × (1 − 2 × 0.4) over the root of (1 − 2 × 0.4)² × 0.4 × 0.6, summed over five rows of which four won.
    found = calibration(np.full(5, 0.4), np.array([True] * 4 + [False]))
    assert found.z == pytest.approx(5 * 0.4 * 0.2 / np.sqrt(5 * 0.04 * 0.24))
    assert found.p_value == pytest.approx(2 * norm.sf(found.z))
    p, won = world(4000)
    assert calibration(said(odds(p) - 0.8), won).p_value < 1e-6


def test_a_hump_that_level_and_slope_do_not_see() -> None:
    rng = np.random.default_rng(3)
    p = np.repeat([0.2, 0.5, 0.8], 2000)
    won = rng.random(6000) < np.repeat([0.4, 0.1, 1.0], 2000)
    found = calibration(p, won)
    assert "apart in the mean" in str(found)


def test_few_wins_cannot_condemn() -> None:
    p, won = world(60)
    assert calibration(said(odds(p) - 0.3), won).calibrated


@given(st.lists(st.integers(0, 5), max_size=60))
def test_bins_keep_equal_probabilities_together_and_in_order(values: list[int]) -> None:
    p = np.array(values, float) / 5
    place = bins_of(p)
    assert len(place) == len(p)
    if len(p):
        order = np.argsort(p, kind="stable")
        assert (np.diff(place[order]) >= 0).all()
        assert set(place.tolist()) == set(range(place.max() + 1))
        assert place.max() < BINS
        for value in set(values):
            assert len(set(place[p == value / 5].tolist())) == 1


def test_bins_are_of_equal_size_where_they_can_be() -> None:
    assert np.bincount(bins_of(np.random.default_rng(0).random(1000))).tolist() == [100] * BINS


@pytest.mark.parametrize(
    ("p", "won"),
    [([], []), ([0.0, 0.0], [False, True]), ([1.0], [True]), ([0.2, 0.2], [True, False]), ([0.1, 0.9], [False, True])],
)
def test_degenerate_rows_have_no_slope_but_a_plain_answer(p: list[float], won: list[bool]) -> None:
    found = calibration(np.array(p), np.array(won, bool))
    assert found.slope is None
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False)) == found.as_dict() | {
        "bins": found.as_dict()["bins"]
    }
    assert str(found)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="not within 0 to 1"):
        calibration(np.array([0.5, 1.5]), np.array([True, False]))
    with pytest.raises(ValueError, match="missing"):
        calibration(np.array([np.nan]), np.array([True]))
