"""What sources said, and the periods of values made of it: the same for leads and for accounts.

An *observation* is a row that a speaker gave at a moment. A speaker is a source together with the id it speaks of (a
merged lead has several ids). What a speaker says lasts until the same speaker says something else: a later blank takes
back the speaker's own value. Of several speakers the one whose value is the newest wins, value by value; a speaker who
says nothing, or repeats what it has said, takes nothing from another. At the same moment the greater (source, id) wins.
So the periods follow from the observations alone, in whatever order they came in.

What was looked up ranks below all that is the user's own, or above it where he says so (`speakers`): of values of
different rank that of the higher one wins, however old it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store.schema import BEGINNING
from leadlight.store.speakers import FILL, RANK
from leadlight.store.sql import Sql, fill


@dataclass(frozen=True, slots=True)
class History:
    """The two tables of a kind of history, and what tells whose it is."""

    observations: str
    periods: str
    owner: str
    """The column that says whose value it is."""
    speaker: str
    """The column that, with the source, says who speaks."""
    fixed: tuple[str, ...]
    """Columns of the observations that are no values."""
    moment: Sql
    """Since when an observation `o` holds."""
    context: Sql
    """What `moment` needs besides the observations."""
    identity: Sql
    """A text that orders the speakers `o` of one source."""
    rank: Sql
    """A number: values of speakers `o` of a higher rank win."""
    staged: Sql
    """Whose a staged row `s` is (`p` is the observation before it)."""
    touched: str
    """The temporary table with the owners whose periods are to be made again."""


LEADS = History(
    observations="observations",
    periods="attributes",
    owner="lead",
    speaker="_key",
    fixed=("lead", "_source", "_key", "known_at", "_created_at", "_read_at"),
    moment=Sql("coalesce(o.known_at, o._created_at, l.created_at)"),
    context=Sql("JOIN leads l ON l.lead = o.lead JOIN ids i ON i.key = o._key"),
    identity=Sql("i.id"),
    rank=RANK,
    staged=Sql("s.lead, s._key, coalesce(s.created_at, p._created_at) AS _created_at"),
    touched="touched",
)

ACCOUNTS = History(
    observations="account_observations",
    periods="account_attributes",
    owner="account",
    speaker="account",
    fixed=("account", "_source", "known_at", "_read_at"),
    moment=Sql(f"coalesce(o.known_at, TIMESTAMP '{BEGINNING}')"),
    context=Sql(""),
    identity=Sql("''"),
    rank=Sql("1"),
    staged=Sql("s.account"),
    touched="touched_accounts",
)


def value_columns(engine: Engine, history: History) -> list[str]:
    """Return the columns of the observations that hold values."""
    return [name for name in engine.columns(history.observations) if name not in history.fixed]


def spoken_columns(engine: Engine, history: History) -> list[str]:
    """Return the columns of values of which something can have been said: all but those that wait for a look-up."""
    waiting = engine.rows(
        "SELECT name FROM names WHERE kind = 'attribute' GROUP BY name HAVING bool_and(source = ?) "
        "AND name NOT IN (SELECT attribute FROM choices)",
        [FILL],
    )
    if history is not LEADS or not waiting:
        return value_columns(engine, history)
    names = {str(name).lower() for (name,) in waiting}
    return [name for name in value_columns(engine, history) if name.lower() not in names]


def add_columns(engine: Engine, history: History, columns: dict[str, Type]) -> None:
    """Give the tables the columns they lack; those they have stay as they are."""
    present = {name.lower() for name in engine.columns(history.observations)}
    for name, kind in columns.items():
        if name.lower() not in present:
            for table in (history.observations, history.periods):
                engine.execute(add_column(engine, table, name, kind))


def add_column(engine: Engine, table: str, name: str, kind: Type) -> Sql:
    """Return the statement that adds a column to a table."""
    sql_type = Sql(engine.capabilities.types[kind])
    return fill("ALTER TABLE {table} ADD COLUMN {name} {type}", table=table, name=name, type=sql_type)
