"""What the columns of one file hold: how many values, how many differ, which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import UsageError
from leadlight.expr.types import Type
from leadlight.sources.clues import BLANKS
from leadlight.sources.read import Column, Reading, read, release
from leadlight.sources.scratch import scratch
from leadlight.spec.models import SourceKind, SourceSpec
from leadlight.store.sql import Sql, fill, joined, literal

FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".xlsx": "excel", ".xls": "excel", ".xlsb": "excel", ".ods": "excel",
}  # fmt: skip
PACKED = (".gz", ".zst")
FEW_VALUES = 60
"""Up to so many different values, all are listed."""
COMMA_SHARE = 0.95
COMMA = r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?(?: ?(?:€|EUR|CHF))?"
COMMA_PROOF = r".*\d,\d.*"
SOURCE = "leads"


@dataclass(frozen=True, slots=True)
class Profile:
    """One column: `values` are its values as text with their counts, the most frequent first, where they are few."""

    column: Column
    rows: int
    filled: int
    distinct: int
    whole: bool
    """All numbers are whole."""
    addresses: float
    """The share of values with an @ in the middle."""
    values: tuple[tuple[str, int], ...] = ()

    @property
    def header(self) -> str:
        """The column as the file calls it."""
        return self.column.header

    @property
    def type(self) -> Type:
        """What it holds."""
        return self.column.type

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value and no other row has it."""
        return self.filled == self.rows == self.distinct

    @property
    def is_full(self) -> bool:
        """Whether nearly every row has a value."""
        return self.filled >= 0.95 * self.rows


def format_of(file: Path) -> str:
    """Tell the format from the name; what has no known ending is taken for CSV.

    >>> format_of(Path("Leads.CSV.gz")), format_of(Path("deals.xlsx"))
    ('csv', 'excel')
    """
    names = [suffix.lower() for suffix in file.suffixes if suffix.lower() not in PACKED]
    return FORMATS.get(names[-1] if names else "", "csv")


def plain_source(file: Path, **told: Any) -> SourceSpec:
    """Return a source in which no column has a role yet, so that all of them are read as attributes."""
    # The checks of SourceSpec ask for an id, and which column that is shall be found out.
    spec: dict[str, Any] = {format_of(file): file.name, "kind": SourceKind.LEADS, "reject_limit": 1.0, **told}
    return SourceSpec.model_construct(**spec)


@contextmanager
def opened(file: Path, source: SourceSpec) -> Iterator[tuple[DuckDBEngine, Reading]]:
    """Read a file into an engine of its own. Raises DataError where it cannot be read, UsageError without any row."""
    engine = DuckDBEngine(None)
    try:
        with scratch() as rejects:
            reading = read(engine, SOURCE, source, file.parent, rejects_dir=rejects)
            try:
                yield engine, reading
            finally:
                release(engine, reading)
    finally:
        engine.close()


def how_to_read(file: Path, *, dates: str | None = None) -> SourceSpec:
    """Find out the decimal mark and the texts that stand for no value."""
    told: dict[str, Any] = {} if dates is None else {"dates": dates}
    with opened(file, plain_source(file, **told)) as (engine, reading):
        texts = [column for column in reading.columns if column.type is Type.TEXT]
        if not texts or not reading.rows:
            return plain_source(file, **told)
        if blanks := _blanks(engine, reading, texts):
            told["missing"] = blanks
        if format_of(file) == "csv" and _has_commas(engine, reading, texts):
            told["decimal"] = ","
    return plain_source(file, **told)


def profiles(engine: DuckDBEngine, reading: Reading) -> list[Profile]:
    """Describe every column of a reading."""
    columns = reading.columns
    if not columns:
        return []
    parts = [_counts(column) for column in columns]
    row = engine.rows(fill("SELECT {parts} FROM {table}", parts=joined(parts), table=reading.table))[0]
    found = []
    for place, column in enumerate(columns):
        filled, distinct, whole, addresses = row[4 * place : 4 * place + 4]
        profile = Profile(column, reading.rows, filled, distinct, bool(whole), float(addresses or 0.0))
        found.append(replace(profile, values=_values(engine, reading, column)) if distinct <= FEW_VALUES else profile)
    return found


