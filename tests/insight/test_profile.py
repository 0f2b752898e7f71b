from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest
from tests.insight.company import AT_CREATION, DAY, HOUSE, NOW, WORKSPACE, Past, ask, found

from journeys.journey import DATA, read_rows
from leadlight.errors import UsageError
from leadlight.insight.profile import Level, Profile, profile
from leadlight.workspace import Workspace


def profile_of(workspace: Workspace, as_of: datetime = NOW, *, card: str | None = None) -> Profile:
    return ask(workspace, lambda asked: profile(asked.engine, asked.workspace, asked.card, as_of), card)


@pytest.fixture(scope="module")
def told(company: Workspace) -> Profile:
    return profile_of(company)


def level(told: Profile, text: str) -> Level:
    return next(level for level in told.levels if level.text == text)


def wins(past: Past) -> set[str]:
    """Who was won within 30 days after creation."""
    created = {row["id"]: row["created"] for row in past.leads}
    return {
        row["lead"] for row in past.deals if row["stage"] == "won" and row["closed"] <= created[row["lead"]] + 30 * DAY
    }


def test_shares_are_those_of_the_rows(told: Profile, past: Past) -> None:
    won = wins(past)
    bosses = {row["id"] for row in past.leads if row["seniority"] == "boss"}
    assert (told.cases, told.won) == (len(past.leads), len(won))
    boss = level(told, "Seniority: boss")
    assert (boss.count, boss.won) == (len(bosses), len(bosses & won))
    assert boss.share_won == pytest.approx(len(bosses & won) / len(won))
    assert boss.share_all == pytest.approx(len(bosses) / len(past.leads))
    assert boss.lift.value == pytest.approx(boss.share_won / boss.share_all, rel=0.02)
    mean = (10 * len(bosses) - 5 * (len(past.leads) - len(bosses))) / len(past.leads)
    assert (boss.points, boss.beyond) == (10, pytest.approx(10 - mean))


def test_levels_of_a_criterion_add_up(told: Profile) -> None:
    for key in {item.key for item in told.levels}:
        mine = [item for item in told.levels if item.key == key]
        assert sum(item.count for item in mine) == told.cases
        assert sum(item.won for item in mine) == told.won
        assert sum(item.share_won for item in mine) == pytest.approx(1)
        assert sum(item.count * item.beyond for item in mine) == pytest.approx(0, abs=1e-6)


def test_planted_effects_are_found_and_no_others(told: Profile) -> None:
    assert [item.text for item in told.ideal] == ["Seniority: boss"]
    assert [item.text for item in told.anti] == ["Seniority: clerk"]
    assert told.contrary == ()


def test_points_that_say_the_opposite_are_named(past: Past, tmp_path: Path) -> None:
    house = HOUSE.replace("boss: 10, clerk: -5", "boss: -10, clerk: 5")
    upside_down = found(
        tmp_path / "c", past.leads, past.events, past.deals, workspace=WORKSPACE + AT_CREATION, house=house
    )
    told = profile_of(upside_down)
    assert [item.text for item in told.contrary] == ["Seniority: boss", "Seniority: clerk"]
    assert "Seniority" not in {item.criterion for item in (*told.ideal, *told.anti)}


def test_a_pair_beyond_its_singles_is_found(told: Profile) -> None:
    """Gold or an own company, but not both: neither matters by itself."""
    ratios = {frozenset(pair.texts): pair.ratio for pair in told.pairs}
    assert set(ratios) == {
        frozenset((tier, own)) for tier in ("Tier: gold", "Tier: tin") for own in ("Company: yes", "Company: no")
    }
    assert (
        ratios[frozenset(("Tier: gold", "Company: yes"))].high
        < 1
        < ratios[frozenset(("Tier: gold", "Company: no"))].low
    )
    for pair in told.pairs:
        assert pair.count > 500
        assert pair.expected == pytest.approx(pair.won / pair.ratio.value, rel=0.02)


def test_noise_has_no_pairs_and_no_ideal(tmp_path: Path, past: Past) -> None:
    """The same leads, their deals dealt out again by lot, five times; held against the digits of their ids."""
    pairs = named = 0
    digits = [
        f"      - {{name: Digit {digit} at {place}, when: \"id like '%{digit}{'_' * place}'\", points: 2}}\n"
        for digit in range(10)
        for place in (0, 1)
    ]
    house = HOUSE.replace("  deeds:\n", "".join(digits) + "  deeds:\n")
    for seed in range(5):
        rng = np.random.default_rng(seed)
        others = [past.leads[i] for i in rng.permutation(len(past.leads))[: len(past.deals)]]
        deals = [
            {**deal, "lead": other["id"], "closed": other["created"] + 20 * DAY}
            for deal, other in zip(past.deals, others, strict=True)
        ]
        told = profile_of(
            found(tmp_path / str(seed), past.leads, [], deals, workspace=WORKSPACE + AT_CREATION, house=house)
        )
        pairs += len(told.pairs)
        named += len(told.ideal) + len(told.anti) + len(told.contrary)
    assert pairs <= 1
    assert named <= 4  # of 225 levels; each finding is two: who has the digit, and who has not


def test_what_comes_after_the_moment_does_not_count(told: Profile) -> None:
    """Only the won are welcomed, after the deal; on creation nobody has been."""
    assert [item.text for item in told.levels if item.criterion == "Welcomed"] == ["Welcomed: never"]


