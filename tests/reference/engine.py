"""The engine's side of a comparison: examples loaded into real tables, compiled, run, and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.build import Sql, to_text
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.spec.catalog import Catalog
from leadlight.spec.load import Document, LoadedWorkspace
from leadlight.spec.marks import Marks
from leadlight.spec.resolve import resolve
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.schema import MIGRATIONS
from reference.compare import Key
from reference.scorer import Scored, World
from reference.worlds import ACCOUNT_ATTRIBUTES, ATTRIBUTES, EVENTS, PROPERTIES, SCORECARD, UNSEEN_EVENT, Example

Rows = list[dict[str, Any]]
PAIRS = "pairs"

ARROW = {"text": pa.string(), "number": pa.float64(), "bool": pa.bool_(), "time": pa.timestamp("us")}
INTEGER = pa.int32()
KINDS: Mapping[str, Mapping[str, pa.DataType]] = {
    "leads": {"lead": INTEGER, "id": ARROW["text"], "created_at": ARROW["time"]},
    "attributes": {
        "lead": INTEGER, "known_at": ARROW["time"], "known_until": ARROW["time"], "account": ARROW["text"],
        **{name: ARROW[kind] for name, kind in ATTRIBUTES.items()},
    },
    "account_attributes": {
        "account": ARROW["text"], "known_at": ARROW["time"], "known_until": ARROW["time"],
        **{name: ARROW[kind] for name, kind in ACCOUNT_ATTRIBUTES.items()},
    },
    "events": {
        "lead": INTEGER, "type": ARROW["text"], "at": ARROW["time"],
        **{name: ARROW[kind] for name, kind in PROPERTIES.items()},
    },
    "outcomes": {"lead": INTEGER, "at": ARROW["time"], "outcome": ARROW["text"], "value": ARROW["number"]},
    "grade_history": {
        "scorecard": ARROW["text"], "at": ARROW["time"], "lead": INTEGER, "account": ARROW["text"],
        "grade": ARROW["text"], "level_1": ARROW["text"], "since_1": ARROW["time"], "level_2": ARROW["text"],
        "since_2": ARROW["time"], "silent": ARROW["bool"], "run": INTEGER,
    },
    PAIRS: {"lead": INTEGER, "account": ARROW["text"], "as_of": ARROW["time"]},
}  # fmt: skip
"""The documented shape of the tables, with a column per attribute and property."""


def table_rows(world: World) -> dict[str, Rows]:
    """Write a world as rows of the documented tables."""
    history = [
        {
            "scorecard": row.scorecard, "at": row.at, "grade": row.grade, "silent": row.silent, "run": place,
            ("lead" if isinstance(row.subject, int) else "account"): row.subject,
            **{f"level_{i}": level for i, level in enumerate(row.levels, 1)},
            **{f"since_{i}": since for i, since in enumerate(row.since, 1)},
        }
        for place, row in enumerate(world.grade_history)
    ]  # fmt: skip
    periods = ("known_at", "known_until", "account")
    return {
        "leads": [{key: getattr(row, key) for key in KINDS["leads"]} for row in world.leads],
        "attributes": [_flat(row, ("lead", *periods), row.values) for row in world.attributes],
        "account_attributes": [_flat(row, periods, row.values) for row in world.account_attributes],
        "events": [_flat(row, ("lead", "type", "at"), row.properties) for row in world.events],
        "outcomes": [{key: getattr(row, key) for key in KINDS["outcomes"]} for row in world.outcomes],
        "grade_history": history,
    }


def _flat(row: Any, keys: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: getattr(row, key) for key in keys}, **values}


# ---------------------------------------------------------------------------------------------------------- stores


@dataclass(frozen=True)
class Store:
    """Tables of one example in an engine, ready to be asked."""

    dialect: str
    rows: Callable[[str], Rows]
    prepared: Callable[[str, Sequence[Any]], Rows]
    fill: Callable[[str, Rows], None]

    def answer(self, tree: Sql, moment: Moment) -> Rows:
        """Print a statement in the store's dialect and run it."""
        text = to_text(tree, self.dialect)
        return self.prepared(text, moment.parameters) if moment.prepared else self.rows(text)


class DuckDBTables:
    """One DuckDB in memory for many examples: each is loaded in a transaction that is rolled back."""

    def __init__(self, *, enum: bool = True) -> None:
        self._engine = DuckDBEngine(None)
        self._engine.execute("SET threads = 1")  # tables are tiny: threads would only wait for each other
        self._engine.execute("SET TimeZone = 'America/New_York'")  # ours must not matter: all times are plain UTC
        for _, _, statements in MIGRATIONS:
            for statement in statements:
                self._engine.execute(statement)
        for table, columns in KINDS.items():
            self._complete(table, columns)
        if enum:  # as in the store, where new types are added as they are met
            labels = ", ".join("'" + name.replace("'", "''") + "'" for name in EVENTS)
            self._engine.execute(f"ALTER TABLE events ALTER COLUMN type TYPE ENUM ({labels})")

    def _complete(self, table: str, columns: Mapping[str, pa.DataType]) -> None:
        """Add the columns that a table of the schema lacks, and let go of those that are not ours to fill."""
        if not self._engine.columns(table):
            self._engine.execute(f"CREATE TABLE {table} (lead INTEGER)")
        for name, kind in columns.items():
            if name not in self._engine.columns(table):
                self._engine.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {_type_name(kind, "DOUBLE")}')
        for name in self._engine.columns(table):
            if name not in columns:
                self._engine.execute(f'ALTER TABLE {table} ALTER COLUMN "{name}" DROP NOT NULL')

    @contextmanager
    def loaded(self, world: World) -> Iterator[Store]:
        """Give a store that holds this world."""
        self._engine.execute("BEGIN")
        try:
            for table, rows in table_rows(world).items():
                self._fill(table, rows)
            yield Store("duckdb", lambda sql: self._engine.arrow(sql).to_pylist(), self._engine.prepared, self._fill)
        finally:
            self._engine.execute("ROLLBACK")

    def _fill(self, table: str, rows: Rows) -> None:
        if rows:
            names = ", ".join(f'"{name}"' for name in KINDS[table])
            held = pa.Table.from_pylist(rows, schema=pa.schema(list(KINDS[table].items())))  # read by its name below
            self._engine.connection.execute(f"INSERT INTO {table} ({names}) SELECT * FROM held")
            del held

    def close(self) -> None:
        """Let go of the memory."""
        self._engine.close()