def along_file(engine: DuckDBEngine, reading: Reading, column: Column) -> float:
    """Return the rank correlation of a column of numbers with the order of rows."""
    rows = engine.rows(
        fill(
            "SELECT corr(r, n) FROM (SELECT rank() OVER (ORDER BY {name}) AS r, "
            "row_number() OVER (ORDER BY _place) AS n FROM {table} WHERE {name} IS NOT NULL)",
            name=column.name,
            table=reading.table,
        )
    )
    return float(rows[0][0] or 0.0)


def value_text(column: Column) -> Sql:
    """Return SQL for a column's value as it is shown: whole numbers without a point."""
    text = fill("{name}::VARCHAR", name=column.name)
    if column.type is not Type.NUMBER:
        return text
    return fill(
        "CASE WHEN {name} = floor({name}) AND abs({name}) < 1e15 THEN {name}::BIGINT::VARCHAR ELSE {text} END",
        name=column.name,
        text=text,
    )


def need_rows(file: Path, reading: Reading) -> None:
    """Raise UsageError for a file without rows."""
    if not reading.rows:
        raise UsageError(f"{file.name} has no rows that can be read", fix="Look at the file, and export it again.")


def _counts(column: Column) -> Sql:
    number = column.type is Type.NUMBER
    whole = fill("bool_and({name} = floor({name}))", name=column.name) if number else Sql("false")
    text = column.type is Type.TEXT
    at = fill("avg(({name} LIKE '%_@_%._%')::INTEGER)", name=column.name) if text else Sql("0.0")
    return fill("count({name}), count(DISTINCT {name}), {whole}, {at}", name=column.name, whole=whole, at=at)


def _values(engine: DuckDBEngine, reading: Reading, column: Column) -> tuple[tuple[str, int], ...]:
    rows = engine.rows(
        fill(
            "SELECT {value} AS v, count(*) AS n FROM {table} WHERE {name} IS NOT NULL GROUP BY v ORDER BY n DESC, v",
            value=value_text(column),
            name=column.name,
            table=reading.table,
        )
    )
    return tuple((str(value), int(count)) for value, count in rows)


def _blanks(engine: DuckDBEngine, reading: Reading, texts: Sequence[Column]) -> list[str]:
    """Return those of BLANKS that stand in the file."""
    words = joined(literal(word) for word in BLANKS)
    parts = [fill("count(*) FILTER (WHERE {name} IN ({words}))", name=column.name, words=words) for column in texts]
    counts = engine.rows(fill("SELECT {parts} FROM {table}", parts=joined(parts), table=reading.table))[0]
    having = [column for column, count in zip(texts, counts, strict=True) if count]
    if not having:
        return []
    union = joined(
        (
            fill("SELECT DISTINCT {name} AS v FROM {table} WHERE {name} IN ({words})",
                 name=column.name, table=reading.table, words=words)
            for column in having
        ),
        " UNION ",
    )  # fmt: skip
    return sorted(str(value) for (value,) in engine.rows(union))


def _has_commas(engine: DuckDBEngine, reading: Reading, texts: Sequence[Column]) -> bool:
    """Say whether a column of texts is one of numbers with a decimal comma."""
    parts = [
        fill(
            "count(*) FILTER (WHERE regexp_full_match({name}, {number})) >= {share} * count({name}) "
            "AND count(*) FILTER (WHERE regexp_full_match({name}, {proof})) > 0",
            name=column.name,
            number=literal(COMMA),
            proof=literal(COMMA_PROOF),
            share=Sql(str(COMMA_SHARE)),
        )
        for column in texts
    ]
    return any(engine.rows(fill("SELECT {parts} FROM {table}", parts=joined(parts), table=reading.table))[0])
