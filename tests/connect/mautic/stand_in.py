"""A Mautic in memory, written from its published reference and public source (REST API): no code of Mautic's."""

import base64
import hashlib
import hmac
import itertools
import operator
import re
from datetime import datetime
from typing import Any, ClassVar

import orjson

from connect.stand_in import Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

CONDITION = re.compile(r"where\[(\d+)\]\[(col|expr|val)\]")
COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "eq": operator.eq}
OBJECTS = ("contacts", "companies")
AUDITED = {"contacts": "lead", "companies": "company"}
WEBHOOK = "mautic-hook-secret-1"
SYSTEM = {
    "dateAdded": "time",
    "dateModified": "time",
    "dateIdentified": "time",
    "lastActive": "time",
    "points": "number",
    "owner": "string",
    "stage": "string",
    "tags": "string",
    "do_not_contact": "string",
    "utm_source": "string",
    "utm_medium": "string",
    "utm_campaign": "string",
    "company_id": "string",
}
KINDS = {"text": "text", "string": "text", "number": "number", "bool": "boolean", "time": "datetime"}
TYPES = {"text": "text", "textarea": "text", "number": "number", "boolean": "bool", "datetime": "time"}
EVENT = ("label", "url", "title", "referer", "email", "form", "asset", "campaign", "points", "channel", "reason")


