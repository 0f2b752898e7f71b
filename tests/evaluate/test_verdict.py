from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from leadlight.evaluate.bootstrap import Metric, leads_of
from leadlight.evaluate.metrics import draw
from leadlight.evaluate.verdict import (
    BASE_RATE,
    BLACK_BOX,
    FIRST_COME,
    LEARNED,
    TODAY,
    Answer,
    HeldOut,
    System,
    answer,
    compare,
    judge,
)


def world(n: int, *, seed: int = 0, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what decides, the true probabilities and what came."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    p = 1 / (1 + np.exp(-(effect * x - 1.5)))
    return x, p, rng.random(n) < p


def noise(n: int, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def test_a_true_card_against_a_noisy_one() -> None:
    x, p, won = world(4000)
    held_out = HeldOut(won, 0.2, time=np.linspace(20454, 20484, 4000), arrived=np.arange(4000.0), label="the shop")
    found = judge(held_out, System("a", p, p), today=System("b", x + noise(4000)), black_box=System("c", p, p))
    assert found.better_than_today == Answer("yes")
    assert found.better_than_base_rate == Answer("yes")
    assert found.better_than_first_come == Answer("yes")
    assert found.calibration is not None
    assert found.calibration.calibrated
    assert found.publishable
    assert [name for name, _ in found.systems] == [LEARNED, TODAY, FIRST_COME, BLACK_BOX, BASE_RATE]
    same = [item.difference for item in found.comparisons if item.other == BLACK_BOX]
    assert same == [Metric(0.0, 0.0, 0.0)] * 5  # paired: the same scores differ by nothing in every draw
    said = str(found)
    assert said.startswith("Judged by 4,000 rows of the shop from 2026-01-01 to 2026-01-31 with ")
    assert "Better than the scorecard you have? Yes." in said
    assert said.endswith("It may be published.")
    plain = found.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain | {
        "calibration": json.loads(json.dumps(plain["calibration"]))
    }


def test_noise_is_not_better_than_the_base_rate() -> None:
    words = []
    for seed in range(25):
        _, _, won = world(600, seed=seed, effect=0.0)
        p = 1 / (1 + np.exp(-(0.5 * noise(600, seed + 1000) - 1.5)))  # a card that has learned noise
        found = judge(HeldOut(won, 0.18), System("a", p, p), seed=seed)
        words.append(found.better_than_base_rate.word)
        assert not found.publishable or words[-1] == "yes"
    assert words.count("yes") == 0
    assert words.count("no") >= 22


def test_not_yet_says_how_many_wins_would_tell() -> None:
    x, p, won = world(400)
    found = judge(HeldOut(won, 0.2), System("a", p, p), today=System("b", x + 0.3 * noise(400)))
    assert found.better_than_today is not None
    assert found.better_than_today.word == "not yet"
    needed = found.better_than_today.more_wins + won.sum()
    # With so many wins of the same kind, the same difference about stands out: its interval ends near 0.
    times = int(np.ceil(needed / won.sum()))
    more = judge(
        HeldOut(np.tile(won, times), 0.2),
        System("a", np.tile(p, times), np.tile(p, times)),
        today=System("b", np.tile(x + 0.3 * noise(400), times)),
    )
    difference = next(item.difference for item in more.comparisons if (item.other, item.figure) == (TODAY, "auc"))
    assert abs(difference.low) < 0.3 * difference.value


@pytest.mark.parametrize(
    ("difference", "wins", "expected"),
    [
        (Metric(0.02, 0.01, 0.03), 80, Answer("yes")),
        (Metric(0.00, -0.01, 0.01), 80, Answer("no")),
        (Metric(-0.02, -0.03, -0.01), 80, Answer("no")),
        (Metric(0.02, -0.02, 0.06), 100, Answer("not yet", 300)),  # half-width 2 d: four times the wins
        (Metric(0.001, -0.099, 0.2), 100, Answer("no")),  # ten thousand times
        (Metric(0.02, 0.01, 0.03), 4, Answer("not yet", 6)),
        (Metric(-0.02, -0.03, -0.01), 4, Answer("not yet", 6)),
        (Metric(0.02, -0.06, 0.1), 4, Answer("not yet", 60)),
    ],
)
def test_the_answer_follows_from_interval_and_wins(difference: Metric, wins: int, expected: Answer) -> None:
    assert answer(difference, wins=wins) == expected


def test_first_come_is_the_better_of_two_orders() -> None:
    _, p, won = world(500)
    arrived = np.where(won, 1.0, 0.0)  # winners came last
    found = judge(HeldOut(won, 0.2, arrived=arrived), System("a", p, p))
    assert found.first_come == "newest first"
    assert found.better_than_first_come == Answer("no")
    assert judge(HeldOut(won, 0.2, arrived=-arrived), System("a", p, p)).first_come == "oldest first"
    without = judge(HeldOut(won, 0.2), System("a", p, p))
    assert (without.first_come, without.better_than_first_come, without.better_than_today) == (None, None, None)


def test_what_only_tells_who_came_first_is_not_published() -> None:
    x, p, won = world(4000)
    held_out = HeldOut(won, 0.2, arrived=-x)
    found = judge(held_out, System("a", p, p))  # the oldest are the best: the queue knows as much
    assert found.better_than_base_rate == Answer("yes")
    assert found.against == ("it does not rank better than oldest first does, as far as these rows tell",)


def test_what_speaks_against_publishing() -> None:
    x, p, won = world(3000)
    low = p / 3
    against = judge(HeldOut(won, 0.2, timed=False), System("a", low, low), today=System("b", x)).against
    assert len(against) == 4
    assert "later rows" in against[0]
    assert "base rate" in against[1]  # its log loss is worse than that of saying 20 % of everybody
    assert "does not rank better than the scorecard you have" in against[2]  # it ranks the same
    assert "not calibrated" in against[3]
    worse = judge(HeldOut(won, 0.2), System("a", x + noise(3000), p), today=System("b", x))
    assert worse.better_than_today == Answer("no")
    assert worse.against == ("it ranks worse than the scorecard you have",)
    assert judge(HeldOut(won, 0.2), System("a", x)).against == ("it has no probabilities",)


@pytest.mark.parametrize("won", [[], [False] * 5, [True] * 5, [True, False, False]])
def test_nothing_to_judge_by_is_not_yet(won: list[bool]) -> None:
    p = np.linspace(0.1, 0.9, len(won))
    found = judge(HeldOut(np.array(won, bool), 0.3), System("a", p, p), today=System("b", -p))
    assert found.better_than_base_rate.word == "not yet"
    assert not found.publishable
    assert json.dumps(found.as_dict(), allow_nan=False)
    assert "Better than the base rate of 30.0%? Not yet" in str(found)


def test_rows_of_one_lead_do_not_make_it_surer() -> None:
    x, p, won = world(300)
    today = x + noise(300)
    lead = np.tile(np.arange(300), 4)

    def width(copies: int, lead: np.ndarray | None) -> float:
        held_out = HeldOut(np.tile(won, copies), 0.2, lead=lead)
        found = judge(held_out, System("a", np.tile(p, copies)), today=System("b", np.tile(today, copies)))
        difference = found.comparisons[0].difference
        return difference.high - difference.low

    assert width(4, lead) == pytest.approx(width(1, None), rel=0.15)
    assert width(4, None) < 0.65 * width(1, None)


@pytest.mark.slow
def test_intervals_of_differences_hold_the_truth() -> None:
    def systems(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, p, won = world(n, seed=seed)
        return p, x + np.random.default_rng(seed + 10_000).normal(size=n), won

    first, other, outcome = systems(1_000_000, 99_999)
    truth = roc_auc_score(outcome, first) - roc_auc_score(outcome, other)
    inside = 0
    for seed in range(200):
        first, other, won = systems(300, seed)
        drawn = [draw(score, won, leads_of(None, 300), seed=seed) for score in (first, other)]
        difference = compare("a", drawn[0], "b", drawn[1])[0].difference
        inside += difference.low <= truth <= difference.high
    assert inside >= 180


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        judge(HeldOut(np.zeros(3, bool), 0.2), System("a", np.zeros(2)))
