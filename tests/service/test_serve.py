"""`leadlight serve` as it is used: a process of its own, real clients, and what happens when it is killed."""

from __future__ import annotations

import gzip
import json
import random
import sys
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


def test_it_starts_with_nothing_read_holds_the_store_and_stops_when_asked(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with outside(shop) as service:
        assert any("Reading the sources" in line for line in service.said)
        assert httpx.get(f"{service.address}/healthz").text == "ok"
        assert service.get("/v1/leads")["total"] == 3
        assert main(["rank", "-w", str(shop)]) == 5
        assert "is in use by" in capsys.readouterr().err
        code, out = service.stop()
    assert code == 0
    assert "0 calls stored" in out
    assert main(["rank", "-w", str(shop)]) == 0
    with outside(shop) as service:
        assert not any("ll_" in line for line in service.said)  # the key is said once
        assert service.get("/v1/leads", limit=1)["rows"][0]["rank"] == 1


def send_by_segment(service: Outside) -> None:
    from segment.analytics.client import Client

    for packed in (False, True):
        client = Client(service.key, host=service.address, gzip=packed, max_retries=1)
        client.identify(f"s-{packed}", {"email": f"s{packed}@x.example", "job": "vp"})
        client.track(f"s-{packed}", "Demo Requested", {"source": "fair"})
        client.page(f"s-{packed}", "Docs", "Start", {"path": "/pricing"})
        client.group(f"s-{packed}", "acme", {"size": "large"})
        client.alias("before", f"s-{packed}")
        client.flush()
        client.join()


def send_by_rudderstack(service: Outside) -> None:
    from rudderstack.analytics.client import Client

    client = Client(service.key, host=service.address, gzip=True, max_retries=1)
    client.identify("r1", {"email": "r@x.example", "job": "c_level", "staff": 90})
    client.track("r1", "Demo Requested", {"source": "fair"})
    client.flush()
    client.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_clients_of_segment_and_rudderstack(shop: Path) -> None:
    """Each delivers its calls once: packed and plain, with traits where either puts them."""
    with outside(shop) as service:
        send_by_segment(service)
        send_by_rudderstack(service)
        service.settle()
        for who in ("s-False", "s-True", "r1"):
            lead = service.get(f"/v1/leads/{who}")
            points = {item["key"]: item["points"] for item in lead["contributions"]}
            assert points["interest__demo"] == 25
            if who == "r1":
                assert (points["fit__job"], points["fit__staff"]) == (20, 7)
            else:
                assert (points["fit__job"], points["fit__firm"]) == (12, 5)
                assert points["interest__pricing"] > 4.9
        service.stop()
    assert stored(shop, "SELECT count(*) FROM events WHERE _source = 'live'") == [(5,)]


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
    keys = stored(shop, "SELECT hex(_key) FROM events WHERE _source = 'live' "
                        "UNION ALL SELECT hex(_key) FROM set_aside WHERE _source = 'live'")  # fmt: skip
    assert len(keys) == len(set(keys)) >= len(acknowledged)
    marks = ", ".join(f"('m=' || strlen('{one}') || ':' || '{one}')" for one in sorted(acknowledged))
    kept = "SELECT _key FROM events UNION ALL SELECT _key FROM set_aside"
    lost = f"SELECT count(*) FROM (VALUES {marks}) v(m) WHERE md5_number(m) NOT IN ({kept})"
    assert stored(shop, lost) == [(0,)]


def test_without_the_extra_it_says_how_to_get_it(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "-w", str(shop), "--for", "1s"]) == 7
    assert 'pip install "leadlight[serve]"' in capsys.readouterr().err
