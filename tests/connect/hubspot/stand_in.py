"""HubSpot on loopback, after its published reference (no specification of theirs was used): see `Record` for its state.

It speaks the dated version and, for HubSpot's own Python client, v3 and v4: their paths differ, their bodies do not.
"""

from __future__ import annotations

import base64
import hmac
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from connect.stand_in import RETRY_AFTER, Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

WHEN = {"contacts": ("createdate", "lastmodifieddate"), "companies": ("createdate", "hs_lastmodifieddate")}
WHEN |= {"deals": ("createdate", "hs_lastmodifieddate")}
ACTIVITY = ("hs_createdate", "hs_lastmodifieddate")
LINKED = {"contact": "contacts", "contacts": "contacts", "company": "companies"}
NO_PROPERTIES = {*LINKED, "outcome"}
TYPES = {"string": ("string", "text"), "number": ("number", "number"), "bool": ("bool", "booleancheckbox")}
TYPES |= {"time": ("datetime", "date"), "text": ("string", "text")}
BACK = {
    "string": "string",
    "number": "number",
    "bool": "bool",
    "datetime": "time",
    "date": "time",
    "enumeration": "string",
}
TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "calls": "0-48", "p7_machines": "2-7"}
TASK_LINKS = {204: "contacts", 192: "companies", 216: "deals", 202: "contacts", 190: "companies", 214: "deals"}
SCOPES = ["crm.objects.contacts.read", "crm.objects.contacts.write"]
PAGE, HISTORY_PAGE, SEARCH_PAGE, SEARCH_MOST, SEARCHES = 100, 50, 200, 10_000, 5
TEXT = "string"


