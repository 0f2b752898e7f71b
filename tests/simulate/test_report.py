from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from leadlight.simulate import SimulationReport

REPORT = SimulationReport(
    out=Path("shop/data"),
    seed=1,
    start=datetime.fromisoformat("2025-01-06"),
    until=datetime.fromisoformat("2026-06-30"),
    leads=5000,
    accounts=1896,
    events=200_684,
    won=645,
    lost=2300,
    duplicates=118,
    bots=77,
    base_rate=0.0904,
    files=(Path("shop/data/leads.csv"), Path("shop/data/<b>.csv")),
    seconds=0.84,
)


def test_it_reads_well() -> None:
    assert repr(REPORT).splitlines() == [
        "World       seed 1, from 2025-01-06 to 2026-06-30",
        "Leads       5,000 (118 duplicates, 77 bots) of 1,896 accounts",
        "Events      200,684",
        "Outcomes    645 won, 2,300 lost, 1,937 open",
        "Base rate   9.0%",
        "Files       leads.csv, <b>.csv in shop/data",
        "Took        0.8 s",
    ]
    assert "nobody arrived 90 days before the end" in repr(replace(REPORT, base_rate=None))


def test_its_html_is_escaped() -> None:
    assert "<td>leads.csv, &lt;b&gt;.csv in shop/data</td>" in REPORT._repr_html_()


def test_as_dict_is_plain_json() -> None:
    found = json.loads(json.dumps(REPORT.as_dict()))
    assert found["open"] == 1937
    assert found["until"] == "2026-06-30T00:00:00"
    assert found["files"][0] == "shop/data/leads.csv"
