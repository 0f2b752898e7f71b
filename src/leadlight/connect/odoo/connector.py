"""Odoo as a connector: what it is, where it is, what is done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import Field

from leadlight.connect.auth import Bearer, Key
from leadlight.connect.http import Http, Way
from leadlight.connect.models import ModelSession
from leadlight.connect.odoo.describe import Models
from leadlight.connect.odoo.map import MAPPING, SCORECARD, STARTER
from leadlight.connect.odoo.read import PAGE, Reading
from leadlight.connect.odoo.rpc import Rpc, refusal
from leadlight.connect.odoo.write import Writing
from leadlight.connect.protocol import (
    About,
    Limits,
    Secret,
    Session,
    Settings,
    Surroundings,
)

BATCH = 100
PER_SECOND = 4.0
"""Requests that an instance at Odoo's answers without asking to slow down; own servers bear more."""

ABOUT = About(
    name="odoo",
    title="Odoo",
    secrets=(
        Secret(
            "key",
            "ODOO_KEY",
            "in Odoo, as the user it shall work for: My Profile > Account Security > New API Key",
        ),
    ),
    limits=Limits(per_second=PER_SECOND, batch=BATCH, page=PAGE),
    documentation="https://www.odoo.com/documentation/19.0/developer/reference/external_api.html",
    scopes=("Sales > Administrator", "Administration > Settings (history of fields, making fields)"),
)


class OdooSettings(Settings):
    """Settings of odoo."""

    url: str = Field(description="the instance's address: https://example.odoo.com")
    database: str = Field(
        min_length=1, description="the database's name; on Odoo Online, the first part of the address"
    )
    login: str | None = Field(
        None, min_length=1, description="the login of the key's user, for JSON-RPC (Odoo 18 and older); else JSON-2"
    )
    sweep_hours: float = Field(
        24.0, ge=0, description="hours after which all ids are gone through to find what was deleted"
    )


def session(settings: OdooSettings, surroundings: Surroundings) -> Session:
    """Return an Odoo that is signed in to."""
    http = cast("Http", surroundings.http)
    rpc = Rpc(http, database=settings.database, login=settings.login, key=surroundings.secrets["key"])
    models, sweep = Models(rpc), timedelta(hours=settings.sweep_hours)
    return ModelSession(models, Writing(rpc, models), lambda want: Reading(rpc, models, want, sweep=sweep).pages())


class Odoo:
    """Odoo 16 and newer."""

    about = ABOUT
    settings: type[Settings] = OdooSettings
    mapping: Mapping[str, Mapping[str, Any]] = MAPPING
    starter = STARTER
    scorecard = SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where the API is: JSON-RPC is signed in each call, JSON-2 by a header."""
        told = cast("OdooSettings", settings)
        database = Key("X-Odoo-Database", told.database)
        if told.login is not None:
            return Way(base=told.url.rstrip("/"), sign=database, refusal=refusal)
        headers = {database.name: database.value}
        return Way(base=told.url.rstrip("/"), sign=Bearer(secrets["key"]), refusal=refusal, headers=headers)

    def open(self, settings: Settings, surroundings: Surroundings) -> Session:
        """Return a session; nothing is asked yet."""
        return session(cast("OdooSettings", settings), surroundings)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Raise NotImplementedError: what Odoo sends on changes is not signed."""
        raise NotImplementedError("Odoo signs no webhooks: say `every: 15m` of its connection")


CONNECTOR = Odoo()
