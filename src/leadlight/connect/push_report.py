"""What writing back came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.connect.protocol import Readied, Value
from leadlight.connect.pushed import Conflict
from leadlight.errors import RemoteError, shorten
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable

KEPT = 1000
"""How many conflicts, refusals and such are told one by one at most."""
SHOWN = 20
"""How many of them the text tells."""
COUNTED = ("records", "written", "unchanged", "conflicts", "failures")
LEFT, STOPPED = 1, 9
"""Exit codes: something needs a person, or will be tried again; the system stopped it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a record that is (or would be) written."""

    record: str
    id: str
    field: str
    old: Value
    new: Value

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"record": self.record, "id": self.id, "field": self.field, "old": plain(self.old),
                "new": plain(self.new)}  # fmt: skip

    def __str__(self) -> str:
        return f"{self.record} {self.field}: {told(self.old)} → {told(self.new)}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A record (or a task on it) that could not be written."""

    record: str
    id: str
    error: str
    again_at: datetime | None = None
    """When it is tried again; None: not before other values are to be written, or with `again`."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"record": self.record, "id": self.id, "error": self.error, "again_at": plain(self.again_at)}

    def __str__(self) -> str:
        then = "" if self.again_at is None else f" (tried again after {self.again_at:%Y-%m-%d %H:%M} UTC)"
        return f"{self.record}: {self.error}{then}"


@dataclass(slots=True)
class Tasks:
    """What became of tasks on changes of grade."""

    sent: int = 0
    left: int = 0
    """Those that wait for the next push: there were more than one push may send."""
    planned: list[tuple[str, str]] = field(default_factory=list)
    """With a dry run: record and subject."""
    failures: list[Failure] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        planned = [{"record": record, "subject": subject} for record, subject in self.planned]
        return {"sent": self.sent, "left": self.left, "planned": planned,
                "failures": [one.as_dict() for one in self.failures]}  # fmt: skip


@dataclass(slots=True, repr=False)
class PushRun(Readable):
    """What writing back to one connection came to."""

    connection: str
    system: str
    object: str
    scorecard: str
    version: str
    as_of: datetime
    dry_run: bool = False
    fields: Sequence[Readied] = ()
    records: int = 0
    """Records of leads that are scored and meant."""
    written: int = 0
    unchanged: int = 0
    gone: int = 0
    waiting: int = 0
    """Not tried, because something went wrong lately."""
    refused_before: int = 0
    """Not tried, because the system refused just these values before."""
    changes: list[Change] = field(default_factory=list)
    """With a dry run: all that would be written."""
    conflicts: list[Conflict] = field(default_factory=list)
    conflict_count: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    """By record: the last word on it."""
    tasks: Tasks = field(default_factory=Tasks)
    stopped: RemoteError | None = None
    """Why it ended before everything was written: the rest comes the next time."""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    _seen: set[tuple[str, str]] = field(default_factory=set)

    @property
    def exit_code(self) -> int:
        """0; 1 where records or fields need somebody, or another try; 9 where the system stopped it."""
        if self.stopped is not None:
            return STOPPED
        todo = any(one.was == "missing" for one in self.fields)
        return LEFT if self.failures or self.refused_before or self.tasks.failures or todo else 0

    def conflict(self, found: Conflict) -> None:
        """Count a field that a person owns, once however often it is looked at."""
        if (found.record, found.field) in self._seen:
            return
        self._seen.add((found.record, found.field))
        self.conflict_count += 1
        if len(self.conflicts) < KEPT:
            self.conflicts.append(found)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "connection": self.connection, "system": self.system, "object": self.object, "scorecard": self.scorecard,
            "version": self.version, "as_of": plain(self.as_of), "dry_run": self.dry_run,
            "fields": [{"field": one.field, "was": one.was, "todo": one.todo} for one in self.fields],
            "records": self.records, "written": self.written, "unchanged": self.unchanged, "gone": self.gone,
            "waiting": self.waiting, "refused_before": self.refused_before,
            "changes": [one.as_dict() for one in self.changes],
            "conflicts": self.conflict_count, "conflict_list": [_conflict(one) for one in self.conflicts],
            "failures": len(self.failures), "failure_list": [one.as_dict() for one in [*self.failures.values()][:KEPT]],
            "tasks": self.tasks.as_dict(), "stopped": None if self.stopped is None else self.stopped.as_dict(),
            "notes": list(self.notes), "seconds": round(self.seconds, 3),
        }  # fmt: skip

    def __str__(self) -> str:
        verb = "would be written" if self.dry_run else "written"
        head = (
            f"{self.connection} ({self.system}, {self.object}) by {self.scorecard} {self.version}: "
            f"{many(self.written, 'record')} {verb}, {self.unchanged:,} unchanged"
        )
        counts = {"gone": self.gone, "to be tried again later": self.waiting, "refused before": self.refused_before}
        head += "".join(f", {count:,} {what}" for what, count in counts.items() if count)
        return "\n".join([head, *self._fields(), *map(str, self.changes), *self._more(), *self.notes])

    def _fields(self) -> list[str]:
        made = ", ".join(one.field for one in self.fields if one.was == "made")
        lines = [f"{'would be made' if self.dry_run else 'made'}: {made}"] if made else []
        return lines + [
            f"field {one.field} is missing: {one.todo or 'make it in the system'}"
            for one in self.fields
            if one.was == "missing"
        ]

    def _more(self) -> list[str]:
        lines = _listed(
            f"{many(self.conflict_count, 'field')} kept as people have them (empty them, or --take-over FIELD)",
            [f"{one.record} {one.field}: {told(one.value)}, ours {told(one.ours)}" for one in self.conflicts],
            self.conflict_count,
        )
        lines += _listed(
            f"{many(len(self.failures), 'record')} not written", [*self.failures.values()], len(self.failures)
        )
        if self.tasks.sent or self.tasks.left or self.tasks.planned:
            sent, verb = (len(self.tasks.planned), "would be sent") if self.dry_run else (self.tasks.sent, "sent")
            left = f"; {self.tasks.left:,} more wait for the next push" if self.tasks.left else ""
            lines += [f"{many(sent, 'task')} {verb}{left}"]
            lines += [f"  {record}: {subject}" for record, subject in self.tasks.planned]
        lines += _listed("tasks not sent", self.tasks.failures, len(self.tasks.failures))
        if self.stopped is not None:
            lines += [f"Stopped: {self.stopped}", "What was written is noted; the rest comes the next time."]
        return lines


@dataclass(frozen=True, slots=True, repr=False)
class PushReport(Readable):
    """What writing back came to, connection by connection."""

    runs: tuple[PushRun, ...]

    @property
    def exit_code(self) -> int:
        """The gravest of all."""
        return max((run.exit_code for run in self.runs), default=0)

    @property
    def written(self) -> int:
        """Records that were written."""
        return self.counts["written"]

    @property
    def stopped(self) -> RemoteError | None:
        """Why the first connection that was stopped ended early."""
        return next((run.stopped for run in self.runs if run.stopped is not None), None)

    @property
    def counts(self) -> dict[str, int]:
        """How many records of all connections came to what."""
        found = [run.as_dict() for run in self.runs]
        return {what: sum(run[what] for run in found) for what in COUNTED}

    def as_dict(self, *, changes: int | None = None) -> dict[str, Any]:
        """Return it as plain JSON values; of a dry run's `changes` so many at most."""
        runs = [{**run, "changes": run["changes"][:changes]} for run in (run.as_dict() for run in self.runs)]
        return {"connections": runs}

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.runs))


def _listed(head: str, items: Sequence[object], count: int) -> list[str]:
    if not count:
        return []
    more = [f"  … and {count - SHOWN:,} more"] if count > SHOWN else []
    return [f"{head}:", *(f"  {item}" for item in items[:SHOWN]), *more]


def _conflict(found: Conflict) -> dict[str, Any]:
    return {"record": found.record, "id": found.id, "field": found.field, "value": plain(found.value),
            "ours": plain(found.ours)}  # fmt: skip


def plain(value: Value) -> str | float | bool | None:
    """Return a value as JSON has it."""
    return value.isoformat() + "Z" if isinstance(value, datetime) else value


def told(value: Value) -> str:
    """Show a value on a line.

    >>> told(None), told("A"), told(1.5)
    ('(empty)', "'A'", '1.5')
    """
    if value is None or value == "":
        return "(empty)"
    return shorten(value, 80) if isinstance(value, str) else str(plain(value))
