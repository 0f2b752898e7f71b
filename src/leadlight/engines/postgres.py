"""PostgreSQL: the engine for many processes at once. It takes the same statements as DuckDB, translated."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from leadlight.engines.base import Capabilities
from leadlight.engines.translate import insert_by_name, translated
from leadlight.errors import StoreError
from leadlight.expr.types import Type

CAPABILITIES = Capabilities(
    dialect="duckdb",
    types={Type.NUMBER: "DOUBLE", Type.TEXT: "VARCHAR", Type.BOOL: "BOOLEAN", Type.TIME: "TIMESTAMP"},
    enums=False,
    one_file=False,
)
"""Statements are given in DuckDB's words here too; `translate` puts them otherwise."""

_ARROW: Mapping[int, pa.DataType] = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 25: pa.string(), 700: pa.float32(),
    701: pa.float64(), 1043: pa.string(), 1114: pa.timestamp("us"), 1700: pa.float64(), 2950: pa.string(),
    114: pa.string(), 705: pa.string(), 19: pa.string(), 1184: pa.timestamp("us"),
}  # fmt: skip
"""Number of a type in PostgreSQL → Arrow's; numerics come of sums and means of whole numbers."""

_LISTS: Mapping[int, pa.DataType] = {
    1022: pa.list_(pa.float64()),
    1009: pa.list_(pa.string()),
    1016: pa.list_(pa.int64()),
}

_COLUMNS: Mapping[str, str] = {
    "double precision": "DOUBLE", "text": "VARCHAR", "character varying": "VARCHAR", "boolean": "BOOLEAN",
    "timestamp without time zone": "TIMESTAMP", "integer": "INTEGER", "bigint": "BIGINT", "uuid": "UHUGEINT",
    "json": "JSON", "double precision[]": "DOUBLE[]",
}  # fmt: skip
"""What PostgreSQL calls a type → what DuckDB does."""

_PG_TYPE: Mapping[pa.DataType, str] = {
    pa.string(): "TEXT", pa.large_string(): "TEXT", pa.float64(): "DOUBLE PRECISION", pa.bool_(): "BOOLEAN",
    pa.timestamp("us"): "TIMESTAMP", pa.int64(): "BIGINT", pa.int32(): "INTEGER", pa.int16(): "SMALLINT",
    pa.uint32(): "BIGINT", pa.uint16(): "INTEGER", pa.uint8(): "SMALLINT", pa.int8(): "SMALLINT", pa.null(): "TEXT",
    pa.uint64(): "NUMERIC", pa.float32(): "REAL",
}  # fmt: skip

INDEXES = (
    # Small, and of rows that lie in the order they came: who was scored lately is found without reading all scores.
    "CREATE INDEX IF NOT EXISTS scores_by_moment ON scores USING brin (as_of)",
    # Mostly empty: whether there are any is asked with each micro-batch.
    "CREATE INDEX IF NOT EXISTS observations_undated ON observations (lead) "
    "WHERE _created_at IS NULL AND known_at IS NULL",
    *(
        f"CREATE {unique} IF NOT EXISTS {table}_by_{name} ON {table} ({columns})"
        for table, name, columns, unique in (
            ("ids", "id", "id", "UNIQUE INDEX"),
            ("ids", "key", "key", "UNIQUE INDEX"),
            ("ids", "lead", "lead", "INDEX"),
            ("leads", "lead", "lead", "UNIQUE INDEX"),
            ("attributes", "lead", "lead, known_at", "INDEX"),
            ("observations", "lead", "lead", "INDEX"),
            ("observations", "key", "_source, _key", "INDEX"),
            ("account_attributes", "account", "account, known_at", "INDEX"),
            ("account_observations", "account", "account", "INDEX"),
            ("events", "lead", 'lead, type, "at"', "INDEX"),
            ("events", "key", "_source, _key", "UNIQUE INDEX"),
            ("set_aside", "key", "_source, _key", "INDEX"),
            ("set_aside", "lead", "lead", "INDEX"),
            ("rolled_up", "lead", "lead", "INDEX"),
            ("taken_out", "key", "_source, _key", "UNIQUE INDEX"),
            ("origins", "at", '"at"', "INDEX"),
            ("merges", "key", "key", "INDEX"),
            ("consents", "said_of", "_said_of", "INDEX"),
            ("outcomes", "lead", "lead", "INDEX"),
            ("lookups", "key", "_key, provider", "INDEX"),
            ("facts", "key", "_key, provider", "INDEX"),
            ("pushed", "record", "connection, object, record", "UNIQUE INDEX"),
            ("push_tasks", "task", "task", "UNIQUE INDEX"),
            ("scores", "lead", "scorecard, lead, as_of", "INDEX"),
            ("grade_history", "lead", 'scorecard, lead, "at"', "INDEX"),
        )
    ),
)
"""How PostgreSQL finds the rows of a few leads among many."""

