"""The reference against the design's own numbers, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from leadlight.spec.models import GradesSpec, ScorecardSpec, WorkspaceSpec
from reference.conditions import And, Compare, Const, In, Like, Name
from reference.scorer import (
    AccountAttributes,
    Attributes,
    Event,
    GradeChange,
    Lead,
    Scorer,
    World,
    clip,
    decay,
    next_level,
    probability,
)

T = datetime.fromisoformat("2026-03-12 12:00")
FOREVER = datetime.fromisoformat("9999-12-31")
DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
PRICING = "path like '/pricing%'"
MEANINGS = {
    PRICING: Like(Name("path"), "/pricing%"),
    "crm = 'salesforce' and employees > 50": And(
        (
            Compare("=", Name("crm"), Const("salesforce")),
            Compare(">", Name("employees"), Const(50)),
        )
    ),
    "email_domain in ('rival.com')": In(Name("email_domain"), (Const("rival.com"),)),
    "email like '%@ourselves.com'": Like(Name("email"), "%@ourselves.com"),
}
ATTRIBUTES = frozenset({"seniority", "employees", "crm", "email", "email_domain"})


def lead_row(lead=1, account=None, **values):
    return Attributes(lead, T - 100 * DAY, FOREVER, account, values)


def views(*ages, lead=1, kind="page_view", path="/pricing"):
    return [Event(lead, kind, T - age, {"path": path}) for age in ages]


def scorer(world, **spec):
    return Scorer(WorkspaceSpec.model_validate(spec), world, MEANINGS, ATTRIBUTES, frozenset({"industry"}))


def one_lead(*, events=(), **values):
    return World([Lead(1, "l1", T - 100 * DAY)], [lead_row(**values)], events=list(events))


def feature(spec, *events, **values):
    subject = scorer(one_lead(events=events, **values))
    return subject.lead_feature(
        WorkspaceSpec.model_validate({"features": {"f": spec}}).features["f"], subject.world.leads[0], T
    )


def score(criteria, *events, cap=(None, None), card=None, history=(), moment=T, **values):
    world = World([Lead(1, "l1", T - 100 * DAY)], [lead_row(**values)], events=list(events), grade_history=history)
    scorecard = ScorecardSpec.model_validate({"groups": {"fit": {"cap": cap, "criteria": criteria}}, **(card or {})})
    return scorer(world).score("house", scorecard, moment).scored[1]


# -------------------------------------------------------------------------------------------------------- features


@pytest.mark.parametrize(
    ("age", "weight"),
    [(timedelta(0), 1.0), (14 * DAY, 0.5), (28 * DAY, 0.25), (7 * DAY, 0.5**0.5), (14 * 5000 * DAY, 0.0)],
)
def test_decay_halves_with_every_half_life(age, weight):
    assert decay(age, 14 * DAY) == weight


@pytest.mark.parametrize(
    ("spec", "events", "value"),
    [
        ({"count": "page_view"}, views(DAY, DAY, -TICK), 2.0),
        ({"count": "page_view", "within": "30d"}, views(30 * DAY, 30 * DAY - TICK, timedelta(0)), 2.0),
        ({"count": "page_view", "where": PRICING}, views(DAY) + views(DAY, path="/") + views(DAY, path=None), 1.0),
        ({"count": "*"}, views(DAY) + views(DAY, kind="open"), 2.0),
        ({"count": "nothing"}, views(DAY), 0.0),
        ({"recency": "page_view"}, views(3 * DAY, 36 * HOUR, -DAY), 1.5),
        ({"recency": "open"}, views(DAY), None),
        ({"distinct": "page_view", "property": "path"}, views(DAY, 2 * DAY) + views(DAY, path=None), 1.0),
        ({"distinct": "open", "property": "path"}, views(DAY), 0.0),
        ({"share": "page_view", "where": PRICING}, views(DAY) + views(DAY, path="/") + views(DAY, path=None), 1 / 3),
        ({"share": "open", "where": PRICING}, views(DAY), None),
        ({"decayed": "page_view", "half_life": "14d"}, views(timedelta(0), 14 * DAY, 28 * DAY), 1.75),
        ({"decayed": "open", "half_life": "14d"}, views(DAY), 0.0),
        ({"trend": "page_view", "within": "7d"}, views(DAY, 2 * DAY, 7 * DAY), 1 / 3),
        ({"trend": "page_view", "within": "7d"}, views(7 * DAY, 14 * DAY - TICK, 14 * DAY), -1.0),
        ({"trend": "page_view", "within": "7d"}, views(14 * DAY), None),
        ({"age": "created_at"}, [], 100.0),
        ({"attribute": "employees"}, [], 12.0),
        ({"attribute": "crm"}, [], None),
    ],
)
def test_features(spec, events, value):
    assert feature(spec, *events, employees=12) == pytest.approx(value)


@pytest.mark.parametrize(
    ("kind", "value", "nothing"),
    [("sum", 6.0, 0.0), ("min", 1.0, None), ("max", 5.0, None), ("avg", 3.0, None), ("distinct", 2.0, 0.0)],
)
def test_property_features_ignore_missing_values(kind, value, nothing):
    events = [Event(1, "buy", T - DAY, {"amount": amount}) for amount in (1.0, None, 5.0)]
    assert feature({kind: "buy", "property": "amount"}, *events) == value
    assert feature({kind: "buy", "property": "amount"}, events[1]) == nothing
    assert feature({kind: "sell", "property": "amount"}, *events) == nothing


def test_account_features_look_at_the_members_of_the_moment():
    leads = [Lead(i, f"l{i}", T - 100 * DAY) for i in (1, 2, 3)] + [Lead(4, "l4", T + DAY)]
    moved = [Attributes(2, T - 100 * DAY, T, "b", {"employees": 5}), Attributes(2, T, FOREVER, "a", {"employees": 7})]
    rows = [lead_row(1, "a"), *moved, lead_row(3), lead_row(4, "a", employees=100)]
    events = views(DAY) + views(DAY, 2 * DAY, lead=2) + views(DAY, lead=3) + views(DAY, lead=4)
    subject = scorer(World(leads, rows, [AccountAttributes("a", T, FOREVER, {"industry": "x"})], events))
    spec = {"count": {"account": {"count": "page_view"}}, "heads": {"account": {"distinct_leads": "page_view"}},
            "sum": {"account": {"sum": "employees"}}, "max": {"account": {"max": "employees"}}}  # fmt: skip
    for name, at_t, before in (("count", 3, 1), ("heads", 2, 1), ("sum", 7, 0), ("max", 7, None)):
        kind = WorkspaceSpec.model_validate({"features": {name: spec[name]}}).features[name]
        assert subject.lead_feature(kind, leads[0], T) == at_t
        assert subject.lead_feature(kind, leads[0], T - TICK) == before
        assert subject.lead_feature(kind, leads[2], T) is None
    assert subject.lead_value("industry", leads[1], T) == "x"
    assert subject.lead_value("industry", leads[1], T - TICK) is None
    assert subject.accounts(T) == ["a"]
    assert subject.accounts(T - TICK) == ["a", "b"]


# -------------------------------------------------------------------------------------------------------- criteria

SENIORITY = {"name": "S", "feature": "seniority", "points": {"c_level": 20, "vp": 15}, "missing": -1, "other": 2}
SIZE = {
    "name": "Company size", "feature": "employees",
    "bands": [[0, 10, -5], [10, 200, 5], [200, 5000, 15], [5000, None, 8]], "missing": -2,
}  # fmt: skip
LOOKS = {"name": "Looks", "event": "page_view", "where": PRICING, "points": 5, "half_life": "14d", "max": 20}
DEMO = {"name": "Demo", "event": "demo_request", "points": 30, "within": "30d", "first": 1}


@pytest.mark.parametrize(("value", "points"), [("vp", 15), ("VP", 2), ("intern", 2), (None, -1)])
def test_category(value, points):
    assert score([SENIORITY], seniority=value).score == points


@pytest.mark.parametrize(
    ("value", "points"),
    [(0, -5), (9.999, -5), (10, 5), (199, 5), (200, 15), (5000, 8), (1e12, 8), (-1, 0), (None, -2)],
)
def test_bands_are_half_open(value, points):
    assert score([SIZE], employees=value).score == points


def test_a_gap_between_bands_gets_other():
    gap = {**SIZE, "bands": [[None, 0, 1], [10, 20, 2]], "other": 7}
    assert [score([gap], employees=value).score for value in (-1, 0, 9, 10, 20, None)] == [1, 7, 7, 2, 7, -2]


@pytest.mark.parametrize(
    ("crm", "employees", "points"),
    [("salesforce", 51, 5), ("salesforce", 50, 0), ("salesforce", None, 0), (None, 51, 0), ("x", 51, 0)],
)
def test_when(crm, employees, points):
    when = {"name": "W", "when": "crm = 'salesforce' and employees > 50", "points": 5}
    assert score([when], crm=crm, employees=employees).score == points


@pytest.mark.parametrize(
    ("first", "second", "points"),
    [
        ("software", 49, 1.2), ("software", 50, 8.8), ("software", 500, 3.0), ("retail", 0, -2.1), ("farm", 9, 0),
        (None, 9, -7), ("retail", None, -7),
    ],
)  # fmt: skip
def test_pair_table(first, second, points):
    table = {"software": [1.2, 8.8, 3.0], "retail": [-2.1, 0.4, 6.5], "other": [0, 0, 0]}
    pair = {
        "name": "P", "features": ["crm", "employees"], "bands": {"employees": [50, 500]}, "table": table, "missing": -7,
    }  # fmt: skip
    assert score([pair], crm=first, employees=second).score == points


def test_pair_table_without_other_rows_or_cells():
    pair = {
        "name": "P", "features": ["employees", "crm"], "bands": {"employees": [0]}, "other": 9,
        "table": [{"x": 1, "other": 2}, {"x": 3}],
    }  # fmt: skip
    found = [score([pair], employees=e, crm=c).score for e, c in ((-1, "x"), (-1, "y"), (0, "x"), (0, "y"))]
    assert found == [1, 2, 3, 9]


def test_event_points_decay_and_are_limited():
    assert score([LOOKS], *views(timedelta(0), 14 * DAY)).score == 7.5
    assert score([LOOKS], *views(*[HOUR] * 9)).score == 20
    assert score([{**LOOKS, "points": -5}], *views(*[HOUR] * 9)).score == -20
    assert score([LOOKS], *views(HOUR, path="/home")).score == 0


def test_only_the_earliest_events_of_the_window_count():
    events = views(40 * DAY, 3 * DAY, DAY, kind="demo_request")
    assert score([DEMO], *events).score == 30
    assert score([{**DEMO, "half_life": "1d"}], *events).score == 30 / 8
    assert score([{**DEMO, "half_life": "1d", "first": 2}], *events).score == 30 / 8 + 15
    assert score([{**DEMO, "within": None, "half_life": "20d"}], *events).score == 7.5


def test_what_the_cap_took_is_a_contribution():
    found = score([DEMO, SENIORITY], *views(DAY, kind="demo_request"), seniority="vp", cap=(0, 33), card={"base": -3})
    assert found.contributions == {"fit": [30, 15]}
    assert (found.caps["fit"], found.groups["fit"], found.score) == (-12, 33, 30)
    low = score([{**DEMO, "points": -50}], *views(DAY, kind="demo_request"), cap=(-20, None))
    assert (low.caps["fit"], low.groups["fit"]) == (30, -20)


@pytest.mark.parametrize(
    ("value", "low", "high", "clipped"),
    [(5, None, None, 5), (5, None, 4, 4), (5, 6, None, 6), (5, 5, 5, 5), (-1, 0, 9, 0)],
)
def test_clip(value, low, high, clipped):
    assert clip(value, low, high) == clipped


# ---------------------------------------------------------------------------------------------------------- grades

AXIS = {"A": 40, "B": 20, "C": 0, "D": None}
EXAMPLE = {"hysteresis": {"margin": 3, "dwell": "24h"}, "score": AXIS}


@pytest.mark.parametrize(("value", "level"), [(40, "A"), (39.999, "B"), (20, "B"), (0, "C"), (-0.001, "D")])
def test_a_level_is_entered_at_its_threshold(value, level):
    assert next_level(AXIS, value, GradesSpec.model_validate(EXAMPLE).hysteresis, None, None, T) == level


@pytest.mark.parametrize(
    ("value", "old", "held_for", "level"),
    [
        (40, "B", HOUR, "A"),  # up at once
        (10, "A", 23 * HOUR, "A"),  # held for its dwell
        (10, "A", 24 * HOUR, "C"),  # then down
        (37, "A", 240 * HOUR, "A"),  # within the margin
        (36.9, "A", 240 * HOUR, "B"),
        (18, "A", 240 * HOUR, "C"),  # below the margin the margin of the levels between plays no part
        (-3, "C", 240 * HOUR, "C"),
        (-3.1, "C", 240 * HOUR, "D"),
        (10, "gone", HOUR, "C"),  # a level the scorecard no longer has holds nothing
        (-99, "D", HOUR, "D"),
    ],
)
def test_hysteresis(value, old, held_for, level):
    hysteresis = GradesSpec.model_validate(EXAMPLE).hysteresis
    assert next_level(AXIS, value, hysteresis, old, T - held_for, T) == level


def test_the_last_change_of_this_scorecard_before_the_moment_counts():
    def change(at, level, scorecard="house"):
        return GradeChange(scorecard, at, 1, level, (level,), (at,))

    history = [change(T - 9 * DAY, "B"), change(T - HOUR, "A"), change(T - TICK, "D", "other"), change(T + TICK, "C")]
    found = score([], card={"grades": EXAMPLE}, history=history)
    assert (found.grade, found.since) == ("A", (T - HOUR,))
    later = score([], card={"grades": EXAMPLE}, history=history[:2], moment=T + DAY)
    assert (later.grade, later.since) == ("C", (T + DAY,))


def test_two_axes_and_gates():
    card = {
        "base": 50,
        "grades": {"fit": {"A": 15, "B": None}, "score": {1: 60, 2: None}},
        "gates": [
            {"name": "Competitor", "when": "email_domain in ('rival.com')", "grade": "B2"},
            {"name": "Second", "when": "crm = 'salesforce' and employees > 50", "grade": "B1"},
        ],
    }
    plain = score([SENIORITY], seniority="vp", card=card)
    assert (plain.grade, plain.gate, plain.levels) == ("A1", None, ("A", "1"))
    gated = score([SENIORITY], seniority="vp", email_domain="rival.com", crm="salesforce", employees=60, card=card)
    assert (gated.grade, gated.gate, gated.levels, gated.score) == ("B2", "Competitor", ("A", "1"), 65)


def test_excluded_leads_get_no_score():
    leads = [Lead(i, f"l{i}", T) for i in (1, 2, 3)] + [Lead(4, "l4", T + TICK)]
    rows = [lead_row(1, email="a@ourselves.com"), lead_row(2, email="a@b.c")]
    subject = scorer(World(leads, rows), exclude="email like '%@ourselves.com'")
    found = subject.score("house", ScorecardSpec.model_validate({"groups": {"fit": {}}}), T)
    assert (found.excluded, sorted(found.scored)) == ({1}, [2, 3])


def test_accounts_are_scored_over_the_events_of_their_leads():
    world = World(
        [Lead(1, "l1", T), Lead(2, "l2", T), Lead(3, "l3", T)],
        [lead_row(1, "a"), lead_row(2, "a"), lead_row(3)],
        [AccountAttributes("a", T, FOREVER, {"industry": "x"})],
        views(DAY) + views(DAY, lead=2) + views(DAY, lead=3),
    )
    card = {"of": "account", "groups": {"fit": {"criteria": [
        {**LOOKS, "half_life": None}, {"name": "Leads", "feature": "leads", "bands": [[2, 3, 1]]},
        {"name": "I", "feature": "industry", "points": {"x": 100}},
    ]}}}  # fmt: skip
    found = scorer(world).score("house", ScorecardSpec.model_validate(card), T)
    assert {account: scored.score for account, scored in found.scored.items()} == {"a": 111}


@pytest.mark.parametrize(
    ("points", "expected"), [(-70, 0.004), (-60, 0.004), (-40, 0.012), (0, 0.07), (12.5, 0.19), (70, 0.84), (99, 0.84)]
)
def test_probability_lies_on_straight_lines(points, expected):
    calibration = {"score": [-60, -20, 0, 25, 70], "probability": [0.004, 0.02, 0.07, 0.31, 0.84]}
    card = ScorecardSpec.model_validate({"groups": {"fit": {}}, "calibration": calibration})
    assert probability(card.calibration, points) == pytest.approx(expected)
