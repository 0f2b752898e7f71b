"""Reading what contacts did, and how their stage moved: each newer than the last that was read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.mautic.api import PAGE, Condition, listed, more_after, numbers, records, stats, when
from leadlight.connect.mautic.rows import activity_row, segment_row, stage_row
from leadlight.connect.protocol import Page, Want
from leadlight.connect.typed import moment, text

OVERLAP = timedelta(minutes=10)
LATER = timedelta(days=1)
NOT_READ = ("campaign.event.scheduled", "lead.imported")
"""What has not happened yet, and what nobody did."""


def read_activity(http: Http, want: Want, *, days: int, now: datetime) -> Iterator[Page]:
    """Yield what contacts did, the oldest first, always asking for what is not older than the last that was read.

    So no page lies deep in a list, which Mautic would have to sort anew for each; only events of one second fill pages.
    """
    cursor = dict(want.cursor or {})
    start = moment(cursor.get("from")) or now - timedelta(days=days)
    number = int(cursor.get("page", 1))
    while True:
        body = http.ask("GET", "/api/contacts/activity", params=_params(start, now + LATER, number)).json()
        events = records(body, "events")
        rows = [row for event in events if (row := activity_row(event, want.object.fields)) is not None]
        times = [at for event in events if (at := moment(event.get("timestamp"))) is not None]
        newest = max(times, default=start)
        if not events or number >= _pages(body, len(events), number):
            yield Page(rows, {"from": _stamp(max(newest - OVERLAP, start) if times else start)})
            return
        number = 1 if newest > start else number + 1
        start = max(newest, start)
        yield Page(rows, {"from": _stamp(start), "page": number})


def read_stages(http: Http, want: Want) -> Iterator[Page]:
    """Yield moves to a stage, by their id."""
    after = int((want.cursor or {}).get("after", 0))
    while True:
        entries, more = stats(http, "lead_stages_change_log", [("id", "gt", str(after))], PAGE) or ([], False)
        after = max(numbers(entries, after), default=after)
        yield Page(
            [row for entry in entries if (row := stage_row(entry, want.object.fields)) is not None], {"after": after}
        )
        if not more:
            return


def read_segments(http: Http, want: Want) -> Iterator[Page]:
    """Yield who came into which segment, the oldest first; Mautic gives these no id, so that their time leads on."""
    names = {text(one.get("id")): text(one.get("name")) for one in _segments(http)}
    cursor = dict(want.cursor or {})
    since, start, more = moment(cursor.get("from")), int(cursor.get("start", 0)), True
    while more:
        conditions: list[Condition] = [] if since is None else [("date_added", "gte", when(since))]
        entries, more = stats(http, "lead_lists_leads", conditions, PAGE, by="date_added", start=start) or ([], False)
        times = [at for entry in entries if (at := moment(entry.get("date_added"))) is not None]
        newest = max(times, default=None)
        if newest is not None and (since is None or newest > since):
            since, start = newest, 0
        else:
            start = start + len(entries) if more else 0
        rows = [row for entry in entries if (row := segment_row(entry, names, want.object.fields)) is not None]
        yield Page(rows, {"from": _stamp(since) if since else None, "start": start})


def _segments(http: Http) -> Iterator[dict[str, Any]]:
    start, more = 0, True
    while more:
        body = listed(http, "/api/segments", (), start=start, limit=PAGE, orderBy="id")
        found = records(body, "lists")
        yield from found
        more = more_after(body, found, start)
        start += len(found)


def _pages(body: Any, found: int, number: int) -> int:
    """Return how many pages there are; where that is not told, a full page is followed by another."""
    told = str(body.get("maxPages"))
    return int(told) if told.isdecimal() else number + (found >= PAGE)


def _params(start: datetime, end: datetime, number: int) -> dict[str, str | int]:
    return {
        "filters[dateFrom]": when(start),
        "filters[dateTo]": when(end),
        "order[0]": "timestamp",
        "order[1]": "ASC",
        "limit": PAGE,
        "page": number,
        **{f"filters[excludeEvents][{at}]": name for at, name in enumerate(NOT_READ)},
    }


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"
