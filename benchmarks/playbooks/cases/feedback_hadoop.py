"""Feedback on the bug reports of Apache Hadoop, 2020 to 2024: which triage finds critical, by their text alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

FILE = "hadoop_bugs.csv.gz"
WHEN = "strptime({}, '%d/%b/%y %H:%M')"
# When priorities were set is not known, nor what was edited later: triage is taken to come a day after the report, or
# before it was closed.
ENDINGS = f"""
COPY (
  WITH reports AS (
    SELECT "Issue id" AS report, {WHEN.format('"Created"')} AS created_at,
           try_{WHEN.format('"Resolved"')} AS resolved_at, "Priority" AS priority, "Resolution" AS resolution
    FROM read_csv('{{raw}}', all_varchar = true)
  )
  SELECT report,
         least(created_at + INTERVAL 1 DAY, coalesce(resolved_at - INTERVAL 1 MINUTE, TIMESTAMP '9999-01-01')) AS "at",
         CASE WHEN priority IN ('Blocker', 'Critical') THEN 'critical' ELSE 'usual' END AS outcome
  FROM reports
  UNION ALL
  SELECT report, resolved_at, CASE WHEN resolution = 'Fixed' THEN 'fixed' ELSE 'rejected' END
  FROM reports WHERE resolved_at IS NOT NULL
) TO '{{to}}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Map Jira's headers; priority and resolution are what became of a report, not what it was."""
    duckdb.connect().sql(ENDINGS.format(raw=raw / FILE, to=folder / "data" / "endings.csv"))
    set_sources(
        folder,
        {
            "reports": {
                "csv": str(raw / FILE), "id": "report", "created_at": "reported_at", "dates": "%d/%b/%y %H:%M",
                "missing": ["NaN"], "drop": ["Status", "Priority", "Resolution", "Resolved"],
                "rename": {
                    "report": "Issue id", "reported_at": "Created", "title": "Summary", "version": "Affects Version/s",
                },
            },
            "endings": {"csv": "data/endings.csv", "lead": "report", "at": "at", "outcome": "outcome"},
        },
    )  # fmt: skip


CASE = Case(
    name="feedback: critical reports",
    playbook="feedback",
    data="feedback_gitbugs",
    scorecard="impact",
    outcome="critical",
    prepare=prepare,
    now=datetime(2024, 12, 31),
    capacity=0.1,
    rows="a bug report of Hadoop when it came in",
    notes="Texts only: there are no votes and comments in the data, so demand counts nothing. Priority is the one "
    "at the "
    "end; when it was set is not known. Texts may have been edited later.",
)
