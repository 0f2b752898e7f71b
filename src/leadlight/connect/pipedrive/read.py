"""Records of Pipedrive since a cursor: by their time of change, then what was deleted, then (leads) what still exists.

A cursor holds a time for each place that is read (`/api/v2/deals`, `/api/v2/deals/archived`, `recents`). Lists are
ordered by `update_time`, so that a reading that was killed goes on at the last time it kept; a list of API v1 is paged
by time, not by offset, because records that change meanwhile would shift the others past us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.pipedrive.describe import PAGE, Described, items, next_cursor
from leadlight.connect.pipedrive.history import changes_of
from leadlight.connect.pipedrive.kinds import Kind
from leadlight.connect.pipedrive.values import values_of
from leadlight.connect.protocol import Cursor, Page, Row
from leadlight.connect.typed import moment, text
from leadlight.connect.versions import versions

OVERLAP = timedelta(minutes=5)
"""How much of what was read is read again: changes are listed a little after they are made."""
CUSTOM_MOST = 15
"""Custom fields that one can ask for by their keys; with more, all of them are sent."""
RECENTS, THERE = "recents", "there"
SWEEP = timedelta(days=1)
"""How often all leads are counted: nothing else tells that one was deleted or made into a deal."""
FORGETS = timedelta(days=25)
"""How long `recents` can be relied on; after a longer pause, all that still exist are counted."""
STATUSES = "open,won,lost,deleted"
PUT_AWAY = "/archived"


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of one object."""

    http: Http
    kind: Kind
    fields: Mapping[str, Described]
    """Those that are wanted."""
    names: Mapping[str, str]
    """Of stages and pipelines."""
    now: datetime
    history: bool = False
    """Whether what records were before is wanted."""

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Yield pages; raises RemoteError."""
        at: dict[str, Any] = dict(cursor or {})
        first = cursor is None
        for path in self.kind.paths:
            yield from self._listed(path, at)
        if self.kind.recent is not None:
            told = moment(at.get(RECENTS))
            if first or told is None:  # what was deleted before the first reading was never known
                yield Page([], self._told(at, RECENTS, self.now - OVERLAP))
                return
            yield from self._deleted(at, told)
            if self.now - told > FORGETS:
                yield from self._there(at)
        else:
            counted = moment(at.get(THERE))
            if first or counted is None:
                yield Page([], self._told(at, THERE, self.now))
            elif self.now - counted >= SWEEP:
                yield from self._there(at)
                yield Page([], self._told(at, THERE, self.now), [])

    # --------------------------------------------------------------------------------------------- what changed

    def _listed(self, path: str, at: dict[str, Any]) -> Iterator[Page]:
        since = moment(at.get(path))
        last = since
        backwards = since is not None and path.endswith(PUT_AWAY) and not self.kind.newest
        if self.kind.newest:
            listed = self._by_cursor(path, since)
        else:
            listed = self._backwards(path, since) if backwards and since else self._by_time(path, since)
        for records in listed:
            times = [found for one in records if (found := moment(one.get("update_time"))) is not None]
            last = max([*times, *([last] if last else [])], default=None)
            yield Page(self._rows(records), dict(at) if backwards else self._told(at, path, last))
        if last is not None:
            earlier = last - OVERLAP
            yield Page([], self._told(at, path, earlier if since is None else max(earlier, since)))

    def _by_cursor(self, path: str, since: datetime | None) -> Iterator[list[Mapping[str, Any]]]:
        params = {"limit": PAGE, "sort_by": "update_time", "sort_direction": "asc", **self._asked()}
        if since is not None:
            params["updated_since"] = _time(since)
            if self.kind.name == "deals":
                params["status"] = STATUSES
        while True:
            body = self.http.get(path, **params)
            yield items(body, path)
            following = next_cursor(body)
            if following is None or following == params.get("cursor"):
                return
            params["cursor"] = following

    def _by_time(self, path: str, since: datetime | None) -> Iterator[list[Mapping[str, Any]]]:
        """Yield pages of a list of API v1, oldest change first."""
        start, after = 0, since
        while True:
            params: dict[str, Any] = {"limit": PAGE, "start": start, "sort": "update_time ASC"}
            if after is not None:
                params["updated_since"] = _time(after)
            body = self.http.get(path, **params)
            records = items(body, path)
            yield records
            if not _more(body) or not records:
                return
            last = moment(records[-1].get("update_time"))
            if path.endswith(PUT_AWAY) or last is None or (after is not None and last <= after):
                start += len(records)
            else:
                start, after = 0, last

    def _backwards(self, path: str, since: datetime) -> Iterator[list[Mapping[str, Any]]]:
        """Yield pages of a list that knows no `updated_since`, newest change first, as far back as is wanted."""
        start = 0
        while True:
            body = self.http.get(path, limit=PAGE, start=start, sort="update_time DESC")
            records = items(body, path)
            yield [one for one in records if (moment(one.get("update_time")) or since) >= since]
            oldest = moment(records[-1].get("update_time")) if records else None
            if not _more(body) or oldest is None or oldest < since:
                return
            start += len(records)

    def _asked(self) -> dict[str, Any]:
        """Return what has to be asked for: fields that are not sent by themselves, and only the custom ones wanted."""
        asked: dict[str, Any] = {}
        optional = sorted(set(self.fields) & self.kind.optional)
        if optional:
            asked["include_fields"] = ",".join(optional)
        custom = [one.code for one in self.fields.values() if one.field.custom]
        if 0 < len(custom) <= CUSTOM_MOST and self.kind.described is not None:
            asked["custom_fields"] = ",".join(custom)
        return asked

    # ------------------------------------------------------------------------------------------ what was deleted

    def _deleted(self, at: dict[str, Any], since: datetime) -> Iterator[Page]:
        """Yield what `recents` shows to be deleted or merged; it forgets after 30 days."""
        start = 0
        while True:
            params = {"since_timestamp": f"{since:%Y-%m-%d %H:%M:%S}", "items": self.kind.recent}
            body = self.http.get("/api/v1/recents", **params, start=start, limit=PAGE)
            found = items(body, "/api/v1/recents")
            rows = [row for one in found if (row := self._gone(one)) is not None]
            if rows:
                yield Page(rows, dict(at))
            if not _more(body) or not found:
                break
            start += len(found)
        yield Page([], self._told(at, RECENTS, self.now - OVERLAP))

    def _gone(self, recent: Mapping[str, Any]) -> Row | None:
        data = recent.get("data")
        data = data[0] if isinstance(data, list) and data else data
        if recent.get("item") != self.kind.recent or not isinstance(data, dict):
            return None
        number, merged = text(data.get("id")) or text(recent.get("id")), text(data.get("merge_what_id"))
        if number is None:
            return None
        if data.get("active_flag") is False or data.get("status") == "deleted":
            return Row(number, {}, gone=True, into=merged)
        return Row(merged, {}, gone=True, into=number) if merged is not None and merged != number else None

    def _there(self, at: dict[str, Any]) -> Iterator[Page]:
        """Yield all ids that exist."""
        for path in self.kind.paths:
            for records in self._all(path):
                alive = [one for one in records if one.get("is_deleted") is not True]
                yield Page([], dict(at), [number for one in alive if (number := text(one.get("id")))])

    def _all(self, path: str) -> Iterator[list[Mapping[str, Any]]]:
        if self.kind.newest:
            yield from self._by_cursor(path, None)
            return
        start = 0
        while True:
            body = self.http.get(path, limit=PAGE, start=start, sort="id ASC")
            records = items(body, path)
            yield records
            if not _more(body) or not records:
                return
            start += len(records)

    # ------------------------------------------------------------------------------------------------- rows

    def _rows(self, records: Sequence[Mapping[str, Any]]) -> list[Row]:
        return [row for one in records for row in self._versions(one)]

    def _versions(self, record: Mapping[str, Any]) -> list[Row]:
        number = text(record.get("id"))
        if number is None:
            return []
        if record.get("is_deleted") is True or record.get("active_flag") is False:
            return [Row(number, {}, gone=True)]
        values = values_of(record, self.fields, self.names)
        if not self.history:
            return [Row(number, values)]
        changes = changes_of(self.http, self.kind, number, self.fields)
        return versions(number, values, changes, created_at=moment(record.get("add_time")))

    @staticmethod
    def _told(at: dict[str, Any], place: str, when: datetime | None) -> dict[str, Any]:
        """Note a time in the cursor, and return the cursor."""
        if when is not None:
            at[place] = when.isoformat()
        return dict(at)


def stage_names(http: Http) -> dict[str, str]:
    """Return the names of stages and pipelines, by `stage_id=7` and `pipeline_id=1`."""
    found: dict[str, str] = {}
    for path, key in (("/api/v2/stages", "stage_id"), ("/api/v2/pipelines", "pipeline_id")):
        params: dict[str, Any] = {"limit": PAGE}
        while True:
            body = http.get(path, **params)
            for one in items(body, path):
                number, name = text(one.get("id")), text(one.get("name"))
                if number and name:
                    found[f"{key}={number}"] = name
            following = next_cursor(body)
            if following is None or following == params.get("cursor"):
                break
            params["cursor"] = following
    return found


def _more(body: Any) -> bool:
    additional = body.get("additional_data") if isinstance(body, dict) else None
    paging = additional.get("pagination") if isinstance(additional, dict) else None
    return isinstance(paging, dict) and paging.get("more_items_in_collection") is True


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
