"""A stand-in for Tryton 8.2's REST API, for tests that take no time; test_real.py asks the real one the same.

Methods of models by POST, PUT of one record; domains, tagged values, the state of records as of a moment, the log.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connect.stand_in import Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value
from leadlight.connect.tryton.values import plain, tagged
from leadlight.expr.types import Type

OPPORTUNITY, PARTY, ACTIVITY = "sale.opportunity", "party.party", "marketing.automation.record.activity"
MIXED = {
    "amount": "numeric", "conversion_probability": "float", "state": "selection", "party": "many2one",
    "replaced_by": "many2one", "create_date": "timestamp", "last_modified_at": "timestamp", "write_date": "timestamp",
    "end_date": "date", "activity": "many2one", "record": "many2one",
}  # fmt: skip
LINKS = ("address", "contact", "currency", "employee", "marketing_source", "marketing_medium", "marketing_campaign")
MIXED |= dict.fromkeys((*LINKS, "lang"), "many2one") | {"categories": "many2many", "addresses": "one2many"}
FORMS = {"text": "char", "number": "float", "bool": "boolean", "time": "datetime"}
READ_ONLY = {"state", "create_date", "last_modified_at", "write_date", "replaced_by"}
RECORD = "marketing.automation.record"
RELATIONS = {"party": PARTY, "replaced_by": PARTY, "record": RECORD}
HISTORY = {OPPORTUNITY}
PROBABILITY = 0.5
COMMON = {"create_date": "time", "write_date": "time", "last_modified_at": "time"}


class StandIn(Base):
    """A server of Tryton's with one database."""

    system = "tryton"
    people = Kind(OPPORTUNITY, text="description", number="amount", history="description")
    accounts = Kind(PARTY, text="name")
    events = Kind(ACTIVITY, text="activity_action", writes=False)
    secrets = {"key": "tryton-application-key-1"}
    lacks = {
        "merge": "opportunities are never merged; parties are, which test_tryton.py looks at",
        "convert": "a lead and the opportunity it becomes are one record",
        "expire": "an application's key does not run out",
        "disable": "there is no switch: an older Tryton has no REST API at all",
        "new_field": "it does not say which fields somebody's own modules have added",
        "elsewhere": "pages are found by time and id, not by links",
        "webhook": "it sends none",
    }
    words = {"sign_in": "Applications", "scope": "Access Permissions"}

    def schema(self) -> Schema:
        return {
            OPPORTUNITY: {
                "description": "text", "comment": "text", "amount": "number", "state": "text", "party": "text",
                "conversion_probability": "number", "end_date": "time", "lost_reason": "text",
                **dict.fromkeys(LINKS, "text"), **COMMON,
            },
            PARTY: {
                "name": "text", "email": "text", "phone": "text", "website": "text", "active": "bool",
                "replaced_by": "text", "categories": "text", "addresses": "text", "lang": "text", **COMMON,
            },
            RECORD: {"record": "text", **COMMON},
            ACTIVITY: {"activity_action": "text", "state": "text", "at": "time", "email_opened": "bool",
                       "email_clicked": "bool", "activity": "text", "record": "text", **COMMON},
        }  # fmt: skip

    def reset(self) -> None:
        super().reset()
        self.log: list[dict[str, Any]] = []
        self.administrator = True
        self.dies: dict[str, datetime] = {}

    def settings(self) -> dict[str, Any]:
        return {"url": self.url, "database": "lead"}

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        if values.get("create_date") is None:
            values["create_date"] = values["last_modified_at"] = at
            if name == OPPORTUNITY:
                values["state"] = values.get("state") or "lead"
                if values.get("conversion_probability") is None:
                    values["conversion_probability"] = PROBABILITY
            if name == PARTY:
                values["active"] = values.get("active") is not False
            return
        values["write_date"] = values["last_modified_at"] = self.clock.now()

    def edit(self, name: str, id: str, /, **values: Value) -> None:  # noqa: A002
        super().edit(name, id, **values)
        if "state" in values:
            self._logged(name, id, "transition", f"state:{values['state']}")

    def delete(self, name: str, id: str, /) -> None:  # noqa: A002
        super().delete(name, id)
        self._logged(name, id, "delete", None)

    def merge(self, name: str, loser: str, winner: str) -> str:
        """Replace a party, as the wizard does: it is archived, and names the one that replaces it."""
        super().edit(name, loser, active=False, replaced_by=winner)
        return winner

    def _logged(self, name: str, id: str, event: str, target: str | None) -> None:  # noqa: A002
        told = {"resource": f"{name},{id}", "event": event, "target": target, "create_date": self.clock.now()}
        self.log.append({"id": len(self.log) + 1, **told})

    # ----------------------------------------------------------------------------------------------- signing in

    def authorised(self, call: Call) -> Reply | None:
        if self.revoked or call.headers.get("authorization") != f"Bearer {self.secrets['key']}":
            return self.page(401, "Unauthorized")
        if self.scope_missing:
            return self.said('You are not allowed to access "Sale Opportunity".')
        if self.per_day is not None and self.today[1] > self.per_day:
            return self.page(429, "Too Many Requests")
        return None

    def page(self, status: int, words: str) -> Reply:
        """Return an error as the server gives it: a page."""
        body = f"<!doctype html>\n<title>{status}</title>\n<p>{words}</p>\n".encode()
        return Reply(body, status, {"Content-Type": "text/html; charset=utf-8"})

    def said(self, message: str) -> Reply:
        """Return an error that Tryton tells a user."""
        return Reply({"status": 400, "message": message, "description": ""}, 400)

    # -------------------------------------------------------------------------------------------------- reading

    @route("POST", "/lead/rest/model/{name}/search_read")
    def search_read(self, call: Call) -> Reply:
        name, asked = call.path["name"], call.json()
        if name == "ir.model":
            rows = [{"id": number, "name": one, "string": one} for number, one in enumerate(self.fields, 1)]
            return Reply([row for row in rows if _plain_holds(row, asked["domain"])])
        if name == "ir.model.log":
            return self._searched_log(asked["domain"])
        if name == "ir.note":
            rows = [
                {"id": number, "resource": note["resource"], "message": note["text"]}
                for number, note in enumerate(self.notes, 1)
            ]
            return Reply([row for row in rows if _plain_holds(row, asked["domain"])])
        if name not in self.fields:
            return self.page(500, f"&#39;{name}&#39;")
        fields = [one for one in asked["fields_names"] if one != "id"]
        for one in fields:
            if one.partition(".")[0] not in self.fields[name]:
                return self.page(500, f"&#39;{one}&#39;")
        domain = active(asked["domain"]) if "active" in self.fields[name] else asked["domain"]
        found = [one for one in self.alive(name).values() if self.holds(one, domain)]
        found = _ordered(found, asked.get("order") or [])
        if asked.get("limit") is not None:
            size = asked["limit"] if not fields else self.saw_page(asked["limit"])
            found = found[:size]
        as_of = self._as_of(call)
        return Reply([self.wire(one, fields, as_of) for one in found if as_of is None or one.created <= as_of])

    def _searched_log(self, domain: Sequence[Any]) -> Reply:
        if not self.administrator and not any(one[:2] == ["resource", "in"] for one in domain):
            return self.said('You are not allowed to search on the "ir.model.log" resource.')
        rows = [{**row, "create_date": tagged(row["create_date"], "datetime")} for row in self.log]
        return Reply([row for row in rows if _plain_holds(row, domain)])

    @route("POST", "/lead/rest/model/{name}/fields_get")
    def fields_get(self, call: Call) -> Reply:
        name = call.path["name"]
        if name not in self.fields:
            return self.page(500, f"&#39;{name}&#39;")
        told: dict[str, Any] = {
            field: {"type": form(field, kind), "string": field.title(), "readonly": field in READ_ONLY,
                    "loading": "eager", "searchable": True, "relation": RELATIONS.get(field)}
            for field, kind in self.fields[name].items()
        }  # fmt: skip
        return Reply({"id": {"type": "integer", "string": "ID", "readonly": True}, **told})

    @route("POST", "/lead/rest/model/ir.model/list_history")
    def list_history(self, _: Call) -> Reply:
        return Reply(sorted(HISTORY))

    @route("POST", "/lead/rest/model/{name}/default_get")
    def default_get(self, call: Call) -> Reply:
        asked = call.json()["fields_names"]
        return Reply({one: PROBABILITY for one in asked if one == "conversion_probability"})

    @route("POST", "/lead/rest/model/{name}/history_revisions")
    def history_revisions(self, call: Call) -> Reply:
        found = []
        for number in call.json()["ids"]:
            record = self.records[call.path["name"]].get(str(number))
            times = {record.created, *(one.at for one in record.history), record.modified} if record else set()
            found += [[tagged(time, "datetime"), number, None] for time in times]
        return Reply(sorted(found, key=repr, reverse=True))

    def _as_of(self, call: Call) -> datetime | None:
        told = call.headers.get("x-tryton-context")
        context = json.loads(base64.urlsafe_b64decode(told)) if told else {}
        found = plain(context.get("_datetime"), Type.TIME)
        return found if isinstance(found, datetime) else None

    def wire(self, record: Record, fields: Sequence[str], as_of: datetime | None) -> dict[str, Any]:
        """Return a record as Tryton tells of it, with the records that paths lead to inside it."""
        values = dict(record.values)
        for change in reversed(record.history if as_of is not None else []):
            if as_of is not None and change.at > as_of:
                values[change.field] = change.old
        row: dict[str, Any] = {"id": int(record.id)}
        for field in fields:
            head, _, rest = field.partition(".")
            if not rest:
                row[field] = told(values.get(field), form(field, self.fields[record.object][field]))
                continue
            inner = self._led(record, head, values)
            row.setdefault(f"{head}.", None)
            if inner is not None:
                shown = self.wire(inner, [rest] if rest in self.fields[inner.object] else [], None)
                row[f"{head}."] = {**(row[f"{head}."] or {}), **shown}
        return row

    def holds(self, record: Record, domain: Any) -> bool:
        """Whether a condition is true of a record."""
        if not domain:
            return True
        if domain[0] == "OR":
            return any(self.holds(record, one) for one in domain[1:])
        if not isinstance(domain[0], str):
            return all(self.holds(record, one) for one in domain)
        path, operator, value = domain
        return _compared(self._at(record, path), operator, value)

    def _led(self, record: Record, head: str, values: Mapping[str, Value] | None = None) -> Record | None:
        """Return the record that a field leads to."""
        target = RELATIONS.get(head, "")
        return self.records.get(target, {}).get(str((values or record.values).get(head)))

    def _at(self, record: Record, path: str) -> Value:
        head, _, rest = path.partition(".")
        if not rest:
            return float(record.id) if path == "id" else record.values.get(path)
        inner = self._led(record, head)
        return self._at(inner, rest) if inner is not None else None

    # -------------------------------------------------------------------------------------------------- writing

    @route("POST", "/lead/rest/model/{name}/import_data")
    def import_data(self, call: Call) -> Reply:
        name, asked = call.path["name"], call.json()
        self.saw_batch(len(asked["data"]))
        writes = [(str(row[0]), dict(zip(asked["fields_names"][1:], row[1:], strict=True))) for row in asked["data"]]
        for id, _ in writes:  # noqa: A001
            if id not in self.alive(name):
                return self.page(403, "You don&#39;t have the permission")
            if (name, id) in self.refused:
                return self.said(self.refused[name, id])
        for id, values in writes:  # noqa: A001
            self._written(name, id, values)
        return Reply(len(writes))

    @route("PUT", "/lead/rest/model/{name}/{id}")
    def update(self, call: Call) -> Reply:
        name, id = call.path["name"], call.path["id"]  # noqa: A001
        self.saw_batch(1)
        if id not in self.alive(name):
            return self.page(404, "Not Found")
        why = self.refused.get((name, id))
        if why is not None:
            return Reply({"message": "Locked"}, 423) if why == "locked" else self.said(why)
        self._written(name, id, call.json())
        return Reply({"__name__": name, "id": int(id), "rec_name": id})

    def _written(self, name: str, id: str, values: Mapping[str, Any]) -> None:  # noqa: A002
        self.edit(name, id, **{key: plain(value, Type(self.fields[name][key])) for key, value in values.items()})

    @route("POST", "/lead/rest/model/ir.note/create")
    def note(self, call: Call) -> Reply:
        made = []
        for asked in call.json()["vlist"]:
            name, _, id = asked["resource"].partition(",")  # noqa: A001
            if id not in self.alive(name):
                return self.said('A value is required for field "Resource" in record "(1)" of "Note".')
            if (name, id) in self.refused:
                return Reply({"message": "Locked"}, 423) if self.refused[name, id] == "locked" else self.said("no")
            subject, *rest = asked["message"].split("\n")
            key = rest[-1].strip("[]") if rest and rest[-1].startswith("[") else ""
            note = {"record": id, "subject": subject, "text": asked["message"], "key": key}
            self.notes.append({**note, "resource": asked["resource"]})
            made.append(len(self.notes))
        return Reply(made)


