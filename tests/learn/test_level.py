from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leadlight.learn.calibrate import calibrate
from leadlight.learn.level import Young, level_since
from leadlight.learn.tables import sigmoid

HORIZON = 90.0


def young(rate: float, *, said: float, n: int = 4000, seed: int = 0) -> tuple[Young, np.ndarray]:
    """Make rows of all ages below the horizon, won at a rate within it, and the delays of settled rows."""
    r = np.random.default_rng(seed)
    age, delay = r.uniform(0, HORIZON, n), HORIZON * r.beta(1, 2, n)
    won = (r.random(n) < rate) & (delay <= age)
    return Young(np.arange(n), age, np.full(n, said), won), HORIZON * r.beta(1, 2, 2000)


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.3])
def test_the_level_follows_what_has_come(rate: float) -> None:
    found = level_since(*young(rate, said=0.2, n=40_000))
    assert found is not None
    assert np.exp(found.shift) == pytest.approx(rate / 0.2, abs=0.07)


def test_little_evidence_moves_little_and_less_than_five_expected_wins_say_nothing() -> None:
    few, many = (level_since(*young(0.1, said=0.2, n=n)) for n in (200, 20_000))
    assert few is not None
    assert many is not None
    assert abs(few.shift) < abs(many.shift)
    assert level_since(*young(0.1, said=0.2, n=20)) is None
    rows, delays = young(0.1, said=0.2)
    assert level_since(rows, delays[:0]) is None


def test_a_level_that_never_moves_is_believed_more() -> None:
    rows, delays = young(0.1, said=0.2, n=500)
    calm, restless = (level_since(rows, delays, spread=spread) for spread in (0.05, 1.0))
    assert calm is not None
    assert restless is not None
    assert abs(calm.shift) < abs(restless.shift)


def test_several_rows_of_a_lead_are_one_win() -> None:
    rows, delays = young(0.2, said=0.2)
    once = level_since(rows, delays)
    twice = Young(*(np.repeat(values, 2) for values in (rows.lead, rows.age, rows.probability, rows.won)))
    found = level_since(twice, delays)
    assert once is not None
    assert found is not None
    assert (found.came, found.expected) == (once.came, pytest.approx(once.expected))
    none = [level_since(replace(some, won=np.zeros(len(some.won), np.bool_)), delays) for some in (rows, twice)]
    assert none[0] is not None
    assert none[1] is not None
    assert none[0].shift == pytest.approx(none[1].shift)


def test_all_of_a_curve_moves_by_the_same_odds() -> None:
    r = np.random.default_rng(1)
    score = r.normal(-40, 30, 5000)
    curve = calibrate(score, r.random(5000) < sigmoid(score / 28.85))
    found = level_since(*young(0.1, said=0.2))
    assert found is not None
    moved = found.applied(curve)
    for name in ("probability", "low", "high"):
        before, after = (np.array(getattr(one, name)) for one in (curve, moved))
        odds = after / (1 - after) / (before / (1 - before))
        assert odds == pytest.approx(np.full(len(odds), np.exp(found.shift)), rel=0.01)  # three digits are written
