"""What no score needs: taken out, scores stay, now and later."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.build import to_text
from leadlight.scorecards.reach import going, reaches
from reference.compare import score_faults
from reference.effort import tries
from reference.engine import DuckDBTables, at, compiled
from reference.scorer import Scores
from reference.worlds import EVENT_KINDS, Theme, examples

FEATURES = ("attribute", "expr", "account", *EVENT_KINDS)
CRITERIA = ("bands", "event", "event", "when")
LATER = (timedelta(0), timedelta(days=7), timedelta(days=300))


@pytest.fixture(scope="module")
def tables():
    tables = DuckDBTables()
    yield tables
    tables.close()


def hold(example, tables) -> None:
    floor, ready = example.moments[0], compiled(example)
    with tables.loaded(example.world) as store:
        engine: DuckDBEngine = tables._engine
        before = [ready.scores(store, at(floor + later)) for later in LATER]
        condition = to_text(going(reaches(ready.workspace), floor), "duckdb")
        engine.execute(f"DELETE FROM events WHERE {condition}")
        for later, expected in zip(LATER, before, strict=True):
            found = ready.scores(store, at(floor + later))
            assert score_faults(Scores(expected, frozenset()), found) == []


@tries(25)
@given(example=examples(Theme(features=FEATURES, criteria=CRITERIA)))
def test_scores_of_leads_stay(example, tables):
    hold(example, tables)


@tries(17)
@given(example=examples(Theme(features=("count", "trend", "decayed", "recency"), criteria=("event", "bands"))))
def test_scores_by_windows_stay(example, tables):
    hold(example, tables)


@tries(17)
@given(example=examples(Theme(features=FEATURES, criteria=CRITERIA, accounts=True, of="account")))
def test_scores_of_accounts_stay(example, tables):
    hold(example, tables)
