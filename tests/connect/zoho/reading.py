"""Zoho CRM on loopback: what is described, listed, deleted, and told of before."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from connect.stand_in import Call, Record, Reply, route
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


class Reading(Base):
    """Its half that is asked."""

    forms: dict[tuple[str, str], str]
    labels: dict[tuple[str, str], str]
    token_most: int

    @staticmethod
    def error(status: int, code: str, message: str, **details: Any) -> Reply:
        return Reply({"code": code, "details": details, "message": message, "status": "error"}, status)

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
