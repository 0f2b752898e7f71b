"""An API that is described in leadlight.yaml: every kind of pages, of signing, of fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connect.stand_in import Call, Kind, Opened, Reply, Schema, StandIn, route
from leadlight.connect.registry import connector
from leadlight.connect.rest.settings import RestSettings
from leadlight.errors import NotFoundError, RemoteError, UsageError
from leadlight.expr.types import Type

COUNT = 7


class Shop(StandIn):
    system = "rest"
    people = Kind("things", text="name")
    secrets = {
        "token": "token-12",
        "user": "ann",
        "password": "pass-12",
        "client_id": "id-12",
        "client_secret": "cs-12",
    }

    def schema(self) -> Schema:
        return {"things": {}}

    def things(self, call: Call) -> list[dict[str, Any]]:
        """Return those that changed since, from the first to the last."""
        since = call.params.get("since")
        return [
            {
                "id": number,
                "name": f"Thing {number}",
                "size": number / 2,
                "parent_id": number,
                "new": number > 3,
                "tags": ["a", "b"],
                "place": {"city": "Bonn", "at": {"lat": 50.7}},
                "changed": f"2026-02-{number + 1:02d}T10:00:00+01:00",
                "removed": number == 5,
            }
            for number in range(COUNT)
            if since is None or f"2026-02-{number + 1:02d}T09:00:00Z" >= since
        ]

    @route("GET", "/number")
    def by_number(self, call: Call) -> Reply:
        first = (int(call.params.get("page", 1)) - 1) * 3
        return Reply({"items": self.things(call)[first : first + 3]})

    @route("GET", "/offset")
    def by_offset(self, call: Call) -> Reply:
        first, size = int(call.params["offset"]), int(call.params["limit"])
        return Reply({"total": COUNT, "items": self.things(call)[first : first + size]})

    @route("GET", "/cursor")
    def by_cursor(self, call: Call) -> Reply:
        first = int(call.params.get("after", 0))
        more = {"after": str(first + 3)} if first + 3 < COUNT else {}
        return Reply({"items": self.things(call)[first : first + 3], "paging": more})

    @route("GET", "/header")
    def by_header(self, call: Call) -> Reply:
        first = int(call.params.get("from", 0))
        links = {"Link": f'<{self.url}/header?from={first + 3}>; rel="next"'} if first + 3 < COUNT else {}
        return Reply(self.things(call)[first : first + 3], headers=links)

    @route("GET", "/all")
    def at_once(self, call: Call) -> Reply:
        return Reply(self.things(call))

    @route("GET", "/stuck")
    def stuck(self, call: Call) -> Reply:
        return Reply({"items": self.things(call)[:3], "next": f"{self.url}/stuck"})

    @route("GET", "/odd/{what}")
    def odd(self, call: Call) -> Reply:
        bodies: dict[str, Any] = {"texts": ["a", "b"], "no_id": [{"name": "x"}], "nested": [[1]], "number": 5}
        return Reply(bodies[call.path["what"]])

    @route("POST", "/token")
    def token(self, call: Call) -> Reply:
        assert call.form()["client_secret"] == "cs-12"
        return Reply({"access_token": "given-12"})


@pytest.fixture(scope="module")
def serving() -> Iterator[Shop]:
    with Shop().serving() as made:
        yield made


@pytest.fixture
def shop(serving: Shop) -> Shop:
    serving.reset()
    return serving


def opened(shop: Shop, path: str, paginator: Any = "auto", sign: Any = None, **more: Any) -> Opened:
    endpoint = {"path": path, "paginator": paginator, **more}
    return shop.open(sign=sign or {"by": "bearer"}, endpoints={"things": endpoint})


@pytest.mark.parametrize(
    ("path", "paginator", "records"),
    [
        ("number", {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": None}, "items"),
        ("offset", {"type": "offset", "limit": 3}, "items"),
        ("cursor", {"type": "cursor", "cursor_path": "paging.after", "cursor_param": "after"}, "items"),
        ("header", "header_link", "$"),
        ("header", "auto", None),
        ("all", "single_page", None),
    ],
)
def test_pages_follow_each_other_as_told(shop: Shop, path: str, paginator: Any, records: str | None) -> None:
    with opened(shop, path, paginator, records=records) as one:
        assert [row.id for row in one.read("things")] == [str(number) for number in range(COUNT)]


def test_fields_are_those_of_the_first_page(shop: Shop) -> None:
    with opened(shop, "all", modified_at="changed") as one:
        described = one.describe("things")
        row = one.read("things")[1]
    assert {field.name: field.type for field in described.fields} == {
        "id": Type.TEXT, "name": Type.TEXT, "size": Type.NUMBER, "parent_id": Type.TEXT, "new": Type.BOOL,
        "tags": Type.TEXT, "place_city": Type.TEXT, "place_at_lat": Type.NUMBER, "changed": Type.TIME,
        "removed": Type.BOOL,
    }  # fmt: skip
    assert row.values == {
        "id": "1", "name": "Thing 1", "size": 0.5, "parent_id": "1", "new": False, "tags": "a;b", "place_city": "Bonn",
        "place_at_lat": 50.7, "changed": datetime(2026, 2, 2, 9), "removed": False,
    }  # fmt: skip
    assert described.whole


def test_told_fields_need_no_question(shop: Shop) -> None:
    with opened(shop, "all", fields={"size": "text"}) as one:
        assert [(field.name, field.type) for field in one.describe("things").fields] == [("size", Type.TEXT)]
        assert shop.calls == []


def test_changes_are_asked_for_since_the_last_one_seen(shop: Shop) -> None:
    with opened(shop, "all", modified_at="changed", since="since", deleted="removed") as one:
        rows = one.read("things")
        assert {row.id for row in rows if row.gone} == {"5"}
        assert one.cursor == {"since": "2026-02-07T09:00:00"}
        again = one.read("things", cursor=one.cursor)
        assert one.cursor == {"since": "2026-02-07T09:00:00"}
    assert shop.calls[-1].params == {"since": "2026-02-07T08:55:00Z"}
    assert [row.id for row in again] == ["6"]


def test_a_key_may_stand_in_a_header_or_in_the_query(shop: Shop) -> None:
    with opened(shop, "all", sign={"by": "header", "name": "X-Key"}) as one:
        one.read("things")
        assert shop.calls[-1].headers["x-key"] == "token-12"
    with opened(shop, "all", sign={"by": "query", "name": "key"}) as one:
        one.read("things")
        assert shop.calls[-1].params["key"] == "token-12"
    with opened(shop, "all", sign={"by": "basic"}) as one:
        one.read("things")
        assert shop.calls[-1].headers["authorization"] == "Basic YW5uOnBhc3MtMTI="
    with opened(shop, "all", sign={"by": "oauth2", "token_url": f"{shop.url}/token"}) as one:
        one.read("things")
        assert shop.calls[-1].headers["authorization"] == "Bearer given-12"
    with opened(shop, "all", sign={"by": "nothing"}) as one:
        one.read("things")
        assert "authorization" not in shop.calls[-1].headers


@pytest.mark.parametrize(
    ("sign", "variable"),
    [("bearer", "LEADLIGHT_REST_TOKEN"), ("basic", "LEADLIGHT_REST_USER"), ("oauth2", "token_url")],
)
def test_a_secret_that_is_missing_is_named(shop: Shop, sign: str, variable: str) -> None:
    with pytest.raises(UsageError, match=variable):
        shop.open(sign={"by": sign}, secrets={})


@pytest.mark.parametrize("what", ["texts", "no_id", "nested", "number"])
def test_what_are_no_records_are_an_error(shop: Shop, what: str) -> None:
    with (
        opened(shop, f"odd/{what}", "single_page", fields={"name": "text"}) as one,
        pytest.raises(RemoteError) as caught,
    ):
        one.read("things")
    assert "things" in str(caught.value)


def test_a_page_that_leads_to_itself_ends(shop: Shop) -> None:
    with (
        opened(shop, "stuck", {"type": "json_link", "next_url_path": "next"}, records="items") as one,
        pytest.raises(RemoteError, match="same page again and again"),
    ):
        one.read("things")


@pytest.mark.parametrize("paginator", ["by_magic", {"type": "offset"}, {"type": "page_number", "magic": 1}])
def test_a_paginator_that_is_none_is_told(shop: Shop, paginator: Any) -> None:
    with opened(shop, "all", paginator) as one, pytest.raises(UsageError, match="page_number"):
        one.read("things")


def test_an_endpoint_that_is_not_told_has_no_name(shop: Shop) -> None:
    with opened(shop, "all") as one, pytest.raises(NotFoundError, match="did you mean 'things'"):
        one.describe("thing")


def test_nothing_is_written(shop: Shop) -> None:
    assert not connector("rest").about.writes
    with opened(shop, "all") as one:
        for do in (one.session.write, one.session.note, one.session.ready):
            with pytest.raises(UsageError, match="only read"):
                do("things", [])
        with pytest.raises(UsageError, match="only read"):
            one.session.look("things", [], [])


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="pagination"):
        RestSettings.model_validate({"url": "https://x.example", "pagination": "auto"})
