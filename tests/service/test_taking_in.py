"""What is read of a system under `serve`: whoever changed is scored again, and nobody else; others' jobs go on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.service.shop import Inside, inside, make_shop
from tests.service.test_connections import crm, finished, hubspot, make_crm, until

from connect.hubspot.stand_in import StandIn
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.taking_in import score_all
from leadlight.workspace import Workspace

__all__ = ["crm", "hubspot"]  # fixtures

LATEST = """SELECT i.id, s.score FROM (SELECT lead, arg_max(score, (as_of, run)) AS score FROM scores
    WHERE scorecard = 'house' GROUP BY lead) s JOIN ids i ON i.lead = s.lead ORDER BY i.id"""


@pytest.fixture
def quiet(crm: Path) -> Path:
    """The workspace without a schedule: what happens is asked for."""
    file = crm / "leadlight.yaml"
    file.write_text(file.read_text().replace("    every: 1h\n", "").replace("live: true, ", ""))
    return crm


def scores(service: Inside) -> int:
    return int(service.rows("SELECT count(*) FROM scores")[0][0])


def synced(service: Inside, hubspot: StandIn) -> dict[str, Any]:
    hubspot.clock.advance(0.5)
    job = finished(service, service.post("/v1/connections/crm/sync", {}))
    assert job["state"] == "done", job
    return dict(job["result"])


def latest(service: Inside) -> list[tuple[Any, ...]]:
    return service.rows(LATEST)


def as_if_all_were_scored(service: Inside) -> list[tuple[Any, ...]]:
    """Score everybody, and return what that gives."""
    service.ask(score_all)
    return latest(service)


def test_of_many_the_one_that_changed_is_scored_again(quiet: Path, hubspot: StandIn) -> None:
    ids = [hubspot.add("contacts", jobtitle="Buyer") for _ in range(40)]
    with inside(quiet) as service:
        assert scores(service) == 40
        assert synced(service, hubspot)["rescored"] == 0
        hubspot.edit("contacts", ids[7], jobtitle="VP")
        found = synced(service, hubspot)
        assert (found["rescored"], found["scores"]) == (1, [])
        assert scores(service) == 41
        told = service.rows(
            "SELECT i.id, s.score FROM scores s JOIN ids i ON i.lead = s.lead ORDER BY s.as_of DESC, s.run DESC LIMIT 1"
        )
        assert told == [(f"crm:{ids[7]}", 40.0)]
        assert service.rows("SELECT count(*) FROM live_unscored") == [(0,)]
        assert service.rows("SELECT verb, counts FROM runs WHERE verb = 'rescore'")[0][0] == "rescore"
        hubspot.edit("contacts", ids[7], lastname="Same")
        assert synced(service, hubspot)["rescored"] == 0, "what no source reads changes nothing"
        assert scores(service) == 41


def test_what_is_new_merged_and_gone_ends_in_the_scores_of_everybody(quiet: Path, hubspot: StandIn) -> None:
    ids = [hubspot.add("contacts", jobtitle=job) for job in ("Buyer", "VP", "Clerk") * 12]
    with inside(quiet) as service:
        hubspot.clock.advance(0.5)
        new = hubspot.add("contacts", jobtitle="VP")
        hubspot.merge("contacts", ids[1], ids[0])
        hubspot.delete("contacts", ids[4])
        hubspot.edit("contacts", ids[9], jobtitle="VP")
        found = synced(service, hubspot)
        assert 3 <= found["rescored"] <= 5, found
        after = latest(service)
        assert dict(after)[f"crm:{new}"] == 40
        assert after == as_if_all_were_scored(service)


def test_where_most_changed_everybody_is_scored_at_once(quiet: Path, hubspot: StandIn) -> None:
    ids = [hubspot.add("contacts", jobtitle="Buyer") for _ in range(10)]
    with inside(quiet) as service:
        hubspot.clock.advance(0.5)
        for one in ids[:5]:
            hubspot.edit("contacts", one, jobtitle="VP")
        found = synced(service, hubspot)
        assert (found["rescored"], [run["scored"] for run in found["scores"]]) == (10, [10])
        assert service.rows("SELECT count(*) FROM live_unscored") == [(0,)]


def test_on_postgresql_too(quiet: Path, hubspot: StandIn, tmp_path: Path, postgres_store: str) -> None:
    folder = make_crm(tmp_path / "shared", hubspot, postgres_store)
    (folder / "leadlight.yaml").write_text(
        (quiet / "leadlight.yaml").read_text().replace("duckdb:store.duckdb", postgres_store)
    )
    ids = [hubspot.add("contacts", jobtitle="Buyer") for _ in range(10)]
    with inside(folder) as service:
        hubspot.edit("contacts", ids[3], jobtitle="VP")
        assert synced(service, hubspot)["rescored"] == 1
        assert service.rows("SELECT count(*) FROM scores") == [(11,)]
        assert service.rows("SELECT count(*) FROM live_unscored") == [(0,)]


def test_what_others_read_into_a_store_that_is_served_is_scored(tmp_path: Path, postgres_store: str) -> None:
    shop = make_shop(tmp_path / "shop", store=postgres_store)
    with inside(shop) as service:
        before = scores(service)
        file = shop / "crm.csv"
        file.write_text(file.read_text().replace("bob@acme.example,,10", "bob@acme.example,vp,10"))
        Workspace(shop).ingest()
        until(lambda: dict(latest(service))["crm-2"] > 10)
        until(lambda: service.rows("SELECT count(*) FROM live_unscored") == [(0,)])
        assert scores(service) - before <= 2, "the lead and its firm"


def test_a_job_that_reads_sources_leaves_nobody_to_be_scored_again(service: Inside, shop: Path) -> None:
    """And what it noted before is whom events, outcomes and values are about."""
    noted: list[set[str]] = []

    def ingest(workspace: LiveWorkspace) -> None:
        workspace.engine.execute("DELETE FROM live_unscored")
        workspace.ingest()
        rows = workspace.engine.rows("SELECT i.id FROM live_unscored u JOIN ids i ON i.lead = u.lead")
        noted.append({name for (name,) in rows})
        accounts = workspace.engine.rows("SELECT DISTINCT account FROM live_unscored WHERE account IS NOT NULL")
        noted[-1] |= {name for (name,) in accounts}
        workspace.engine.execute("DELETE FROM live_unscored")

    visits, crm, firms = shop / "visits.csv", shop / "crm.csv", shop / "firms.csv"
    visits.write_text(visits.read_text() + "crm-2,page,2026-02-05 10:00,/pricing,,mail\n")
    service.ask(ingest)
    crm.write_text(crm.read_text().replace("bob@acme.example,,10", "bob@acme.example,vp,10"))
    service.ask(ingest)
    firms.write_text(firms.read_text().replace("large", "small"))
    service.ask(ingest)
    service.ask(ingest)
    assert noted == [{"crm-1", "crm-2"}, {"crm-2"}, {"acme"}, set()]

    crm.write_text(crm.read_text() + "crm-4,2026-01-08,dan@solo.example,c_level,500,\n")
    job = finished(service, service.post("/v1/ingest", {}))
    assert job["state"] == "done", job
    before = scores(service)
    assert service.rows("SELECT count(*) FROM live_unscored") == [(0,)]
    time.sleep(1)
    assert scores(service) == before


# ------------------------------------------------------------------------------------------------------------- jobs


@contextmanager
def gate(address: str) -> Iterator[tuple[str, threading.Event]]:
    """Stand before a server: what is sent through arrives when the gate is open."""
    told, opened, ends = urlsplit(address), threading.Event(), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def pass_on(source: socket.socket, target: socket.socket, gated: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                while gated and not opened.wait(0.1):
                    if ends.is_set():
                        return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                here, _ = listening.accept()
                there = socket.create_connection((str(told.hostname), int(told.port or 80)))
                for ends_, gated in (((here, there), True), ((there, here), False)):
                    thread = threading.Thread(target=pass_on, args=(*ends_, gated), daemon=True)
                    thread.start()
                    passing.append((thread, ends_[0]))

    passing: list[tuple[threading.Thread, socket.socket]] = []
    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{told.path}", opened
    finally:
        ends.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(10)
        for _, one in passing:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread, one in passing:
            thread.join(10)
            one.close()


@pytest.fixture
def gated(quiet: Path, hubspot: StandIn) -> Iterator[tuple[Inside, threading.Event]]:
    """A service of two connections to one system, of which one goes through a gate that is shut."""
    hubspot.add("contacts", jobtitle="VP")
    with gate(hubspot.url) as (address, opened):
        file = quiet / "leadlight.yaml"
        slow = f'  slow: {{system: hubspot, url: "{address}"}}\nsources:\n' \
               "  others: {connection: slow, object: contacts, kind: leads, prefix: 's-', created_at: createdate, " \
               "columns: {job: jobtitle}}\n"  # fmt: skip
        opened.set()
        file.write_text(file.read_text().replace("sources:\n", slow))
        with inside(quiet) as service:
            opened.clear()
            hubspot.clock.advance(0.5)
            yield service, opened
            opened.set()


def state(service: Inside, job: Any) -> str:
    return str(service.get(job.headers["location"]).json()["state"])


def test_other_jobs_go_on_while_a_system_is_waited_for(gated: tuple[Inside, threading.Event]) -> None:
    service, opened = gated
    slow = service.post("/v1/connections/slow/sync", {})
    until(lambda: state(service, slow) == "running")
    assert finished(service, service.post("/v1/scores", {}))["state"] == "done"
    assert finished(service, service.post("/v1/connections/crm/sync", {}))["state"] == "done"
    again = service.post("/v1/connections/slow/sync", {})
    time.sleep(0.5)
    assert (state(service, slow), state(service, again)) == ("running", "running")
    assert service.get("/v1/connections").json()["connections"][1]["busy"]
    opened.set()
    assert [finished(service, one)["state"] for one in (slow, again)] == ["done", "done"], "one after the other"


def test_a_sync_that_is_cancelled_keeps_what_came(gated: tuple[Inside, threading.Event]) -> None:
    service, opened = gated
    slow = service.post("/v1/connections/slow/sync", {})
    until(lambda: state(service, slow) == "running")
    waits = service.post("/v1/connections/slow/sync", {})
    for job in (slow, waits):
        assert service.request("DELETE", job.headers["location"]).status_code in (200, 202)
    assert finished_or_cancelled(service, waits) == "cancelled", "who waits for its turn has not begun"
    time.sleep(1)
    opened.set()
    assert finished_or_cancelled(service, slow) == "cancelled"
    told = service.get("/v1/connections").json()["connections"][1]
    assert told["sync"]["problem"].startswith("cancelled")
    assert told["rests_until"] is None
    assert not told["busy"]
    assert b'leadlight_syncs_total{connection="slow",outcome="Cancelled"} 1.0' in service.get("/metrics").content
    assert finished(service, service.post("/v1/connections/slow/sync", {}))["state"] == "done"


def finished_or_cancelled(service: Inside, job: Any) -> str:
    until(lambda: state(service, job) not in ("waiting", "running"))
    return state(service, job)


def test_a_service_that_ends_breaks_off_what_is_read(gated: tuple[Inside, threading.Event]) -> None:
    service, opened = gated
    slow = service.post("/v1/connections/slow/sync", {})
    waits = service.post("/v1/connections/slow/sync", {})
    until(lambda: state(service, slow) == "running")
    service.state.connections.break_off()
    opened.set()
    for job in (slow, waits):
        found = finished(service, job)
        assert (found["state"], "stopping" in found["problem"]["detail"]) == ("failed", True), found
