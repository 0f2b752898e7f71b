"""A stand-in for Pipedrive, written from its published reference and its Node client's types (npm `pipedrive`, MIT).

API v2 for people, organizations, deals and activities (opaque cursors, `updated_since`, hashes for custom fields,
strict types); v1 for the lead inbox, notes and `recents`; OAuth 2 with a refresh token, or `x-api-token`.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from connect.pipedrive.writing import Writing
from connect.stand_in import RETRY_AFTER, Call, Kind, Reply, Schema, route


class StandIn(Writing):
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
