"""Scores back: a batch in one request, in halves where one of its records is refused; and tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.describe import Table
from leadlight.connect.dynamics.refusals import is_duplicate, is_missing, written
from leadlight.connect.dynamics.values import plain
from leadlight.connect.http import Answer, Http
from leadlight.connect.protocol import Note, Value, Write, Written
from leadlight.connect.unknown import FIELD
from leadlight.errors import RemoteError

NOT_AN_ID = "this is no id of a Dataverse record"
TARGET = "Microsoft.Dynamics.CRM."
PASSING = (400, 403, 404, 405, 409, 412, 413, 500, 501)
"""Refusals of a batch that may be due to one of its records, or to a table that takes none."""
NO_BATCHES = (404, 405, 501)
SINGLE = (400, 403, 404, 409, 412, 500)
KEYS = UUID("5b1b9d0c-6a1d-4d53-9d0a-3f0f5f0f6c1e")
"""Where ids of tasks come from: of the same key the same id, so that a task is never added twice."""
SUBJECT_MOST = 200
ONLY_IF_THERE = {"If-Match": "*"}
"""Or a record that was deleted would be made anew."""


class Writer:
    """Writes to an environment."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._singly: set[str] = set()
        """Tables that take no batches."""

    def write(self, table: Table, batch: Sequence[Write]) -> Sequence[Written]:
        """Write values; one answer for each record, in order. Raises RemoteError where nothing was written."""
        told = self._some(table, [one for one in batch if odata.is_id(one.id)])
        return [told.get(one.id) or Written(one.id, NOT_AN_ID, gone=True) for one in batch]

    def _some(self, table: Table, batch: Sequence[Write]) -> Mapping[str, Written]:
        """Write some at once; where one of them is refused, which undoes them all, each half for itself."""
        if len(batch) <= 1 or table.set in self._singly:
            return {one.id: self._one(table, one) for one in batch}
        answer = self._all(table, batch)
        if answer.status // 100 == 2:
            return {one.id: Written(one.id) for one in batch}
        if answer.status in NO_BATCHES and not is_missing(answer):
            self._singly.add(table.set)
        half = len(batch) // 2
        return {**self._some(table, batch[:half]), **self._some(table, batch[half:])}

    def _all(self, table: Table, batch: Sequence[Write]) -> Answer:
        kind = f"{TARGET}{table.object.name}"
        targets = [{"@odata.type": kind, table.object.id: one.id, **_plain(table, one.values)} for one in batch]
        path = f"{table.path}/{TARGET}UpdateMultiple"
        return self._http.ask("POST", path, json={"Targets": targets}, headers=odata.HEADERS, expect=PASSING)

    def _one(self, table: Table, write: Write) -> Written:
        answer = self._http.ask(
            "PATCH",
            f"{table.path}({UUID(write.id)})",
            json=_plain(table, write.values),
            headers={**odata.HEADERS, **ONLY_IF_THERE},
            expect=SINGLE,
        )
        return written(write.id, answer)

    def note(self, table: Table, notes: Sequence[Note]) -> Sequence[Written]:
        """Add tasks, or notes; one that stands there already, by its key, is not added again. Raises RemoteError."""
        return [
            self._note(table, note) if odata.is_id(note.id) else Written(note.id, NOT_AN_ID, gone=True)
            for note in notes
        ]

    def _note(self, table: Table, note: Note) -> Written:
        entity_set, body = _task(table, note) if note.kind == "task" else _annotation(table, note)
        answer = self._http.ask(
            "POST", f"{odata.ROOT}/{entity_set}", json=body, headers=odata.HEADERS, expect=SINGLE, retry=bool(note.key)
        )
        return Written(note.id) if is_duplicate(answer) else written(note.id, answer)


def _plain(table: Table, values: Mapping[str, Value]) -> dict[str, Any]:
    for name in values:
        if not table.has(name):
            raise RemoteError(odata.TITLE, "absent", f"the table {table.object.name} has no column {name}", fix=FIELD)
    return {name: plain(value, table.told[name]) for name, value in values.items()}


def _task(table: Table, note: Note) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = {
        "subject": note.subject[:SUBJECT_MOST],
        "description": note.text,
        f"regardingobjectid_{table.object.name}_task@odata.bind": f"/{table.set}({UUID(note.id)})",
    }
    if note.due is not None:
        body["scheduledend"] = odata.time(note.due)
    return "tasks", body | ({"activityid": str(uuid5(KEYS, note.key))} if note.key else {})


def _annotation(table: Table, note: Note) -> tuple[str, dict[str, Any]]:
    body = {
        "subject": note.subject[:SUBJECT_MOST],
        "notetext": note.text,
        f"objectid_{table.object.name}@odata.bind": f"/{table.set}({UUID(note.id)})",
    }
    return "annotations", body | ({"annotationid": str(uuid5(KEYS, note.key))} if note.key else {})
