"""Who is due: nobody else's score moves between two moments in which nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.engines.base import Engine
from leadlight.expr.build import to_text
from leadlight.scorecards.due import due_statement, moves_by_itself
from leadlight.spec.models import GradesSpec
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.store.names import catalog
from leadlight.workspace import Workspace
from reference.compare import score_faults
from reference.effort import tries
from reference.engine import DuckDBTables, at, compiled
from reference.scorer import Scored, Scores
from reference.worlds import EVENT_KINDS, WINDOWS, Theme, examples

FEATURES = ("attribute", "expr", "age", "until", "after", "account", *EVENT_KINDS)
CRITERIA = ("category", "bands", "pair", "event", "event", "when")
LATER = st.sampled_from([*WINDOWS.values(), timedelta(microseconds=1), timedelta(minutes=5), timedelta(days=400)])


@pytest.fixture(scope="module")
def tables():
    tables = DuckDBTables()
    yield tables
    tables.close()


def hold(example, later, tables) -> None:
    """Score at both moments; whoever is not due must have the same."""
    since = example.moments[0]
    until = since + later
    ready = compiled(example)
    example = replace(example, world=replace(example.world, grade_history=tuple(
        row for row in example.world.grade_history if row.at <= since)))  # fmt: skip
    with tables.loaded(example.world) as store:
        before, after = (alike(ready.scores(store, at(moment))) for moment in (since, until))
        due = due_statement(ready.workspace, ready.scorecard, since, until)
        keys = {row["lead"] for row in store.rows(to_text(due, "duckdb"))}
        if ready.scorecard.spec.of == "account":
            keys = {row["account"] for row in store.rows("SELECT lead, account FROM attributes") if row["lead"] in keys}
    kept = [{key: found for key, found in scores.items() if key not in keys} for scores in (before, after)]
    assert score_faults(Scores(kept[0], frozenset()), kept[1]) == []


def alike(scores):
    return {key: without_since(found) for key, found in scores.items()}


def without_since(found: Scored) -> Scored:
    """A level entered at the moment of the score itself is entered at another one later."""
    return replace(found, since=())


@tries(27)
@given(
    example=examples(Theme(features=("count", "trend", "share", "recency"), criteria=("bands", "event"))), later=LATER
)
def test_of_windows(example, later, tables):
    hold(example, later, tables)


@tries(27)
@given(example=examples(Theme(features=FEATURES, criteria=CRITERIA, grades=True)), later=LATER)
def test_of_leads(example, later, tables):
    hold(example, later, tables)


@tries(27)
@given(example=examples(Theme(features=FEATURES, criteria=CRITERIA, accounts=True, grades=True)), later=LATER)
def test_of_leads_in_accounts(example, later, tables):
    hold(example, later, tables)


@tries(27)
@given(
    example=examples(Theme(features=FEATURES, criteria=CRITERIA, accounts=True, of="account", grades=True)), later=LATER
)
def test_of_accounts(example, later, tables):
    hold(example, later, tables)


# ------------------------------------------------------------------------------------------ what is due, case by case

WORKSPACE = """
store: duckdb:due.duckdb
sources:
  leads: {csv: leads.csv, id: id, created_at: created, account: firm}
  firms: {csv: firms.csv, account: firm, known_at: known}
  events: {csv: events.csv, lead: lead, type: type, at: at}
  deals: {csv: deals.csv, lead: lead, at: closed, outcome: stage}
outcome: {win: "stage = 'won'", horizon: 30d}
features:
  visits_30d: {count: visit, within: 30d}
  visit_trend: {trend: visit, within: 15d}
  days_quiet: {recency: visit}
  days_known: {age: created_at}
  days_left: {until: renewal}
  reply_due: {after: renewal, plus: 2d}
  days_to_reply: {until: reply_due}
  warmth: {decayed: visit, half_life: 1h}
  firm_visits: {account: {count: visit, within: 30d}}
  firm_quiet: {account: {recency: visit}}
  oldest: {account: {max: days_known}}
