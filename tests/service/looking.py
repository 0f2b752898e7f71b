"""A workspace to serve whose leads are looked up: a vendor on loopback says of a domain in which industry it is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from internet import Answer, Internet

HOST = "api.crunch.example"
VENDOR = f"""
title: Crunch
needs: [[domain]]
request:
  url: https://{HOST}/firms
  query: {{domain: "{{domain}}"}}
nothing: {{status: [404]}}
attributes:
  industry: branch
personal: false
per_second: 50
cost: 0.5
"""
LEADS = """id,created,email,size
L1,2026-01-01,ann@acme.com,500
L2,2026-01-02,bob@beta.com,50
L3,2026-01-03,cy@gmail.com,500
"""
CARD = """
groups:
  fit:
    criteria:
      - {name: Industry, feature: industry, points: {software: 20, agriculture: -20}, missing: 0, other: 0}
      - {name: Size, feature: size, bands: [[null, 100, 0], [100, null, 15]], missing: 0}
  interest:
    criteria:
      - {name: Demo, event: demo, points: 12, max: 12}
grades: {score: {A: 30, B: 10, C: null}}
"""
SOFTWARE = {"branch": "software"}


@dataclass
class Vendor:
    """The vendor's API: what it says of each domain, how long that takes, and what it was asked."""

    says: dict[str, Any] = field(default_factory=lambda: {"acme.com": SOFTWARE, "beta.com": SOFTWARE})
    delay: float = 0.0
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Any) -> Any:
        domain = request.query["domain"]
        self.asked.append(domain)
        said = self.says.get(domain)
        body, status = ("", 404) if said is None else (json.dumps(said), 200)
        return Answer(body, status, kind="application/json", delay=self.delay)


@contextmanager
def crunch() -> Iterator[tuple[Internet, Vendor]]:
    """Run the vendor."""
    with Internet() as internet:
        vendor = Vendor()
        internet.handle(HOST, "/firms", lambda request: vendor.answer(request))
        yield internet, vendor


def make(
    folder: Path, internet: Internet, *, store: str = "duckdb:store.duckdb", leads: str = LEADS, **enrich: Any
) -> Path:
    """Write the workspace; what is not told of `enrich:` is that new leads are looked up by the vendor."""
    (folder / "scorecards").mkdir(parents=True)
    rules = {"ask": ["crunch"], "on_ingest": True, "providers": {"crunch": {"http": "crunch.yaml"}},
             "network": internet.settings(timeout="60s"), **enrich}  # fmt: skip
    spec = {
        "store": store, "sources": {"crm": {"csv": "leads.csv", "id": "id", "created_at": "created"}}, "enrich": rules,
        "features": {"size": {"attribute": "size"}, "industry": {"attribute": "industry"}},
    }  # fmt: skip
    for name, text in {"leadlight.yaml": json.dumps(spec), "scorecards/house.yaml": CARD, "crunch.yaml": VENDOR,
                       "leads.csv": leads}.items():  # fmt: skip
        (folder / name).write_text(text.lstrip())
    return folder


def identify(user: str, email: str, **more: Any) -> dict[str, Any]:
    """A call that says who somebody is."""
    return {"type": "identify", "userId": user, "messageId": f"{user}-{email}-{sorted(more)}",
            "traits": {"email": email, **more}}  # fmt: skip


def until(true: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait for something to be so; return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found
