"""Several processes of one service: who ends is started again, and nothing is lost by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.shop import Outside, make_shop, outside

from leadlight.errors import UsageError
from leadlight.service.serve import Crew, serve, work
from leadlight.workspace import Workspace


def children(service: Outside) -> list[int]:
    pid = service.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def send(service: Outside, messages: list[str], seconds: float = 60) -> None:
    """Send events of a lead, again until they are taken."""
    calls = [{"type": "track", "event": "order", "userId": "crm-1", "messageId": one} for one in messages]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if (
                httpx.post(f"{service.address}/v1/batch", json={"batch": calls}, headers=service.auth).status_code
                == 200
            ):
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError("not taken")


def figure(service: Outside, name: str) -> float:
    for line in httpx.get(f"{service.address}/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    return 0.0


def wait(until: Any, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_process_may_be_killed(tmp_path: Path, postgres_store: str) -> None:
    shop = make_shop(tmp_path / "shop", store=postgres_store)
    with outside(shop, "--processes", "1", "--workers", "2") as service:
        assert len(children(service)) == 3
        sent = [[f"{number}-{place}" for place in range(20)] for number in range(6)]
        for victim, messages in zip(children(service)[-2:], sent, strict=False):
            send(service, messages)
            os.kill(victim, signal.SIGKILL)
        for messages in sent[2:]:
            send(service, messages)
        wait(lambda: len(children(service)) == 3)
        wait(lambda: figure(service, "leadlight_calls_waiting") == 0)
        code, out = service.stop()
    assert (code, "wait" in out) == (0, False)
    with Workspace(shop).store() as engine:
        found = engine.rows(
            "SELECT count(*), count(DISTINCT _key) FROM "
            "(SELECT _key FROM events WHERE _source = 'live' UNION ALL SELECT _key FROM set_aside) e"
        )
        assert found == [(120, 120)]
        assert engine.rows("SELECT count(*) FROM live_inbox") == [(0,)]


def test_the_embedded_store_is_one_processs(shop: Path) -> None:
    for crew in (Crew(processes=2), Crew(workers=2), Crew(workers=0)):
        with pytest.raises(UsageError, match="embedded store"):
            serve(shop, port=0, crew=crew)
    with pytest.raises(UsageError, match="whoever serves it works too"):
        work(shop)


def test_a_process_whose_starter_was_killed_before_it_said_what_to_do_ends_without_a_word() -> None:
    words = [sys.executable, "-m", "leadlight.service.member"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr
