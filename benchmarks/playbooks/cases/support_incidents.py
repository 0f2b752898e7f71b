"""Support on the incident log of an IT company: which open tickets will miss what was promised."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

FILE = "incident_event_log.csv.gz"
OURS = {
    "opened_at": "opened_at", "updated_at": "sys_updated_at", "state": "incident_state", "customer": "caller_id",
    "reassigned": "reassignment_count", "reopened_count": "reopen_count", "assignee": "assigned_to",
    "team": "assignment_group", "channel": "contact_type",
}  # fmt: skip
# The log says with every row whether what was promised was met, and since the closing row it is so; the number of
# reopenings rises with the row that reopens.
ENDINGS = """
COPY (
  WITH log AS (
    SELECT number, strptime(sys_updated_at, '%d/%m/%Y %H:%M') AS updated_at, reopen_count::INT AS reopened,
           strptime(closed_at, '%d/%m/%Y %H:%M') AS closed_at, made_sla
    FROM read_csv('{raw}', all_varchar = true)
  ), returns AS (
    SELECT number, updated_at, reopened > lag(reopened, 1, 0) OVER (PARTITION BY number ORDER BY updated_at) AS again
    FROM log
  )
  SELECT number, max(closed_at) AS "at", CASE WHEN bool_or(made_sla = 'false') THEN 'missed' ELSE 'met' END AS outcome
  FROM log GROUP BY number
  UNION ALL SELECT number, updated_at, 'reopened' FROM returns WHERE again
) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Map the log's own headers; its endings are the one file made of it. What was filled in afterwards is left out."""
    to = folder / "data" / "endings.csv"
    duckdb.sql(ENDINGS.format(raw=raw / FILE, to=to))
    log = {
        "csv": str(raw / FILE), "dates": "day_first", "missing": ["?"], "rename": OURS,
        "where": "incident_state <> '-100'",
    }  # fmt: skip
    kept = [*OURS.values(), "number", "impact", "urgency", "priority", "category"]
    set_sources(
        folder,
        {
            "tickets": {
                **log, "id": "number", "created_at": "opened_at", "known_at": "updated_at", "account": "customer",
                "drop": [name for name in headers(raw / FILE) if name not in kept],
            },
            "updates": {**log, "lead": "number", "type": "state", "at": "updated_at", "columns": []},
            "endings": {"csv": "data/endings.csv", "lead": "number", "at": "at", "outcome": "outcome"},
        },
    )  # fmt: skip


def headers(path: Path) -> list[str]:
    """Return the headers of a file."""
    return [str(row[0]) for row in duckdb.sql(f"DESCRIBE SELECT * FROM read_csv('{path}')").fetchall()]


CASE = Case(
    name="support: incidents",
    playbook="support",
    data="itsm_incident_event_log",
    scorecard="urgency",
    outcome="missed",
    prepare=prepare,
    now=datetime(2016, 7, 1),
    capacity=0.2,
    rows="an open ticket when it comes in, and after 4 hours, 1, 3, 7 and 14 days as long as it is open",
    practice={"ITIL priority": "itil_urgency"},
    notes="95 % of the tickets have the same priority, so that ITIL's order says little by itself. Promised times are "
    "not in the log: the playbook's own stand in for them. Solved tickets count as open until they are closed.",
)
