"""Scores into custom fields of Zoho CRM, 100 records at once, each with its own answer; no workflow is set off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from leadlight.connect.http import Answer, Http
from leadlight.connect.protocol import Note, PushField, Readied, Value, Write, Written
from leadlight.connect.refusals import odd
from leadlight.connect.typed import text, typed
from leadlight.connect.unknown import FIELD
from leadlight.connect.zoho.describe import API, CHANGED, SYSTEM, Described, value_of
from leadlight.connect.zoho.read import by_ids
from leadlight.connect.zoho.way import body_of, code_of, refusal, words_of
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

FIELDS_AT_ONCE = 5
TEXT_MOST, LONG_TEXT = 255, 2000
DECIMALS = 4
TASKS_SEEN = 100
PARTLY = (400, 403, 412)
"""Statuses that may bring an answer for each record all the same."""
AGAIN = frozenset({"RECORD_LOCKED", "ALREADY_MODIFIED", "INTERNAL_ERROR", "DEPENDENT_SERVICE_ERROR", "NOT_APPROVED"})
FITS = {
    Type.NUMBER: frozenset({"double", "decimal"}),
    Type.TEXT: frozenset({"text", "textarea"}),
    Type.TIME: frozenset({"datetime"}),
    Type.BOOL: frozenset({"boolean"}),
}
BY_HAND = "make it in Zoho: Setup, Customization, Modules and Fields"


def slug(name: str) -> str:
    """Return a name in the spelling that all of a field's names share.

    >>> slug("Leadlight score") == slug("leadlight_score") == slug("Leadlight_Score")
    True
    """
    return "_".join(name.replace("_", " ").lower().split())


def find(fields: Mapping[str, Described], *names: str) -> Described | None:
    """Return a field by its API name or label, in any spelling."""
    for name in names:
        if name in fields:
            return fields[name]
    wanted = {slug(name) for name in names}
    return next((one for key, one in fields.items() if slug(key) in wanted or slug(one.field.label) in wanted), None)


def made(field: PushField) -> dict[str, Any]:
    """Return a field as Zoho makes it."""
    told: dict[str, Any] = {"field_label": field.label or field.name}
    if field.description:
        told["tooltip"] = {"name": "static_text", "value": field.description[:TEXT_MOST]}
    if field.type is Type.NUMBER:
        return {**told, "data_type": "double", "length": 16, "decimal_place": DECIMALS}
    if field.type is Type.TIME:
        return {**told, "data_type": "datetime"}
    if field.type is Type.BOOL:
        return {**told, "data_type": "boolean"}
    if (field.length or 0) > TEXT_MOST:
        return {**told, "data_type": "textarea", "length": LONG_TEXT, "textarea": {"type": "small"}}
    return {**told, "data_type": "text", "length": field.length or TEXT_MOST}


def make_fields(http: Http, module: str, wanted: Sequence[PushField]) -> dict[str, str]:
    """Make fields; return what has to be done by hand, by field. Raises RemoteError."""
    todo: dict[str, str] = {}
    for first in range(0, len(wanted), FIELDS_AT_ONCE):
        some = wanted[first : first + FIELDS_AT_ONCE]
        body = {"fields": [made(field) for field in some]}
        answer = http.ask(
            "POST", f"{API}/settings/fields", params={"module": module}, json=body, expect=(400, 401, 403), retry=False
        )
        listed = body_of(answer).get("fields")
        if not isinstance(listed, list) or len(listed) != len(some):
            why = refusal(answer)
            reason = f"{why.message}. {why.fix}" if why else f"refused with {answer.status}: {words_of(answer)}"
            todo |= {field.name: f"{reason} Or {BY_HAND}." for field in some}
            continue
        for field, one in zip(some, listed, strict=True):
            if not isinstance(one, dict) or one.get("status") != "success":
                said = text(one.get("message")) if isinstance(one, dict) else None
                todo[field.name] = f"Zoho says: {said or 'no'}; {BY_HAND}, with the label {field.label!r}."
    return todo


def readied(module: str, fields: Mapping[str, Described], wanted: PushField) -> Readied | None:
    """Return a field that is there, or is of the wrong kind; None where it has to be made."""
    found = find(fields, wanted.name, wanted.label)
    if found is None:
        return None
    if found.form not in FITS[wanted.type] or not found.field.writable:
        what = f"is of the type {found.form!r}" if found.form not in FITS[wanted.type] else "is read-only"
        todo = (
            f"{found.field.name} of Zoho's {module} {what}, so it does not take a {wanted.type}: name another field "
            "under `push.fields`, or change this one (Setup, Customization, Modules and Fields)."
        )
        return Readied(wanted.name, "missing", todo)
    return Readied(found.field.name, "there")


def looked(http: Http, module: str, ids: Sequence[str], fields: Mapping[str, Described]) -> dict[str, dict[str, Value]]:
    """Return what fields hold now; a lead that was converted can be changed no more. Raises RemoteError."""
    names = list(dict.fromkeys(one.field.name for one in fields.values())) or [CHANGED]  # it wants one at least
    found: dict[str, dict[str, Value]] = {}
    for record in by_ids(http, module, ids, names, converted=False):
        number = text(record.get("id"))
        if number is not None:
            found[number] = {name: value_of(record, one) for name, one in fields.items()}
    return found


def written(http: Http, module: str, fields: Mapping[str, Described], batch: Sequence[Write]) -> list[Written]:
    """Write records. Raises RemoteError where nothing could be written at all."""
    data = [
        {"id": one.id, **{fields[name].field.name: _told(value, fields[name]) for name, value in one.values.items()}}
        for one in batch
    ]
    body = {"data": data, "trigger": []}  # no workflow, no blueprint, no approval: it is no person's edit
    answer = http.ask("PUT", f"{API}/{module}", json=body, expect=PARTLY)
    return [_ended(write.id, one) for write, one in zip(batch, _answers(answer, len(batch)), strict=True)]


def noted(http: Http, module: str, notes: Sequence[Note]) -> list[Written]:
    """Add tasks or notes, those left out that were made before. Raises RemoteError."""
    answers: dict[int, Written] = {}
    for kind, into in (("task", "Tasks"), ("note", "Notes")):
        some = [(place, one) for place, one in enumerate(notes) if one.kind == kind]
        fresh = [(place, one) for place, one in some if not (one.key and _made_before(http, module, one, into))]
        answers |= {place: Written(one.id) for place, one in some}
        if fresh:
            body = {"data": [_note(module, one) for _, one in fresh], "trigger": []}
            answer = http.ask("POST", f"{API}/{into}", json=body, expect=PARTLY, retry=False)
            told = _answers(answer, len(fresh))
            answers |= {place: _ended(one.id, got) for (place, one), got in zip(fresh, told, strict=True)}
    return [answers[place] for place in range(len(notes))]


def _note(module: str, note: Note) -> dict[str, Any]:
    words = "\n".join(part for part in (note.text, _mark(note)) if part)
    if note.kind == "note":
        parent = {"module": {"api_name": module}, "id": note.id}
        return {"Note_Title": note.subject[:120], "Note_Content": words, "Parent_Id": parent}
    task: dict[str, Any] = {"Subject": note.subject[:TEXT_MOST], "Description": words, "Status": "Not Started"}
    if note.due is not None:
        task["Due_Date"] = f"{note.due:%Y-%m-%d}"
    if module == "Contacts":
        return {**task, "Who_Id": {"id": note.id}}
    return {**task, "What_Id": {"id": note.id}, "$se_module": module}


def _made_before(http: Http, module: str, note: Note, into: str) -> bool:
    field = "Description" if into == "Tasks" else "Note_Content"
    params = {"fields": field, "per_page": TASKS_SEEN, "sort_by": "Created_Time", "sort_order": "desc"}
    answer = http.ask("GET", f"{API}/{module}/{quote(note.id, safe='')}/{into}", params=params, expect=(304, 400, 404))
    listed = body_of(answer).get("data")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return any(_mark(note) in (text(one.get(field)) or "") for one in found)


def _mark(note: Note) -> str:
    return f"[leadlight:{note.key}]" if note.key else ""


def _answers(answer: Answer, count: int) -> list[Mapping[str, Any]]:
    """Return what became of each record. Raises RemoteError where the answer is for all of them at once."""
    data = body_of(answer).get("data")
    if isinstance(data, list) and len(data) == count and all(isinstance(one, dict) for one in data):
        return data
    if answer.status // 100 != 2:
        message = f"refuses the batch ({code_of(answer)}: {words_of(answer)})"
        usual = RemoteError(SYSTEM, "invalid", message, fix=FIELD)
        raise refusal(answer) or usual
    raise odd(SYSTEM, f"an update of {count} records is not answered for each of them")


def _ended(id: str, told: Mapping[str, Any]) -> Written:  # noqa: A002
    code = text(told.get("code")) or ""
    if told.get("status") == "success" or code == "SUCCESS":
        return Written(id)
    details = told.get("details")
    field = text(details.get("api_name")) if isinstance(details, dict) else None
    if code == "INVALID_DATA" and field in ("id", "What_Id", "Who_Id", "Parent_Id"):
        return Written(id, "there is no such record any more", gone=True)
    words = f"{code}: {text(told.get('message')) or 'refused'}" + (f" ({field})" if field else "")
    return Written(id, words, again=code in AGAIN)


def _told(value: Value, one: Described) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if one.form == "date" else f"{value:%Y-%m-%dT%H:%M:%S}+00:00"
    return typed(value, one.field.type)
