"""What is known about accounts, and since when."""

from __future__ import annotations

from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.store import names
from leadlight.store.history import ACCOUNTS, add_columns, observe
from leadlight.store.sql import Sql, each, fill
from leadlight.store.staged import Counts, Staged


def load_accounts(engine: Engine, rows: Staged, now: datetime) -> Counts:
    """Take the rows of a source of accounts into the observations, and note who is touched.

    Rows of the same account and known_at are one, as with leads. Without known_at, what is said first is taken to be
    known since ever.
    """
    add_columns(engine, ACCOUNTS, dict(rows.columns))
    names.record(engine, "account_attribute", rows.source, rows.columns)
    engine.execute(
        fill(
            "CREATE TEMP TABLE staged AS SELECT s._account AS account, {known_at} AS known_at{values} "
            "FROM {table} s WHERE s._account IS NOT NULL GROUP BY ALL ORDER BY min(s.rowid)",
            known_at=rows.role("known_at", "TIMESTAMP"),
            values=Sql("".join(each(", arg_max(s.{name}, s.rowid) AS {name}", [name]) for name in rows.columns)),
            table=rows.table,
        )
    )
    usable = engine.rows(fill("SELECT count(_account) FROM {table}", table=rows.table))[0][0]
    new, changed, unchanged = observe(
        engine, ACCOUNTS, rows.source, rows.columns, now, versioned="known_at" in rows.roles
    )
    engine.execute("DROP TABLE staged")
    return Counts(new=new, changed=changed, unchanged=unchanged, repeated=usable - new - changed - unchanged)
