"""B2B sales on an academy's leads: which professional enrols."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

LEADS = """
COPY (SELECT "Prospect ID" AS lead_id, "Lead Number" AS record_number, "Lead Source" AS source,
      "Lead Origin" AS captured_by, "What is your current occupation" AS role, "Country" AS country,
      "TotalVisits" AS visits, "Total Time Spent on Website" / 60 AS minutes_on_site,
      "Page Views Per Visit" AS pages_per_visit, "Do Not Email" AS no_mail, "Do Not Call" AS do_not_call,
      nullif("Specialization", 'Select') AS specialization, nullif("City", 'Select') AS city,
      "A free copy of Mastering The Interview" AS took_guide,
      CASE "Converted" WHEN 1 THEN 'won' ELSE 'lost' END AS outcome FROM read_csv('{raw}')) TO '{to}' (HEADER)
"""
"""What sales filled in afterwards, the state at the export and another vendor's scores are left out."""


def prepare(raw: Path, folder: Path) -> None:
    """Write the one file with the playbook's names; seconds become minutes."""
    duckdb.sql(LEADS.format(raw=raw / "Leads.csv.gz", to=folder / "data" / "leads.csv"))
    set_sources(folder, {"leads": {"csv": "data/leads.csv", "id": "lead_id", "outcome": "outcome"}})


CASE = Case(
    name="b2b-sales: professionals for an academy",
    playbook="b2b-sales",
    data="xeducation_leads",
    scorecard="house",
    prepare=prepare,
    now=datetime(2024, 1, 1),
    capacity=0.2,
    rows="a lead with what was known before anybody called",
    notes="No dates: the newest by the CRM's lead number, which is taken to rise with time, are judged. Visits and "
    "minutes are those at the export. Left out are the fields that sales fills in afterwards; with them "
    "everything looks far better",
)
