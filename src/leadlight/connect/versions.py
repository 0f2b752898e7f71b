"""From a log of changes to what a record was, moment by moment: for `read` of systems that keep such a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby

from leadlight.connect.protocol import Row, Value

SETTLING = timedelta(minutes=1)
"""Changes so soon after its creation count as how a record was created: systems write it in several steps."""


class Unsaid(Enum):
    """What a value was before, where the log does not say."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


@dataclass(frozen=True, slots=True)
class Change:
    """A field that got another value, as a log has it; values are typed like those of the record."""

    field: str
    at: datetime
    new: Value
    old: Value | Unsaid = UNSAID
    """Without it, it was what the change before made of it; before the first one, nothing."""


def versions(
    id: str,  # noqa: A002
    values: Mapping[str, Value],
    changes: Iterable[Change],
    *,
    created_at: datetime | None,
    whole: bool = True,
    settling: timedelta = SETTLING,
) -> list[Row]:
    """Return what a record was: a row for each moment it changed, oldest first, then one without date for the present.

    `values` are the present ones, of all wanted fields; changes of other fields count for nothing, and fields that no
    change names are taken to have been what they are now. The first row holds since `created_at`; where that is not
    known, or the log is not `whole` (it forgets what is old), it has no date: known since the record exists, as far as
    one can tell. The last row says again what the record is now: whoever stores rows drops it where it says nothing
    new, and dates it by the record's own `modified_at` where a field without history has changed.

    >>> from datetime import datetime
    >>> rows = versions(
    ...     "7", {"stage": "won", "owner": "Ann"}, [Change("stage", datetime(2026, 3, 5), "won", "new")],
    ...     created_at=datetime(2026, 3, 1),
    ... )
    >>> [(f"{row.known_at:%d %b}", row.values["stage"], row.values["owner"]) for row in rows[:2]]
    [('01 Mar', 'new', 'Ann'), ('05 Mar', 'won', 'Ann')]
    >>> rows[2].known_at is None
    True
    """
    known = sorted((change for change in changes if change.field in values), key=lambda change: change.at)
    state = {**values, **_beginning(known)}
    settled = None if created_at is None else created_at + settling
    early = [change for change in known if settled is not None and change.at <= settled]
    state |= {change.field: change.new for change in early}
    rows = [Row(id, dict(state), created_at if whole else None)]
    for at, together in groupby(known[len(early) :], key=lambda change: change.at):
        before = dict(state)
        state |= {change.field: change.new for change in together}
        if state != before:
            rows.append(Row(id, dict(state), at))
    return [*rows, Row(id, dict(values))]


def _beginning(known: Iterable[Change]) -> dict[str, Value]:
    """Return what the changed fields were before the first change of each."""
    first: dict[str, Value] = {}
    for change in known:
        if change.field not in first:
            first[change.field] = None if isinstance(change.old, Unsaid) else change.old
    return first
