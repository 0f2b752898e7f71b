"""What is in the outbox, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError, did_you_mean
from leadlight.notify.message import moment
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store import outbox
from leadlight.store.outbox import Outgoing

Which = Sequence[str] | Literal["all"]


@dataclass(frozen=True, slots=True, repr=False)
class OutboxListing(Readable):
    """Rows of the outbox, the newest first; `did` are those that were just replayed or dropped."""

    rows: tuple[Outgoing, ...]
    counts: Mapping[str, int]
    did: tuple[str, ...] = ()
    what: Literal["listed", "replayed", "dropped"] = "listed"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        found: dict[str, Any] = {"counts": dict(self.counts)}
        if self.what != "listed":
            return {**found, self.what: list(self.did)}
        return {**found, "messages": [as_dict(row) for row in self.rows]}

    def __str__(self) -> str:
        counted = ", ".join(f"{count:,} {state}" for state, count in self.counts.items())
        if self.what != "listed":
            return f"{many(len(self.did), 'message')} {self.what}; {counted}"
        lines = [counted]
        for row in self.rows:
            tried = f", {many(row.tries, 'try')}" if row.tries else ""
            why = f": {row.error}" if row.error else ""
            lines.append(f"  {row.message}  {row.state:<7}  {row.destination}  {row.who} "
                         f"{row.grade_from or '-'} → {row.grade_to}{tried}{why}")  # fmt: skip
        return "\n".join(lines)


def as_dict(row: Outgoing) -> dict[str, Any]:
    """Return a row as plain JSON values."""
    return {
        "message": row.message, "state": row.state, "to": row.destination, "rule": row.rule, "id": row.who,
        "scorecard": row.scorecard, "from": row.grade_from, "to_grade": row.grade_to, "at": moment(row.at),
        "due_at": moment(row.due_at), "tries": row.tries, "error": row.error,
        "done_at": None if row.done_at is None else moment(row.done_at),
    }  # fmt: skip


def listing(engine: Engine, states: Sequence[str], *, to: str | None = None, limit: int = 100) -> OutboxListing:
    """List rows of some states.

    Raises UsageError for a state that is none.
    """
    wrong = next((state for state in states if state not in outbox.STATES), None)
    if wrong is not None:
        raise UsageError(f"no message can be {wrong!r}: {did_you_mean(wrong, outbox.STATES)}")
    return OutboxListing(tuple(outbox.listed(engine, states, destination=to, limit=limit)), outbox.counts(engine))


def changed(engine: Engine, *, replay: Which | None = None, drop: Which | None = None, now: datetime) -> OutboxListing:
    """Let messages that were put aside be sent again, or take messages out; all or nothing.

    Raises NotFoundError for a message that is not there, or is not put aside.
    """
    if (replay is None) == (drop is None):
        raise UsageError("either replay messages or drop them")
    which: Which = replay or drop or ()
    names = None if which == "all" else list(which)
    with outbox.claiming(engine):
        found = outbox.replay(engine, names, now) if replay is not None else outbox.drop(engine, names)
        missing = [name for name in names or () if name not in found]
        if missing:
            raise NotFoundError(
                f"there is no message {missing[0]!r} to {'replay' if replay is not None else 'drop'}",
                fix="`leadlight outbox` lists them.",
            )
    return OutboxListing((), outbox.counts(engine), tuple(found), "replayed" if replay is not None else "dropped")
