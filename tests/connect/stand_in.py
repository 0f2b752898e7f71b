"""A vendor's API on loopback: a small CRM in memory, driven in neutral words, that misbehaves as it is told.

How a vendor's stand-in is made (`tests/connect/<system>/stand_in.py`, class `StandIn`):

    from connect.stand_in import Call, Kind, Reply, Schema, StandIn as Base, route

    class StandIn(Base):
        system = "acme"                                  # the connector's name in the registry
        people = Kind("contacts", text="jobtitle", number="employees", history="jobtitle")
        accounts = Kind("companies", text="name")        # those that there are: people, accounts, deals, events
        lacks = {"expire": "its tokens do not run out"}  # what the suite shall skip, and why (see LACKS)
        words = {"sign_in": "Private apps", "scope": "crm.objects"}   # must stand in those errors
        secrets = {"token": "acme-secret-1"}

        def schema(self) -> Schema:                      # the fields at the beginning; tests drop and add some
            return {"contacts": {"jobtitle": "text", "employees": "number", "createdate": "time"}, "companies": {…}}

        def authorised(self, call: Call) -> Reply | None:      # asked before every route that is not `open`
            if self.revoked or call.headers.get("authorization") != f"Bearer {self.secrets['token']}":
                return Reply({"message": "no such key"}, 401)
            if self.scope_missing:
                return Reply({"message": "scope missing"}, 403)
            return None

        @route("GET", "/v1/{object}")
        def listed(self, call: Call) -> Reply:
            size = self.saw_page(int(call.params.get("limit", 100)))      # so that page sizes can be checked
            found = self.changed_since(call.path["object"], since)        # Records, oldest change first
            return Reply({"results": [self.wire(one) for one in found[:size]]})

        @route("POST", "/v1/{object}/update")
        def update(self, call: Call) -> Reply:
            batch = call.json()["inputs"]
            self.saw_batch(len(batch))
            …self.refused.get((object, id)) → this record's error;  self.edit(object, id, by_us=True, **values)

`Record.values` holds what a `Row` should say (text, float, bool, naive UTC), by the connector's own field names:
routes turn that into the wire's form. `fill(object, values, id, at)` may add what the system itself sets
(createdate …). Override `merge`, `convert`, `too_many`, `expire` … where the vendor does more than the base.

In a connector's own tests:

    @pytest.fixture(scope="session")
    def acme():  # then call acme.reset() before each test
        with StandIn().serving() as made:
            yield made

    def test_reads(acme):
        lead = acme.add("contacts", jobtitle="Buyer")
        with acme.open() as opened:                      # a connector's Session in opened.session
            rows = opened.read("contacts")               # all rows of all pages; opened.cursor is the last one

Time stands still unless it is told to go on (`acme.clock.advance(60)`, or by waiting: `Http` waits on this clock, so
tests of Retry-After take no time). Faults: `acme.fail("too_many", "unavailable", "cut", …)` come to the next requests,
one each (see FAULTS). What was asked stands in `acme.calls`; the stand-in's own mistakes are in `acme.errors`.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from connect.server import Server
from connect.standing import START, Change, Kind, Opened, Record, StandClock
from connect.wire import FAULTS, RETRY_AFTER, Call, Reply, route
from leadlight.connect.http import Http
from leadlight.connect.protocol import Settings, Surroundings, Value
from leadlight.connect.quota import Quota
from leadlight.connect.registry import connector

__all__ = [
    "FAULTS",
    "LACKS",
    "RETRY_AFTER",
    "START",
    "Call",
    "Change",
    "Kind",
    "Opened",
    "Record",
    "Reply",
    "Schema",
    "StandClock",
    "StandIn",
    "route",
]

Schema = dict[str, dict[str, str]]
"""Object → field → its type (`leadlight.expr.types.Type`): text, number, bool, time."""

LACKS = (
    "incremental",  # only ever whole
    "delete",
    "merge",
    "convert",
    "history",
    "write",
    "refuse",  # single records that are refused
    "look",
    "ready",
    "note",
    "expire",  # a token that runs out and can be renewed
    "revoke",
    "scope",
    "disable",
    "drop_field",
    "new_field",
    "elsewhere",  # absolute links to the next page
    "quota",
    "pace",
    "webhook",
    "http",  # requests at all: retries, hostile answers
)
"""What a system may lack, to be named in `lacks` with a reason."""


class StandIn(Server):
    """A system on loopback."""

    system: ClassVar[str]
    people: ClassVar[Kind]
    accounts: ClassVar[Kind | None] = None
    deals: ClassVar[Kind | None] = None
    events: ClassVar[Kind | None] = None
    secrets: ClassVar[Mapping[str, str]] = {}
    lacks: ClassVar[Mapping[str, str]] = {}
    words: ClassVar[Mapping[str, str]] = {}
    """By trouble (sign_in, scope, disabled, absent): what such a RemoteError must say, of the vendor's settings."""

    short_pages: ClassVar[bool] = True
    """Whether a page may be shorter than asked for without being the last, so that few records make many pages."""

    largest_page: ClassVar[int] = 0
    """Records that a page of some other object may hold, where the vendor allows more there than `limits.page`."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    # ------------------------------------------------------------------------------------------ what vendors say

    def schema(self) -> Schema:
        """Return the objects and fields that there are at the beginning."""
        raise NotImplementedError

    def authorised(self, call: Call) -> Reply | None:  # noqa: ARG002
        """Return a refusal, unless the request is signed as it should."""
        return None

    def settings(self) -> dict[str, Any]:
        """Return the connection's settings, as they stand in leadlight.yaml."""
        return {"url": self.url}

    def wrong_secrets(self) -> dict[str, str]:
        """Return secrets that are not let in (a wrong password)."""
        return {name: f"wrong-{value}" for name, value in self.secrets.items()}

    def too_many(self) -> Reply:
        """Return how the vendor says that there were too many requests, to go on in RETRY_AFTER seconds."""
        return Reply({"message": "too many requests"}, 429, {"Retry-After": str(RETRY_AFTER)})

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002
        """Put into a new or edited record what the system itself sets."""

    def new_id(self, name: str, number: int) -> str:  # noqa: ARG002
        """Return the id of a new record."""
        return str(1000 + number)

    def custom_name(self, name: str) -> str:
        """Return what the connector calls a custom field of that name (`of_theirs__c`, `custom.of_theirs`)."""
        return name

    # ------------------------------------------------------------------------------------------- the system's life

    def reset(self) -> None:
        """Begin anew: no records, no faults, the first schema."""
        with self._lock:
            self.clock = StandClock()
            self.fields = {name: dict(fields) for name, fields in self.schema().items()}
            self.records: dict[str, dict[str, Record]] = {name: {} for name in self.fields}
            self.calls: list[Call] = []
            self.at_call: Callable[[Call], None] = lambda _: None
            """Is told of every request before it is answered."""
            self.faults: deque[str] = deque()
            self.refused: dict[tuple[str, str], str] = {}
            """Records that refuse to be written, and why; "locked" means: try again."""
            self.notes: list[dict[str, Any]] = []
            """Tasks and notes that were made: the vendor's own fields, plus `record` (its id) and `text`."""
            self.revoked = self.scope_missing = self.disabled = False
            self.tokens: set[str] = set()
            """Access tokens that are valid now, for vendors with tokens that run out."""
            self.per_day: int | None = None
            self.today: tuple[Any, int] = (None, 0)
            self.page_most: int | None = None
            """Records that a page holds at most, whatever is asked for (where `short_pages`)."""
            self._sorted: dict[str, tuple[int, list[Record]]] = {}
            self._last_order = 0
            self.pages_seen: list[int] = []
            self.batches_seen: list[int] = []
            self.errors: list[str] = []
            """Tracebacks of the stand-in's own mistakes (answered with 418)."""
            self._ids = itertools.count(1)

    def add(self, name: str, /, *, id: str | None = None, at: datetime | None = None, **values: Value) -> str:  # noqa: A002
        """Add a record and return its id."""
        with self._lock:
            at = at or self.clock.now()
            number = next(self._ids)
            id = id or self.new_id(name, number)  # noqa: A001
            held: dict[str, Value] = {**dict.fromkeys(self.fields[name]), **values}
            self.fill(name, held, id, at)
            self.records[name][id] = Record(name, id, held, at, at, self._order())
            return id

    def edit(self, name: str, id: str, /, **values: Value) -> None:  # noqa: A002
        """Change a record, as a person does (or a write of ours)."""
        with self._lock:
            record, now = self.records[name][id], self.clock.now()
            for key, value in values.items():
                old = record.values.get(key)
                if old != value:
                    record.history.append(Change(now, key, old, value))
                    record.values[key] = value
            record.modified, record.order = now, self._order()
            self.fill(name, record.values, id, now)

    def delete(self, name: str, id: str, /) -> None:  # noqa: A002
        """Delete a record."""
        with self._lock:
            record = self.records[name][id]
            record.gone, record.modified, record.order = True, self.clock.now(), self._order()

    def merge(self, name: str, loser: str, winner: str) -> str:
        """Merge a record into another one; return the id of the one that lives on."""
        with self._lock:
            self.delete(name, loser)
            self.records[name][loser].into = winner
            self.edit(name, winner)
            return winner

    def convert(self, name: str, id: str) -> str:  # noqa: A002
        """Convert a record into one of another object (a lead into a contact); return that one's id."""
        raise NotImplementedError

    def held(self, name: str, id: str) -> Record:  # noqa: A002
        """Return a record as it is kept."""
        return self.records[name][id]

    def alive(self, name: str) -> dict[str, Record]:
        """Return the records that are not gone, by id."""
        return {id: record for id, record in self.records[name].items() if not record.gone}  # noqa: A001

    def changed_since(self, name: str, since: datetime | None = None, *, gone: bool = False) -> list[Record]:
        """Return records changed at or after a time, the oldest change first; with those that are gone, if wanted."""
        with self._lock:
            order, known = self._sorted.get(name, (-1, []))
            if order != self._last_order:
                known = sorted(self.records[name].values(), key=lambda one: (one.modified, one.order))
                self._sorted[name] = self._last_order, known
            first = 0 if since is None else bisect_left(known, since, key=lambda one: one.modified)
            return [one for one in known[first:] if gone or not one.gone]

    def _order(self) -> int:
        self._last_order += 1
        return self._last_order

    def drop_field(self, name: str, field: str) -> None:
        """Remove a field, as when somebody renames it."""
        with self._lock:
            del self.fields[name][field]
            for record in self.records[name].values():
                record.values.pop(field, None)

    def new_field(self, name: str, field: str, type: str = "text") -> None:  # noqa: A002
        """Add a custom field."""
        with self._lock:
            self.fields[name][field] = type
            for record in self.records[name].values():
                record.values.setdefault(field, None)

    def webhook(self, name: str, url: str) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a webhook that says that records of an object changed, as the vendor signs it."""
        raise NotImplementedError

    def expire(self) -> None:
        """Let the access tokens that were given run out; others may be got."""
        with self._lock:
            self.tokens.clear()

    def refuse(self, name: str, id: str, why: str = "not a valid value") -> None:  # noqa: A002
        """Refuse what is written to a record from now on."""
        self.refused[name, id] = why

    def fail(self, *faults: str) -> None:
        """Let the next requests fail, one after the other."""
        assert set(faults) <= set(FAULTS), faults
        self.faults.extend(faults)

    # ---------------------------------------------------------------------------------------------- what was seen

    def saw_page(self, size: int) -> int:
        """Note how many records a request asks for, and return how many it gets."""
        self.pages_seen.append(size)
        return min(size, self.page_most) if self.page_most and self.short_pages else size

    def saw_batch(self, size: int) -> int:
        """Note how many records a request writes, and return that."""
        self.batches_seen.append(size)
        return size

    def fastest(self, window: float = 1.0) -> int:
        """Return the most requests that came within any so many seconds of the clock."""
        times = [call.at for call in self.calls]
        most, first = 0, 0
        for last, at in enumerate(times):
            while at - times[first] >= window - 1e-6:
                first += 1
            most = max(most, last - first + 1)
        return most

    # ------------------------------------------------------------------------------------------------- connecting

    def open(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        quota: Quota | None = None,
        per_second: float | None = None,
        **settings: Any,
    ) -> Opened:
        """Return a connection of the registry's connector to this system, on this clock."""
        self.clock.advance(1)  # a connection has its own pace, and so comes after others' requests
        one = connector(self.system)
        known = dict(self.secrets if secrets is None else secrets)
        told: Settings = one.settings.model_validate({**self.settings(), **settings})
        way = one.way(told, known)
        limits = one.about.limits if per_second is None else replace(one.about.limits, per_second=per_second)
        http = None
        if way is not None:
            http = Http(way, one.about, limits=limits, secrets=known, quota=quota, clock=self.clock.clock())
        return Opened(one.open(told, Surroundings(known, http, self.clock.now())), http, one)

    def quota(self, folder: Path, per_day: int, share: float = 0.8) -> Quota:
        """Return a quota of so many requests a day, which the stand-in counts too."""
        self.per_day = per_day
        title = connector(self.system).about.title
        return Quota(title, per_day, folder / "quota.json", share=share, clock=self.clock.clock())
