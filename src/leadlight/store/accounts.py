"""What is known about accounts, and since when."""

from __future__ import annotations

from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.store import names
from leadlight.store.history import ACCOUNTS, add_columns
from leadlight.store.observe import observe
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
            "FROM {table} s WHERE s._account IS NOT NULL GROUP BY 1, 2 ORDER BY min(s._place)",
            known_at=rows.role("known_at", "TIMESTAMP"),
            values=Sql("".join(each(", arg_max(s.{name}, s._place) AS {name}", [name]) for name in rows.columns)),
            table=rows.table,
        )
    )
    usable = engine.rows(fill("SELECT count(_account) FROM {table}", table=rows.table))[0][0]
    new, changed, unchanged = observe(
        engine, ACCOUNTS, rows.source, rows.columns, now, versioned="known_at" in rows.roles
    )
    engine.execute("DROP TABLE staged")
    return Counts(new=new, changed=changed, unchanged=unchanged, repeated=usable - new - changed - unchanged)


def get_account(engine: Engine, name: str) -> str:
    """Return the account of this name.

    Raises NotFoundError, naming the nearest.
    """
    if engine.rows("SELECT 1 FROM attributes WHERE account = ? LIMIT 1", [name]):
        return name
    near = engine.rows(
        "SELECT account FROM (SELECT DISTINCT account FROM attributes WHERE account IS NOT NULL) "
        "ORDER BY jaro_winkler_similarity(lower(account), lower(?)) DESC, account LIMIT 3",
        [name[:200]],
    )
    nearest = ", ".join(repr(row[0]) for row in near)
    raise NotFoundError(f"there is no account {name!r}" + (f"; the nearest are {nearest}" if near else ""))
