"""Mailchimp: an audience's members, what they did with campaigns, their orders; scores back into merge fields.

https://mailchimp.com/developer/marketing/api/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http, Way
from leadlight.connect.mailchimp import api, hooks, map, write  # noqa: A004
from leadlight.connect.mailchimp.describe import ACTIVITY, ORDERS, describe, merge_fields
from leadlight.connect.mailchimp.read import read_activity, read_members, read_orders
from leadlight.connect.mailchimp.write import Writer
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


class MailchimpSession:
    """An account that is signed in to."""

    def __init__(self, settings: api.MailchimpSettings, http: Http, now: datetime) -> None:
        self._settings, self._http, self._now = settings, http, now
        self._audience: str | None = None
        self._writer: Writer | None = None
        self._fields: dict[str, Field] | None = None

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return members, activity and orders, with their fields."""
        return describe(self._http, self._list(), objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor."""
        if want.object.name == ACTIVITY:
            yield from read_activity(self._http, self._list(), want, days=self._settings.campaign_days, now=self._now)
        elif want.object.name == ORDERS:
            yield from read_orders(self._http, want)
        else:
            yield from read_members(self._http, self._list(), want, self._now)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """See that merge fields are there, and make those that are not."""
        write.only_members(object)
        there = {field.name for field in merge_fields(self._http, self._list())}
        self._fields = None
        return write.ready(self._http, self._list(), fields, there, dry=dry)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what merge fields of some members hold now."""
        write.only_members(object)
        if not ids:
            return {}
        if self._fields is None:
            self._fields = {field.name: field for field in merge_fields(self._http, self._list())}
        return self._writing().look(ids, fields, self._fields)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write merge fields of some members; nobody's status is touched."""
        write.only_members(object)
        return self._writing().write(batch) if batch else []

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Add notes to members."""
        write.only_members(object)
        return self._writing().note(notes) if notes else []

    def _list(self) -> str:
        if self._audience is None:
            self._audience = api.audience_of(self._http, self._settings)
        return self._audience

    def _writing(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(self._http, self._list())
        return self._writer


class Mailchimp:
    """The connector."""

    about: About = api.ABOUT
    settings: type[Settings] = api.MailchimpSettings
    mapping: Mapping[str, Mapping[str, Any]] = map.MAPPING
    starter: str = map.STARTER
    scorecard: str = map.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where it is and how requests are signed."""
        return api.way(settings, secrets)

    def open(self, settings: Settings, surroundings: Surroundings) -> MailchimpSession:
        """Return a session; nothing is asked yet."""
        assert isinstance(settings, api.MailchimpSettings)
        assert surroundings.http is not None
        return MailchimpSession(settings, surroundings.http, surroundings.now)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Verify the secret in a webhook's address and return which objects have changed."""
        del headers, now  # nothing in them is signed
        return hooks.changed(body, url, secrets.get("webhook_secret"))


CONNECTOR = Mailchimp()
