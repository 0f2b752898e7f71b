"""A stand-in for Pipedrive, written from its published reference and its Node client's types (npm `pipedrive`, MIT).

API v2 for people, organizations, deals and activities (opaque cursors, `updated_since`, hashes for custom fields,
strict types); v1 for the lead inbox, notes and `recents`; OAuth 2 with a refresh token, or `x-api-token`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connect.stand_in import RETRY_AFTER, Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base

FIELDS = {
    "persons": "personFields",
    "organizations": "organizationFields",
    "deals": "dealFields",
    "activities": "activityFields",
}
ITEMS = {
    "person": "persons",
    "organization": "organizations",
    "deal": "deals",
    "activity": "activities",
    "note": "notes",
}
FORMS = {"text": "varchar", "number": "double", "time": "date", "bool": "enum"}
TYPES = {"varchar": "text", "text": "text", "double": "number", "date": "time"}
STANDARD = {
    "persons": {"name", "first_name", "last_name", "email", "phone", "job_title", "org_id", "add_time", "update_time"},
    "organizations": {"name", "website", "employee_count", "country", "add_time", "update_time"},
    "deals": {
        "title", "status", "value", "currency", "person_id", "org_id", "stage_id", "pipeline_id", "close_time",
        "is_archived", "source_lead_id", "add_time", "update_time",
    },
    "activities": {
        "subject", "type", "note", "done", "marked_as_done_time", "due_date", "person_id", "deal_id", "add_time",
        "update_time",
    },
}  # fmt: skip
NUMBERS = {"org_id", "person_id", "deal_id", "stage_id", "pipeline_id", "organization_id"}
INDUSTRIES = {1: "Software", 2: "Finance"}
LIMIT, CUSTOM_LIMIT, VARCHAR = 500, 15, 255
FORGETS = timedelta(days=30)


def key_of(name: str, field: str) -> str:
    """The key of a custom field."""
    return hashlib.sha1(f"{name}.{field}".encode()).hexdigest()


class StandIn(Base):
    """An account of Pipedrive."""

    system = "pipedrive"
    people = Kind("persons", text="seniority", number="team_size", history="seniority")
    accounts = Kind("organizations", text="segment")
    deals = Kind("deals", text="product", number="value", writes=True)
    events = Kind("activities", text="subject", writes=False, more={"type": "call"})
    secrets = {"client_id": "pd-client-1", "client_secret": "pd-secret-22", "refresh_token": "pd-refresh-333"}
    lacks = {
        "convert": "a lead becomes a deal of the same person, who is the lead here",
        "elsewhere": "pages are found by cursors, not by links",
        "webhook": "its webhooks are not signed: their HTTP auth is tested in test_pipedrive.py",
    }
    words = {"sign_in": "Developer Hub", "scope": "scopes", "disabled": "Billing"}

    def schema(self) -> Schema:
        return {
            "persons": {
                "name": "text", "first_name": "text", "last_name": "text", "email": "text", "phone": "text",
                "job_title": "text", "org_id": "text", "add_time": "time", "update_time": "time",
                "seniority": "text", "team_size": "number",
            },
            "organizations": {
                "name": "text", "website": "text", "industry": "text", "employee_count": "number",
                "country": "text", "add_time": "time", "update_time": "time", "segment": "text",
            },
            "deals": {
                "title": "text", "status": "text", "value": "number", "currency": "text", "person_id": "text",
                "org_id": "text", "stage_id": "text", "pipeline_id": "text", "stage": "text",
                "close_time": "time", "is_archived": "bool", "source_lead_id": "text",
                "add_time": "time", "update_time": "time", "product": "text",
            },
            "activities": {
                "subject": "text", "type": "text", "note": "text", "done": "bool", "marked_as_done_time": "time",
                "due_date": "time", "person_id": "text", "deal_id": "text", "add_time": "time",
                "update_time": "time",
            },
            "leads": {
                "title": "text", "source_name": "text", "origin": "text", "person_id": "text",
                "organization_id": "text", "value": "number", "currency": "text", "is_archived": "bool",
                "add_time": "time", "update_time": "time",
            },
            "notes": {
                "content": "text", "person_id": "text", "deal_id": "text", "add_time": "time",
                "update_time": "time",
            },
        }  # fmt: skip

    def reset(self) -> None:
        super().reset()
        self.forms: dict[tuple[str, str], str] = {}
        self.titles: dict[tuple[str, str], str] = {}

    def settings(self) -> dict[str, Any]:
        return {"url": self.url, "tokens": f"{self.url}/oauth/token", "history": True}

    def new_id(self, name: str, number: int) -> str:
        return f"adf21080-0e10-11eb-879b-{number:012d}" if name == "leads" else str(1000 + number)

    def fill(self, name: str, values: dict[str, Any], id: str, at: datetime) -> None:  # noqa: A002
        if values.get("add_time") is None:
            values["add_time"] = at
        values["update_time"] = self.clock.now() if id in self.records.get(name, {}) else at
        if name == "deals":
            values["status"] = values.get("status") or "open"
            values["is_archived"] = bool(values.get("is_archived"))
            values["currency"] = values.get("currency") or "EUR"
            values["stage"] = {"5": "Qualified"}.get(str(values.get("stage_id")))
        if name == "leads":
            values["is_archived"] = bool(values.get("is_archived"))
        if name == "activities":
            values["done"] = bool(values.get("done"))

    # ----------------------------------------------------------------------------------------------- signing in

    def authorised(self, call: Call) -> Reply | None:
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        known = call.headers.get("x-api-token") == "pd-api-token-1" or bearer in self.tokens
        if self.revoked or not known:
            return self.error(401, "unauthorized access")
        if self.disabled:
            return self.error(402, "Company account is not open")
        if self.scope_missing:
            return self.error(403, "Scope and URL mismatch")
        if self.per_day is not None and self.today[1] > self.per_day:
            return self.error(429, "The daily API budget is exhausted")
        return None

    @route("POST", "/oauth/token", open=True)
    def token(self, call: Call) -> Reply:
        pair = base64.b64encode(f"{self.secrets['client_id']}:{self.secrets['client_secret']}".encode()).decode()
        form = call.form()
        if call.headers.get("authorization") != f"Basic {pair}":
            return Reply({"success": False, "error": "invalid_client", "message": "client is invalid"}, 401)
        if self.revoked or form.get("refresh_token") != self.secrets["refresh_token"]:
            return Reply({"success": False, "error": "invalid_grant", "message": "refresh token is invalid"}, 400)
        token = f"v1u:access-{len(self.calls)}"
        self.tokens.add(token)
        answer = {
            "access_token": token,
            "refresh_token": form["refresh_token"],
            "token_type": "Bearer",
            "expires_in": 3599,
        }
        return Reply({**answer, "api_domain": self.url, "scope": "base contacts:full"})

    def too_many(self) -> Reply:
        headers = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(RETRY_AFTER)}
        body = {"success": False, "error": "request over limit", "errorCode": 429}
        return Reply(body, 429, {**headers, "Retry-After": str(RETRY_AFTER)})

    @staticmethod
    def error(status: int, words: str) -> Reply:
        return Reply(
            {"success": False, "error": words, "error_info": "Please check developers.pipedrive.com", "data": None},
            status,
        )

    # ------------------------------------------------------------------------------------------------- API v2

    def listing(self, call: Call, name: str, *, archived: bool | None = None) -> Reply:
        params, limit = call.params, self.saw_page(int(call.params.get("limit", 100)))
        if limit > LIMIT:
            return self.error(400, f"limit: must be less than or equal to {LIMIT}")
        keys = [key for key in params.get("custom_fields", "").split(",") if key]
        if len(keys) > CUSTOM_LIMIT:
            return self.error(400, f"custom_fields: a maximum of {CUSTOM_LIMIT} keys is allowed")
        if "deleted" in params.get("status", ""):
            found = [one for one in self.changed_since(name, gone=True) if not one.gone or self.remembers(one)]
        else:
            found = self.changed_since(name)
        if archived is not None:
            found = [one for one in found if bool(one.values.get("is_archived")) is archived]
        if "updated_since" in params:
            since = datetime.strptime(params["updated_since"], "%Y-%m-%dT%H:%M:%SZ")
            found = [one for one in found if one.modified >= since]
        if "ids" in params:
            ids = params["ids"].split(",")
            if len(ids) > 100:
                return self.error(400, "ids: must be at most 100")
            found = [one for one in found if one.id in ids]
        for key in ("person_id", "deal_id", "org_id"):
            if key in params:
                found = [one for one in found if one.values.get(key) == params[key]]
        if params.get("sort_direction") == "desc":
            found.reverse()
        if "cursor" in params:
            after = tuple(json.loads(base64.urlsafe_b64decode(params["cursor"])))
            found = [one for one in found if self.place(one) > after]
        page, more = found[:limit], len(found) > limit
        marker = base64.urlsafe_b64encode(json.dumps(self.place(page[-1])).encode()).decode() if more else None
        data = [self.wire(one, keys or None, params.get("include_fields", "")) for one in page]
        return Reply({"success": True, "data": data, "additional_data": {"next_cursor": marker}})

    @staticmethod
    def place(record: Record) -> tuple[str, int]:
        """Return where a record stands in a list by time of change."""
        return record.modified.isoformat(), record.order

    def remembers(self, record: Record) -> bool:
        return self.clock.now() - record.modified <= FORGETS

    @route("GET", "/api/v2/persons")
    def persons(self, call: Call) -> Reply:
        return self.listing(call, "persons")

    @route("GET", "/api/v2/organizations")
    def organizations(self, call: Call) -> Reply:
        return self.listing(call, "organizations")

    @route("GET", "/api/v2/activities")
    def activities(self, call: Call) -> Reply:
        return self.listing(call, "activities")

    @route("GET", "/api/v2/deals")
    def open_deals(self, call: Call) -> Reply:
        return self.listing(call, "deals", archived=False)

    @route("GET", "/api/v2/deals/archived")
    def archived_deals(self, call: Call) -> Reply:
        return self.listing(call, "deals", archived=True)

    @route("GET", "/api/v2/stages")
    def stages(self, _: Call) -> Reply:
        return Reply(
            {"success": True, "data": [{"id": 5, "name": "Qualified", "pipeline_id": 1}], "additional_data": {}}
        )

    @route("GET", "/api/v2/pipelines")
    def pipelines(self, _: Call) -> Reply:
        return Reply({"success": True, "data": [{"id": 1, "name": "Sales"}], "additional_data": {"next_cursor": None}})

    @route("GET", "/api/v2/{described}")
    def described(self, call: Call) -> Reply:
        name = next((key for key, path in FIELDS.items() if path == call.path["described"]), None)
        if name is None:
            return self.error(404, "not found")
        data = []
        for field, kind in self.fields[name].items():
            custom = field not in STANDARD[name] and field not in ("stage", "industry")
            code = key_of(name, field) if custom else field
            options = (
                [{"id": key, "label": label} for key, label in INDUSTRIES.items()] if field == "industry" else None
            )
            form = self.forms.get((name, field), FORMS[kind])
            title = self.titles.get((name, field), field.replace("_", " ").capitalize())
            data.append(
                {
                    "field_name": title,
                    "field_code": code,
                    "field_type": form,
                    "is_custom_field": custom,
                    "options": options,
                }
            )
        limit = self.saw_page(int(call.params.get("limit", 100)))
        start = int(call.params.get("cursor", 0))
        marker = str(start + limit) if len(data) > start + limit else None
        page = data[start : start + limit]
        return Reply({"success": True, "data": page, "additional_data": {"next_cursor": marker}})

    @route("POST", "/api/v2/{described}")
    def add_field(self, call: Call) -> Reply:
        if call.path["described"] == "activities":
            return self.add_activity(call)
        name = next(key for key, path in FIELDS.items() if path == call.path["described"])
        body = call.json()
        field = "_".join(body["field_name"].lower().split())
        if field in self.fields[name]:
            return self.error(400, "A field with this name already exists")
        self.forms[name, field], self.titles[name, field] = body["field_type"], body["field_name"]
        self.new_field(name, field, TYPES[body["field_type"]])
        return Reply({"success": True, "data": {"field_code": key_of(name, field), **body}}, 201)

    @route("PATCH", "/api/v2/{object}/{id}")
    def update(self, call: Call) -> Reply:
        name, id = call.path["object"], call.path["id"]  # noqa: A001
        self.saw_batch(1)
        if id not in self.alive(name):
            return self.error(404, f"{name[:-1].capitalize()} not found.")
        why = self.refused.get((name, id))
        if why is not None:
            return self.error(423 if why == "locked" else 400, why)
        codes = {key_of(name, field): field for field in self.fields[name]}
        values = {}
        for code, value in call.json()["custom_fields"].items():
            field = codes.get(code)
            if field is None:
                return self.error(400, f"custom_fields: unknown field {code}")
            number = self.fields[name][field] == "number"
            if value is not None and isinstance(value, str) is number:
                return self.error(400, f"custom_fields.{code}: must be a {'number' if number else 'string'}")
            if (
                self.forms.get((name, field), "varchar") == "varchar"
                and isinstance(value, str)
                and len(value) > VARCHAR
            ):
                return self.error(400, f"custom_fields.{code}: is too long")
            values[field] = float(value) if number and value is not None else value
        self.edit(name, id, **values)
        return Reply({"success": True, "data": self.wire(self.held(name, id), None, "")})

    def add_activity(self, call: Call) -> Reply:
        body = call.json()
        people = [str(one["person_id"]) for one in body.get("participants", [])]
        if people and people[0] not in self.alive("persons"):
            return self.error(400, f"Person {people[0]} not found")
        about = people[0] if people else str(body.get("deal_id") or body.get("org_id") or body.get("lead_id"))
        made = self.add(
            "activities",
            subject=body["subject"],
            type=body["type"],
            note=body["note"],
            person_id=people[0] if people else None,
        )
        self.notes.append({**body, "record": about, "text": body["note"], "id": made})
        return Reply({"success": True, "data": {"id": int(made)}}, 201)

    # ------------------------------------------------------------------------------------------------- API v1

    def offset(self, call: Call, found: list[Record]) -> Reply:
        start, limit = int(call.params.get("start", 0)), self.saw_page(int(call.params.get("limit", 100)))
        if "updated_since" in call.params:
            since = datetime.strptime(call.params["updated_since"], "%Y-%m-%dT%H:%M:%SZ")
            found = [one for one in found if one.modified >= since]
        if call.params.get("sort") == "id ASC":
            found = sorted(found, key=lambda one: one.id)
        if call.params.get("sort", "").endswith("DESC"):
            found = found[::-1]
        data = [self.wire(one, None, "") for one in found[start : start + limit]]
        return Reply({"success": True, "data": data or None, "additional_data": self.paging(start, limit, len(found))})

    @staticmethod
    def paging(start: int, limit: int, count: int) -> dict[str, Any]:
        more = start + limit < count
        page = {"start": start, "limit": limit, "more_items_in_collection": more}
        return {"pagination": {**page, "next_start": start + limit} if more else page}

    @route("GET", "/api/v1/leads")
    def leads(self, call: Call) -> Reply:
        return self.offset(call, [one for one in self.changed_since("leads") if not one.values["is_archived"]])

    @route("GET", "/api/v1/leads/archived")
    def archived_leads(self, call: Call) -> Reply:
        return self.offset(call, [one for one in self.changed_since("leads") if one.values["is_archived"]])

    @route("GET", "/api/v1/notes")
    def listed_notes(self, call: Call) -> Reply:
        found = self.changed_since("notes")
        if "person_id" in call.params:
            found = [one for one in found if one.values["person_id"] == call.params["person_id"]]
        return self.offset(call, found)

    @route("POST", "/api/v1/notes")
    def add_note(self, call: Call) -> Reply:
        body = call.json()
        if str(body.get("person_id")) not in self.alive("persons"):
            return self.error(400, f"Person {body.get('person_id')} not found")
        made = self.add("notes", content=body["content"], person_id=str(body.get("person_id")))
        self.notes.append({**body, "record": str(body.get("person_id")), "text": body["content"], "id": made})
        return Reply({"success": True, "data": {"id": int(made)}}, 201)

    @route("GET", "/api/v1/recents")
    def recents(self, call: Call) -> Reply:
        item = call.params["items"]
        since = datetime.strptime(call.params["since_timestamp"], "%Y-%m-%d %H:%M:%S")
        found = [
            one for one in self.changed_since(ITEMS[item], since, gone=True) if not one.gone or self.remembers(one)
        ]
        start, limit = int(call.params.get("start", 0)), self.saw_page(int(call.params.get("limit", 100)))
        data = []
        for one in found[start : start + limit]:
            merged = None if one.into is None else int(one.into)
            fields = {"id": int(one.id), "active_flag": not one.gone, "merge_what_id": merged}
            data.append({"item": item, "id": int(one.id), "data": fields})
        return Reply({"success": True, "data": data or None, "additional_data": self.paging(start, limit, len(found))})

    @route("GET", "/api/v1/{object}/{id}/changelog")
    def changelog(self, call: Call) -> Reply:
        name, limit = call.path["object"], int(call.params.get("limit", 100))
        found = [
            one for one in self.held(name, call.path["id"]).history if one.field not in ("add_time", "update_time")
        ]
        start = int(call.params.get("cursor", 0))
        told = [
            {
                "field_key": one.field if one.field in STANDARD[name] else key_of(name, one.field),
                "old_value": None if one.old is None else str(one.old),
                "new_value": None if one.new is None else str(one.new),
                "time": f"{one.at:%Y-%m-%d %H:%M:%S}",
            }
            for one in found[::-1]
        ]
        marker = str(start + limit) if len(told) > start + limit else None
        return Reply({"success": True, "data": told[start : start + limit], "additional_data": {"next_cursor": marker}})

    # --------------------------------------------------------------------------------------------------- wire

    def wire(self, record: Record, keys: list[str] | None, optional: str) -> Mapping[str, Any]:
        """Return a record as it goes over the wire."""
        name, out = record.object, {}
        custom: dict[str, Any] = {}
        for field, value in record.values.items():
            if isinstance(value, datetime):
                value = f"{value:%Y-%m-%dT%H:%M:%SZ}"
            if field in ("email", "phone"):
                held = [{"value": value, "primary": True, "label": "work"}] if value is not None else []
                out[f"{field}s"] = held
            elif field == "country":
                out["address"] = {"value": value, "country": value}
            elif field == "industry":
                out["industry"] = next((key for key, label in INDUSTRIES.items() if label == value), None)
            elif field in ("value", "currency") and name == "leads":
                out["value"] = {"amount": record.values["value"], "currency": record.values["currency"]}
            elif field == "stage":
                continue
            elif field in NUMBERS:
                out[field] = int(value) if isinstance(value, str) and value.isdecimal() else value
            elif name in STANDARD and field not in STANDARD[name]:
                code = key_of(name, field)
                if keys is None or code in keys:
                    custom[code] = value
            elif field == "source_lead_id" and field not in optional.split(","):
                continue
            else:
                out[field] = value
        out["id"] = record.id if name == "leads" else int(record.id)
        if name in STANDARD:
            out |= {"custom_fields": custom, "is_deleted": record.gone}
        return out
