"""The service reads a topic: scored at once, poison put aside, and each message once however often it is killed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.service.kafka.cluster import Cluster, cluster
from tests.service.shop import inside, make_shop, outside

EACH = 1_500


def with_kafka(folder: Path, broker: Cluster, more: str = "") -> Path:
    shop = make_shop(folder)
    with (shop / "leadlight.yaml").open("a") as file:
        file.write(f"\nkafka: {{brokers: {broker.brokers}, topics: [events]{more}}}\n")
    return shop


def orders(turn: int) -> list[dict[str, Any]]:
    """Orders an hour apart: many at once would be taken for a machine's."""
    first = datetime(2026, 1, 1) + timedelta(hours=turn * EACH)
    return [
        {"type": "track", "event": "order", "properties": {"amount": 20}, "userId": f"crm-{n % 3 + 1}",
         "timestamp": (first + timedelta(hours=n)).isoformat()}
        for n in range(EACH)
    ]  # fmt: skip


def until(done: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_what_is_read_is_scored_and_poison_is_put_aside(tmp_path: Path) -> None:
    fields = ", format: lines, fields: {lead: who, type: what, at: ts}"
    with cluster() as broker, inside(with_kafka(tmp_path / "shop", broker, fields)) as service:
        broker.send("events", {"who": "crm-3", "what": "Demo Requested"}, b"{broken", {"who": "crm-3"})
        until(lambda: broker.committed("leadlight", "events") == 3)
        service.settle()
        points = {one["key"]: one["points"] for one in service.get("/v1/leads/crm-3").json()["contributions"]}
        assert points["interest__demo"] == 25
        refused = service.state.readers.ask_long(
            lambda workspace: workspace.engine.rows("SELECT call, reason FROM live_refused ORDER BY call")
        )
        assert [call for call, _ in refused] == ['{"who": "crm-3"}', "{broken"]
        assert all(reason.startswith("kafka:events:") for _, reason in refused)
        ready = service.request("GET", "/readyz").json()
        assert (ready["ready"], ready["kafka"]) == (True, None)


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_each_message_counts_once_however_often_it_is_killed(tmp_path: Path) -> None:
    def done(count: int) -> Callable[[], bool]:
        return lambda: broker.committed("leadlight", "events") >= count

    with cluster() as broker:
        shop = with_kafka(tmp_path / "shop", broker, ", settings: {session.timeout.ms: '6000'}")
        for turn in range(2):
            broker.send("events", *orders(turn))
            with outside(shop) as service:
                until(done(EACH * turn + 1))
                if turn == 0:  # in the midst of it
                    service.kill()
                else:
                    until(done(EACH * 2))
                    service.settle()
                    service.stop()
    with duckdb.connect(str(shop / "store.duckdb"), read_only=True) as store:
        found = store.execute("SELECT count(*), count(DISTINCT _key) FROM events WHERE _source = 'live'").fetchone()
    assert found == (2 * EACH, 2 * EACH)


def test_a_secret_that_is_not_set_is_said_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from leadlight.cli.app import main

    shop = make_shop(tmp_path / "shop")
    with (shop / "leadlight.yaml").open("a") as file:
        file.write("\nkafka: {brokers: ['h:9092'], topics: [t], settings: {sasl.password: '${KAFKA_NOT_SET}'}}\n")
    assert "KAFKA_NOT_SET" not in os.environ
    assert main(["serve", "-w", str(shop), "--port", "0", "--for", "1s"]) == 2
    assert "KAFKA_NOT_SET" in capsys.readouterr().err
