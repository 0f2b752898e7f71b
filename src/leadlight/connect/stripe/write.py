"""Scores back: into metadata, one record after the other, for Stripe has no batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

from leadlight.connect import typed as plain
from leadlight.connect.protocol import Note, PushField, Readied, Value, Write, Written
from leadlight.connect.refusals import said
from leadlight.connect.stripe import api
from leadlight.connect.stripe.describe import METADATA, NATIVE, WRITABLE
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from leadlight.connect.http import Http

KEY_MOST, VALUE_MOST = 40, 500
"""Characters of a key and of a value of metadata; there may be 50 of them."""
REFUSED = (400, 402, 404, 409)
CONFLICT = 409
NO_NOTES = "Stripe has neither tasks nor notes: take `tasks` out of `push`"


def ready(name: str, fields: Sequence[PushField]) -> list[Readied]:
    """Say that there is nothing to be made, where the names can be keys of metadata."""
    return [_readied(name, field.name) for field in fields]


def _readied(name: str, field: str) -> Readied:
    key = field.removeprefix(METADATA)
    if name not in WRITABLE:
        todo = f"Stripe's {name} take no scores: write `object: {WRITABLE[0]}` under `push`."
        return Readied(METADATA + key, "missing", todo)
    if not key or len(key) > KEY_MOST or "[" in key or "]" in key:
        todo = f"A key of metadata has 1 to {KEY_MOST} characters and no brackets: name another one under `fields`."
        return Readied(METADATA + key, "missing", todo)
    return Readied(METADATA + key, "there")


def look(
    http: Http, name: str, ids: Sequence[str], fields: Sequence[str], types: Mapping[str, Type]
) -> dict[str, dict[str, Value]]:
    """Return what metadata of records hold now; those that are gone are left out."""
    found: dict[str, dict[str, Value]] = {}
    for id_ in ids:
        answer = http.ask("GET", _path(name, id_), expect=(api.NOT_FOUND,))
        body = answer.json() if answer.status != api.NOT_FOUND else {"deleted": True}
        body = body if isinstance(body, dict) else {}
        if body.get("deleted") is not True:
            held = body.get("metadata")
            held = held if isinstance(held, dict) else {}
            found[id_] = {field: _held(field, body, held, types) for field in fields}
    return found


def _held(field: str, body: Mapping[str, object], metadata: Mapping[str, object], types: Mapping[str, Type]) -> Value:
    if field in NATIVE:
        return plain.text(body.get(field))
    return plain.typed(metadata.get(field.removeprefix(METADATA)) or None, types.get(field, Type.TEXT))


def write(http: Http, name: str, batch: Sequence[Write]) -> list[Written]:
    """Write records: one answer for each, in order. Raises RemoteError where nothing could be written."""
    told: list[Written] = []
    for one in batch:
        try:
            told.append(_written(http, name, one))
        except RemoteError as error:
            if error.trouble != "trouble" and not any(done.error is None for done in told):
                raise
            told.append(Written(one.id, error.message, again=True))
            if error.trouble != "trouble":  # the rest would end likewise
                rest = batch[len(told) :]
                return [*told, *(Written(left.id, error.message, again=True) for left in rest)]
    return told


def _written(http: Http, name: str, one: Write) -> Written:
    form = {_key(field): _sent(value) for field, value in one.values.items()}
    # The same key at each try of this request: Stripe does it once. Another one for each request, for else it would
    # answer within a day as it did when the same values were written before.
    headers = {"Idempotency-Key": str(uuid4())}
    answer = http.ask("POST", _path(name, one.id), form=form, headers=headers, expect=REFUSED)
    if answer.status not in REFUSED:
        return Written(one.id)
    if api.is_gone(answer):
        return Written(one.id, "it is not in Stripe any more", gone=True)
    words = f"Stripe does not take it: {said(answer) or f'answer {answer.status}'}"
    return Written(one.id, words, again=answer.status == CONFLICT)


def note(notes: Sequence[Note]) -> list[Written]:
    """Say of each that there is no place for it."""
    return [Written(one.id, NO_NOTES) for one in notes]


def _path(name: str, id_: str) -> str:
    return f"/v1/{name}/{quote(id_, safe='')}"


def _key(field: str) -> str:
    return field if field in NATIVE else f"metadata[{field.removeprefix(METADATA)}]"


def _sent(value: Value) -> str:
    """Return a value as metadata hold it; nothing takes the key away."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") + "Z"
    text = plain.text(value) or ""
    return text if len(text) <= VALUE_MOST else text[: VALUE_MOST - 1] + "…"
