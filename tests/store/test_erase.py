from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.scorecards.shop import LEADS, open_shop

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import NotFoundError
from leadlight.store.erase import erase
from leadlight.workspace import Workspace

TABLES = ("ids", "leads", "attributes", "observations", "events", "outcomes", "scores", "grade_history")


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    workspace = open_shop(tmp_path)
    (tmp_path / "leads.csv").write_text(LEADS + "bob2,2026-01-20,BOB@acme.example ,Acme,manager,500\n")
    workspace.ingest()
    workspace.score()
    return workspace


def counts(workspace: Workspace) -> dict[str, int]:
    with workspace.store() as engine:
        return {table: engine.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def test_everywhere_with_a_count_by_any_id(shop: Workspace) -> None:
    before = counts(shop)
    erased = shop.erase("bob2")  # the duplicate's id stands for the person
    assert set(erased.ids) == {"bob", "bob2"}
    after = counts(shop)
    assert {table: before[table] - after[table] for table in TABLES} == {table: erased.rows[table] for table in TABLES}
    assert all(erased.rows[table] > 0 for table in TABLES)
    with pytest.raises(NotFoundError):
        shop.explain("bob")


def test_not_a_byte_is_left(shop: Workspace, tmp_path: Path) -> None:
    files = [tmp_path / "shop.duckdb", tmp_path / "shop.duckdb.wal"]
    assert b"bob@acme" in files[0].read_bytes()
    shop.erase("bob")
    for file in files:
        if file.exists():
            content = file.read_bytes().lower()
            assert b"bob@acme" not in content
            assert b"bob2" not in content


def test_reading_again_does_not_bring_the_person_back(shop: Workspace, tmp_path: Path) -> None:
    shop.erase("bob")
    (tmp_path / "leads.csv").write_text((tmp_path / "leads.csv").read_text() + "gil,2026-02-01,gil@x.example,X,vp,5\n")
    shop.ingest()
    with pytest.raises(NotFoundError):
        shop.explain("bob")
    assert shop.explain("gil").id == "gil"


def test_the_store_is_otherwise_what_it_was(shop: Workspace) -> None:
    def others(engine: DuckDBEngine) -> list[list[tuple[Any, ...]]]:
        bob = "lead NOT IN (SELECT lead FROM ids WHERE id = 'bob')"
        tables = [engine.rows(f"SELECT * FROM {table} WHERE {bob} ORDER BY rowid") for table in TABLES]
        return [*tables, engine.rows("SELECT table_name, sql FROM duckdb_tables() ORDER BY 1")]

    with shop.store(write=True) as engine:
        before = others(engine)
        erase(engine, "bob", now=datetime(2026, 3, 1))
        assert others(engine) == before  # also the order of rows, and what may not be null
        assert engine.rows("SELECT count(*), count(DISTINCT salt) FROM erased") == [
            (3, 1)  # two ids, and the one that mail to the address would bring
        ]


def test_nobody_of_that_name(shop: Workspace) -> None:
    before = counts(shop)
    with pytest.raises(NotFoundError, match="'nobody'"):
        shop.erase("nobody")
    assert counts(shop) == before


def test_what_is_known_of_who_is_who_and_what_counts_goes_too(shop: Workspace) -> None:
    shop.set_aside(lead="bob", move="flag")
    shop.part_leads("bob", "ann")
    with shop.store(write=True) as engine:
        key = engine.rows("SELECT key FROM ids WHERE id = 'bob2'")[0][0]
        engine.execute("INSERT INTO consents VALUES (?, 'mail', now()::TIMESTAMP, true, 'm1')", [key])
    shown = shop.access("bob2").as_dict()["tables"]
    erased = shop.erase("bob2")
    for table in ("merges", "apart", "set_aside", "judgements", "consents"):
        assert erased.rows[table] == len(shown[table]) > 0, table
    with shop.store() as engine:
        assert engine.rows("SELECT count(*) FROM set_aside UNION SELECT count(*) FROM apart") == [(0,)]
