"""A score as of T uses only what was known at T, in every form of asking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.features.moment import Moment
from reference.compare import feature_faults, score_faults
from reference.effort import tries
from reference.engine import PAIRS, DuckDBTables, at, compiled
from reference.scorer import Scores
from reference.worlds import EVENT_KINDS, SCORECARD, Theme, examples, later_rows

FEATURES = ("attribute", "expr", "age", "until", "after", "account", *EVENT_KINDS)
CRITERIA = ("category", "bands", "pair", "event", "event", "when")
LEADS = Theme(features=FEATURES, criteria=CRITERIA, accounts=True, grades=True)
ACCOUNTS = replace(LEADS, of="account")
MANY_MOMENTS = replace(LEADS, moments=3)


@pytest.fixture(scope="module")
def tables():
    tables = DuckDBTables()
    yield tables
    tables.close()


@tries(40)
@given(data=st.data(), example=st.one_of(examples(LEADS), examples(ACCOUNTS)))
def test_what_came_after_changes_nothing(data, example, tables):
    moment, ready = at(example.moments[0]), compiled(example)
    with tables.loaded(example.world) as store:
        features, scores = ready.features(store, moment), ready.scores(store, moment)
    with tables.loaded(data.draw(later_rows(example))) as store:
        assert feature_faults(features, ready.features(store, moment)) == []
        assert score_faults(Scores(scores), ready.scores(store, moment)) == []


@tries(40)
@given(data=st.data(), example=examples(MANY_MOMENTS))
def test_one_moment_per_lead_gives_what_each_moment_gives(data, example, tables):
    everyone = [(lead.lead, moment) for lead in example.world.leads for moment in example.moments]
    pairs = data.draw(st.lists(st.sampled_from(everyone), unique=True)) if everyone else []
    ready, by_pair = compiled(example), Moment(table=PAIRS)
    with tables.loaded(example.world) as store:
        store.fill(PAIRS, [{"lead": lead, "as_of": moment} for lead, moment in pairs])
        features, scores = {}, {}
        for moment in example.moments:
            for kept, found in (
                (features, ready.features(store, at(moment))),
                (scores, ready.scores(store, at(moment))),
            ):
                kept |= {(lead, moment): value for lead, value in found.items() if (lead, moment) in pairs}
        assert feature_faults(features, ready.features(store, by_pair)) == []
        assert score_faults(Scores(scores), ready.scores(store, by_pair)) == []


@tries(40)
@given(data=st.data(), example=st.one_of(examples(LEADS), examples(ACCOUNTS)))
def test_asking_for_some_gives_what_asking_for_all_gives(data, example, tables):
    moment, ready = example.moments[0], compiled(example)
    with tables.loaded(example.world) as store:
        everybody = ready.scores(store, at(moment))
        only = data.draw(st.lists(st.sampled_from([*everybody]), unique=True)) if everybody else []
        wanted, some = Scores({key: everybody[key] for key in only}), Moment(as_of=moment, only=only)
        assert score_faults(wanted, ready.scores(store, some)) == []
        if only:  # with nobody to ask for, nothing is prepared
            assert score_faults(wanted, ready.scores(store, replace(some, prepared=True))) == []


@tries(40)
@given(data=st.data(), example=st.one_of(examples(LEADS), examples(ACCOUNTS)))
def test_events_can_be_hidden_from_an_earlier_moment_on(data, example, tables):
    moment, ready = example.moments[0], compiled(example)
    back = [timedelta(0), timedelta(microseconds=1), timedelta(days=1), timedelta(days=30), timedelta(days=500)]
    until = moment - data.draw(st.sampled_from(back))
    known = replace(example.world, events=[event for event in example.world.events if event.at <= until])
    expected = example.scorer(known).score(SCORECARD, example.scorecard, moment)
    with tables.loaded(example.world) as store:
        found = ready.scores(store, Moment(as_of=moment, events_until=until))
        assert score_faults(expected, found) == []
