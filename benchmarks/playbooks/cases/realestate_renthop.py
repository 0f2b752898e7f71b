"""Real estate: which rental listings draw many enquiries."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

LISTINGS = """
COPY (SELECT 'H' || lpad((row_number() OVER ())::VARCHAR, 5, '0') AS enquiry, price, bedrooms, bathrooms,
      round(latitude, 2) || ' ' || round(longitude, 2) || ' ' || bedrooms AS market, latitude, longitude,
      CASE interest_level WHEN 3 THEN 'sought' ELSE 'ignored' END AS result FROM read_csv('{raw}')) TO '{to}' (HEADER)
"""
"""A market is a square of about a kilometre, and a number of bedrooms."""


def prepare(raw: Path, folder: Path) -> None:
    """Write the listings with the playbook's names; high interest is what counts as sought."""
    duckdb.sql(LISTINGS.format(raw=raw / "rent.csv.gz", to=folder / "data" / "listings.csv"))
    listings = {"csv": "data/listings.csv", "id": "enquiry", "account": "market", "outcome": "result"}
    set_sources(folder, {"enquiries": listings})


CASE = Case(
    name="real-estate: rental listings in demand",
    playbook="real-estate",
    data="realestate_renthop",
    scorecard="listings",
    prepare=prepare,
    now=datetime(2016, 7, 1),
    capacity=0.1,
    outcome="demand",
    practice={"cheapest for each room": "-price / (bedrooms + 1)"},
    rows="a listing; sought after are those of high interest (many enquiries)",
    notes="The data set is about listings, not people: it judges the scorecard of listings. No dates: judged on a "
    "part drawn at random. Photos, texts and fees, which tell much, are not in this copy of the data. Over the whole "
    "list the hand-written card ranks as well as cheapest first; among the first tenth, cheapest first finds more.",
)
