"""The printed SQL, run by a real PostgreSQL on tables of the documented shape, gives what DuckDB gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.features.moment import Moment
from reference.compare import feature_faults, score_faults
from reference.effort import tries
from reference.engine import PAIRS, DuckDBTables, PostgresTables, at, compiled
from reference.scorer import Scores
from reference.worlds import EVENT_KINDS, Theme, examples

FEATURES = ("attribute", "expr", "age", "until", "after", "account", *EVENT_KINDS)
CRITERIA = ("category", "bands", "pair", "event", "event", "when")
LEADS = Theme(features=FEATURES, criteria=CRITERIA, accounts=True, grades=True)
ACCOUNTS = replace(LEADS, of="account")
EXPRESSIONS = Theme(features=("expr",), criteria=("when",))


@pytest.fixture(scope="module")
def both(postgres_uri):
    duckdb, postgres = DuckDBTables(), PostgresTables(postgres_uri)
    yield duckdb, postgres
    duckdb.close()
    postgres.close()


def answers(tables, example, pairs=()):
    """Features and scores of one engine, for one moment or for pairs."""
    ready = compiled(example)
    moment = Moment(table=PAIRS) if pairs else at(example.moments[0])
    with tables.loaded(example.world) as store:
        store.fill(PAIRS, [{"lead": lead, "as_of": moment} for lead, moment in pairs])
        return ready.features(store, moment), ready.scores(store, moment)


def check(example, both, pairs=()):
    (features, scores), (their_features, their_scores) = (answers(tables, example, pairs) for tables in both)
    assert feature_faults(features, their_features) == []
    assert score_faults(Scores(scores), their_scores) == []


@tries(80)
@given(example=st.one_of(examples(LEADS), examples(ACCOUNTS)))
def test_scores_and_features(example, both):
    check(example, both)


@pytest.mark.slow
@tries(80)
@given(example=examples(EXPRESSIONS))
def test_conditions_and_expressions(example, both):
    check(example, both)


@tries(40)
@given(example=st.one_of(examples(LEADS), examples(ACCOUNTS)), one_in=st.integers(1, 3))
def test_only_those_in_a_table(example, both, one_in):
    ready, moment, of = compiled(example), at(example.moments[0]), example.scorecard.of
    for tables in both:
        with tables.loaded(example.world) as store:
            everybody = ready.scores(store, moment)
            some = sorted(everybody)[::one_in]
            store.fill(PAIRS, [{of: key} for key in some])
            found = ready.scores(store, replace(moment, only_in=PAIRS))
        assert score_faults(Scores({key: everybody[key] for key in some}), found) == []


@tries(30)
@given(example=examples(replace(LEADS, moments=2)))
def test_one_moment_per_lead(example, both):
    check(example, both, [(lead.lead, moment) for lead in example.world.leads for moment in example.moments])
