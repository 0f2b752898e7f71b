"""Mautic: contacts, companies, what they did and how their stage moved; scores back into custom fields.

https://devdocs.mautic.org/en/latest/rest_api/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http, Way
from leadlight.connect.mautic import api, hooks, map, write  # noqa: A004
from leadlight.connect.mautic.activity import read_activity, read_segments, read_stages
from leadlight.connect.mautic.describe import ACTIVITY, SEGMENTS, STAGES, custom, describe
from leadlight.connect.mautic.read import read
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


class MauticSession:
    """A Mautic that is signed in to."""

    def __init__(self, settings: api.MauticSettings, http: Http, now: datetime) -> None:
        self._settings, self._http, self._now = settings, http, now
        self._fields: dict[str, dict[str, Field]] = {}

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return contacts, companies, activity, stages and segments, with their fields."""
        return describe(self._http, objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor."""
        if want.object.name == ACTIVITY:
            return read_activity(self._http, want, days=self._settings.activity_days, now=self._now)
        if want.object.name == STAGES:
            return read_stages(self._http, want)
        if want.object.name == SEGMENTS:
            return read_segments(self._http, want)
        return read(self._http, want, anonymous=self._settings.anonymous, now=self._now)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that custom fields are there, and make those that are not."""
        self._fields.pop(object, None)
        return write.ready(self._http, object, fields, dry=dry)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what fields of some records hold now."""
        if ids and object in write.WHERE and object not in self._fields:
            self._fields[object] = {field.name: field for field in custom(self._http, write.WHERE[object])}
        return write.look(self._http, object, ids, fields, self._fields.get(object, {}))

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write some records in one request."""
        return write.write(self._http, object, batch)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add notes to contacts."""
        return write.note(self._http, object, notes)


class Mautic:
    """The connector."""

    about: About = api.ABOUT
    settings: type[Settings] = api.MauticSettings
    mapping: Mapping[str, Mapping[str, Any]] = map.MAPPING
    starter: str = map.STARTER
    scorecard: str = map.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where it is and how requests are signed."""
        return api.way(settings, secrets)

    def open(self, settings: Settings, surroundings: Surroundings) -> MauticSession:
        """Return a session; nothing is asked yet."""
        assert isinstance(settings, api.MauticSettings)
        assert surroundings.http is not None
        return MauticSession(settings, surroundings.http, surroundings.now)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Verify a webhook's signature and return which objects have changed."""
        del url, now  # neither is signed
        return hooks.changed(headers, body, secrets.get("webhook_secret"))


CONNECTOR = Mautic()
