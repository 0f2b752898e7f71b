"""A shop's API, as there are many: pages by a link in the JSON, changes by a parameter, a key in a header."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import Any

from connect.stand_in import Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

READ_ONLY = "it is only read"


class StandIn(Base):
    system = "rest"
    people = Kind("customers", text="title", number="employees")
    deals = Kind("orders", text="status", number="amount")
    secrets = {"token": "shop-secret-1"}
    words = {"sign_in": "LEADLIGHT_REST_TOKEN"}
    lacks = {
        "delete": "the shop tells of no deletions",
        "merge": "the shop merges nobody",
        "convert": "the shop converts nobody",
        "history": "the shop tells the present",
        "write": READ_ONLY,
        "refuse": READ_ONLY,
        "look": READ_ONLY,
        "ready": READ_ONLY,
        "note": READ_ONLY,
        "expire": "its key does not run out",
        "scope": "its key may all",
        "disable": "its API cannot be switched off",
        "drop_field": "its fields are told in leadlight.yaml",
        "new_field": "its fields are told in leadlight.yaml",
        "webhook": "nothing is known of its webhooks",
    }

    def settings(self) -> dict[str, Any]:
        endpoint = {
            "records": "data.items",
            "params": {"limit": 50},
            "created_at": "created_at",
            "modified_at": "updated_at",
            "since": "updated_after",
        }
        return {
            "url": f"{self.url}/v1",
            "sign": {"by": "header", "name": "X-Api-Key"},
            "paginator": {"type": "json_link", "next_url_path": "data.next"},
            "endpoints": {
                "customers": {**endpoint, "ordered": True, "fields": self.schema()["customers"]},
                "orders": {**endpoint, "fields": self.schema()["orders"]},
            },
        }

    def schema(self) -> Schema:
        own = {"created_at": "time", "updated_at": "time"}
        texts = dict.fromkeys(("email", "name", "title", "country"), "text")
        return {
            "customers": {**texts, "employees": "number", **own},
            "orders": {"customer_id": "text", "status": "text", "amount": "number", **own},
        }

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        values["updated_at"] = at
        values["created_at"] = values.get("created_at") or at

    def authorised(self, call: Call) -> Reply | None:
        if self.revoked or call.headers.get("x-api-key") != self.secrets["token"]:
            return Reply({"error": {"message": f"no key {call.headers.get('x-api-key')}"}}, 401)
        return None

    @route("GET", "/v1/{name}")
    def listed(self, call: Call) -> Reply:
        name = call.path["name"]
        if name not in self.records:
            return Reply({"error": {"message": "no such list"}}, 404)
        size, last = self.saw_page(int(call.params.get("limit", 50))), call.params.get("from", "")
        after = call.params.get("updated_after")
        since = datetime.fromisoformat(after).replace(tzinfo=None) if after else None
        found = self.changed_since(name, since)
        if last:
            at, _, order = last.partition("~")
            place = datetime.fromisoformat(at), int(order)
            found = self.changed_since(name, place[0])
            found = found[bisect_right(found, place, key=lambda one: (one.modified, one.order)) :]
        page = found[:size]
        more = f"{self.url}/v1/{name}?limit={size}&from={_place(page[-1])}" if len(found) > size else None
        return Reply({"data": {"items": [_wire(one) for one in page], "next": more}})


def _place(record: Record) -> str:
    return f"{record.modified.isoformat()}~{record.order}"


def _wire(record: Record) -> dict[str, Any]:
    values = {
        name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value for name, value in record.values.items()
    }
    return {"id": int(record.id), **values}
