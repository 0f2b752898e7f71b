"""Writing to Marketo: custom fields that are made where they are not there, and updates by id; nobody is created."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.marketo.api import ABOUT, call, failure, iso, results
from leadlight.connect.marketo.changes import leads
from leadlight.connect.marketo.describe import LEADS
from leadlight.connect.protocol import Field, Note, PushField, Readied, Value, Write, Written
from leadlight.connect.refusals import odd
from leadlight.connect.typed import text, typed
from leadlight.connect.unknown import not_taken
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

STRING_MOST = 255
KINDS = {Type.NUMBER: "float", Type.BOOL: "boolean", Type.TIME: "datetime"}
NOT_FOUND = "1004"
LATER = frozenset({"713", "1016", "1019", "1022"})
"""Codes of a record that may go well another time: it, or what it hangs on, is in use."""
NO_NOTES = (
    "Marketo keeps no tasks on people, but a smart campaign can make one in the CRM: write its id as `task_campaign` "
    "(its trigger: Campaign is Requested, source Web Service API)"
)
SUBJECT, TEXT = "{{my.leadlight subject}}", "{{my.leadlight text}}"
"""The tokens of the campaign's program that a task's words are put into."""


def name_of(name: str) -> str:
    """Return a field's name as Marketo takes it: letters, digits and underscores, a letter first.

    >>> name_of("leadlight_score"), name_of("1st score")
    ('leadlight_score', 'f_1st_score')
    """
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", name)
    return clean if clean[:1].isalpha() else f"f_{clean}"


def ready(http: Http, fields: Sequence[PushField], there: Mapping[str, Field], *, dry: bool) -> list[Readied]:
    """See that fields are there, and make those that are not, in one request. Raises RemoteError."""
    absent = [field for field in fields if name_of(field.name) not in there]
    made = {} if dry or not absent else _make(http, absent)
    found: list[Readied] = []
    for field in fields:
        name = name_of(field.name)
        if field not in absent:
            found.append(Readied(name, "there"))
        elif (why := made.get(name)) is None:
            found.append(Readied(name, "made"))
        else:
            found.append(Readied(name, "missing", f"{why}. {_todo(name, field)}"))
    return found


def _make(http: Http, fields: Sequence[PushField]) -> dict[str, str | None]:
    """Make fields; return what became of each: None, or why it was not made."""
    wanted = [
        {
            "displayName": re.sub(r"[^\w ]+", " ", field.label),
            "name": name_of(field.name),
            "description": field.description[:STRING_MOST],
            "dataType": _kind(field),
        }
        for field in fields
    ]
    try:
        told = results(call(http, "POST", "/rest/v1/leads/schema/fields.json", json={"input": wanted}, once=True))
    except RemoteError as error:
        if error.trouble in ("scope", "invalid", "disabled"):
            return {name_of(field.name): error.message for field in fields}
        raise
    made: dict[str, str | None] = {name_of(field.name): "Marketo says nothing of it" for field in fields}
    for one in told:
        reason = _reason(one)
        made[str(one.get("name"))] = (
            None if one.get("status") == "created" else reason[1] if reason else "it was skipped"
        )
    return made


def _kind(field: PushField) -> str:
    long = field.type is Type.TEXT and (field.length or 0) > STRING_MOST
    return "text" if long else KINDS.get(field.type, "string")


def _todo(name: str, field: PushField) -> str:
    return (
        f"In Marketo, Admin > Field Management > New Custom Field: type {_kind(field)}, API name {name}; "
        "or give the API user's role Read-Write Schema Custom Field."
    )


def look(
    http: Http, ids: Sequence[str], fields: Sequence[str], known: Mapping[str, Field]
) -> dict[str, dict[str, Value]]:
    """Return what fields of some people hold now."""
    wanted = [known.get(name) or Field(name, Type.TEXT) for name in fields]
    return {
        id_: {field.name: typed(record.get(field.name), field.type) for field in wanted}
        for page in leads(http, ids, list(fields))
        for record in page
        if (id_ := text(record.get("id"))) is not None
    }


def write(http: Http, batch: Sequence[Write]) -> list[Written]:
    """Update people by id, in one request. Raises RemoteError."""
    known = [one for one in batch if one.id.isdecimal()]
    answers: dict[str, Written] = {}
    if known:
        rows = [{"id": int(one.id), **{name: _sent(value) for name, value in one.values.items()}} for one in known]
        body = call(
            http, "POST", "/rest/v1/leads.json", json={"action": "updateOnly", "lookupField": "id", "input": rows}
        )
        told = results(body)
        if len(told) != len(known):
            raise odd(ABOUT.title, f"{len(told)} answers to {len(known)} updates")
        answers = {one.id: _written(one.id, answer) for one, answer in zip(known, told, strict=True)}
    return [answers.get(one.id) or Written(one.id, "this is no id of Marketo's", gone=True) for one in batch]


def _written(id_: str, told: Mapping[str, Any]) -> Written:
    if told.get("status") in ("updated", "created"):
        return Written(id_)
    reason = _reason(told)
    if reason is None:
        return Written(id_, "Marketo skipped it and does not say why", again=True)
    code, message = reason
    if code == NOT_FOUND:
        return Written(id_, "Marketo has no such person any more", gone=True)
    error = failure(code, message)
    return Written(id_, f"{error.message}. {error.fix}", again=code in LATER)


def _reason(told: Mapping[str, Any]) -> tuple[str, str] | None:
    reasons = told.get("reasons")
    first = next((one for one in reasons if isinstance(one, dict)), None) if isinstance(reasons, list) else None
    return None if first is None else (str(first.get("code")), str(first.get("message") or "")[:300])


def note(http: Http, campaign: int | None, notes: Sequence[Note]) -> list[Written]:
    """Request the smart campaign that makes tasks, for each; without one, say so. Raises RemoteError."""
    if campaign is None:
        return [Written(one.id, NO_NOTES) for one in notes]
    return [_requested(http, campaign, one) for one in notes]


def _requested(http: Http, campaign: int, one: Note) -> Written:
    if not one.id.isdecimal():
        return Written(one.id, "this is no id of Marketo's", gone=True)
    due = f" (due {one.due:%Y-%m-%d})" if one.due else ""
    tokens = [{"name": SUBJECT, "value": one.subject}, {"name": TEXT, "value": f"{one.text}{due}"}]
    asked = {"input": {"leads": [{"id": int(one.id)}], "tokens": tokens}}
    try:
        call(http, "POST", f"/rest/v1/campaigns/{campaign}/trigger.json", json=asked, once=True)
    except RemoteError as error:
        if f"error {NOT_FOUND}" in error.message:
            return Written(one.id, "Marketo has no such person any more", gone=True)
        if error.trouble not in ("invalid", "absent"):
            raise
        fix = (
            f"Look whether the campaign {campaign} is active, and its trigger Campaign is Requested (Web Service API)."
        )
        return Written(one.id, f"{error.message}. {fix}")
    return Written(one.id)


def only_leads(name: str) -> None:
    """Raise UsageError for any other object."""
    if name != LEADS:
        raise not_taken(f"Marketo takes scores on leads only, not on {name}", [LEADS])


def _sent(value: Value) -> Any:
    return iso(value) if isinstance(value, datetime) else value
