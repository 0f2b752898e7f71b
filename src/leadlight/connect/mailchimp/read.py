"""Reading an audience: members by their last change, campaigns' activity since a moment, orders as a whole.

Members are asked for in the order of their last change, always since the last that was read and never by a deep offset:
somebody who changes meanwhile moves to the end and hides nobody. Whoever was archived is asked for in the same way;
members that were deleted for good are told by nothing but their absence, so ids are looked for once a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.mailchimp.api import PAGE, listed, part
from leadlight.connect.mailchimp.describe import OF_MEMBERS
from leadlight.connect.mailchimp.rows import activity_rows, member_values, order_row, unsubscribe_row
from leadlight.connect.protocol import Page, Row, Want
from leadlight.connect.typed import moment, text

SECOND = timedelta(seconds=1)
OVERLAP = timedelta(hours=1)
"""Activity is counted with some delay."""
SWEEP = timedelta(hours=24)
ARCHIVED = "archived"
STEPS = ("members", ARCHIVED)
ACTIVITY, UNSUBSCRIBED = "email-activity", "unsubscribed"
PARTS = ((ACTIVITY, "emails"), (UNSUBSCRIBED, "unsubscribes"))
SHARE_TWICE = 10
"""A tenth of a page is read again with the next one where pages lie one behind the other."""


def read_members(http: Http, audience: str, want: Want, now: datetime) -> Iterator[Page]:
    """Yield members that changed, then those that were archived, then (once a day) which ids there are."""
    state = dict(want.cursor or {})
    first = not state
    state.setdefault("swept", _stamp(now))
    for step in STEPS:
        if step == ARCHIVED and first:  # who was archived before is nobody we know
            state[ARCHIVED] = {"since": dict(state["members"])["since"] or _stamp(now), "offset": 0}
            continue
        for page in _walk(http, audience, want, state, step):
            yield page
            state = dict(page.cursor)
    swept = moment(state["swept"])
    if swept is None or now - swept >= SWEEP:
        yield from _there(http, audience, dict(state))
        state["swept"] = _stamp(now)
    yield Page((), state)


def _walk(http: Http, audience: str, want: Want, state: Mapping[str, Any], step: str) -> Iterator[Page]:
    place = dict(state.get(step) or {})
    since, offset = moment(place.get("since")), int(place.get("offset") or 0)
    more = True
    while more:
        params: dict[str, str | int] = {
            "count": PAGE,
            "offset": offset,
            "sort_field": "last_changed",
            "sort_dir": "ASC",
        }
        if since is not None:
            params["since_last_changed"] = f"{_stamp(since)}+00:00"
        if step == ARCHIVED:
            params["status"] = ARCHIVED
        found, total = listed(http, f"/lists/{audience}/members", "members", fields=_fields(want), **params)
        more = bool(found) and total > offset + len(found)
        times = [at for one in found if (at := moment(one.get("last_changed"))) is not None]
        next_ = max(times) - SECOND if times else None
        if next_ is not None and (since is None or next_ > since):
            since, offset = next_, 0
        elif more:
            offset += _step(len(found))
        here = {"since": _stamp(since) if since else None, "offset": offset if more else 0}
        yield Page(list(_rows(found, want, gone=step == ARCHIVED)), {**state, step: here})


def _rows(found: list[dict[str, Any]], want: Want, *, gone: bool) -> Iterator[Row]:
    for one in found:
        id_ = text(one.get("id"))
        if id_ is not None:
            yield Row(id_, {} if gone else member_values(one, want.object.fields), gone=gone)


def _there(http: Http, audience: str, done: Mapping[str, Any]) -> Iterator[Page]:
    """Yield the ids there are, in an order that does not change; a tenth of each page comes again with the next."""
    offset, more = 0, True
    while more:
        found, total = listed(
            http,
            f"/lists/{audience}/members",
            "members",
            fields="members.id,total_items",
            count=PAGE,
            offset=offset,
            sort_field="timestamp_signup",
            sort_dir="ASC",
        )
        more = bool(found) and total > offset + len(found)
        offset += _step(len(found))
        yield Page((), dict(done), there=[id_ for one in found if (id_ := text(one.get("id"))) is not None])


def _step(size: int) -> int:
    return max(size - max(size // SHARE_TWICE, 2), 1)


def _fields(want: Want) -> str:
    """Return what is to be answered: whole records are long."""
    own = {"tags": "tags", "country": "location", "created_at": "timestamp_signup"}
    names = {field.name for field in want.object.fields}
    asked = {own.get(field.name, field.name) for field in OF_MEMBERS if field.name in names}
    asked |= {"id", "last_changed", "timestamp_opt"}
    if names - {field.name for field in OF_MEMBERS}:
        asked.add("merge_fields")
    return ",".join([*(f"members.{name}" for name in sorted(asked)), "total_items"])


def read_activity(http: Http, audience: str, want: Want, *, days: int, now: datetime) -> Iterator[Page]:
    """Yield what recipients did with the campaigns of the last so many days, campaign by campaign."""
    state = dict(want.cursor or {})
    since = moment(state.get("since"))
    if "next" not in state:
        state = {
            "since": state.get("since"),
            "next": _stamp(now - OVERLAP),
            "campaign": "",
            "part": ACTIVITY,
            "offset": 0,
        }
    for campaign, title in sorted(dict(_campaigns(http, audience, now - timedelta(days=days))).items()):
        for what, key in PARTS:
            if (campaign, what) < (state["campaign"], state["part"]):
                continue
            offset = int(state["offset"]) if (campaign, what) == (state["campaign"], state["part"]) else 0
            more = True
            while more:
                params: dict[str, str | int] = {"count": PAGE, "offset": offset}
                if since is not None and what == ACTIVITY:
                    params["since"] = f"{_stamp(since)}+00:00"
                found, total = listed(http, f"/reports/{part(campaign)}/{what}", key, **params)
                more = bool(found) and total > offset + len(found)
                offset += len(found)
                state = {**state, "campaign": campaign, "part": what, "offset": offset}
                yield Page(list(_events(found, what, campaign, title, since, want)), state)
    yield Page((), {"since": state["next"]})


def _events(
    found: list[dict[str, Any]], what: str, campaign: str, title: str | None, since: datetime | None, want: Want
) -> Iterator[Row]:
    for one in found:
        if what == ACTIVITY:
            yield from activity_rows(one, campaign, title, since, want.object.fields)
        else:
            row = unsubscribe_row(one, campaign, title, since, want.object.fields)
            if row is not None:
                yield row


def _campaigns(http: Http, audience: str, sent_since: datetime) -> Iterator[tuple[str, str | None]]:
    offset, more = 0, True
    while more:
        fields = "reports.id,reports.campaign_title,reports.list_id,total_items"
        params: dict[str, str | int] = {"fields": fields, "count": PAGE, "offset": offset}
        found, total = listed(http, "/reports", "reports", since_send_time=f"{_stamp(sent_since)}+00:00", **params)
        for one in found:
            id_ = text(one.get("id"))
            if id_ is not None and one.get("list_id") == audience:
                yield id_, text(one.get("campaign_title"))
        offset += len(found)
        more = bool(found) and total > offset


def read_orders(http: Http, want: Want) -> Iterator[Page]:
    """Yield all orders of the shops that are connected."""
    offset, more = 0, True
    while more:
        found, total = listed(http, "/ecommerce/orders", "orders", count=PAGE, offset=offset)
        more = bool(found) and total > offset + len(found)
        offset += _step(len(found)) if more else 0
        yield Page([row for one in found if (row := order_row(one, want.object.fields)) is not None], {})


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"
