"""Digital marketing on the Hillstrom e-mail campaign: who comes to the shop within two weeks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, edit, set_sources

SENT = "2008-03-03"
"""The file has no dates: one day stands for the mailing, the next for what came of it."""
PEOPLE = """
COPY (SELECT 'H' || lpad((row_number() OVER ())::VARCHAR, 5, '0') AS customer, DATE '{sent}' AS sent_at,
      CASE segment WHEN 'Mens E-Mail' THEN 'mens' WHEN 'Womens E-Mail' THEN 'womens' ELSE 'none' END AS message,
      recency, history, mens = 1 AS mens, womens = 1 AS womens, newbie = 1 AS newbie, channel, zip_code,
      visit, conversion, spend FROM read_csv('{raw}', all_varchar = false)) TO '{to}' (HEADER)
"""
RESPONSES = """
COPY (SELECT customer, sent_at + 1 AS at, 'visit' AS what, NULL AS spent FROM '{people}' WHERE visit = 1 UNION ALL
      SELECT customer, sent_at + 2, 'purchase', spend FROM '{people}' WHERE conversion = 1) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Write the campaign's two files, as the playbook names their columns; messages by its words."""
    people, responses = folder / "data" / "people.csv", folder / "data" / "responses.csv"
    duckdb.sql(PEOPLE.format(sent=SENT, raw=raw / "hillstrom.csv.gz", to=people))
    duckdb.sql(RESPONSES.format(people=people, to=responses))
    set_sources(
        folder,
        {
            "people": {
                "csv": "data/people.csv", "id": "customer", "created_at": "sent_at",
                "drop": ["visit", "conversion", "spend"],
            },
            "responses": {
                "csv": "data/responses.csv", "lead": "customer", "at": "at", "outcome": "what", "value": "spent",
            },
        },
    )  # fmt: skip
    # Recency and spend stand beside the scorecards (`practice`); they are learned from all the same.
    edit(folder, lambda spec: spec["learn"].update(keep=["recency", "history"]))


CASE = Case(
    name="digital marketing: visits",
    playbook="digital-marketing",
    data="email_hillstrom",
    scorecard="response",
    outcome="visit",
    prepare=prepare,
    now=datetime(2008, 3, 20),
    capacity=0.2,
    rows="a customer of the campaign, as of the mailing (all three arms)",
    practice={"recency, then spend": "history - 100000 * recency"},
    notes="No dates: judged on a part drawn at random. Orders, clicks and ads are not in the file. Most of what moves "
    "a visit is the message itself, which no ranking of people knows; who is moved is measured apart.",
)
