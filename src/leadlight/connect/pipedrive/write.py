"""Scores into custom fields of Pipedrive, one request a record: its API changes no more at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from leadlight.connect.http import Answer, Http
from leadlight.connect.pipedrive.describe import HASH, Described, items, slug
from leadlight.connect.pipedrive.kinds import Kind
from leadlight.connect.pipedrive.values import custom_to, value_of
from leadlight.connect.pipedrive.way import words_of
from leadlight.connect.protocol import Note, PushField, Readied, Value, Write, Written
from leadlight.connect.typed import text, typed
from leadlight.connect.unknown import not_custom
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

IDS_MOST = 100
"""Ids that a list takes at once."""
VARCHAR_MOST = 255
TASKS_SEEN = 100
"""Newest activities of a record that are looked through for one that was made before."""
REFUSED = (400, 404, 409, 410, 422, 423)
GONE = (404, 410)
AGAIN = (409, 423)
FITS = {
    Type.NUMBER: frozenset({"double"}),
    Type.TEXT: frozenset({"varchar", "varchar_auto", "text"}),
    Type.TIME: frozenset({"varchar", "varchar_auto", "text"}),
    Type.BOOL: frozenset({"varchar", "varchar_auto", "text"}),
}
"""Fields that hold what we write, as we write it. (A field of type Date would lose the time of day.)"""


def form_of(field: PushField) -> str:
    """Return the type that a new field gets."""
    if field.type is Type.NUMBER:
        return "double"
    return "text" if field.type is Type.TEXT and (field.length or VARCHAR_MOST + 1) > VARCHAR_MOST else "varchar"


def readied(http: Http, kind: Kind, fields: Mapping[str, Described], wanted: PushField, *, dry: bool) -> Readied:
    """See that a field is there, and make it unless `dry`. Raises RemoteError."""
    found = find(fields, wanted.name) or find(fields, wanted.label)
    if found is not None:
        if not found.field.custom or found.form not in FITS[wanted.type]:
            name = found.field.label
            todo = (
                f"{name!r} of Pipedrive's {kind.name} is of the type {found.form or 'built-in'!r}, which does not hold "
                f"a {wanted.type}: name another field under `push.fields`, or delete this one (Company settings, Data "
                "fields), and it is made anew."
            )
            return Readied(wanted.name, "missing", todo)
        return Readied(found.field.name, "there")
    if kind.described is None or kind.task is None or not kind.newest:
        return Readied(wanted.name, "missing", f"Pipedrive's {kind.name} take no fields: push to persons or deals.")
    if not dry:
        http.post(kind.described, {"field_name": wanted.label or wanted.name, "field_type": form_of(wanted)})
    return Readied(slug(wanted.label or wanted.name), "made")


def find(fields: Mapping[str, Described], name: str) -> Described | None:
    """Return a field by our name for it, its label in any spelling, or its key."""
    if name in fields:
        return fields[name]
    if HASH.fullmatch(name):
        return next((one for one in fields.values() if one.code == name), None)
    return next((one for one in fields.values() if one.field.custom and slug(one.field.label) == slug(name)), None)


def looked(
    http: Http, kind: Kind, ids: Sequence[str], fields: Mapping[str, Described], types: Mapping[str, Type]
) -> dict[str, dict[str, Value]]:
    """Return what fields hold now, as the types that were asked for. Raises RemoteError."""
    found: dict[str, dict[str, Value]] = {}
    for first in range(0, len(ids), IDS_MOST):
        for path in kind.paths:
            listed = ",".join(ids[first : first + IDS_MOST])
            body = http.get(path, ids=listed, limit=IDS_MOST)
            for record in items(body, path):
                number = text(record.get("id"))
                if number is None or record.get("is_deleted") is True:
                    continue
                values = {name: value_of(record, one, {}) for name, one in fields.items()}
                found[number] = {
                    name: typed(value, types[name]) if name in types else value for name, value in values.items()
                }
    return found


def written(http: Http, kind: Kind, fields: Mapping[str, Described], write: Write) -> Written:
    """Write one record. Raises RemoteError where nothing can be written at all."""
    custom, plain = {}, {}
    for name, value in write.values.items():
        one = fields.get(name)
        if one is None or not one.field.custom:
            plain[name] = value
        else:
            custom[one.code] = custom_to(value, one)
    if plain:
        raise not_custom("Pipedrive", plain)
    try:
        answer = http.ask(
            "PATCH", f"{kind.paths[0]}/{quote(write.id, safe='')}", json={"custom_fields": custom}, expect=REFUSED
        )
    except RemoteError as error:
        if error.trouble in ("trouble", "unreachable"):
            return Written(write.id, error.message, again=True)
        raise
    return _ended(write.id, answer)


def noted(http: Http, kind: Kind, note: Note) -> Written:
    """Add a task (an activity that is to be done) or a note, unless it was made before. Raises RemoteError."""
    if kind.task is None:
        return Written(note.id, f"Pipedrive puts no tasks on {kind.name}")
    mark = f"[leadlight:{note.key}]" if note.key else ""
    if mark and _made_before(http, kind, note, mark):
        return Written(note.id)
    words = "<br>".join(part for part in (_html(note.text), mark) if part)
    number = note.id if kind.task == "lead_id" else _number(note.id)
    if note.kind == "note":
        body: dict[str, Any] = {"content": f"<b>{_html(note.subject)}</b><br>{words}", kind.task: number}
        answer = http.ask("POST", "/api/v1/notes", json=body, expect=REFUSED, retry=False)
        return _ended(note.id, answer)
    body = {"subject": note.subject, "type": "task", "note": words, "done": False}
    if kind.task == "person_id":
        body["participants"] = [{"person_id": number, "primary": True}]
    else:
        body[kind.task] = number
    if note.due is not None:
        body |= {"due_date": f"{note.due:%Y-%m-%d}", "due_time": f"{note.due:%H:%M:%S}"}
    return _ended(note.id, http.ask("POST", "/api/v2/activities", json=body, expect=REFUSED, retry=False))


def _html(words: str) -> str:
    """Return words as a note shows them: a lead's name is whatever its owner typed into a form, and is no markup."""
    return escape(words, quote=False).replace("\n", "<br>")


def _made_before(http: Http, kind: Kind, note: Note, mark: str) -> bool:
    if kind.task is None:
        return False
    if note.kind == "note":
        path, key = "/api/v1/notes", "content"
        body = http.get(path, **{kind.task: note.id}, limit=TASKS_SEEN, sort="add_time DESC")
    else:
        path, key = "/api/v2/activities", "note"
        params = {kind.task: note.id, "limit": TASKS_SEEN, "sort_by": "add_time", "sort_direction": "desc"}
        body = http.get(path, **params)
    return any(mark in (text(one.get(key)) or "") for one in items(body, path))


def _ended(id: str, answer: Answer) -> Written:  # noqa: A002
    if answer.status // 100 == 2:
        return Written(id)
    if answer.status in GONE:
        return Written(id, "there is no such record any more", gone=True)
    return Written(id, words_of(answer) or f"refused with {answer.status}", again=answer.status in AGAIN)


def _number(id: str) -> int | str:  # noqa: A002
    return int(id) if id.isdecimal() else id
