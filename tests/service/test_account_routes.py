"""Accounts over HTTP."""

from __future__ import annotations

from tests.service.shop import Inside

AS_OF = "2026-03-01"


def test_ranked_by_the_scorecard_that_is_about_them(past: Inside) -> None:
    found = past.get("/v1/accounts", as_of=AS_OF).json()
    assert (found["scorecard"], [row["id"] for row in found["rows"]]) == ("firms", ["acme"])
    assert past.get("/v1/accounts", as_of=AS_OF, limit=1).json()["next"]
    assert past.get("/v1/accounts", account="acme").status_code == 400


def test_all_about_one(past: Inside) -> None:
    found = past.get("/v1/accounts/acme", as_of=AS_OF).json()
    assert found["attributes"] == {"size": "large"}
    assert [row["id"] for row in found["leads"]] == ["crm-1", "crm-2"]
    assert found["total"] == 2
    assert found["score"]["score"] == past.get("/v1/explain/acme", scorecard="firms", as_of=AS_OF).json()["score"]
    assert len(past.get("/v1/accounts/acme", as_of=AS_OF, limit=1).json()["leads"]) == 1


def test_there_is_no_such_account(past: Inside) -> None:
    answer = past.get("/v1/accounts/acm")
    assert answer.status_code == 404
    assert "acme" in answer.json()["detail"]
