"""Salesforce on loopback, written from its published REST reference: OAuth 2, describe, SOQL, collections, Tooling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connect.salesforce import org
from connect.salesforce.wire import error
from connect.salesforce.writing import Writing
from connect.stand_in import RETRY_AFTER, Call, Kind, Reply, Schema, route
from leadlight.connect.protocol import Value

PERMISSION_SET = "0PS5g000000SETAAA4"


class StandIn(Writing):
    system = "salesforce"
    people = Kind("Lead", text="Title", number="NumberOfEmployees", history="Title", more={"LastName": "Doe"})
    accounts = Kind("Account", text="Name", number="NumberOfEmployees", history="Name")
    deals = Kind("Opportunity", text="Name", number="Amount", history="StageName")
    events = Kind("Event", text="Subject", writes=False)
    secrets: Mapping[str, str] = {
        "client_id": "3MVG9-stand-in-consumer-key",
        "client_secret": "stand-in-consumer-secret",
    }
    lacks: Mapping[str, str] = {
        "elsewhere": "links to the next page are paths, they name no host",
        "webhook": "Salesforce tells of changes by streams, not by webhooks",
    }
    words: Mapping[str, str] = {
        "sign_in": "External Client App Manager",
        "scope": "External Client App Manager",
        "disabled": "Permission Sets",
        "absent": "Object Manager",
    }

    # ------------------------------------------------------------------------------------------ what vendors say

    def schema(self) -> Schema:
        return {name: dict(fields) for name, fields in org.SCHEMA.items()}

    def reset(self) -> None:
        super().reset()
        self.may_customize = True
        self.founded = None
        self.permission_sets = {"Leadlight": PERMISSION_SET}
        self.hidden: set[tuple[str, str]] = set()
        """Fields that were made and that nobody may see yet."""
        self.purged: list[tuple[str, str, datetime]] = []
        """What was deleted for good: object, id, when it was deleted."""
        self.locators: dict[str, tuple[list[Mapping[str, Any]], list[str], int]] = {}
        self._tokens_given = 0

    def authorised(self, call: Call) -> Reply | None:
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens or self.revoked:
            return error("INVALID_SESSION_ID", "Session expired or invalid", 401)
        if self.scope_missing:
            return error("INVALID_SESSION_ID", "This session is not valid for use with the REST API", 401)
        if self.disabled:
            return error("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", 403)
        if self.per_day is not None and self.today[1] > self.per_day:
            return error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)
        return None

    def too_many(self) -> Reply:
        told = error("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", 403)
        return Reply(told.body, told.status, {"Retry-After": str(RETRY_AFTER)})

    def new_id(self, name: str, number: int) -> str:
        return f"{org.PREFIXES[name]}5g{number:010d}AA0"

    def custom_name(self, name: str) -> str:
        return f"{name}__c"

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        for field in org.STAMPS:
            if field != "CreatedDate" or values.get(field) is None:
                values[field] = at
        for field, kind in self.fields[name].items():
            if kind == "bool" and values.get(field) is None:
                values[field] = False
        if name == "CampaignMember":
            values["LeadOrContactId"] = values.get("ContactId") or values.get("LeadId")

    # ------------------------------------------------------------------------------------------- the system's life

    def merge(self, name: str, loser: str, winner: str) -> str:
        for other, fields in (("Task", ("WhoId",)), ("OpportunityContactRole", ("ContactId",))):
            for record in list(self.records[other].values()):
                for field in fields:
                    if record.values.get(field) == loser:
                        self.edit(other, record.id, **{field: winner})
        return super().merge(name, loser, winner)

    def convert(self, name: str, id: str) -> str:  # noqa: A002
        lead = self.held(name, id).values
        account = self.add("Account", Name=lead.get("Company"))
        kept = {key: lead.get(key) for key in ("Email", "FirstName", "LastName", "Title", "Phone", "LeadSource")}
        contact = self.add("Contact", AccountId=account, **kept)
        self.edit(name, id, IsConverted=True, ConvertedContactId=contact, ConvertedAccountId=account)
        return contact

    def purge(self, name: str, id: str) -> None:  # noqa: A002
        """Delete a record for good, past the bin."""
        self.purged.append((name, id, self.clock.now()))
        del self.records[name][id]

    def forget_queries(self) -> None:
        """Forget the rest of all queries, as after two days."""
        self.locators.clear()

    # ----------------------------------------------------------------------------------------------------- sign-in

    @route("POST", "/services/oauth2/token", open=True)
    def token(self, call: Call) -> Reply:
        form = call.form()
        if form.get("client_id") != self.secrets["client_id"]:
            return Reply({"error": "invalid_client_id", "error_description": "client identifier invalid"}, 400)
        if form.get("client_secret") != self.secrets["client_secret"]:
            return Reply({"error": "invalid_client", "error_description": "invalid client credentials"}, 400)
        if form.get("grant_type") not in ("client_credentials", "refresh_token"):
            return Reply({"error": "unsupported_grant_type", "error_description": "grant type not supported"}, 400)
        refreshed = form["grant_type"] == "refresh_token"
        if self.revoked or (refreshed and form.get("refresh_token") != "stand-in-refresh-token"):
            told = "expired access/refresh token" if refreshed else "no client credentials user enabled"
            return Reply({"error": "invalid_grant", "error_description": told}, 400)
        self._tokens_given += 1
        token = f"00D5g!stand-in-access-token-{self._tokens_given}"
        self.tokens.add(token)
        return Reply(
            {
                "access_token": token,
                "signature": "c2lnbmF0dXJl",
                "scope": "api",
                "instance_url": self.url,
                "id": f"{self.url}/id/00D5g0000000001EAA/0055g0000000001AAA",
                "token_type": "Bearer",
                "issued_at": "1772442000000",
            }
        )
