"""Companies made from rows, whose past is known by heart; and one drawn from a seed, with effects planted in it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.workspace import Workspace

DAY = timedelta(days=1)
START = datetime(2025, 1, 1)
NOW = datetime(2026, 1, 1)

WORKSPACE = """
entity: lead
sources:
  leads: {csv: leads.csv, id: id, created_at: created, account: company}
  events: {csv: events.csv, lead: lead, type: type, at: at, types: {page: text, device: text}}
  deals: {csv: deals.csv, lead: lead, at: closed, outcome: stage, value: amount}
outcome: {win: "stage = 'won'", lose: "stage = 'lost'", horizon: 30d}
"""
AT_CREATION = "learn: {moments: []}\n"
HOUSE = """
groups:
  fit:
    criteria:
      - {name: Seniority, feature: seniority, points: {boss: 10, clerk: -5}}
      - {name: Tier, feature: tier, points: {gold: 3}}
  deeds:
    criteria:
      - {name: Visits, event: visit, points: 2, max: 20}
"""
COLUMNS = {
    "leads": ["id", "created", "email", "company", "seniority", "tier"],
    "events": ["lead", "type", "at", "page", "device"],
    "deals": ["lead", "closed", "stage", "amount"],
}

Row = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """An open store, and what a question is asked with."""

    engine: DuckDBEngine
    workspace: ResolvedWorkspace
    card: ResolvedScorecard

    def lead(self, name: str) -> int:
        """The number of a lead."""
        return int(self.engine.rows("SELECT lead FROM ids WHERE id = ?", [name])[0][0])


def found(
    folder: Path,
    leads: Iterable[Row],
    events: Iterable[Row],
    deals: Iterable[Row],
    *,
    workspace: str = WORKSPACE,
    house: str = HOUSE,
) -> Workspace:
    """Write a company's files and read them."""
    (folder / "scorecards").mkdir(parents=True)
    (folder / "leadlight.yaml").write_text(workspace)
    (folder / "scorecards" / "house.yaml").write_text(house)
    for name, rows in (("leads", leads), ("events", events), ("deals", deals)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[name])
            writer.writeheader()
            writer.writerows(rows)
    opened = Workspace(folder, now=lambda: NOW)
    opened.ingest()
    return opened


def ask(workspace: Workspace, question: Callable[[Asked], T], card: str | None = None) -> T:
    """Ask something of an open store."""
    with workspace.store() as engine:
        resolved = workspace._ready(engine)
        return question(Asked(engine, resolved, workspace._card(resolved, card)))


@dataclass(frozen=True)
class Past:
    """A drawn company, as rows."""

    leads: list[Row]
    events: list[Row]
    deals: list[Row]


def drawn(count: int, seed: int) -> Past:
    """Draw a company.

    Bosses buy three times as often, and those with gold *or* a company of their own, but not both, buy more (a pair no
    sum of single effects gives). In the first 30 days leads visit pages: those bound to buy look at prices in their
    second week, everybody reads the blog, and a newsletter goes out to all alike. The won are welcomed after the deal.
    """
    rng = np.random.default_rng(seed)
    boss, gold, own = rng.random(count) < 0.2, rng.random(count) < 0.5, rng.random(count) < 0.5
    keen = rng.random(count) < 0.03 + 0.09 * boss + 0.12 * (gold ^ own)
    past = Past([], [], [])
    for i in range(count):
        created = START + DAY * float(rng.integers(0, 250))
        name = f"L{i:05}"
        past.leads.append({
            "id": name, "created": created, "email": f"{name}@x.example", "company": "own" if own[i] else "",
            "seniority": "boss" if boss[i] else "clerk", "tier": "gold" if gold[i] else "tin",
        })  # fmt: skip

        def happened(kind: str, days: float, page: str = "", *, name: str = name, at: datetime = created) -> None:
            device = ("phone", "desk")[int(rng.random() < 0.5)] if kind == "visit" else ""
            past.events.append({"lead": name, "type": kind, "at": at + DAY * days, "page": page, "device": device})

        for page, chance in (("/blog", 0.5), ("/jobs", 0.3), ("/price", 0.7 if keen[i] else 0.06)):
            if rng.random() < chance:
                happened("visit", 8 + 5 * rng.random(), page)
        if rng.random() < 0.5:
            happened("letter", 8 + 5 * rng.random())
        if rng.random() < 0.5:
            happened("visit", rng.random(), "/blog")
        closed = 16 + 20 * rng.random()
        if keen[i] and rng.random() < 0.8:
            amount = round(1000 * float(rng.random()), 2)
            past.deals.append({"lead": name, "closed": created + DAY * closed, "stage": "won", "amount": amount})
            happened("welcome", closed + 1)
        elif rng.random() < 0.3:
            past.deals.append({"lead": name, "closed": created + DAY * closed, "stage": "lost", "amount": ""})
    return past
