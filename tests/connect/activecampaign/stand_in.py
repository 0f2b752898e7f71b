"""A stand-in for ActiveCampaign, written from its published reference (API v3).

Contacts by id (`id_greater`) with values that are sent along, other lists by offset, numbers written as texts, cents,
five requests a second, and 403 for a wrong key as for a missing permission.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connect.activecampaign.writing import Writing
from connect.stand_in import RETRY_AFTER, Call, Kind, Reply, Schema, route


class StandIn(Writing):
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
