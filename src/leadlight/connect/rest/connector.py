"""The connector for REST APIs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.http import Http, Way
from leadlight.connect.protocol import (
    About,
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
from leadlight.connect.rest import map, read  # noqa: A004
from leadlight.connect.rest.describe import describe, flat
from leadlight.connect.rest.pages import pages
from leadlight.connect.rest.settings import ABOUT, RestSettings, way_of
from leadlight.connect.unknown import no_object
from leadlight.errors import UsageError

ENDPOINT = "Describe it in `endpoints` of the connection, or write one that is there as `object` of the source."


class RestSession:
    """An API."""

    def __init__(self, settings: RestSettings, http: Http, now: datetime) -> None:
        self._settings, self._http, self._now = settings, http, now

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return endpoints with the fields that are told, or that their first page shows."""
        known = self._settings.endpoints
        for name in objects or ():
            if name not in known:
                raise no_object("the connection has no endpoint", name, known, fix=ENDPOINT)
        return [self._describe(name) for name in (known if objects is None else objects)]

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor, or all where an endpoint cannot be asked for that."""
        yield from read.read(self._http, self._settings, want, self._now)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """Raise UsageError: nothing is written."""
        del fields, dry
        raise _read_only(object)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Raise UsageError: nothing is written."""
        del ids, fields
        raise _read_only(object)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Raise UsageError: nothing is written."""
        del batch
        raise _read_only(object)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Raise UsageError: nothing is written."""
        del notes
        raise _read_only(object)

    def _describe(self, name: str) -> Object:
        endpoint = self._settings.endpoints[name]
        first = [] if endpoint.fields else next(pages(self._http, self._settings, name, endpoint, {}), [])
        return describe(name, endpoint, [flat(record) for record in first])


class Rest:
    """The connector."""

    about: About = ABOUT
    settings: type[Settings] = RestSettings
    mapping: Mapping[str, Mapping[str, Any]] = map.MAPPING
    starter: str = map.STARTER
    scorecard: str = map.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where it is and how requests are signed."""
        return way_of(_own(settings), secrets)

    def open(self, settings: Settings, surroundings: Surroundings) -> RestSession:
        """Return a session; nothing is asked yet."""
        assert surroundings.http is not None
        return RestSession(_own(settings), surroundings.http, surroundings.now)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Say that nothing is known of its webhooks."""
        raise NotImplementedError("nothing is known of webhooks of an API that is described in leadlight.yaml")


def _read_only(name: str) -> UsageError:
    return UsageError(
        f"{name} is not written to: an API that is described in leadlight.yaml is only read",
        fix="Take `push` out of the connection in leadlight.yaml.",
    )


def _own(settings: Settings) -> RestSettings:
    assert isinstance(settings, RestSettings)
    return settings
