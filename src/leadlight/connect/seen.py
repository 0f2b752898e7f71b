"""What was read before, so that only what is new is kept, and each version of a record gets its moment.

What the lake has of an object is read from the lake itself: there is no second note of it that could disagree. It is
looked up in DuckDB, which puts aside on disk what does not fit into memory.

The rules (a record's *last* version is the one it has in the lake, or was given in this reading):

* A row that says when it came to be so is kept as it is, unless it is not newer than the last version: the past is
  told once.
* A row that does not say is the present. Of a record that is seen for the first time in the very first reading, it
  holds since the record exists (no moment). Later it holds since the record last changed, as the record itself says,
  never after now and always after the last version; since now, where it does not say.
* A record that is new and has changed within an hour of its creation counts as created so: systems touch a new record
  several times, and what it was on arrival is what later ones are to be compared with.
* A row that says the same as the one before says nothing.
* Fields that sources have come to name since (`fill`) count as if they had been read from the first: all records come
  again, what they are now is put into their past where nothing is known of it, and is no change.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from leadlight.connect.hashes import filled, hash_of
from leadlight.connect.lake import clean, last_versions, relation, schema_of
from leadlight.expr.types import Type
from leadlight.sources.lake import FRESH, GONE, HASH, ID, INTO, KNOWN_AT, TYPES, LakeFile
from leadlight.sources.part import named, quoted

MEMORY = "512MB"
SETTLING = "INTERVAL 1 HOUR"
TICK = "to_microseconds"
MANY = 2
"""From so many portions on, what the lake has is read once; few are looked up in the files themselves."""
PORTION = 20_000
"""Records that are told to be gone at once."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The rows of a portion that say something new, as the lake has them, and what they are."""

    table: pa.Table
    new: int = 0
    """Records that were never read before."""
    changed: int = 0
    """New versions of records that were."""
    gone: int = 0
    merged: int = 0


