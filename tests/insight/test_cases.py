from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.insight.company import DAY, NOW, START, WORKSPACE, Asked, Past, ask, found

from leadlight.errors import NotFoundError, UsageError
from leadlight.insight.cases import comparable_age, past_cases, scored_cases
from leadlight.workspace import Workspace

AGES = [timedelta(0), 7 * DAY, 30 * DAY]


def lead(name: str, *, created: datetime = START) -> dict[str, Any]:
    return {"id": name, "created": created, "email": "", "company": "", "seniority": "boss", "tier": "gold"}


def deal(name: str, days: float | None, stage: str, amount: float | str = "") -> dict[str, Any]:
    return {"lead": name, "closed": "" if days is None else START + DAY * days, "stage": stage, "amount": amount}


LEADS = [lead(name) for name in ("quick", "late", "after", "lost", "open", "talks", "twice")]
LEADS += [lead("young", created=NOW - 36 * DAY), lead("unborn", created=NOW + DAY)]
DEALS = [
    deal("quick", 5, "won", 100), deal("late", 36.9, "won", 200), deal("after", 37.1, "won", 300),
    deal("lost", 20, "lost"), deal("talks", 3, "offer made"), deal("talks", 20, "won", 50),
    deal("twice", 10, "won", 40), deal("twice", 12, "won", 70), deal("young", 400, "won"),
]  # fmt: skip


def cases_of(workspace: Workspace, *ages: timedelta, as_of: datetime = NOW, **options: Any) -> dict[str, Any]:
    def question(asked: Asked) -> dict[str, Any]:
        with past_cases(asked.engine, asked.workspace, as_of, ages, **options) as cases:
            rows = asked.engine.rows(
                "SELECT l.id, c.as_of - l.created_at, c.won, c.ended, c.worth FROM _cases c JOIN leads l USING (lead)"
            )
            assert cases.count == len(rows)
            assert cases.won == sum(row[2] for row in rows)
        return {name: tuple(rest) for name, *rest in rows}

    return ask(workspace, question)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return found(tmp_path_factory.mktemp("small") / "s", LEADS, [], DEALS)


def test_who_is_a_case_and_how_it_ended(small: Workspace) -> None:
    """Seen after seven days, with a horizon of thirty: days 7 to 37 count."""
    week = 7 * DAY
    assert cases_of(small, week) == {
        "late": (week, True, "won", 200.0),
        "after": (week, False, None, None),
        "lost": (week, False, "lost", None),
        "open": (week, False, None, None),
        "talks": (week, True, "won", 50.0),  # an offer closes nothing
        "twice": (week, True, "won", 70.0),
    }
    assert cases_of(small, timedelta(0))["quick"] == (timedelta(0), True, "won", 100.0)


def test_without_a_lose_any_outcome_closes(tmp_path: Path) -> None:
    spec = WORKSPACE.replace(""", lose: "stage = 'lost'\"""", "")
    assert "talks" not in cases_of(found(tmp_path / "c", LEADS, [], DEALS, workspace=spec), 7 * DAY)


def test_what_is_known_later_changes_nothing_before(small: Workspace) -> None:
    before = cases_of(small, timedelta(0), as_of=START + 30 * DAY)
    assert before == {name: row for name, row in cases_of(small, timedelta(0)).items() if name != "young"}
    with pytest.raises(NotFoundError, match="no past cases as of 2025-01-30"):
        cases_of(small, timedelta(0), as_of=START + 29 * DAY)


def test_each_lead_counts_once_at_an_age_its_outcome_did_not_choose(company: Workspace, past: Past) -> None:
    rows = cases_of(company, *AGES)
    won = {row["lead"] for row in past.deals if row["stage"] == "won"}
    shares = {
        age: (sum(row[0] == age for row in rows.values()), sum(row[0] == age and n in won for n, row in rows.items()))
        for age in AGES
    }
    assert set(shares) == {row[0] for row in rows.values()}
    assert shares[AGES[0]][0] == pytest.approx(1000, rel=0.08)
    assert shares[AGES[1]][0] == pytest.approx(1000, rel=0.08)
    assert shares[AGES[0]][1] == pytest.approx(shares[AGES[1]][1], rel=0.25)
    assert shares[AGES[2]][0] < 900  # many are closed by then
    assert cases_of(company, *AGES) == rows
    part = cases_of(company, *AGES, sample=100)
    assert len(part) == 100
    assert part.items() <= rows.items()