def active(domain: Any) -> Any:
    """Return a condition with what Tryton adds to each list in it that does not ask for `active` itself."""
    if domain and isinstance(domain[0], str) and domain[0] not in ("OR", "AND"):
        return domain
    parts = [active(one) if isinstance(one, list) else one for one in domain]
    if any(isinstance(one, list) and one[:1] == ["active"] for one in parts):
        return parts
    return [parts, ["active", "=", True]] if parts else [["active", "=", True]]


def form(field: str, kind: str) -> str:
    """Return Tryton's type of a field."""
    return MIXED.get(field, FORMS[kind])


def told(value: Value, kind: str) -> Any:
    """Return a value as it stands in Tryton's JSON."""
    if kind == "many2one" and value is not None:
        return value if "," in str(value) else int(str(value))  # a field may lead to records of any model
    if kind in ("many2many", "one2many"):
        return []
    if kind == "boolean" and value is not None:
        return int(bool(value))  # as on SQLite
    if kind == "selection":
        return value
    return tagged(value, kind)


def _ordered(found: Sequence[Record], order: Sequence[Sequence[str]]) -> list[Record]:
    if not order:
        return list(found)
    names = [name for name, _ in order if name != "id"]
    return sorted(found, key=lambda one: (*(one.values[name] for name in names), int(one.id)))


def _compared(held: Any, operator: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        value = plain(value, Type.TIME)
    if operator == "in":
        return held in value or (held is not None and str(held).removesuffix(".0") in map(str, value))
    if operator == "=":
        return bool(held == value)
    if operator == "like":
        return str(held).startswith(str(value).removesuffix("%"))
    if held is None:
        return False
    return bool(held > value) if operator == ">" else bool(held >= value)


def _plain_holds(row: Mapping[str, Any], domain: Sequence[Any]) -> bool:
    times = {name: plain(value, Type.TIME) if isinstance(value, Mapping) else value for name, value in row.items()}
    return all(_compared(times.get(name), operator, value) for name, operator, value in domain)
