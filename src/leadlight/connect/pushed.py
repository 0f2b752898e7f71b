"""What of a record is written, and what a person owns: decided from what we wrote last and what stands there now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadlight.connect.protocol import Value
from leadlight.connect.push_values import Target, is_empty, same
from leadlight.store.pushed import Pushed

FIRST, TIMES, LONGEST = 30.0, 3.0, 6 * 3600.0
"""Seconds until what went wrong is tried again, how much longer each next time, and at most."""
ALONG = "scored_at"
"""What is written along with the rest and never by itself."""


@dataclass(frozen=True, slots=True)
class Item:
    """A record with what is to stand in it."""

    record: str
    key: int
    lead: int
    id: str
    """The lead's."""
    hash: str
    target: Target
    before: Pushed

    def changed(self, names: Mapping[str, str]) -> list[str]:
        """Return what is another value than what was written last."""
        said, because = self.before.said, self.before.because
        return [
            what
            for what, name in names.items()
            if what != ALONG and what in self.target.values
            and self.target.differs(what, said.get(name), because if name in said else None)
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that a person owns, and what stands there."""

    record: str
    id: str
    field: str
    value: Value
    ours: Value
    """What would have been written."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a record, by field."""

    item: Item
    writes: Mapping[str, Value]
    old: Mapping[str, Value]
    """What stands in the fields that are written."""
    ours: Mapping[str, Value]
    """What stands there already as it should."""
    conflicts: tuple[Conflict, ...]
    because: Sequence[tuple[str, float]]
    """What the reasons in the record tell of, once it is written."""


def decide(item: Item, current: Mapping[str, Value], names: Mapping[str, str], take_over: Collection[str]) -> Decision:
    """Decide about a record; `names` is what is written → its field, `current` what stands in the fields now.

    A field is written where it holds what we wrote last, or were about to write when we were killed, or nothing at all,
    or where it is among those to `take_over`. It is ours from then on. Anything else is a person's.
    """
    writes, ours, conflicts = dict[str, Value](), dict[str, Value](), list[Conflict]()
    for what, name in names.items():
        if what not in item.target.values:
            continue
        value, new = current.get(name), item.target.written(what)
        if not _differs(item, what, name, value):
            ours[name] = value
        elif what == ALONG and not writes:
            continue
        elif is_empty(value) or _is_ours(item.before, name, value) or name in take_over or what in take_over:
            writes[name] = new
        else:
            conflicts.append(Conflict(item.record, item.id, name, value, new))
    because = item.target.because if names.get("reasons") in {*writes, *ours} else item.before.because
    if names.get("reasons") in ours and item.before.because:
        because = item.before.because  # it was not written anew: what it tells of is what it told
    return Decision(item, writes, {name: current.get(name) for name in writes}, ours, tuple(conflicts), because)


def _differs(item: Item, what: str, name: str, value: Value) -> bool:
    """Return whether what stands there is another value; reasons that we wrote are compared by what they told of."""
    because = None
    if name in item.before.said and same(item.before.said[name], value):
        because = item.before.because
    return item.target.differs(what, value, because)


def _is_ours(before: Pushed, name: str, value: Value) -> bool:
    return any(name in told and same(told[name], value) for told in (before.said, before.writing))


# ------------------------------------------------------------------------------------------------- what is noted of it


def beginning(decision: Decision) -> Pushed:
    """Return what is noted before a record is written."""
    before, item = decision.item.before, decision.item
    return replace(before, key=item.key, writing={**before.writing, **decision.writes})


def written(decision: Decision, now: datetime) -> Pushed:
    """Return what is noted once a record holds what it should; nothing is left to do unless a person owns a field."""
    item = decision.item
    said = {**item.before.said, **decision.ours, **decision.writes}
    return Pushed(
        item.record, item.key, said, decision.because, hash=None if decision.conflicts else item.hash,
        at=now if decision.writes else item.before.at,
    )  # fmt: skip


def unchanged(item: Item) -> Pushed:
    """Return what is noted of a record that still is as it should be, though something about the lead has moved."""
    return replace(item.before, hash=item.hash, tried=None, error=None, tries=0, again_at=None)


def failed(decision: Decision, error: str, now: datetime, *, again: bool) -> Pushed:
    """Return what is noted of a record that could not be written; it may hold what was being written all the same."""
    item, before = decision.item, beginning(decision)
    tries = before.tries + 1
    return replace(
        before, hash=None, tried=None if again else item.hash, error=error, tries=tries,
        again_at=now + wait(tries) if again else None,
    )  # fmt: skip


def wait(tries: int) -> timedelta:
    """Return how long to wait after so many tries.

    >>> [wait(tries).total_seconds() for tries in (1, 2, 3, 12)]
    [30.0, 90.0, 270.0, 21600.0]
    """
    return timedelta(seconds=min(FIRST * TIMES ** (tries - 1), LONGEST))
