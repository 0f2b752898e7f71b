"""Threats on a backlog: all CVEs known on 24 October 2024 with SSVC of that day; which were exploited in 90 days."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

RECORDS = "vulnrichment_flat.csv.gz"
CATALOGUE = "known_exploited_vulnerabilities_2026-01-29.json"
DAY = "2024-10-24 22:00:00"
"""When the snapshot was taken: everything in it was known then."""
OPEN = """
COPY (
  SELECT cve, '{day}' AS found_at, cvss3_score AS cvss_score, cvss3_vector AS cvss_vector, vendor, product, cwe,
         description, ssvc_exploitation, ssvc_automatable, ssvc_technical_impact, date_published AS published_at
  FROM read_csv('{raw}', all_varchar = true)
  WHERE state = 'PUBLISHED'
) TO '{to}' (HEADER)
"""
LISTED = """
COPY (
  SELECT entry.cveID AS cve, entry.dateAdded AS "at"
  FROM (SELECT unnest(vulnerabilities) AS entry FROM read_json('{raw}', maximum_object_size = 100000000))
) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Write the snapshot as a list of what a scan found that day, and the catalogue as it is."""
    duckdb.connect().sql(OPEN.format(raw=raw / RECORDS, to=folder / "data" / "vulnerabilities.csv", day=DAY))
    duckdb.connect().sql(LISTED.format(raw=raw / CATALOGUE, to=folder / "data" / "exploited.csv"))
    set_sources(
        folder,
        {
            "vulnerabilities": {"csv": "data/vulnerabilities.csv", "id": "cve", "created_at": "found_at"},
            "exploited": {"csv": "data/exploited.csv", "lead": "cve", "at": "at", "outcome_is": "exploited"},
        },
    )


CASE = Case(
    name="threats: backlog with SSVC",
    playbook="threats",
    data="cyber_vuln_priority",
    scorecard="risk",
    prepare=prepare,
    now=datetime(2026, 1, 29),
    capacity=0.05,
    rows="a CVE known on 24 October 2024 and not in the catalogue, on that day and a week later",
    practice={"CVSS base score": "cvss_score", "SSVC": "ssvc_order"},
    notes="One day, so no split in time: what is learned is judged by a part at random, and says so. Few were "
    "listed in "
    "the 90 days after. Older CVEs are in the snapshot only where their record was touched.",
    slow=True,
)
