"""Who is who over HTTP: merges are listed, undone and made, and scores follow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.service.shop import Inside, inside, make_shop


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with inside(make_shop(tmp_path_factory.mktemp("merges") / "shop")) as found:
        yield found


def call(type_: str, at: str = "2026-03-01T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {"type": type_, "timestamp": at, **more}


def score(service: Inside, lead: str) -> float:
    found = service.get(f"/v1/leads/{lead}", as_of="2026-03-03")
    assert found.status_code == 200, found.text
    return float(found.json()["score"])


def test_an_address_joins_and_undoing_parts_for_good(served: Inside) -> None:
    served.send(
        call("identify", userId="u1", traits={"email": "same@x.example"}),
        call("track", event="Demo Requested", userId="u1"),
        call("identify", "2026-03-01T11:00:00Z", userId="u2", traits={"email": "Same@x.example"}),
        call("track", event="order", properties={"amount": 99}, userId="u2"),
    )
    served.settle()
    assert score(served, "u2") == score(served, "u1") > 25
    listed = served.get("/v1/merges", lead="u1").json()
    assert [(one["by"], one["ids"], one["into"]) for one in listed["merges"]] == [("email", ["u2"], "u1")]
    merge = listed["merges"][0]["merge"]

    undone = served.request("DELETE", f"/v1/merges/{merge}")
    assert undone.status_code == 200, undone.text
    assert undone.json()["merges"][0]["undone_at"] is not None
    assert score(served, "u1") == 25
    assert 2 < score(served, "u2") < 4
    served.send(
        call("track", event="page", userId="u2"), call("identify", userId="u2", traits={"email": "same@x.example"})
    )
    served.settle()
    assert 2 < score(served, "u2") < 4
    assert served.request("DELETE", f"/v1/merges/{merge}").status_code == 400


def test_joined_by_hand_and_scored_again(served: Inside) -> None:
    served.send(call("identify", userId="h1", traits={"nick": "x"}), call("track", event="Demo Requested", userId="h2"),
                call("identify", userId="h2", traits={"job": "vp"}))  # fmt: skip
    served.settle()
    made = served.post("/v1/merges", {"first": "h1", "second": "h2"})
    assert (made.status_code, made.json()["merges"][0]["by"], made.json()["merges"][0]["who"]) == (201, "hand", "test")
    assert score(served, "h1") == 37
    end = time.monotonic() + 20
    while served.state.worker.do(lambda workspace: workspace.history("h1").scores[-1].score).result(20) != 12:  # today
        assert time.monotonic() < end
        time.sleep(0.05)
    assert served.post("/v1/merges", {"first": "h1", "second": "h2"}).status_code == 400
    assert served.post("/v1/merges", {"first": "h1", "second": "nobody"}).status_code == 404
    assert served.post("/v1/apart", {"first": "h1", "second": "h2"}).status_code == 400
    assert served.post("/v1/apart", {"first": "h1", "second": "u1"}).status_code == 200
    assert served.post("/v1/apart", {"first": "h1"}).status_code == 400
    assert served.request("DELETE", "/v1/merges/nine").status_code == 404


def test_an_alias_is_undone_and_not_made_again(served: Inside) -> None:
    served.send(
        call("track", event="Demo Requested", userId="old"), call("identify", userId="old", traits={"job": "vp"}),
        call("identify", userId="new", traits={"nick": "x"}), call("alias", userId="new", previousId="old"),
    )  # fmt: skip
    served.settle()
    assert score(served, "new") == 37
    merge = next(one for one in served.get("/v1/merges", lead="new").json()["merges"] if one["by"] == "alias")
    assert served.request("DELETE", f"/v1/merges/{merge['merge']}").status_code == 200
    served.send(call("alias", "2026-03-02T10:00:00Z", userId="new", previousId="old"))
    served.settle()
    assert (score(served, "new"), score(served, "old")) == (0, 37)


def test_set_aside_listed_released_flagged(served: Inside) -> None:
    crawl = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
    served.send(
        call("identify", userId="s1", traits={"nick": "x"}),
        call("track", event="Demo Requested", userId="s1", context=crawl),
    )
    served.settle()
    listed = served.get("/v1/set-aside", lead="s1").json()
    assert (listed["reasons"], listed["events"][0]["type"]) == ({"crawler": 1}, "Demo Requested")
    assert score(served, "s1") == 0
    event = listed["events"][0]["event"]
    assert served.post("/v1/set-aside/release", {"event": event}).json()["moved"] == 1
    assert score(served, "s1") == 25
    assert served.post("/v1/set-aside/sweep", {}).json()["moved"] == 0
    assert served.post("/v1/set-aside/flag", {"lead": "s1", "since": "2026-03-01"}).json()["moved"] == 1
    assert served.get("/v1/set-aside", reason="hand").json()["total"] == 1
    served.settle()
    assert served.post("/v1/set-aside/release", {}).status_code == 400
    assert served.get("/v1/set-aside", reason="whim").status_code == 400
    assert served.get("/v1/set-aside", lead="nobody").status_code == 404