class Seen:
    """The last version of every record of an object, and which were read now."""

    def __init__(
        self,
        files: Sequence[LakeFile],
        fields: Mapping[str, Type],
        room: Path,
        *,
        now: datetime,
        first: bool,
        fill: Sequence[str] = (),
    ) -> None:
        """`files` are those of the object, `room` is a folder to put aside what does not fit into memory."""
        self._files, self._fields, self._now, self._first = list(files), dict(fields), now, first
        self._before, self._fill = list(files), list(fill)
        self._slots = {name: f"f{index}" for index, name in enumerate(self._fields)}
        self._connection = duckdb.connect()
        room.mkdir(parents=True, exist_ok=True)
        for setting in (
            f"memory_limit = '{MEMORY}'", f"temp_directory = {quoted(str(room))}", "threads = 1", "TimeZone = 'UTC'",
            "preserve_insertion_order = true",
        ):  # fmt: skip
            self._connection.execute(f"SET {setting}")
        self._run(f"CREATE TABLE said ({ID} VARCHAR, place BIGINT, since TIMESTAMP, hash UBIGINT, away BOOLEAN)")
        self._run(f"CREATE TABLE read ({ID} VARCHAR)")
        self._run(f"CREATE TABLE there ({ID} VARCHAR)")
        filling = "".join(f", {self._slots[name]} {TYPES[self._fields[name]]}" for name in self._fill)
        self._run(f"CREATE TABLE filling ({ID} VARCHAR, place BIGINT{filling})")
        self._run(
            f"CREATE VIEW base AS SELECT {ID}, 0::BIGINT AS place, "  # noqa: S608
            f"max({KNOWN_AT}) AS since, arg_max({HASH}, coalesce({KNOWN_AT}, TIMESTAMP '0001-01-01')) AS hash, "
            f"arg_max(coalesce({GONE}, false) OR {INTO} IS NOT NULL, coalesce({KNOWN_AT}, TIMESTAMP '0001-01-01')) "
            f"AS away FROM {relation(self._files)} GROUP BY {ID}"
        )
        self._portions = self._place = 0

    def close(self) -> None:
        """Give back memory and what was put aside."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, sql: str) -> None:
        self._connection.execute(sql)

    def _one(self, sql: str) -> tuple[int, ...]:
        return tuple(int(value or 0) for value in self._connection.execute(sql).fetchall()[0])

    @property
    def portion(self) -> int:
        """How many records `gone` tells of at once."""
        return PORTION

    def come(self, files: Sequence[LakeFile]) -> None:
        """Take note of files that the lake has got meanwhile, with rows that were kept here."""
        self._files = list(files)

    def records(self) -> int:
        """Count the records that rows were about."""
        return self._one("SELECT count(DISTINCT _id) FROM read")[0]

    def tell_there(self, ids: Sequence[str]) -> None:
        """Take note of records that exist."""
        self._connection.register("_there", pa.table({ID: pa.array(ids, pa.string())}))
        self._run("INSERT INTO there SELECT * FROM _there")
        self._connection.unregister("_there")

    # ----------------------------------------------------------------------------------------------- what is kept

    def keep(self, rows: pa.Table) -> Kept:
        """Return what a portion of rows (as of `Columns.table`) says that is new."""
        if not rows.num_rows:
            return self._nothing()
        self._look_up()
        place = pa.array(range(self._place + 2, self._place + 2 + 2 * rows.num_rows, 2), pa.int64())
        self._place += 2 * rows.num_rows
        names = [self._slots.get(name, name) for name in rows.column_names]
        self._connection.register("_rows", rows.rename_columns(names).append_column("n", place))
        try:
            self._run(f"INSERT INTO read SELECT DISTINCT {ID} FROM _rows")  # noqa: S608
            return self._kept()
        finally:
            self._connection.unregister("_rows")

    def _nothing(self) -> Kept:
        return Kept(schema_of(self._fields).empty_table())

    def _look_up(self) -> None:
        """Read what the lake has of all records, once it is plain that many portions will ask for it."""
        self._portions += 1
        if self._portions == MANY:
            self._run("CREATE TABLE held AS SELECT * FROM base")
            self._run("DROP VIEW base")
            self._run("ALTER TABLE held RENAME TO base")

    def _kept(self) -> Kept:
        self._run(
            f"CREATE OR REPLACE TEMP TABLE last AS SELECT {ID}, max(since) AS since, arg_max(hash, place) AS hash, "  # noqa: S608
            f"max(place) = 0 AS of_lake, arg_max(away, place) AS away "
            f"FROM (SELECT * FROM base WHERE {ID} IN (SELECT {ID} FROM _rows) "
            f"UNION ALL SELECT * FROM said WHERE {ID} IN (SELECT {ID} FROM _rows)) GROUP BY {ID}"
        )
        self._fill_blanks()
        known = {name: type_ for name, type_ in self._fields.items() if name not in self._fill}
        hashes = f"{hash_of(self._fields, self._slots)} AS hash, {hash_of(known, self._slots)} AS known_hash"
        self._run(f"CREATE OR REPLACE TEMP TABLE hashed AS SELECT *, {hashes} FROM filled")  # noqa: S608
        if self._fill:
            slots = "".join(f", {self._slots[name]}" for name in self._fill)
            self._run(f"INSERT INTO filling SELECT {ID}, n{slots} FROM filled")  # noqa: S608
        self._run(f"CREATE OR REPLACE TEMP TABLE dated AS {self._dated()}")
        self._run(f"INSERT INTO said SELECT {ID}, n, since, hash, away FROM dated ORDER BY n")  # noqa: S608
        fields = "".join(f", {slot} AS {named(name)}" for name, slot in self._slots.items())
        table = self._connection.sql(
            f"SELECT {ID}, since AS {KNOWN_AT}, _gone AS {GONE}, _into AS {INTO}, hash AS {HASH}{fields} "  # noqa: S608
            "FROM dated ORDER BY n"
        ).to_arrow_table()
        counts = self._one(
            f"SELECT count(DISTINCT {ID}) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh AND NOT away), "  # noqa: S608
            f"count(DISTINCT {ID}) FILTER (WHERE _gone AND _into IS NULL), "
            f"count(DISTINCT {ID}) FILTER (WHERE _into IS NOT NULL) FROM dated"
        )
        return Kept(table, *counts)

    def _fill_blanks(self) -> None:
        """Let records that are gone, or merged, and rows without values keep what was known of them last.

        Of an unknown record such a row says what it says itself, or nothing; who is gone when he is seen for the first
        time was there before.
        """
        slots = "".join(f", {slot}" for slot in self._slots.values())
        theirs = "".join(f", k.{slot}" for slot in self._slots.values())
        lake = "".join(f", {named(name)} AS {slot}" for name, slot in self._slots.items())
        blank = "(_gone OR _into IS NOT NULL OR NOT _own)"
        ids = f"SELECT {ID} FROM _rows WHERE {blank}"  # noqa: S608
        before = f"SELECT {ID}, 0 AS n{lake} FROM ({last_versions(self._files, self._fields, ids)})"  # noqa: S608
        own = (ID, "n", "_at", "_created", "_modified", "_gone", "_into")
        listed = ", ".join(f"r.{name}" for name in own)
        self._run(
            f"""
            CREATE OR REPLACE TEMP TABLE filled AS
            WITH known AS (
                {before}
                UNION ALL SELECT {ID}, n{slots} FROM _rows WHERE NOT {blank} AND {ID} IN ({ids})
            ), nearest AS (
                SELECT r.n AS row, max(k.n) AS n FROM _rows r JOIN known k ON k.{ID} = r.{ID} AND k.n < r.n
                WHERE {blank} GROUP BY 1
            ), alone AS (SELECT * FROM _rows WHERE {blank} AND _own AND n NOT IN (SELECT row FROM nearest))
            SELECT {", ".join(own)}{slots} FROM _rows WHERE NOT {blank}
            UNION ALL SELECT {listed}{theirs} FROM _rows r JOIN nearest b ON b.row = r.n
            JOIN known k ON k.{ID} = r.{ID} AND k.n = b.n
            UNION ALL SELECT {", ".join(own)}{slots} FROM alone
            UNION ALL SELECT {ID}, n - 1, _at, _created, _modified, false, NULL{slots} FROM alone
            WHERE _gone AND _into IS NULL AND _at IS NULL
            QUALIFY row_number() OVER (PARTITION BY {ID} ORDER BY n) = 1
            """  # noqa: S608
        )

    def _dated(self) -> str:
        """Return the query of the rows that say something new, each with its moment (see the module's rules)."""
        now = f"TIMESTAMP '{self._now.isoformat(sep=' ')}'"
        by_id = f"PARTITION BY {ID} ORDER BY n"
        present = f"least(coalesce(_modified, {now}), {now})"
        arrival = (
            f"CASE WHEN {'true' if self._first else 'false'} OR later_dated THEN NULL "
            f"WHEN _created <= {present} AND {present} - _created <= {SETTLING} THEN _created ELSE {present} END"
        )
        return f"""
            WITH told AS (
                SELECT h.*, l.{ID} IS NULL AS fresh, l.since AS last_at, l.hash AS last_hash, l.of_lake,
                    row_number() OVER (PARTITION BY h.{ID} ORDER BY n DESC) = 1 AS is_last
                FROM hashed h LEFT JOIN last l ON l.{ID} = h.{ID}
            ), newer AS (
                SELECT *, lag(hash) OVER ({by_id}) AS before, row_number() OVER ({by_id}) AS nth,
                    count(_at) OVER ({by_id} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) > 0 AS later_dated
                FROM told WHERE fresh OR _at IS NULL OR last_at IS NULL OR _at > last_at OR (_at = last_at AND is_last)
            ), telling AS (
                SELECT *, row_number() OVER ({by_id}) AS k FROM newer
                WHERE (CASE WHEN nth = 1 AND of_lake THEN known_hash ELSE hash END)
                    IS DISTINCT FROM (CASE WHEN nth = 1 THEN last_hash ELSE before END)
            ), placed AS (
                SELECT *, CASE WHEN _at IS NOT NULL THEN _at WHEN fresh AND nth = 1 THEN {arrival} ELSE {present} END
                    AS told_at FROM telling
            )
            SELECT {ID}, n, _gone, _into, hash, fresh, _gone OR _into IS NOT NULL AS away,
                greatest(max(told_at - {TICK}(k)) OVER ({by_id}) + {TICK}(k), last_at + {TICK}(k)) AS since
                {"".join(f", {slot}" for slot in self._slots.values())}
            FROM placed
        """  # noqa: S608

    def fill_in(self) -> None:
        """Put what records are now in the fields that are new here into their past, where nothing is known of it."""
        if not self._fill or not self._before:
            return
        first, last = self._before[0], self._before[-1]
        target = first.path.with_name(f"{first.first:08d}-{last.last:08d}-{secrets.token_hex(3)}.parquet")
        fresh, query = target.with_suffix(FRESH), filled(self._before, self._fields, self._slots, self._fill)
        self._run(f"COPY ({query}) TO {quoted(str(fresh))} (FORMAT parquet, COMPRESSION zstd)")
        fresh.replace(target)
        clean(target.parent)

    # ------------------------------------------------------------------------------------------------ what is gone

    def missing(self, *, there: bool) -> tuple[int, int]:
        """Count the records that are known and did not come (or are not `there`), and all that are known.

        What is gone already does not count. Call `keep` with all that came first.
        """
        self._run(
            f"CREATE OR REPLACE TEMP TABLE present AS SELECT {ID}, max(since) AS since, max(place) AS place "  # noqa: S608
            f"FROM (SELECT * FROM base UNION ALL SELECT * FROM said) GROUP BY {ID} HAVING NOT arg_max(away, place)"
        )
        came = "there" if there else "read"
        self._run(
            f"CREATE OR REPLACE TEMP TABLE lost AS SELECT {ID}, row_number() OVER (ORDER BY {ID}) AS n "  # noqa: S608
            f"FROM present p WHERE {ID} NOT IN (SELECT {ID} FROM {came})"
        )
        lost, known = self._one("SELECT (SELECT count(*) FROM lost), (SELECT count(*) FROM present)")
        return lost, known

    def gone(self, portion: int) -> Kept:
        """Return a portion (from 0) of the rows that say of missing records that they are gone since now."""
        low = portion * PORTION
        ids = f"SELECT {ID} FROM lost WHERE n > {low} AND n <= {low + PORTION}"  # noqa: S608
        rows = self._connection.sql(
            f"SELECT {ID}, NULL::TIMESTAMP AS _at, true AS _gone, NULL::VARCHAR AS _into, false AS _own, "  # noqa: S608
            f"NULL::TIMESTAMP AS _created, NULL::TIMESTAMP AS _modified"
            + "".join(f", NULL::{TYPES[type_]} AS {named(name)}" for name, type_ in self._fields.items())
            + f" FROM ({ids}) ORDER BY 1"
        ).to_arrow_table()
        return self.keep(rows)