class StandIn(Base):
    """An account with an OAuth app; `token` makes it one of a service key."""

    system = "hubspot"
    people = Kind("contacts", text="jobtitle", number="hs_analytics_num_page_views", history="jobtitle")
    accounts = Kind("companies", text="name", number="numberofemployees", history="name")
    deals = Kind("deals", text="dealname", number="amount", history="dealname")
    events = Kind("calls", text="hs_call_direction", writes=False)
    largest_page = 1000  # of e-mail events
    secrets = {"client_id": "app-1", "client_secret": "secret-of-the-app", "refresh_token": "refresh-1-abc"}
    lacks = {
        "convert": "a HubSpot lead and its contact stay two records",
        "elsewhere": "its next pages are places, not addresses",
    }
    words = {
        "sign_in": "HUBSPOT_REFRESH_TOKEN",
        "scope": "crm.objects.contacts.read",
        "disabled": "plan",
        "absent": "contacts",
    }
    lag = timedelta(0)
    """How long the search does not yet see what has changed."""

    def schema(self) -> Schema:
        contact = ("email", "firstname", "lastname", "jobtitle", "phone", "mobilephone", "website", "city", "state")
        contact += ("country", "hs_language", "hs_analytics_source", "hs_analytics_source_data_1")
        contact += ("associatedcompanyid", "hs_additional_emails", "hs_merged_object_ids", "hs_calculated_merged_vids")
        times = dict.fromkeys(("createdate", "lastmodifieddate"), "time")
        since = dict.fromkeys(("createdate", "hs_lastmodifieddate"), "time")
        own = dict.fromkeys(ACTIVITY, "time") | {"hs_merged_object_ids": TEXT}
        link = dict.fromkeys(LINKED, TEXT)
        numbers = {"hs_analytics_num_page_views": "number", "hs_email_optout": "bool"}
        company = dict.fromkeys(("name", "domain", "industry", "city", "country", "hs_merged_object_ids"), TEXT)
        deal = dict.fromkeys(("dealname", "dealstage", "pipeline", "hs_merged_object_ids", "outcome"), TEXT)
        closed = {"amount": "number", "closedate": "time", "hs_is_closed": "bool", "hs_is_closed_won": "bool"}
        activity = {"hs_timestamp": "time", **own, **link}
        return {
            "contacts": {**dict.fromkeys(contact, TEXT), **numbers, **times},
            "companies": {**company, "numberofemployees": "number", "annualrevenue": "number", **since},
            "deals": {**deal, **closed, **since, **link},
            "calls": {"hs_call_direction": TEXT, "hs_call_duration": "number", **activity},
            "meetings": {"hs_meeting_outcome": TEXT, **activity},
            "emails": {"hs_email_direction": TEXT, **activity},
            "tasks": {"hs_task_subject": TEXT, "hs_task_body": TEXT, **activity},
            "notes": {"hs_note_body": TEXT, **activity},
            "p7_machines": {"machine": TEXT, **own, **link},
        }

    def reset(self) -> None:
        super().reset()
        self.token: str | None = None
        self.made_tokens = 0
        self.emails: list[dict[str, Any]] = []
        self.forms: dict[str, str] = {}
        self.submissions: dict[str, list[dict[str, Any]]] = {}
        self.groups: dict[str, set[str]] = {}
        self.searched: list[float] = []
        self.first_fields = {name: set(fields) for name, fields in self.fields.items()}
        self.calculated: set[str] = set()
        self.ordered: dict[str, list[int]] = {}
        self.lag = timedelta(0)
        self.hides_schemas = False
        self.searches = SEARCHES
        """Searches a second, by the stand-in's clock: more are allowed where the other side goes by the machine's."""

    # ------------------------------------------------------------------------------------------- the system's life

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        created, modified = WHEN.get(name, ACTIVITY)
        values[created] = values.get(created) or at
        values[modified] = at
        if name == "deals":
            lost = "lost" if values.get("hs_is_closed") else None
            values["outcome"] = "won" if values.get("hs_is_closed_won") else lost
        if "contact" in values and values.get("contacts") is None:
            values["contacts"] = values["contact"]

    def merge_anew(self, name: str, *ids: str) -> str:
        """Merge records into one with a number of its own, as newer accounts do; return that."""
        made = self.add(name, hs_merged_object_ids=";".join(ids))
        for one in ids:
            super().merge(name, one, made)
        return made

    def merge(self, name: str, loser: str, winner: str) -> str:
        super().merge(name, loser, winner)
        held = self.records[name][winner].values
        held["hs_merged_object_ids"] = ";".join(filter(None, [str(held.get("hs_merged_object_ids") or ""), loser]))
        if name == "contacts":
            held["hs_calculated_merged_vids"] = f"{loser}:{_millis(self.clock.now())}"
        return winner

    def webhook(self, name: str, url: str) -> tuple[dict[str, str], bytes]:
        """Return a webhook that tells of a change of an object, signed as HubSpot does."""
        stamp = str(_millis(self.clock.now()))
        event = {"subscriptionType": "object.propertyChange", "objectTypeId": TYPE_IDS[name], "objectId": 1001}
        body = json.dumps([event]).encode()
        text = b"POST" + url.encode() + body + stamp.encode()
        signed = hmac.new(self.secrets["client_secret"].encode(), text, sha256).digest()
        sent = {"X-HubSpot-Signature-v3": base64.b64encode(signed).decode(), "X-HubSpot-Request-Timestamp": stamp}
        return sent, body

    def too_many(self) -> Reply:
        told = _error("You have reached your ten_secondly_rolling limit.", "RATE_LIMITS")
        return Reply({**told, "policyName": "TEN_SECONDLY_ROLLING"}, 429, {"Retry-After": str(RETRY_AFTER)})

    def authorised(self, call: Call) -> Reply | None:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self.revoked or not (token in self.tokens or (self.token is not None and token == self.token)):
            return Reply(_error("The token is not known", "INVALID_AUTHENTICATION"), 401)
        if self.scope_missing:
            context = {"requiredGranularScopes": SCOPES}
            errors = [{"message": "Any of the scopes are required", "context": context}]
            return Reply({**_error("Scopes are missing", "MISSING_SCOPES"), "errors": errors}, 403)
        if self.disabled:
            return Reply(_error("This account has no access to this object", "FORBIDDEN"), 403)
        if self.per_day is not None and self.today[1] > self.per_day:
            return Reply({**_error("You have reached your daily limit.", "RATE_LIMITS"), "policyName": "DAILY"}, 429)
        return None

    def _answer(self, call: Call, fault: str | None) -> Reply:
        reply = super()._answer(call, fault)
        if self.token is None or self.per_day is None:  # not told to OAuth apps
            return reply
        left = {"X-HubSpot-RateLimit-Daily-Remaining": str(max(self.per_day - self.today[1], 0))}
        return Reply(
            reply.body, reply.status, {**reply.headers, "X-HubSpot-RateLimit-Daily": str(self.per_day), **left}
        )

    # ------------------------------------------------------------------------------------------------------ tokens

    @route("POST", "/oauth/{version}/token", open=True)
    def tokened(self, call: Call) -> Reply:
        form = call.form()
        right = {**self.secrets, "grant_type": "refresh_token"}
        if self.revoked or any(form.get(name) != value for name, value in right.items()):
            return Reply({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, 400)
        self.made_tokens += 1
        token = f"access-{self.made_tokens}-abc"
        self.tokens.add(token)
        return Reply({"access_token": token, "expires_in": 1800, "token_type": "bearer"})

    # -------------------------------------------------------------------------------------------------- properties

    @route("GET", "/crm/properties/{version}/{object}")
    @route("GET", "/crm/{version}/properties/{object}")
    def properties(self, call: Call) -> Reply:
        name = call.path["object"]
        if name not in self.fields:
            return Reply(_error(f"Unable to infer object type from: {name}", "VALIDATION_ERROR"), 400)
        held = {field: kind for field, kind in self.fields[name].items() if field not in NO_PROPERTIES}
        return Reply({"results": [self._property(name, field, kind) for field, kind in held.items()]})

    @route("POST", "/crm/properties/{version}/{object}")
    @route("POST", "/crm/{version}/properties/{object}")
    def make_property(self, call: Call) -> Reply:
        name, asked = call.path["object"], call.json()
        absent = [key for key in ("name", "label", "groupName", "type", "fieldType") if not asked.get(key)]
        if absent or asked["groupName"] not in {"contactinformation", *self.groups.get(name, ())}:
            return Reply(_error(f"Invalid input: {absent or asked['groupName']}", "VALIDATION_ERROR"), 400)
        if asked["name"] in self.fields[name]:
            return Reply(_error("Property already exists", "OBJECT_ALREADY_EXISTS"), 409)
        self.new_field(name, asked["name"], BACK[asked["type"]])
        return Reply(self._property(name, asked["name"], BACK[asked["type"]]), 201)

    @route("POST", "/crm/properties/{version}/{object}/groups")
    @route("POST", "/crm/{version}/properties/{object}/groups")
    def make_group(self, call: Call) -> Reply:
        asked, groups = call.json(), self.groups.setdefault(call.path["object"], set())
        if asked["name"] in groups:
            return Reply(_error("Group already exists", "CONFLICT"), 409)
        groups.add(asked["name"])
        return Reply({"name": asked["name"], "label": asked["label"], "displayOrder": -1, "archived": False}, 201)

    @route("GET", "/crm-object-schemas/{version}/schemas")
    def schemas(self, _: Call) -> Reply:
        if self.hides_schemas:
            return Reply(_error("Scopes are missing", "MISSING_SCOPES"), 403)
        labels = {"singular": "Machine", "plural": "Machines"}
        own = {"id": "7", "objectTypeId": "2-7", "name": "machines", "fullyQualifiedName": "p7_machines"}
        rest = {"properties": [], "associations": [], "requiredProperties": []}
        return Reply({"results": [{**own, "labels": labels, **rest}]})

    # ----------------------------------------------------------------------------------------------------- records

    @route("GET", "/crm/objects/{version}/{object}")
    @route("GET", "/crm/{version}/objects/{object}")
    def listed(self, call: Call) -> Reply:
        name, params = call.path["object"], call.params
        if name not in self.records:
            return Reply(_error(f"Unable to infer object type from: {name}", "VALIDATION_ERROR"), 400)
        remembered = _split(params.get("propertiesWithHistory"))
        limit = int(params.get("limit", 10))
        if limit > (HISTORY_PAGE if remembered else PAGE) or len(str(call.query)) > 12_000:
            return Reply(_error("limit is too high, or the address too long", "VALIDATION_ERROR"), 400)
        size = self.saw_page(limit)
        archived, after = params.get("archived", "").lower() == "true", int(params.get("after", 0))
        held, ids = self.records[name], self._ids_of(name)
        later = (held[str(id_)] for id_ in islice(ids, bisect_right(ids, after), None))
        found = list(islice((one for one in later if one.gone == archived and one.into is None), size + 1))
        wanted = _split(params.get("properties"))
        body: dict[str, Any] = {"results": [self._wire(one, wanted, remembered) for one in found[:size]]}
        if len(found) > size:
            body["paging"] = {"next": {"after": found[size - 1].id, "link": "https://api.hubapi.com/ignored"}}
        return Reply(body)

    def _ids_of(self, name: str) -> list[int]:
        if name not in self.ordered or len(self.ordered[name]) != len(self.records[name]):
            self.ordered[name] = sorted(map(int, self.records[name]))
        return self.ordered[name]

    @route("POST", "/crm/objects/{version}/{object}/search")
    @route("POST", "/crm/{version}/objects/{object}/search")
    def search(self, call: Call) -> Reply:
        self.searched = [at for at in self.searched if call.at - at < 1 - 1e-6] + [call.at]
        if len(self.searched) > self.searches:
            told = _error("You have reached your secondly limit.", "RATE_LIMITS")
            return Reply({**told, "policyName": "SECONDLY"}, 429)
        name, asked = call.path["object"], call.json()
        limit, after = int(asked.get("limit", 10)), int(asked.get("after") or 0)
        sorts = asked.get("sorts") or []
        if limit > SEARCH_PAGE or after + limit > SEARCH_MOST or len(sorts) > 1 or len(asked["filterGroups"]) > 5:
            return Reply(_error("There was a problem with the request.", "VALIDATION_ERROR"), 400)
        size = self.saw_page(limit)
        seen = self.clock.now() - self.lag
        held = [one for one in self.alive(name).values() if one.modified <= seen]
        groups = asked["filterGroups"] or [{"filters": []}]
        found = [one for one in held if any(all(_fits(one, want) for want in group["filters"]) for group in groups)]
        if sorts:
            found.sort(key=lambda one: _key(one, sorts[0]["propertyName"]))
        total = len(found)
        shown = [self._wire(one, asked.get("properties") or [], []) for one in found[after : after + size]]
        body: dict[str, Any] = {"total": total, "results": shown}
        if after + size < total:
            body["paging"] = {"next": {"after": str(after + size)}}
        return Reply(body)

    @route("POST", "/crm/objects/{version}/{object}/batch/read")
    @route("POST", "/crm/{version}/objects/{object}/batch/read")
    def batch_read(self, call: Call) -> Reply:
        name, asked = call.path["object"], call.json()
        if not {"inputs", "properties", "propertiesWithHistory"} <= set(asked):
            return Reply(_error("Invalid input", "VALIDATION_ERROR"), 400)
        if len(asked["inputs"]) > (HISTORY_PAGE if asked["propertiesWithHistory"] else PAGE):
            return Reply(_error("The maximum number of inputs is exceeded", "VALIDATION_ERROR"), 400)
        ids = [one["id"] for one in asked["inputs"]]
        held = self._by_email() if asked.get("idProperty") == "email" else self.alive(name)
        found = [held[one] for one in dict.fromkeys(ids) if one in held]
        results = [self._wire(one, asked["properties"], asked["propertiesWithHistory"]) for one in found]
        return _batch(results, [_absent(one) for one in ids if one not in held])

    @route("POST", "/crm/objects/{version}/{object}/batch/update")
    @route("POST", "/crm/{version}/objects/{object}/batch/update")
    def batch_update(self, call: Call) -> Reply:
        name, inputs = call.path["object"], call.json()["inputs"]
        self.saw_batch(len(inputs))
        if len(inputs) > PAGE:
            return Reply(_error("The maximum number of inputs is exceeded", "VALIDATION_ERROR"), 400)
        for one in inputs:
            absent = [field for field in one["properties"] if field not in self.fields[name]]
            if absent:
                told = [{"isValid": False, "error": "PROPERTY_DOESNT_EXIST", "name": absent[0]}]
                return Reply(_error(f"Property values were not valid: {json.dumps(told)}", "VALIDATION_ERROR"), 400)
            why = self.refused.get((name, one["id"]))
            if why is not None and why != "locked":  # the whole batch, without saying which
                return Reply(_error(f"Property values were not valid: {why}", "VALIDATION_ERROR"), 400)
        results, errors = [], []
        for one in inputs:
            record = self.alive(name).get(one["id"])
            if record is None:
                errors.append(_absent(one["id"]))
            elif (name, one["id"]) in self.refused:
                errors.append({**_error("The record is locked", "CONFLICT"), "context": {"ids": [one["id"]]}})
            else:
                kinds = self.fields[name]
                self.edit(name, one["id"], **{key: _value(text, kinds[key]) for key, text in one["properties"].items()})
                results.append(self._wire(record, list(one["properties"]), []))
        return _batch(results, errors)

    @route("POST", "/crm/objects/{version}/{object}/batch/create")
    @route("POST", "/crm/{version}/objects/{object}/batch/create")
    def batch_create(self, call: Call) -> Reply:
        name, results, errors = call.path["object"], [], []
        for one in call.json()["inputs"]:
            trace = one.get("objectWriteTraceId")
            linked = one["associations"][0]
            to, record = TASK_LINKS[linked["types"][0]["associationTypeId"]], linked["to"]["id"]
            if record not in self.alive(to):
                errors.append({**_absent(record), "context": {"objectWriteTraceId": [trace]}})
            elif (to, record) in self.refused:
                category = "CONFLICT" if self.refused[to, record] == "locked" else "VALIDATION_ERROR"
                told = _error(self.refused[to, record], category)
                errors.append({**told, "context": {"objectWriteTraceId": [trace]}})
            else:
                made = self.add(name, **{key: _typed(key, text) for key, text in one["properties"].items()})
                text = " ".join(one["properties"].values())
                self.notes.append({**one["properties"], "id": made, "record": record, "text": text, "kind": name})
                results.append({**self._wire(self.held(name, made), [], []), "objectWriteTraceId": trace})
        return _batch(results, errors, status=201)

    @route("POST", "/crm/objects/{version}/{object}")
    @route("POST", "/crm/{version}/objects/{object}")
    def create(self, call: Call) -> Reply:
        name = call.path["object"]
        given = {key: _value(text, self.fields[name][key]) for key, text in call.json()["properties"].items()}
        return Reply(self._wire(self.held(name, self.add(name, **given)), list(given), []), 201)

    @route("DELETE", "/crm/{version}/objects/{object}/{id}")
    def archive(self, call: Call) -> Reply:
        self.delete(call.path["object"], call.path["id"])
        return Reply(None, 204)

    @route("POST", "/crm/{version}/objects/{object}/merge")
    def merged(self, call: Call) -> Reply:
        name, asked = call.path["object"], call.json()
        into = self.merge(name, asked["objectIdToMerge"], asked["primaryObjectId"])
        return Reply(self._wire(self.held(name, into), [], []))

    @route("POST", "/crm/associations/{version}/{one}/{other}/batch/read")
    @route("POST", "/crm/{version}/associations/{one}/{other}/batch/read")
    def associated(self, call: Call) -> Reply:
        one, other, results, errors = call.path["one"], call.path["other"], [], []
        for asked in call.json()["inputs"]:
            to = [self._link(target, place) for place, target in self._linked(one, other, asked["id"])]
            if to:
                results.append({"from": {"id": asked["id"]}, "to": to})
            else:
                errors.append(_absent(asked["id"]))
        return _batch(results, errors)

    # ------------------------------------------------------------------------------------------------------ events

    @route("GET", "/email/public/v1/events")
    def email_events(self, call: Call) -> Reply:
        params = call.params
        first, last = int(params.get("startTimestamp", 0)), int(params.get("endTimestamp", 1 << 60))
        found = [one for one in self.emails if first <= one["created"] <= last]
        found = [one for one in found if params.get("eventType", one.get("type")) == one.get("type")]
        found.sort(key=lambda one: -one["created"])
        if not params.get("offset", "0").isdecimal():
            return Reply(_error("offset is not known", "VALIDATION_ERROR"), 400)
        at, size = int(params.get("offset", 0)), self.saw_page(int(params.get("limit", 10)))
        more = {"hasMore": at + size < len(found), "offset": str(at + size)}
        return Reply({**more, "events": found[at : at + size]})

    @route("GET", "/marketing/forms/{version}")
    @route("GET", "/marketing/{version}/forms/")
    def listed_forms(self, _: Call) -> Reply:
        return Reply({"results": [{"id": form, "name": name} for form, name in self.forms.items()]})

    @route("GET", "/form-integrations/v1/submissions/forms/{form}")
    def submitted(self, call: Call) -> Reply:
        found = sorted(self.submissions.get(call.path["form"], []), key=lambda one: -one["submittedAt"])
        at, size = int(call.params.get("after", 0)), self.saw_page(int(call.params.get("limit", 20)))
        if call.path["form"] not in self.forms or size > HISTORY_PAGE:
            return Reply(_error("no such form", "OBJECT_NOT_FOUND"), 404)
        body: dict[str, Any] = {"results": found[at : at + size]}
        if at + size < len(found):
            body["paging"] = {"next": {"after": str(at + size)}}
        return Reply(body)

    # -------------------------------------------------------------------------------------------------------- wire

    def _wire(self, record: Record, wanted: Iterable[str], remembered: Iterable[str]) -> dict[str, Any]:
        kinds = self.fields[record.object]
        created, modified = WHEN.get(record.object, ACTIVITY)
        known = [one for one in (created, modified, *wanted) if one in kinds and one not in NO_PROPERTIES]
        body: dict[str, Any] = {
            "id": record.id,
            "properties": {"hs_object_id": record.id, **{one: _text(record.values.get(one)) for one in known}},
            "createdAt": _iso(record.created),
            "updatedAt": _iso(record.modified),
            "archived": record.gone,
        }
        if record.gone:
            body["archivedAt"] = _iso(record.modified)
        log = {one: self._log(record, one) for one in remembered if one in kinds and one not in NO_PROPERTIES}
        return {**body, "propertiesWithHistory": log} if log else body

    def _log(self, record: Record, field: str) -> list[dict[str, Any]]:
        changes = [one for one in record.history if one.field == field]
        first = changes[0].old if changes else record.values.get(field)
        entries = [(record.created, first)] if first is not None else []
        entries += [(one.at, one.new) for one in changes]
        return [
            {"value": _text(value) or "", "timestamp": _iso(at), "sourceType": "CRM_UI"}
            for at, value in reversed(entries)
        ]

    def _property(self, name: str, field: str, kind: str) -> dict[str, Any]:
        type_, shown = TYPES[kind]
        rights = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": field in self.calculated}
        own = {"name": field, "label": field.replace("_", " "), "type": type_, "fieldType": shown, "options": []}
        rest = {"groupName": "contactinformation", "description": "", "modificationMetadata": rights}
        return {**own, **rest, "hubspotDefined": field in self.first_fields[name], "calculated": False}

    def _by_email(self) -> dict[str, Record]:
        found = {}
        for one in self.alive("contacts").values():
            held = f"{one.values.get('email') or ''};{one.values.get('hs_additional_emails') or ''}"
            found |= {address.lower(): one for address in held.split(";") if address}
        return found

    def _linked(self, one: str, other: str, id_: str) -> list[tuple[int, str]]:
        if other in ("tasks", "notes"):
            made = [note["id"] for note in self.notes if note["record"] == id_ and note["kind"] == other]
            return list(enumerate(made))
        held = self.records[one][id_].values if id_ in self.records[one] else {}
        found = str((held.get("contacts") if other == "contacts" else held.get("company")) or "")
        return list(enumerate(filter(None, found.split(";"))))[::-1]  # the primary one comes last

    def _link(self, target: str, place: int) -> dict[str, Any]:
        kinds = [{"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"}] if place == 0 else []
        kinds.append({"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None})
        return {"toObjectId": target, "associationTypes": kinds}


# ---------------------------------------------------------------------------------------------------------- shapes


def _error(message: str, category: str) -> dict[str, Any]:
    return {"status": "error", "message": message, "correlationId": "0-0-0", "category": category}


def _absent(id_: str) -> dict[str, Any]:
    return {**_error(f"Could not get some objects: {id_}", "OBJECT_NOT_FOUND"), "context": {"ids": [id_]}}


def _batch(results: list[dict[str, Any]], errors: list[dict[str, Any]], *, status: int = 200) -> Reply:
    when = {"startedAt": "2026-03-02T09:00:00.000Z", "completedAt": "2026-03-02T09:00:00.000Z"}
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, **when}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply(body, 207 if errors else status)


def _split(text: str | None) -> list[str]:
    return [one for one in (text or "").split(",") if one]


def _text(value: Value) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float() | int():
            return str(int(value)) if float(value).is_integer() else repr(value)
        case datetime():
            return _iso(value)
        case _:
            return value


def _value(text: str | None, kind: str) -> Value:
    if text is None or text == "":
        return None
    match kind:
        case "number":
            return float(text)
        case "bool":
            return text == "true"
        case "time":
            return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
        case _:
            return text


def _typed(name: str, text: str) -> Value:
    return _value(text, "time") if name == "hs_timestamp" else text


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds") + "Z"


def _millis(at: datetime) -> int:
    return (at - datetime(1970, 1, 1)) // timedelta(milliseconds=1)  # cut, as _iso cuts


def _key(record: Record, field: str) -> tuple[float, int]:
    if field == "hs_object_id":
        return float(record.id), 0
    value = record.values.get(field)
    return (_millis(value) if isinstance(value, datetime) else 0), record.order


def _fits(record: Record, want: Mapping[str, Any]) -> bool:
    held, asked = _key(record, want["propertyName"])[0], float(want["value"])
    return {"GTE": held >= asked, "GT": held > asked, "EQ": held == asked, "LTE": held <= asked}[want["operator"]]
