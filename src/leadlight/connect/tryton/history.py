"""What records of Tryton's were: models with a history can be read as of any moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from leadlight.connect.refusals import odd
from leadlight.connect.tryton.describe import MODIFIED, Model
from leadlight.connect.tryton.rest import TITLE, Rest
from leadlight.connect.tryton.values import moment

Row = dict[str, Any]
State = tuple[Mapping[str, Any], Mapping[str, Any], datetime | None]
"""A record as it is, as it was, and since when it was so."""
Move = tuple[datetime, str]
CLOSED = frozenset({"won", "lost", "cancelled"})
"""States in which an opportunity has ended."""


class Past:
    """The revisions of a model's records."""

    def __init__(self, rest: Rest, model: Model, *, rows: bool, states: bool) -> None:
        """`rows` of the past are wanted; `states`: since when a record is in its state, at least of those closed."""
        self._rest, self._model, self._rows, self._states = rest, model, rows, states
        self.moves: dict[int, list[Move]] = {}
        """When the records came into which state, the oldest first, as far as revisions were read."""

    def of(self, found: Sequence[Mapping[str, Any]], fields: Sequence[str], since: datetime | None) -> list[State]:
        """Return what records were after `since`, each with its oldest state first; the last one is as it is now.

        One request tells all moments of change, one more is made for each moment at which any of them changed and that
        was not its last: a bulk change is one.
        """
        times = self._times([one["id"] for one in found])
        earlier = {one["id"]: self._wanted(one, times[one["id"]], since) for one in found}
        then = self._as_of(earlier, [name for name in fields if "." not in name])
        self._follow(found, then, [name for name in fields if "." in name])
        self.moves = {one["id"]: _moves(one, earlier[one["id"]], then) for one in found}
        told: list[State] = []
        for one in found:
            past = [(then.get((one["id"], time)), time) for time in earlier[one["id"]] if since is None or time > since]
            told += [(one, was, time) for was, time in past if was is not None and self._rows]
            told.append((one, one, moment(one.get(MODIFIED)) if self._rows else None))
        return told

    def _wanted(self, one: Mapping[str, Any], times: set[datetime], since: datetime | None) -> list[datetime]:
        """Return the moments to be read of a record, but its last: all of them where its end has to be dated."""
        last = moment(one.get(MODIFIED))
        whole = self._states and one.get("state") in CLOSED
        told = sorted(time for time in times if last is None or time < last)
        return [time for time in told if whole or (self._rows and (since is None or time > since))]

    def _follow(
        self, found: Sequence[Mapping[str, Any]], then: Mapping[tuple[int, datetime], Row], paths: Sequence[str]
    ) -> None:
        """Put next to what records were what they showed of others: of the same one as now, or of another one then.

        Tryton itself refuses to read a record as of a moment where it led to one that has been deleted since.
        """
        now = {one["id"]: one for one in found}
        heads: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            head, _, rest = path.partition(".")
            heads[head].append(rest)
        for head, rests in heads.items():
            others = {was[head] for (number, _), was in then.items() if _is_other(was, now[number], head)}
            target = self._model.target(head)
            shown: dict[int, Row] = {}
            if others and target:
                rows = self._rest.search(target, [["id", "in", sorted(others)]], rests)
                shown = {row["id"]: row for row in rows}
            for (number, _), was in then.items():
                other = _is_other(was, now[number], head)
                was[f"{head}."] = (
                    shown.get(was[head]) if other else now[number].get(f"{head}.") if was.get(head) else None
                )

    def _times(self, numbers: Sequence[int]) -> Mapping[int, set[datetime]]:
        told = self._rest.call(self._model.name, "history_revisions", ids=list(numbers))
        if not isinstance(told, list):
            raise odd(TITLE, f"history_revisions of {self._model.name}")
        times: dict[int, set[datetime]] = defaultdict(set)
        for one in told:
            time = moment(one[0]) if isinstance(one, list) and len(one) > 1 else None
            if time is not None and isinstance(one[1], int):
                times[one[1]].add(time)
        return times

    def _as_of(
        self, earlier: Mapping[int, Sequence[datetime]], fields: Sequence[str]
    ) -> dict[tuple[int, datetime], Row]:
        by_time: dict[datetime, list[int]] = defaultdict(list)
        for number, times in earlier.items():
            for time in times:
                by_time[time].append(number)
        found: dict[tuple[int, datetime], Row] = {}
        for time, numbers in sorted(by_time.items()):
            rows = self._rest.search(self._model.name, [["id", "in", numbers]], fields, as_of=time)
            found |= {(row["id"], time): row for row in rows}
        return found


def _is_other(was: Mapping[str, Any], now: Mapping[str, Any], head: str) -> bool:
    """Say whether a record led to another record than it does now."""
    return isinstance(was.get(head), int) and was[head] != now.get(head)


def _moves(
    one: Mapping[str, Any], times: Sequence[datetime], then: Mapping[tuple[int, datetime], Mapping[str, Any]]
) -> list[Move]:
    """Return when a record came into another state; the first one read counts if there was none before it."""
    states = [(time, str(then[one["id"], time].get("state"))) for time in times if (one["id"], time) in then]
    if (last := moment(one.get(MODIFIED))) is not None:
        states.append((last, str(one.get("state"))))
    first = states[:1] if states and states[0][0] == moment(one.get("create_date")) else []
    return first + [after for before, after in pairwise(states) if after[1] != before[1]]
