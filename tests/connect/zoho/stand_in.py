"""A stand-in for Zoho CRM, written from its published reference and OpenAPI description of API v8 (zoho/crm-oas).

Lists by page token (bound to what was asked, at most 100,000 records), `If-Modified-Since` with 304, converted leads
only where they are asked for, deleted records, updates of 100 with an answer each, fields that can be made, and tokens
of an hour, of which there are ten in ten minutes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connect.stand_in import Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base

LOOKUPS = {
    "Account_Name", "Contact_Name", "Who_Id", "What_Id", "Owner", "Converted_Contact", "Converted_Account",
}  # fmt: skip
CUSTOM = {"Seniority", "Team_Size", "Segment", "Product"}
FORMS = {"text": "text", "number": "double", "time": "datetime", "bool": "boolean"}
TYPES = {form: kind for kind, form in FORMS.items()} | {"textarea": "text"}
IDS, PER_PAGE, FIELDS, BATCH, TEXT = 100, 200, 50, 100, 255
AHEAD = timedelta(hours=2)
TOKENS, TOKEN_WINDOW = 10, 600.0


class StandIn(Base):
    """An organisation of Zoho CRM."""

    system = "zoho"
    people = Kind("Leads", text="Seniority", number="Team_Size", history="Seniority", more={"Last_Name": "Lovelace"})
    accounts = Kind("Accounts", text="Segment")
    deals = Kind("Deals", text="Product", number="Amount")
    events = Kind("Calls", text="Subject", writes=False)
    secrets = {
        "client_id": "1000.CLIENT77",
        "client_secret": "zoho-secret-88",
        "refresh_token": "1000.refresh-99",
        "webhook_token": "channel-token-11",
    }
    lacks = {
        "merge": "tells who was merged away, as deleted, but not into whom",
        "elsewhere": "pages are found by tokens, not by links",
        "webhook": "notifications are not signed: their token is tested in test_zoho.py",
    }
    words = {"sign_in": "Self Client", "scope": "Generate Code", "disabled": "API Access"}

    def schema(self) -> Schema:
        times = {"Created_Time": "time", "Modified_Time": "time"}
        return {
            "Leads": {
                "First_Name": "text", "Last_Name": "text", "Full_Name": "text", "Email": "text", "Phone": "text",
                "Company": "text", "Designation": "text", "Lead_Source": "text", "Industry": "text",
                "No_of_Employees": "number", "Annual_Revenue": "number", "Country": "text", "Email_Opt_Out": "bool",
                "Converted_Contact": "text", "Converted_Account": "text", "Seniority": "text", "Team_Size": "number",
                **times,
            },
            "Contacts": {
                "First_Name": "text", "Last_Name": "text", "Full_Name": "text", "Email": "text", "Phone": "text",
                "Title": "text", "Lead_Source": "text", "Mailing_Country": "text", "Email_Opt_Out": "bool",
                "Account_Name": "text", "Seniority": "text", **times,
            },
            "Accounts": {
                "Account_Name": "text", "Website": "text", "Industry": "text", "Employees": "number",
                "Annual_Revenue": "number", "Billing_Country": "text", "Segment": "text", **times,
            },
            "Deals": {
                "Deal_Name": "text", "Stage": "text", "Amount": "number", "Closing_Date": "time",
                "Contact_Name": "text", "Product": "text", **times,
            },
            "Calls": {
                "Subject": "text", "Call_Type": "text", "Call_Start_Time": "time", "Call_Duration_in_seconds": "number",
                "Who_Id": "text", "What_Id": "text", **times,
            },
            "Events": {"Event_Title": "text", "Start_DateTime": "time", "Who_Id": "text", "What_Id": "text", **times},
            "Tasks": {"Subject": "text", "Description": "text", "Who_Id": "text", "What_Id": "text", **times},
            "Campaigns": {"Campaign_Name": "text", "Status": "text", **times},
            "Notes": {"Note_Title": "text", "Note_Content": "text", "Parent_Id": "text", **times},
        }  # fmt: skip

    def reset(self) -> None:
        super().reset()
        self.forms: dict[tuple[str, str], str] = {}
        self.labels: dict[tuple[str, str], str] = {}
        self.token_most = 100_000
        self.given: list[float] = []
        """When access tokens were given."""

    def settings(self) -> dict[str, Any]:
        return {"url": self.url, "accounts": self.url, "region": "eu", "history": True}

    def new_id(self, name: str, number: int) -> str:  # noqa: ARG002
        return f"4150868{number:012d}"

    def fill(self, name: str, values: dict[str, Any], id: str, at: datetime) -> None:  # noqa: A002
        values["Created_Time"] = values.get("Created_Time") or at
        values["Modified_Time"] = self.clock.now() if id in self.records.get(name, {}) else at
        if "Full_Name" in values:
            values["Full_Name"] = " ".join(filter(None, (values.get("First_Name"), values.get("Last_Name")))) or None

    def convert(self, name: str, id: str) -> str:  # noqa: A002
        lead = self.held(name, id).values
        made = self.add("Contacts", Last_Name=lead["Last_Name"], Email=lead["Email"])
        self.edit(name, id, Converted_Contact=made)
        return made

    # ----------------------------------------------------------------------------------------------- signing in

    @staticmethod
    def error(status: int, code: str, message: str, **details: Any) -> Reply:
        return Reply({"code": code, "details": details, "message": message, "status": "error"}, status)

    def authorised(self, call: Call) -> Reply | None:
        token = call.headers.get("authorization", "").removeprefix("Zoho-oauthtoken ")
        if self.revoked or token not in self.tokens:
            return self.error(401, "INVALID_TOKEN", "invalid oauth token")
        if self.disabled:
            return self.error(403, "NO_PERMISSION", "permission denied", permissions=["Crm_Implied_Api_Access"])
        if self.scope_missing:
            return self.error(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
        if self.per_day is not None and self.today[1] > self.per_day:
            return self.error(429, "LIMIT_EXCEEDED", "You have reached the limit of API credits")
        return None

    @route("POST", "/oauth/v2/token", open=True)
    def token(self, call: Call) -> Reply:
        form, now = call.form(), self.clock.seconds
        self.given = [at for at in self.given if now - at < TOKEN_WINDOW]
        if len(self.given) >= TOKENS:
            words = "You have made too many requests continuously. Please try again after some time."
            return Reply({"error": "Access Denied", "error_description": words, "status": "failure"}, 400)
        for name in ("client_id", "client_secret", "refresh_token"):
            if self.revoked or form.get(name) != self.secrets[name]:
                return Reply({"error": "invalid_client" if name != "refresh_token" else "invalid_code"})
        self.given.append(now)
        token = f"1000.access-{len(self.calls)}"
        self.tokens.add(token)
        return Reply({"access_token": token, "api_domain": self.url, "token_type": "Bearer", "expires_in": 3600})

    def too_many(self) -> Reply:
        reply = self.error(429, "TOO_MANY_REQUESTS", "too many requests at the same time")
        return Reply(reply.body, 429, super().too_many().headers)

    # ------------------------------------------------------------------------------------------------- metadata

    @route("GET", "/crm/v8/settings/fields")
    def described(self, call: Call) -> Reply:
        module = call.params["module"]
        if module not in self.fields:
            return self.error(400, "INVALID_MODULE", "the module name given seems to be invalid", resource_path_index=0)
        listed = []
        for name, kind in self.fields[module].items():
            form = "lookup" if name in LOOKUPS else self.forms.get((module, name), FORMS[kind])
            form = "date" if name == "Closing_Date" else form
            label = self.labels.get((module, name), name.replace("_", " "))
            system = name in ("Created_Time", "Modified_Time") or name.startswith("Converted_")
            described = {"api_name": name, "field_label": label, "display_label": label, "data_type": form}
            custom = name in CUSTOM or name not in self.schema()[module]
            listed.append({**described, "custom_field": custom, "read_only": system, "pick_list_values": []})
        return Reply({"fields": listed})

    @route("POST", "/crm/v8/settings/fields")
    def make_fields(self, call: Call) -> Reply:
        module, asked = call.params["module"], call.json()["fields"]
        if len(asked) > 5:
            return self.error(400, "LIMIT_EXCEEDED", "too many fields")
        answers = []
        for one in asked:
            name = one["field_label"].replace(" ", "_")
            if name in self.fields[module]:
                answers.append(
                    {"code": "DUPLICATE_DATA", "message": "duplicate data", "status": "error", "details": {}}
                )
                continue
            self.forms[module, name], self.labels[module, name] = one["data_type"], one["field_label"]
            self.new_field(module, name, TYPES[one["data_type"]])
            answers.append({"code": "SUCCESS", "message": "field created", "status": "success", "details": {"id": "1"}})
        return Reply({"fields": answers}, 201)

    # -------------------------------------------------------------------------------------------------- records

    @route("GET", "/crm/v8/{module}")
    def listed(self, call: Call) -> Reply:
        module, params = call.path["module"], call.params
        if module not in self.fields:
            return self.error(400, "INVALID_MODULE", "the module name given seems to be invalid", resource_path_index=0)
        names = [name for name in params.get("fields", "").split(",") if name]
        if not names:
            return self.error(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing")
        if len(names) > FIELDS:
            return self.error(400, "LIMIT_EXCEEDED", "too many fields", limit=FIELDS, param_name="fields")
        asked = int(params.get("per_page", 200))
        if asked > PER_PAGE:
            return self.error(400, "INVALID_DATA", "per_page", param_name="per_page")
        size, since = self.saw_page(asked), call.headers.get("if-modified-since")
        found = self.changed_since(module)
        if since is not None:
            after = datetime.fromisoformat(since).replace(tzinfo=None)
            found = [one for one in found if one.modified > after]
        if params.get("converted") != "both":
            found = [one for one in found if not one.values.get("Converted_Contact")]
        if "ids" in params:
            ids = params["ids"].split(",")
            if len(ids) > IDS:
                return self.error(400, "LIMIT_EXCEEDED", "too many ids", limit=IDS, param_name="ids")
            found = [one for one in found if one.id in ids]
        bound = [params.get("fields"), since, asked]
        walked = 0
        if "page_token" in params:
            token = json.loads(base64.urlsafe_b64decode(params["page_token"]))
            if token["bound"] != bound:
                return self.error(400, "TOKEN_BOUND_DATA_MISMATCH", "token mismatch", param_name="page_token")
            walked = token["walked"]
            if walked >= self.token_most:
                words = "You can only get upto 100000 records using page_token param"
                return self.error(400, "PAGINATION_LIMIT_EXCEEDED", words, param_name="page_token")
            found = [one for one in found if self.place(one) > tuple(token["after"])]
        if not found:
            return Reply(None, 304) if since is not None else Reply(None, 204)
        page, more = found[:size], len(found) > size
        state = {"after": self.place(page[-1]), "walked": walked + len(page), "bound": bound}
        marker = base64.urlsafe_b64encode(json.dumps(state).encode()).decode() if more else None
        info = {"per_page": asked, "count": len(page), "more_records": more, "next_page_token": marker, "page": 1}
        return Reply({"data": [self.wire(one, names) for one in page], "info": info})

    @staticmethod
    def place(record: Record) -> tuple[str, int]:
        return record.modified.isoformat(), record.order

    @route("GET", "/crm/v8/{module}/deleted")
    def deleted(self, call: Call) -> Reply:
        after = datetime.fromisoformat(call.headers["if-modified-since"]).replace(tzinfo=None)
        found = self.changed_since(call.path["module"], after, gone=True)
        found = [one for one in found if one.gone]
        if not found:
            return Reply(None, 304)
        size, page = self.saw_page(int(call.params["per_page"])), int(call.params["page"])
        some = found[(page - 1) * size : page * size]
        data = [{"id": one.id, "type": "recycle", "deleted_time": self.told(one.modified)} for one in some]
        return Reply({"data": data, "info": {"page": page, "more_records": page * size < len(found)}})

    @route("PUT", "/crm/v8/{module}")
    def update(self, call: Call) -> Reply:
        module, data = call.path["module"], call.json()["data"]
        self.saw_batch(len(data))
        if len(data) > BATCH:
            return self.error(400, "LIMIT_EXCEEDED", "too many records")
        answers = [self.updated(module, place, one) for place, one in enumerate(data)]
        failed = sum(one["status"] == "error" for one in answers)
        return Reply({"data": answers}, 200 if not failed else 400 if failed == len(answers) else 207)

    def updated(self, module: str, place: int, one: Mapping[str, Any]) -> dict[str, Any]:
        id, why = one["id"], self.refused.get((module, one["id"]))  # noqa: A001
        if id not in self.alive(module):
            return self.refusal("INVALID_DATA", "the id given seems to be invalid", "id", place)
        if why == "locked":
            return self.refusal("RECORD_LOCKED", "the record is locked", "id", place)
        if why is not None:
            return self.refusal("INVALID_DATA", why, next(name for name in one if name != "id"), place)
        values: dict[str, Any] = {}
        for name, value in one.items():
            kind = self.fields[module].get(name)
            if name == "id" or kind is None:  # fields that there are not are passed over
                continue
            if value is not None and isinstance(value, str) is (kind in ("number", "bool")):
                return self.refusal("INVALID_DATA", "invalid data", name, place)
            if kind == "text" and value is not None and len(value) > TEXT:
                return self.refusal("INVALID_DATA", "invalid data", name, place)
            if kind == "time" and value is not None:
                value = datetime.fromisoformat(value)
                assert value.utcoffset() == timedelta(0)
                value = value.replace(tzinfo=None)
            values[name] = float(value) if kind == "number" and value is not None else value
        self.edit(module, id, **values)
        return {"code": "SUCCESS", "details": {"id": id}, "message": "record updated", "status": "success"}

    @staticmethod
    def refusal(code: str, words: str, name: str, place: int) -> dict[str, Any]:
        details = {"api_name": name, "json_path": f"$.data[{place}].{name}"}
        return {"code": code, "details": details, "message": words, "status": "error"}

    @route("POST", "/crm/v8/{module}")
    def insert(self, call: Call) -> Reply:
        module, answers = call.path["module"], []
        self.saw_batch(len(call.json()["data"]))
        for place, one in enumerate(call.json()["data"]):
            about = one.get("Who_Id") or one.get("What_Id") or one["Parent_Id"]
            name = "Contacts" if "Who_Id" in one else one.get("$se_module") or about["module"]["api_name"]
            key = next(key for key in ("Who_Id", "What_Id", "Parent_Id") if key in one)
            if about["id"] not in self.alive(name):
                answers.append(self.refusal("INVALID_DATA", "the related id given seems to be invalid", key, place))
                continue
            words = one.get("Description") or one["Note_Content"]
            flat = {
                field: value for field, value in one.items() if isinstance(value, str) and field in self.fields[module]
            }
            made = self.add(module, **flat, **{key: about["id"]})
            self.notes.append({**one, "record": about["id"], "text": words, "id": made})
            answers.append({"code": "SUCCESS", "details": {"id": made}, "message": "record added", "status": "success"})
        failed = sum(one["status"] == "error" for one in answers)
        return Reply({"data": answers}, 201 if not failed else 400 if failed == len(answers) else 207)

    @route("GET", "/crm/v8/{module}/{id}/__timeline")
    def timeline(self, call: Call) -> Reply:
        record = self.held(call.path["module"], call.path["id"])
        added: dict[str, Any] = {"audited_time": self.told(record.created), "action": "added", "field_history": None}
        told = [
            {
                "audited_time": self.told(one.at),
                "action": "updated",
                "field_history": [
                    {
                        "api_name": one.field,
                        "_value": {
                            "old": None if one.old is None else str(one.old),
                            "new": None if one.new is None else str(one.new),
                        },
                    }
                ],
            }
            for one in record.history
        ]
        found, start = [added, *told], int(call.params.get("page_token", 0))
        more = len(found) > start + PER_PAGE
        info = {"next_page_token": str(start + PER_PAGE) if more else None, "more_records": more}
        return Reply({"__timeline": found[start : start + PER_PAGE], "info": info})

    @route("GET", "/crm/v8/{module}/{id}/{related}")
    def related(self, call: Call) -> Reply:
        id, related = call.path["id"], call.path["related"]  # noqa: A001
        if id not in self.alive(call.path["module"]):
            return self.error(400, "INVALID_DATA", "the id given seems to be invalid")
        keys = ("Who_Id", "What_Id", "Parent_Id")
        found = [one for one in self.changed_since(related) if id in [one.values.get(key) for key in keys]]
        if not found:
            return Reply(None, 204)
        return Reply({"data": [self.wire(one, call.params["fields"].split(",")) for one in found], "info": {}})

    # --------------------------------------------------------------------------------------------------- wire

    @staticmethod
    def told(moment: datetime) -> str:
        """Return a time as the organisation writes it, two hours ahead of UTC."""
        return f"{moment + AHEAD:%Y-%m-%dT%H:%M:%S}+02:00"

    def wire(self, record: Record, names: list[str]) -> dict[str, Any]:
        """Return a record as it goes over the wire."""
        out: dict[str, Any] = {"id": record.id}
        for name in names:
            value = record.values.get(name)
            if name == "$se_module":
                about = record.values.get("What_Id")
                value = next((module for module in self.records if about in self.records[module]), None)
            elif isinstance(value, datetime):
                value = f"{value:%Y-%m-%d}" if name == "Closing_Date" else self.told(value)
            elif name in LOOKUPS and value is not None and not (record.object == "Accounts" and name == "Account_Name"):
                value = {"id": value, "name": f"Name of {value}"}
            out[name] = value
        return out