class StandIn(Base):
    """Contacts, companies, activity, the audit log, custom fields, notes."""

    system = "mautic"
    people = Kind("contacts", text="position", number="attribution", history="position")
    accounts = Kind("companies", text="companyindustry", number="companynumber_of_employees")
    events = Kind("activity", text="title", writes=False, more={"contact": "1001", "type": "page.hit"})
    secrets: ClassVar = {"client_id": "mautic-client-1", "client_secret": "mautic-secret-1", "webhook_secret": WEBHOOK}
    lacks: ClassVar = {
        "convert": "its leads and contacts are one object",
        "elsewhere": "its lists hold no links",
        "quota": "it has none",
    }
    words: ClassVar = {"sign_in": "API Credentials", "scope": "Settings > Roles", "disabled": "API enabled? Yes"}

    def reset(self) -> None:
        super().reset()
        self.log: list[dict[str, Any]] = []
        self.php = False
        """Whether details of the audit log are written as PHP serializes them, and not as JSON."""
        self.admin = True
        self.schema_locked = False
        """Whether this user may not make fields."""
        self._given = itertools.count(1)

    def schema(self) -> Schema:
        contact = {"firstname": "string", "lastname": "string", "email": "string", "position": "string"}
        contact |= {"phone": "string", "company": "string", "city": "string", "country": "string", "website": "string"}
        company = {"companyname": "string", "companyindustry": "string", "companynumber_of_employees": "number"}
        company |= {"companyannual_revenue": "number", "companycountry": "string", "companywebsite": "string"}
        own = {"dateAdded": "time", "dateModified": "time", "owner": "string"}
        activity = dict.fromkeys(("contact", "type", *EVENT), "string") | {"timestamp": "time", "points": "number"}
        return {
            "contacts": {**SYSTEM, **contact, "attribution": "number", "newsletter": "bool"},
            "companies": {**own, **company},
            "activity": activity,
            "segments": {"contact": "text", "segment": "text", "at": "time"},
            "stage_changes": {"contact": "string", "stage": "string", "at": "time"},
        }

    # ------------------------------------------------------------------------------------------------ its life

    def new_id(self, name: str, number: int) -> str:
        return f"page.hit{number}" if name == "activity" else super().new_id(name, number)

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002
        if name == "activity":
            values["timestamp"] = values.get("timestamp") or at
        elif name in ("stage_changes", "segments"):
            values["at"] = values.get("at") or at
        elif id in self.records[name]:
            values["dateModified"] = at
        else:
            values["dateAdded"] = at
        if name == "contacts" and id not in self.records[name]:
            values["dateIdentified"] = values.get("dateIdentified") or at

    def edit(self, name: str, id: str, /, **values: Value) -> None:  # noqa: A002
        record = self.records[name][id]
        known = len(record.history)
        super().edit(name, id, **values)
        changed = {one.field: [_wire(one.old), _wire(one.new)] for one in record.history[known:]}
        if changed and name in AUDITED:
            self._audit(name, id, "update", {"fields": changed})

    def delete(self, name: str, id: str, /) -> None:  # noqa: A002
        super().delete(name, id)
        if name in AUDITED:
            self._audit(name, id, "delete", {"name": id})

    def merge(self, name: str, loser: str, winner: str) -> str:
        self._audit(name, loser, "merge", {"merged_into": int(winner)})
        return super().merge(name, loser, winner)

    def webhook(self, name: str, url: str) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        event = {"contacts": "lead_post_save_update", "companies": "company_post_save"}.get(name, "page_on_hit")
        body = orjson.dumps({f"mautic.{event}": [{"timestamp": "2026-03-02T09:00:00+00:00"}]})
        signed = base64.b64encode(hmac.new(WEBHOOK.encode(), body, hashlib.sha256).digest()).decode()
        return {"Webhook-Signature": signed}, body

    def _audit(self, name: str, id: str, action: str, details: dict[str, Any]) -> None:  # noqa: A002
        written = _php(details) if self.php else orjson.dumps(details).decode()
        entry = {"bundle": "lead", "object": AUDITED[name], "object_id": id, "action": action, "details": written}
        self.log.append({"id": len(self.log) + 1, "date_added": f"{self.clock.now():%Y-%m-%d %H:%M:%S}", **entry})

    # ------------------------------------------------------------------------------------------------- signing

    def authorised(self, call: Call) -> Reply | None:
        if self.disabled:
            return _refused(403, "API access has been disabled", "api_disabled")
        told = call.headers.get("authorization", "")
        basic = "Basic " + base64.b64encode(b"leadlight:mautic-password-1").decode()
        if self.revoked or (told != basic and told.removeprefix("Bearer ") not in self.tokens):
            return _refused(401, "The access token provided is invalid.", "invalid_grant")
        if self.scope_missing:
            return _refused(403, "You do not have access to the requested area/action.", None)
        return None

    @route("POST", "/oauth/v2/token", open=True)
    def token(self, call: Call) -> Reply:
        form = call.form()
        right = form.get("client_secret") == self.secrets["client_secret"]
        if self.revoked or not right or form.get("client_id") != self.secrets["client_id"]:
            return Reply({"error": "invalid_client", "error_description": "The client credentials are invalid"}, 400)
        token = f"mautic-token-{next(self._given)}"
        self.tokens.add(token)
        return Reply({"access_token": token, "expires_in": 3600, "token_type": "bearer", "scope": ""})

    # -------------------------------------------------------------------------------------------------- reading

    @route("GET", "/api/{object:str}")
    def listed(self, call: Call) -> Reply:
        name = call.path["object"]
        if name == "segments":
            return self._segments()
        if name not in OBJECTS:
            return _refused(404, "Item was not found.", None)
        by = call.params.get("orderBy", "id")
        if by not in ("id", "date_modified", "date_added"):
            return _refused(500, f"Unknown column '{by}' in 'order clause'", None)
        conditions = _conditions(call)
        after = max((int(one["val"]) for one in conditions if (one["col"], one["expr"]) == ("id", "gt")), default=0)
        found = [one for id_, one in self.alive(name).items() if int(id_) > after]
        if any(one["col"] != "id" or one["expr"] != "gt" for one in conditions):
            found = [one for one in found if _fits(_columns(one), conditions)]
        if by != "id":
            key = {"date_modified": "dateModified", "date_added": "dateAdded"}[by]
            down = call.params.get("orderByDir", "asc").lower() == "desc"
            found.sort(key=lambda one: str(one.values.get(key) or ""), reverse=down)
        start, size = int(call.params.get("start", 0)), self.saw_page(int(call.params.get("limit", 30)))
        shown = found[start : start + size]
        return Reply({"total": str(len(found)), name: {one.id: self._wire(one) for one in shown} or []})

    @route("GET", "/api/fields/{kind}")
    def fields_(self, call: Call) -> Reply:
        name = {"contact": "contacts", "company": "companies"}[call.path["kind"]]
        own = SYSTEM if name == "contacts" else ("dateAdded", "dateModified", "owner")
        made = [
            {
                "id": at,
                "label": alias.title(),
                "alias": alias,
                "type": KINDS[kind],
                "isPublished": True,
                "properties": [],
            }
            for at, (alias, kind) in enumerate(self.fields[name].items())
            if alias not in own
        ]
        start, size = int(call.params.get("start", 0)), int(call.params.get("limit", 30))
        return Reply({"total": len(made), "fields": made[start : start + size]})

    @route("GET", "/api/contacts/activity")
    def activity(self, call: Call) -> Reply:
        begin, end = call.params["filters[dateFrom]"], call.params["filters[dateTo]"]
        size, number = self.saw_page(int(call.params.get("limit", 25))), int(call.params.get("page", 1))
        found = [
            record
            for record in self.alive("activity").values()
            if begin <= f"{record.values['timestamp']:%Y-%m-%d %H:%M:%S}" <= end
        ]
        found.sort(key=lambda one: (one.values["timestamp"], one.order))
        shown = found[(number - 1) * size : number * size]
        pages = -(-len(found) // size)
        body = {"events": [_event(one) for one in shown], "total": len(found), "page": number, "maxPages": pages}
        return Reply({**body, "limit": size, "order": ["timestamp", "ASC"]})

    @route("GET", "/api/stats/{table}")
    def stats(self, call: Call) -> Reply:
        table = call.path["table"]
        if table == "audit_log" and not self.admin:
            return Reply({"availableTables": ["page_hits"], "tableColumns": {}})
        tables = {"audit_log": self._log_rows, "companies_leads": self._company_rows}
        tables |= {"lead_stages_change_log": self._stage_rows, "lead_lists_leads": self._segment_rows}
        rows = tables[table]()
        found = [row for row in rows if _fits(row, _conditions(call))]
        if call.params.get("order[0][dir]") == "desc":
            found.reverse()
        start, size = int(call.params.get("start", 0)), self.saw_page(int(call.params.get("limit", 100)))
        texts = [{key: str(value) for key, value in row.items()} for row in found[start : start + size]]
        return Reply({"total": len(found), "stats": texts})

    def _log_rows(self) -> list[dict[str, Any]]:
        return self.log

    def _company_rows(self) -> list[dict[str, Any]]:
        found = self.alive("contacts").values()
        return [
            {"lead_id": int(one.id), "company_id": one.values["company_id"], "is_primary": 1}
            for one in found
            if one.values.get("company_id")
        ]

    def _stage_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": int(one.id),
                "lead_id": one.values["contact"],
                "event_name": f"3: {one.values['stage']}",
                "date_added": f"{one.values['at']:%Y-%m-%d %H:%M:%S}",
            }
            for one in self.alive("stage_changes").values()
        ]

    def _segment_rows(self) -> list[dict[str, Any]]:
        found = sorted(self.alive("segments").values(), key=lambda one: str(one.values["at"]))
        return [
            {
                "lead_id": one.values["contact"],
                "leadlist_id": 4,
                "date_added": f"{one.values['at']:%Y-%m-%d %H:%M:%S}",
                "manually_removed": int(one.values["segment"] == "left"),
            }
            for one in found
        ]

    def _segments(self) -> Reply:
        return Reply({"total": 1, "lists": {"4": {"id": 4, "name": "Newsletter", "alias": "newsletter"}}})

    def _wire(self, record: Record) -> dict[str, Any]:
        values = record.values
        own = {name for name in SYSTEM if name in self.fields[record.object]}
        stored = {key: _wire(value) for key, value in values.items() if key not in own}
        first, _, last = str(values.get("owner") or "").partition(" ")
        utm = {"utmSource": "utm_source", "utmMedium": "utm_medium", "utmCampaign": "utm_campaign"}
        return {
            "id": int(record.id),
            "isPublished": True,
            **{key: _iso(values.get(key)) for key in ("dateAdded", "dateModified", "dateIdentified", "lastActive")},
            "owner": {"id": 1, "firstName": first, "lastName": last} if first else None,
            "points": values.get("points") or 0,
            "stage": {"id": 3, "name": values["stage"]} if values.get("stage") else None,
            "tags": [{"tag": tag} for tag in str(values.get("tags") or "").split(";") if tag],
            "utmtags": [{key: values.get(name) for key, name in utm.items()}],
            "doNotContact": [{"channel": one} for one in str(values.get("do_not_contact") or "").split(";") if one],
            "fields": {"core": {key: {"alias": key, "value": value} for key, value in stored.items()}, "all": stored},
        }

    # -------------------------------------------------------------------------------------------------- writing

    @route("POST", "/api/fields/{kind}/new")
    def new_field_(self, call: Call) -> Reply:
        name = {"contact": "contacts", "company": "companies"}[call.path["kind"]]
        if self.schema_locked:
            return _refused(403, "You do not have access to the requested area/action.", None)
        told = call.json()
        if told["type"] not in TYPES or not re.fullmatch(r"[a-z0-9_]{1,25}", told["alias"]):
            return _refused(400, "type: This value is not valid.", None)
        self.new_field(name, told["alias"], TYPES[told["type"]])
        return Reply({"field": {"id": 77, **told}}, 201)

    @route("PATCH", "/api/{object}/batch/edit")
    def batch(self, call: Call) -> Reply:
        name, edits = call.path["object"], call.json()
        self.saw_batch(len(edits))
        if len(edits) > 200:
            return _refused(400, "Batch API call limit exceeded", None)
        done: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for at, edit in enumerate(edits):
            id_ = str(edit.pop("id"))
            blank = edit.pop("overwriteWithBlank", False)
            why = self.refused.get((name, id_))
            if id_ not in self.alive(name):
                errors[str(at)] = {"code": 404, "message": "Item was not found.", "type": None}
            elif why is not None:
                code = 500 if why == "locked" else 400
                errors[str(at)] = {"code": code, "message": why, "details": {"position": [why]}, "type": None}
            else:
                known = {
                    key: value for key, value in edit.items() if key in self.fields[name] and (blank or value != "")
                }
                self.edit(name, id_, **{key: _held(value, self.fields[name][key]) for key, value in known.items()})
                done[str(at)] = self._wire(self.records[name][id_])
        return Reply({name: done or [], **({"errors": errors} if errors else {})})

    @route("GET", "/api/contacts/{id}/notes")
    def notes_of(self, call: Call) -> Reply:
        wanted = call.params.get("search", "")
        found = [one for one in self.notes if one["record"] == call.path["id"] and wanted in one["text"]]
        return Reply({"total": len(found), "notes": [{"id": 1, "text": one["text"]} for one in found]})

    @route("POST", "/api/notes/new")
    def new_note(self, call: Call) -> Reply:
        told = call.json()
        record = str(told["lead"])
        if record not in self.alive("contacts"):
            return _refused(404, "Item was not found.", None)
        why = self.refused.get(("contacts", record))
        if why is not None:
            return _refused(400, f"text: {why}", None)
        key = re.search(r"\[leadlight ([^\]]+)\]", told["text"])
        subject = told["text"].split("\n")[0]
        self.notes.append({"record": record, "text": told["text"], "subject": subject, "key": key[1] if key else ""})
        return Reply({"note": {"id": len(self.notes), **told}}, 201)


