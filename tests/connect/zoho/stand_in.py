"""A stand-in for Zoho CRM, written from its published reference and OpenAPI description of API v8 (zoho/crm-oas).

Lists by page token (bound to what was asked, at most 100,000 records), `If-Modified-Since` with 304, converted leads
only where they are asked for, deleted records, updates of 100 with an answer each, fields that can be made, and tokens
of an hour, of which there are ten in ten minutes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connect.stand_in import Call, Kind, Reply, Schema, route
from connect.zoho.reading import TOKEN_WINDOW, TOKENS
from connect.zoho.writing import Writing


class StandIn(Writing):
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
