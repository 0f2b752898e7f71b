"""What is known about leads, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store import names
from leadlight.store.facts import yield_columns
from leadlight.store.history import LEADS, add_columns
from leadlight.store.leads import assign_keys
from leadlight.store.observe import observe
from leadlight.store.sql import Sql, each, fill
from leadlight.store.staged import Counts, Staged

EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a source of leads; `examples` are ids that stood in several rows."""

    counts: Counts
    examples: tuple[str, ...] = ()


def load_leads(engine: Engine, rows: Staged, now: datetime) -> Loaded:
    """Take the rows of a source of leads into ids and observations, and note who is touched.

    Rows of the same id and known_at are one: value by value the later row wins, blanks erase nothing, and the earliest
    created_at counts.
    """
    erased = assign_keys(engine, rows.table, "_id")
    columns: dict[str, Type] = dict(rows.columns)
    yield_columns(engine, columns)
    add_columns(engine, LEADS, columns)
    names.record(engine, "attribute", rows.source, columns)
    values = list(columns) + (["account"] if "account" in rows.roles else [])
    _fold(engine, rows)
    usable = engine.rows(fill("SELECT count(*) FROM {table} s JOIN ids i ON i.id = s._id", table=rows.table))[0][0]
    new, changed, unchanged = observe(engine, LEADS, rows.source, values, now, versioned="known_at" in rows.roles)
    engine.execute("DROP TABLE staged")
    repeated = int(usable) - new - changed - unchanged
    counts = Counts(new=new, changed=changed, unchanged=unchanged, repeated=repeated, erased=erased)
    return Loaded(counts=counts, examples=_examples(engine, rows) if repeated else ())


def _fold(engine: Engine, rows: Staged) -> None:
    """Make `staged`: one row per id and known_at."""
    account = Sql(", arg_max(s._account, s._place) AS account" if "account" in rows.roles else "")
    engine.execute(
        fill(
            "CREATE TEMP TABLE staged AS SELECT i.lead, i.key AS _key, {known_at} AS known_at, "
            "min(min({created_at})) OVER (PARTITION BY i.key) AS created_at{account}{values} "
            "FROM {table} s JOIN ids i ON i.id = s._id GROUP BY 1, 2, 3 ORDER BY i.key, known_at",
            known_at=rows.role("known_at", "TIMESTAMP"),
            created_at=rows.role("created_at", "TIMESTAMP"),
            account=account,
            values=Sql("".join(each(", arg_max(s.{name}, s._place) AS {name}", [name]) for name in rows.columns)),
            table=rows.table,
        )
    )


def _examples(engine: Engine, rows: Staged) -> tuple[str, ...]:
    found = engine.rows(
        fill(
            "SELECT _id FROM {table} s WHERE _id IS NOT NULL GROUP BY _id, {known_at} HAVING count(*) > 1 "
            "ORDER BY min(s._place) LIMIT ?",
            table=rows.table,
            known_at=rows.role("known_at", "TIMESTAMP"),
        ),
        [EXAMPLES],
    )
    return tuple(str(id) for (id,) in found)  # noqa: A001
