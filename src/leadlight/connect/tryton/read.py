"""Read records of Tryton's: what changed since a cursor, what they were before, and which are no more.

A reading goes by the time of the last change and the id. What is shown of another record (`party.email`) changes
without its own record changing: records that lead to a changed one are read again. Deletions are in Tryton's log, which
only administrators may search; others go through all ids now and then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.protocol import Cursor, Page, Row, Value, Want
from leadlight.connect.tryton.derive import Derived
from leadlight.connect.tryton.describe import MODIFIED, OPPORTUNITY, STATE_SINCE, Model, Models
from leadlight.connect.tryton.history import Past
from leadlight.connect.tryton.rest import Domain, Rest
from leadlight.connect.tryton.values import moment, plain, tagged
from leadlight.errors import NotFoundError, RemoteError

PAGE = 500
OVERLAP = timedelta(minutes=10)
"""How long a transaction may take: what it writes bears the time of its beginning."""
IDS = 5_000
"""Ids in one request of those that go through all of them."""
CLOCKS = timedelta(hours=1)
"""By how much the server's clock and ours may differ."""
BY_MECHANISM = frozenset({"email", "phone", "mobile", "fax", "website"})
"""Fields of a party that are kept in records of their own."""
MANY = ("one2many", "many2many")
ARCHIVED, REPLACED = "active", "replaced_by"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reading has come."""

    at: datetime | None = None
    number: int = 0
    began: datetime | None = None
    """When this reading began, by our clock; at its end, null."""
    took: float = 0.0
    """Seconds that the reading before it took."""
    since: datetime | None = None
    """Up to which change the reading before it had come; None: there was none."""
    swept: datetime | None = None
    """When all ids were last gone through."""
    seen: datetime | None = None
    """When the reading before it began, by our clock."""

    @classmethod
    def of(cls, cursor: Cursor | None) -> Place:
        """Return what a cursor says."""
        told = cursor or {}
        at, began, since, swept, seen = (_time(told.get(name)) for name in ("at", "began", "since", "swept", "seen"))
        return cls(at, int(told.get("number", 0)), began, float(told.get("took", 0)), since, swept, seen)

    def next(self, now: datetime) -> Place:
        """Return where to go on: exactly here where reading was broken off, else a little before.

        Before what a reading saw last may be what was not yet written when it came by there.
        """
        if self.began is not None:
            return self
        since = None if self.at is None else self.at - OVERLAP - timedelta(seconds=self.took)
        return Place(since, 0, now, 0.0, since, self.swept, self.seen)

    def end(self, now: datetime, swept: datetime) -> Place:
        """Return the end of a reading."""
        took = max((now - (self.began or now)).total_seconds(), 0.0)
        return replace(self, began=None, took=took, swept=swept, seen=self.began)

    def cursor(self) -> Cursor:
        """Return it as plain JSON values."""
        times = {"at": self.at, "began": self.began, "since": self.since, "swept": self.swept, "seen": self.seen}
        told = {name: None if time is None else time.isoformat() for name, time in times.items()}
        return {**told, "number": self.number, "took": self.took}


class Reading:
    """One reading of one object."""

    def __init__(self, rest: Rest, models: Models, want: Want, *, sweep: timedelta) -> None:
        self._rest, self._want, self._sweep = rest, want, sweep
        self._models, self._model = models, models.model(want.object.name)
        self._began = rest.now()
        self._place = Place.of(want.cursor).next(self._began)
        self._derived = Derived(rest, want)
        self._names = _asked(self._model, want)
        states = any(field.name == STATE_SINCE for field in want.object.fields)
        wanted = want.history or states
        past = Past(rest, self._model, rows=want.history, states=states)
        self._past = past if self._model.history and wanted else None

    def pages(self) -> Iterator[Page]:
        """Yield what changed, then what was touched, then which ids there are."""
        yield from self._changed()
        swept = self._place.swept or self._began
        if self._place.since is not None:
            yield from self._touched(self._place.since)
            if self._is_due():
                yield from self._there()
                swept = self._began
        yield Page((), self._place.end(self._rest.now(), swept).cursor())

    # ---------------------------------------------------------------------------------------------- what changed

    def _changed(self) -> Iterator[Page]:
        while found := self._next():
            last = found[-1]
            at = moment(last.get(MODIFIED)) or self._place.at
            self._place = replace(self._place, at=at, number=last["id"])
            yield Page(self._rows(found), self._place.cursor())

    def _next(self) -> list[dict[str, Any]]:
        """Return the next records: those of the same moment, else those that changed after it.

        In two questions, since Tryton adds to each part of a condition with OR that the record be active.
        """
        order = [[MODIFIED, "ASC"], ["id", "ASC"]]
        if self._place.at is None:
            return self._search([], limit=PAGE, order=order)
        time = tagged(self._place.at, "datetime")
        same = [[MODIFIED, "=", time], ["id", ">", self._place.number]]
        return self._search(same, limit=PAGE, order=order) or self._search(
            [[MODIFIED, ">", time]], limit=PAGE, order=order
        )

    def _touched(self, since: datetime) -> Iterator[Page]:
        """Yield records (not archived ones) that show something of other records, which changed, as they are now."""
        paths = touches(self._models, self._model, [field.name for field in self._want.object.fields])
        if not paths:
            return
        seen = since if self._place.seen is None else self._place.seen - CLOCKS
        changed = ["OR", *([path, ">=", tagged(seen, "datetime")] for path in paths)]
        number = 0
        while found := self._search([["id", ">", number], changed], limit=PAGE, order=[["id", "ASC"]]):
            number = found[-1]["id"]
            self._derived.prepare(self._model, found)
            if self._past is not None:
                self._past.of(found, self._names, self._began)
            rest = [one for one in found if (moment(one.get(MODIFIED)) or since) <= since]
            yield Page([self._row(one, one, self._began) for one in rest], self._place.cursor())

    def _search(self, domain: list[Any], *, limit: int, order: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        seen = every(self._model, domain)
        return self._rest.search(self._model.name, seen, self._names, limit=limit, order=order)

    # ---------------------------------------------------------------------------------------------------- rows

    def _rows(self, found: Sequence[dict[str, Any]]) -> list[Row]:
        self._derived.prepare(self._model, found)
        if self._past is None:
            return [self._row(one, one, None) for one in found]
        return [self._row(now, then, at) for now, then, at in self._past.of(found, self._names, self._place.since)]

    def _row(self, now: Mapping[str, Any], then: Mapping[str, Any], known_at: datetime | None) -> Row:
        values: dict[str, Value] = {}
        for field in self._want.object.fields:
            if field.name == STATE_SINCE:
                moves = self._past.moves.get(now["id"], []) if self._past is not None else []
                values[field.name] = self._derived.state_since(then, known_at, moves)
            elif field.name == OPPORTUNITY and self._model.type(OPPORTUNITY) == "":
                values[field.name] = self._derived.opportunity(now)
            else:
                values[field.name] = plain(at_path(then, field.name), field.type)
        into = now.get(REPLACED) if self._model.type(REPLACED) == "many2one" else None
        # On SQLite, false is 0.
        gone = into is None and self._model.type(ARCHIVED) == "boolean" and not now.get(ARCHIVED, True)
        return Row(str(now["id"]), values, known_at, gone=gone, into=None if into is None else str(into))

    # ------------------------------------------------------------------------------------------------ deletions

    def _is_due(self) -> bool:
        """Say whether all ids have to be gone through: records were deleted, or it is long ago."""
        swept = self._place.swept
        if swept is None or self._began - swept >= self._sweep:
            return True
        domain = [
            ["event", "=", "delete"],
            ["resource", "like", f"{self._model.name},%"],
            ["create_date", ">=", tagged(swept - OVERLAP, "datetime")],
        ]
        try:
            return bool(self._rest.search("ir.model.log", domain, ["id"], limit=1))
        except RemoteError as error:
            if error.trouble != "scope":
                raise
            return False

    def _there(self) -> Iterator[Page]:
        last = 0
        while True:
            domain = every(self._model, [["id", ">", last]])
            found = self._rest.search(self._model.name, domain, ["id"], limit=IDS, order=[["id", "ASC"]])
            yield Page((), self._place.cursor(), there=[str(one["id"]) for one in found])
            if not found:
                return
            last = found[-1]["id"]


def every(model: Model, domain: list[Any]) -> Domain:
    """Return a condition that is true of archived records, too, which Tryton leaves out unless it is asked."""
    return [*domain, [ARCHIVED, "in", [True, False]]] if model.type(ARCHIVED) == "boolean" else domain


def at_path(record: Mapping[str, Any], path: str) -> Any:
    """Return what a record shows by a path; several records are a list.

    >>> at_path({"id": 1, "party": 4, "party.": {"id": 4, "email": "a@x.org"}}, "party.email")
    'a@x.org'
    >>> at_path({"addresses.": [{"city": "Rome"}, {"city": None}]}, "addresses.city")
    ['Rome']
    """
    head, _, rest = path.partition(".")
    if not rest:
        return record.get(head)
    inner = record.get(f"{head}.")
    if isinstance(inner, list):
        found = [at_path(one, rest) for one in inner if isinstance(one, Mapping)]
        return [one for one in found if one is not None]
    return at_path(inner, rest) if isinstance(inner, Mapping) else None


def touches(models: Models, model: Model, names: Sequence[str]) -> list[str]:
    """Return the paths of the times by which what is shown of other records may have changed."""
    found: dict[str, None] = {}
    for name in names:
        *way, last = name.split(".")
        here, before = model, ""
        for step in way:
            target = here.target(step)
            if target is None or not here.fields[step].get("searchable"):
                break
            before = f"{before}{step}."
            found[f"{before}write_date"] = None
            if here.type(step) in MANY:
                found[f"{before}create_date"] = None
            try:
                here = models.model(target)
            except (NotFoundError, RemoteError):  # it may not be read: what is shown of it tells
                break
        else:
            if last in BY_MECHANISM and here.type("contact_mechanisms") == "one2many":
                found |= {f"{before}contact_mechanisms.{time}": None for time in ("write_date", "create_date")}
    return list(found)


def _asked(model: Model, want: Want) -> list[str]:
    """Return the fields to ask for: those that are wanted and exist, and what we need ourselves."""
    own = [name for name in (MODIFIED, "create_date", "state", "end_date", ARCHIVED, REPLACED) if model.type(name)]
    wanted = [field.name for field in want.object.fields if model.type(field.name.partition(".")[0])]
    own += [name.partition(".")[0] for name in wanted if "." in name]
    if any(field.name == OPPORTUNITY for field in want.object.fields) and not model.type(OPPORTUNITY):
        own += [name for name in ("at", "record.record") if model.type(name.partition(".")[0])]
    return list(dict.fromkeys([*own, *wanted]))


def _time(told: Any) -> datetime | None:
    return datetime.fromisoformat(told) if isinstance(told, str) else None
