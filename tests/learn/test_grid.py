"""Moments on a calendar grid, and wins that repeat, against plain loops."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from leadlight.errors import UsageError
from leadlight.insight.cases import past_cases
from leadlight.learn import training as training_module
from leadlight.learn.candidates import candidates
from leadlight.learn.grid import grid_of
from leadlight.learn.training import Training, past_rows, training
from leadlight.workspace import Workspace

SOURCES = """
sources:
  customers: {csv: customers.csv, id: id, created_at: since}
  orders: {csv: orders.csv, lead: id, event: order, at: at, columns: [amount]}
  ends: {csv: ends.csv, lead: id, at: at, outcome: what, value: amount}
"""
REPEATS = SOURCES + "outcome: {win: \"what = 'order'\", lose: \"what = 'left'\", horizon: 30d, repeats: true}\n"
NAMED = """outcomes:
  order: {win: "what = 'order'", lose: "what = 'left'", horizon: 30d, repeats: true}
  left: {win: "what = 'left'", horizon: 30d}
  first: {win: "what = 'order' and value >= 20", horizon: 30d}
"""
EVERY, MOMENTS = "learn: {every: 20d}\n", "learn: {moments: [1d, 7d, 30d]}\n"
START, UNTIL, HORIZON = datetime(2026, 1, 1), datetime(2026, 6, 1), timedelta(days=30)
DAY = timedelta(days=1)
Ends = list[tuple[str, datetime, str, int | None]]


def shop(folder: Path, seed: int, spec: str) -> tuple[Workspace, dict[str, datetime], Ends]:
    """Write a shop at random, with ties on every edge: all happens on days that are multiples of five or the next."""
    dice = random.Random(seed)
    customers = {f"c{n}": START + DAY * dice.choice(range(1, 160, 5)) for n in range(30)}
    ends = set()
    for name, since in customers.items():
        for _ in range(dice.choice([0, 1, 3, 6])):
            at = since + DAY * dice.choice([0, 1, *range(5, 150, 5)])
            ends.add((name, at, dice.choice(["order"] * 4 + ["left", "asked"]), dice.choice([None, 10, 20, 30])))
    lines = [f"{name},{since}" for name, since in customers.items()]
    (folder / "customers.csv").write_text("\n".join(["id,since", *lines]) + "\n")
    rows = sorted(ends, key=str)
    lines = [f"{name},{at},{what},{'' if amount is None else amount}" for name, at, what, amount in rows]
    (folder / "ends.csv").write_text("\n".join(["id,at,what,amount", *lines]) + "\n")
    lines = [line for line in lines if ",order," in line]
    (folder / "orders.csv").write_text("\n".join(["id,at,what,amount", *lines]) + "\n")
    (folder / "leadlight.yaml").write_text(spec)
    workspace = Workspace(folder, now=lambda: UNTIL)
    workspace.ingest()
    return workspace, customers, rows


def table_of(workspace: Workspace, until: datetime = UNTIL, outcome: str | None = None, most: int = 10**6) -> Training:
    with workspace.store() as engine:
        resolved = workspace._ready(engine).toward(outcome)
        return training(engine, resolved, candidates(engine, resolved), until, most_rows=most)


def rows_of(workspace: Workspace, table: Training) -> dict[tuple[str, datetime], tuple[bool, float | None]]:
    with workspace.store() as engine:
        name_of = dict(engine.rows("SELECT lead, id FROM leads"))
    examples = table.examples
    return {
        (name_of[lead], as_of): (bool(won), None if np.isnan(worth) else worth)
        for lead, as_of, won, worth in zip(
            examples.lead.tolist(), table.as_of.to_pylist(), examples.won, examples.worth, strict=True
        )
    }


def steps(since: datetime, until: datetime) -> list[datetime]:
    return [since + step for step in (timedelta(0), DAY, 7 * DAY, 30 * DAY)]


def grid(since: datetime, until: datetime) -> list[datetime]:
    moments = [until - HORIZON - 20 * DAY * n for n in range(-10, 40)]
    return [moment for moment in moments if since <= moment]


Row = tuple[str, datetime, str, int | None]


def expected(
    customers: dict[str, datetime],
    ends: Ends,
    moments: Callable[[datetime, datetime], list[datetime]],
    *,
    until: datetime = UNTIL,
    win: Callable[[Row], bool] = lambda row: row[2] == "order",
    closes: Callable[[Row], bool] = lambda row: row[2] == "left",
    repeats: bool = True,
) -> dict[tuple[str, datetime], tuple[bool, float | None]]:
    """The labels by loops: (customer, moment) → (won, worth)."""
    found = {}
    for name, since in customers.items():
        own = [row for row in ends if row[0] == name]
        for moment in moments(since, until):
            if moment + HORIZON > until or any(closes(row) and row[1] <= moment for row in own):
                continue
            wins = [row for row in own if win(row) and moment < row[1] <= moment + HORIZON]
            worth = [row[3] for row in wins if row[3] is not None]
            found[name, moment] = (bool(wins), (sum if repeats else max)(worth) if worth else None)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_wins_that_repeat_are_those_a_loop_finds(tmp_path: Path, seed: int) -> None:
    workspace, customers, ends = shop(tmp_path, seed, REPEATS + MOMENTS)
    assert rows_of(workspace, table_of(workspace)) == expected(customers, ends, steps)


@pytest.mark.parametrize("seed", range(4))
def test_moments_on_a_grid_are_those_a_loop_finds(tmp_path: Path, seed: int) -> None:
    workspace, customers, ends = shop(tmp_path, seed, REPEATS + EVERY)
    found = rows_of(workspace, table_of(workspace))
    assert found == expected(customers, ends, grid)
    assert max(moment for _, moment in found) == UNTIL - HORIZON
    assert any(moment == customers[name] for name, moment in found)  # a tie: it exists from then on


@pytest.mark.parametrize("seed", range(3))
def test_each_of_several_outcomes_has_its_own_wins_and_ends(tmp_path: Path, seed: int) -> None:
    workspace, customers, ends = shop(tmp_path, seed, SOURCES + NAMED + EVERY)
    left = expected(
        customers, ends, grid, win=lambda row: row[2] == "left", closes=lambda row: row[2] == "left", repeats=False
    )
    assert rows_of(workspace, table_of(workspace, outcome="left")) == left
    big = lambda row: row[2] == "order" and (row[3] or 0) >= 20  # noqa: E731
    first = expected(customers, ends, grid, win=big, closes=big, repeats=False)
    assert rows_of(workspace, table_of(workspace, outcome="first")) == first
    assert rows_of(workspace, table_of(workspace, outcome="order")) == expected(customers, ends, grid)


def test_what_came_after_the_moment_changes_nothing(tmp_path: Path) -> None:
    workspace, *_ = shop(tmp_path, 1, REPEATS + EVERY)
    until = datetime(2026, 4, 2)
    before = table_of(workspace, until)
    ends = "c1,2026-04-02 00:00:01,order,99\nc2,2026-05-01,left,\n"
    files = {"ends.csv": ends, "orders.csv": "c1,2026-04-03,order,9\n"}
    for name, more in files.items():
        (tmp_path / name).write_text((tmp_path / name).read_text() + more)
    workspace.ingest()
    after = table_of(workspace, until)
    assert rows_of(workspace, after) == rows_of(workspace, before)
    assert after.examples.features.equals(before.examples.features)


def test_a_win_at_the_moment_is_history_and_one_at_the_end_counts(tmp_path: Path) -> None:
    shop(tmp_path, 1, REPEATS + EVERY)
    last = UNTIL - HORIZON
    (tmp_path / "customers.csv").write_text(f"id,since\na,{last}\nb,{last}\nc,{last}\nd,{last + DAY}\n")
    ends = f"a,{last},order,5\nb,{UNTIL},order,7\nb,{UNTIL - DAY},order,8\nc,{last},left,\nd,{UNTIL},order,1\n"
    (tmp_path / "ends.csv").write_text("id,at,what,amount\n" + ends)
    (tmp_path / "orders.csv").write_text("id,at,what,amount\n" + ends.splitlines()[0] + "\n")
    (tmp_path / "leadlight.duckdb").unlink()
    fresh = Workspace(tmp_path, now=lambda: UNTIL)
    fresh.ingest()
    assert rows_of(fresh, table_of(fresh)) == {("a", last): (False, None), ("b", last): (True, 15.0)}


def test_rows_too_young_to_know_go_on_along_the_grid(tmp_path: Path) -> None:
    workspace, customers, ends = shop(tmp_path, 2, REPEATS + EVERY)
    with workspace.store() as engine:
        rows = past_rows(engine, workspace._ready(engine), UNTIL, unsettled=True)
    young = rows.as_of.filter(np.asarray(~rows.settled)).unique().to_pylist()
    assert young == [UNTIL - HORIZON + 20 * DAY]
    settled = rows.take(rows.settled)
    assert len(settled.lead) == len(expected(customers, ends, grid))


def test_of_many_looks_whole_leads_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, *_ = shop(tmp_path, 3, REPEATS + EVERY)
    everyone = table_of(workspace)
    with workspace.store() as engine:
        found = grid_of(engine, 20 * DAY, until=UNTIL, horizon=HORIZON)
        looks = engine.rows(found.moments(), found.parameters)
    assert len(looks) == found.looks
    monkeypatch.setattr(training_module, "MOST_LOOKS", found.looks // 2)
    some = table_of(workspace)
    assert some.counts.share == pytest.approx(0.5, abs=0.01)
    assert 0 < some.counts.leads < everyone.counts.leads
    fewer = table_of(workspace, most=some.counts.rows // 2)
    assert set(fewer.examples.lead.tolist()) < set(some.examples.lead.tolist()) < set(everyone.examples.lead.tolist())
    for lead in np.unique(some.examples.lead):
        assert (some.examples.lead == lead).sum() == (everyone.examples.lead == lead).sum()


def test_what_makes_no_sense_is_said(tmp_path: Path) -> None:
    workspace, *_ = shop(tmp_path, 0, REPEATS)
    with workspace.store() as engine, pytest.raises(UsageError, match=r"makes \d+,\d+ moments"):
        grid_of(engine, timedelta(minutes=1), until=UNTIL, horizon=HORIZON)
    undated = REPEATS.replace("ends.csv, lead: id, at: at", "ends.csv, lead: id")
    (tmp_path / "leadlight.yaml").write_text(undated)
    (tmp_path / "leadlight.duckdb").unlink()
    fresh = Workspace(tmp_path, now=lambda: UNTIL)
    fresh.ingest()
    with pytest.raises(UsageError, match="where wins repeat"):
        table_of(fresh)


def test_outcomes_without_a_time_stand_beside_those_with_one(tmp_path: Path) -> None:
    """A flag in the file of customers is an outcome that has come some time after; it closes nothing for orders."""
    flags = SOURCES.replace("created_at: since}", "created_at: since, outcome: status}")
    named = NAMED + "  vip: {win: \"outcome = 'vip'\", lose: \"outcome = 'plain'\", horizon: 30d}\n"
    _, customers, ends = shop(tmp_path, 1, SOURCES + NAMED + EVERY)
    orders = expected(customers, ends, grid)
    lines = (tmp_path / "customers.csv").read_text().splitlines()
    flagged = [f"{line},{('vip', 'plain')[number % 2]}" for number, line in enumerate(lines[1:])]
    (tmp_path / "customers.csv").write_text("\n".join([lines[0] + ",status", *flagged]) + "\n")
    (tmp_path / "leadlight.yaml").write_text(flags + named + EVERY)
    fresh = Workspace(tmp_path, now=lambda: UNTIL)
    fresh.ingest()
    assert rows_of(fresh, table_of(fresh, outcome="order")) == orders
    vip = rows_of(fresh, table_of(fresh, outcome="vip"))
    there = [name for name, since in customers.items() if since <= UNTIL]
    assert vip == {(name, customers[name]): (int(name[1:]) % 2 == 0, None) for name in there}
    with fresh.store() as engine:
        resolved = fresh._ready(engine)
        with past_cases(engine, resolved.toward("order"), UNTIL, []) as cases:
            assert (cases.dated, cases.count > 10) == (True, True)
        with past_cases(engine, resolved.toward("vip"), UNTIL, []) as cases:
            assert (cases.dated, cases.count, cases.ages) == (False, len(there), (timedelta(0),))
