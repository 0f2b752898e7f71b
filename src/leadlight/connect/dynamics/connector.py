"""Dynamics 365 Sales as a connector: Dataverse's Web API, Microsoft Entra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from leadlight.connect import protocol
from leadlight.connect.dynamics import odata, refusals, webhook
from leadlight.connect.dynamics.columns import Columns
from leadlight.connect.dynamics.describe import Environment
from leadlight.connect.dynamics.map import MAPPING, SCORECARD, STARTER
from leadlight.connect.dynamics.read import Reader, look
from leadlight.connect.dynamics.sign import Token
from leadlight.connect.dynamics.write import Writer
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
    Surroundings,
    Value,
    Want,
    Write,
    Written,
)

LOGIN = "https://login.microsoftonline.com"

ABOUT = About(
    name="dynamics",
    title=odata.TITLE,
    secrets=(
        Secret("client_id", "DYNAMICS_CLIENT_ID", f"{refusals.REGISTRATION} > Overview: Application (client) ID"),
        Secret(
            "client_secret", "DYNAMICS_CLIENT_SECRET", f"{refusals.REGISTRATION} > Certificates & secrets: its value"
        ),
        Secret(
            webhook.SECRET,
            "DYNAMICS_WEBHOOK_KEY",
            "of your own choice; write it into the webhook's header x-leadlight-key in the Plug-in Registration Tool",
            needed=False,
        ),
    ),
    limits=Limits(per_second=15, batch=100, page=1000),
    documentation="https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview",
    scopes=("an application user with a security role that reads the tables for the whole organisation",),
    listens=True,
)
"""Service protection allows 6,000 requests in five minutes: 20 a second, of which others keep a quarter."""


class DynamicsSettings(protocol.Settings):
    """Settings of dynamics: `url`, `tenant`."""

    url: str = Field(description="the environment's address: https://ORGANISATION.crm4.dynamics.com")
    tenant: str = Field(
        pattern=r"^[A-Za-z0-9.-]{1,100}$",
        description="the directory (tenant) id, or its domain: contoso.onmicrosoft.com",
    )
    login: str = Field(LOGIN, description="where tokens are got: another address in national clouds")
    prefix: str = Field(
        "new", pattern=r"^[a-z][a-z0-9]{1,7}$", description="the prefix of columns that are made: your publisher's"
    )
    sweep_hours: float = Field(
        24, ge=0, description="how often all ids of tables without change tracking are passed over, for deletions"
    )


class DynamicsSession:
    """An environment that is signed in to."""

    def __init__(self, settings: DynamicsSettings, http: Http, now: datetime) -> None:
        self._now, self._sweep = now, timedelta(hours=settings.sweep_hours)
        self._environment = Environment(http)
        self._tables = odata.Tables(http, ABOUT.limits.page)
        self._columns = Columns(http, self._environment, settings.prefix)
        self._writer = Writer(http)

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return the tables there are; those that are named, with all their columns."""
        return self._environment.objects(objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor: by change tracking, else in the order of `modifiedon`."""
        yield from Reader(self._tables, self._environment, want, self._now, self._sweep).pages()

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that columns are there, and make those that are not."""
        return self._columns.ready(self._environment.table(object), fields, dry=dry) if fields else ()

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what columns of records hold now."""
        return look(self._tables, self._environment.table(object), ids, fields) if ids else {}

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write a batch in one request; each record for itself where that is refused."""
        return self._writer.write(self._environment.table(object), batch) if batch else ()

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add tasks or notes."""
        return self._writer.note(self._environment.table(object), notes) if notes else ()


class Dynamics:
    """The connector."""

    about = ABOUT
    settings: type[protocol.Settings] = DynamicsSettings
    mapping: Mapping[str, Mapping[str, Any]] = MAPPING
    starter = STARTER
    scorecard = SCORECARD

    def way(self, settings: protocol.Settings, secrets: Mapping[str, str]) -> Way:
        """Return the way to an environment."""
        own = _own(settings)
        base = own.url.rstrip("/")
        token = f"{own.login.rstrip('/')}/{own.tenant}/oauth2/v2.0/token"
        return Way(base, Token(token, base, secrets), refusal=refusals.refusal, hosts=(urlsplit(own.login).netloc,))

    def open(self, settings: protocol.Settings, surroundings: Surroundings) -> DynamicsSession:
        """Sign in, at the first request."""
        assert surroundings.http is not None
        return DynamicsSession(_own(settings), surroundings.http, surroundings.now)

    def changed(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        url: str,
        secrets: Mapping[str, str],
        now: datetime,  # noqa: ARG002 - Dataverse dates nothing
    ) -> Sequence[str]:
        """Return the table that a webhook tells of. Raises PermissionError."""
        return webhook.changed(headers, body, url=url, secrets=secrets)


def _own(settings: protocol.Settings) -> DynamicsSettings:
    assert isinstance(settings, DynamicsSettings)
    return settings
