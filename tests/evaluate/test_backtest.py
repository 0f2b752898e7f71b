from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from leadlight.errors import UsageError
from leadlight.evaluate.backtest import HINDSIGHT, RANDOM, Deals, Outcomes, RankAt, Total, backtest


def everybody(outcomes: Outcomes, score: np.ndarray) -> RankAt:
    """Rank all leads there are by a score that never changes."""
    return lambda _: (outcomes.lead, score)


def world(n: int = 600, *, seed: int = 0) -> tuple[Outcomes, np.ndarray]:
    """Return leads of half a year of whom some buy, and the true probability of each."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(1.5 * rng.normal(size=n) - 2)))
    won = rng.random(n) < p
    created = rng.uniform(0, 180, n)
    closed = np.where(won | (rng.random(n) < 0.5), created + rng.exponential(30, n), np.nan)
    worth = np.where(won, rng.integers(1, 9, n) * 100.0, np.nan)
    return Outcomes(rng.permutation(n) + 1000, created, closed, won, worth), p


def by_hand(outcomes: Outcomes, score: np.ndarray, moments: list[float], horizon: float, top: int) -> list[tuple]:
    """Replay with plain loops."""
    called: set[int] = set()
    steps = []
    for moment in moments:
        free = [
            i for i in range(len(outcomes.lead))
            if outcomes.created[i] <= moment and not outcomes.closed[i] <= moment and i not in called
        ]  # fmt: skip
        chosen = sorted(free, key=lambda i: -score[i])[:top]
        called |= set(chosen)
        won = [i for i in chosen if outcomes.won[i] and moment < outcomes.closed[i] <= moment + horizon]
        steps.append((len(chosen), len(won), sum(outcomes.worth[i] for i in won)))
    return steps


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30), st.sampled_from([5.0, 30.0, 60.0]))
def test_against_plain_loops(seed: int, top: int, horizon: float) -> None:
    outcomes, p = world(150, seed=seed)
    found = backtest(
        outcomes, {"learned": everybody(outcomes, p)}, since=20, until=200, horizon=horizon, top=top, every=14
    )
    learned = found.of("learned")
    steps = list(zip(learned.called, learned.deals, learned.worth, strict=True))
    assert steps == by_hand(outcomes, p, list(found.moments), horizon, top)
    assert found.moments[0] == 20
    assert found.moments[-1] + horizon <= 200 < found.moments[-1] + horizon + 14


def test_a_better_order_wins_more_and_hindsight_most() -> None:
    outcomes, p = world()
    noisy = p + np.random.default_rng(1).normal(size=len(p))
    found = backtest(
        outcomes, {"learned": everybody(outcomes, p), "house": everybody(outcomes, noisy)},
        since=7, until=200, horizon=60, top=8,
    )  # fmt: skip
    deals = {item.name: item.deals.sum() for item in found.strategies}
    assert list(deals) == ["learned", "house", RANDOM, HINDSIGHT]
    assert deals[HINDSIGHT] > deals["learned"] > deals["house"]
    assert deals["learned"] > deals[RANDOM]
    gained = {item.other: item for item in found.gained}
    assert gained[RANDOM].deals.low > 0
    assert gained[HINDSIGHT].deals.high < 0
    assert gained["house"].deals.value == pytest.approx(deals["learned"] - deals["house"])
    assert gained["house"].worth.low <= gained["house"].worth.value <= gained["house"].worth.high
    assert "learned against house: +" in str(found)
    plain = found.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["strategies"][0]["deals"] == deals["learned"]


def test_hindsight_takes_the_most_worth_first_then_the_soonest() -> None:
    outcomes = Outcomes(
        lead=np.array([1, 2, 3, 4]),
        created=np.zeros(4),
        closed=np.array([9.0, 12.0, 9.0, 40.0]),
        won=np.array([True, True, True, True]),
        worth=np.array([10.0, 90.0, 20.0, 500.0]),
    )
    none = {"none": everybody(outcomes, np.zeros(4))}
    found = backtest(outcomes, none, since=0, until=30, horizon=15, top=1, every=7)
    # Step 0: the 90; step 7: 20 rather than 10, both closing on day 9; step 14: nobody wins within 15 days.
    assert found.of(HINDSIGHT).worth.tolist() == [90.0, 20.0, 0.0]
    same = Outcomes(outcomes.lead, outcomes.created, outcomes.closed, outcomes.won)
    found = backtest(same, none, since=0, until=30, horizon=15, top=1, every=7)
    assert found.of(HINDSIGHT).deals.tolist() == [1.0, 1.0, 0.0]
    assert not found.worth_known
    assert found.gained[0].worth is None
    assert "worth" not in str(found)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6), st.sampled_from([5.0, 30.0, 60.0]))
def test_hindsight_is_the_best_there_is(seed: int, top: int, horizon: float) -> None:
    outcomes, p = world(150, seed=seed)
    found = backtest(outcomes, {"any": everybody(outcomes, p)}, since=20, until=200, horizon=horizon, top=top, every=14)
    calls = np.repeat(found.moments, top)[:, None]
    fits = (outcomes.created <= calls) & (outcomes.closed > calls) & (outcomes.closed <= calls + horizon) & outcomes.won
    for brought, best in ((1.0, found.of(HINDSIGHT).deals), (np.nan_to_num(outcomes.worth), found.of(HINDSIGHT).worth)):
        value = np.where(fits, brought, 0.0)
        assert best.sum() == pytest.approx(value[linear_sum_assignment(value, maximize=True)].sum())


def test_hindsight_calls_who_can_wait_later() -> None:
    # The worthiest can be called at both steps, the other at the first only: both are won.
    outcomes = Outcomes(np.array([1, 2]), np.zeros(2), np.array([12.0, 5.0]), np.ones(2, bool), np.array([90.0, 20.0]))
    found = backtest(outcomes, {"any": everybody(outcomes, np.zeros(2))}, since=0, until=22, horizon=15, top=1)
    assert found.of(HINDSIGHT).worth.tolist() == [20.0, 90.0]


def test_who_was_lost_before_the_win_is_not_called_in_between() -> None:
    outcomes = Outcomes(
        np.array([1, 2]), np.zeros(2), np.array([5.0, 20.0]), np.ones(2, bool), won_at=np.array([20.0, 20.0])
    )
    found = backtest(outcomes, {"any": everybody(outcomes, np.zeros(2))}, since=7, until=28, horizon=21, top=2)
    assert [item.called.tolist() for item in found.strategies] == [[1.0], [1.0], [1.0]]
    found = backtest(outcomes, {"any": everybody(outcomes, np.zeros(2))}, since=0, until=21, horizon=21, top=2)
    assert [item.deals.tolist() for item in found.strategies] == [[2.0], [2.0], [2.0]]


def test_leads_of_one_score_are_called_in_no_order_of_the_file() -> None:
    won = np.arange(400) < 40  # the file begins with the won
    outcomes = Outcomes(np.arange(400), np.zeros(400), np.where(won, 99.0, np.nan), won)
    found = backtest(outcomes, {"flat": everybody(outcomes, np.ones(400))}, since=0, until=107, horizon=100, top=40)
    assert found.of("flat").deals.sum() == pytest.approx(8.0, abs=8)
    again = backtest(outcomes, {"flat": everybody(outcomes, np.ones(400))}, since=0, until=107, horizon=100, top=40)
    assert again.of("flat").deals.tolist() == found.of("flat").deals.tolist()


def test_whom_no_ranking_names_is_called_by_nobody() -> None:
    won = np.array([True, False, True])
    outcomes = Outcomes(np.array([1, 2, 3]), np.zeros(3), np.array([9.0, np.nan, 9.0]), won)
    some = {"some": lambda _: (np.array([1, 2]), np.zeros(2))}  # 3 is excluded: one of ourselves
    found = backtest(outcomes, some, since=0, until=20, horizon=20, top=3)
    assert [item.called.sum() for item in found.strategies] == [2, 2, 1]


def test_few_steps_tell_little_and_one_tells_nothing() -> None:
    one = Total.of(np.array([3.0]))
    assert (one.value, one.low, one.high) == (3.0, None, None)
    # Of two steps drawing again would never leave 2 … 10; a coin falls on the same side twice in two.
    two = Total.of(np.array([1.0, 5.0]))
    assert two.low is not None
    assert two.low < 0
    steps = np.random.default_rng(0).normal(1.0, 2.0, (400, 4))
    inside = [found.low <= 4.0 <= found.high for found in map(Total.of, steps)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_random_order_is_what_the_share_of_winners_says() -> None:
    # One step, 100 open leads, 20 of them won soon: 10 calls find 2 in the mean.
    won = np.arange(100) < 20
    outcomes = Outcomes(np.arange(100), np.zeros(100), np.where(won, 5.0, np.nan), won)
    found = backtest(outcomes, {"any": everybody(outcomes, np.zeros(100))}, since=0, until=10, horizon=10, top=10)
    assert found.of(RANDOM).deals.sum() == pytest.approx(2.0, abs=3 * np.sqrt(10 * 0.2 * 0.8 / 50))
    assert found.of(RANDOM).called.tolist() == [10.0]


def test_only_those_open_and_ranked_are_called_and_each_once() -> None:
    won = np.array([True, True, True, False])
    outcomes = Outcomes(np.array([7, 8, 9, 10]), np.array([0.0, 5.0, 0.0, 0.0]), np.array([6.0, 9.0, 0.0, np.nan]), won)
    ranked: list[float] = []

    def some(moment: float) -> tuple[np.ndarray, np.ndarray]:
        ranked.append(moment)
        return np.array([9, 8, 7]), np.array([3.0, 2.0, 1.0])

    found = backtest(outcomes, {"some": some}, since=0, until=20, horizon=6, top=2, every=5)
    assert ranked == [0.0, 5.0, 10.0]
    # 9 was closed at 0; 8 comes at 5; 10 is never ranked.
    assert found.of("some").called.tolist() == [1.0, 1.0, 0.0]
    assert found.of("some").deals.tolist() == [1.0, 1.0, 0.0]


def test_what_cannot_be_replayed() -> None:
    outcomes, p = world(20)
    learned = {"learned": everybody(outcomes, p)}
    with pytest.raises(UsageError, match="no step fits: 30 days are known, and each step needs 60"):
        backtest(outcomes, learned, since=0, until=30, horizon=60, top=5)
    with pytest.raises(UsageError, match="the top 0"):
        backtest(outcomes, learned, since=0, until=90, horizon=30, top=0)
    for lead in ([1000, 1000], [1000, 5], list(range(99))):
        wrong = {"wrong": lambda _, lead=lead: (np.array(lead), np.zeros(len(lead)))}
        with pytest.raises(ValueError, match="twice, or one that is not among"):
            backtest(outcomes, wrong, since=0, until=90, horizon=30, top=5)
    with pytest.raises(ValueError, match="more than one row"):
        Outcomes(np.array([1, 1]), np.zeros(2), np.zeros(2), np.zeros(2, bool))


def test_no_leads_at_all() -> None:
    nobody = Outcomes(np.empty(0, int), np.empty(0), np.empty(0), np.empty(0, bool))
    found = backtest(nobody, {"a": everybody(nobody, np.empty(0))}, since=0, until=90, horizon=30, top=5)
    assert [item.deals.sum() for item in found.strategies] == [0, 0, 0]


def customers(n: int = 80, *, seed: int = 0) -> tuple[Outcomes, np.ndarray]:
    """Return customers who buy again and again until they leave, and how often each does."""
    rng = np.random.default_rng(seed)
    keen = rng.exponential(1.0, n)
    row = np.repeat(np.arange(n), rng.poisson(5 * keen))
    created = rng.integers(0, 60, n).astype(float)
    left = np.where(rng.random(n) < 0.3, created + rng.integers(20, 120, n), np.nan)
    deals = Deals(row, rng.integers(0, 200, len(row)).astype(float), rng.choice([10.0, 25.0, np.nan], len(row)))
    return Outcomes(np.arange(n) + 7, created, left, np.zeros(n, np.bool_), None, deals), keen


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30), st.sampled_from([7.0, 14.0, 30.0]))
def test_wins_that_repeat_against_plain_loops(seed: int, top: int, horizon: float) -> None:
    outcomes, keen = customers(seed=seed)
    deals = outcomes.deals
    assert deals is not None
    found = backtest(
        outcomes, {"keen": everybody(outcomes, keen)}, since=20, until=200, horizon=horizon, top=top, every=7
    )
    last_call: dict[int, float] = {}
    steps = []
    for moment in found.moments:
        free = [
            i for i in range(len(outcomes.lead))
            if outcomes.created[i] <= moment and not outcomes.closed[i] <= moment
            and moment - last_call.get(i, -999) >= horizon
        ]  # fmt: skip
        chosen = sorted(free, key=lambda i: -keen[i])[:top]
        last_call |= dict.fromkeys(chosen, moment)
        wins = {i: [d for d in range(len(deals.at)) if deals.row[d] == i and moment < deals.at[d] <= moment + horizon]
                for i in chosen}  # fmt: skip
        worth = sum(np.nan_to_num(deals.worth[d]) for won in wins.values() for d in won)
        steps.append((len(chosen), sum(bool(won) for won in wins.values()), worth))
    found_steps = found.of("keen")
    assert list(zip(found_steps.called, found_steps.deals, found_steps.worth, strict=True)) == steps
    assert found.of(HINDSIGHT).worth.sum() >= found_steps.worth[0]
    assert found.worth_known
