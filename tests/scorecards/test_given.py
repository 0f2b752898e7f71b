"""The statement over given rows against the same statement over tables, and what makes it fast."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from tests.scorecards.shop import NOW

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.scorecards.compile import Options
from leadlight.scorecards.given import MEMBERS, given_statement
from leadlight.workspace import Workspace
from reference.compare import score_faults
from reference.effort import tries
from reference.engine import DuckDBTables, Store, at, compiled, table_rows
from reference.scorer import Scores
from reference.worlds import EVENT_KINDS, Theme, examples

FEATURES = ("attribute", "expr", "age", "until", "after", "account", *EVENT_KINDS)
CRITERIA = ("category", "bands", "pair", "event", "event", "when")
LEADS = Theme(features=FEATURES, criteria=CRITERIA, accounts=True, grades=True)
ACCOUNTS = Theme(features=FEATURES, criteria=CRITERIA, accounts=True, grades=True, of="account")


@pytest.fixture(scope="module")
def tables():
    tables = DuckDBTables()
    yield tables
    tables.close()


def check(example, tables) -> None:
    """Score given rows by one statement, at two moments; and the same from tables."""
    ready, rows, moment = compiled(example), table_rows(example.world), example.moments[0]
    asked = given_statement(ready.workspace, ready.scorecard)
    engine = DuckDBEngine(None)
    try:
        for time in (moment, moment + timedelta(days=20)):
            found = engine.prepared(asked.text, asked.parameters(rows, time))
            answer = Store("", lambda _, found=found: found, engine.prepared, lambda *_: None)
            given_scores = ready.scores(answer, at(time), past=False)
            with tables.loaded(example.world) as store:
                expected = ready.scores(store, at(time), past=False)
            assert score_faults(Scores(expected, frozenset()), given_scores) == []
    finally:
        engine.close()


@tries(30)
@given(example=examples(LEADS))
def test_given_leads_get_what_stored_ones_get(example, tables):
    check(example, tables)


@tries(17)
@given(example=examples(ACCOUNTS))
def test_given_accounts_get_what_stored_ones_get(example, tables):
    check(example, tables)


@tries(17)
@given(example=examples(LEADS))
def test_tables_without_rows_can_be_left_out(example):
    ready, rows, moment = compiled(example), table_rows(example.world), example.moments[0]
    some = {"leads": rows["leads"], "events": rows["events"],
            "attributes": [{**row, "account": None} for row in rows["attributes"]]}  # fmt: skip
    absent = ("outcomes", "account_attributes", MEMBERS)
    engine = DuckDBEngine(None)
    try:
        answers = []
        for without in ((), absent):
            asked = given_statement(ready.workspace, ready.scorecard, without=without)
            assert not {*asked.tables} & {*without}
            answers.append(sorted(map(repr, engine.prepared(asked.text, asked.parameters(some, moment)))))
    finally:
        engine.close()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("without", [(), ("outcomes", "account_attributes", MEMBERS)])
def test_the_plan_is_made_once(shop: Workspace, tmp_path: Path, without: tuple[str, ...]) -> None:
    resolved, _ = shop._resolved(shop._catalog())
    options = Options(evidence=True, excluded=True)
    asked = given_statement(resolved, resolved.scorecards["house"], options, without=without)
    engine = DuckDBEngine(None)
    engine.prepared(asked.text, asked.parameters({}, NOW))
    for setting in (
        "enable_profiling = 'json'",
        "profiling_mode = 'detailed'",
        f"profiling_output = '{tmp_path}/said.json'",
    ):
        engine.execute(f"SET {setting}")
    lead = {"leads": [{"lead": 1, "id": "it's", "created_at": NOW}]}
    (row,) = engine.prepared(asked.text, asked.parameters(lead, NOW))
    said = json.loads((tmp_path / "said.json").read_text())
    engine.close()
    assert row["id"] == "it's"
    assert "EXECUTE" in said["query"]["sql"]
    assert "total_time" not in said["optimizer"], "DuckDB planned the statement again"
