"""Who is known by an address only: a merge by `email` like others, noted, listed and undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.live_tables import prepare
from leadlight.store.archive import take_out
from leadlight.store.sql import Sql
from leadlight.workspace import utc_now

ADDRESS = "email:ann@acme.example"
AT = "2026-03-01T10:00:00Z"
LATER = "2026-03-02T10:00:00Z"


@pytest.fixture(params=["duckdb", "postgres"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A service over a store of each make, in which crm-1 is ann@acme.example."""
    store = "duckdb:store.duckdb" if request.param == "duckdb" else request.getfixturevalue("postgres_store")
    with inside(make_shop(tmp_path_factory.mktemp("addresses") / "shop", store=store)) as found:
        yield found


def opened(at: str = AT, user: str = ADDRESS) -> dict[str, Any]:
    return {"type": "track", "event": "Demo Requested", "userId": user, "timestamp": at}


def score(service: Inside, lead: str) -> float:
    found = service.get(f"/v1/leads/{lead}", as_of="2026-03-03")
    assert found.status_code == 200, found.text
    return float(found.json()["score"])


def merges(service: Inside, lead: str) -> list[dict[str, Any]]:
    return list(service.get("/v1/merges", lead=lead).json()["merges"])


def test_noted_undone_as_if_it_had_never_been_and_not_made_again(service: Inside) -> None:
    before = score(service, "crm-1")
    service.send(opened())
    service.settle()
    (merge,) = merges(service, "crm-1")
    assert (merge["by"], merge["ids"], merge["id"], merge["into"]) == ("email", [ADDRESS], ADDRESS, "crm-1")
    assert score(service, "crm-1") == before + 25

    assert service.request("DELETE", f"/v1/merges/{merge['merge']}").status_code == 200
    assert score(service, "crm-1") == before
    assert score(service, ADDRESS) == 25  # a lead of its own now, with its address since it was first named
    (known,) = service.rows(
        "SELECT a.email, a.known_at FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = ?", [ADDRESS]
    )
    assert (known[0], known[1].isoformat()) == ("ann@acme.example", "2026-03-01T10:00:00")

    service.send(opened(LATER), {"type": "identify", "userId": ADDRESS, "traits": {"job": "vp"}, "timestamp": LATER})
    service.settle()
    assert score(service, "crm-1") == before
    assert score(service, ADDRESS) == 25 + 12
    assert [one["undone_at"] is None for one in merges(service, "crm-1")] == [False]


def test_undone_when_its_events_have_been_taken_out(service: Inside) -> None:
    """It has its address all the same, since its first event."""
    service.send(opened(), opened(LATER))
    service.settle()
    (merge,) = merges(service, "crm-1")

    def errand(workspace: Any) -> None:
        with workspace.engine.transaction():
            condition = Sql("type = 'Demo Requested'")
            take_out(workspace.engine, condition, workspace.root, None, floor=utc_now(), now=utc_now())

    service.ask(errand)
    assert service.get("/v1/history/crm-1").json()["rolled_up"][0]["events"] == 2
    assert service.request("DELETE", f"/v1/merges/{merge['merge']}").status_code == 200
    (known,) = service.rows(
        "SELECT a.email, a.known_at FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = ?", [ADDRESS]
    )
    assert (known[0], known[1].isoformat()) == ("ann@acme.example", "2026-03-01T10:00:00")
    assert [service.get(f"/v1/history/{lead}").json()["rolled_up"] != [] for lead in ("crm-1", ADDRESS)] == [
        False,
        True,
    ]


def test_undone_with_what_it_said_itself(service: Inside) -> None:
    service.send({"type": "identify", "userId": ADDRESS, "traits": {"job": "c_level"}, "timestamp": AT})
    service.settle()
    (merge,) = merges(service, "crm-1")
    assert service.request("DELETE", f"/v1/merges/{merge['merge']}").status_code == 200
    assert score(service, ADDRESS) == 20
    found = service.rows("SELECT job FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = 'crm-1'")
    assert found == [("vp",)]


def test_joined_again_by_hand_and_with_the_next_who_has_the_address(service: Inside) -> None:
    service.send(opened())
    service.settle()
    (merge,) = merges(service, "crm-1")
    service.request("DELETE", f"/v1/merges/{merge['merge']}")
    service.send({"type": "identify", "userId": "ann-2", "traits": {"email": "Ann@acme.example"}, "timestamp": LATER})
    service.settle()
    leads = dict(service.rows("SELECT id, lead FROM ids WHERE id IN ('crm-1', 'ann-2', ?)", [ADDRESS]))
    assert leads["ann-2"] in (leads["crm-1"], leads[ADDRESS])
    assert leads["crm-1"] != leads[ADDRESS]
    made = service.post("/v1/merges", {"first": "crm-1", "second": ADDRESS})
    assert made.status_code == 201
    assert len(set(dict(service.rows("SELECT id, lead FROM ids WHERE id IN ('crm-1', ?)", [ADDRESS])).values())) == 1


def test_those_of_an_older_store_are_noted_at_the_start(service: Inside) -> None:
    service.send(opened())
    service.settle()

    def errand(workspace: Any) -> None:
        workspace.engine.execute("DELETE FROM merges")
        prepare(workspace.engine)
        prepare(workspace.engine)

    service.ask(errand)
    assert [(one["by"], one["ids"], one["into"]) for one in merges(service, "crm-1")] == [("email", [ADDRESS], "crm-1")]
