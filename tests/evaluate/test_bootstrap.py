from __future__ import annotations

import numpy as np
import pytest

from leadlight.evaluate.bootstrap import Metric, leads_of, percentile, reflected, resamples, share_of
from leadlight.evaluate.rates import wilson


def drawn(lead: np.ndarray, **options: int) -> np.ndarray:
    return np.concatenate(list(resamples(leads_of(lead, len(lead)), **options)))


def test_each_draw_takes_as_many_leads_as_there_are() -> None:
    counts = drawn(np.array([5, 5, 9, 2]), seed=1)
    assert counts.shape == (1000, 3)
    assert (counts.sum(axis=1) == 3).all()
    assert counts.mean() == pytest.approx(1.0)
    # Multinomial: the variance of a count is n × 1/n × (1 − 1/n).
    assert counts.var(axis=0) == pytest.approx(2 / 3, rel=0.15)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    lead = np.arange(50)
    assert (drawn(lead, seed=4) == drawn(lead, seed=4)).all()
    assert (drawn(lead, seed=4) != drawn(lead, seed=5)).any()


def test_many_rows_are_drawn_less_often() -> None:
    blocks = list(resamples(leads_of(None, 90_000), seed=0))
    assert sum(len(block) for block in blocks) == 222  # 20 million rows in all
    assert {len(block) for block in blocks} == {1}
    assert list(resamples(leads_of(None, 0), seed=0)) == []


def test_percentiles_leave_out_draws_without_the_figure() -> None:
    draws = np.concatenate([np.linspace(0, 1, 101), [np.nan] * 500])
    assert percentile(0.5, draws) == Metric(0.5, pytest.approx(0.025), pytest.approx(0.975))
    assert percentile(float("nan"), draws) is None
    assert percentile(0.5, np.array([np.nan])) == Metric(0.5, 0.5, 0.5)
    assert percentile(2.0, draws).high == 2.0  # the figure is never outside its own interval


def test_reflected_takes_the_rise_of_noise_away() -> None:
    found = reflected(0.10, np.linspace(0.12, 0.16, 101))
    assert found == Metric(0.10, pytest.approx(0.041), pytest.approx(0.10))
    assert reflected(0.01, np.linspace(0.0, 0.2, 101)).low == 0.0
    assert reflected(float("nan"), np.zeros(3)) is None


def test_all_or_none_is_no_certainty() -> None:
    assert share_of(1.0, np.ones(9), among=5) == Metric(1.0, *wilson(5, 5))
    assert share_of(0.0, np.zeros(9), among=5) == Metric(0.0, *wilson(0, 5))
    assert share_of(0.5, np.full(9, 0.5), among=5) == Metric(0.5, 0.5, 0.5)
