"""A stand-in for ActiveCampaign, written from its published reference (API v3).

Contacts by id (`id_greater`) with values that are sent along, other lists by offset, numbers written as texts, cents,
five requests a second, and 403 for a wrong key as for a missing permission.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from connect.stand_in import RETRY_AFTER, Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base

STANDARD = {
    "email", "firstName", "lastName", "phone", "account", "tags", "sentcnt", "bounced_hard", "bounced_soft", "cdate",
    "udate",
}  # fmt: skip
FORMS = {"text": "text", "number": "number", "time": "datetime", "bool": "text"}
TYPES = {"text": "text", "textarea": "text", "number": "number", "datetime": "time"}
STATES = {"open": "0", "won": "1", "lost": "2", None: "0"}
MODELS = {"email_sent": "log", "email_open": "link-data", "email_machine_open": "mpp-link-data"}
LIMIT = 100
BEHIND = timedelta(hours=5)


class StandIn(Base):
    """An account of ActiveCampaign."""

    system = "activecampaign"
    people = Kind("contacts", text="job_title", number="team_size", more={"email": "ada@acme.example"})
    accounts = Kind("accounts", text="name", writes=False)
    deals = Kind("deals", text="title", number="value", writes=False)
    events = Kind("activities", text="reference_action", writes=False, more={"kind": "email_open"})
    secrets = {"key": "ac-key-0123456789", "webhook_secret": "ac-hook-secret-1"}
    lacks = {
        "merge": "contacts that were merged are gone, and nothing says into whom",
        "convert": "there is one kind of people",
        "history": "it keeps none",
        "expire": "its keys do not run out",
        "elsewhere": "pages are found by ids and offsets, not by links",
        "webhook": "its webhooks are not signed: the secret in their address is tested in test_activecampaign.py",
    }
    words = {"sign_in": "Settings, Developer", "scope": "Users and groups", "disabled": "Billing"}

    def schema(self) -> Schema:
        return {
            "contacts": {
                "email": "text", "firstName": "text", "lastName": "text", "phone": "text", "account": "text",
                "tags": "text", "sentcnt": "number", "bounced_hard": "number", "bounced_soft": "number",
                "cdate": "time", "udate": "time", "job_title": "text", "team_size": "number", "interests": "text",
            },
            "accounts": {
                "name": "text", "accountUrl": "text", "createdTimestamp": "time", "updatedTimestamp": "time",
                "segment": "text",
            },
            "deals": {
                "title": "text", "status": "text", "value": "number", "currency": "text", "contact": "text",
                "account": "text", "stage": "text", "closed": "time", "cdate": "time", "mdate": "time",
                "margin": "number",
            },
            "activities": {
                "contact": "text", "kind": "text", "reference_type": "text", "reference_action": "text",
                "tstamp": "time",
            },
            "notes": {"note": "text", "relid": "text"},
        }  # fmt: skip

    def reset(self) -> None:
        super().reset()
        self.forms: dict[tuple[str, str], str] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.numbers: dict[tuple[str, str], str] = {}
        """Numbers of custom fields."""
        self.listless: set[str] = set()
        """Fields that were made and given to no list."""
        self.crm = True

    def settings(self) -> dict[str, Any]:
        return {"url": f"{self.url}/api/3"}

    def fill(self, name: str, values: dict[str, Any], id: str, at: datetime) -> None:  # noqa: A002
        created, changed = {
            "contacts": ("cdate", "udate"),
            "accounts": ("createdTimestamp", "updatedTimestamp"),
            "deals": ("cdate", "mdate"),
        }.get(name, ("tstamp", "tstamp"))
        values[created] = values.get(created) or at
        if changed != created:
            values[changed] = self.clock.now() if id in self.records.get(name, {}) else at
        if name == "deals":
            values["status"] = values.get("status") or "open"

    # ----------------------------------------------------------------------------------------------- signing in

    def authorised(self, call: Call) -> Reply | None:
        if self.revoked or call.headers.get("api-token") != self.secrets["key"]:
            return Reply({"message": "Forbidden"}, 403)
        if self.disabled:
            return Reply({"message": "Payment required"}, 402)
        if self.scope_missing and not call.url.endswith("/users/me"):
            return Reply({"message": "You do not have permission to do this"}, 403)
        return None

    def too_many(self) -> Reply:
        headers = {"Retry-After": str(RETRY_AFTER), "RateLimit-Limit": "5", "RateLimit-Remaining": "0"}
        return Reply({"message": "Too Many Requests"}, 429, headers)

    @route("GET", "/api/3/users/me")
    def me(self, _: Call) -> Reply:
        return Reply({"user": {"id": "1", "username": "leadlight"}})

    # --------------------------------------------------------------------------------------------------- fields

    def number(self, name: str, field: str) -> str:
        """Return the number of a custom field."""
        return self.numbers.setdefault((name, field), str(len(self.numbers) + 1))

    def custom(self, name: str) -> list[str]:
        """Return the custom fields of an object."""
        standard = STANDARD if name == "contacts" else set(self.schema()[name]) - {"segment", "margin"}
        return [field for field in self.fields[name] if field not in standard]

    def meta(self, call: Call, found: Sequence[Any]) -> tuple[list[Any], dict[str, str]]:
        """Return a page of a list by offset."""
        limit, offset = self.saw_page(int(call.params.get("limit", 20))), int(call.params.get("offset", 0))
        return list(found[offset : offset + min(limit, LIMIT)]), {"total": str(len(found))}

    @route("GET", "/api/3/fields")
    def listed_fields(self, call: Call) -> Reply:
        found = [
            {
                "id": self.number("contacts", field),
                "title": self.titles.get(("contacts", field), field.replace("_", " ").capitalize()),
                "perstag": field.upper(),
                "type": self.forms.get(("contacts", field), FORMS[self.fields["contacts"][field]]),
            }
            for field in self.custom("contacts")
        ]
        page, meta = self.meta(call, found)
        return Reply({"fields": page, "fieldOptions": [], "meta": meta})

    @route("POST", "/api/3/fields")
    def add_field(self, call: Call) -> Reply:
        told = call.json()["field"]
        name = told["perstag"].lower()
        if name in self.fields["contacts"]:
            return Reply({"errors": [{"title": "There is already a field with this title", "code": "duplicate"}]}, 422)
        self.forms["contacts", name], self.titles["contacts", name] = told["type"], told["title"]
        self.new_field("contacts", name, TYPES[told["type"]])
        self.listless.add(name)
        return Reply({"field": {**told, "id": self.number("contacts", name)}}, 201)

    @route("POST", "/api/3/fieldRels")
    def relate(self, call: Call) -> Reply:
        told = call.json()["fieldRel"]
        name = next(field for (_, field), number in self.numbers.items() if number == str(told["field"]))
        self.listless.discard(name)
        return Reply({"fieldRel": told}, 201)

    @route("GET", "/api/3/dealCustomFieldMeta")
    def deal_fields(self, call: Call) -> Reply:
        return self.described(call, "deals", "dealCustomFieldMeta")

    @route("GET", "/api/3/accountCustomFieldMeta")
    def account_fields(self, call: Call) -> Reply:
        return self.described(call, "accounts", "accountCustomFieldMeta")

    def described(self, call: Call, name: str, key: str) -> Reply:
        found = [
            {
                "id": self.number(name, field),
                "fieldLabel": field.replace("_", " ").capitalize(),
                "personalization": field.upper(),
                "fieldType": "currency" if field == "margin" else FORMS[self.fields[name][field]],
            }
            for field in self.custom(name)
        ]
        page, meta = self.meta(call, found)
        return Reply({key: page, "meta": meta})

    # ------------------------------------------------------------------------------------------------- contacts

    @route("GET", "/api/3/contacts")
    def contacts(self, call: Call) -> Reply:
        found = sorted(self.alive("contacts").values(), key=lambda one: int(one.id))
        params = call.params
        if call.all("ids[]"):
            found = [one for one in found if one.id in call.all("ids[]")]
        if "filters[updated_after]" in params:
            after = datetime.fromisoformat(params["filters[updated_after]"]).replace(tzinfo=None)
            found = [one for one in found if one.modified > after]
        total = len(found)
        if "id_greater" in params:
            found = [one for one in found if int(one.id) > int(params["id_greater"])]
        size = min(self.saw_page(int(params.get("limit", 20))), LIMIT)
        page, include = found[:size], params.get("include", "").split(",")
        body: dict[str, Any] = {"contacts": [self.contact(one) for one in page], "meta": {"total": str(total)}}
        if "fieldValues" in include:
            body["fieldValues"] = [value for one in page for value in self.values(one)]
        if "accountContacts" in include:
            body["accountContacts"] = [
                {"contact": one.id, "account": one.values["account"]} for one in page if one.values["account"]
            ]
        if "contactTags" in include:
            body["contactTags"] = [
                {"contact": one.id, "tag": tag}
                for one in page
                for tag in str(one.values["tags"] or "").split(";")
                if tag
            ]
        return Reply(body)

    def contact(self, record: Record) -> dict[str, Any]:
        values = record.values
        out = {name: values.get(name) or "" for name in ("email", "firstName", "lastName", "phone")}
        numbers = {name: str(int(values.get(name) or 0)) for name in ("sentcnt", "bounced_hard", "bounced_soft")}
        times = {name: self.told(values[name]) for name in ("cdate", "udate")}
        return {**out, **numbers, **times, "id": record.id, "orgid": "0", "deleted": "0", "anonymized": "0"}

    def values(self, record: Record) -> list[dict[str, Any]]:
        listed = []
        for field in self.custom("contacts"):
            value = record.values.get(field)
            if value is None:
                continue
            told = self.told(value) if isinstance(value, datetime) else str(value)
            if field == "interests":
                told = "||" + "||".join(told.split(";")) + "||"
            listed.append({"contact": record.id, "field": self.number("contacts", field), "value": told})
        return listed

    @route("GET", "/api/3/tags")
    def tags(self, call: Call) -> Reply:
        page, meta = self.meta(call, [{"id": "hot", "tag": "Hot lead"}, {"id": "eu", "tag": "Europe"}])
        return Reply({"tags": page, "meta": meta})

    @route("PUT", "/api/3/contacts/{id}")
    def update(self, call: Call) -> Reply:
        id = call.path["id"]  # noqa: A001
        self.saw_batch(1)
        if id not in self.alive("contacts"):
            return Reply({"message": f"No Result found for Subscriber with id {id}"}, 404)
        why = self.refused.get(("contacts", id))
        if why is not None:
            return Reply({"errors": [{"title": why, "code": "field_invalid"}]}, 423 if why == "locked" else 422)
        values: dict[str, Any] = {}
        for one in call.json()["contact"]["fieldValues"]:
            field = next(name for (_, name), number in self.numbers.items() if number == str(one["field"]))
            kind, told = self.fields["contacts"][field], one["value"]
            assert isinstance(told, str)
            moment = datetime.fromisoformat(told).replace(tzinfo=None) if kind == "time" and told else None
            typed = float(told) if kind == "number" and told else told or None
            values[field] = moment if kind == "time" else typed
        self.edit("contacts", id, **values)
        return Reply({"contact": self.contact(self.held("contacts", id))})

    # ------------------------------------------------------------------------------------------- what is by offset

    @route("GET", "/api/3/accounts")
    def accounts_(self, call: Call) -> Reply:
        found = sorted(self.alive("accounts").values(), key=lambda one: int(one.id))
        page, meta = self.meta(call, found)
        return Reply({"accounts": [self.wire(one) for one in page], "meta": meta})

    @route("GET", "/api/3/deals")
    def deals_(self, call: Call) -> Reply:
        if not self.crm:
            return Reply({"message": "Upgrade your account to enable the CRM"}, 403)
        found = sorted(self.alive("deals").values(), key=lambda one: (one.created, int(one.id)))
        if "filters[updated_after]" in call.params:
            after = datetime.fromisoformat(call.params["filters[updated_after]"]).replace(tzinfo=None)
            found = [one for one in found if one.modified > after]
        page, meta = self.meta(call, found)
        return Reply({"deals": [self.wire(one) for one in page], "meta": meta})

    @route("GET", "/api/3/activities")
    def activities(self, call: Call) -> Reply:
        found = sorted(self.alive("activities").values(), key=lambda one: (str(one.values["tstamp"]), one.order))
        if "after" in call.params:
            after = datetime.fromisoformat(call.params["after"]).replace(tzinfo=None)
            found = [one for one in found if one.values["tstamp"] > after]
        page, meta = self.meta(call, found)
        return Reply({"activities": [self.wire(one) for one in page], "meta": meta})

    @route("GET", "/api/3/dealStages")
    def stages(self, call: Call) -> Reply:
        page, meta = self.meta(call, [{"id": "4", "title": "To contact", "group": "1"}])
        return Reply({"dealStages": page, "meta": meta})

    @route("GET", "/api/3/dealGroups")
    def pipelines(self, call: Call) -> Reply:
        page, meta = self.meta(call, [{"id": "1", "title": "Sales"}])
        return Reply({"dealGroups": page, "meta": meta})

    @route("GET", "/api/3/{object}/{id}/{related}")
    def related(self, call: Call) -> Reply:
        name, id, key = call.path["object"], call.path["id"], call.path["related"]  # noqa: A001
        if id not in self.alive(name):
            return Reply({"message": f"No Result found with id {id}"}, 404)
        if key == "notes":
            found = [one.values for one in self.alive("notes").values() if one.values["relid"] == id]
            page, meta = self.meta(call, found)
            return Reply({"notes": [{"note": one["note"]} for one in page], "meta": meta})
        values = self.held(name, id).values
        custom = [(field, values[field]) for field in self.custom(name) if values.get(field) is not None]
        told = [(field, value * 100 if field == "margin" else value) for field, value in custom]
        return Reply({key: [{"customFieldId": self.number(name, field), "fieldValue": one} for field, one in told]})

    @route("POST", "/api/3/notes")
    def add_note(self, call: Call) -> Reply:
        told = call.json()["note"]
        name = {"Subscriber": "contacts", "Deal": "deals", "CustomerAccount": "accounts"}[told["reltype"]]
        if str(told["relid"]) not in self.alive(name):
            return Reply({"message": "No Result found"}, 404)
        made = self.add("notes", note=told["note"], relid=str(told["relid"]))
        self.notes.append({**told, "record": str(told["relid"]), "text": told["note"], "id": made})
        return Reply({"note": {**told, "id": made}}, 201)

    # --------------------------------------------------------------------------------------------------- wire

    @staticmethod
    def told(moment: datetime) -> str:
        """Return a time as the account writes it, five hours behind UTC."""
        return f"{moment - BEHIND:%Y-%m-%dT%H:%M:%S}-05:00"

    def wire(self, record: Record) -> dict[str, Any]:
        """Return a deal, an account or an activity as it goes over the wire."""
        values = record.values
        out: dict[str, Any] = {"id": record.id}
        for name, value in values.items():
            if name not in self.custom(record.object):
                out[name] = self.told(value) if isinstance(value, datetime) else value
        if record.object == "deals":
            closed = values.get("closed")
            out |= {
                "status": STATES[values["status"]],  # type: ignore[index]
                "value": None if values.get("value") is None else str(round(float(str(values["value"])) * 100)),
                "stage": "4" if values.get("stage") else "0",
                "group": "1",
                "edate": self.told(closed) if isinstance(closed, datetime) else "0000-00-00 00:00:00",
            }
            del out["closed"]
        if record.object == "activities":
            kind = str(out.pop("kind") or "log")
            out |= {"subscriberid": out.pop("contact") or "0", "referenceModelName": MODELS.get(kind, kind)}
        return out
