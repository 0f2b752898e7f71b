from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from leadlight.evaluate.calibration import bins_of
from leadlight.evaluate.metrics import RANKING, TRUTH, measure

ROWS = st.lists(st.tuples(st.integers(0, 10), st.booleans(), st.integers(0, 8)), min_size=1, max_size=40)


def world(n: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(rng.normal(size=n) - 1.5)))
    return p, rng.random(n) < p


@given(ROWS)
def test_against_scikit_learn_and_sums_by_hand(rows: list[tuple[int, bool, int]]) -> None:
    p, won, lead = np.array([row[0] / 10 for row in rows]), np.array([row[1] for row in rows]), [row[2] for row in rows]
    found = measure(p, won, probability=p, lead=np.array(lead))
    assert found.log_loss.value == pytest.approx(log_loss(won, p, labels=[False, True]))
    assert found.brier.value == pytest.approx(brier_score_loss(won, p, labels=[False, True], pos_label=True))
    parts = found.reliability.value - found.resolution.value + found.uncertainty.value
    assert parts == pytest.approx(found.brier.value, abs=1e-12)
    place = bins_of(p)
    off = [(n := (place == k).sum()) and abs(won[place == k].mean() - p[place == k].mean()) * n for k in set(place)]
    assert found.ece.value == pytest.approx(sum(off) / len(p))
    assert (found.n, found.wins, found.leads) == (len(rows), won.sum(), len(set(lead)))
    for name in RANKING + TRUTH:
        metric = getattr(found, name)
        assert metric is None or metric.low <= metric.value <= metric.high
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False)) == found.as_dict()
    assert str(found)


def test_brier_parts_of_murphy_by_hand() -> None:
    # Said .1 of four of whom one won, said .8 of four of whom three won: each probability is a bin of its own.
    p = np.repeat([0.1, 0.8], 4)
    won = np.array([True, False, False, False, True, True, True, False])
    found = measure(p, won, probability=p)
    assert found.reliability.value == pytest.approx((0.15**2 + 0.05**2) / 2)
    assert found.resolution.value == pytest.approx(0.25**2)
    assert found.uncertainty.value == pytest.approx(0.25)
    assert found.ece.value == pytest.approx(0.1)


def test_without_probabilities_there_are_only_figures_of_the_order() -> None:
    p, won = world(200)
    found = measure(p * 100 - 50, won)
    assert {name for name in RANKING + TRUTH if getattr(found, name) is None} == set(TRUTH)
    assert found.auc.value == pytest.approx(roc_auc_score(won, p))
    assert found.lift_10.value == pytest.approx(found.gain_10.value * 10)
    assert found.as_dict()["lift_5"]["high"] == pytest.approx(found.gain_5.high * 20)


@pytest.mark.parametrize("won", [[], [True], [False, False], [True, True]])
def test_one_class_or_nobody(won: list[bool]) -> None:
    n = len(won)
    found = measure(np.arange(n, dtype=float), np.array(won, bool), probability=np.full(n, 0.5))
    assert found.auc is None
    assert (found.log_loss is None) == (n == 0)
    assert "too few to judge" in str(found)
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_row_weights_count() -> None:
    p, won = world(300)
    times = np.random.default_rng(1).integers(0, 4, 300)
    weighed = measure(p, won, probability=p, weights=times.astype(float))
    repeated = measure(np.repeat(p, times), np.repeat(won, times), probability=np.repeat(p, times))
    for name in ("auc", "average_precision", "gain_10", "log_loss", "brier"):
        assert getattr(weighed, name).value == pytest.approx(getattr(repeated, name).value)
    assert weighed.base_rate == pytest.approx(repeated.base_rate)


def test_rows_of_one_lead_are_not_taken_for_news() -> None:
    p, won = world(200)
    lead = np.arange(200)
    once = measure(p, won, probability=p)
    again = measure(np.tile(p, 4), np.tile(won, 4), probability=np.tile(p, 4), lead=np.tile(lead, 4))
    naive = measure(np.tile(p, 4), np.tile(won, 4), probability=np.tile(p, 4))
    for name in ("auc", "log_loss", "brier"):
        widths = [getattr(item, name).high - getattr(item, name).low for item in (once, again, naive)]
        assert widths[1] == pytest.approx(widths[0], rel=0.15)
        assert widths[2] < 0.7 * widths[0]


def test_the_seed_decides() -> None:
    p, won = world(300)
    assert measure(p, won, probability=p, seed=3) == measure(p, won, probability=p, seed=3)
    assert measure(p, won, seed=3).auc != measure(p, won, seed=4).auc


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    big, outcome = world(400_000, seed=99)
    order = np.argsort(-big)
    truth = {
        "auc": roc_auc_score(outcome, big),
        "gain_10": outcome[order[:40_000]].sum() / outcome.sum(),
        "log_loss": log_loss(outcome, big),
        "brier": brier_score_loss(outcome, big),
        "uncertainty": outcome.mean() * (1 - outcome.mean()),
        "ece": 0.0,
        "reliability": 0.0,
    }
    inside = dict.fromkeys(truth, 0)
    for seed in range(200):
        p, won = world(400, seed=seed)
        found = measure(p, won, probability=p, seed=seed)
        for name, value in truth.items():
            metric = getattr(found, name)
            inside[name] += metric.low <= value + 1e-9 if value == 0 else metric.low <= value <= metric.high
    # 95 %, give or take three standard errors of 200 trials.
    assert {name: count for name, count in inside.items() if count < 180} == {}


def test_a_perfect_order_of_few_wins_is_no_certainty() -> None:
    found = measure(np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, True, False, False]))
    assert (found.auc.value, found.auc.high) == (1.0, 1.0)
    assert found.auc.low == pytest.approx(0.342, abs=1e-3)


def test_fast_enough_to_be_asked_often() -> None:
    rng = np.random.default_rng(0)
    p, won = world(100_000)
    lead = rng.integers(0, 40_000, 100_000)
    start = time.process_time()
    measure(p, won, probability=p, lead=lead)
    assert time.process_time() - start < 4  # 0.7 s of one idle core


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths: score 2, won 3"):
        measure(np.zeros(2), np.zeros(3, bool))
