from __future__ import annotations

import math

import numpy as np
import pytest

from leadlight.insight.ratio import Ratio, Z, log_lift, log_rate_ratio, shrunken


def column(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, np.float64)


def test_an_interval_says_how_far_from_one_it_surely_is() -> None:
    assert Ratio(2.0, 1.5, 3.0).certain == pytest.approx(math.log(1.5))
    assert Ratio(0.5, 0.25, 0.8).certain == pytest.approx(-math.log(0.8))
    assert Ratio(1.2, 0.9, 1.6).certain == 0
    assert str(Ratio(0.5, 0.25, 0.8)) == "0.50 × (0.25 to 0.80)"


def test_the_interval_of_a_ratio_covers_the_truth() -> None:
    """Of 20,000 draws 95 % of the intervals hold the true ratio, with few wins too."""
    rng = np.random.default_rng(0)
    for n, m, p, r in ((400, 1500, 0.1, 0.05), (60, 600, 0.15, 0.15)):
        won, other = rng.binomial(n, p, 20_000).astype(float), rng.binomial(m, r, 20_000).astype(float)
        log, error = log_rate_ratio(won, np.full(20_000, float(n)), other, np.full(20_000, float(m)))
        assert np.mean(np.abs(log - math.log(p / r)) <= Z * error) == pytest.approx(0.95, abs=0.015)


def test_the_error_of_a_lift_is_what_draws_spread() -> None:
    rng = np.random.default_rng(1)
    won, other = rng.binomial(300, 0.3, 50_000), rng.binomial(700, 0.1, 50_000)
    logs = np.log((won / 300) / ((won + other) / 1000))
    log, error = log_lift(column(90), column(300), 160, 1000)
    assert log[0] == pytest.approx(math.log(0.3 / 0.16), abs=0.01)
    assert error[0] == pytest.approx(logs.std(), rel=0.05)


def test_nothing_seen_is_nothing_known() -> None:
    log, error = log_rate_ratio(column(0), column(1), column(50), column(1000))
    assert abs(log[0]) < Z * error[0]
    log, error = log_lift(column(40), column(200), 40, 200)  # everybody has it
    assert (round(float(log[0]), 9), round(float(error[0]), 9)) == (0, 0)


def test_none_and_all_have_an_interval() -> None:
    log, error = log_rate_ratio(column(30, 0), column(30, 30), column(500, 500), column(1000, 1000))
    assert error[0] > 0.02
    assert log[1] + Z * error[1] < 0


def test_pure_chance_is_drawn_to_none() -> None:
    rng = np.random.default_rng(2)
    error = np.full(200, 0.3)
    noise, _ = shrunken(rng.normal(0, 0.3, 200), error)
    real, real_error = shrunken(rng.normal(0, 1.0, 200), error)
    assert np.abs(noise).max() < 0.3
    assert np.abs(real).max() > 1.5
    assert (real_error < error).all()
    assert len(shrunken(column(), column())[0]) == 0


def test_the_noisy_are_drawn_in_more_than_the_sure() -> None:
    log, _ = shrunken(column(1.0, 1.0, -0.8, 0.9), column(0.1, 0.8, 0.1, 0.1))
    assert log[1] < log[0] < 1.0
