"""Sessions of a shop's visitors: who buys before leaving."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

SESSIONS = """
    SELECT 'S' || lpad(n::VARCHAR, 5, '0') AS session,
        strptime('2017-' || CASE Month WHEN 'June' THEN 'Jun' ELSE Month END || '-01', '%Y-%b-%d')
            + to_seconds(floor(28.0 * 86400 * (row_number() OVER m - 1) / count(*) OVER (PARTITION BY Month))::BIGINT)
            AS day,
        CASE WHEN Revenue THEN 'bought' ELSE 'left' END AS outcome,
        ProductRelated AS product_pages, ProductRelated_Duration AS product_seconds,
        Administrative AS account_pages, Informational AS info_pages,
        BounceRates AS bounce_rate, ExitRates AS exit_rate, PageValues AS page_value,
        lower(split_part(VisitorType, '_', 1)) AS visitor, Weekend AS weekend,
        'traffic ' || TrafficType AS traffic, 'region ' || Region AS region, 'system ' || OperatingSystems AS system,
        'browser ' || Browser AS browser, Administrative_Duration AS account_seconds,
        Informational_Duration AS info_seconds
    FROM (SELECT *, row_number() OVER () AS n FROM read_csv(?)) WINDOW m AS (PARTITION BY Month ORDER BY n)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Number the sessions, and spread those of a month evenly over it in the order of the file."""
    found = duckdb.connect().sql(SESSIONS, params=[str(raw / "online_shoppers_intention.csv")])
    found.write_csv(str(folder / "data" / "sessions.csv"))
    sessions = {"csv": "data/sessions.csv", "id": "session", "created_at": "day", "outcome": "outcome"}
    set_sources(folder, {"sessions": sessions})


CASE = Case(
    name="ecommerce: sessions",
    playbook="ecommerce",
    data="ecom_online_shoppers_intention",
    scorecard="session",
    prepare=prepare,
    now=datetime(2018, 1, 1),
    capacity=0.1,
    outcome="session",
    rows="a session",
    notes="Only the month of a session is known; the year is assumed, and days within a month follow the order of the "
    "file. PageValues is left out: web analytics work it out from who bought. Published figures on this file are "
    "higher because they use it, and split at random.",
)
