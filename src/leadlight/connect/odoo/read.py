"""Read records of Odoo's: what changed since a cursor, what they were before, who was merged, and who is no more.

A reading asks for all that was written since the reading before it, by id: times are told by the second, and a whole
import has one. Odoo keeps no list of what was deleted: all ids are gone through now and then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.odoo.describe import (
    ARCHIVED,
    CREATED,
    LEAD,
    MODIFIED,
    NAME,
    OUTCOME,
    OUTCOME_AT,
    SCOPES,
    Models,
)
from leadlight.connect.odoo.history import Chatter
from leadlight.connect.odoo.rpc import Rpc
from leadlight.connect.odoo.values import TYPES, name_of, plain, stamp
from leadlight.connect.protocol import Cursor, Page, Row, Value, Want
from leadlight.connect.versions import versions
from leadlight.expr.types import Type

PAGE = 200
IDS = 5_000
"""Ids in one request of those that go through all of them."""
OVERLAP = timedelta(minutes=10)
"""How long a transaction may take: what it writes bears the time of its beginning."""
STAGES = "crm.stage"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reading has come."""

    number: int | None = None
    """The last id; null where no reading is going on."""
    since: datetime | None = None
    """From when on this reading asks for changes; null: for all records."""
    then: datetime | None = None
    """From when on the next one does."""
    swept: datetime | None = None
    """When all ids were last gone through."""

    @classmethod
    def of(cls, cursor: Cursor | None) -> Place:
        """Return what a cursor says."""
        told = cursor or {}
        times = (told.get(name) for name in ("since", "then", "swept"))
        since, then, swept = (datetime.fromisoformat(time) if isinstance(time, str) else None for time in times)
        return cls(told.get("number"), since, then, swept)

    def cursor(self) -> Cursor:
        """Return it as plain JSON values."""
        times = {"since": self.since, "then": self.then, "swept": self.swept}
        return {"number": self.number} | {key: time and time.isoformat() for key, time in times.items()}


