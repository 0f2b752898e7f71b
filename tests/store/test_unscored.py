"""Whatever changes a store that is served notes whom it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.sources.ingest import ingest
from leadlight.spec.models import WorkspaceSpec
from leadlight.store.outcomes import load_outcomes
from leadlight.store.sql import Sql
from leadlight.store.staged import Staged
from leadlight.store.touched import TABLES
from leadlight.store.unscored import is_kept, note_unscored, note_unscored_accounts

MAY, NOW = datetime(2025, 5, 1), datetime(2026, 1, 1)
DEALS = ["lead", "at", "outcome", "message_id"]


@pytest.fixture
def served(store: Engine) -> Engine:
    store.execute("CREATE TABLE live_unscored (lead INTEGER, account VARCHAR)")
    return store


@pytest.fixture
def read_into(served: Engine) -> Engine:
    """One without the tables that a reading makes itself."""
    for table in TABLES:
        served.execute(f"DROP TABLE {table}")
    return served


def noted(store: Engine) -> list[str]:
    """Return who was noted, and forget them."""
    found = store.rows("SELECT i.id FROM live_unscored u JOIN ids i ON i.lead = u.lead ORDER BY i.id")
    accounts = store.rows("SELECT DISTINCT account FROM live_unscored WHERE account IS NOT NULL")
    store.execute("DELETE FROM live_unscored")
    return [name for (name,) in (*found, *accounts)]


def test_a_store_that_was_never_served_notes_nothing(store: Engine) -> None:
    assert not is_kept(store)
    note_unscored(store, Sql("SELECT 1 AS lead"))
    note_unscored_accounts(store, Sql("SELECT 'acme' AS account"))
    assert "live_unscored" not in store.tables()


def test_each_lead_is_noted_once(served: Engine) -> None:
    for _ in range(2):
        note_unscored(served, Sql("SELECT * FROM (VALUES (1), (2), (2)) v(lead)"))
        note_unscored(served, Sql("SELECT ?::INTEGER AS lead"), [3])
    assert served.rows("SELECT lead FROM live_unscored ORDER BY lead") == [(1,), (2,), (3,)]


def test_outcomes_are_about_whom_they_are_given_to_and_taken_from(served: Engine, stage: Callable[..., Staged]) -> None:
    def tell(*rows: tuple[str | None, datetime | None, str | None, str]) -> list[str]:
        load_outcomes(served, stage("deals", DEALS, {}, rows), name="stage", type_=Type.TEXT)
        return noted(served)

    assert tell(("a", MAY, "open", "d1"), ("b", MAY, "won", "d2"), ("c", MAY, "won", "d3")) == ["a", "b", "c"]
    assert tell(("a", MAY, "won", "d1")) == ["a"]
    assert tell(("c", MAY, "won", "d1")) == ["a", "c"], "it is another lead's now"
    assert tell((None, None, None, "d2")) == ["b"], "it is no more"


SPEC = {
    "store": "duckdb::memory:",
    "sources": {
        "crm": {"csv": "crm.csv", "id": "id", "created_at": "created", "outcome": "stage"},
        "firms": {"csv": "firms.csv", "account": "name"},
        "visits": {"csv": "visits.csv", "lead": "lead", "type": "type", "at": "at"},
    },
    "bots": {"sources": ["visits"], "honeypot": "trap"},
}
FILES = {
    "crm.csv": "id,created,job,stage\na,2025-01-01,vp,\nb,2025-01-02,vp,\nc,2025-01-03,vp,won\n",
    "firms.csv": "name,size\nacme,large\nsolo,small\n",
    "visits.csv": "lead,type,at,trap\na,page,2025-02-01,\nb,page,2025-02-02,\n",
}


def test_reading_is_about_whom_it_says_something_new_of(read_into: Engine, tmp_path: Path) -> None:
    spec = WorkspaceSpec.model_validate(SPEC)

    def read(file: str, old: str, new: str) -> list[str]:
        path = tmp_path / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        ingest(read_into, spec, tmp_path, now=NOW)
        return noted(read_into)

    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    ingest(read_into, spec, tmp_path, now=NOW)
    assert sorted(noted(read_into)) == ["a", "acme", "b", "c", "solo"]
    assert read("crm.csv", "b,2025-01-02,vp", "b,2025-01-02,c_level") == ["b", "c"], (
        "and whose outcomes are in the file"
    )
    assert read("firms.csv", "large", "huge") == ["acme"]
    assert read("visits.csv", "b,page,2025-02-02,\n", "b,page,2025-02-02,\nb,order,2025-02-03,\n") == ["a", "b"]
    assert read("visits.csv", "\n", "\n") == []


def test_where_rules_move_events_it_is_about_everybody(read_into: Engine, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    ingest(read_into, WorkspaceSpec.model_validate(SPEC | {"bots": None}), tmp_path, now=NOW)
    noted(read_into)
    with (tmp_path / "visits.csv").open("a") as file:
        file.write("a,page,2025-02-04,filled in\n")
    ingest(read_into, WorkspaceSpec.model_validate(SPEC), tmp_path, now=NOW)
    assert noted(read_into) == ["a", "b", "c"]
    described = SPEC | {"sources": {**SPEC["sources"], "visits": {"csv": "visits.csv", "lead": "lead", "type": "type",  # type: ignore[dict-item]
                                                                "at": "at", "columns": {"trap": "trap"}}}}  # fmt: skip
    ingest(read_into, WorkspaceSpec.model_validate(described), tmp_path, now=NOW)
    assert {"a", "b"} <= set(noted(read_into)), "what a source said is replaced"
