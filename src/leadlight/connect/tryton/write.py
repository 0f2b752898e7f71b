"""Write to records of Tryton's: many in one call, and where that fails, each by itself to be told which and why.

Tryton's API adds no fields: those of `leadlight_fields`, a module for the server, or existing ones take the scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadlight.connect.protocol import Note, PushField, Readied, Value, Write, Written
from leadlight.connect.refusals import said
from leadlight.connect.tryton.describe import Model, Models
from leadlight.connect.tryton.read import every
from leadlight.connect.tryton.rest import ABSENT, FORBIDDEN, ILL, LOCKED, WARNED, Rest
from leadlight.connect.tryton.values import SCALARS, TYPES, plain, tagged
from leadlight.expr.types import Type

OK = 200
CONSTANTS = ("conversion_probability",)
"""Fields that Tryton itself fills with a constant, which is as good as nothing."""
KINDS = {Type.TEXT: "Text", Type.NUMBER: "Float", Type.BOOL: "Boolean", Type.TIME: "DateTime"}
NOTE_KEY = "[{key}]"
MISSING = "there is no such record any more"


class Writing:
    """Writes to one Tryton."""

    def __init__(self, rest: Rest, models: Models) -> None:
        self._rest, self._models = rest, models
        self._constants: dict[str, Mapping[str, Any]] = {}

    def ready(self, name: str, fields: Sequence[PushField], *, dry: bool) -> list[Readied]:  # noqa: ARG002
        """Say which fields are there; none can be made from outside."""
        model = self._models.model(name, anew=True)
        return [_readied(model, field) for field in fields]

    def look(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Value]]:
        """Return what fields hold; a constant that Tryton put there is nothing."""
        if not ids:
            return {}
        model = self._models.model(name)
        numbers = [int(one) for one in ids if one.isdecimal()]
        found = self._rest.search(name, every(model, [["id", "in", numbers]]), fields)
        usual = self._usual(model, fields)
        held = {}
        for one in found:
            values = {field: plain(one.get(field), TYPES.get(model.type(field), Type.TEXT)) for field in fields}
            held[str(one["id"])] = {
                field: None if value is not None and value == usual.get(field) else value
                for field, value in values.items()
            }
        return held

    def write(self, name: str, batch: Sequence[Write]) -> list[Written]:
        """Write records; those with the same fields in one call, which is done wholly or not at all."""
        if not batch:
            return []
        model = self._models.model(name)
        by_fields: dict[tuple[str, ...], list[Write]] = {}
        for one in batch:
            by_fields.setdefault(tuple(sorted(one.values)), []).append(one)
        ended: dict[str, Written] = {}
        for fields, writes in by_fields.items():
            ended |= {one.id: one for one in self._together(model, fields, writes)}
        return [ended[one.id] for one in batch]

    def note(self, name: str, notes: Sequence[Note]) -> list[Written]:
        """Put notes on records; Tryton knows no tasks, but shows that a note is unread."""
        if not notes:
            return []
        resources = [f"{name},{one.id}" for one in notes]
        found = self._rest.search("ir.note", [["resource", "in", resources]], ["resource", "message"])
        there = [(row.get("resource"), str(row.get("message"))) for row in found]
        ended = []
        for one, resource in zip(notes, resources, strict=True):
            sign = NOTE_KEY.format(key=one.key)
            if one.key and any(sign in message for where, message in there if where == resource):
                ended.append(Written(one.id))
                continue
            due = [] if one.due is None else [f"Due: {one.due:%Y-%m-%d %H:%M} UTC"]
            message = "\n".join([one.subject, *due, one.text, *([sign] if one.key else [])])
            told = [{"resource": resource, "message": message}]
            ended.append(self._ended(one.id, self._rest.change("ir.note", "create", retry=False, vlist=told)))
        if any(one.error and not one.gone for one in ended):
            left = self.look(name, [one.id for one in notes], ["id"])
            return [one if one.id in left else Written(one.id, MISSING, gone=True) for one in ended]
        return ended

    # ------------------------------------------------------------------------------------------------- one write

    def _together(self, model: Model, fields: Sequence[str], writes: Sequence[Write]) -> list[Written]:
        if len(writes) == 1:
            return [self._alone(model, writes[0])]
        rows = [
            [int(one.id), *(_imported(one.values[field], model.type(field)) for field in fields)]
            for one in writes
            if one.id.isdecimal()
        ]
        if len(rows) == len(writes):
            answer = self._rest.change(model.name, "import_data", fields_names=["id", *fields], data=rows)
            if answer.status == OK:
                return [Written(one.id) for one in writes]
        half = len(writes) // 2
        return [*self._together(model, fields, writes[:half]), *self._together(model, fields, writes[half:])]

    def _alone(self, model: Model, one: Write) -> Written:
        if not one.id.isdecimal():
            return Written(one.id, "Tryton numbers its records; this id is none of them", gone=True)
        values = {field: tagged(one.values[field], model.type(field)) for field in one.values}
        return self._ended(one.id, self._rest.put(model.name, one.id, values))

    def _ended(self, number: str, answer: Any) -> Written:
        if answer.status // 100 == 2:
            return Written(number)
        own = said(answer) or ""
        if answer.status == ABSENT:
            return Written(number, MISSING, gone=True)
        if answer.status == LOCKED:
            return Written(number, "another change of this record came first", again=True)
        if answer.status == WARNED:
            return Written(number, f"Tryton asks a person to confirm this: {own}".rstrip(": "))
        if answer.status == FORBIDDEN:
            return Written(number, "the key's user may not change this record")
        if answer.status == ILL:
            return Written(number, "Tryton failed at this record; its own log says why", again=True)
        return Written(number, own or "Tryton does not take these values")

    def _usual(self, model: Model, fields: Sequence[str]) -> Mapping[str, Any]:
        """Return what Tryton itself puts into fields where a person says nothing, of those that it fills so."""
        if not any(field in CONSTANTS for field in fields):
            return {}
        if model.name not in self._constants:
            names = [name for name in CONSTANTS if model.type(name)]
            told = self._rest.call(model.name, "default_get", fields_names=names, with_rec_name=False)
            self._constants[model.name] = told if isinstance(told, dict) else {}
        return self._constants[model.name]


def _readied(model: Model, field: PushField) -> Readied:
    kind = model.type(field.name)
    if kind in SCALARS and TYPES[kind] is field.type and not model.fields[field.name].get("readonly"):
        return Readied(field.name, "there")
    if kind:
        wrong = "is not to be written to" if TYPES.get(kind) is field.type else f"is of another type ({kind})"
        return Readied(field.name, "missing", f"{field.name} of {model.name} {wrong}: name another field under push")
    todo = (
        f"Tryton's API adds no fields. Install the module leadlight_fields on the server (docs/systems/tryton.md), "
        f"which gives {model.name} the field {field.name} ({KINDS[field.type]}), or name an existing field in "
        f"leadlight.yaml, such as push: {{fields: {{probability: conversion_probability}}}}."
    )
    return Readied(field.name, "missing", todo)


def _imported(value: Value, kind: str) -> Any:
    """Return a value as Tryton's import takes it, which reads true and false as words."""
    told = tagged(value, kind)
    return str(told).lower() if isinstance(told, bool) else told
