"""A connector without network: records that are kept in a file, read as a system would give them.

A test makes a `World`, changes it, and saves it; a connection of `system: memory` names the file with `world:`.
`as_a_system` lets the registry find it, in other processes too: they get the folder it yields in PYTHONPATH.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.connect import registry
from leadlight.connect.protocol import (
    About,
    Field,
    Limits,
    Note,
    Object,
    Page,
    PushField,
    Readied,
    Row,
    Secret,
    Session,
    Settings,
    Surroundings,
    Value,
    Want,
    Write,
    Written,
)
from leadlight.connect.versions import Change, versions
from leadlight.errors import NotFoundError, RemoteError, did_you_mean
from leadlight.expr.types import Type

PAGE = 4
NAMED = {"number": Type.NUMBER, "text": Type.TEXT, "bool": Type.BOOL, "time": Type.TIME}


@dataclass
class World:
    """What the system holds: objects, and everything that ever happened to their records, in order."""

    file: Path
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    trouble: dict[str, list[Any]] = field(default_factory=dict)
    """Object → [after so many rows, what is wrong]."""
    there: dict[str, bool] = field(default_factory=dict)
    """Objects that tell which records exist instead of what was deleted."""

    def object(self, name: str, fields: Mapping[str, str], **more: Any) -> None:
        """Make an object with fields of these types, `created` and `modified`."""
        told = {"fields": {**fields, "created": "time", "modified": "time"}, "history": [], **more}
        self.objects[name] = told
        self.log.setdefault(name, [])

    def put(self, name: str, id: str, at: datetime, **values: Value) -> None:  # noqa: A002
        """Make a record, or change some of its values."""
        before = self.now(name).get(id, {})
        created = before.get("values", {}).get("created", at.isoformat())
        now = {**before.get("values", {}), **_plain(values), "created": created, "modified": at.isoformat()}
        self.log[name].append({"id": id, "at": at.isoformat(), "values": now, "gone": False, "into": None})

    def delete(self, name: str, id: str, at: datetime, into: str | None = None) -> None:  # noqa: A002
        """Delete a record, or merge it into another."""
        self.log[name].append({"id": id, "at": at.isoformat(), "values": {}, "gone": into is None, "into": into})

    def now(self, name: str) -> dict[str, dict[str, Any]]:
        """Return what the records are now."""
        return {one["id"]: one for one in self.log[name]}

    def save(self) -> None:
        """Let the connector see it."""
        held = {"objects": self.objects, "log": self.log, "trouble": self.trouble, "there": self.there}
        fresh = self.file.with_suffix(".tmp")
        fresh.write_text(json.dumps(held))
        fresh.replace(self.file)


def _plain(values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


class MemorySettings(Settings):
    """Which world it is."""

    world: str
    page: int = PAGE


@dataclass(frozen=True)
class MemorySession:
    """A world that is read."""

    held: Mapping[str, Any]
    page: int

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        for name in objects or ():
            if name not in self.held["objects"]:
                raise NotFoundError(f"Memory has no {name!r}: {did_you_mean(name, self.held['objects'])}")
        return [self._described(name) for name in objects or self.held["objects"]]

    def _described(self, name: str) -> Object:
        told = self.held["objects"][name]
        fields = tuple(
            Field(one, NAMED[type_], history=one in told["history"]) for one, type_ in told["fields"].items()
        )
        modified = "modified" if told.get("dated", True) else None
        return Object(
            name, name.title(), fields, created_at="created", modified_at=modified, whole=told.get("whole", False),
            deletions=told.get("deletions", True),
        )  # fmt: skip

    def read(self, want: Want) -> Iterator[Page]:
        name = want.object.name
        log, trouble = self.held["log"][name], self.held["trouble"].get(name)
        current = {one["id"]: n for n, one in enumerate(log)}
        fields = {one.name: one.type for one in want.object.fields}
        start = want.cursor["n"] if want.cursor else 0
        chosen = [n for n in sorted(current.values()) if n >= start]
        if want.object.whole or want.cursor is None:
            chosen = [n for n in chosen if not log[n]["gone"]]
        for at in range(0, len(chosen), self.page):
            if trouble and at >= trouble[0]:
                raise RemoteError("Memory", trouble[1], "it does not work", fix="Mend it.")
            part = chosen[at : at + self.page]
            rows = [row for n in part for row in self._rows(want, log, n, fields)]
            yield Page(tuple(rows), {"n": part[-1] + 1})
        if trouble and trouble[0] >= len(chosen):
            raise RemoteError("Memory", trouble[1], "it does not work", fix="Mend it.")
        ids = [one for one, n in current.items() if not log[n]["gone"] and not log[n]["into"]]
        yield Page((), {"n": len(log)}, there=ids if self.held["there"].get(name) else None)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002, ARG002
        return [Readied(one.name, "there") for one in fields]

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002, ARG002
        return {one: dict.fromkeys(fields) for one in ids}

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002, ARG002
        return [Written(one.id) for one in batch]

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002, ARG002
        return [Written(one.id) for one in notes]

    def _rows(self, want: Want, log: list[Any], last: int, fields: Mapping[str, Type]) -> list[Row]:
        """Return what a record is now, after what it was where the object keeps history."""
        row = self._row(log[last], fields)
        kept = [one.name for one in want.object.fields if one.history]
        if not kept or row.gone:
            return [row]
        changes: list[Change] = []
        before: Mapping[str, Value] = {}
        for one in log[: last + 1]:
            if one["id"] == row.id and not one["gone"]:
                now = self._row(one, fields).values
                at = datetime.fromisoformat(one["at"])
                changes += [Change(name, at, now.get(name)) for name in kept if now.get(name) != before.get(name)]
                before = now
        created = row.values.get("created")
        return versions(row.id, row.values, changes, created_at=created if isinstance(created, datetime) else None)

    def _row(self, one: Mapping[str, Any], fields: Mapping[str, Type]) -> Row:
        values = {
            name: datetime.fromisoformat(value) if fields[name] is Type.TIME and value else value
            for name, value in one["values"].items()
            if name in fields
        }
        return Row(one["id"], values, gone=one["gone"], into=one["into"])


class Memory:
    """The connector."""

    about = About(
        "memory", "Memory", (Secret("token", "MEMORY_TOKEN", "in nobody's settings"),), Limits(per_second=1000), ""
    )
    settings = MemorySettings
    mapping: Mapping[str, Any] = {}
    starter = scorecard = ""

    def way(self, *_: Any) -> None:
        return None

    def open(self, settings: Settings, surroundings: Surroundings) -> Session:
        assert isinstance(settings, MemorySettings)
        assert surroundings.secrets["token"]
        held = json.loads(Path(settings.world).read_text())
        return MemorySession(held, settings.page)

    def changed(self, *_: Any, **__: Any) -> Sequence[str]:
        raise NotImplementedError


CONNECTOR = Memory()


@contextmanager
def as_a_system(folder: Path) -> Iterator[Path]:
    """Let the registry find it; yields what goes into PYTHONPATH for it to be found elsewhere."""
    info = folder / "memory_system-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: memory-system\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[leadlight.connectors]\nmemory = connect.memory:CONNECTOR\n")
    sys.path.append(str(folder))
    registry._points.cache_clear()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        registry._points.cache_clear()
