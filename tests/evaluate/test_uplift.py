from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from leadlight.evaluate.balance import balance
from leadlight.evaluate.uplift import (
    MOVED,
    RESPONSE,
    Campaign,
    compare_uplift,
    judge_uplift,
    promises,
    uplift_draws,
)


def campaign(n: int = 8000, *, seed: int = 1, effect: float = 0.2) -> tuple[np.ndarray, Campaign]:
    """People of whom the first half is moved by `effect`, the other not at all."""
    dice = np.random.default_rng(seed)
    movable = np.arange(n) < n // 2
    treated = dice.random(n) < 0.5
    won = dice.random(n) < 0.1 + effect * (movable & treated)
    return movable.astype(float), Campaign(won, treated)


def by_hand(score: np.ndarray, rows: Campaign, share: float) -> float:
    """Uplift among the first share, counted one by one, where no scores are tied."""
    first = np.argsort(-score)[: int(len(score) * share)]
    treated = rows.treated[first]
    return rows.won[first][treated].mean() - rows.won[first][~treated].mean()


def test_uplift_at_the_top_is_counted() -> None:
    movable, rows = campaign()
    score = movable + np.random.default_rng(3).random(len(movable)) / 2
    found = uplift_draws(score, rows).figures()
    for share, metric in ((0.1, found.uplift_10), (0.2, found.uplift_20), (0.3, found.uplift_30)):
        assert metric.value == pytest.approx(by_hand(score, rows, share), abs=2e-3)
        assert metric.low < metric.value < metric.high


def test_the_qini_curve_by_hand() -> None:
    won = np.array([1, 0, 1, 0, 0, 1, 0, 0], bool)
    treated = np.array([1, 0, 1, 0, 1, 0, 1, 0], bool)
    found = uplift_draws(np.arange(8.0)[::-1], Campaign(won, treated), repeats=10)
    treated_wins, other_wins = np.cumsum(won & treated), np.cumsum(won & ~treated)
    t, c = np.cumsum(treated), np.cumsum(~treated)
    gained = (treated_wins - np.where(c > 0, other_wins * t / np.maximum(c, 1), 0)) / 4
    area = np.trapezoid(np.r_[0, gained], np.arange(9) / 8)
    assert found.value[1] == pytest.approx(area - gained[-1] / 2)
    assert found.curve[-1] == (1.0, pytest.approx(0.25))
    assert found.figures().effect.value == pytest.approx(0.25)


def test_ties_count_as_mixed_at_random() -> None:
    movable, rows = campaign()
    assert uplift_draws(np.zeros(len(movable)), rows, repeats=20).value[1] == pytest.approx(0.0, abs=1e-12)


def test_the_right_order_beats_the_wrong_one_and_the_interval_says_so() -> None:
    movable, rows = campaign()
    right, wrong = uplift_draws(movable, rows, seed=5), uplift_draws(-movable, rows, seed=5)
    assert right.figures().qini.low > 0
    assert wrong.figures().qini.high < 0
    qini = next(item for item in compare_uplift("right", right, "wrong", wrong) if item.figure == "qini")
    assert qini.stands_out == "better"


def test_an_order_of_nobody_has_no_figures() -> None:
    found = uplift_draws(np.array([1.0, 2.0]), Campaign(np.array([True, False]), np.array([True, True])), repeats=5)
    assert found.figures().qini is None


def test_promises_are_held_against_what_came() -> None:
    movable, rows = campaign()
    honest = promises(0.2 * movable, rows, parts=2)
    assert [item.holds for item in honest] == [True, True]
    boasting = promises(0.9 * movable + 0.05, rows, parts=2)
    assert not boasting[0].holds


def test_the_verdict_says_yes_and_why_not() -> None:
    movable, rows = campaign()
    alike = balance(pa.table({"x": np.tile([1.0, 2.0], 4000)}), rows.treated)
    noise = np.random.default_rng(8).random(len(movable))
    found = judge_uplift(rows, movable, 0.2 * movable, balance=alike, others={RESPONSE: noise}, timed=False)
    assert found.publishable
    assert found.better_than_random.word == "yes"
    assert found.better_than_response.word == "yes"
    assert "It may be published." in str(found)
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["systems"][MOVED]["qini"]["low"] > 0
    chosen = balance(pa.table({"x": rows.treated.astype(float)}), rows.treated)
    unfair = judge_uplift(rows, movable, 0.2 * movable, balance=chosen, others={}, timed=False)
    assert not unfair.publishable
    assert "were not alike before" in unfair.against[0]
    flat = judge_uplift(rows, 0 * movable, 0 * movable + 0.1, balance=alike, others={}, timed=False)
    assert flat.better_than_random.word == "no"
    assert flat.against[0].startswith("nobody is moved more than others")
