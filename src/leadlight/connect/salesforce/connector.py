"""Salesforce Sales Cloud as a connector: REST API, OAuth 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from leadlight.connect import protocol
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
from leadlight.connect.salesforce import refusals
from leadlight.connect.salesforce.describe import Org
from leadlight.connect.salesforce.fields import Fields
from leadlight.connect.salesforce.map import MAPPING, SCORECARD, STARTER
from leadlight.connect.salesforce.query import Query
from leadlight.connect.salesforce.read import Reader, look
from leadlight.connect.salesforce.sign import Token
from leadlight.connect.salesforce.soql import TITLE
from leadlight.connect.salesforce.write import Writer

VERSION = "v66.0"
"""Spring '26; a version is kept for three years at least."""
APP = f"{refusals.APPS} > your app > Settings > OAuth Settings > Consumer Key and Secret"

ABOUT = About(
    name="salesforce",
    title=TITLE,
    secrets=(
        Secret("client_id", "SALESFORCE_CLIENT_ID", f"{APP}: the consumer key"),
        Secret("client_secret", "SALESFORCE_CLIENT_SECRET", f"{APP}: the consumer secret"),
        Secret(
            "refresh_token",
            "SALESFORCE_REFRESH_TOKEN",
            "what the web server flow gave, where the app signs in as a person (else it signs in as itself)",
            needed=False,
        ),
    ),
    limits=Limits(per_second=20, batch=200, page=2000),
    documentation="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
    scopes=("api", "refresh_token"),
)


class SalesforceSettings(protocol.Settings):
    """Settings of salesforce: `url`."""

    url: str = Field(
        description="the org's own address (Setup > My Domain): https://COMPANY.my.salesforce.com, or, of a sandbox, "
        "https://COMPANY--SANDBOX.sandbox.my.salesforce.com"
    )
    version: str = Field(VERSION, pattern=r"^v[0-9]{2,3}\.0$", description="the version of the API")
    permission_set: str = Field(
        "Leadlight",
        pattern=r"^[A-Za-z0-9_]{1,80}$",
        description="the permission set that opens the fields which are made, for the integration user",
    )


class SalesforceSession:
    """An org that is signed in to."""

    def __init__(self, settings: SalesforceSettings, http: Http, now: datetime) -> None:
        self._http, self._now = http, now
        self._root = f"/services/data/{settings.version}"
        self._org = Org(http, self._root)
        self._query = Query(http, self._root, ABOUT.limits.page)
        self._fields = Fields(http, self._root, self._org, self._query, settings.permission_set)
        self._writer = Writer(http, self._root, self._query)

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return the objects there are; those that are named, with all their fields."""
        return self._org.objects(objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor, in the order of SystemModstamp."""
        yield from Reader(self._http, self._root, self._org, self._query, want, self._now).pages()

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that fields are there, and make them by the Tooling API where they are not."""
        return self._fields.ready(self._org.sobject(object), fields, dry=dry) if fields else ()

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields of records hold now."""
        return look(self._query, self._org.sobject(object), ids, fields) if ids else {}

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write a batch in one request, each record for itself."""
        return self._writer.write(self._org.sobject(object), batch) if batch else ()

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add tasks."""
        return self._writer.note(self._org.sobject(object), notes) if notes else ()


class Salesforce:
    """The connector."""

    about = ABOUT
    settings: type[protocol.Settings] = SalesforceSettings
    mapping: Mapping[str, Mapping[str, Any]] = MAPPING
    starter = STARTER
    scorecard = SCORECARD

    def way(self, settings: protocol.Settings, secrets: Mapping[str, str]) -> Way:
        """Return the way to an org."""
        base = _own(settings).url.rstrip("/")
        return Way(base, Token(base, secrets), refusal=refusals.refusal, used=refusals.used, busy=refusals.busy)

    def open(self, settings: protocol.Settings, surroundings: Surroundings) -> SalesforceSession:
        """Sign in, at the first request."""
        assert surroundings.http is not None
        return SalesforceSession(_own(settings), surroundings.http, surroundings.now)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Raise NotImplementedError: Salesforce tells of changes by streams (Pub/Sub), not by webhooks."""
        raise NotImplementedError


def _own(settings: protocol.Settings) -> SalesforceSettings:
    assert isinstance(settings, SalesforceSettings)
    return settings
