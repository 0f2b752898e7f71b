"""The ranking by HTTP: filtered, walked page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.service.shop import Inside

from leadlight.service.pages import DEEPEST, Page, page_of
from leadlight.service.problems import Problem

AS_OF = "2026-03-01"
NOW = datetime(2026, 3, 1)


def ids(service: Inside, **asked: Any) -> list[str]:
    answer = service.get("/v1/leads", as_of=AS_OF, **asked)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["rows"]]


def test_everybody_and_only_some(past: Inside) -> None:
    assert ids(past) == ["crm-1", "crm-3", "crm-2"]
    assert ids(past, grade="B") == ["crm-1", "crm-3"]
    assert ids(past, account="acme") == ["crm-1", "crm-2"]
    assert ids(past, account="nobody's") == []
    assert ids(past, where="job = 'vp' or staff < 50") == ["crm-1", "crm-2"]
    assert ids(past, where="pricing_7d > 100") == []
    assert ids(past, account="acme", where="staff < 50", grade="C") == ["crm-2"]


def test_who_is_filtered_out_is_not_excluded(past: Inside) -> None:
    found = past.get("/v1/leads", as_of=AS_OF, account="acme").json()
    assert (found["total"], found["excluded"]) == (2, 0)


@pytest.mark.parametrize("where", ["job =", "nothing = 1", "(select 1)", "1", "job = 'vp'; drop table leads"])
def test_conditions_that_are_none(past: Inside, where: str) -> None:
    answer = past.get("/v1/leads", where=where)
    assert answer.status_code == 400
    assert "where is no condition" in answer.json()["detail"]


def test_a_walk_keeps_its_filter_and_its_moment(past: Inside) -> None:
    first = past.get("/v1/leads", as_of=AS_OF, where="staff > 0", limit=1).json()
    second = past.get("/v1/leads", cursor=first["next"]).json()
    assert (first["as_of"], [row["id"] for row in first["rows"]]) == ("2026-03-01T00:00:00Z", ["crm-1"])
    assert (second["as_of"], [row["id"] for row in second["rows"]]) == ("2026-03-01T00:00:00Z", ["crm-2"])
    assert past.get("/v1/leads", cursor=second["next"]).json()["rows"] == []


def test_by_group_there_is_one_page(past: Inside) -> None:
    found = past.get("/v1/rank", as_of=AS_OF, per="size").json()
    assert found["next"] is None
    assert {row["group"] for row in found["rows"]} >= {"large"}


@pytest.mark.parametrize(
    "cursor",
    ["x", "e30=", "W10=", Page("soon").cursor(), Page("2026-01-01", offset=-1).cursor(),
     Page("2026-01-01", limit=9_999).cursor(), Page("2026-01-01", order="drop").cursor(),
     Page("2026-01-01", offset=DEEPEST + 1).cursor()],
    ids=["text", "an object", "an array", "no moment", "before the first", "too long", "no order", "too deep"],
)  # fmt: skip
def test_cursors_that_are_none(cursor: str) -> None:
    with pytest.raises(Problem) as raised:
        page_of({"cursor": cursor}, NOW)
    assert raised.value.status == 400


def test_a_cursor_says_it_all() -> None:
    page = Page("2026-01-01T00:00:00", 5, 10, "house", "A", "acme", "job = 'vp'", None, "score", 2.5, "effort")
    assert page_of({"cursor": page.cursor()}, NOW) == page
    assert page_of({"cursor": page.cursor(), "limit": 7}, NOW).limit == 7
    with pytest.raises(Problem, match="by itself"):
        page_of({"cursor": page.cursor(), "grade": "B"}, NOW)
