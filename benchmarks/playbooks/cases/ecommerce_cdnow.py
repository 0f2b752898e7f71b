"""CDNOW: who of those who first bought in early 1997 buys again within 30 days (the 1/10 sample of the papers)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from bg_nbd import PRACTICE, SOURCE, write_practice
from case import Case, set_sources

NOW = datetime(1998, 7, 1)

SAMPLE = """
    CREATE TABLE orders AS SELECT part[2] AS customer, strptime(part[3], '%Y%m%d') AS "at", 'order' AS type,
        sum(part[5]::DOUBLE) AS amount, sum(part[4]::INT) AS discs
    FROM (SELECT regexp_split_to_array(trim(line), '\\s+') AS part
          FROM read_csv(?, columns = {'line': 'VARCHAR'}, delim = '|', header = false))
    GROUP BY ALL
"""


def prepare(raw: Path, folder: Path) -> None:
    """Read the fixed-width file; orders of one day are one."""
    db, data = duckdb.connect(), folder / "data"
    db.execute(SAMPLE, [str(raw / "CDNOW_sample.txt")])
    db.sql('SELECT * FROM orders ORDER BY "at", customer').write_csv(str(data / "orders.csv"))
    customers = 'SELECT customer, min("at") AS first_seen FROM orders GROUP BY 1 ORDER BY 2, 1'
    db.sql(customers).write_csv(str(data / "customers.csv"))
    write_practice(folder, now=NOW, every=timedelta(days=30), ahead=timedelta(days=30))
    set_sources(
        folder,
        {
            "practice": SOURCE,
            "customers": {"csv": "data/customers.csv", "id": "customer", "created_at": "first_seen"},
            "orders": {"csv": "data/orders.csv", "lead": "customer", "type": "type", "at": "at"},
            "purchases": {
                "csv": "data/orders.csv", "lead": "customer", "at": "at", "outcome": "type", "value": "amount",
                "where": "type = 'order'", "drop": ["discs"],
            },
        },
    )  # fmt: skip


CASE = Case(
    name="ecommerce: cdnow",
    playbook="ecommerce",
    data="ecom_cdnow",
    scorecard="rfm",
    prepare=prepare,
    now=NOW,
    capacity=0.1,
    rows="a customer every 30 days",
    practice=PRACTICE,
    literature="BG/NBD as in Fader, Hardie and Lee (2005): on the first 39 weeks the fit here gives the parameters of "
    "the paper (r 0.243, alpha 4.414, a 0.793, b 2.426, log-likelihood -9,582.4)",
    notes="One cohort: everybody came within the first quarter of 1997, so that age and date say the same.",
)
