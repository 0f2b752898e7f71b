"""A company whose truth is known: who buys depends on the source, the size and the visits, and on nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leadlight.workspace import Workspace

START, UNTIL = datetime(2025, 1, 1), datetime(2026, 6, 1)
SPEC = """
sources:
  leads: {csv: leads.csv, id: id, created_at: created, account: company}
  events: {parquet: events.parquet, lead: lead, type: type, at: at}
  deals: {csv: deals.csv, lead: lead, at: closed, outcome: stage, value: amount}
outcome: {win: "stage = 'won'", lose: "stage = 'lost'", horizon: 30d}
exclude: "outcome is not null"
LEARN
"""
HOUSE = """
groups:
  fit:
    criteria:
      - {name: Source, feature: source, points: {referral: 20, ads: -10}}
      - {name: Size, feature: size, bands: [[null, 100, 0], [100, null, 10]], missing: 0}
  engagement:
    criteria:
      - {name: Visits, event: visit, points: 2, within: 30d, max: 20}
grades: {score: {A: 20, B: 0, C: null}}
"""
SOURCES = {"referral": 1.6, "organic": 0.2, "ads": -1.2, "fair": -0.2}
BASE = -2.9


def make_company(folder: Path, *, leads: int = 1500, seed: int = 1, learn: str = "", house: str = HOUSE) -> Workspace:
    """Write the files of a company into a folder and read them."""
    dice = np.random.default_rng(seed)
    created = np.sort(dice.integers(0, (UNTIL - START).days * 86_400, leads))
    source = dice.choice(list(SOURCES), leads)
    size = np.exp(dice.normal(4, 1.2, leads)).round()
    keen = dice.normal(0, 1, leads)
    truth = BASE + np.array([SOURCES[name] for name in source]) + 0.8 * (size > 100) + 1.0 * keen
    won = dice.random(leads) < 1 / (1 + np.exp(-truth))
    wait = dice.exponential(12, leads) * 86_400
    lost = ~won & (dice.random(leads) < 0.6)
    _write_leads(folder, dice, created, source, size, won, lost)
    _write_deals(folder, dice, created, size, wait, won, lost)
    _write_events(folder, dice, created, keen)
    (folder / "scorecards").mkdir(exist_ok=True)
    (folder / "scorecards" / "house.yaml").write_text(house)
    (folder / "leadlight.yaml").write_text(SPEC.replace("LEARN", learn))
    workspace = Workspace(folder, now=lambda: UNTIL)
    workspace.ingest()
    return workspace


def _moment(seconds: np.ndarray) -> list[datetime]:
    return [START + timedelta(seconds=int(second)) for second in seconds]


def _write_leads(folder, dice, created, source, size, won, lost) -> None:
    n = len(created)
    quality = np.where(won, "hot", np.where(lost, "cold", dice.choice(["hot", "cold", "warm"], n)))
    company = [f"Company {number}" for number in dice.integers(0, n // 2, n)]
    table = pa.table(
        {
            "id": [f"L{number:05}" for number in range(n)],
            "created": _moment(created),
            "company": company,
            "source": pa.array(source, mask=dice.random(n) < 0.05),
            "size": pa.array(size, mask=dice.random(n) < 0.1),
            "colour": dice.choice(["red", "green", "blue"], n),
            "shoe": dice.normal(42, 3, n).round(1),
            "lead_quality": quality,
            "budget_year": pa.array([f"{moment:%Y-%m}" for moment in _moment(created)]),
        }
    )
    pa.csv.write_csv(table, folder / "leads.csv")


def _write_deals(folder, dice, created, size, wait, won, lost) -> None:
    closed = created + 3600 + wait
    known = (won | lost) & (closed < (UNTIL - START).total_seconds())
    place = np.flatnonzero(known)
    amount = np.where(won[place], 100 * size[place] ** 0.5 * np.exp(dice.normal(0, 0.3, len(place))), np.nan)
    table = pa.table(
        {
            "lead": [f"L{number:05}" for number in place],
            "closed": _moment(closed[place]),
            "stage": np.where(won[place], "won", "lost"),
            "amount": pa.array(amount.round(2), mask=np.isnan(amount)),
        }
    )
    pa.csv.write_csv(table, folder / "deals.csv")


def _write_events(folder, dice, created, keen) -> None:
    counts = dice.poisson(1.5 * np.exp(0.7 * keen))
    lead = np.repeat(np.arange(len(created)), counts)
    at = created[lead] + dice.integers(0, 30 * 86_400, len(lead))
    table = pa.table(
        {
            "lead": [f"L{number:05}" for number in lead],
            "type": dice.choice(["visit", "visit", "visit", "mail"], len(lead)),
            "at": pa.array(_moment(at), pa.timestamp("us")),
            "path": dice.choice(["/", "/pricing", "/blog"], len(lead)),
        }
    )
    pa.parquet.write_table(table.filter(pa.array(at < (UNTIL - START).total_seconds())), folder / "events.parquet")
