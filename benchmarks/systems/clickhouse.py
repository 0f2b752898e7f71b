"""ClickHouse, embedded (chdb), from MergeTree tables of its own."""

from __future__ import annotations

from pathlib import Path

from chdb.session import Session

from data import AS_OF, TYPES
from measure import THREADS
from result import CRITERIA, Scores

STATEMENT = (Path(__file__).parent / "clickhouse.sql").read_text(encoding="utf-8")
SETTINGS = f"SETTINGS max_threads = {THREADS}, join_use_nulls = 1"
LOW_CARDINALITY = ("seniority", "industry", "country", "lead_source", "crm", "email_kind")


def layout(parquet: Path, folder: Path) -> None:
    """Write MergeTree tables: types as an enum, texts of few values as LowCardinality, sorted for this question."""
    enum = ", ".join(f"'{name}' = {number}" for number, name in enumerate(TYPES))
    texts = ", ".join(f"{name} LowCardinality(Nullable(String))" for name in LOW_CARDINALITY)
    when = "DateTime64(6, 'UTC')"
    tables = {
        "leads": (f"lead Int32, id String, created_at {when}", "lead", "*"),
        "attributes": (
            f"lead Int32, known_at {when}, known_until {when}, account String, employees Nullable(Float64), "
            f"revenue Nullable(Float64), email_domain String, {texts}",
            "lead",
            "*",
        ),
        "events": (
            f"lead Int32, type Enum8({enum}), at {when}, path LowCardinality(String), seconds Float32",
            "type, lead, at",
            "lead, type, at, ifNull(path, ''), ifNull(seconds, 0)",
        ),
    }
    session = Session(str(folder / "chdb"))
    session.query("CREATE DATABASE bench")
    for name, (columns, order, select) in tables.items():
        session.query(f"CREATE TABLE bench.{name} ({columns}) ENGINE = MergeTree ORDER BY ({order})")
        files = f"file('{parquet}/{name}/*.parquet', Parquet)"
        session.query(
            f"INSERT INTO bench.{name} SELECT {select} FROM {files} SETTINGS max_threads = 1, max_insert_threads = 1"
        )
        session.query(f"OPTIMIZE TABLE bench.{name} FINAL")
    session.close()


def score(folder: Path) -> Session:
    """Open the tables, score everybody, keep the result in a table in memory."""
    session = Session(str(folder / "chdb"))
    statement = STATEMENT.replace("$T", f"toDateTime64('{AS_OF}', 6, 'UTC')")
    session.query("DROP TABLE IF EXISTS bench.result")
    session.query(f"CREATE TABLE bench.result ENGINE = Memory AS {statement} {SETTINGS}")
    return session


def scores(session: Session) -> Scores:
    """Read the result for the comparison with the others."""
    names = ", ".join(f"`{name}`" for name in ("lead", *CRITERIA, "score", "grade"))
    table = session.query(f"SELECT {names} FROM bench.result", "ArrowTable")
    session.query("DROP TABLE bench.result")
    return Scores(
        table["lead"].to_numpy(),
        [table[name].to_numpy() for name in CRITERIA],
        table["score"].to_numpy(),
        table["grade"].cast("string").to_numpy(),
    )
