"""Tasks and notes on records, each once: its key stands at the end of its text."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leadlight.connect.hubspot import api
from leadlight.connect.hubspot.records import BATCH, linked
from leadlight.connect.hubspot.values import sent
from leadlight.connect.hubspot.write import in_batch
from leadlight.connect.protocol import Note, Written

if TYPE_CHECKING:
    from leadlight.connect.http import Http

BODY = {"task": "hs_task_body", "note": "hs_note_body"}
OBJECTS = {"task": "tasks", "note": "notes"}
LINKS = {
    "task": {"contacts": 204, "companies": 192, "deals": 216, "tickets": 230},
    "note": {"contacts": 202, "companies": 190, "deals": 214, "tickets": 228},
}
"""What HubSpot calls the link from a task or note to a record."""
LOOKED_AT = 1000
"""Tasks that are looked at for a key, at most."""


def note(http: Http, name: str, notes: Sequence[Note], now: datetime) -> list[Written]:
    """Add tasks and notes that are not there yet: one answer for each, in order."""
    told: dict[int, Written] = {}
    for kind in ("task", "note"):
        mine = [(place, one) for place, one in enumerate(notes) if one.kind == kind]
        if mine and name not in LINKS[kind]:
            told |= {place: Written(one.id, f"HubSpot puts no {kind}s on {name} for us") for place, one in mine}
        elif mine:
            told |= _added(http, name, kind, mine, now)
    return [told[place] for place in range(len(notes))]


def _added(http: Http, name: str, kind: str, mine: Sequence[tuple[int, Note]], now: datetime) -> dict[int, Written]:
    there = _there(http, name, kind, [one for _, one in mine])
    new = [(place, one) for place, one in mine if not (one.key and (one.id, one.key) in there)]
    inputs = [_input(name, kind, place, one, now) for place, one in new]
    path = api.objects(OBJECTS[kind], "batch", "create")
    told = in_batch(http, path, inputs, [str(place) for place, _ in new], retry=False)
    written = {place: told[str(place)] for place, _ in new}
    return {place: _of(one, written.get(place)) for place, one in mine}


def _of(one: Note, written: Written | None) -> Written:
    return Written(one.id) if written is None else Written(one.id, written.error, written.again, written.gone)


def _input(name: str, kind: str, place: int, one: Note, now: datetime) -> dict[str, Any]:
    text = f"<p>{html.escape(one.text)}</p>" + (f"<p><small>{_mark(one.key)}</small></p>" if one.key else "")
    if kind == "task":
        properties = {
            "hs_timestamp": sent(one.due or now),
            "hs_task_subject": one.subject,
            "hs_task_body": text,
            "hs_task_status": "NOT_STARTED",
            "hs_task_type": "TODO",
        }
    else:
        head = f"<p><strong>{html.escape(one.subject)}</strong></p>"
        properties = {"hs_timestamp": sent(now), "hs_note_body": head + text}
    link = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": LINKS[kind][name]}
    return {
        "properties": properties,
        "associations": [{"to": {"id": one.id}, "types": [link]}],
        "objectWriteTraceId": str(place),
    }


def _there(http: Http, name: str, kind: str, notes: Sequence[Note]) -> set[tuple[str, str]]:
    """Return which keys stand on which records already."""
    keys = {(one.id, one.key) for one in notes if one.key}
    if not keys:
        return set()
    links = linked(http, name, OBJECTS[kind], sorted({id_ for id_, _ in keys}))
    newest = sorted({one for targets in links.values() for one in targets}, key=_number, reverse=True)
    bodies = _bodies(http, kind, newest[:LOOKED_AT])
    return {
        (id_, key) for id_, key in keys if any(_mark(key) in bodies.get(target, "") for target in links.get(id_, ()))
    }


def _number(id_: str) -> int:
    return int(id_) if id_.isdecimal() else 0


def _bodies(http: Http, kind: str, ids: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(ids), BATCH):
        inputs = [{"id": one} for one in ids[start : start + BATCH]]
        asked = {"inputs": inputs, "properties": [BODY[kind]], "propertiesWithHistory": []}
        body = http.post(api.objects(OBJECTS[kind], "batch", "read"), asked)
        for one in api.results(body):
            held = one.get("properties")
            found[api.id_of(one)] = str(held.get(BODY[kind]) or "") if isinstance(held, dict) else ""
    return found


def _mark(key: str) -> str:
    return f"leadlight {html.escape(key)}"
