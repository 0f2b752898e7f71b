"""`leadlight serve` as it is used: a process of its own, real clients, and what happens when it is killed."""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from tests.service.shop import Outside, outside

from leadlight.cli.app import main


def stored(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "store.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_it_starts_with_nothing_read_and_stops_when_asked(shop: Path) -> None:
    with outside(shop) as service:
        assert any("Reading the sources" in line for line in service.said)
        assert httpx.get(f"{service.address}/healthz").text == "ok"
        assert service.get("/v1/leads")["total"] == 3
        code, out = service.stop()
    assert code == 0
    assert "0 calls stored" in out
    with outside(shop) as service:
        assert not any("ll_" in line for line in service.said)  # the key is said once
        assert service.get("/v1/leads", limit=1)["rows"][0]["rank"] == 1


def test_the_client_of_segment(shop: Path) -> None:
    from segment.analytics.client import Client

    with outside(shop) as service:
        for packed in (False, True):
            client = Client(service.key, host=service.address, gzip=packed, max_retries=1)
            client.identify(f"s-{packed}", {"email": f"s{packed}@x.example", "job": "vp"})
            client.track(f"s-{packed}", "Demo Requested", {"source": "fair"})
            client.page(f"s-{packed}", "Docs", "Start", {"path": "/pricing"})
            client.group(f"s-{packed}", "acme", {"size": "large"})
            client.alias("before", f"s-{packed}")
            client.flush()
            client.join()
        service.settle()
        for packed in (False, True):
            lead = service.get(f"/v1/leads/s-{packed}")
            points = {item["key"]: item["points"] for item in lead["contributions"]}
            assert (points["fit__job"], points["interest__demo"], points["fit__firm"]) == (12, 25, 5)
            assert points["interest__pricing"] > 4.9
        service.stop()
    assert stored(shop, "SELECT count(*) FROM events WHERE _source = 'live'") == [(4,)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_client_of_rudderstack(shop: Path) -> None:
    from rudderstack.analytics.client import Client

    with outside(shop) as service:
        client = Client(service.key, host=service.address, gzip=True, max_retries=1)
        client.identify("r1", {"email": "r@x.example", "job": "c_level", "staff": 90})
        client.track("r1", "Demo Requested", {"source": "fair"})
        client.flush()
        client.join()
        service.settle()
        points = {item["key"]: item["points"] for item in service.get("/v1/leads/r1")["contributions"]}
        assert (points["fit__job"], points["fit__staff"], points["interest__demo"]) == (20, 7, 25)
        service.stop()
    assert stored(shop, "SELECT count(*) FROM events WHERE _source = 'live'") == [(1,)]


def test_another_process_is_told_who_holds_the_store(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with outside(shop) as service:
        assert main(["rank", "-w", str(shop)]) == 5
        assert "is in use by" in capsys.readouterr().err
        service.stop()
    assert main(["rank", "-w", str(shop)]) == 0


@pytest.mark.parametrize("words", [["--port", "99999"], ["--host", "256.1.1.1"], ["--for", "soon"]])
def test_addresses_that_are_none_are_said_so(shop: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "-w", str(shop), "--for", "1s", *words]) == 2
    assert capsys.readouterr().err


class Sender(threading.Thread):
    """Sends batches, each again until it is acknowledged, to whatever service runs."""

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.number, self.service = number, None
        self.acknowledged: set[str] = set()
        self.done = threading.Event()

    service: Outside | None

    def run(self) -> None:
        chance, count = random.Random(self.number), 0
        with httpx.Client(timeout=5) as client:
            while not self.done.is_set():
                messages = [f"{self.number}-{count + n}" for n in range(chance.randint(1, 30))]
                count += len(messages)
                body = gzip.compress(json.dumps({"batch": [self._call(chance, one) for one in messages]}).encode())
                while not self.done.is_set() and not self._send(client, body):
                    time.sleep(0.02)
                else:
                    if not self.done.is_set():
                        self.acknowledged.update(messages)

    def _call(self, chance: random.Random, message: str) -> dict[str, Any]:
        return {"type": "track", "event": "order", "messageId": message, "userId": f"crm-{chance.randint(1, 3)}",
                "properties": {"amount": 20}}  # fmt: skip

    def _send(self, client: httpx.Client, body: bytes) -> bool:
        service = self.service
        if service is None:
            return False
        try:
            return client.post(f"{service.address}/v1/batch", content=body, headers=service.auth).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_what_was_acknowledged_is_there_once_however_often_it_is_killed(shop: Path) -> None:
    senders = [Sender(n) for n in range(3)]
    for sender in senders:
        sender.start()
    for turn in range(3):
        with outside(shop) as service:
            for sender in senders:
                sender.service = service
            time.sleep(0.4 + 0.5 * turn)
            for sender in senders:
                sender.service = None
            service.kill()
    for sender in senders:
        sender.done.set()
        sender.join(10)
    with outside(shop) as service:
        service.settle()
        service.stop()
    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    assert len(acknowledged) > 50
    keys = stored(shop, "SELECT hex(_key) FROM events WHERE _source = 'live'")
    assert len(keys) == len(set(keys)) >= len(acknowledged)
    marks = ", ".join(f"('m=' || strlen('{one}') || ':' || '{one}')" for one in sorted(acknowledged))
    lost = f"SELECT count(*) FROM (VALUES {marks}) v(m) WHERE md5_number(m) NOT IN (SELECT _key FROM events)"
    assert stored(shop, lost) == [(0,)]