class Reading:
    """One reading of one object."""

    def __init__(self, rpc: Rpc, models: Models, want: Want, *, sweep: timedelta) -> None:
        self._rpc, self._models, self._want, self._sweep = rpc, models, want, sweep
        self._model = models.model(want.object.name)
        self._chatter = Chatter(rpc, models, self._model)
        self._now = rpc.http.clock.now()
        self._scope = list(SCOPES.get(self._model.name, ()))
        self._names = [field.name for field in want.object.fields]
        self._won: frozenset[int] | None = None

    def pages(self) -> Iterator[Page]:
        """Yield what changed, then which ids there are."""
        place = Place.of(self._want.cursor)
        if place.number is None:
            place = Place(0, place.then, self._newest(place), place.swept)
        changed = [*self._scope]
        if place.since is not None and self._model.type(MODIFIED):
            changed.append([MODIFIED, ">=", stamp(place.since)])
        while True:
            domain = [*changed, ["id", ">", place.number]]
            found = self._rpc.search(self._model.name, domain, self._asked(), limit=PAGE, order="id")
            if not found:
                break
            place = replace(place, number=found[-1]["id"])
            yield Page(self._rows(found), place.cursor())
        swept = place.swept or self._now
        if place.since is not None and self._now - swept >= self._sweep:
            yield from self._there(place)
            swept = self._now
        yield Page((), replace(place, number=None, since=None, swept=swept).cursor())

    def _newest(self, place: Place) -> datetime | None:
        """Return from when on the next reading has to ask: by Odoo's own clock, which is that of its last change."""
        if not self._model.type(MODIFIED):
            return None
        found = self._rpc.search(self._model.name, self._scope, [MODIFIED], limit=1, order=f"{MODIFIED} desc")
        last = plain(found[0].get(MODIFIED), "datetime") if found else None
        return last - OVERLAP if isinstance(last, datetime) else place.then

    def _asked(self) -> list[str]:
        heads = [name.partition(".")[0] for name in self._names]
        own = [ARCHIVED, MODIFIED, CREATED]
        if self._model.name == LEAD:
            own += ["probability", "stage_id", "date_closed"]
        return [name for name in dict.fromkeys([*own, *heads]) if self._model.type(name)]

    def _there(self, place: Place) -> Iterator[Page]:
        last = 0
        while True:
            domain = [*self._scope, ["id", ">", last]]
            found = self._rpc.search(self._model.name, domain, ["id"], limit=IDS, order="id")
            yield Page((), place.cursor(), there=[str(one["id"]) for one in found])
            if not found:
                return
            last = found[-1]["id"]

    # ---------------------------------------------------------------------------------------------------- rows

    def _rows(self, found: Sequence[Mapping[str, Any]]) -> list[Row]:
        self._chatter.prepare([one["id"] for one in found], history=self._want.history)
        others = self._others(found)
        rows: list[Row] = []
        for one in found:
            rows += self._row(one, others)
        merged = self._chatter.merged.items()
        return [*rows, *(Row(str(loser), {}, into=str(winner)) for loser, winner in merged)]

    def _row(self, one: Mapping[str, Any], others: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> list[Row]:
        values = {name: self._value(one, name, others) for name in self._names}
        number, outcome = str(one["id"]), self._outcome(one)
        gone = one.get(ARCHIVED) is False and outcome == "open"
        changes = self._chatter.changes(one["id"])
        created = plain(one.get(CREATED), "datetime")
        if not changes or not self._want.history:
            return [Row(number, values, gone=gone)]
        told = versions(number, values, changes, created_at=created if isinstance(created, datetime) else None)
        return [*told[:-1], replace(told[-1], gone=gone)]

    def _value(self, one: Mapping[str, Any], name: str, others: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> Value:
        if self._model.name == LEAD and name == OUTCOME:
            return self._outcome(one)
        if self._model.name == LEAD and name == OUTCOME_AT:
            ended = plain(one.get("date_closed"), "datetime") if self._outcome(one) != "open" else None
            return ended or plain(one.get(CREATED), "datetime")
        head, _, last = name.partition(".")
        if not last:
            return str(one["id"]) if name == "id" else plain(one.get(name), self._model.type(name))
        if last == NAME:
            return name_of(one.get(head))
        return self._shown(head, last, _ids(one.get(head)), others)

    def _shown(
        self, head: str, last: str, numbers: Sequence[int], others: Mapping[str, Mapping[int, Mapping[str, Any]]]
    ) -> Value:
        target = self._model.target(head)
        if not numbers or target is None:
            return None
        kind = self._models.model(target).type(last)
        values = [plain(others[head][number].get(last), kind) for number in numbers if number in others.get(head, {})]
        known = [value for value in values if value is not None]
        if TYPES.get(kind, Type.TEXT) is Type.TEXT:
            return ";".join(map(str, known)) or None
        return known[0] if known else None

    def _others(self, found: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, Mapping[str, Any]]]:
        """Return what is shown of other records, by the field that leads there and their ids."""
        wanted: dict[str, list[str]] = {}
        for name in self._names:
            head, _, last = name.partition(".")
            if last and last != NAME:
                wanted.setdefault(head, []).append(last)
        shown: dict[str, dict[int, Mapping[str, Any]]] = {}
        for head, fields in wanted.items():
            numbers = sorted({number for one in found for number in _ids(one.get(head))})
            target = self._model.target(head)
            rows = self._rpc.search(target, [["id", "in", numbers]], fields) if numbers and target else []
            shown[head] = {row["id"]: row for row in rows}
        return shown

    def _outcome(self, one: Mapping[str, Any]) -> str:
        if self._model.name != LEAD:
            return "open"
        if one.get(ARCHIVED) is False:
            return "lost" if not one.get("probability") else "open"
        if self._won is None:
            won = self._rpc.search(STAGES, [["is_won", "=", True]], ["id"])
            self._won = frozenset(stage["id"] for stage in won)
        return "won" if self._won.intersection(_ids(one.get("stage_id"))) else "open"


def _ids(value: Any) -> list[int]:
    """Return the ids of a field that leads to one record (its number and name) or to several."""
    if not isinstance(value, list):
        return []
    if name_of(value) is not None:
        value = value[:1]
    return [one for one in value if isinstance(one, int) and not isinstance(one, bool)]
