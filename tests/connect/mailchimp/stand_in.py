"""A Mailchimp account in memory, written from its published reference (Marketing API 3.0) and checked by its client."""

import base64
import re
from datetime import datetime
from typing import Any, ClassVar

from connect.stand_in import Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.mailchimp.rows import event_id, member_id
from leadlight.connect.protocol import Value

AUDIENCE, CAMPAIGN = "aud1", "cmp1"
MEMBERS = "/3.0/lists/{list}/members"
OWN = {
    "email_address": "text",
    "full_name": "text",
    "status": "text",
    "unsubscribe_reason": "text",
    "created_at": "time",
    "last_changed": "time",
    "timestamp_opt": "time",
    "source": "text",
    "tags": "text",
    "language": "text",
    "email_client": "text",
    "country": "text",
    "member_rating": "number",
    "vip": "bool",
}
MERGE_KINDS = {"text": "text", "number": "number", "time": "date", "bool": "text"}


class StandIn(Base):
    """One audience (more where a test adds them), one campaign, one shop."""

    system = "mailchimp"
    people = Kind("members", text="JOB", number="EMPLOYEES")
    events = Kind("activity", text="url", writes=False, more={"type": "click"})
    deals = Kind("orders", text="currency", number="total", writes=False)
    secrets: ClassVar = {"api_key": "mailchimpkey1-us6", "webhook_secret": "mailchimp-hook-1"}
    lacks: ClassVar = {
        "history": "it keeps none of merge fields",
        "merge": "members are known by their address and never merged",
        "convert": "there is only one kind of people",
        "expire": "neither its keys nor its tokens run out",
        "elsewhere": "its lists are paged by number, not by links",
        "quota": "it has none a day",
        "webhook": "its webhooks are not signed, a secret stands in their address",
    }
    words: ClassVar = {"sign_in": "API keys", "scope": "Settings > Users", "disabled": "disabled"}

    def reset(self) -> None:
        self.emails: dict[str, str] = {}
        self.audiences = {AUDIENCE: "Customers"}
        self.campaigns = {CAMPAIGN: "Spring news"}
        self.wants_status = self.full = False
        """Whether a batch without `status` is refused for each record; whether it takes no more merge fields."""
        super().reset()

    def schema(self) -> Schema:
        return {
            "members": {**OWN, "FNAME": "text", "LNAME": "text", "PHONE": "text", "JOB": "text", "EMPLOYEES": "number"},
            "activity": {"member": "text", "type": "text", "timestamp": "time", "campaign": "text", "url": "text"},
            "orders": {
                "member": "text",
                "processed_at": "time",
                "result": "text",
                "total": "number",
                "currency": "text",
            },
        }

    # ------------------------------------------------------------------------------------------------ its life

    def new_id(self, name: str, number: int) -> str:
        if name != "members":
            return str(number)
        email = f"Person{number}@example.com"
        self.emails[member_id(email)] = email
        return member_id(email)

    def add(self, name: str, /, *, id: str | None = None, at: datetime | None = None, **values: Value) -> str:  # noqa: A002
        if name == "activity":
            at = (at or self.clock.now()).replace(microsecond=0)
            reader = member_id("reader@example.com")
            values = {"member": reader, "campaign": CAMPAIGN, "type": "click", "timestamp": at, **values}
            told = [str(values[key]) for key in ("member", "campaign", "type")]
            url = values.get("url")
            id = event_id(told[0], told[1], told[2], at, str(url) if url else None)  # noqa: A001
        if name == "members" and values.get("email_address"):
            id = member_id(str(values["email_address"]))  # noqa: A001
            self.emails[id] = str(values["email_address"])
        if name == "orders":
            id = id or f"shop:{len(self.records[name]) + 1}"  # noqa: A001
        return super().add(name, id=id, at=at, **values)

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002
        at = at.replace(microsecond=0)
        if name == "orders":
            values["processed_at"] = values.get("processed_at") or at
        if name != "members":
            return
        values["last_changed"] = at
        if id not in self.records[name]:
            values["created_at"] = values["timestamp_opt"] = at
            values["email_address"] = self.emails[id]
            values["status"] = values.get("status") or "subscribed"

    def custom_name(self, name: str) -> str:
        return name.upper()[:10]

    def forget(self, id: str) -> None:  # noqa: A002
        """Delete a member for good."""
        del self.records["members"][id]

    # ------------------------------------------------------------------------------------------------- signing

    def authorised(self, call: Call) -> Reply | None:
        told = call.headers.get("authorization", "")
        key = base64.b64decode(told[6:]).decode().partition(":")[2] if told.startswith("Basic ") else ""
        if self.revoked or (key != self.secrets["api_key"] and told != "Bearer mailchimp-token-1"):
            detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
            return _problem(401, "API Key Invalid", detail)
        if self.disabled:
            return _problem(403, "User Disabled", "This account has been disabled.")
        if self.scope_missing:
            return _problem(403, "Forbidden", "You don't have permission to access the requested resource.")
        return None

    def too_many(self) -> Reply:
        detail = "You have exceeded the limit of 10 simultaneous connections."
        return _problem(429, "Too Many Requests", detail, {"Retry-After": "7"})

    # -------------------------------------------------------------------------------------------------- reading

    @route("GET", "/3.0/ping")
    def ping(self, _: Call) -> Reply:
        return Reply({"health_status": "Everything's Chimpy!"})

    @route("GET", "/3.0/lists")
    def lists(self, _: Call) -> Reply:
        found = [{"id": id_, "name": name} for id_, name in self.audiences.items()]
        return Reply({"lists": found, "total_items": len(found)})

    @route("GET", "/3.0/lists/{list}/merge-fields")
    def merge_fields(self, call: Call) -> Reply:
        found = [
            {"merge_id": at, "tag": tag, "name": tag.title(), "type": MERGE_KINDS[kind], "options": {"size": 25}}
            for at, (tag, kind) in enumerate(self.fields["members"].items())
            if tag not in OWN
        ]
        offset, count = int(call.params.get("offset", 0)), int(call.params.get("count", 10))
        return Reply({"merge_fields": found[offset : offset + count], "total_items": len(found)})

    @route("GET", MEMBERS)
    def members(self, call: Call) -> Reply:
        told = call.params
        archived = told.get("status") == "archived"
        found = [one for one in self.records["members"].values() if one.gone == archived]
        if since := told.get("since_last_changed"):
            found = [one for one in found if _iso(one.values["last_changed"]) > since]
        field = {"timestamp_signup": "created_at"}.get(told.get("sort_field", ""), told.get("sort_field"))
        if field is not None:
            found.sort(key=lambda one: _iso(one.values[field]), reverse=told.get("sort_dir") == "DESC")
        offset, count = int(told.get("offset", 0)), self.saw_page(int(told.get("count", 10)))
        wire = [_only(self._wire(one), told.get("fields"), "members") for one in found[offset : offset + count]]
        return Reply({"members": wire, "list_id": call.path["list"], "total_items": len(found)})

    @route("GET", MEMBERS + "/{hash}")
    def member(self, call: Call) -> Reply:
        record = self.records["members"].get(call.path["hash"])
        return _absent() if record is None else Reply(self._wire(record))

    @route("GET", "/3.0/reports")
    def reports(self, _: Call) -> Reply:
        found = [{"id": id_, "campaign_title": title, "list_id": AUDIENCE} for id_, title in self.campaigns.items()]
        found.append({"id": "other", "campaign_title": "Others' news", "list_id": "aud9"})
        return Reply({"reports": found, "total_items": len(found)})

    @route("GET", "/3.0/reports/{campaign}/email-activity")
    def activity(self, call: Call) -> Reply:
        by_member: dict[str, list[dict[str, Any]]] = {}
        for one in self.records["activity"].values():
            held = one.values
            at = _iso(held["timestamp"])
            own = held["campaign"] == call.path["campaign"] and held["type"] != "unsubscribe"
            if own and at > call.params.get("since", ""):
                kind = {"type": "hard"} if held["type"] == "bounce" else {}
                by_member.setdefault(str(held["member"]), []).append(
                    {"action": held["type"], "timestamp": at, "url": held["url"], **kind}
                )
        found = [
            {"email_id": id_, "campaign_id": call.path["campaign"], "activity": own} for id_, own in by_member.items()
        ]
        offset, count = int(call.params.get("offset", 0)), self.saw_page(int(call.params.get("count", 10)))
        return Reply({"emails": found[offset : offset + count], "total_items": len(found)})

    @route("GET", "/3.0/reports/{campaign}/unsubscribed")
    def unsubscribed(self, call: Call) -> Reply:
        found = [
            {"email_id": one.values["member"], "timestamp": _iso(one.values["timestamp"]), "reason": "NORMAL"}
            for one in self.records["activity"].values()
            if one.values["type"] == "unsubscribe" and one.values["campaign"] == call.path["campaign"]
        ]
        return Reply({"unsubscribes": found, "total_items": len(found)})

    @route("GET", "/3.0/ecommerce/orders")
    def orders(self, call: Call) -> Reply:
        found = [
            {
                "id": one.id.partition(":")[2],
                "store_id": "shop",
                "customer": {"id": "c1", "email_address": "Buyer@example.com"},
                "currency_code": one.values["currency"],
                "order_total": one.values["total"],
                "processed_at_foreign": _iso(one.values["processed_at"]),
                "cancelled_at_foreign": "2026-03-01T00:00:00+00:00" if one.values["result"] == "cancelled" else "",
            }
            for one in self.alive("orders").values()
        ]
        offset, count = int(call.params.get("offset", 0)), self.saw_page(int(call.params.get("count", 10)))
        return Reply({"orders": found[offset : offset + count], "total_items": len(found)})

    def _wire(self, record: Record) -> dict[str, Any]:
        held = record.values
        return {
            "id": record.id,
            **{name: held.get(name) or "" for name in OWN if OWN[name] == "text"},
            "status": "archived" if record.gone else held["status"],
            "member_rating": held.get("member_rating") or 2,
            "vip": bool(held.get("vip")),
            "timestamp_signup": _iso(held["created_at"]),
            "timestamp_opt": _iso(held["timestamp_opt"]),
            "last_changed": _iso(record.modified),
            "location": {"country_code": held.get("country") or "", "latitude": 0},
            "tags": [{"id": 1, "name": tag} for tag in str(held.get("tags") or "").split(";") if tag],
            "merge_fields": {key: _merged(held[key]) for key in self.fields["members"] if key not in OWN},
        }

    # -------------------------------------------------------------------------------------------------- writing

    @route("POST", "/3.0/lists/{list}/merge-fields")
    def new_merge_field(self, call: Call) -> Reply:
        told = call.json()
        if self.full or len(told["tag"]) > 10 or told["type"] not in ("text", "number", "date"):
            return _problem(400, "Invalid Resource", "tag: Value must be at most 10 characters.")
        self.new_field("members", told["tag"], "number" if told["type"] == "number" else "text")
        return Reply({"merge_id": 99, **told})

    @route("POST", "/3.0/lists/{list}")
    def batch(self, call: Call) -> Reply:
        told = call.json()
        self.saw_batch(len(told["members"]))
        if len(told["members"]) > 500 or not told.get("update_existing"):
            return _problem(400, "Invalid Resource", "members: at most 500")
        updated: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for one in told["members"]:
            id_ = member_id(one["email_address"])
            record, wrong = self.alive("members").get(id_), self._wrong(id_, one["merge_fields"])
            if record is None or self.wants_status:
                wrong = wrong or "Please provide a status for this member."
            if wrong is not None:
                field = "JOB" if id_ in {key for _, key in self.refused} else ""
                code = {"error": wrong, "error_code": "ERROR_GENERIC", "field": field, "field_message": wrong}
                errors.append({"email_address": one["email_address"].lower(), **code})
            elif record is not None:
                self._update(id_, one)
                updated.append(self._wire(record))
        return Reply({"new_members": [], "updated_members": updated, "errors": errors, "error_count": len(errors)})

    @route("PATCH", MEMBERS + "/{hash}")
    def patch(self, call: Call) -> Reply:
        id_, told = call.path["hash"], call.json()
        self.saw_batch(1)
        if id_ not in self.records["members"]:
            return _absent()
        if wrong := self._wrong(id_, told["merge_fields"]):
            return _problem(400, "Invalid Resource", wrong)
        record = self.records["members"][id_]
        if not record.gone:
            self._update(id_, told)
        return Reply(self._wire(record))

    def _wrong(self, id_: str, values: dict[str, Any]) -> str | None:
        unknown = [key for key in values if key not in self.fields["members"]]
        if unknown:
            return f"Merge field {unknown[0]} does not exist"
        why = self.refused.get(("members", id_))
        return "The member is locked, try again" if why == "locked" else why

    def _update(self, id_: str, told: dict[str, Any]) -> None:
        kinds = self.fields["members"]
        new = {key: _held(value, kinds[key]) for key, value in told.get("merge_fields", {}).items()}
        if "status" in told:
            new["status"] = told["status"]
        self.edit("members", id_, **new)

    @route("GET", MEMBERS + "/{hash}/notes")
    def notes_of(self, call: Call) -> Reply:
        if call.path["hash"] not in self.alive("members"):
            return _absent()
        found = [
            {"id": at, "note": one["text"]} for at, one in enumerate(self.notes) if one["record"] == call.path["hash"]
        ]
        return Reply({"notes": found, "total_items": len(found)})

    @route("POST", MEMBERS + "/{hash}/notes")
    def new_note(self, call: Call) -> Reply:
        id_, words = call.path["hash"], call.json()["note"]
        if id_ not in self.alive("members"):
            return _absent()
        if len(words) > 1000 or ("members", id_) in self.refused:
            return _problem(400, "Invalid Resource", "note: not a valid value")
        key = re.search(r"\[leadlight ([^\]]+)\]", words)
        subject = words.partition("\n")[0]
        self.notes.append({"record": id_, "text": words, "subject": subject, "key": key[1] if key else ""})
        return Reply({"id": len(self.notes), "note": words})


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Reply:
    body = {"type": "https://mailchimp.com/developer/errors/", "title": title, "status": status, "detail": detail}
    return Reply({**body, "instance": "1"}, status, {"Content-Type": "application/problem+json", **(headers or {})})


def _absent() -> Reply:
    return _problem(404, "Resource Not Found", "The requested resource could not be found.")


def _only(wire: dict[str, Any], fields: str | None, under: str) -> dict[str, Any]:
    if not fields:
        return wire
    names = {name.partition(".")[2] for name in fields.split(",") if name.startswith(under + ".")}
    return {name: value for name, value in wire.items() if name in names}


def _iso(value: Value) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S}+00:00" if isinstance(value, datetime) else ""


def _merged(value: Value) -> Any:
    return "" if value is None else f"{value:%Y-%m-%d}" if isinstance(value, datetime) else value


def _held(value: Any, kind: str) -> Value:
    if value in ("", None):
        return None
    if kind == "number":
        return float(value)
    assert len(str(value).encode()) <= 255  # or it would be cut off, in the middle of a character perhaps
    return str(value)
