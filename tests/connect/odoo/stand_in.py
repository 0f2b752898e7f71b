"""A stand-in for Odoo's external API, JSON-RPC and JSON-2, written from Odoo's published reference.

Methods of models by name (search_read, fields_get, load, write, create, activity_schedule, message_post), archived and
deleted records, tracked fields in the chatter, merges that take the messages along, exceptions as Odoo names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connect.stand_in import Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.odoo.values import TYPES, plain, stamp
from leadlight.connect.protocol import Value
from leadlight.connect.typed import typed
from leadlight.expr.types import Type

LEAD, PARTNER, MESSAGE, TRACE, STAGE = "crm.lead", "res.partner", "mail.message", "mailing.trace", "crm.stage"
MIXED = {
    "stage_id": "many2one", "user_id": "many2one", "partner_id": "many2one", "country_id": "many2one",
    "mail_activity_type_id": "many2one", "mass_mailing_id": "many2one", "res_id": "many2one_reference",
    "message_type": "selection", "priority": "selection", "source_id": "many2one", "medium_id": "many2one",
    "campaign_id": "many2one", "team_id": "many2one", "lost_reason_id": "many2one",
    "tag_ids": "many2many", "lang_id": "many2one",
    "industry_id": "many2one", "category_id": "many2many",
}  # fmt: skip
FORMS = {"text": "char", "number": "float", "bool": "boolean", "time": "datetime"}
RELATIONS = {"stage_id": STAGE, "user_id": "res.users", "partner_id": PARTNER, "country_id": "res.country"}
TRACKED = {LEAD: {"email_from", "stage_id", "user_id", "expected_revenue", "active"}}
READ_ONLY = {"create_date", "write_date", "id"}
COMMON = {"create_date": "time", "write_date": "time"}
WON = 4
COLUMNS = {"char": "char", "float": "float", "boolean": "integer", "datetime": "datetime"}


class RefusedError(Exception):
    """An exception of Odoo's."""

    def __init__(self, name: str, message: str, status: int) -> None:
        super().__init__(message)
        self.name, self.status = name, status