"""

CARDS = {
    "nothing": ("{feature: job, points: {vp: 5}}", "new later"),
    "nothing_timed": ("{event: visit, points: 1, where: \"path = '/p'\"}", "new later"),
    "window": ("{event: visit, points: 1, within: 30d}", "leaves new later"),
    "window_of_another": ("{event: buy, points: 1, within: 30d}", "new later"),
    "window_of_few": ("{event: visit, points: 1, within: 30d, where: \"path = '/p'\"}", "new later"),
    "window_of_a_feature": ("{feature: visits_30d, bands: [[0, 1, 0], [1, null, 2]]}", "leaves new later"),
    "halves": ("{feature: visit_trend, bands: [[null, 0, 0], [0, null, 2]], missing: 0}", "leaves halfway new later"),
    "fades": ("{event: visit, points: 1, half_life: 14d}", "leaves halfway quiet new later"),
    "has_faded": ("{feature: warmth, bands: [[0, 1, 0], [1, null, 2]]}", "new later"),
    "line": ("{feature: days_quiet, bands: [[0, 61, 0], [61, null, -2]], missing: 0}", "quiet new later"),
    "line_in_words": ("{when: days_quiet > 61 and days_known is not null, points: 1}", "quiet new later"),
    "sum": ("{when: days_quiet + 1 > 61, points: 1}", "leaves halfway quiet new later"),
    "age": ("{feature: days_known, bands: [[0, 100, 1], [100, null, 0]]}", "aged new later"),
    "every_age": ("{when: days_known * 2 > 100, points: 1}", "*"),
    "as_of": ("{when: month(as_of) = 3, points: 1}", "*"),
    "left": ("{feature: days_left, bands: [[null, 10, 4], [10, null, 0]], missing: 0}", "renews new later"),
    "left_to_reply": ("{feature: days_to_reply, bands: [[null, 12, 4], [12, null, 0]]}", "renews new later"),
    "lost": ("{when: outcome = 'lost', points: -5}", "closed new later"),
    "firm": ("{feature: firm_visits, bands: [[0, 1, 0], [1, null, 2]]}", "leaves mate new later"),
    "firm_line": ("{feature: firm_quiet, bands: [[0, 30, 0], [30, null, 2]], missing: 0}", "leaves mate new later"),
    "firm_age": ("{feature: oldest, bands: [[0, 30, 0], [30, null, 2]], missing: 0}", "*"),
    "of_window": ("{event: visit, points: 1, within: 30d}", "leaves new later"),
    "of_nothing": ("{feature: size, points: {big: 2}}", "new later"),
    "firm_known": ("{feature: size, points: {big: 2}}", "later new"),
}  # fmt: skip
SINCE, UNTIL = datetime(2026, 3, 1), datetime(2026, 3, 2)

LEADS = """id,created,firm,job,renewal
leaves,2026-01-01,acme,vp,
mate,2026-01-01,acme,,
halfway,2026-01-01,,,
quiet,2026-01-01,,,
aged,2025-11-21 12:00,,,
renews,2026-01-01,,,2026-03-11 12:00
closed,2026-01-01,,,
new,2026-03-01 12:00,,,
later,2026-01-01,late,,
"""
FIRMS = """firm,known,size
acme,2026-01-01,small
late,2026-03-01 12:00,big
"""
EVENTS = """lead,type,at,path
leaves,visit,2026-01-30 12:00,/
halfway,visit,2026-02-14 12:00,/
quiet,visit,2025-12-30 12:00,/
leaves,buy,2025-12-01,/p
"""
DEALS = """lead,closed,stage
closed,2026-03-01 12:00,lost
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, ResolvedWorkspace]]:
    folder = tmp_path_factory.mktemp("due")
    (folder / "scorecards").mkdir()
    files = {
        "leadlight.yaml": WORKSPACE,
        "leads.csv": LEADS,
        "firms.csv": FIRMS,
        "events.csv": EVENTS,
        "deals.csv": DEALS,
    }
    for name, (criterion, _) in CARDS.items():
        of = "account" if name.startswith("of_") else "lead"
        body = criterion.removeprefix("{")
        files[f"scorecards/{name}.yaml"] = f"of: {of}\ngroups: {{all: {{criteria: [{{name: One, {body}]}}}}\n"
    for name, text in files.items():
        Path(folder / name).write_text(text.lstrip())
    workspace = Workspace(folder)
    workspace.ingest()
    with workspace.store(write=True) as engine:
        yield engine, workspace._resolved(catalog(engine))[0]


@pytest.mark.parametrize("name", CARDS)
def test_who_is_due(shop: tuple[Engine, ResolvedWorkspace], name: str) -> None:
    engine, workspace = shop
    due = due_statement(workspace, workspace.scorecards[name], SINCE, UNTIL)
    found = {row[0] for row in engine.rows(f"SELECT id FROM leads WHERE lead IN ({to_text(due, 'duckdb')})")}
    everybody = {line.partition(",")[0] for line in LEADS.splitlines()[1:]}
    assert found == (everybody if CARDS[name][1] == "*" else set(CARDS[name][1].split()))


def test_points_that_do_not_move_by_themselves(shop: tuple[Engine, ResolvedWorkspace]) -> None:
    _, workspace = shop
    still = {name for name, card in workspace.scorecards.items() if not moves_by_itself(workspace, card)}
    assert still == {"nothing", "firm_known", "of_nothing"}


def test_a_grade_that_was_only_held(shop: tuple[Engine, ResolvedWorkspace]) -> None:
    engine, workspace = shop
    card = workspace.scorecards["nothing"]
    grades = GradesSpec.model_validate({"score": {"A": 5, "B": None}, "hysteresis": {"dwell": "30d"}})
    card = replace(card, spec=card.spec.model_copy(update={"grades": grades}))
    due = f"SELECT id FROM leads WHERE lead IN ({to_text(due_statement(workspace, card, SINCE, UNTIL), 'duckdb')})"
    assert {row[0] for row in engine.rows(due)} == {"new", "later"}
    with engine.transaction():
        engine.execute(
            'INSERT INTO grade_history (run, scorecard, version, "at", lead, grade, level_1, since_1, silent) '
            "SELECT 1, 'nothing', '1', since_1, lead, 'A', 'A', since_1, false FROM (SELECT lead, CASE id WHEN 'mate' "
            "THEN TIMESTAMP '2026-01-30 12:00' ELSE TIMESTAMP '2026-01-28' END AS since_1 FROM leads "
            "WHERE id IN ('mate', 'quiet'))"
        )
    assert {row[0] for row in engine.rows(due)} == {"mate", "new", "later"}
