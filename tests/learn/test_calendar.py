"""Features that say when and not who."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leadlight.learn.calendar import between_share, exact_codes, in_time

DRAW = np.random.default_rng(5)
TIME = np.sort(DRAW.integers(0, 300, 3000) + DRAW.random(3000))
DAY = np.floor(TIME)


def look(values, time=TIME):
    return in_time(pa.chunked_array([pa.array(values)]), time)


def test_of_the_day_week_and_month() -> None:
    for values in (DAY // 30, DAY % 7, np.sin(DAY), (DAY % 7).astype(int).astype(str), DAY > 100):
        found = look(values)
        assert found.is_calendar
        assert found.bin == "day"
        assert found.between == pytest.approx(1.0)


def test_of_the_lead() -> None:
    for values in (DRAW.normal(size=3000), DRAW.choice(["a", "b"], 3000), DRAW.random(3000) < 0.05):
        found = look(values)
        assert not found.is_calendar
        assert abs(found.between) < 0.05


def test_a_drifting_trait_is_of_the_lead() -> None:
    """A source that was rare and becomes common says who, though its share tells the time a little."""
    found = look(DRAW.random(3000) < TIME / 300)
    assert not found.is_calendar
    assert 0.1 < found.between < 0.6


def test_nearly_the_same_for_a_day_will_do() -> None:
    noisy = np.where(DRAW.random(3000) < 0.002, -1.0, DAY // 7)
    assert look(noisy).is_calendar
    assert not look(np.where(DRAW.random(3000) < 0.2, DRAW.integers(0, 43, 3000), DAY // 7)).is_calendar


def test_few_leads_a_day_are_compared_by_week_or_month() -> None:
    time = np.sort(DRAW.random(600)) * 800
    assert look(np.floor(time / 91), time).bin == "week"
    assert look(np.floor(time / 91), time).is_calendar
    assert not look(DRAW.choice(["a", "b", "c"], 600), time).is_calendar


def test_an_order_without_days_is_judged_by_runs() -> None:
    order = np.arange(3000.0)
    found = look(order // 100, order)
    assert (found.bin, found.between, found.runs) == (None, None, 30)
    assert found.is_calendar
    assert not look(DRAW.choice(["a", "b"], 3000), order).is_calendar


def test_few_rows_that_differ_tell_nothing() -> None:
    rare = np.zeros(3000)
    rare[1000:1005] = 1.0
    assert look(rare).between is None
    assert not look(rare).is_calendar


def test_what_rises_with_time_is_a_clock() -> None:
    assert look(1000 + TIME * 7 + DRAW.normal(size=3000)).is_clock
    assert look(-TIME).is_clock
    assert not look(DRAW.normal(size=3000)).is_clock
    assert np.isnan(look(["a"] * 3000).rank)


def test_share_between_is_free_of_chance() -> None:
    """Small bins of random values agree by chance; the share is 0 all the same."""
    shares = [between_share(np.random.default_rng(n).integers(0, 3, 900), np.arange(900) // 3) for n in range(60)]
    assert abs(np.mean(shares)) < 0.01


def test_missing_is_a_value() -> None:
    assert exact_codes(pa.chunked_array([[1.5, None, 1.5, 2.0, None]])).tolist() == [0, 1, 0, 2, 1]
    assert look(pa.array(DAY, mask=DAY > 100)).is_calendar
