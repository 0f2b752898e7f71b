"""Dataverse on loopback, written from the published reference of its Web API: Entra tokens, OData, change tracking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from connect.dynamics import environment
from connect.dynamics.wire import (
    error,
    refused,
)
from connect.dynamics.writing import Writing
from connect.stand_in import RETRY_AFTER, Call, Kind, Reply, Schema, route
from leadlight.connect.protocol import Value


class StandIn(Writing):
    system = "dynamics"
    people = Kind("lead", text="jobtitle", number="numberofemployees", history="jobtitle", more={"lastname": "Doe"})
    accounts = Kind("account", text="name", number="numberofemployees", history="name")
    deals = Kind("opportunity", text="name", number="estimatedvalue")
    events = Kind("phonecall", text="subject", writes=False)
    secrets: Mapping[str, str] = {
        "client_id": "11111111-2222-3333-4444-555555555555",
        "client_secret": "stand-in~client~secret",
    }
    lacks: Mapping[str, str] = {
        "webhook": "Dataverse sends a fixed key and signs no content (see test_dynamics_write.py)"
    }
    words: Mapping[str, str] = {
        "sign_in": "App registrations",
        "scope": "Security roles",
        "disabled": "Power Platform admin center",
        "absent": "make.powerapps.com",
    }

    # ------------------------------------------------------------------------------------------ what vendors say

    def schema(self) -> Schema:
        return {name: dict(columns) for name, columns in environment.SCHEMA.items()}

    def settings(self) -> dict[str, Any]:
        return {"url": self.url, "tenant": "contoso.onmicrosoft.com", "login": self.url}

    def reset(self) -> None:
        super().reset()
        self.tracked = set(environment.TRACKED)
        self.tokens_expired = False
        """Whether tokens of change tracking have run out."""
        self.may_customize = self.may_audit = self.updates_multiple = True
        self.parties: list[tuple[str, str, int]] = []
        """Who took part: activity, party, participationtypemask."""
        self.choices = {name: list(labels) for name, labels in environment.CHOICES.items()}
        self._tokens_given = 0
        self.last_rows: tuple[Any, list[Mapping[str, Any]]] = (None, [])

    def authorised(self, call: Call) -> Reply | None:
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens or self.revoked:
            return Reply(b"", 401, {"WWW-Authenticate": "Bearer"})
        if self.scope_missing:
            return error("0x80040220", "Principal user (Id=1, type=2) is missing prvReadLead privilege", 403)
        if self.disabled:
            return error("0x8004A112", "The environment is in administration mode.", 403)
        if call.headers.get("odata-version") != "4.0":
            return error("0x0", "OData-Version is missing", 400)
        return None

    def too_many(self) -> Reply:
        message = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
        return Reply(error("0x80072322", message, 429).body, 429, {"Retry-After": str(RETRY_AFTER)})

    def new_id(self, name: str, number: int) -> str:
        kind = sorted(environment.SETS).index(name)
        return str(UUID(int=(0x60C4E274 << 96) | (0x4D87 << 64) | (0x8 << 60) | (kind << 40) | number))

    def custom_name(self, name: str) -> str:
        return f"new_{name}"

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        values["modifiedon"] = at
        for column, value in (("createdon", at), ("statecode", environment.STATES.get(name, [None])[0])):
            if column in values and values[column] is None:
                values[column] = value
        for column, kind in self.fields[name].items():
            if kind == "bool" and values.get(column) is None:
                values[column] = False

    # ------------------------------------------------------------------------------------------- the system's life

    def merge(self, name: str, loser: str, winner: str) -> str:
        state = {} if name == "lead" else {"statecode": "Inactive"}
        self.edit(name, loser, merged=True, masterid=winner, **state)
        self.edit(name, winner)
        return winner

    def convert(self, name: str, id: str) -> str:  # noqa: A002
        lead = self.held(name, id).values
        kept = {key: lead.get(key) for key in ("emailaddress1", "firstname", "lastname", "jobtitle")}
        contact = self.add("contact", originatingleadid=id, **kept)
        self.edit(name, id, statecode="Qualified")
        return contact

    # ----------------------------------------------------------------------------------------------------- sign-in

    @route("POST", "/{tenant}/oauth2/v2.0/token", open=True)
    def token(self, call: Call) -> Reply:
        form = call.form()
        if form.get("grant_type") != "client_credentials" or form.get("scope") != f"{self.url}/.default":
            return refused("AADSTS500011: The resource principal was not found in the tenant.")
        if form.get("client_id") != self.secrets["client_id"]:
            return refused("AADSTS700016: Application with identifier 'x' was not found in the directory 'Contoso'.")
        if form.get("client_secret") != self.secrets["client_secret"]:
            return refused("AADSTS7000215: Invalid client secret provided.")
        if self.revoked:
            return refused("AADSTS7000222: The provided client secret keys for app 'x' are expired.")
        self._tokens_given += 1
        token = f"eyJ0-stand-in-access-token-{self._tokens_given}"
        self.tokens.add(token)
        return Reply({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})
