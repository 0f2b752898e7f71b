"""HubSpot: contacts, companies, deals, activities, e-mail events and forms; scores back into properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from leadlight.connect.hubspot import api, map, notes, webhook, write  # noqa: A004 - every connector has its map
from leadlight.connect.hubspot.describe import catalog, is_record
from leadlight.connect.hubspot.events import EventReader
from leadlight.connect.hubspot.read import SEARCH_PAGE, SEARCHES_A_SECOND, Reader
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
from leadlight.errors import RemoteError

if TYPE_CHECKING:
    from leadlight.connect.http import Http, Way

APP = "Development > Projects, your app, Auth tab (only for an OAuth app)"
ABOUT = About(
    name="hubspot",
    title=api.TITLE,
    secrets=(
        Secret("token", "HUBSPOT_TOKEN", f"{api.KEYS}: create a key and copy it", needed=False),
        Secret("client_id", "HUBSPOT_CLIENT_ID", APP, needed=False),
        Secret("client_secret", "HUBSPOT_CLIENT_SECRET", f"{APP}; also signs webhooks", needed=False),
        Secret("refresh_token", "HUBSPOT_REFRESH_TOKEN", "what the app was given when it was installed", needed=False),
    ),
    limits=Limits(per_second=9.0, per_day=250_000, batch=write.BATCH, page=SEARCH_PAGE),
    documentation="https://developers.hubspot.com/docs/api-reference/latest/overview",
    scopes=(
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.schemas.contacts.write",
        "crm.objects.companies.read",
        "crm.objects.deals.read",
        "sales-email-read",
        "content",
        "forms",
    ),
    listens=True,
)


EMAIL_EVENTS = ("OPEN", "CLICK", "BOUNCE", "STATUSCHANGE", "SPAMREPORT")


class HubSpotSettings(Settings):
    """Settings of hubspot."""

    email_events: tuple[str, ...] = Field(
        EMAIL_EVENTS,
        description="types of events of marketing e-mails that are read, as HubSpot names them; SENT ones are many",
    )


class HubSpotSession:
    """An account that is signed in to."""

    def __init__(self, http: Http, now: datetime, email_events: Sequence[str]) -> None:
        self._http, self._now, self._email_events = http, now, email_events
        self._catalog = catalog(http)
        self._searches = http.pace("searches", SEARCHES_A_SECOND)

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return objects with their properties. Raises RemoteError, NotFoundError."""
        return self._catalog.objects(objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since the cursor. Raises RemoteError."""
        if is_record(want.object.name):
            return Reader(self._http, self._now, self._searches).pages(want)
        return EventReader(self._http, self._now, self._email_events).pages(want)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that properties are there, in the group `leadlight` where they are made. Raises RemoteError."""
        return write.ready(self._http, self._catalog, object, fields, dry=dry)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what properties hold now. Raises RemoteError."""
        return write.look(self._http, self._catalog, object, ids, fields)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write properties of records. Raises RemoteError."""
        return write.write(self._http, object, batch)

    def note(self, object: str, notes_: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add tasks and notes. Raises RemoteError."""
        return notes.note(self._http, object, notes_, self._now)


class HubSpot:
    """The connector."""

    about = ABOUT
    settings: type[Settings] = HubSpotSettings
    mapping: Mapping[str, Mapping[str, Any]] = map.MAPPING
    starter = map.STARTER
    scorecard = map.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where the API is and how requests are signed. Raises RemoteError where no key is told."""
        from leadlight.connect.auth import Bearer, OAuth2
        from leadlight.connect.http import Way

        base = settings.url or api.BASE
        if token := secrets.get("token"):
            return Way(base, Bearer(token), refusal=api.refusal, used=api.used, busy=api.busy)
        if not all(secrets.get(name) for name in ("client_id", "client_secret", "refresh_token")):
            fix = f"{api.KEYS}: create a key with the scopes that docs name, and put it into HUBSPOT_TOKEN."
            raise RemoteError(api.TITLE, "sign_in", "no key is told", fix=fix)
        sign = OAuth2(
            api.TOKEN,
            "refresh_token",
            fix="Install the app again in HubSpot, and put the refresh token it is given into HUBSPOT_REFRESH_TOKEN.",
            client_id=secrets["client_id"],
            client_secret=secrets["client_secret"],
            refresh_token=secrets["refresh_token"],
        )
        return Way(base, sign, refusal=api.refusal, used=api.used, busy=api.busy)

    def open(self, settings: Settings, surroundings: Surroundings) -> HubSpotSession:
        """Return a session; the first request shows whether the key is right."""
        if surroundings.http is None:
            raise ValueError("HubSpot speaks HTTP")
        types = settings.email_events if isinstance(settings, HubSpotSettings) else EMAIL_EVENTS
        return HubSpotSession(surroundings.http, surroundings.now, types)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Return which objects a webhook tells of. Raises PermissionError."""
        return webhook.changed(headers, body, url=url, secret=secrets.get("client_secret"), now=now)


CONNECTOR = HubSpot()
