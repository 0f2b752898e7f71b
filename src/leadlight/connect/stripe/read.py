"""Records: all of them by the list, later what they became by the events, which Stripe keeps for 30 days.

An event holds the record as it was then, so from the second reading on there is real history. Lists come the newest
first; so that the oldest change comes first all the same, events are asked for in stretches of time that are short
enough to fit one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from leadlight.connect.protocol import Page, Row, Want
from leadlight.connect.refusals import odd
from leadlight.connect.stripe import api
from leadlight.connect.stripe.describe import CUSTOMERS, THINGS, Thing
from leadlight.connect.stripe.records import moment, row
from leadlight.errors import RemoteError

if TYPE_CHECKING:
    from leadlight.connect.http import Http

KEPT = timedelta(days=29)
"""How far back events are relied on: Stripe keeps them for 30 days."""
LAG = timedelta(minutes=10)
"""How late an event may come to be listed, our clocks' difference included."""


class Reader:
    """Reads records of one account."""

    def __init__(self, http: Http, now: datetime) -> None:
        self._http, self._now = http, api.seconds(now)

    def pages(self, want: Want) -> Iterator[Page]:
        """Yield what there is, or what became of it since the cursor. Raises RemoteError.

        A cursor names its phase: `list` (`after` and `before`: the last record's id and time) or `events` (`since`).
        """
        thing = THINGS[want.object.name]
        place: Mapping[str, Any] = want.cursor or {"phase": "list", "begun": self._now}
        if place["phase"] == "list":
            yield from self._list(want, thing, place)
        elif int(place["since"]) < self._now - round(KEPT.total_seconds()):
            yield from self._anew(want, thing, place)
        else:
            yield from self._events(want, thing, int(place["since"]))

    # ---------------------------------------------------------------------------------------------- the first time

    def _list(self, want: Want, thing: Thing, place: Mapping[str, Any]) -> Iterator[Page]:
        begun, after, before = int(place["begun"]), place.get("after"), place.get("before")
        path, params = f"/v1/{thing.name}", dict(thing.params or {})
        while True:
            try:
                found, more = api.listed(self._http, path, **params, **({"starting_after": after} if after else {}))
            except RemoteError as error:
                if after is None or before is None or error.trouble not in ("invalid", "absent"):
                    raise
                # The last one that was read is gone since: go on by its time, seeing those of that second once more.
                params, after = {**params, "created[lte]": str(before)}, None
                continue
            if more and api.id_of(found[-1]) == after:
                raise odd(api.TITLE, f"the page after {after} of {thing.name} ends there, too")
            cursor = _next(begun)
            if more:
                after, before = api.id_of(found[-1]), found[-1].get("created")
                cursor = {"phase": "list", "begun": begun, "after": after, "before": before}
            yield Page([row(thing, want.object.fields, one) for one in found], cursor)
            if not more:
                return

    def _anew(self, want: Want, thing: Thing, place: Mapping[str, Any]) -> Iterator[Page]:
        """Yield all there is, when the last reading is too long ago: what does not come again is gone."""
        for page in self._list(want, thing, {"phase": "list", "begun": self._now}):
            there = [one.id for one in page.rows] if thing is CUSTOMERS else None
            last = page.cursor["phase"] == "events"
            yield replace(page, there=there, cursor=page.cursor if last or there is None else dict(place))

    # ------------------------------------------------------------------------------------------------- later times

    def _events(self, want: Want, thing: Thing, since: int) -> Iterator[Page]:
        until = self._now + 1
        width = until - since
        while since < until:
            end = min(since + width, until)
            found, more = self._between(thing, since, end)
            if more and end - since > 1:
                width = max((end - since) // 2, 1)
                continue
            if more:  # very many in one second
                found = list(api.through(self._http, "/v1/events", **_stretch(thing, since, end)))
            since, width = end, width * 2
            cursor = {"phase": "events", "since": since} if since < until else _next(self._now)
            yield Page(_rows(want, thing, found), cursor)

    def _between(self, thing: Thing, since: int, end: int) -> tuple[list[dict[str, Any]], bool]:
        return api.listed(self._http, "/v1/events", **_stretch(thing, since, end))


def _next(begun: int) -> dict[str, Any]:
    return {"phase": "events", "since": begun - round(LAG.total_seconds())}


def _stretch(thing: Thing, since: int, end: int) -> dict[str, Any]:
    return {"types[]": list(thing.events), "created[gte]": since, "created[lt]": end}


def _rows(want: Want, thing: Thing, events: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return what records became, oldest first; of one second only the last."""
    found: dict[tuple[str, int], Row] = {}
    for event in reversed(events):
        at, data = moment(event.get("created")), event.get("data")
        held = data.get("object") if isinstance(data, dict) else None
        if at is None or not isinstance(held, dict):
            raise odd(api.TITLE, "an event does not say of what and when it is")
        if event.get("type") == thing.deleted:
            made = Row(api.id_of(held), {}, at, gone=True)
        else:
            made = row(thing, want.object.fields, held, at)
        found.pop((made.id, api.seconds(at)), None)
        found[made.id, api.seconds(at)] = made
    return list(found.values())
