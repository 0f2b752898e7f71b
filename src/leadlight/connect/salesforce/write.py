"""Scores back: many records in one request, each with its own answer; and tasks on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.protocol import Note, Value, Write, Written
from leadlight.connect.refusals import odd
from leadlight.connect.salesforce import soql
from leadlight.connect.salesforce.describe import Sobject
from leadlight.connect.salesforce.query import Query
from leadlight.connect.salesforce.refusals import written
from leadlight.connect.salesforce.values import plain

NOT_AN_ID = "this is no id of a Salesforce record"
PEOPLE = frozenset({"Lead", "Contact"})
"""Objects that a task names as `WhoId`; the others as `WhatId`."""
SUBJECT_MOST = 255
MARK = "Leadlight"
"""What stands before a task's key, in the last line of its comments."""


class Writer:
    """Writes to an org."""

    def __init__(self, http: Http, root: str, query: Query) -> None:
        self._http, self._path, self._query = http, f"{root}/composite/sobjects", query
        self._done: str | None = None

    def write(self, sobject: Sobject, batch: Sequence[Write]) -> Sequence[Written]:
        """Write values; one answer for each record, in order. Raises RemoteError where nothing was written."""
        records = [
            {"attributes": {"type": sobject.object.name}, "id": one.id, **_plain(sobject, one.values)} for one in batch
        ]
        return self._sent("PATCH", [one.id for one in batch], records)

    def note(self, sobject: Sobject, notes: Sequence[Note]) -> Sequence[Written]:
        """Add tasks; one that stands there already, by its key, is not added again. Raises RemoteError."""
        there = self._there(sobject, notes)
        new = [note for note in notes if note.key not in there]
        records = [_task(sobject, note, self._closed() if note.kind == "note" else None) for note in new]
        told = dict(zip(new, self._sent("POST", [note.id for note in new], records), strict=True))
        return [told.get(note) or Written(note.id) for note in notes]

    def _sent(self, method: str, ids: Sequence[str], records: Sequence[Mapping[str, Any]]) -> Sequence[Written]:
        """Send the records whose ids are ids."""
        good = [index for index, one in enumerate(ids) if soql.is_id(one)]
        found: Any = []
        if good:
            body = {"allOrNone": False, "records": [records[index] for index in good]}
            found = self._http.ask(method, self._path, json=body, retry=method == "PATCH").json()
        if not isinstance(found, list) or len(found) != len(good):
            raise odd(soql.TITLE, f"there are not {len(good)} answers to {len(good)} records")
        told = dict(zip(good, found, strict=True))
        return [
            written(one, told[index]) if index in told else Written(one, NOT_AN_ID, gone=True)
            for index, one in enumerate(ids)
        ]

    def _there(self, sobject: Sobject, notes: Sequence[Note]) -> frozenset[str]:
        """Return the keys of these notes that a task has already."""
        keyed = {_last_line(note): note.key for note in notes if note.key and soql.is_id(note.id)}
        if not keyed:
            return frozenset()
        ids = dict.fromkeys(note.id for note in notes if soql.is_id(note.id))
        subjects = dict.fromkeys(note.subject[:SUBJECT_MOST] for note in notes)
        asked = soql.select(
            ["Id", "Description"], "Task", soql.among(_names(sobject), ids), soql.among("Subject", subjects)
        )
        lines = (str(one.get("Description") or "").rstrip().rpartition("\n")[2] for one in self._query.all(asked))
        return frozenset(keyed[line] for line in lines if line in keyed)

    def _closed(self) -> str | None:
        """Return the status of a task that is done, as this org calls it."""
        if self._done is None:
            asked = soql.select(["ApiName"], "TaskStatus", "IsClosed = true", order=["SortOrder"], limit=1)
            self._done = next((str(one["ApiName"]) for one in self._query.all(asked) if one.get("ApiName")), None)
        return self._done


def _plain(sobject: Sobject, values: Mapping[str, Value]) -> dict[str, Any]:
    return {soql.name(name): plain(value, sobject.told.get(name, "")) for name, value in values.items()}


def _names(sobject: Sobject) -> str:
    return "WhoId" if sobject.object.name in PEOPLE else "WhatId"


def _last_line(note: Note) -> str:
    return f"{MARK} {note.key}"


def _task(sobject: Sobject, note: Note, status: str | None) -> dict[str, Any]:
    text = f"{note.text}\n\n{_last_line(note)}" if note.key else note.text
    task: dict[str, Any] = {
        "attributes": {"type": "Task"},
        _names(sobject): note.id,
        "Subject": note.subject[:SUBJECT_MOST],
        "Description": text,
    }
    if note.due is not None:
        task["ActivityDate"] = note.due.date().isoformat()
    return task if status is None else task | {"Status": status}
