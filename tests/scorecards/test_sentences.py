from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.features.tables import Tables, day

from leadlight.expr.types import Type
from leadlight.scorecards.sentences import amount, days, sentence, times, unit_of, value
from leadlight.spec.models import WorkspaceSpec
from leadlight.spec.resolved import ResolvedCriterion

CARD = """
groups:
  g:
    criteria:
      - {name: Seniority, feature: city, points: {Rome: 1}}
      - {name: Company size, feature: size, bands: [[0, null, 1]]}
      - {name: City × size, features: [city, size], bands: {size: [5]}, table: {Rome: [1, 2]}}
      - {name: Big Roman, when: "city = 'Rome' and size > 50", points: 1}
      - {name: Looks at pricing, event: view, points: 1}
      - {name: Asked for a demo, event: demo, points: 1, within: 30d}
"""


@pytest.fixture(scope="module")
def criteria() -> dict[str, ResolvedCriterion]:
    tables = Tables(attributes={"city": Type.TEXT, "size": Type.NUMBER})
    return {item.spec.name: item for item in tables.resolved(scorecard=CARD).scorecards["house"].criteria}


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("Seniority", ["Rome"], "Seniority: Rome"),
        ("Seniority", [None], "Seniority: not known"),
        ("Company size", [1234567.0], "Company size: 1,234,567"),
        ("City × size", ["Rome", 4.5], "City × size: Rome, 4.5"),
        ("City × size", [None, 4.0], "City × size: not known, 4"),
        ("Big Roman", [], "Big Roman (city is Rome and size is more than 50)"),
    ],
)
def test_what_was_seen(criteria: dict[str, ResolvedCriterion], name: str, values: list[Any], said: str) -> None:
    assert sentence(criteria[name], events=None, last=None, values=values) == said


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ({"age": "created_at"}, "days"), ({"recency": "view"}, "days"), ({"account": {"recency": "view"}}, "days"),
        ({"share": "view", "where": "a"}, "share"), ({"count": "view"}, None), ({"expr": "size"}, None),
        ({"attribute": "size"}, None), ({"account": {"sum": "size"}}, None),
    ],
)  # fmt: skip
def test_what_a_feature_counts(written: dict[str, Any], unit: str | None) -> None:
    assert unit_of(WorkspaceSpec.model_validate({"features": {"f": written}}).features["f"]) == unit


@pytest.mark.parametrize(
    ("name", "values", "units", "said"),
    [
        ("Company size", [27.99], ["days"], "Company size: 27 days"),
        ("Company size", [None], ["days"], "Company size: not known"),
        ("City × size", ["Rome", 0.5], [None, "share"], "City × size: Rome, 50%"),
    ],
)
def test_numbers_with_their_unit(
    criteria: dict[str, ResolvedCriterion], name: str, values: list[Any], units: list[Any], said: str
) -> None:
    assert sentence(criteria[name], events=None, last=None, values=values, units=units) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0.0, "less than an hour"), (1 / 24, "1 hour"), (0.999, "23 hours"), (1.0, "1 day"), (1.99, "1 day"),
        (1234.0, "1,234 days"), (-0.5, "12 hours ahead"), (-2.0, "2 days ahead"),
    ],
)  # fmt: skip
def test_days_that_have_passed(count: float, said: str) -> None:
    assert days(count) == said


@pytest.mark.parametrize(
    ("name", "events", "said"),
    [
        ("Looks at pricing", 0, "Looks at pricing: never"),
        ("Looks at pricing", 1, "Looks at pricing once, last on 9 Mar 2026"),
        ("Looks at pricing", 2, "Looks at pricing twice, last on 9 Mar 2026"),
        ("Looks at pricing", 1200, "Looks at pricing 1,200 times, last on 9 Mar 2026"),
        ("Asked for a demo", 0, "Asked for a demo: never in 30d"),
        ("Asked for a demo", 3, "Asked for a demo 3 times in 30d, last on 9 Mar 2026"),
    ],
)
def test_how_often_and_when_last(criteria: dict[str, ResolvedCriterion], name: str, events: float, said: str) -> None:
    last = day("2026-03-09") if events else None
    assert sentence(criteria[name], events=float(events), last=last, values=[None, None]) == said


@pytest.mark.parametrize(
    ("points", "written"),
    [
        (5, "+5"), (-12.0, "-12"), (13.24, "+13.2"), (13.26, "+13.3"), (0, "0"), (-0.0, "0"), (0.04, "+0.04"),
        (-0.004, "-0.004"), (1e-7, "+1e-07"), (123456.78, "+123457"), (-1e6, "-1e+06"), (999.96, "+1000"),
    ],
)  # fmt: skip
def test_amounts(points: float, written: str) -> None:
    assert amount(points) == written


@pytest.mark.parametrize(
    ("found", "written"),
    [
        (None, "not known"), (True, "yes"), (False, "no"), (0.0, "0"), (-3.0, "-3"), (1e15, "1e+15"),
        (0.12345, "0.1235"), (1234.5, "1,234.5"), (-98765.43, "-98,765.4"), (1e6, "1,000,000"), (1.5e16, "1.5e+16"),
        ("", ""), ("L'Aquila", "L'Aquila"),
        (datetime.fromisoformat("2026-12-01T23:59"), "1 Dec 2026"),
        ("a" * 61, "'" + "a" * 57 + "…'"), ("two\nlines", "'two\\nlines'"), ("\x1b[31m", "'\\x1b[31m'"),
    ],
)  # fmt: skip
def test_values(found: Any, written: str) -> None:
    assert value(found) == written


def test_how_often() -> None:
    assert [times(count) for count in (1.0, 2.0, 3.0, 1000.0)] == ["once", "twice", "3 times", "1,000 times"]
