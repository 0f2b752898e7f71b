"""Reading people: the changes that Marketo still knows, then everybody by bulk extract; later, what changed since.

Marketo cannot list people. So the first reading exports them month by month, by when they were created; each later one
asks for data value changes, new people, merges and deletions since the last, with some overlap: activities are logged
some minutes late.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.marketo.api import MarketoSettings, since_token
from leadlight.connect.marketo.bulk import exported
from leadlight.connect.marketo.changes import activities, changed_leads, lead_values, leads, parts, rows_of, stamp
from leadlight.connect.protocol import Cursor, Page, Row, Want
from leadlight.connect.typed import moment, text

OVERLAP = timedelta(minutes=15)
YEARS = timedelta(days=5 * 365)
MERGED = 32
"""The type of activity that is logged on whom others were merged into."""
LOSERS = re.compile(r"merged? ?ids?", re.IGNORECASE)
"""The attribute that names who was merged: `Merge IDs`."""


def read_leads(http: Http, want: Want, settings: MarketoSettings, now: datetime) -> Iterator[Page]:
    """Yield people: all of them at first, later those that changed, were merged or deleted."""
    state = dict(want.cursor or {})
    since = moment(state.get("since"))
    if since is not None:
        yield from _changed(http, want, since, state, first=False)
        yield from _gone(http, since, state)
        yield Page((), {"since": stamp(now - OVERLAP)})
        return
    told: set[str] = set()
    if not state:
        state = {"until": stamp(now), "bulk": first_month(settings, now)}
        if want.history and settings.history_days:
            for page in _changed(http, want, now - timedelta(days=settings.history_days), {}, first=True):
                told |= {row.id for row in page.rows}
                yield page
    until = moment(state["until"]) or now
    fields = list(dict.fromkeys(["id", *(field.name for field in want.object.fields)]))
    for records, place in exported(http, fields, state["bulk"], until=until, poll=settings.poll_seconds):
        ids = [(text(record.get("id")), record) for record in records]
        rows = [Row(id_, lead_values(record, want.object)) for id_, record in ids if id_ and id_ not in told]
        yield Page(rows, {**state, "bulk": place} if place else {"since": stamp(until - OVERLAP)})
    yield Page((), {"since": stamp(until - OVERLAP)})


def first_month(settings: MarketoSettings, now: datetime) -> dict[str, Any]:
    """Return where the bulk extract of everybody begins."""
    start = datetime.combine(settings.created_since, time()) if settings.created_since else now - YEARS
    return {"next": stamp(start)}


def _changed(http: Http, want: Want, since: datetime, cursor: Cursor, *, first: bool) -> Iterator[Page]:
    """Yield who is new or changed; a reading that is cut short begins there anew."""
    changes = changed_leads(http, want.object, since)
    fields = [*(field.name for field in want.object.fields), "createdAt"]
    kept: Mapping[str, Any] = changes if want.history else {}
    for ids in parts(sorted(changes, key=lambda id_: (len(id_), id_))):
        for records in leads(http, ids, fields):
            yield Page(rows_of(records, kept, want.object, first=first), cursor)


def _gone(http: Http, since: datetime, cursor: Cursor) -> Iterator[Page]:
    """Yield who was merged into whom, and who was deleted; losers of a merge are logged as deleted, too."""
    merged: dict[str, Row] = {}
    path = "/rest/v1/activities.json"
    for page, _, _ in activities(http, path, since_token(http, since), activityTypeIds=MERGED):
        for told in page:
            winner, at = text(told.get("leadId")), moment(told.get("activityDate"))
            merged |= {loser: Row(loser, {}, at, gone=True, into=winner) for loser in _losers(told) if winner}
    for ids in parts(merged):
        yield Page([merged[id_] for id_ in ids], cursor)
    for page, _, _ in activities(http, "/rest/v1/activities/deletedleads.json", since_token(http, since)):
        gone = [(text(told.get("leadId")), moment(told.get("activityDate"))) for told in page]
        rows = [Row(id_, {}, at, gone=True) for id_, at in gone if id_ and id_ not in merged]
        if rows:
            yield Page(rows, cursor)


def _losers(told: Mapping[str, Any]) -> Iterator[str]:
    attributes = told.get("attributes")
    for one in attributes if isinstance(attributes, list) else ():
        if isinstance(one, dict) and LOSERS.fullmatch(str(one.get("name"))):
            yield from re.findall(r"\d+", str(one.get("value")))
