"""What is left out, and what need not be sent again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.service.shop import Inside

from leadlight.service.answers import sparse
from leadlight.service.problems import Problem

AS_OF = "2026-03-01"


def ask(service: Inside, path: str, **headers: str) -> Any:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.request("GET", path, headers={"Authorization": f"Bearer {service.key}", **more})


def test_an_answer_that_is_known_is_not_sent_again(past: Inside) -> None:
    path = f"/v1/leads?as_of={AS_OF}"
    first = ask(past, path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = ask(past, path, If_None_Match=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert ask(past, path, If_None_Match='"other"').status_code == 200
    assert ask(past, f"{path}&limit=1").headers["etag"] != tag
    assert first.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html, application/*;q=0.1", "APPLICATION/JSON"])
def test_json_is_accepted_under_its_names(past: Inside, accept: str) -> None:
    assert ask(past, "/v1/leads", Accept=accept).status_code == 200


def test_only_the_fields_that_are_asked_for(past: Inside) -> None:
    found = past.get("/v1/leads/crm-1", as_of=AS_OF, fields="id,contributions.points,groups.fit").json()
    assert list(found) == ["id", "contributions", "groups"]
    assert found["groups"] == {"fit": 24.0}
    assert all(list(item) == ["points"] for item in found["contributions"])
    rows = past.get("/v1/leads", as_of=AS_OF, fields="rank,id").json()["rows"]
    assert [list(row) for row in rows] == [["rank", "id"]] * 3


@pytest.mark.parametrize("fields", ["", ",", "a..b", "nothing", "groups.nothing", "a" * 600, "a,", "."])
def test_fields_there_are_not(past: Inside, fields: str) -> None:
    answer = past.get("/v1/leads/crm-1", fields=fields)
    assert answer.status_code == 400
    assert "field" in answer.json()["detail"]


def test_nothing_is_known_of_what_is_null(past: Inside) -> None:
    assert past.get("/v1/leads/crm-1", fields="gate.name").json() == {"gate": None}


def test_of_many_rows_one_may_lack_a_field() -> None:
    rows = [{"id": "a"}, {"id": "b", "due": 1}]
    assert sparse({"rows": rows, "next": None}, "due") == {"rows": [{}, {"due": 1}], "next": None}
    with pytest.raises(Problem, match="no field"):
        sparse(rows, "gone")


def test_every_moment_has_its_zone(past: Inside) -> None:
    import re

    naive = re.compile(r'"\d{4}-\d\d-\d\dT[\d:.]+"')
    for path in ("leads", "leads/crm-1", "why/crm-1?since=7d", "history/crm-1", "facts/crm-1", "letter/crm-1",
                 "scorecards", "scorecards/house/versions", "leads/crm-1/access", "jobs", "keys"):  # fmt: skip
        answer = ask(past, f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        assert naive.findall(answer.text) == [], path
