"""Leadlight itself: the statement it compiles from workspace/, run over a store of the documented shape."""

from __future__ import annotations

import shutil
from pathlib import Path

from data import AS_OF, ATTRIBUTES, TYPES
from measure import THREADS
from result import CRITERIA, Scores

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import score_statement
from leadlight.spec.load import load_workspace
from leadlight.spec.resolve import resolve
from leadlight.store.names import catalog, record
from leadlight.store.open import open_store

NAME = "Leadlight"
WORKSPACE = Path(__file__).parents[1] / "workspace"
TEXTS = ("email_domain", *ATTRIBUTES)
NUMBERS = ("employees", "revenue")


def layout(parquet: Path, folder: Path) -> None:
    """Write the store's tables as an ingest leaves them: whole, with sources and keys, events in order."""
    shutil.copytree(WORKSPACE, folder, dirs_exist_ok=True)
    engine = open_store("duckdb:store.duckdb", folder, create=True)
    engine.execute(f"SET threads = {THREADS}")
    engine.execute("SET memory_limit = '5GB'")
    _columns(engine)
    engine.execute(f"INSERT INTO leads BY NAME FROM '{parquet}/leads/*.parquet' ORDER BY lead")
    engine.execute("INSERT INTO ids SELECT id, lead, lead FROM leads")
    engine.execute(f"INSERT INTO attributes BY NAME FROM '{parquet}/attributes/*.parquet' ORDER BY lead, known_at")
    engine.execute(
        "INSERT INTO events BY NAME SELECT *, 'web' AS _source, "
        "md5_number(concat_ws('/', lead, type, \"at\", path))::UHUGEINT AS _key "
        f"FROM '{parquet}/events/*.parquet'"
    )
    engine.execute("INSERT INTO layout SELECT 'events', count(*) FROM events")
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


def score(folder: Path) -> tuple[DuckDBEngine, list[str]]:
    """Open the workspace, compile, run; the result is kept in a temporary table. Return its criteria's columns too."""
    engine = open_store("duckdb:store.duckdb", folder, read_only=True)
    engine.execute(f"SET threads = {THREADS}")
    resolved, faults = resolve(load_workspace(folder), catalog(engine))
    assert resolved is not None, faults
    card = resolved.scorecards["house"]
    statement = score_statement(resolved, card, Moment(AS_OF)).sql("duckdb")
    engine.execute(f"CREATE TEMPORARY TABLE result AS {statement}")
    return engine, [criterion.key for criterion in card.criteria]


def scores(outcome: tuple[DuckDBEngine, list[str]]) -> Scores:
    """Read the result for the comparison with the others."""
    engine, keys = outcome
    assert len(keys) == len(CRITERIA)
    columns = engine.connection.execute("FROM result").fetchnumpy()
    return Scores(columns["lead"], [columns[key] for key in keys], columns["score"], columns["grade"])
