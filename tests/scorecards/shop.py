"""A small shop whose every number can be worked out by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from leadlight.workspace import Workspace

NOW = datetime(2026, 3, 1)

WORKSPACE = """
entity: lead
store: duckdb:shop.duckdb
sources:
  leads: {csv: leads.csv, id: id, created_at: created, account: company}
  events: {csv: events.csv, lead: lead, type: type, at: at}
  deals: {csv: deals.csv, lead: lead, at: closed, outcome: stage, value: amount}
outcome: {win: "stage = 'won'", lose: "stage = 'lost'", horizon: 30d}
features:
  visits_30d: {count: page_view, within: 30d}
exclude: "email like '%@shop.example'"
"""

HOUSE = """
title: House rules
base: 1
groups:
  fit:
    cap: [-10, 20]
    criteria:
      - {name: Seniority, feature: seniority, points: {vp: 15, manager: 5}, missing: -1, other: 0}
      - {name: Company size, feature: employees, bands: [[0, 10, -5], [10, 200, 5], [200, null, 12]]}
      - {name: Big and busy, when: "employees > 100 and visits_30d >= 2", points: 4}
  engagement:
    criteria:
      - {name: Looks at pricing, event: page_view, where: "path like '/pricing%'", points: 8, half_life: 10d, max: 12}
      - {name: Asked for a demo, event: demo, points: 10, first: 1}
      - {name: Unsubscribed, event: unsubscribe, points: -6}
      - {name: Came to Mars, event: rocket, points: 1}
gates:
  - {name: Competitor, when: "account = 'Rival'", grade: C3}
grades:
  fit: {A: 15, B: 5, C: null}
  engagement: {1: 12, 2: 4, 3: null}
  hysteresis: {margin: 2, dwell: 24h}
"""

LEADS = """id,created,email,company,seniority,employees
ann,2026-01-01,ann@acme.example,Acme,vp,500
bob,2026-01-10,bob@acme.example,Acme,manager,500
cy,2026-02-01,cy@rival.example,Rival,vp,50
di,2026-02-20,di@solo.example,,,5
eve,2026-01-05,eve@shop.example,Shop,vp,10
fay,2026-04-01,fay@later.example,Later,vp,10
"""

EVENTS = """lead,type,at,path
ann,page_view,2026-02-19,/pricing
ann,page_view,2026-02-09,/pricing/team
ann,page_view,2026-02-27,/blog
ann,demo,2026-02-20,
ann,demo,2026-02-21,
bob,page_view,2026-01-20,/pricing
bob,unsubscribe,2026-02-25,
cy,demo,2026-02-10,
di,page_view,2026-03-05,/pricing
"""

DEALS = """lead,closed,stage,amount
bob,2026-02-28,lost,
cy,2026-02-15,won,900
"""


def open_shop(folder: Path, *, house: str = HOUSE, workspace: str = WORKSPACE, now: datetime = NOW) -> Workspace:
    """Write the shop's files into a folder and open it; nothing is read yet."""
    (folder / "scorecards").mkdir(exist_ok=True)
    files = {
        "leadlight.yaml": workspace, "scorecards/house.yaml": house, "leads.csv": LEADS, "events.csv": EVENTS,
        "deals.csv": DEALS,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    return Workspace(folder, now=lambda: now)