class PostgresTables:
    """The same on a real PostgreSQL."""

    def __init__(self, uri: str) -> None:
        self._connection = psycopg.connect(uri, row_factory=dict_row)
        self._connection.execute("SET TimeZone = 'America/New_York'")
        for table, columns in KINDS.items():
            written = ", ".join(f'"{name}" {_type_name(kind, "DOUBLE PRECISION")}' for name, kind in columns.items())
            self._connection.execute(f"CREATE TEMP TABLE {table} ({written})")
        self._connection.commit()

    @contextmanager
    def loaded(self, world: World) -> Iterator[Store]:
        """Give a store that holds this world."""
        try:
            for table, rows in table_rows(world).items():
                self._fill(table, rows)
            yield Store("postgres", self._rows, self._prepared, self._fill)
        finally:
            self._connection.rollback()

    def _fill(self, table: str, rows: Rows) -> None:
        names = ", ".join(f'"{name}"' for name in KINDS[table])
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row.get(name) for name in KINDS[table]])

    def _rows(self, sql: str) -> Rows:
        return self._connection.execute(sql.encode()).fetchall()

    def _prepared(self, sql: str, parameters: Sequence[Any]) -> Rows:
        raise NotImplementedError("parameters are for the store's own engine")

    def close(self) -> None:
        """Let go of the server."""
        self._connection.close()


def _type_name(kind: pa.DataType, number: str) -> str:
    names = {
        pa.string(): "VARCHAR", pa.float64(): number, pa.bool_(): "BOOLEAN", pa.timestamp("us"): "TIMESTAMP",
        INTEGER: "INTEGER",
    }  # fmt: skip
    return names[kind]


# --------------------------------------------------------------------------------------------------------- compiled


@dataclass(frozen=True)
class Compiled:
    """An example made ready to run."""

    example: Example
    workspace: ResolvedWorkspace
    scorecard: ResolvedScorecard

    def features(self, store: Store, moment: Moment) -> dict[Key, dict[str, Any]]:
        """Compute every feature that the scorecard's subjects have, for each of them."""
        names, of = list(self.example.feature_types), self.example.scorecard.of
        tree = feature_statement(self.workspace, moment, of=of, features=names)
        return {_key(row, of, moment): {name: row[name] for name in names} for row in store.answer(tree, moment)}

    def scores(self, store: Store, moment: Moment, *, past: bool = True, excluded: bool = False) -> dict[Key, Scored]:
        """Score everybody."""
        tree = score_statement(self.workspace, self.scorecard, moment, Options(grade_history=past, excluded=excluded))
        rows = store.answer(tree, moment)
        found = {_key(row, self.example.scorecard.of, moment): self._scored(row) for row in rows}
        assert len(found) == len(rows), "two rows for one subject"
        return found

    def _scored(self, row: Mapping[str, Any]) -> Scored:
        groups = self.example.scorecard.groups
        contributions: dict[str, list[float]] = {group: [] for group in groups}
        for criterion in self.scorecard.criteria:
            contributions[criterion.group].append(row[criterion.key])
        return Scored(
            subject=row[self.example.scorecard.of],
            base=self.example.scorecard.base,
            contributions=contributions,
            caps={group: row[f"{group}__cap"] for group in groups},
            groups={group: row[f"{group}__total"] for group in groups},
            score=row["score"],
            levels=tuple(row[name] for name in ("level_1", "level_2") if row.get(name) is not None),
            since=tuple(row[name] for name in ("since_1", "since_2") if row.get(name) is not None),
            grade=row.get("grade"),
            gate=row.get("gate"),
            probability=row.get("probability"),
        )


def _key(row: Mapping[str, Any], of: str, moment: Moment) -> Key:
    return row[of] if moment.as_of is not None else (row[of], row["as_of"])


def compiled(example: Example) -> Compiled:
    """Resolve an example's specs against the names its tables have."""
    catalog = Catalog(
        attributes=_types(ATTRIBUTES),
        account_attributes=_types(ACCOUNT_ATTRIBUTES),
        properties=_types(PROPERTIES),
        events=frozenset({*EVENTS, UNSEEN_EVENT}),
        outcome=("stage", Type.TEXT),
    )
    scorecard = Document(example.scorecard, f"scorecards/{SCORECARD}.yaml", Marks("scorecard"))
    loaded = LoadedWorkspace(
        Path(), Document(example.workspace, "leadlight.yaml", Marks("workspace")), {SCORECARD: scorecard}
    )
    workspace, faults = resolve(loaded, catalog)
    assert workspace is not None, "\n".join(map(str, faults))
    return Compiled(example, workspace, workspace.scorecards[SCORECARD])


def _types(kinds: Mapping[str, str]) -> dict[str, Type]:
    return {name: Type(kind) for name, kind in kinds.items()}


def at(moment: datetime) -> Moment:
    """One moment for all."""
    return Moment(as_of=moment)
