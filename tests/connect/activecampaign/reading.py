"""ActiveCampaign on loopback: what is described, listed, and sent along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from connect.stand_in import Call, Record, Reply, route
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


class Reading(Base):
    """Its half that is asked."""

    forms: dict[tuple[str, str], str]
    titles: dict[tuple[str, str], str]
    numbers: dict[tuple[str, str], str]
    listless: set[str]
    crm: bool

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

    @route("GET", "/api/3/dealCustomFieldMeta")
    def deal_fields(self, call: Call) -> Reply:
        return self.described(call, "deals", "dealCustomFieldMeta")

    @route("GET", "/api/3/accountCustomFieldMeta")
    def account_fields(self, call: Call) -> Reply:
        return self.described(call, "accounts", "accountCustomFieldMeta")

    def described(self, call: Call, name: str, key: str) -> Reply:
        if name == "deals" and not self.crm:
            return Reply({"message": "Upgrade your account to enable the CRM"}, 403)
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
