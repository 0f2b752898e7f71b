from __future__ import annotations

import numpy as np
import pytest

from leadlight.simulate.leads import Leads, make_leads
from leadlight.simulate.world import (
    COUNTRY_EFFECT,
    DAY,
    DEPARTMENT_EFFECT,
    INDUSTRY_SIZE,
    KIND_SHARE,
    SENIORITY_EFFECT,
    SIZE_CUTS,
    SOURCE_SHARE_END,
    SOURCE_SHARE_START,
    TOOLS,
    World,
    is_weekend,
)

WORLD = World(seed=3)
LEADS = make_leads(WORLD, 0, 64 * 625)
OWN = ~LEADS.is_duplicate


def of_accounts(leads: Leads) -> np.ndarray:
    """The account's part of the hidden fit, lead by lead, from the world's equations."""
    accounts, found = leads.accounts, []
    for k in leads.account:
        size = sum(accounts.employees[k] >= cut for cut in SIZE_CUTS)
        tool = 0.5 if TOOLS[accounts.tool[k]] == "salesforce" and accounts.employees[k] > 50 else 0.0
        pair = INDUSTRY_SIZE[accounts.industry[k]][size]
        found.append(pair + COUNTRY_EFFECT[accounts.country[k]] + tool + 0.35 * accounts.quality[k])
    return np.array(found)


def test_a_lead_is_the_same_whichever_chunk_it_falls_in() -> None:
    part = make_leads(WORLD, 128, 192)
    assert np.array_equal(part.created, LEADS.created[128:192])
    assert np.array_equal(part.fit, LEADS.fit[128:192])
    assert np.array_equal(part.person + 128, LEADS.person[128:192])
    assert np.array_equal(part.employees, LEADS.employees[128:192])


def test_arrivals_grow_in_number_and_rest_on_weekends() -> None:
    at, middle = LEADS.created[OWN], (WORLD.begin + WORLD.end) // 2
    assert WORLD.begin <= at.min() <= at.max() < WORLD.end
    assert (at >= middle).mean() == pytest.approx((1 + 0.75 * WORLD.growth) / (2 + WORLD.growth), abs=0.01)
    assert is_weekend(at).mean() == pytest.approx(0.3 * 2 / 7, abs=0.01)


def test_kinds_and_drifting_sources_follow_their_shares() -> None:
    assert np.bincount(LEADS.kind[OWN]) / OWN.sum() == pytest.approx(np.array(KIND_SHARE), abs=0.004)
    phase = WORLD.phase(LEADS.created)
    for chosen, middle in ((OWN & (phase < 0.1), 0.05), (OWN & (phase > 0.9), 0.95)):
        shares = (1 - middle) * np.array(SOURCE_SHARE_START) + middle * np.array(SOURCE_SHARE_END)
        assert np.bincount(LEADS.source[chosen]) / chosen.sum() == pytest.approx(shares, abs=0.025)


def test_fit_is_what_the_equations_say_but_for_its_own_noise() -> None:
    rows = np.flatnonzero(OWN)[:4000]
    leads = LEADS.take(rows)
    person = np.array(SENIORITY_EFFECT)[leads.seniority] + np.array(DEPARTMENT_EFFECT)[leads.department]
    noise = leads.fit - of_accounts(leads) - person + WORLD.fit_centre
    assert noise.mean() == pytest.approx(0, abs=0.03)
    assert noise.std() == pytest.approx(0.45, abs=0.02)
    assert LEADS.fit.mean() == pytest.approx(0, abs=0.05)


def test_the_first_intent_is_higher_for_warm_sources_and_hot_accounts() -> None:
    states = LEADS.first_state
    referral, cold_list = (states[LEADS.source == code].mean() for code in (0, 6))
    assert referral > cold_list + 0.5
    assert np.corrcoef(states, LEADS.heat)[0, 1] > 0.2
    assert np.all(np.bincount(states) / len(states) > 0.01)


def test_duplicates_are_an_earlier_lead_of_their_block_again() -> None:
    again = np.flatnonzero(LEADS.is_duplicate)
    original = LEADS.person[again]
    assert len(again) / len(LEADS) == pytest.approx(WORLD.duplicate_share, abs=0.003)
    assert np.all((original < again) & (original // 64 == again // 64))
    assert not LEADS.is_duplicate[original].any()
    assert np.all((LEADS.created[again] >= LEADS.created[original]) & (LEADS.created[again] < WORLD.end))
    assert np.array_equal(LEADS.fit[again], LEADS.fit[original])


def test_leads_spread_unevenly_over_the_accounts_of_their_block() -> None:
    counts = np.bincount(LEADS.account)
    assert np.array_equal(LEADS.account // 24, LEADS.number[LEADS.person] // 64)
    assert counts.max() >= 15
    assert np.median(counts) <= 3


@pytest.mark.parametrize("days", [1, 2, 7])
def test_worlds_of_a_few_days_hold_all_their_arrivals(days: int) -> None:
    world = World(days=days)
    created = make_leads(world, 0, 640).created
    assert world.end - days * DAY <= created.min() <= created.max() < world.end