def test_the_future_changes_nothing(past: Past, tmp_path: Path) -> None:
    """Half a year's files, and all of them: the profile as of then is the same."""
    then = datetime(2025, 7, 1)

    def until(moment: datetime) -> Past:
        return replace(
            past,
            leads=[row for row in past.leads if row["created"] <= moment],
            events=[row for row in past.events if row["at"] <= moment],
            deals=[row for row in past.deals if row["closed"] <= moment],
        )

    half = until(then)
    short = found(tmp_path / "short", half.leads, half.events, half.deals)
    whole = found(tmp_path / "whole", past.leads, past.events, past.deals)
    assert profile_of(short, then).as_dict() == profile_of(whole, then).as_dict()


def test_ages_are_those_learned_from(past: Past, tmp_path: Path) -> None:
    spec = WORKSPACE + "learn: {moments: [3d]}\n"
    told = profile_of(found(tmp_path / "c", past.leads, past.events, past.deals, workspace=spec))
    assert told.ages == (timedelta(0), 3 * DAY)
    assert "each as it stood on its creation or 3 days after; " in told.rule


def test_few_cases_are_counted_and_never_ideal(company: Workspace) -> None:
    told = ask(company, lambda a: profile(a.engine, a.workspace, a.card, NOW, support=2000))
    assert {item.text for item in (*told.ideal, *told.anti)} <= {"Seniority: clerk"}
    assert level(told, "Seniority: boss").count < 2000


def test_it_is_said_in_words_and_as_json(told: Profile) -> None:
    document = json.loads(json.dumps(told.as_dict(), allow_nan=False))
    assert document["ideal"][0]["text"] == "Seniority: boss"
    assert document["as_of"] == "2026-01-01T00:00:00Z"
    said = str(told)
    assert said.startswith("Ideal lead by house as of 2026-01-01\n3,000 past lead cases")
    assert str(told.ideal[0]) in said
    assert f"Seniority: boss ({told.ideal[0].count:,}): " in said


def test_accounts_have_no_profile(past: Past, tmp_path: Path) -> None:
    card = "of: account\ngroups: {g: {criteria: [{name: Visits, event: visit, points: 1}]}}\n"
    workspace = found(tmp_path / "c", past.leads[:9], past.events[:9], past.deals[:9], house=card)
    with pytest.raises(UsageError, match="a profile is about leads, and house scores accounts"):
        profile_of(workspace)


# ----------------------------------------------------------------------------------------------- worlds and real data


@pytest.mark.slow
def test_the_simulated_worlds_effects_are_found(demo: Workspace) -> None:
    told = profile_of(demo, datetime(2026, 6, 30))
    ideal, anti = ({item.text for item in items} for items in (told.ideal, told.anti))
    assert {"How they found us: referral", "How they found us: partner"} & ideal
    assert {"Seniority: c_level", "Seniority: vp", "Seniority: director"} & ideal
    assert any(text.startswith("Looks at pricing") and "never" not in text for text in ideal)
    assert {"Seniority: staff", "How they found us: cold_list", "Department: hr"} & anti
    wrong = {"Seniority: staff", "How they found us: cold_list", "How they found us: ads", "Industry: education"}
    assert not wrong & ideal


@pytest.mark.data
def test_olist_shares_are_those_of_the_raw_files(olist_funnel: Workspace) -> None:
    """Count anew from the raw files, in plain Python, whom the rule looks at when."""
    as_of, horizon = datetime(2018, 8, 1), timedelta(days=60)
    raw = DATA / "olist_marketing_funnel"
    won = {
        row["mql_id"]: datetime.fromisoformat(row["won_date"])
        for row in read_rows(raw / "olist_closed_deals_dataset.csv")
    }
    ages = [0, 1, 7, 30]
    everyone, winners = Counter[str](), Counter[str]()
    for row in read_rows(raw / "olist_marketing_qualified_leads_dataset.csv"):
        name = row["mql_id"]
        age = ages[int.from_bytes(md5(name.encode()).digest()[8:], "little") % 4]
        at = datetime.fromisoformat(row["first_contact_date"]) + timedelta(days=age)
        if at + horizon > as_of or won.get(name, at + horizon) <= at:
            continue
        everyone[row["origin"]] += 1
        winners[row["origin"]] += won.get(name, datetime.max) <= at + horizon
    told = profile_of(olist_funnel, as_of)
    assert (told.cases, told.won) == (everyone.total(), winners.total())
    seen = {item.text: (item.count, item.won) for item in told.levels if item.criterion == "Origin"}
    assert seen["Origin: social"] == (everyone["social"], winners["social"])
    assert seen["Origin: organic_search"] == (everyone["organic_search"], winners["organic_search"])
    assert seen["Origin: not known"] == (everyone[""], winners[""])
    assert "Origin: email" in {item.text for item in told.anti}


LEARNED = """
base: -20
features:
  visits_7d: {count: visit, within: 7d}
groups:
  fit:
    criteria:
      - {name: Seniority, feature: seniority, points: {boss: 10.4}, other: -2.2, missing: 0.3}
      - name: Tier × visits
        features: [tier, visits_7d]
        bands: {visits_7d: [1]}
        table: {gold: [-1.5, 2.5], other: [0.5, 1.0]}
calibration: {score: [-30, 0], probability: [0.01, 0.5]}
"""


def test_learned_scorecards_are_told_as_written_ones_are(past: Past, tmp_path: Path) -> None:
    """Features of the scorecard's own, tables of two features, a calibration."""
    spec = WORKSPACE + AT_CREATION
    told = profile_of(found(tmp_path / "c", past.leads, past.events, past.deals, workspace=spec, house=LEARNED))
    assert "Seniority: boss" in {item.text for item in told.ideal}
    cells = [item for item in told.levels if item.criterion == "Tier × visits"]
    assert {item.text for item in cells} == {"Tier × visits: gold, below 1", "Tier × visits: tin, below 1"}
    assert {item.points for item in cells} == {-1.5, 0.5}
