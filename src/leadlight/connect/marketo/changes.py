"""What changed about people, and what they were before: data value changes, as Marketo logs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from leadlight.connect.http import Http
from leadlight.connect.marketo.api import PAGE, call, iso, paged, results, since_token
from leadlight.connect.protocol import Object, Row, Value
from leadlight.connect.typed import moment, text, typed
from leadlight.connect.versions import Change, versions

CHANGES_MOST = 200_000
"""Changes that are held at once; of more than that the oldest are forgotten, as Marketo itself does after a while."""


class _Said(NamedTuple):
    lead: str
    change: Change | None


def changed_leads(http: Http, of: Object, since: datetime) -> dict[str, list[Change]]:
    """Return who is new or changed since a moment, with the changes of wanted fields, in the order they came."""
    said: deque[_Said] = deque(maxlen=CHANGES_MOST)
    tracked = [field.name for field in of.fields if field.history] or ["email"]
    path, fields = "/rest/v1/activities/leadchanges.json", ",".join(tracked)
    for page in activities(http, path, since_token(http, since), fields=fields):
        said.extend(one for told in page[0] for one in _changes(told, of))
    found: dict[str, list[Change]] = {}
    for one in said:
        own = found.setdefault(one.lead, [])
        if one.change is not None:
            own.append(one.change)
    return found


def activities(
    http: Http, path: str, token: str, **params: str | int
) -> Iterator[tuple[list[dict[str, Any]], str, bool]]:
    """Yield pages of activities since a token: what they hold, the token after them, and whether there are more.

    A page may be empty and followed by others: Marketo looks through so many activities of all kinds for each.
    """
    more = True
    while more:
        body = call(http, "GET", path, {"nextPageToken": token, **params})
        after = text(body.get("nextPageToken")) or token
        more = body.get("moreResult") is True and after != token
        token = after
        yield results(body), token, more


def _changes(told: Mapping[str, Any], of: Object) -> Iterator[_Said]:
    lead, at, fields = text(told.get("leadId")), moment(told.get("activityDate")), told.get("fields")
    if lead is None:
        return
    yield _Said(lead, None)
    for one in fields if isinstance(fields, list) else ():
        field = of.field(str(one.get("name"))) if isinstance(one, dict) else None
        if field is not None and field.history and at is not None:
            new, old = typed(one.get("newValue"), field.type), typed(one.get("oldValue"), field.type)
            yield _Said(lead, Change(field.name, at, new, old))


def leads(http: Http, ids: Sequence[str], fields: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Yield what some people hold now, in pages; those that are gone are left out."""
    if ids:
        asked = ",".join(dict.fromkeys(["id", *fields]))
        yield from paged(
            http, "/rest/v1/leads.json", filterType="id", filterValues=",".join(ids), fields=asked, batchSize=PAGE
        )


def rows_of(
    records: Sequence[Mapping[str, Any]], changes: Mapping[str, Sequence[Change]], of: Object, *, first: bool
) -> list[Row]:
    """Return what people were since their changes began; at a later reading their first row is dated by their creation.

    So whoever has newer rows of somebody drops that one.
    """
    found: list[Row] = []
    for record in records:
        id_ = text(record.get("id"))
        if id_ is None:
            continue
        values, own = lead_values(record, of), changes.get(id_, ())
        created = moment(record.get("createdAt"))
        found += versions(id_, values, own, created_at=created, whole=not first) if own else [Row(id_, values)]
    return found


def lead_values(record: Mapping[str, Any], of: Object) -> dict[str, Value]:
    """Return the wanted values of a person."""
    return {field.name: typed(record.get(field.name), field.type) for field in of.fields}


def parts(items: Iterable[str], size: int = PAGE) -> Iterator[list[str]]:
    """Cut ids into parts of so many.

    >>> list(parts(["1", "2", "3"], 2))
    [['1', '2'], ['3']]
    """
    ids = list(items)
    yield from (ids[start : start + size] for start in range(0, len(ids), size))


def stamp(at: datetime) -> str:
    """Write a moment as cursors keep it."""
    return iso(at)[:-1]
