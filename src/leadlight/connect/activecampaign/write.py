"""Scores into custom fields of ActiveCampaign's contacts, one request a contact.

Its bulk import would take 250 at once, but goes by e-mail and later: it makes contacts anew that were deleted, and does
not say how each one ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from leadlight.connect.activecampaign.describe import CONTACTS, PAGE, Described, Kind, beside, items, slug
from leadlight.connect.activecampaign.read import by_contact
from leadlight.connect.activecampaign.values import custom_to, values_of
from leadlight.connect.activecampaign.way import Asker
from leadlight.connect.http import Answer
from leadlight.connect.protocol import Note, PushField, Readied, Value, Write, Written
from leadlight.connect.refusals import said
from leadlight.connect.typed import text
from leadlight.connect.unknown import not_custom
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

ALL_LISTS = 0
TEXT_MOST = 255
REFUSED = (400, 404, 409, 422, 423)
GONE, AGAIN = (404,), (409, 423)
FORMS = {Type.NUMBER: "number", Type.TIME: "datetime", Type.TEXT: "text", Type.BOOL: "text"}
FITS = {
    Type.NUMBER: frozenset({"number"}),
    Type.TIME: frozenset({"datetime"}),
    Type.TEXT: frozenset({"text", "textarea", "hidden"}),
    Type.BOOL: frozenset({"text", "hidden"}),
}
OWNERS = {"contacts": "Subscriber", "deals": "Deal", "accounts": "CustomerAccount"}


def find(fields: Mapping[str, Described], *names: str) -> Described | None:
    """Return a field by our name for it, or its title in any spelling."""
    for name in names:
        if name in fields:
            return fields[name]
    wanted = {slug(name) for name in names}
    return next((one for one in fields.values() if one.number is not None and slug(one.field.label) in wanted), None)


def readied(asker: Asker, kind: Kind, fields: Mapping[str, Described], wanted: PushField, *, dry: bool) -> Readied:
    """See that a field is there, and make it unless `dry`. Raises RemoteError."""
    if kind is not CONTACTS:
        return Readied(wanted.name, "missing", f"Scores go to contacts of ActiveCampaign, not to its {kind.name}.")
    found = find(fields, wanted.name, wanted.label)
    if found is not None:
        if found.number is None or found.form not in FITS[wanted.type]:
            todo = (
                f"{found.field.label!r} of ActiveCampaign is of the type {found.form or 'built-in'!r}, which does not "
                f"hold a {wanted.type}: name another field under `push.fields`, or delete this one (Contacts, Fields)."
            )
            return Readied(wanted.name, "missing", todo)
        return Readied(found.field.name, "there")
    name = slug(wanted.name)
    if not dry:
        _make(asker, wanted, name)
    return Readied(name, "made")


def looked(asker: Asker, ids: Sequence[str], fields: Mapping[str, Described]) -> dict[str, dict[str, Value]]:
    """Return what fields of contacts hold now. Raises RemoteError."""
    found: dict[str, dict[str, Value]] = {}
    for first in range(0, len(ids), PAGE):
        some = list(ids[first : first + PAGE])
        body = asker.get("contacts", {"ids[]": some, "include": "fieldValues", "limit": PAGE}).json()
        records = items(body, "contacts")
        custom = by_contact(beside(body, "fieldValues"), "field", "value")
        for record in records:
            number = text(record.get("id"))
            if number is not None and text(record.get("deleted")) != "1":
                found[number] = values_of(record, fields, custom.get(number, {}))
    return found


def written(asker: Asker, fields: Mapping[str, Described], write: Write) -> Written:
    """Write one contact. Raises RemoteError where nothing can be written at all."""
    values = []
    for name, value in write.values.items():
        number = fields[name].number
        if number is None:
            raise not_custom("ActiveCampaign", [name])
        values.append({"field": number, "value": custom_to(value)})
    body = {"contact": {"fieldValues": values}}
    try:
        return _ended(write.id, asker.ask("PUT", f"contacts/{quote(write.id, safe='')}", json=body, expect=REFUSED))
    except RemoteError as error:
        if error.trouble in ("trouble", "unreachable"):
            return Written(write.id, error.message, again=True)
        raise


def noted(asker: Asker, kind: Kind, note: Note) -> Written:
    """Add a note, unless it was made before: contacts of ActiveCampaign have no tasks without a deal."""
    if kind.name not in OWNERS:
        return Written(note.id, f"ActiveCampaign puts no notes on {kind.name}")
    mark = f"[leadlight:{note.key}]" if note.key else ""
    if mark:
        answer = asker.get(
            f"{kind.name}/{quote(note.id, safe='')}/notes", {"limit": PAGE, "orders[cdate]": "DESC"}, expect=GONE
        )
        if answer.status in GONE:
            return _ended(note.id, answer)
        if any(mark in (text(one.get("note")) or "") for one in items(answer.json(), "notes")):
            return Written(note.id)
    due = f"Due {note.due:%Y-%m-%d}" if note.due is not None else ""
    words = "\n".join(part for part in (note.subject, note.text, due, mark) if part)
    body = {"note": {"note": words, "relid": int(note.id) if note.id.isdecimal() else note.id}}
    body["note"]["reltype"] = OWNERS[kind.name]
    return _ended(note.id, asker.ask("POST", "notes", json=body, expect=REFUSED, retry=False))


def _make(asker: Asker, wanted: PushField, name: str) -> None:
    """Make a field, and let all lists have it: one of no list is not to be seen."""
    form = "textarea" if wanted.type is Type.TEXT and (wanted.length or 0) > TEXT_MOST else FORMS[wanted.type]
    told = {"title": wanted.label or wanted.name, "type": form, "descript": wanted.description, "perstag": name.upper()}
    made = asker.ask("POST", "fields", json={"field": {**told, "visible": 1}}, retry=False).json()
    field = made.get("field") if isinstance(made, dict) else None
    number = text(field.get("id")) if isinstance(field, dict) else None
    if number is not None:
        asker.ask("POST", "fieldRels", json={"fieldRel": {"field": number, "relid": ALL_LISTS}}, retry=False)


def _ended(id: str, answer: Answer) -> Written:  # noqa: A002
    if answer.status // 100 == 2:
        return Written(id)
    if answer.status in GONE:
        return Written(id, "there is no such record any more", gone=True)
    return Written(id, said(answer) or f"refused with {answer.status}", again=answer.status in AGAIN)