def _refused(status: int, message: str, kind: str | None) -> Reply:
    return Reply({"errors": [{"message": message, "code": status, "type": kind}]}, status)


def _conditions(call: Call) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, value in call.query:
        if match := CONDITION.fullmatch(key):
            found.setdefault(match[1], {})[match[2]] = value
    return list(found.values())


def _fits(row: dict[str, Any], conditions: list[dict[str, str]]) -> bool:
    for one in conditions:
        held, how, wanted = row.get(one["col"]), one["expr"], one.get("val", "")
        if how == "isNotNull":
            fits = held is not None
        elif how == "in":
            fits = f",{held}," in f",{wanted},"
        elif held is None:
            fits = False
        else:
            fits = COMPARE[how](held, type(held)(wanted))
        if not fits:
            return False
    return True


def _columns(record: Record) -> dict[str, Any]:
    times = ("dateAdded", "dateModified", "dateIdentified")
    at = {key: f"{value:%Y-%m-%d %H:%M:%S}" if (value := record.values.get(key)) else None for key in times}
    return {"id": int(record.id), **at}


def _event(record: Record) -> dict[str, Any]:
    held = record.values
    hit = {"url": held["url"], "urlTitle": held["title"], "referer": held["referer"]}
    kind = held["type"]
    if kind == "email.click":
        kind, hit = "page.hit", {**hit, "source": "email", "redirectId": "9", "sourceName": held["email"]}
    details = {
        "hit": hit,
        "stat": {"emailName": held["email"]},
        "form": {"id": 1, "name": held["form"]},
        "asset": {"title": held["asset"]},
        "log": {"campaignName": held["campaign"], "delta": held["points"]},
        "dnc": {"channel": held["channel"], "reason": held["reason"]},
    }
    label = {"label": held["label"], "href": "/s/pages/view/8"}
    event = {"event": kind, "eventId": record.id, "eventLabel": label, "timestamp": _iso(held["timestamp"])}
    return {**event, "contactId": held["contact"], "details": details}


def _iso(value: Value) -> str | None:
    return f"{value:%Y-%m-%dT%H:%M:%S}+00:00" if isinstance(value, datetime) else None


def _wire(value: Value) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return int(value)
    return repr(value) if isinstance(value, float) else value


def _held(value: Any, kind: str) -> Value:
    if value in ("", None):
        return None
    if kind == "number":
        return float(value)
    if kind == "bool":
        return bool(value)
    return datetime.strptime(value, "%Y-%m-%d %H:%M:%S") if kind == "time" else str(value)


def _php(value: Any) -> str:
    if value is None:
        return "N;"
    if isinstance(value, bool):
        return f"b:{int(value)};"
    if isinstance(value, int):
        return f"i:{value};"
    if isinstance(value, float):
        return f"d:{value!r};"
    if isinstance(value, str):
        return f's:{len(value.encode())}:"{value}";'
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return f"a:{len(value)}:{{{''.join(_php(key) + _php(one) for key, one in pairs)}}}"
