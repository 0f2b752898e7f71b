"""The compiled statement against the naive reference, on thousands of small nasty workspaces."""

from __future__ import annotations

import pytest
from hypothesis import given

from reference.compare import feature_faults, score_faults
from reference.effort import tries
from reference.engine import DuckDBTables, at, compiled
from reference.worlds import EVENT_KINDS, SCORECARD, Example, Theme, examples

OF_LEADS = ("attribute", "expr", "age", "until", "after", *EVENT_KINDS)
OVER_ACCOUNTS = ("account", "account", "account", "count", "expr")
OF_ACCOUNTS = ("attribute", "expr", "age", "account", "account", *EVENT_KINDS)


@pytest.fixture(scope="module")
def tables():
    with_enum, with_text = DuckDBTables(), DuckDBTables(enum=False)
    yield lambda example: with_text if len(example.world.events) % 3 == 0 else with_enum
    with_enum.close()
    with_text.close()


def check_features(example: Example, tables) -> None:
    """Hold every feature of everybody who exists together: its value, its type, whether it is missing."""
    moment, scorer, ready = example.moments[0], example.scorer(), compiled(example)
    expected = {
        subject: {name: value_of(example.workspace.features[name], who, moment) for name in example.feature_types}
        for subject, who, value_of in subjects(example, scorer)
    }
    with tables(example).loaded(example.world) as store:
        assert feature_faults(expected, ready.features(store, at(moment))) == []


def check_scores(example: Example, tables) -> None:
    """Hold every contribution, cap, group, score, grade, gate and exclusion together."""
    moment, ready = example.moments[0], compiled(example)
    expected = example.scorer().score(SCORECARD, example.scorecard, moment)
    with tables(example).loaded(example.world) as store:
        assert score_faults(expected, ready.scores(store, at(moment))) == []
        if example.workspace.exclude is not None:
            everybody = ready.scores(store, at(moment), excluded=True)
            assert everybody.keys() == expected.scored.keys() | expected.excluded


def subjects(example: Example, scorer):
    moment = example.moments[0]
    if example.scorecard.of == "account":
        return [(account, account, scorer.account_feature) for account in scorer.accounts(moment)]
    return [(lead.lead, lead, scorer.lead_feature) for lead in scorer.leads(moment)]


EVERYTHING = ("category", "bands", "pair", "event", "event", "when")


@pytest.mark.slow
@tries(300)
@given(example=examples(Theme(features=OF_LEADS)))
def test_features_of_leads(example, tables):
    check_features(example, tables)


@pytest.mark.slow
@tries(250)
@given(example=examples(Theme(features=OVER_ACCOUNTS, accounts=True)))
def test_features_over_accounts(example, tables):
    check_features(example, tables)


@tries(150)
@given(example=examples(Theme(features=OF_ACCOUNTS, accounts=True, of="account")))
def test_features_of_accounts(example, tables):
    check_features(example, tables)


@pytest.mark.slow
@tries(200)
@given(example=examples(Theme(features=("attribute", "count", "avg", "age"), criteria=("category", "bands", "pair"))))
def test_points_by_value_and_caps(example, tables):
    check_scores(example, tables)


@pytest.mark.slow
@tries(200)
@given(example=examples(Theme(features=("expr", "count", "recency"), criteria=("when",))))
def test_points_by_condition_and_exclusion(example, tables):
    check_scores(example, tables)


@pytest.mark.slow
@tries(250)
@given(example=examples(Theme(criteria=("event",))))
def test_points_by_event(example, tables):
    check_scores(example, tables)


@pytest.mark.slow
@tries(200)
@given(example=examples(Theme(features=("attribute", "count"), criteria=("category", "event"), grades=True)))
def test_grades_gates_and_probability(example, tables):
    check_scores(example, tables)


@pytest.mark.slow
@tries(150)
@given(example=examples(Theme(features=OF_ACCOUNTS, criteria=EVERYTHING, of="account", accounts=True, grades=True)))
def test_scores_of_accounts(example, tables):
    check_scores(example, tables)


@tries(130)
@given(example=examples(Theme(features=OF_ACCOUNTS, criteria=EVERYTHING, accounts=True, grades=True)))
def test_everything_at_once(example, tables):
    check_features(example, tables)
    check_scores(example, tables)
