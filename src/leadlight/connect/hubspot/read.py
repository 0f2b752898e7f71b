"""Records: all of them by the list, later what has changed by the search, and what was archived.

The search finds no more than 10,000 records for one question, and gives them by their place in an order that changes
while it is read. So each page is a question of its own: what has changed since the last record of the page before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from leadlight.connect.hubspot import api
from leadlight.connect.hubspot.records import HISTORY_BATCH, Found, Shape, gone, modified, read_batch, rows, shape
from leadlight.connect.protocol import Page, Row, Want
from leadlight.connect.refusals import odd

if TYPE_CHECKING:
    from leadlight.connect.http import Http
    from leadlight.connect.pace import Pace

LIST_PAGE, SEARCH_PAGE = 100, 200
SEARCHES_A_SECOND = 4
"""HubSpot allows five, to all who search in the account together."""
LAG = timedelta(minutes=10)
"""How long HubSpot's search may take to find what has changed, our clocks' difference included."""
FEW_PAGES, RARELY = 10, timedelta(hours=6)
"""Where the list of the archived is longer than a few pages, it is looked through no more often than this."""
ADDRESS_MOST = 6000
"""Characters of properties that an address may hold; more are asked for in a request of its own."""


class Reader:
    """Reads records of one account."""

    def __init__(self, http: Http, now: datetime, turns: Pace) -> None:
        """`turns` are those of searches, of all objects together."""
        self._http, self._now, self._turns = http, now, turns

    def pages(self, want: Want) -> Iterator[Page]:
        """Yield what there is, or has changed since the cursor. Raises RemoteError.

        A cursor names its phase: `list` (with `after`), `changes` (`since`, and what of that moment was `seen`, or in
        `tie` the last of very many of one moment), `archived` (`after`, and the `next` reading's beginning).
        """
        wanted = shape(want)
        now = api.millis(self._now)
        place: dict[str, Any] = dict(want.cursor) if want.cursor is not None else {"phase": "list", "begun": now}
        place.setdefault("begun", now)
        if place["phase"] == "list":
            yield from self._list(wanted, place)
            return
        if place["phase"] == "changes":
            for page in self._changed(wanted, place):
                place = dict(page.cursor)
                yield page
        waits = int(place["begun"]) - int(place["gone"]) < _millis(RARELY)
        if int(place.get("pages", 0)) > FEW_PAGES and waits and "after" not in place:
            yield Page((), _next(place, gone=int(place["gone"]), pages=int(place["pages"])))
        else:
            yield from self._archived(wanted, place)

    # ---------------------------------------------------------------------------------------------- the first time

    def _list(self, wanted: Shape, place: Mapping[str, Any]) -> Iterator[Page]:
        begun, after = int(place["begun"]), place.get("after")
        fits = sum(map(len, [*wanted.properties, *wanted.remembered])) < ADDRESS_MOST
        params: dict[str, Any] = {"limit": HISTORY_BATCH if wanted.remembered else LIST_PAGE, "archived": "false"}
        if fits:
            params["properties"] = ",".join(wanted.properties)
            if wanted.remembered:
                params["propertiesWithHistory"] = ",".join(wanted.remembered)
        while True:
            more = {"after": after} if after else {}
            body = self._http.get(api.objects(wanted.object), **params, **more)
            found: list[Found] = list(api.results(body))
            if not fits:
                found = read_batch(self._http, wanted, [api.id_of(one) for one in found])
            following = api.after(body)
            if following is not None and following == after:
                raise odd(api.TITLE, f"the page after {after} of {wanted.object} begins there, too")
            after = following
            cursor = (
                {"phase": "list", "begun": begun, "after": after} if after else _next({"begun": begun, "next": begun})
            )
            yield Page(rows(self._http, wanted, found), cursor)
            if after is None:
                return

    # ------------------------------------------------------------------------------------------------ later times

    def _changed(self, wanted: Shape, place: Mapping[str, Any]) -> Iterator[Page]:
        begun = int(place["begun"])
        since, seen, tie = int(place["since"]), [str(one) for one in place.get("seen", ())], place.get("tie")
        while True:
            found, more = self._search(wanted, since, tie)
            fresh = [
                one for one in found if tie is not None or not (_at(wanted, one) == since and api.id_of(one) in seen)
            ]
            last = max(_at(wanted, found[-1]), since) if found else since  # never back: or there would be no end
            if tie is not None:
                since, seen, tie = (since, [], api.id_of(found[-1])) if more else (since + 1, [], None)
                more = True  # after a moment of very many, the time after it
            elif more and last == since:
                fresh, tie = [], "0"
            else:
                held = seen if last == since else []
                since, seen = last, [*held, *(api.id_of(one) for one in found if _at(wanted, one) == last)]
                seen = list(dict.fromkeys(seen))
            if wanted.remembered:
                fresh = read_batch(self._http, wanted, [api.id_of(one) for one in fresh])
            kept = {"begun": begun, "gone": place["gone"], "pages": place.get("pages", 0)}
            cursor: dict[str, Any] = {"phase": "changes", **kept, "since": since}
            cursor |= {"tie": tie} if tie is not None else {"seen": seen}
            if not more:
                ended = min(since, begun - _millis(LAG))
                cursor = {"phase": "archived", **kept, "next": ended}
                cursor |= {"seen": seen} if ended == since else {}
            yield Page(rows(self._http, wanted, fresh), cursor)
            if not more:
                return

    def _search(self, wanted: Shape, since: int, tie: str | None) -> tuple[list[Found], bool]:
        """Return a page of what has changed since a moment, oldest first (or of that very moment, by id)."""
        filters = [
            {"propertyName": wanted.modified_at, "operator": "GTE" if tie is None else "EQ", "value": str(since)}
        ]
        order = wanted.modified_at
        if tie is not None:
            order = "hs_object_id"
            filters.append({"propertyName": order, "operator": "GT", "value": tie})
        only = [wanted.modified_at] if wanted.remembered else wanted.properties
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": only,
            "limit": SEARCH_PAGE,
        }
        self._turns.wait()
        answer = self._http.post(api.objects(wanted.object, "search"), body)
        found = api.results(answer)
        return list(found), bool(found) and api.after(answer) is not None

    # ---------------------------------------------------------------------------------------------------- archived

    def _archived(self, wanted: Shape, place: Mapping[str, Any]) -> Iterator[Page]:
        """Yield what was archived since the last time: HubSpot lists all of the last 90 days, in no order of time."""
        since, after = int(place["gone"]), place.get("after")
        pages = int(place.get("pages", 0)) if after else 0
        while True:
            more = {"after": after} if after else {}
            body = self._http.get(
                api.objects(wanted.object), limit=LIST_PAGE, archived="true", properties=wanted.modified_at, **more
            )
            lost = [row for row in map(gone, api.results(body)) if row.known_at is None or _after(row, since)]
            after, pages = api.after(body), pages + 1
            cursor = {**place, "after": after, "pages": pages} if after else _next(place, pages=pages)
            yield Page(lost, cursor)
            if after is None:
                return


def _next(place: Mapping[str, Any], *, gone: int | None = None, pages: int = 0) -> dict[str, Any]:
    """Return where the next reading begins: a little before this one did, or where changes ended long before it."""
    early, since, seen = int(place["begun"]) - _millis(LAG), int(place["next"]), place.get("seen")
    return {
        "phase": "changes",
        "since": min(since, early),
        "gone": early if gone is None else gone,
        "pages": pages,
        **({"seen": list(seen)} if seen and since <= early else {}),
    }


def _millis(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _after(row: Row, since: int) -> bool:
    return row.known_at is not None and api.millis(row.known_at) >= since


def _at(wanted: Shape, found: Found) -> int:
    at = modified(wanted, found)
    if at is None:
        raise odd(api.TITLE, f"the search for {wanted.object} does not say when they changed")
    return api.millis(at)
