"""A gift wholesaler's customers: who orders again within 30 days, and for how much."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from bg_nbd import PRACTICE, SOURCE, write_practice
from case import Case, set_sources

NOW = datetime(2011, 12, 9, 13)

LINES = """
    CREATE TABLE lines AS SELECT CustomerID::INT::VARCHAR AS customer,
        strptime(InvoiceDate, '%Y-%m-%d %H:%M:%S') AS "at", InvoiceNo AS invoice,
        Quantity * UnitPrice AS amount, Country AS country, Description AS product
    FROM read_parquet(?) WHERE CustomerID IS NOT NULL AND UnitPrice > 0
"""
ORDERS = """
    SELECT customer, min("at") AS "at", CASE WHEN invoice LIKE 'C%' THEN 'return' ELSE 'order' END AS type,
        round(abs(sum(amount)), 2) AS amount, count(*) AS lines
    FROM lines GROUP BY customer, invoice ORDER BY 2, 1
"""
CUSTOMERS = """
    SELECT customer, min("at") AS first_seen, arg_min(country, "at") AS country
    FROM lines WHERE invoice NOT LIKE 'C%' GROUP BY customer ORDER BY 2, 1
"""
ITEMS = """
    SELECT DISTINCT customer, "at", product FROM lines WHERE invoice NOT LIKE 'C%' AND product IN
        (SELECT product FROM lines GROUP BY product ORDER BY count(*) DESC, product LIMIT 60) ORDER BY 2, 1, 3
"""


def write_shop(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write a shop's customers, orders and most sold products as the playbook's files."""
    for name, query in (("customers", CUSTOMERS), ("orders", ORDERS), ("items", ITEMS)):
        db.sql(query).write_csv(str(folder / "data" / f"{name}.csv"))


def prepare(raw: Path, folder: Path) -> None:
    """Make orders of invoice lines: an invoice is an order, one that begins with C a return."""
    db = duckdb.connect()
    db.execute(LINES, [str(raw / "online_retail.parquet")])
    write_shop(db, folder)
    write_practice(folder, now=NOW, every=timedelta(days=30), ahead=timedelta(days=30))
    set_sources(folder, SOURCES | {"items": ITEMS_SOURCE, "practice": SOURCE})


SOURCES = {
    "customers": {"csv": "data/customers.csv", "id": "customer", "created_at": "first_seen"},
    "orders": {"csv": "data/orders.csv", "lead": "customer", "type": "type", "at": "at"},
    "purchases": {
        "csv": "data/orders.csv", "lead": "customer", "at": "at", "outcome": "type", "value": "amount",
        "where": "type = 'order'", "drop": ["lines"],
    },
}  # fmt: skip
ITEMS_SOURCE = {"csv": "data/items.csv", "lead": "customer", "event": "item", "at": "at", "columns": ["product"]}

CASE = Case(
    name="ecommerce: online retail",
    playbook="ecommerce",
    data="ecom_online_retail_uci",
    scorecard="rfm",
    prepare=prepare,
    now=NOW,
    capacity=0.2,
    rows="a customer every 30 days",
    practice=PRACTICE,
    notes="The file begins on 2010-12-01, so that in the first months every customer looks new. The newest 30 days, by "
    "which all is judged, are the run-up to Christmas. Customers are shops, many of them. Two orders, of 168,470 and "
    "77,184, were taken back within minutes: they count as orders, and as returns.",
)
