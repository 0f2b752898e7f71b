"""Tryton as a connector: what it is, where it is, what is done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import Field

from leadlight.connect.auth import Bearer
from leadlight.connect.http import Http, Way
from leadlight.connect.protocol import (
    About,
    Limits,
    Note,
    Object,
    Page,
    PushField,
    Readied,
    Secret,
    Settings,
    Surroundings,
    Value,
    Want,
    Write,
    Written,
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


class TrytonSession:
    """A Tryton that is signed in to."""

    def __init__(self, settings: TrytonSettings, http: Http) -> None:
        self._rest = Rest(http, settings.company)
        self._models = Models(self._rest)
        self._writing = Writing(self._rest, self._models)
        self._sweep = timedelta(hours=settings.sweep_hours)

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return models with their fields."""
        return self._models.describe(objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed."""
        if not self._models.has(want.object.name):  # a model that the mapping names, of a module that is not there
            yield Page((), want.cursor or {})
            return
        yield from Reading(self._rest, self._models, want, sweep=self._sweep).pages()

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002, ARG002
        """Say which fields are there: Tryton's API makes none."""
        return self._writing.ready(object, fields)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields hold."""
        return self._writing.look(object, ids, fields)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write fields."""
        return self._writing.write(object, batch)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Put notes on records."""
        return self._writing.note(object, notes)


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

    def open(self, settings: Settings, surroundings: Surroundings) -> TrytonSession:
        """Return a session; nothing is asked yet."""
        return TrytonSession(cast("TrytonSettings", settings), cast("Http", surroundings.http))

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Raise NotImplementedError: Tryton sends no webhooks."""
        raise NotImplementedError("Tryton sends no webhooks: say `every: 15m` of its connection")


CONNECTOR = Tryton()
