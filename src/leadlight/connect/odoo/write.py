"""Write to records of Odoo's: many in one call, by its import, and where that fails, each by itself.

Fields are made as one makes them by hand (`x_…`), where the key's user may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from leadlight.connect.odoo.describe import LEAD, Model, Models
from leadlight.connect.odoo.rpc import BUSY, OdooError, Rpc
from leadlight.connect.odoo.values import NUMBERS, SCALARS, TYPES, plain, told
from leadlight.connect.protocol import Note, PushField, Readied, Value, Write, Written
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

MANUAL = "x_"
KINDS = {Type.TEXT: "char", Type.NUMBER: "float", Type.BOOL: "boolean", Type.TIME: "datetime"}
QUIET = {"tracking_disable": True, "mail_notrack": True, "tz": "UTC"}
"""Scores are no news in the chatter."""
PERCENT, AUTOMATED = "probability", "is_automated_probability"
"""Odoo's own probability of a lead, from 0 to 100; and whether it is what Odoo itself computed."""
HUNDRED = 100.0
TODO_TYPE = "mail.mail_activity_data_todo"
STOPPING = ("sign_in", "disabled", "quota", "unreachable")
"""Troubles that are not of one record."""
ILL = 500
MISSING = "there is no such record any more"


class Writing:
    """Writes to one Odoo."""

    def __init__(self, rpc: Rpc, models: Models) -> None:
        self._rpc, self._models = rpc, models

    def ready(self, name: str, fields: Sequence[PushField], *, dry: bool) -> list[Readied]:
        """See that fields are there, and make those that are not."""
        model = self._models.model(name, anew=True)
        found = [self._readied(model, field, dry=dry) for field in fields]
        if any(one.was == "made" for one in found) and not dry:
            self._models.model(name, anew=True)
        return found

    def look(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Value]]:
        """Return what fields hold; Odoo has no empty number, so that zero is nothing."""
        numbers = [int(one) for one in ids if one.isdecimal()]
        if not numbers:
            return {}
        model = self._models.model(name)
        more = [AUTOMATED] if PERCENT in fields and model.type(AUTOMATED) else []
        found = self._rpc.search(name, [["id", "in", numbers]], [*fields, *more])
        return {str(one["id"]): {field: _held(model, field, one) for field in fields} for one in found}

    def write(self, name: str, batch: Sequence[Write]) -> list[Written]:
        """Write records; those with the same fields in one call, which is done wholly or not at all."""
        by_fields: dict[tuple[str, ...], list[Write]] = {}
        for one in batch:
            by_fields.setdefault(tuple(sorted(one.values)), []).append(one)
        ended: dict[str, Written] = {}
        for fields, writes in by_fields.items():
            if len(writes) > 1 and self._together(self._models.model(name), fields, writes):
                ended |= {one.id: Written(one.id) for one in writes}
            else:
                ended |= {one.id: self._alone(self._models.model(name), one) for one in writes}
        return [ended[one.id] for one in batch]

    def note(self, name: str, notes: Sequence[Note]) -> list[Written]:
        """Add activities (tasks) for the record's salesperson, or notes to its chatter."""
        if not notes:
            return []
        numbers = [int(one.id) for one in notes if one.id.isdecimal()]
        owner = ["user_id"] if self._models.model(name).type("user_id") else []
        there = {one["id"]: one for one in self._rpc.search(name, [["id", "in", numbers]], ["id", *owner])}
        sent = self._sent(name, numbers)
        return [self._noted(name, one, there, sent) for one in notes]

    # --------------------------------------------------------------------------------------------------- fields

    def _readied(self, model: Model, field: PushField, *, dry: bool) -> Readied:
        manual = field.name if field.name.startswith(MANUAL) else f"{MANUAL}{field.name}"
        name = field.name if model.type(field.name) else manual
        kind = model.type(name)
        if kind in SCALARS and TYPES[kind] is field.type:
            return Readied(name, "there")
        if kind:
            return Readied(name, "missing", f"{name} of {model.name} is of another type ({kind}): name another field")
        if dry:
            return Readied(name, "made")
        try:
            self._make(model.name, name, field)
        except RemoteError as error:
            if error.trouble != "scope":
                raise
            return Readied(name, "missing", _todo(model.name, name, field.type))
        return Readied(name, "made")

    def _make(self, model: str, name: str, field: PushField) -> None:
        (found,) = self._rpc.search("ir.model", [["model", "=", model]], ["id"])
        values = {
            "name": name,
            "model_id": found["id"],
            "field_description": field.label,
            "help": field.description,
            "ttype": KINDS[field.type],
            "state": "manual",
            "copied": False,
        }
        asked = {"vals_list": [values]}
        self._rpc.call("ir.model.fields", "create", asked, positional=["vals_list"], retry=False)

    # --------------------------------------------------------------------------------------------------- writes

    def _together(self, model: Model, fields: Sequence[str], writes: Sequence[Write]) -> bool:
        rows = [[one.id, *(_imported(model, field, one.values[field]) for field in fields)] for one in writes]
        asked = {"fields": [".id", *fields], "data": rows, "context": QUIET}
        try:
            answer = self._rpc.call(model.name, "load", asked, positional=["fields", "data"])
        except RemoteError as error:
            if error.trouble in STOPPING:
                raise
            return False
        done = answer.get("ids") if isinstance(answer, dict) else None
        return isinstance(done, list) and len(done) == len(writes)

    def _alone(self, model: Model, one: Write) -> Written:
        if not one.id.isdecimal():
            return Written(one.id, MISSING, gone=True)
        values = {field: told(_scaled(model, field, value), model.type(field)) for field, value in one.values.items()}
        asked = {"vals": values, "context": QUIET}
        number = [int(one.id)]
        return self._ended(one.id, lambda: self._rpc.call(model.name, "write", asked, ids=number, positional=["vals"]))

    def _ended(self, number: str, do: Callable[[], object]) -> Written:
        try:
            do()
        except RemoteError as error:
            if error.trouble in STOPPING:
                raise
            kind = error.kind if isinstance(error, OdooError) else ""
            if kind == "MissingError":
                return Written(number, MISSING, gone=True)
            said = error.message.removeprefix("Odoo: ")
            return Written(number, said, again=kind in BUSY or (error.status or 0) >= ILL)
        return Written(number)

    # ---------------------------------------------------------------------------------------------------- notes

    def _sent(self, name: str, numbers: Sequence[int]) -> set[tuple[int, str]]:
        """Return the keys that stand in activities and messages of records already."""
        told_of: set[tuple[int, str]] = set()
        for model, by, text in (("mail.activity", "res_model", "note"), ("mail.message", "model", "body")):
            domain = [[by, "=", name], ["res_id", "in", list(numbers)], [text, "ilike", "leadlight:"]]
            for row in self._rpc.search(model, domain, ["res_id", text]):
                _, _, rest = str(row.get(text)).partition("leadlight:")
                told_of.add((row.get("res_id") or 0, rest.partition("]")[0]))
        return told_of

    def _noted(
        self, name: str, one: Note, there: Mapping[int, Mapping[str, Any]], sent: set[tuple[int, str]]
    ) -> Written:
        number = int(one.id) if one.id.isdecimal() else 0
        if number not in there:
            return Written(one.id, MISSING, gone=True)
        if one.key and (number, escape(one.key)) in sent:
            return Written(one.id)
        key = f" [leadlight:{escape(one.key)}]" if one.key else ""
        if one.kind == "note":
            body = f"{one.subject}\n{one.text}{key}"
            asked = {"body": body, "context": QUIET}
            return self._ended(one.id, lambda: self._rpc.call(name, "message_post", asked, ids=[number], retry=False))
        due = one.due or self._rpc.http.clock.now()
        owner = there[number].get("user_id")
        activity = {
            "act_type_xmlid": TODO_TYPE,
            "summary": one.subject,
            "note": f"<p>{escape(one.text)}{key}</p>",
            "date_deadline": f"{due:%Y-%m-%d}",
            **({"user_id": owner[0]} if isinstance(owner, list) and owner else {}),
        }
        return self._ended(
            one.id, lambda: self._rpc.call(name, "activity_schedule", activity, ids=[number], retry=False)
        )


def _held(model: Model, field: str, one: Mapping[str, Any]) -> Value:
    value = plain(one.get(field), model.type(field))
    if model.name == LEAD and field == PERCENT:
        return None if one.get(AUTOMATED) or not isinstance(value, float) else value / HUNDRED
    return None if model.type(field) in NUMBERS and not value else value


def _scaled(model: Model, field: str, value: Value) -> Value:
    return value * HUNDRED if model.name == LEAD and field == PERCENT and isinstance(value, float) else value


def _imported(model: Model, field: str, value: Value) -> str:
    """Return a value as Odoo's import takes it: as text, in UTC."""
    found = told(_scaled(model, field, value), model.type(field))
    if isinstance(found, bool):
        return ("1" if found else "0") if model.type(field) == "boolean" else ""
    return str(found)


def _todo(model: str, name: str, kind: Type) -> str:
    return (
        f"Make it in Odoo: switch on the developer mode (Settings), then Settings > Technical > Fields > New: "
        f"{name}, model {model}, type {KINDS[kind]}. Or let the key's user have Administration > Settings once, and "
        f"push again."
    )
