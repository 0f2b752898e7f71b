from __future__ import annotations

import numpy as np
import pytest

from leadlight.simulate.intent import NEVER, make_paths, rates_of, time_factor
from leadlight.simulate.leads import make_leads
from leadlight.simulate.world import BUYER, DAY, KINDS, SOURCES, STEP, World

WORLD = World(seed=5)
LEADS = make_leads(WORLD, 0, 6400)
PEOPLE = LEADS.take(np.flatnonzero(~LEADS.is_duplicate))
PATHS = make_paths(WORLD, PEOPLE)


def test_a_path_is_the_same_whoever_else_is_drawn() -> None:
    rows = np.arange(100, 200)
    part = make_paths(WORLD, PEOPLE.take(rows))
    steps = part.state.shape[1]
    assert np.array_equal(part.state, PATHS.state[rows, :steps])
    assert np.array_equal(part.closed, PATHS.closed[rows])


def test_a_longer_look_changes_nothing_that_was_seen() -> None:
    longer = make_paths(WORLD, PEOPLE, stop=WORLD.end + 90 * DAY)
    seen = longer.closed < WORLD.end
    assert np.array_equal(np.where(seen, longer.closed, NEVER), PATHS.closed)
    assert np.array_equal(longer.won & seen, PATHS.won)
    assert (longer.closed < NEVER).sum() > seen.sum()


def test_states_move_one_at_a_time_and_end_with_the_outcome() -> None:
    state = PATHS.state.astype(int)
    both = (state[:, :-1] >= 0) & (state[:, 1:] >= 0)
    assert np.abs(np.diff(state, axis=1))[both].max() == 1
    closed = np.flatnonzero(PATHS.closed < NEVER)
    last = (state[closed] >= 0).sum(axis=1) - 1
    assert np.array_equal(last, (PATHS.closed[closed] - PEOPLE.created[closed]) // STEP)
    assert np.array_equal(state[:, 0], PEOPLE.first_state)


def test_moves_come_as_often_as_the_rates_say() -> None:
    rates, state = rates_of(WORLD, PEOPLE), PATHS.state.astype(int)
    before, after = state[:, :-1], state[:, 1:]
    for s in range(3):
        row, _ = np.nonzero((before == s) & (after >= 0))
        moved = after[(before == s) & (after >= 0)]
        assert (moved == s + 1).mean() == pytest.approx(rates.up[row, s].mean(), abs=0.01)
        assert (moved == s - 1).mean() == pytest.approx(rates.down[row, s].mean(), abs=0.01)


def test_only_buyers_buy_and_few_students() -> None:
    for code, buyer in enumerate(BUYER):
        share = PATHS.won[PEOPLE.kind == code].mean()
        assert (share > 0.1) if buyer == 1 else (share < 0.05), KINDS[code]
        assert buyer > 0 or share == 0


def test_the_effect_of_ads_decays_while_partners_gain() -> None:
    at = np.array([WORLD.begin, WORLD.end])
    plain = np.exp(WORLD.drift * WORLD.phase(at) + WORLD.calendar(at))
    for source, effects in (("ads", (0.1, -0.7)), ("partner", (0.2, 0.7))):
        code = np.full(2, SOURCES.index(source), dtype=np.int8)
        assert np.log(time_factor(WORLD, code, at) / plain) == pytest.approx(effects)


def test_wins_take_their_time() -> None:
    waits = (PATHS.closed - PEOPLE.created)[PATHS.won] / DAY
    assert 20 < np.median(waits) < 120
    assert np.quantile(waits, 0.95) > 150
