"""A small workspace to serve, and ways to run the service over it: in this process, or as a user would."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette

from leadlight.service.app import create_app
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.serve import running
from leadlight.service.state import State

Told = TypeVar("Told")

WORKSPACE = """
store: duckdb:store.duckdb
sources:
  crm: {csv: crm.csv, id: id, created_at: created, account: account}
  visits: {csv: visits.csv, lead: lead, type: type, at: at}
  firms: {csv: firms.csv, account: name}
outcome: {win: "outcome = 'won'", horizon: 30d}
features:
  job: {attribute: job}
  staff: {attribute: staff}
  size: {attribute: size}
  pricing_7d: {count: page, where: "path like '/pricing%'", within: 7d}
  colleagues: {account: {distinct_leads: page, within: 30d}}
"""

HOUSE = """
groups:
  fit:
    cap: [-20, 30]
    criteria:
      - {name: Job, feature: job, points: {vp: 12, c_level: 20}, other: 1, missing: 0}
      - {name: Staff, feature: staff, bands: [[0, 50, 2], [50, null, 7]], missing: 0}
      - {name: Firm, feature: size, points: {large: 5}, other: 1, missing: 0}
  interest:
    cap: [0, 60]
    criteria:
      - {name: Pricing, event: page, where: "path like '/pricing%'", points: 5, half_life: 5d, max: 30}
      - {name: Demo, event: Demo Requested, points: 25, within: 30d, first: 1}
      - {name: Orders, event: order, where: "amount > 10", points: 3, half_life: 20d}
      - {name: Often at pricing, when: "pricing_7d >= 2", points: 4}
      - {name: Colleagues, feature: colleagues, bands: [[0, 2, 0], [2, null, 6]], missing: 0}
grades:
  score: {A: 30, B: 10, C: null}
  hysteresis: {margin: 2, dwell: 1h}
"""

FIRMS_CARD = """
of: account
groups:
  interest:
    criteria:
      - {name: Visits, event: page, points: 1, max: 20}
"""

CRM = """id,created,email,job,staff,account
crm-1,2026-01-05,ann@acme.example,vp,200,acme
crm-2,2026-01-06,bob@acme.example,,10,acme
crm-3,2026-01-07,cyd@solo.example,c_level,,
"""
VISITS = """lead,type,at,path,amount,source
crm-1,page,2026-02-01 10:00,/pricing,,mail
crm-2,order,2026-02-02 10:00,,25,
"""
FIRMS = """name,size
acme,large
"""


def make_shop(folder: Path, *, store: str = "duckdb:store.duckdb") -> Path:
    """Write the workspace."""
    (folder / "scorecards").mkdir(parents=True)
    files = {
        "leadlight.yaml": WORKSPACE, "scorecards/house.yaml": HOUSE, "scorecards/firms.yaml": FIRMS_CARD,
        "crm.csv": CRM, "visits.csv": VISITS, "firms.csv": FIRMS,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text.lstrip().replace("duckdb:store.duckdb", store))
    return folder


@dataclass
class Inside:
    """The service in this process, without a socket."""

    state: State
    app: Starlette
    key: str

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask with the key, unless other headers are told."""
        more.setdefault("headers", {"Authorization": f"Bearer {self.key}"})

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        return self.request("POST", path, json=body, **more)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.request("GET", path, params=params)

    def send(self, *calls: Any) -> dict[str, Any]:
        """Send a batch of calls."""
        answer = self.post("/v1/batch", {"batch": list(calls)})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ask(self, question: Callable[[LiveWorkspace], Told]) -> Told:
        """Ask the worker's workspace, between two micro-batches: its connection is the worker's alone."""
        return self.state.worker.do(question).result(60)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read the store."""
        return self.ask(lambda workspace: workspace.engine.rows(sql, parameters))

    def columns(self, table: str) -> dict[str, str]:
        """Return the columns of a table of the store."""
        return self.ask(lambda workspace: workspace.engine.columns(table))

    def settle(self) -> None:
        """Wait until all that was accepted is in the store."""
        settle(lambda: json.loads(self.request("GET", "/readyz").content))


def settle(ready: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while (said := ready())["waiting"] or said["unscored"]:
        assert time.monotonic() < end, said
        time.sleep(0.02)


@contextmanager
def inside(folder: Path) -> Iterator[Inside]:
    """Run the service over a folder."""
    said: list[str] = []
    with running(folder, say=said.append) as state:
        key, _ = state.keys.make("test", ["ingest", "read", "manage"], at=state.now())
        yield Inside(state, create_app(state), key)


@dataclass
class Outside:
    """The service in a process of its own, over a real socket."""

    process: subprocess.Popen[str]
    address: str
    key: str
    said: list[str] = field(default_factory=list)

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def settle(self) -> None:
        """Wait until all that was accepted is in the store."""
        settle(lambda: httpx.get(f"{self.address}/readyz").json())

    def get(self, path: str, **params: Any) -> Any:
        answer = httpx.get(f"{self.address}{path}", params=params, headers=self.auth, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> tuple[int, str]:
        """Ask it to stop; return its code and what it printed."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode, out


KEYS: dict[Path, str] = {}
"""The admin key of each folder: it is said once."""


@contextmanager
def outside(folder: Path, *more: str) -> Iterator[Outside]:
    """Run `leadlight serve` over a folder, and see to it that it ends."""
    words = [sys.executable, "-m", "leadlight", "serve", "-w", str(folder), "--port", "0", *more]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            said: list[str] = []
            assert process.stderr is not None
            for line in process.stderr:
                said.append(line.rstrip())
                if found := re.search(r"ll_\S+", line):
                    KEYS[folder] = found[0]
                if found := re.search(r"Listening on (\S+)", line):
                    yield Outside(process, found[1], KEYS[folder], said)
                    break
            else:
                raise AssertionError("\n".join(said))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)