def test_a_lead_can_be_left_out(small: Workspace) -> None:
    number = ask(small, lambda asked: asked.lead("twice"))
    assert cases_of(small, 7 * DAY).keys() - cases_of(small, 7 * DAY, without=number).keys() == {"twice"}


def test_outcomes_without_a_time_are_looked_at_on_creation(tmp_path: Path) -> None:
    leads = [lead("a"), lead("b"), lead("c")]
    timeless = found(tmp_path / "c", leads, [], [deal("a", None, "won", 9), deal("b", None, "lost")])
    at_once = timedelta(0)
    assert cases_of(timeless, *AGES) == {"a": (at_once, True, "won", 9.0), "b": (at_once, False, "lost", None)}


def test_scores_are_those_of_the_cases_moments(company: Workspace) -> None:
    def question(asked: Asked) -> tuple[list[Any], list[Any]]:
        with (
            past_cases(asked.engine, asked.workspace, NOW, [9 * DAY]) as cases,
            scored_cases(asked.engine, asked.workspace, asked.card, cases, earlier=2 * DAY) as table,
        ):
            scored = asked.engine.rows(f"SELECT id, as_of, score, _won FROM {table} ORDER BY id LIMIT 20")
            created = dict(asked.engine.rows("SELECT id, created_at FROM leads"))
            tables = asked.engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary")
        assert {(name,) for name in (cases.table, table)} <= set(tables)
        assert asked.engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary") == []
        return scored, [created[row[0]] for row in scored]

    scored, created = ask(company, question)
    for (name, as_of, score, _), at in zip(scored, created, strict=True):
        assert as_of == at + 7 * DAY
        assert company.explain(name, as_of=as_of).score == pytest.approx(score, abs=1e-9)


def test_the_age_is_the_leads_own_while_enough_got_so_old(company: Workspace, small: Workspace) -> None:
    def age(workspace: Workspace, days: float) -> timedelta:
        return ask(workspace, lambda asked: comparable_age(asked.engine, asked.workspace, NOW, DAY * days))

    assert age(company, 12.5) == 12.5 * DAY
    assert age(company, 300) == 90 * DAY
    assert age(company, 0) == timedelta(0)
    assert age(small, 20) == timedelta(0)  # seven leads are too few at any age


def test_nothing_to_compare_with_is_said(small: Workspace, tmp_path: Path) -> None:
    plain = found(tmp_path / "a", LEADS, [], [], workspace=WORKSPACE[: WORKSPACE.index("outcome: {win")])
    with pytest.raises(UsageError, match="does not say what a win is"):
        cases_of(plain, 7 * DAY)
    losers = found(tmp_path / "b", LEADS, [], [deal("lost", 20, "lost")])
    with pytest.raises(NotFoundError, match="none of 7 past cases was won within 30d"):
        cases_of(losers, 7 * DAY)


def test_on_a_grid_each_lead_counts_once_at_a_moment_its_outcome_did_not_choose(tmp_path: Path) -> None:
    """Wins repeat: all of them count; only a loss up to the moment makes it no case."""
    again = WORKSPACE.replace("horizon: 30d", "horizon: 30d, repeats: true") + "learn: {every: 20d}\n"
    leads = [lead(f"l{n}", created=START + DAY * (n % 50)) for n in range(200)]
    deals = [deal(f"l{n}", days, "won", 10 + n) for n in range(0, 200, 2) for days in (60, 75, 90, 280, 300)]
    deals += [deal(f"l{n}", 150, "lost") for n in range(0, 200, 5)]
    workspace = found(tmp_path / "c", leads, [], deals, workspace=again)
    last = NOW - 30 * DAY
    rows = cases_of(workspace)
    created = {row["id"]: row["created"] for row in leads}
    for name, (age, won, _, worth) in rows.items():
        moment = created[name] + age
        assert (last - moment) % (20 * DAY) == timedelta(0)
        assert created[name] <= moment <= last
        own = [row for row in deals if row["lead"] == name]
        assert not any(row["stage"] == "lost" and row["closed"] <= moment for row in own)
        wins = [row["amount"] for row in own if row["stage"] == "won" and moment < row["closed"] <= moment + 30 * DAY]
        assert (won, worth) == (bool(wins), sum(wins) if wins else None)
    lost = {row["lead"] for row in deals if row["stage"] == "lost"}
    assert set(created) - set(rows) <= lost
    assert 0 < len(lost - set(rows)) < len(lost)
    assert len({age for age, *_ in rows.values()}) > 10
    assert cases_of(workspace) == rows
    older = cases_of(workspace, ahead=100 * DAY)
    assert min(age for age, *_ in older.values()) >= 100 * DAY
