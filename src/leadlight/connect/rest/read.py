"""Records of an endpoint: all of them, or those that changed since the last change that was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.protocol import Page, Row, Want
from leadlight.connect.refusals import odd
from leadlight.connect.rest.describe import flat
from leadlight.connect.rest.pages import pages
from leadlight.connect.rest.settings import ABOUT, EndpointSettings, RestSettings, SinceFormat
from leadlight.connect.typed import boolean, moment, text, typed


def read(http: Http, settings: RestSettings, want: Want, now: datetime) -> Iterator[Page]:
    """Yield the pages of an endpoint. Where the API cannot order changes, a kill begins the reading anew."""
    name = want.object.name
    endpoint = settings.endpoints[name]
    told = (want.cursor or {}).get("since")
    since = moment(told)
    params: dict[str, Any] = {}
    if endpoint.since is not None and since is not None:
        params[endpoint.since] = said(since - timedelta(seconds=settings.overlap_seconds), endpoint.since_format)
    last = since
    for records in pages(http, settings, name, endpoint, params):
        rows = []
        for record in map(flat, records):
            rows.append(_row(want, endpoint, record))
            changed = moment(record.get(endpoint.modified_at)) if endpoint.modified_at is not None else None
            last = max(filter(None, (last, changed)), default=None)
        yield Page(rows, _cursor(last if endpoint.ordered else since))
    if endpoint.since is None:
        yield Page([], {})
    else:
        yield Page([], _cursor(last if endpoint.modified_at is not None else now))


def said(at: datetime, how: SinceFormat) -> str:
    """Return a time as an API wants to be asked.

    >>> said(datetime(2026, 3, 2, 9), "iso"), said(datetime(2026, 3, 2, 9), "unix")
    ('2026-03-02T09:00:00Z', '1772442000')
    """
    if how == "iso":
        return f"{at.isoformat()}Z"
    if how == "date":
        return at.date().isoformat()
    seconds = at.replace(tzinfo=UTC).timestamp()
    return str(int(seconds * 1000) if how == "unix_ms" else int(seconds))


def _cursor(since: datetime | None) -> Mapping[str, Any]:
    return {} if since is None else {"since": since.isoformat()}


def _row(want: Want, endpoint: EndpointSettings, record: Mapping[str, Any]) -> Row:
    key = text(record.get(endpoint.id))
    if key is None:
        raise odd(ABOUT.title, f"a record of {want.object.name} has no {endpoint.id!r} (see `id`)")
    gone = record.get(endpoint.deleted) if endpoint.deleted is not None else None
    values = {field.name: typed(record.get(field.name), field.type) for field in want.object.fields}
    return Row(key, values, gone=bool(gone) and boolean(gone) is not False)
