"""The compiled statement against the naive reference, on thousands of small nasty workspaces."""

from __future__ import annotations

import pytest
from hypothesis import given

from reference.compare import feature_faults, score_faults
from reference.effort import tries
from reference.engine import DuckDBTables, at, compiled
from reference.worlds import EVENT_KINDS, SCORECARD, Example, Theme, examples

OF_LEADS = ("attribute", "expr", "age", *EVENT_KINDS)
OF_ACCOUNTS = ("attribute", "expr", "age", "account", "account", *EVENT_KINDS)


@pytest.fixture(scope="module")
def tables():
    with_enum, with_text = DuckDBTables(), DuckDBTables(enum=False)
    yield lambda example: with_text if len(example.world.events) % 3 == 0 else with_enum
    with_enum.close()
    with_text.close()


def check(example: Example, tables) -> None:
    """Hold every feature, contribution, group, score, grade, gate and exclusion of an example together."""
    moment, scorer, ready = example.moments[0], example.scorer(), compiled(example)
    expected = scorer.score(SCORECARD, example.scorecard, moment)
    features = {
        subject: {name: value_of(example.workspace.features[name], who, moment) for name in example.feature_types}
        for subject, who, value_of in subjects(example, scorer)
    }
    with tables(example).loaded(example.world) as store:
        assert feature_faults(features, ready.features(store, at(moment))) == []
        assert score_faults(expected, ready.scores(store, at(moment))) == []
        everybody = ready.scores(store, at(moment), excluded=True)
        assert everybody.keys() == expected.scored.keys() | expected.excluded


def subjects(example: Example, scorer):
    moment = example.moments[0]
    if example.scorecard.of == "account":
        return [(account, account, scorer.account_feature) for account in scorer.accounts(moment)]
    return [(lead.lead, lead, scorer.lead_feature) for lead in scorer.leads(moment)]


@tries(350)
@given(example=examples(Theme(features=OF_LEADS, groups=1)))
def test_features_of_leads(example, tables):
    check(example, tables)


@tries(250)
@given(example=examples(Theme(features=OF_ACCOUNTS, groups=1, accounts=True)))
def test_features_over_accounts(example, tables):
    check(example, tables)


@tries(250)
@given(example=examples(Theme(features=("attribute", "count", "avg", "age"), criteria=("category", "bands", "pair"))))
def test_points_by_value_and_caps(example, tables):
    check(example, tables)


@tries(200)
@given(example=examples(Theme(features=("expr", "count", "recency"), criteria=("when",))))
def test_conditions(example, tables):
    check(example, tables)


@tries(300)
@given(example=examples(Theme(criteria=("event",))))
def test_points_by_event(example, tables):
    check(example, tables)


@tries(200)
@given(example=examples(Theme(features=("attribute", "count"), criteria=("category", "event"), grades=True)))
def test_grades_gates_and_probability(example, tables):
    check(example, tables)


EVERYTHING = ("category", "bands", "pair", "event", "when")


@tries(250)
@given(example=examples(Theme(features=OF_ACCOUNTS, criteria=EVERYTHING, of="account", accounts=True, grades=True)))
def test_scores_of_accounts(example, tables):
    check(example, tables)


@tries(200)
@given(example=examples(Theme(features=OF_ACCOUNTS, criteria=EVERYTHING, accounts=True, grades=True)))
def test_everything_at_once(example, tables):
    check(example, tables)
