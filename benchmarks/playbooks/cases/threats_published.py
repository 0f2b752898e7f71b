"""Threats on CVEs as they are published: which will be in CISA's catalogue of known exploited ones within 90 days."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

RECORDS = "vulnrichment_flat.csv.gz"
CATALOGUE = "known_exploited_vulnerabilities_2026-01-29.json"
# Since February 2024 the snapshot holds every CVE; older ones only where their record was touched. What the record
# knows
# afterwards is left out: references, SSVC (its last statement only, given anew when a CVE comes into the catalogue),
# EPSS (of January 2026). CVSS and weakness are filled in for nearly all that were exploited and for some 70 % of the
# others, so that having them would tell: only CVEs that have both are looked at.
OPEN = """
COPY (
  SELECT cve, date_published AS found_at, cvss3_score AS cvss_score, cvss3_vector AS cvss_vector, vendor, product, cwe,
         description
  FROM read_csv('{raw}', all_varchar = true)
  WHERE state = 'PUBLISHED' AND date_published >= '2024-02-01' AND cvss3_score IS NOT NULL AND cwe IS NOT NULL
) TO '{to}' (HEADER)
"""
LISTED = """
COPY (
  SELECT entry.cveID AS cve, entry.dateAdded AS "at"
  FROM (SELECT unnest(vulnerabilities) AS entry FROM read_json('{raw}', maximum_object_size = 100000000))
) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Write the CVEs' own columns, and the catalogue as it is."""
    duckdb.connect().sql(OPEN.format(raw=raw / RECORDS, to=folder / "data" / "vulnerabilities.csv"))
    duckdb.connect().sql(LISTED.format(raw=raw / CATALOGUE, to=folder / "data" / "exploited.csv"))
    set_sources(
        folder,
        {
            "vulnerabilities": {"csv": "data/vulnerabilities.csv", "id": "cve", "created_at": "found_at"},
            "exploited": {"csv": "data/exploited.csv", "lead": "cve", "at": "at", "outcome_is": "exploited"},
        },
    )


CASE = Case(
    name="threats: published CVEs",
    playbook="threats",
    data="cyber_vuln_priority",
    scorecard="risk",
    prepare=prepare,
    now=datetime(2026, 1, 29),
    capacity=0.1,
    rows="a CVE published from February to October 2024, on that day and a week later, as long as it is not in the "
    "catalogue",
    practice={"CVSS base score": "cvss_score"},
    notes="Only CVEs whose record has CVSS and a weakness: these were filled in for exploited ones first. CVSS is the "
    "record's of October 2024 and may be younger than the publication. SSVC and EPSS of the day are not in the "
    "data: the "
    "card is judged without them. The likelihood is judged, not the risk: what a system means to its owner is not "
    "in a CVE.",
    slow=True,
)
