from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from leadlight.simulate.intent import make_paths, rates_of, time_factor
from leadlight.simulate.leads import make_leads
from leadlight.simulate.truth import HORIZON_SECONDS, state_at, truth_table, win_probability
from leadlight.simulate.world import DAY, STEP, World


def test_drawn_outcomes_are_as_frequent_as_the_truth_says() -> None:
    """By tenths of the probability, on arrival, half-way and at `until`: within five standard errors."""
    world = World(seed=11)
    leads = make_leads(world, 0, 64 * 3000)
    people = leads.take(np.flatnonzero(~leads.is_duplicate))
    paths = make_paths(world, people, stop=world.end + HORIZON_SECONDS + DAY)
    half_way = people.created + (world.end - people.created) // 2
    for as_of in (people.created, half_way, np.full(len(people), world.end)):
        rows = np.flatnonzero(paths.closed > as_of)
        open_, theirs, at = people.take(rows), paths.take(rows), as_of[rows]
        truth = win_probability(world, open_, state_at(open_, theirs, at), at)
        won = theirs.won & (theirs.closed <= at + HORIZON_SECONDS)
        for tenth in np.array_split(np.argsort(truth), 10):
            p = truth[tenth]
            z = (won[tenth].sum() - p.sum()) / math.sqrt((p * (1 - p)).sum())
            assert abs(z) < 5, f"expected {p.mean():.4f}, found {won[tenth].mean():.4f}"


def test_the_recursion_agrees_with_the_sum_over_all_ways_through() -> None:
    """Twelve days from the middle of a step: every sequence of states, its probability and its chance of a win."""
    world = World(seed=2)
    lead = make_leads(world, 0, 64).take(np.array([5]))
    as_of, horizon = lead.created + 3 * STEP + 2 * DAY, 12 * DAY
    rates = rates_of(world, lead)
    lengths = [3 * DAY, STEP, 4 * DAY]
    win = [rates.win[0] * time_factor(world, lead.source, lead.created + (3 + k) * STEP)[0] for k in range(3)]
    for start in range(4):
        expected = 0.0
        for ways in itertools.product(range(4), repeat=2):
            states, through, so_far = (start, *ways), 1.0, 0.0
            for k, (state, length) in enumerate(zip(states, lengths, strict=True)):
                both = win[k][state] + rates.loss[0, state]
                # a win in this piece is counted once for each way on from it, so weigh it by the ways' probabilities
                so_far += through * win[k][state] / both * (1 - math.exp(-both * length)) * _ways(rates, states[k:])
                through *= math.exp(-both * length) * (_step(rates, state, states[k + 1]) if k < 2 else 1)
            expected += so_far
        found = win_probability(world, lead, np.array([start]), as_of, horizon=horizon)[0]
        assert found == pytest.approx(expected, rel=1e-12)


def _step(rates, now: int, after: int) -> float:
    up, down = rates.up[0, now], rates.down[0, now]
    return float({1: up, -1: down, 0: 1 - up - down}.get(after - now, 0.0))


def _ways(rates, states: tuple[int, ...]) -> float:
    return math.prod(_step(rates, now, after) for now, after in itertools.pairwise(states))


def test_a_longer_horizon_never_wins_less() -> None:
    world = World(seed=2)
    leads = make_leads(world, 0, 640)
    state = leads.first_state.astype(np.int64)
    found = [win_probability(world, leads, state, leads.created, horizon=days * DAY) for days in (0, 1, 5, 30, 90, 400)]
    assert np.all(found[0] == 0)
    assert np.all(np.diff(np.stack(found), axis=0) >= 0)


def test_without_losses_and_moves_the_truth_is_an_exponential() -> None:
    world = replace(World(seed=2, days=3650), up=(0,) * 4, down=(0,) * 4, loss_rate=(1e-15,) * 4)
    world = replace(world, drift=0.0, quarter_end=0, august=0, holidays=0)
    leads = make_leads(world, 0, 64)
    rate = rates_of(world, leads).win[:, 3] * time_factor(world, leads.source, leads.created)
    found = win_probability(world, leads, np.full(64, 3), leads.created)
    assert found == pytest.approx(1 - np.exp(-rate * HORIZON_SECONDS), rel=0.02)  # the source's effect drifts a little


def test_the_table_has_open_leads_only_with_what_is_hidden(crowd) -> None:
    rows = truth_table(crowd.world, crowd.leads, crowd.paths).to_pylist()
    leads, until = crowd.leads, crowd.world.until
    closed = crowd.paths.closed
    at_until = {int(row["lead_id"][1:]) - 1: row for row in rows if row["as_of"] == until}
    at_creation = {int(row["lead_id"][1:]) - 1: row for row in rows if row["as_of"] != until}
    assert set(at_until) == set(np.flatnonzero(closed > crowd.world.end).tolist())
    assert set(at_creation) == set(np.flatnonzero(closed > leads.created).tolist())
    for number, row in itertools.islice(at_creation.items(), 2000):
        original = leads.person[number]
        assert row["fit"] == leads.fit[number]
        assert row["is_bot"] == (leads.is_bot[number])
        assert row["is_duplicate_of"] == (None if original == number else f"L{original + 1:07d}")
        assert row["intent"] == leads.first_state[number] or original != number
    assert all(row["probability"] == 0 for row in rows if row["is_bot"])
