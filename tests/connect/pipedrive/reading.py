"""Pipedrive on loopback: what is listed, described, and told of deletions and changes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connect.stand_in import Call, Record, Reply, route
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


class Reading(Base):
    """Its half that is asked."""

    forms: dict[tuple[str, str], str]
    titles: dict[tuple[str, str], str]

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
