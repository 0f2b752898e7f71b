"""Leadlight itself: the statement it compiles from workspace/, run over a store of the documented shape."""

from __future__ import annotations

from pathlib import Path

from data import AS_OF, ATTRIBUTES, TYPES
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import CAP, TOTAL, score_statement
from leadlight.spec.load import load_workspace
from leadlight.spec.resolve import resolve
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.store.events import settle_events
from leadlight.store.names import catalog, record
from leadlight.store.open import open_store
from measure import MEMORY, THREADS
from result import CRITERIA, Scores

WORKSPACE = Path(__file__).parents[1] / "workspace"
TEXTS = ("email_domain", *ATTRIBUTES)
NUMBERS = ("employees", "revenue")


def layout(parquet: Path, folder: Path) -> None:
    """Write the store's tables as an ingest leaves them: whole, with sources and keys, events in the store's order."""
    engine = open_store("duckdb:store.duckdb", folder, create=True)
    engine.execute(f"SET threads = {THREADS}")
    engine.execute(f"SET memory_limit = '{MEMORY}'")
    _columns(engine)
    engine.execute(f"INSERT INTO leads BY NAME FROM '{parquet}/leads/*.parquet' ORDER BY lead")
    engine.execute("INSERT INTO ids SELECT id, lead, lead FROM leads ORDER BY id")
    engine.execute(f"INSERT INTO attributes BY NAME FROM '{parquet}/attributes/*.parquet' ORDER BY lead, known_at")
    engine.execute(
        "INSERT INTO events BY NAME SELECT *, 'web' AS _source, "
        "md5_number(concat_ws('/', lead, type, \"at\", path))::UHUGEINT AS _key "
        f"FROM '{parquet}/events/*.parquet'"
    )
    settle_events(engine)
    engine.close()


def _columns(engine: DuckDBEngine) -> None:
    for names, kind in ((TEXTS, Type.TEXT), (NUMBERS, Type.NUMBER)):
        record(engine, "attribute", "crm", dict.fromkeys(names, kind))
        for name in names:
            engine.execute(f"ALTER TABLE attributes ADD COLUMN {name} {engine.capabilities.types[kind]}")
    record(engine, "property", "web", {"path": Type.TEXT, "seconds": Type.NUMBER})
    engine.execute("ALTER TABLE events ADD COLUMN path VARCHAR")
    engine.execute('ALTER TABLE events ADD COLUMN "seconds" DOUBLE')
    types = ", ".join(f"'{name}'" for name in TYPES)
    engine.execute(f"ALTER TABLE events ALTER type SET DATA TYPE ENUM({types})")


def opened(folder: Path) -> tuple[DuckDBEngine, ResolvedWorkspace]:
    """Open the store and read the workspace."""
    engine = open_store("duckdb:store.duckdb", folder, read_only=True)
    engine.execute(f"SET threads = {THREADS}")
    engine.execute(f"SET memory_limit = '{MEMORY}'")
    resolved, faults = resolve(load_workspace(WORKSPACE), catalog(engine))
    assert resolved is not None, faults
    return engine, resolved


def features(resolved: ResolvedWorkspace, pairs: str, names: list[str]) -> str:
    """Compile the statement for features of the pairs in a table."""
    return feature_statement(resolved, Moment(table=pairs), features=names).sql("duckdb")


def score(folder: Path) -> tuple[DuckDBEngine, list[str]]:
    """Open, compile, run; the result is kept in a temporary table, with the same columns as the others keep.

    Returns the names of the criteria's columns too.
    """
    engine, resolved = opened(folder)
    card = resolved.scorecards["house"]
    statement = score_statement(resolved, card, Moment(AS_OF)).sql("duckdb")
    keys = [criterion.key for criterion in card.criteria]
    columns = [
        "lead",
        *keys,
        *(f"{group}{end}" for group in card.spec.groups for end in (TOTAL, CAP)),
        "score",
        "grade",
    ]
    engine.execute(f"CREATE TEMPORARY TABLE result AS SELECT {', '.join(columns)} FROM ({statement})")
    return engine, keys


def scores(outcome: tuple[DuckDBEngine, list[str]]) -> Scores:
    """Read the result for the comparison with the others."""
    engine, keys = outcome
    assert len(keys) == len(CRITERIA)
    columns = engine.connection.execute("FROM result").fetchnumpy()
    return Scores(columns["lead"], [columns[key] for key in keys], columns["score"], columns["grade"])