class StandIn(Base):
    """An instance of Odoo."""

    system = "odoo"
    people = Kind(LEAD, text="function", number="expected_revenue", history="email_from")
    accounts = Kind(PARTNER, text="name")
    events = Kind(MESSAGE, text="subject", writes=False, more={"model": LEAD, "res_id": "1", "message_type": "email"})
    secrets = {"key": "odoo-api-key-1"}
    lacks = {
        "convert": "a lead and the opportunity it becomes are one record",
        "expire": "a key that ran out cannot be renewed",
        "elsewhere": "pages are found by ids, not by links",
        "webhook": "what it sends on changes is not signed",
    }
    words = {"sign_in": "API Keys", "scope": "Administration", "disabled": "Custom plan"}
    login: str | None = "ann@example.com"

    def schema(self) -> Schema:
        return {
            LEAD: {
                "name": "text", "contact_name": "text", "function": "text", "email_from": "text",
                "expected_revenue": "number", "probability": "number", "stage_id": "text", "user_id": "text",
                "partner_id": "text", "country_id": "text", "date_closed": "time", "active": "bool",
                "lost_reason_id": "text",
                "is_automated_probability": "bool", "phone": "text", "partner_name": "text", "source_id": "text",
                "medium_id": "text", "campaign_id": "text", "team_id": "text", "tag_ids": "text", "city": "text",
                "lang_id": "text", "priority": "text", **COMMON,
            },
            PARTNER: {
                "name": "text", "email": "text", "active": "bool", "is_company": "bool", "country_id": "text",
                "website": "text", "industry_id": "text", "category_id": "text", "city": "text", **COMMON,
            },
            MESSAGE: {
                "subject": "text", "model": "text", "res_id": "text", "message_type": "text", "date": "time",
                "message_id": "text", "mail_activity_type_id": "text", "body": "text", **COMMON,
            },
            TRACE: {
                "model": "text", "res_id": "text", "sent_datetime": "time", "open_datetime": "time",
                "reply_datetime": "time", "links_click_datetime": "time", "mass_mailing_id": "text", **COMMON,
            },
            "res.country": {"code": "text", "name": "text", **COMMON},
        }  # fmt: skip

    def reset(self) -> None:
        super().reset()
        self.administrator = True

    def settings(self) -> dict[str, Any]:
        return {"url": self.url, "database": "house", "login": self.login}

    def custom_name(self, name: str) -> str:
        return f"x_{name}"

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002
        for key, kind in self.fields[name].items():
            if kind == "number" and values.get(key) is None:
                values[key] = 0.0
        if values.get("create_date") is None:
            values["create_date"] = at
            for key in ("active", "is_automated_probability"):
                if key in self.fields[name] and values.get(key) is None:
                    values[key] = True
        values["write_date"] = self.clock.now() if id in self.records[name] else at

    # ------------------------------------------------------------------------------------------------ both ways

    def authorised(self, _: Call) -> Reply | None:
        if self.per_day is not None and self.today[1] > self.per_day:
            return Reply({"message": "too many requests"}, 429)
        if self.disabled:
            return Reply(b"<h1>Not Found</h1>", 404, {"Content-Type": "text/html"})
        return None

    def let_in(self, key: str) -> bool:
        """Whether a key is let in."""
        return key == self.secrets["key"] and not self.revoked

    @route("POST", "/jsonrpc")
    def json_rpc(self, call: Call) -> Reply:
        asked = call.json()["params"]
        arguments = asked["args"]
        if asked["service"] == "common":
            known = arguments[1] == self.login and self.let_in(arguments[2])
            return self._answered(2 if known else False)
        try:
            if not self.let_in(arguments[2]):
                raise RefusedError("odoo.exceptions.AccessDenied", "Access Denied", 403)
            model, method, placed, named = arguments[3:]
            return self._answered(self.called(model, method, placed, named))
        except RefusedError as error:
            data = {"name": error.name, "message": str(error), "debug": "Traceback …"}
            return Reply(
                {"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": data}}
            )

    def _answered(self, result: Any) -> Reply:
        return Reply({"jsonrpc": "2.0", "id": 1, "result": result})

    @route("POST", "/json/2/{model}/{method}")
    def json_2(self, call: Call) -> Reply:
        try:
            if not self.let_in(call.headers.get("authorization", "").removeprefix("Bearer ")):
                raise RefusedError("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401)
            assert call.headers.get("x-odoo-database") == "house"
            named = call.json()
            placed = [named.pop("ids")] if "ids" in named else []
            return Reply(self.called(call.path["model"], call.path["method"], placed, named))
        except RefusedError as error:
            return Reply({"name": error.name, "message": str(error), "arguments": [str(error)]}, error.status)

    def called(self, model: str, method: str, placed: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Call a method of a model."""
        if self.scope_missing:
            raise RefusedError("odoo.exceptions.AccessError", "You are not allowed to access 'Lead' records", 403)
        named = dict(named)
        named.pop("context", None)
        if method == "search_read":
            return self.search_read(model, **named)
        if method == "fields_get":
            return self.fields_get(model)
        if method == "load":
            fields, rows = placed or (named["fields"], named["data"])
            return self.load(model, fields, rows)
        if method == "write":
            ids, values = placed if len(placed) > 1 else (placed[0], named["vals"])
            return self.write(model, ids, values)
        if method == "create":
            (values,) = placed[0] if placed else named["vals_list"]
            return self.created_field(values)
        if method in ("activity_schedule", "message_post"):
            return self.noted(model, placed[0][0], **named)
        raise RefusedError("builtins.AttributeError", f"type object '{model}' has no attribute '{method}'", 404)

    # -------------------------------------------------------------------------------------------------- reading

    def search_read(
        self,
        model: str,
        domain: Sequence[Any] = (),
        fields: Sequence[str] = (),
        limit: int | None = None,
        order: str = "id",
    ) -> list[dict[str, Any]]:
        """Return what is found."""
        rows = [row for row in self._rows(model) if all(_holds(row, one) for one in domain)]
        name, _, way = order.partition(" ")
        rows.sort(key=lambda row: (_sortable(row.get(name)), row["id"]), reverse=way == "desc")
        if limit is not None:
            rows = rows[: self.saw_page(limit) if [*fields] not in (["id"], ["write_date"]) else limit]
        for field in fields:
            known = {"id", *(self.fields[model] if model in self.fields else rows[0] if rows else [field])}
            if field not in known and model in self.fields and not (model == MESSAGE and field == "tracking_value_ids"):
                raise RefusedError("builtins.ValueError", f"Invalid field '{field}' on model '{model}'", 500)
        return [{"id": row["id"], **{field: row.get(field, False) for field in fields}} for row in rows]

    def _rows(self, model: str) -> list[dict[str, Any]]:
        if model.startswith("ir.") and not self.administrator:
            raise RefusedError("odoo.exceptions.AccessError", "You are not allowed to access 'Models'", 403)
        if model == "ir.model":
            return [
                {"id": number, "model": one, "name": one}
                for number, one in enumerate([*self.fields, "mail.tracking.value"], 1)
            ]
        if model == "ir.model.fields":
            return self._fields()
        if model == "mail.tracking.value":
            if not self.administrator:
                raise RefusedError("odoo.exceptions.AccessError", "You are not allowed to access 'Tracking'", 403)
            return [row for row, _ in self._tracked()]
        if model == STAGE:
            return [{"id": number, "is_won": number == WON} for number in range(1, WON + 1)]
        if model == "mail.activity":
            return [one for one in self.notes if one["activity"]]
        if model not in self.records:
            raise RefusedError("builtins.KeyError", f"'{model}'", 404)
        found = [self.wire(one) for one in self.alive(model).values()]
        return [*found, *self._chatter()] if model == MESSAGE else found

    def _fields(self) -> list[dict[str, Any]]:
        names = [(model, field) for model, fields in self.fields.items() for field in fields]
        return [
            {"id": number, "model": model, "name": field, "tracking": 1 if field in TRACKED.get(model, ()) else False}
            for number, (model, field) in enumerate(names, 1)
        ]

    def _chatter(self) -> list[dict[str, Any]]:
        """Return the messages that Odoo itself writes: of tracked fields, and of leads that were merged away."""
        found = [message for _, message in self._tracked()]
        for number, one in enumerate(self.records[LEAD].values()):
            if one.into is not None:
                origin = f"<1.2-openerp-{one.id}-crm.lead@house>"
                told = {"res_id": int(one.into), "message_id": origin, "date": stamp(one.modified)}
                found.append({"id": 90_000 + number, "model": LEAD, "tracking_value_ids": [], **told})
        posted = [one for one in self.notes if not one["activity"]]
        return [*found, *({**one, "model": LEAD} for one in posted)]

    def _tracked(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return values of tracked fields, each with its message."""
        numbers = {(row["model"], row["name"]): row["id"] for row in self._fields()}
        found = []
        for one in self.records[LEAD].values():
            for change in one.history:
                if change.field not in TRACKED[LEAD] or one.gone:
                    continue
                number, kind = 50_000 + len(found), form(change.field, self.fields[LEAD][change.field])
                origin = f"<1.2-openerp-{one.id}-crm.lead@house>"
                message = {
                    "id": number, "model": LEAD, "res_id": int(one.id), "date": stamp(change.at),
                    "message_id": origin, "tracking_value_ids": [number],
                }  # fmt: skip
                row: dict[str, Any] = {"id": number, "mail_message_id": [number, ""]}
                row["field_id"] = [numbers[LEAD, change.field], change.field]
                for when, value in (("old", change.old), ("new", change.new)):
                    if kind == "many2one":
                        row[f"{when}_value_integer"] = int(str(value or 0))
                        row[f"{when}_value_char"] = f"Name {value}" if value else False
                    else:
                        row[f"{when}_value_{COLUMNS[kind]}"] = told(value, kind)
                found.append((row, message))
        return found

    def wire(self, record: Record) -> dict[str, Any]:
        """Return a record as Odoo tells of it."""
        fields = self.fields[record.object]
        values = {name: told(record.values.get(name), form(name, kind)) for name, kind in fields.items()}
        return {"id": int(record.id), **values}

    def fields_get(self, model: str) -> dict[str, Any]:
        """Return the fields of a model."""
        if model == "mail.tracking.value":
            names = [
                f"{when}_value_{one}"
                for when in ("old", "new")
                for one in ("char", "integer", "float", "datetime", "text")
            ]
            return {name: {"type": "char"} for name in ("field_id", "mail_message_id", *names)}
        if model not in self.fields:
            raise RefusedError("builtins.KeyError", f"'{model}'", 404)
        return {
            name: {
                "type": form(name, kind),
                "string": name.title(),
                "readonly": name in READ_ONLY,
                "relation": RELATIONS.get(name),
            }
            for name, kind in {"id": "number", **self.fields[model]}.items()
        }

    # -------------------------------------------------------------------------------------------------- writing

    def load(self, model: str, fields: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
        """Import rows: all of them, or none."""
        self.saw_batch(len(rows))
        for number, row in enumerate(rows):
            if row[0] not in self.alive(model) or (model, row[0]) in self.refused:
                message = {"type": "error", "record": number, "message": "No matching record found"}
                return {"ids": False, "messages": [message]}
        for row in rows:
            values = dict(zip(fields[1:], row[1:], strict=True))
            self.edit(model, row[0], **{key: self._typed(model, key, value) for key, value in values.items()})
        return {"ids": [int(row[0]) for row in rows], "messages": []}

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
        """Write the same values to records."""
        self.saw_batch(len(ids))
        for number in map(str, ids):
            self._may(model, number)
            self.edit(model, number, **{key: self._typed(model, key, value) for key, value in values.items()})
        return True

    def _typed(self, model: str, field: str, value: Any) -> Value:
        kind = self.fields[model][field]
        if value is False or value == "":
            return 0.0 if kind == "number" else False if kind == "bool" else None
        return typed(value, Type(kind))

    def _may(self, model: str, number: str) -> None:
        if number not in self.alive(model):
            raise RefusedError("odoo.exceptions.MissingError", "Record does not exist or has been deleted.", 404)
        why = self.refused.get((model, number))
        if why == "locked":
            raise RefusedError("psycopg2.errors.LockNotAvailable", "could not obtain lock on row", 500)
        if why is not None:
            raise RefusedError("odoo.exceptions.ValidationError", why, 422)

    def created_field(self, values: Mapping[str, Any]) -> list[int]:
        """Make a field, as an administrator may."""
        if not self.administrator:
            raise RefusedError("odoo.exceptions.AccessError", "You are not allowed to create 'Fields'", 403)
        assert values["name"].startswith("x_")
        assert values["state"] == "manual"
        model = [*self.fields][values["model_id"] - 1]
        self.fields[model][values["name"]] = TYPES[values["ttype"]].value
        return [len(self._fields())]

    def noted(self, model: str, number: int, **named: Any) -> Any:
        """Add an activity or a message to a record."""
        self._may(model, str(number))
        text = named.get("note") or named["body"]
        subject = named.get("summary") or text.partition("\n")[0]
        key = text.partition("leadlight:")[2].partition("]")[0]
        made: dict[str, Any] = {"record": str(number), "subject": subject, "text": text, "key": key, **named}
        made |= {"id": 70_000 + len(self.notes), "res_model": model, "res_id": number, "activity": "note" in named}
        self.notes.append(made)
        return [made["id"]]


def form(field: str, kind: str) -> str:
    """Return Odoo's type of a field."""
    return "integer" if field == "id" else MIXED.get(field, FORMS[kind])


def told(value: Value, kind: str) -> Any:
    """Return a value as it stands in Odoo's JSON."""
    if kind == "float":
        return value or 0.0
    if kind == "many2many":
        return [int(one) for one in str(value or "").split(";") if one]
    if value is None:
        return False
    if kind == "many2one":
        return [int(str(value)), f"Name {value}"]
    if kind == "many2one_reference":
        return int(str(value))
    return stamp(value) if isinstance(value, datetime) else value


def _sortable(value: Any) -> Any:
    return value if isinstance(value, str | int) and not isinstance(value, bool) else str(value)


def _holds(row: Mapping[str, Any], leaf: Sequence[Any]) -> bool:
    name, operator, value = leaf
    held = row.get(name, False)
    if isinstance(held, list) and len(held) == 2 and isinstance(held[1], str):
        held = held[0]
    match operator:
        case "in":
            return held in value
        case "=":
            return bool(held == value)
        case "!=":
            return bool(held != value)
        case ">":
            return bool(held > value)
        case ">=":
            return bool(plain(held, "datetime") >= plain(value, "datetime"))  # type: ignore[operator]
    return str(value).lower() in str(held).lower()
