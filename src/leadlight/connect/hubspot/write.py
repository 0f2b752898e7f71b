"""Scores back: fields made, looked at, written in batches; tasks and notes on records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leadlight.connect.hubspot import api
from leadlight.connect.hubspot.describe import Catalog
from leadlight.connect.hubspot.values import sent, typed
from leadlight.connect.protocol import Field, PushField, Readied, Value, Write, Written
from leadlight.connect.refusals import said
from leadlight.errors import RemoteError, shorten
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from leadlight.connect.http import Answer, Http

GROUP, GROUP_LABEL = "leadlight", "Leadlight"
BATCH = 100
MULTI_STATUS, INVALID = 207, 400
LINE = 255
"""Characters of a text that is shown on one line."""
SHOWN = 300
KINDS = {
    Type.NUMBER: ("number", "number"),
    Type.TEXT: ("string", "textarea"),
    Type.TIME: ("datetime", "date"),
    Type.BOOL: ("bool", "booleancheckbox"),
}
"""What makes a property of a type: HubSpot's `type` and `fieldType`."""
AGAIN = ("CONFLICT", "RATE_LIMITS", "LOCKED", "TIMEOUT", "INTERNAL_ERROR")
NEVER_SAID = "HubSpot did not say what became of it"


# ------------------------------------------------------------------------------------------------------------ fields


def ready(http: Http, catalog: Catalog, name: str, fields: Sequence[PushField], *, dry: bool) -> list[Readied]:
    """See that properties are there, and make those that are not."""
    there = {field.name: field for field in catalog.object(name).fields}
    found: list[Readied] = []
    grouped = False
    for field in fields:
        held = there.get(field.name)
        if held is not None:
            found.append(_fits(field, held))
        elif dry:
            found.append(Readied(field.name, "made"))
        else:
            found.append(_made(http, name, field, group=not grouped))
            grouped = True
    if grouped:
        catalog.forget(name)
    return found


def _fits(wanted: PushField, held: Field) -> Readied:
    if not held.writable:
        todo = f"{held.label or held.name} is read-only or calculated in HubSpot: name another property under `fields`."
        return Readied(wanted.name, "missing", todo)
    if held.type is not wanted.type and held.type is not Type.TEXT:
        todo = f"{api.PROPERTIES}: {wanted.name} holds {held.type}, and should hold {wanted.type}; name another one."
        return Readied(wanted.name, "missing", todo)
    return Readied(wanted.name, "there")


def _made(http: Http, name: str, field: PushField, *, group: bool) -> Readied:
    by_hand = f"{api.PROPERTIES}: create {field.label!r} with the internal name {field.name} ({field.type})"
    try:
        if group:
            _make_group(http, name)
        answer = http.ask("POST", api.properties(name), json=_property(field), expect=(api.CONFLICT,))
    except RemoteError as error:
        if error.trouble not in ("scope", "disabled", "invalid"):
            raise
        scope = f"crm.schemas.{name}.write" if name in ("contacts", "companies", "deals") else "to write its schema"
        return Readied(field.name, "missing", f"{by_hand}; or give the key the scope {scope}, and push again.")
    if answer.status == api.CONFLICT:
        return Readied(field.name, "missing", f"{api.PROPERTIES}, archived: restore {field.name}, it was there once.")
    return Readied(field.name, "made")


def _make_group(http: Http, name: str) -> None:
    body = {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1}
    http.ask("POST", api.properties(name, "groups"), json=body, expect=(api.CONFLICT,))


def _property(field: PushField) -> dict[str, Any]:
    kind, shown = KINDS[field.type]
    if field.type is Type.TEXT and field.length is not None and field.length <= LINE:
        shown = "text"
    options = []
    if field.type is Type.BOOL:
        labels = (("Yes", "true"), ("No", "false"))
        options = [
            {"label": label, "value": value, "displayOrder": place} for place, (label, value) in enumerate(labels)
        ]
    return {
        "name": field.name,
        "label": field.label,
        "description": field.description,
        "groupName": GROUP,
        "type": kind,
        "fieldType": shown,
        "formField": False,
        **({"options": options} if options else {}),
    }


