"""Marketo: people with the changes it still knows, their activities and opportunities; scores back into custom fields.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http, Way
from leadlight.connect.marketo import api, map, write  # noqa: A004
from leadlight.connect.marketo.describe import ACTIVITIES, OPPORTUNITIES, describe, lead_fields
from leadlight.connect.marketo.events import read_activities, read_opportunities
from leadlight.connect.marketo.read import read_leads
from leadlight.connect.protocol import (
    About,
    Field,
    Note,
    Object,
    Page,
    PushField,
    Readied,
    Settings,
    Surroundings,
    Value,
    Want,
    Write,
    Written,
)
from leadlight.errors import RemoteError


class MarketoSession:
    """A subscription that is signed in to."""

    def __init__(self, settings: api.MarketoSettings, http: Http, now: datetime) -> None:
        self._settings, self._http, self._now = settings, http, now
        self._fields: dict[str, Field] | None = None
        self._counted = False

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return leads, activities and opportunities, with their fields."""
        self._count()
        return describe(self._http, objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor."""
        self._count()
        reading = {ACTIVITIES: read_activities, OPPORTUNITIES: read_opportunities}.get(want.object.name, read_leads)
        yield from reading(self._http, want, self._settings, self._now)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that custom fields are there, and make those that are not."""
        write.only_leads(object)
        self._count()
        made = write.ready(self._http, fields, lead_fields(self._http), dry=dry)
        self._fields = None
        return made

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields of some people hold now."""
        write.only_leads(object)
        if not ids:
            return {}
        if self._fields is None:
            self._fields = lead_fields(self._http)
        return write.look(self._http, ids, fields, self._fields)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Update some people in one request."""
        write.only_leads(object)
        return write.write(self._http, batch)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Request the smart campaign that makes tasks: Marketo itself has none."""
        write.only_leads(object)
        return write.note(self._http, self._settings.task_campaign, notes)

    def _count(self) -> None:
        """Ask once how much of the day's quota is used, by others too; who may not see that goes without."""
        if not self._counted:
            self._counted = True
            try:
                api.call(self._http, "GET", api.USAGE)
            except RemoteError as error:
                if error.trouble not in ("scope", "absent", "disabled"):
                    raise


class Marketo:
    """The connector."""

    about: About = api.ABOUT
    settings: type[Settings] = api.MarketoSettings
    mapping: Mapping[str, Mapping[str, Any]] = map.MAPPING
    starter: str = map.STARTER
    scorecard: str = map.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where it is and how requests are signed."""
        return api.way(settings, secrets)

    def open(self, settings: Settings, surroundings: Surroundings) -> MarketoSession:
        """Return a session; nothing is asked yet."""
        assert isinstance(settings, api.MarketoSettings)
        assert surroundings.http is not None
        return MarketoSession(settings, surroundings.http, surroundings.now)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Say that there are none: Marketo's webhooks are steps of its campaigns, and not signed."""
        del headers, body, url, secrets, now
        raise NotImplementedError("Marketo's webhooks are steps of its campaigns and not signed: sync on a schedule")


CONNECTOR = Marketo()
