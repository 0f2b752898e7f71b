"""Calls that could not be stored, over HTTP and beside the service: seen, replayed once, dropped, erased."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import KEYS, Inside, inside, make_shop, outside

from leadlight.errors import NotFoundError, UsageError
from leadlight.service.audit import audited
from leadlight.service.call import Call
from leadlight.service.inbox import InboxFull
from leadlight.service.live_tables import refuse
from leadlight.service.refused import look, replay
from leadlight.workspace import Workspace

AT = datetime(2026, 3, 1, 10)
NO_CALL = "{broken"


@pytest.fixture(params=["duckdb", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A workspace of each make."""
    postgres = request.param == "postgres"
    store = request.getfixturevalue("postgres_store") if postgres else "duckdb:store.duckdb"
    return make_shop(tmp_path / "shop", store=store)


@pytest.fixture
def service(shop: Path) -> Iterator[Inside]:
    with inside(shop) as found:
        yield found


def call(name: str, lead: str, **more: Any) -> Call:
    return Call(name, AT, AT + timedelta(seconds=1), lead, **{"event": "order", "properties": {"amount": 99.0}, **more})


def aside(service: Inside, *calls: Call | str) -> None:
    """Put calls aside, as the worker does with those that the store does not take."""

    def errand(workspace: Any) -> None:
        with workspace.engine.transaction():
            for number, one in enumerate(calls):
                text = one if isinstance(one, str) else one.encode().decode()
                refuse(workspace.engine, AT + timedelta(hours=number), text, "Out of Range: 'ann' is odd")

    service.ask(errand)


def events(service: Inside) -> list[tuple[Any, ...]]:
    return service.rows(
        "SELECT i.id, e.\"at\" FROM events e JOIN ids i ON i.key = e._said_of WHERE e._source = 'live' ORDER BY 1, 2"
    )


def test_replayed_calls_count_once_at_their_own_time_and_score(service: Inside) -> None:
    before = service.get("/v1/leads/crm-2", as_of="2026-03-03").json()["score"]
    aside(service, call("m1", "crm-2"), call("m2", "crm-2", event="Demo Requested"), NO_CALL)
    page = service.get("/v1/refused").json()
    assert page["calls"][0]["call"] == NO_CALL
    assert (page["counts"], page["next"]) == ({"Out of Range: … is odd": 3}, None)

    done = service.post("/v1/refused/replay", {"calls": "all"})
    assert done.status_code == 200, done.text
    assert len(done.json()["replayed"]) == 2
    service.settle()
    assert events(service) == [("crm-2", AT), ("crm-2", AT)]
    assert service.get("/v1/leads/crm-2", as_of="2026-03-03").json()["score"] > before + 25
    assert [one["call"] for one in service.get("/v1/refused").json()["calls"]] == [NO_CALL]  # no call: it stays

    aside(service, call("m1", "crm-2"))  # what is stored already counts no second time
    (again,) = [one["id"] for one in service.get("/v1/refused").json()["calls"] if one["call"] != NO_CALL]
    assert service.post("/v1/refused/replay", {"calls": [again]}).json()["replayed"] == [again]
    service.settle()
    assert len(events(service)) == 2


def test_what_fails_again_is_put_aside_again(service: Inside) -> None:
    body = '{"m":"m1","t":"2026-03-01T10:00:00","r":"2026-03-01T10:00:00","u":"crm-1","e":"order","p":{"amount":[1]}}'
    aside(service, body.replace("2026-03-01T10:00:00", "no time"))
    (before,) = service.get("/v1/refused").json()["calls"]
    assert service.post("/v1/refused/replay", {"calls": [before["id"]]}).status_code == 200
    service.settle()
    (after,) = service.get("/v1/refused").json()["calls"]
    assert after["call"] == before["call"]
    assert after["reason"] != before["reason"]
    assert "no time" not in next(iter(service.get("/v1/refused").json()["counts"]))


def test_paged_by_cursor_dropped_one_by_one_and_wrong_words_are_told(service: Inside) -> None:
    aside(service, *(call(f"m{number}", "crm-1") for number in range(5)), NO_CALL)
    ids, cursor = list[str](), None
    while cursor is not None or not ids:
        page = service.get("/v1/refused", limit=2, **({"cursor": cursor} if cursor else {})).json()
        ids += [one["id"] for one in page["calls"]]
        cursor = page["next"]
    assert len(ids) == len(set(ids)) == 6
    broken = next(one["id"] for one in service.get("/v1/refused").json()["calls"] if one["call"] == NO_CALL)

    answers = {
        404: [service.post("/v1/refused/replay", {"calls": [ids[1], "0" * 16]}),
              service.request("DELETE", "/v1/refused/nothing")],
        400: [service.post("/v1/refused/replay", {"calls": []}), service.post("/v1/refused/replay", {"call": "all"}),
              service.post("/v1/refused/replay", {"calls": [broken]}), service.get("/v1/refused", cursor="x"),
              service.get("/v1/refused", cursor="WzEsIDJd"), service.get("/v1/refused", limit=0)],
    }  # fmt: skip
    assert {status: {one.status_code for one in some} for status, some in answers.items()} == {404: {404}, 400: {400}}
    assert len(service.get("/v1/refused").json()["calls"]) == 6
    for one in ids:
        assert service.request("DELETE", f"/v1/refused/{one}").json()["dropped"] == [one]
    assert service.get("/v1/refused").json() == {"counts": {}, "calls": [], "next": None}
    assert events(service) == []
    acts = [(entry.what, entry.outcome) for entry in audited(service.state.admission.audit).entries]
    assert acts.count(("DELETE /v1/refused/{id}", "200")) == 6
    assert ("POST /v1/refused/replay", "404") in acts