# ------------------------------------------------------------------------------------------------------------ records


def look(
    http: Http, catalog: Catalog, name: str, ids: Sequence[str], fields: Sequence[str]
) -> dict[str, dict[str, Value]]:
    """Return what properties of records hold now; those that are gone are left out."""
    if not ids:
        return {}
    kinds = {field.name: field.type for field in catalog.object(name).fields}
    body = {"inputs": [{"id": one} for one in ids], "properties": list(fields), "propertiesWithHistory": []}
    found: dict[str, dict[str, Value]] = {}
    for one in api.results(http.post(api.objects(name, "batch", "read"), body)):
        held = one.get("properties")
        held = held if isinstance(held, dict) else {}
        found[api.id_of(one)] = {field: typed(held.get(field), kinds.get(field, Type.TEXT)) for field in fields}
    return {id_: values for id_, values in found.items() if id_ in set(ids)}


def write(http: Http, name: str, batch: Sequence[Write]) -> list[Written]:
    """Write records: one answer for each, in order. Raises RemoteError where nothing could be written."""
    inputs = [
        {"id": one.id, "properties": {field: sent(value) for field, value in one.values.items()}} for one in batch
    ]
    told = in_batch(http, api.objects(name, "batch", "update"), inputs, [one.id for one in batch])
    return [told[one.id] for one in batch]


def in_batch(
    http: Http, path: str, inputs: Sequence[Mapping[str, Any]], keys: Sequence[str], *, retry: bool = True
) -> dict[str, Written]:
    """Send a batch and return how each of its inputs ended, by its key.

    HubSpot refuses a whole batch where some inputs are not valid, without saying which: then it is halved until the
    invalid ones stand alone.
    """
    if not inputs:
        return {}
    answer = http.ask("POST", path, json={"inputs": list(inputs)}, expect=(INVALID,), retry=retry)
    if answer.status != INVALID:
        return _told(answer, keys)
    known = api.refusal(answer)
    if known is not None:
        raise known
    if len(inputs) == 1:
        return {keys[0]: Written(keys[0], f"HubSpot does not take it: {_said(answer)}")}
    half = len(inputs) // 2
    first = in_batch(http, path, inputs[:half], keys[:half], retry=retry)
    return first | in_batch(http, path, inputs[half:], keys[half:], retry=retry)


def _told(answer: Answer, keys: Sequence[str]) -> dict[str, Written]:
    body = answer.json()
    done = {str(one.get("objectWriteTraceId") or api.id_of(one)) for one in api.results(body)}
    failed: dict[str, Written] = {}
    for error in api.dicts(body.get("errors")) if isinstance(body, dict) else ():
        for key in _named(error):
            failed[key] = _failed(key, error)
    # The number of one that was merged away is taken for the one that lives on, and answered with that one's.
    others = len(done - set(keys))
    told: dict[str, Written] = {}
    for key in keys:
        if key in failed:
            told[key] = failed[key]
        elif key in done:
            told[key] = Written(key)
        elif others:
            others -= 1
            told[key] = Written(key)
        else:
            told[key] = Written(key, NEVER_SAID, again=True)
    return told


def _named(error: Mapping[str, Any]) -> list[str]:
    """Return the keys of the inputs that an error is about."""
    context = error.get("context")
    context = context if isinstance(context, dict) else {}
    found = [context.get(key) for key in ("ids", "id", "objectWriteTraceId")]
    flat = [one for part in found for one in (part if isinstance(part, list) else [part])]
    return [str(one) for one in (*flat, error.get("id")) if one is not None]


def _failed(key: str, error: Mapping[str, Any]) -> Written:
    category = str(error.get("category", ""))
    if category in ("OBJECT_NOT_FOUND", "NOT_FOUND"):
        return Written(key, "it is not in HubSpot any more", gone=True)
    message = shorten(str(error.get("message") or category or "no reason given"), SHOWN)
    return Written(key, f"HubSpot does not take it: {message}", again=any(word in category for word in AGAIN))


def _said(answer: Answer) -> str:
    return said(answer) or f"answer {answer.status}"
