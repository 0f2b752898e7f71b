"""A database of a shop's own: a file of SQLite, whose rows change as a person's do."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from connect.stand_in import Kind, Schema
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

KINDS = {"text": "TEXT", "number": "REAL", "time": "DATETIME", "bool": "BOOLEAN"}
NO_HTTP = "it does not speak HTTP"


class StandIn(Base):
    system = "sql"
    people = Kind("leads", text="title", number="employees")
    accounts = Kind("companies", text="name")
    events = Kind("activities", text="type")
    deals = Kind("orders", text="status", number="amount")
    lacks = {
        "merge": "a table does not say what became one",
        "convert": "a table does not say what became another",
        "history": "a table holds the present",
        "refuse": "a file of SQLite takes any value, and is locked as a whole",
        "note": "a database has no tasks",
        "expire": "there is no token",
        "revoke": "a file of SQLite asks for no password",
        "scope": "a file of SQLite is readable as a whole",
        "disable": "there is no API",
        "elsewhere": "pages are no links",
        "quota": "there is none",
        "pace": "there is none",
        "webhook": "a database sends none",
        "http": NO_HTTP,
    }

    _file: Path | None = None
    _connection: sqlite3.Connection | None = None

    @contextmanager
    def serving(self) -> Iterator[Self]:
        with tempfile.TemporaryDirectory() as folder:
            self._file = Path(folder) / "shop.db"
            with closing(sqlite3.connect(self._file, isolation_level=None)) as self._connection:
                self._connection.execute("PRAGMA synchronous = OFF")
                self._connection.execute("PRAGMA journal_mode = MEMORY")
                self.reset()
                yield self

    def settings(self) -> dict[str, Any]:
        table = {"modified_at": "updated_at", "created_at": "created_at"}
        more = {} if self.page_most is None else {"page": self.page_most}
        return {
            "url": f"sqlite:///{self._file}",
            "tables": dict.fromkeys(("leads", "companies", "activities", "orders"), table),
            **more,
        }

    def schema(self) -> Schema:
        own = {"created_at": "time", "updated_at": "time"}
        return {
            "leads": {
                **dict.fromkeys(("email", "name", "title", "country", "company_id"), "text"),
                "employees": "number",
                **own,
            },
            "activities": {"lead_id": "text", "type": "text", "happened_at": "time", **own},
            "orders": {"lead_id": "text", "status": "text", "amount": "number", **own},
            "companies": {"name": "text", "industry": "text", "employees": "number", **own},
        }

    def reset(self) -> None:
        super().reset()
        if self._connection is None:  # not serving yet
            return
        for name, fields in self.fields.items():
            self._do(f"DROP TABLE IF EXISTS {name}")
            columns = ", ".join(f'"{field}" {KINDS[kind]}' for field, kind in fields.items())
            self._do(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {columns})")

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        values["updated_at"] = at
        values["created_at"] = values.get("created_at") or at

    def add(self, name: str, /, **more: Any) -> str:
        made = super().add(name, **more)
        self._put(name, made)
        return made

    def edit(self, name: str, id: str, /, **values: Value) -> None:  # noqa: A002
        super().edit(name, id, **values)
        self._put(name, id)

    def delete(self, name: str, id: str, /) -> None:  # noqa: A002
        super().delete(name, id)
        self._do(f"DELETE FROM {name} WHERE id = ?", [id])

    def drop_field(self, name: str, field: str) -> None:
        super().drop_field(name, field)
        self._do(f'ALTER TABLE {name} DROP COLUMN "{field}"')

    def new_field(self, name: str, field: str, type: str = "text") -> None:  # noqa: A002
        super().new_field(name, field, type)
        self._do(f'ALTER TABLE {name} ADD COLUMN "{field}" {KINDS[type]}')

    def _put(self, name: str, id: str) -> None:  # noqa: A002
        held: Mapping[str, Value] = self.records[name][id].values
        columns = ", ".join(f'"{field}"' for field in held)
        marks = ", ".join("?" for _ in held)
        values = [
            value.isoformat(" ", "microseconds") if isinstance(value, datetime) else value for value in held.values()
        ]
        self._do(f"INSERT OR REPLACE INTO {name} (id, {columns}) VALUES (?, {marks})", [id, *values])

    def _do(self, statement: str, values: list[Any] | None = None) -> None:
        assert self._connection is not None
        self._connection.execute(statement, values or [])