@pytest.mark.parametrize("scope", ["ingest", "read"])
def test_only_for_who_may_manage(service: Inside, scope: str) -> None:
    key, _ = service.state.keys.make("other", [scope])
    more = {"headers": {"Authorization": f"Bearer {key}"}}
    assert service.request("GET", "/v1/refused", **more).status_code == 403
    assert service.request("POST", "/v1/refused/replay", json={"calls": "all"}, **more).status_code == 403
    assert service.request("DELETE", "/v1/refused/x", **more).status_code == 403


def test_an_erased_persons_calls_are_shown_and_gone(service: Inside) -> None:
    aside(service, call("m1", "crm-1"), call("m2", "crm-2"), call("m3", "x9", traits={"email": "ann@acme.example"}),
          call("m4", "only-here"))  # fmt: skip
    held = service.get("/v1/access/crm-1").json()["tables"]["live_refused"]
    assert {re.search('"m":"(m.)"', row["call"])[1] for row in held} == {"m1", "m3"}  # type: ignore[index]
    assert service.request("DELETE", "/v1/leads/crm-1").json()["rows"]["live_refused"] == 2
    assert service.get("/v1/access/only-here").json()["ids"] == ["only-here"]
    assert service.request("DELETE", "/v1/leads/only-here").json()["rows"]["live_refused"] == 1
    assert len(service.get("/v1/refused").json()["calls"]) == 1
    aside(service, call("m1", "crm-1"), call("m4", "only-here"))
    service.post("/v1/refused/replay", {"calls": "all"})
    service.settle()
    assert events(service) == [("crm-2", AT)]


def test_beside_the_service_what_is_replayed_waits_for_it(shop: Path) -> None:
    with inside(shop) as service:
        aside(service, call("m1", "crm-2"), call("m2", "crm-2"), NO_CALL)
    found = look(shop)
    assert (sum(found.counts.values()), len(found.rows)) == (3, 3)
    broken, *good = sorted(found.rows, key=lambda one: one.parts is not None)
    with pytest.raises(UsageError, match="no call"):
        look(shop, again=[good[0].id, broken.id])
    with pytest.raises(NotFoundError):
        look(shop, again=["nothing"])
    with pytest.raises(UsageError, match="one at a time"):
        look(shop, again="all", drop="all")
    assert str(look(shop, again=[good[0].id])).startswith("1 call replayed")
    assert look(shop, again="all").did == (good[1].id,)
    assert look(shop, drop="all").did == (broken.id,)
    with inside(shop) as service:
        service.settle()
        assert events(service) == [("crm-2", AT), ("crm-2", AT)]


def test_where_there_is_no_room_what_went_before_is_replayed(service: Inside) -> None:
    class Full:
        """An inbox that is full, which a real one is after 200,000 calls."""

        def append(self, _entries: Any) -> Any:
            raise InboxFull(7)

    aside(service, call("m1", "crm-2"))
    with pytest.raises(InboxFull):
        service.ask(lambda workspace: replay(workspace.engine, Full(), "all"))  # type: ignore[arg-type]
    assert len(service.get("/v1/refused").json()["calls"]) == 1


def test_who_starts_the_service_is_told(shop: Path) -> None:
    with inside(shop) as service:
        aside(service, call("m1", "crm-2"))
        KEYS[shop] = service.key
    with outside(shop) as served:
        assert "1 call could not be stored: `leadlight refused` lists and replays them" in served.said
        if str(Workspace(shop).loaded.workspace.spec.store).startswith("duckdb"):
            return
        assert look(shop, again="all").did  # a store that many share: no need to stop anybody
        assert served.get("/v1/refused")["calls"] == []
        end = time.monotonic() + 30
        while not stored(shop):
            assert time.monotonic() < end
            time.sleep(0.1)


def stored(shop: Path) -> int:
    """Count the events of calls in a store, whoever runs."""
    with Workspace(shop).store() as engine:
        return int(engine.rows("SELECT count(*) FROM events WHERE _source = 'live'")[0][0])
