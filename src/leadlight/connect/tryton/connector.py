"""Tryton as a connector: what it is, where it is, what is done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import Field

from leadlight.connect.auth import Bearer
from leadlight.connect.http import Http, Way
from leadlight.connect.models import ModelSession
from leadlight.connect.protocol import (
    About,
    Limits,
    Secret,
    Session,
    Settings,
    Surroundings,
)
from leadlight.connect.tryton.describe import Models
from leadlight.connect.tryton.map import MAPPING, SCORECARD, STARTER
from leadlight.connect.tryton.read import PAGE, Reading
from leadlight.connect.tryton.rest import Rest, refusal
from leadlight.connect.tryton.write import Writing

BATCH = 100
PER_SECOND = 50.0
"""Requests that an ordinary server answers beside its people; it sets no limit itself."""

ABOUT = About(
    name="tryton",
    title="Tryton",
    secrets=(
        Secret(
            "key",
            "TRYTON_KEY",
            "in Tryton, Administration > Users > Users > the user > Applications: a new one for the REST API; its key",
        ),
    ),
    limits=Limits(per_second=PER_SECOND, batch=BATCH, page=PAGE),
    documentation="https://docs.tryton.org/latest/server/topics/rest.html",
    scopes=("the group Sale Opportunity (read and write opportunities)", "Marketing (read e-mails)"),
)


class TrytonSettings(Settings):
    """Settings of tryton."""

    url: str = Field(description="the server's address: https://tryton.example.com")
    database: str = Field(pattern=r"^[^/?#\s]+$", description="the database's name, as on Tryton's sign-in form")
    company: int | None = Field(None, description="the company's number, where the key's user works for several")
    sweep_hours: float = Field(
        24.0, ge=0, description="hours after which all ids are gone through to find what was deleted"
    )


def session(settings: TrytonSettings, http: Http) -> Session:
    """Return a Tryton that is signed in to."""
    rest = Rest(http, settings.company)
    models, sweep = Models(rest), timedelta(hours=settings.sweep_hours)
    return ModelSession(models, Writing(rest, models), lambda want: Reading(rest, models, want, sweep=sweep).pages())


class Tryton:
    """Tryton 8."""

    about = ABOUT
    settings: type[Settings] = TrytonSettings
    mapping: Mapping[str, Mapping[str, Any]] = MAPPING
    starter = STARTER
    scorecard = SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where the API is."""
        told = cast("TrytonSettings", settings)
        return Way(
            base=f"{told.url.rstrip('/')}/{told.database}/rest/model",
            sign=Bearer(secrets["key"]),
            refusal=refusal,
            headers={"Accept-Language": "en"},
        )

    def open(self, settings: Settings, surroundings: Surroundings) -> Session:
        """Return a session; nothing is asked yet."""
        return session(cast("TrytonSettings", settings), cast("Http", surroundings.http))

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Raise NotImplementedError: Tryton sends no webhooks."""
        raise NotImplementedError("Tryton sends no webhooks: say `every: 15m` of its connection")


CONNECTOR = Tryton()