LOCK = "hashtext('leadlight'), hashtext(current_schema())"
"""The number of the lock that whoever writes holds."""

_PATIENCE: dict[str, Any] = {
    "connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}  # fmt: skip
"""How soon a server that is no more is noticed, where the address says nothing else."""

_SETTINGS = (
    "TimeZone = 'UTC'", "extra_float_digits = 1", "client_min_messages = error",
    # A machine that is no more may hold the lock of whoever writes: the server is to notice soon.
    "tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3",
)  # fmt: skip

_CHOSEN_BY_NOBODY = b"""SELECT set_config(name, $1, false) FROM pg_settings
    WHERE name = $2 AND source = 'default'"""
_TASTES = {"random_page_cost": "1.1", "work_mem": "64MB", "enable_memoize": "off"}
"""What suits us, where neither the server nor the address says something else.

Disks have no arms any more: as if they had, all events were read through to find those of some leads, for which there
is an index. What events add up to is to be put together in memory, not sorted on disk. And each lead is looked up
once, so that to remember who was found is in vain.
"""

_NAME = b"SELECT set_config('application_name', left('leadlight ' || %s || ' ' || current_schema(), 63), false)"

BATCH = 50_000
"""How many rows travel at once."""

_JARO_WINKLER = """CREATE OR REPLACE FUNCTION jarowinkler_similarity(a text, b text) RETURNS double precision
IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    m int := 0; t int := 0; k int := 1; prefix int := 0; jaro double precision;
    la int := length(a); lb int := length(b); reach int := greatest(greatest(la, lb) / 2 - 1, 0);
    taken boolean[] := array_fill(false, ARRAY[greatest(lb, 1)]);
    found boolean[] := array_fill(false, ARRAY[greatest(la, 1)]);
BEGIN
    IF la = 0 OR lb = 0 THEN RETURN CASE WHEN la = lb THEN 1 ELSE 0 END; END IF;
    FOR i IN 1..la LOOP
        FOR j IN greatest(1, i - reach)..least(lb, i + reach) LOOP
            IF NOT taken[j] AND substr(a, i, 1) = substr(b, j, 1) THEN
                taken[j] := true; found[i] := true; m := m + 1; EXIT;
            END IF;
        END LOOP;
    END LOOP;
    IF m = 0 THEN RETURN 0; END IF;
    FOR i IN 1..la LOOP
        IF found[i] THEN
            WHILE NOT taken[k] LOOP k := k + 1; END LOOP;
            IF substr(a, i, 1) <> substr(b, k, 1) THEN t := t + 1; END IF;
            k := k + 1;
        END IF;
    END LOOP;
    jaro := (m::double precision / la + m::double precision / lb + (m - t / 2.0) / m) / 3;
    IF jaro <= 0.7 THEN RETURN jaro; END IF;
    WHILE prefix < 4 AND prefix < least(la, lb) AND substr(a, prefix + 1, 1) = substr(b, prefix + 1, 1) LOOP
        prefix := prefix + 1;
    END LOOP;
    RETURN jaro + prefix * 0.1 * (1 - jaro);
END $$"""
"""How alike two texts are (Winkler 1990), to name the nearest ids."""

FUNCTIONS = (
    _JARO_WINKLER,
    """CREATE OR REPLACE FUNCTION epoch_us(moment timestamp) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
    $$ SELECT (extract(epoch FROM moment) * 1000000)::bigint $$""",
    """CREATE OR REPLACE FUNCTION _reversed(digits text) RETURNS numeric IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
    $$ SELECT ('x' || substr(digits, 15, 2) || substr(digits, 13, 2) || substr(digits, 11, 2) || substr(digits, 9, 2))
        ::bit(32)::bigint::numeric * 4294967296
        + ('x' || substr(digits, 7, 2) || substr(digits, 5, 2) || substr(digits, 3, 2) || substr(digits, 1, 2))
        ::bit(32)::bigint::numeric $$""",
    """CREATE OR REPLACE FUNCTION md5_number_upper(value text) RETURNS numeric IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
    $$ SELECT _reversed(substr(md5(value), 1, 16)) $$""",
    """CREATE OR REPLACE FUNCTION md5_number_lower(value text) RETURNS numeric IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
    $$ SELECT _reversed(substr(md5(value), 17, 16)) $$""",
)
"""What DuckDB has and PostgreSQL lacks; made when a store is."""


class PostgresEngine:
    """A database of PostgreSQL, through one connection."""

    capabilities = CAPABILITIES
    fault: type[Exception] = psycopg.Error

    def __init__(self, address: str) -> None:
        """Connect. Raises StoreError where that fails; the message has no password in it."""
        self._address, self._depth = address, 0
        self._role: str | None = None
        self._connection = self._connect()

    def _connect(self) -> psycopg.Connection[Any]:
        parts = parts_of(self._address)
        try:
            connection = psycopg.connect(**(_PATIENCE | parts), autocommit=True)
            for setting in _SETTINGS:
                connection.execute(f"SET {setting}".encode())
            for name, value in _TASTES.items():
                psycopg.RawCursor(connection).execute(_CHOSEN_BY_NOBODY, [value, name])
            if self._role is not None:
                connection.execute(_NAME, [self._role])
        except psycopg.Error as error:
            raise StoreError(f"the store in PostgreSQL cannot be reached: {_reason(error)}") from None
        connection.adapters.register_loader("json", TextLoader)
        return connection

    def be(self, role: str) -> None:
        """Say what the connection is for: the server lists it by `leadlight`, that, and the schema."""
        self._role = role
        self._connection.execute(_NAME, [role])

    def unusable(self, error: BaseException) -> bool:
        """Return whether a fault is the store's and not the statement's: the same may go well later.

        The connection is lost, the server stops, its disk is full, it has no memory, or somebody else was in the way.
        """
        return self._connection.broken or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)

    def follows(self, error: BaseException) -> bool:
        """Return whether a fault only says that there was one before in the transaction."""
        return isinstance(error, psycopg.errors.InFailedSqlTransaction)

    def revive(self) -> None:
        """Connect again where the connection is lost.

        Raises StoreError where that is not possible.
        """
        if self._connection.closed:
            self._depth, self._connection = 0, self._connect()

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The driver's own connection."""
        return self._connection

    def _run(self, text: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        cursor = psycopg.RawCursor(self._connection)
        return cursor.execute(text.encode(), list(parameters) or None)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and read nothing back."""
        named = insert_by_name(sql)
        if named is not None:
            table, query = named
            columns = ", ".join(_quoted(column.name) for column in self._described(query, parameters))
            self._run(f"INSERT INTO {table} ({columns}) {query}", parameters)
            return
        for statement in translated(sql).split(";\n"):
            self._run(statement, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return its few rows."""
        return [tuple(_plain(value) for value in row) for row in self._run(translated(sql), parameters).fetchall()]

    def prepared(self, sql: str, parameters: Sequence[int | str | datetime]) -> list[dict[str, Any]]:
        """Run a query with `$1`, `$2` … that is asked again and again; the driver keeps its plan."""
        cursor = psycopg.RawCursor(self._connection, row_factory=dict_row)
        found = cursor.execute(translated(sql).encode(), list(parameters), prepare=True).fetchall()
        return [{name: _plain(value) for name, value in row.items()} for row in found]

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run a query and return its rows as an Arrow table."""
        return self._reader(translated(sql), parameters).read_all()

    def _described(self, query: str, parameters: Sequence[Any]) -> Sequence[Any]:
        nothing = f"SELECT * FROM ({query}) AS described LIMIT 0"  # noqa: S608 - a query of our own
        return self._run(nothing, parameters).description or []

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name until `unregister`, as a temporary table."""
        self.take(name, table.to_reader(max_chunksize=BATCH))

    def take(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Make a temporary table of rows that come batch by batch."""
        columns = ", ".join(f"{_quoted(field.name)} {_PG_TYPE[_simple(field.type)]}" for field in rows.schema)
        self._run(f"DROP TABLE IF EXISTS {_quoted(name)}")
        self._run(f"CREATE TEMPORARY TABLE {_quoted(name)} ({columns})")
        names = ", ".join(_quoted(column) for column in rows.schema.names)
        text = f"COPY {_quoted(name)} ({names}) FROM STDIN (FORMAT csv)".encode()
        with self._connection.cursor() as cursor, cursor.copy(text) as copy:
            for batch in rows:
                copy.write(_as_csv(batch))
        self._run(f"ANALYZE {_quoted(name)}")

    def batches(self, table: str) -> pa.RecordBatchReader:
        """Return the rows of a table batch by batch; nothing else can be asked before they are read."""
        return self._reader(f"SELECT * FROM {_quoted(table)}")  # noqa: S608 - a quoted name

    def _reader(self, text: str, parameters: Sequence[Any] = ()) -> pa.RecordBatchReader:
        """Run a query of PostgreSQL through a cursor on the server, so that no more than a batch is in memory twice."""
        batches = self._batches(text, parameters)
        first = next(batches)
        return pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))

    def _batches(self, text: str, parameters: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches; the first one may be empty, and brings the schema."""
        with self._connection.transaction(), psycopg.RawServerCursor(self._connection, "batches") as cursor:
            cursor.execute(text.encode(), list(parameters) or None)
            rows = cursor.fetchmany(BATCH)
            columns = cursor.description or []
            schema = pa.schema([(column.name, _arrow_type(column.type_code)) for column in columns])
            while True:
                yield pa.RecordBatch.from_arrays(_arrays(rows, list(schema.types)), schema=schema)
                rows = cursor.fetchmany(BATCH) if len(rows) == BATCH else []
                if not rows:
                    return

    def unregister(self, name: str) -> None:
        """Forget a registered table."""
        self._connection.execute(f"DROP TABLE IF EXISTS {_quoted(name)}".encode())

    def columns(self, table: str) -> dict[str, str]:
        """Return a table's columns and their types in DuckDB's words, in order; empty where there is no such table."""
        found = self._run(
            "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a WHERE a.attrelid = "
            "to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            [table],
        ).fetchall()
        return {str(name): _COLUMNS.get(kind, str(kind).upper()) for name, kind in found}

    def tables(self) -> frozenset[str]:
        """Return the names of all tables that stay, as they are written."""
        found = self._run("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        return frozenset(str(name) for (name,) in found)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside is kept together, or not at all. Nested ones join the outer one.

        One process writes at a time, as with DuckDB; reading goes on.
        """
        if self._depth:
            yield
            return
        self._depth = 1
        try:
            with self._connection.transaction():
                self._run(f"SELECT pg_advisory_xact_lock({LOCK})")
                yield
        finally:
            self._depth = 0

    @contextmanager
    def alone(self, *, name: str = "leadlight") -> Iterator[None]:
        """Let no other process do the same at the same time; who writes does what has no other name."""
        self._run("SELECT pg_advisory_lock(hashtext($1), hashtext(current_schema()))", [name])
        try:
            yield
        finally:
            self._run("SELECT pg_advisory_unlock(hashtext($1), hashtext(current_schema()))", [name])

    def complete(self) -> None:
        """Make the functions that our statements need here, and the indexes, where they are not there yet."""
        for statement in (*FUNCTIONS, *INDEXES):
            self._run(statement)

    def rewrite(self) -> None:
        """Take what was deleted off the disk."""
        for table in sorted(self.tables()):
            self._run(f"VACUUM (FULL, ANALYZE) {_quoted(table)}")

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()


def _as_csv(batch: pa.RecordBatch) -> bytes:
    """Return rows as CSV, in which no value is nothing at all and a text is always quoted."""
    columns = [_for_csv(column) for column in batch.columns]
    written = io.BytesIO()
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    csv.write_csv(pa.table(columns, names=batch.schema.names), written, options)
    return written.getvalue()


def _for_csv(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _for_csv(column.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):  # PostgreSQL keeps no NUL in texts
        return pc.replace_substring(column, "\0", "")
    return column.cast(pa.string()) if pa.types.is_decimal(kind) or pa.types.is_floating(kind) else column


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _simple(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _simple(kind.value_type)
    return pa.timestamp("us") if pa.types.is_timestamp(kind) else kind


def _arrow_type(number: int) -> pa.DataType:
    return _ARROW.get(number) or _LISTS.get(number) or pa.string()


def _arrays(rows: Sequence[Sequence[Any]], types: Sequence[pa.DataType]) -> list[pa.Array]:
    columns = zip(*rows, strict=True) if rows else ([] for _ in types)
    return [pa.array([_plain(value) for value in column], kind) for column, kind in zip(columns, types, strict=True)]


def _plain(value: Any) -> Any:
    """Sums and means of whole numbers are numerics here; DuckDB gives whole numbers and doubles."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def parts_of(address: str) -> dict[str, Any]:
    """Return the parts of an address.

    Raises StoreError, which shows nothing of it, where it cannot be read: what is taken for a host may be a password.

    >>> parts_of("postgresql://ann:a%40b@db/shop")["password"]
    'a@b'
    """
    try:
        parts: dict[str, Any] = conninfo_to_dict(address)
    except psycopg.Error:
        parts = {"host": "@"}
    port = str(parts.get("port") or "0")
    if "@" in str(parts.get("host") or "") or not port.replace(",", "0").isdecimal():
        raise StoreError(
            "the address in PostgreSQL cannot be read (it is not shown, for it may hold a password)",
            fix="In user and password write % as %25, @ as %40, : as %3A, / as %2F, # as %23 and a blank as %20; "
            "behind a ? stand options that PostgreSQL knows.",
        )
    return parts


def _reason(error: Exception) -> str:
    """Return what went wrong in a line: the last that is no hint to the one before, which libpq indents.

    >>> _reason(OSError('connection to "db", port 5432 failed: refused\\n\\tIs the server running on that host?'))
    'connection to "db", port 5432 failed: refused'
    """
    lines = str(error).strip().splitlines()
    told = [line for line in lines if line.strip() and not line[0].isspace()]
    return (told or lines or [type(error).__name__])[-1].strip()
