"""Whoever names what a system does not have is told what to do."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadlight.connect
from connect.stand_in import StandIn
from leadlight.connect.sql.database import Database
from leadlight.connect.sql.settings import SqlSettings
from leadlight.errors import LeadlightError, NotFoundError

FOLDER = Path(leadlight.connect.__file__).parent
ERRORS = {"RemoteError", "NotFoundError", "UsageError", "StoreError"}


def raised(file: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield the errors for users that a file makes."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            yield f"{file.relative_to(FOLDER)}:{node.lineno}", node


def test_every_error_of_connections_says_what_to_do() -> None:
    found = [one for file in sorted(FOLDER.rglob("*.py")) for one in raised(file)]
    assert len(found) > 100
    assert [place for place, call in found if not any(told.arg == "fix" for told in call.keywords)] == []


def test_an_object_that_is_not_there(system: StandIn) -> None:
    with system.open() as opened, pytest.raises(LeadlightError, match="nosuchthing") as caught:
        opened.session.describe(["nosuchthing"])
    assert caught.value.fix is not None
    assert caught.value.fix.endswith(".")


def test_a_database_that_shows_no_table(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.db").close()
    settings = SqlSettings.model_validate({"url": f"sqlite:///{tmp_path / 'empty.db'}"})
    with pytest.raises(NotFoundError, match="no table 'leads', and no other one that its user may see") as caught:
        Database(settings, {}).table("leads")
    assert "`url` and `db_schema`" in str(caught.value.fix)


def test_a_table_of_another_name_is_shown(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "crm.db") as database:
        database.execute("CREATE TABLE lead (id INTEGER PRIMARY KEY)")
    settings = SqlSettings.model_validate({"url": f"sqlite:///{tmp_path / 'crm.db'}"})
    with pytest.raises(NotFoundError, match="did you mean 'lead'") as caught:
        Database(settings, {}).table("leads")
    assert "as `object` of the source" in str(caught.value.fix)
