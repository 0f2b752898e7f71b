"""Writing to a Mautic: custom fields that are made where they are not there, edits of many contacts, and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.mautic.api import listed, records, when
from leadlight.connect.mautic.describe import COMPANIES, CONTACTS, custom
from leadlight.connect.mautic.rows import company_values, contact_values
from leadlight.connect.protocol import Field, Note, PushField, Readied, Value, Write, Written
from leadlight.connect.typed import text
from leadlight.connect.unknown import not_taken
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

ALIAS_MOST = 25
TEXT_MOST = 191
"""Characters that a field of one line can have; longer ones are text areas."""
NOT_FOUND, CONFLICT, SERVER_ERROR = 404, 409, 500
KINDS = {Type.NUMBER: "number", Type.BOOL: "boolean", Type.TIME: "datetime"}
WHERE = {CONTACTS: "contact", COMPANIES: "company"}


def alias_of(name: str) -> str:
    """Return a field's name as Mautic takes it.

    >>> alias_of("Leadlight Score!")
    'leadlight_score'
    """
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:ALIAS_MOST]


def ready(http: Http, name: str, fields: Sequence[PushField], *, dry: bool) -> list[Readied]:
    """See that fields are there, and make those that are not. Raises RemoteError."""
    kind = _kind(name)
    there = {field.name for field in custom(http, kind)}
    return [
        Readied(alias_of(field.name), "there") if alias_of(field.name) in there else _make(http, kind, field, dry=dry)
        for field in fields
    ]


def _make(http: Http, kind: str, field: PushField, *, dry: bool) -> Readied:
    alias = alias_of(field.name)
    shape = "textarea" if (field.length or 0) > TEXT_MOST else "text"
    wanted: dict[str, Any] = {
        "label": field.label,
        "alias": alias,
        "type": KINDS.get(field.type, shape),
        "group": "core",
        "object": "lead" if kind == "contact" else "company",
        "isPubliclyUpdatable": False,
    }
    if field.type is Type.NUMBER:
        wanted["properties"] = {"roundmode": 4, "scale": 4}  # or Mautic rounds what it is sent
    if field.type is Type.TEXT and field.length:
        wanted["charLengthLimit"] = min(field.length, TEXT_MOST)
    todo = (
        f"In Mautic, Settings > Custom Fields > New: a field of {kind}s, alias `{alias}`, type {wanted['type']}; "
        "or give the user's role lead:fields:full."
    )
    if dry:
        return Readied(alias, "made")
    try:
        http.ask("POST", f"/api/fields/{kind}/new", json=wanted, retry=False)
    except RemoteError as error:
        if error.trouble in ("scope", "invalid"):
            return Readied(alias, "missing", f"{error.message}. {todo}")
        raise
    return Readied(alias, "made")


def look(
    http: Http, name: str, ids: Sequence[str], fields: Sequence[str], known: Mapping[str, Field]
) -> dict[str, dict[str, Value]]:
    """Return what fields of some records hold now; `known` are the fields by their name."""
    _kind(name)
    if not ids:
        return {}
    body = listed(http, f"/api/{name}", [("id", "in", ",".join(ids))], orderBy="id", limit=len(ids))
    wanted = [known.get(field) or Field(field, Type.TEXT) for field in fields]
    shape = company_values if name == COMPANIES else _contact
    return {str(record["id"]): shape(record, wanted) for record in records(body, name) if "id" in record}


def _contact(record: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Value]:
    return contact_values(record, fields, {})


def write(http: Http, name: str, batch: Sequence[Write]) -> list[Written]:
    """Write some records in one request; others' values are left alone. Raises RemoteError."""
    _kind(name)
    if not batch:
        return []
    edits = [
        {"overwriteWithBlank": True, **{key: _sent(value) for key, value in one.values.items()}, "id": _number(one.id)}
        for one in batch
    ]
    body = http.ask("PATCH", f"/api/{name}/batch/edit", json=edits).json()
    errors = dict(_errors(body))
    return [_written(one.id, errors.get(at)) for at, one in enumerate(batch)]


def _errors(body: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield what went wrong, by the record's place in the batch."""
    told = body.get("errors") if isinstance(body, dict) else None
    pairs = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for at, error in pairs:
        if isinstance(error, dict) and str(at).isdecimal():
            yield int(at), error


def _written(id: str, error: Mapping[str, Any] | None) -> Written:  # noqa: A002
    if error is None:
        return Written(id)
    code = error.get("code")
    code = code if isinstance(code, int) else 0
    if code == NOT_FOUND:
        return Written(id, "Mautic has no such record any more", gone=True)
    again = code == CONFLICT or code >= SERVER_ERROR
    return Written(id, _words(error), again=again)


def _words(error: Mapping[str, Any]) -> str:
    details = error.get("details")
    fields = ", ".join(sorted(map(str, details))) if isinstance(details, dict) and details else ""
    message = text(error.get("message")) or "refused"
    hint = f" (look at these fields' settings in Mautic, Settings > Custom Fields: {fields})" if fields else ""
    return f"Mautic: {message[:300]}{hint}"


def note(http: Http, name: str, notes: Sequence[Note]) -> list[Written]:
    """Add notes to contacts: Mautic has no tasks. One that is there already (by its key) is not added again."""
    if name != CONTACTS:
        raise not_taken(f"Mautic takes notes on contacts only, not on {name}", [CONTACTS])
    return [_noted(http, one) for one in notes]


def _noted(http: Http, one: Note) -> Written:
    try:
        if one.key and _has(http, one):
            return Written(one.id)
        lines = [one.subject, one.text, *([f"Due {when(one.due)} UTC"] if one.due else []), _mark(one)]
        sent = {"lead": _number(one.id), "type": "general", "text": "\n".join(filter(None, lines))}
        http.ask("POST", "/api/notes/new", json=sent, retry=False)
    except RemoteError as error:
        if error.trouble == "absent":
            return Written(one.id, "Mautic has no such contact any more", gone=True)
        if error.trouble not in ("invalid", "trouble"):
            raise
        return Written(one.id, error.message, again=error.trouble == "trouble")
    return Written(one.id)


def _has(http: Http, one: Note) -> bool:
    body = http.ask("GET", f"/api/contacts/{_number(one.id)}/notes", params={"search": _mark(one), "limit": 1}).json()
    return any(_mark(one) in str(found.get("text")) for found in records(body, "notes"))


def _mark(one: Note) -> str:
    return f"[leadlight {one.key}]" if one.key else ""


def _kind(name: str) -> str:
    if name not in WHERE:
        raise not_taken(f"Mautic takes scores on contacts and companies, not on {name}", sorted(WHERE))
    return WHERE[name]


def _number(id: str) -> int:  # noqa: A002
    return int(id) if id.isdecimal() else 0


def _sent(value: Value) -> Any:
    if value is None:
        return ""
    return when(value) if isinstance(value, datetime) else value
