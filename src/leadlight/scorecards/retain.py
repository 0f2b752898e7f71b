"""Take out of the store what no score needs any more; every score stays what it is, now and later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.expr.build import to_text
from leadlight.features.aggregates import ANY
from leadlight.scorecards.reach import Reach, going, reaches
from leadlight.spec.durations import format_duration
from leadlight.spec.readable import Readable
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.store.archive import announce, take_out
from leadlight.store.sql import Sql, fill


@dataclass(frozen=True, slots=True)
class OfType:
    """The events of a type: how many there are, are old, and go; and why those that are old stay."""

    type: str
    events: int
    old: int
    taken: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Retained(Readable):
    """What was taken out, or would be."""

    floor: datetime
    """Scores as of this moment and of all later ones are what they were."""
    keep: timedelta
    types: tuple[OfType, ...]
    archive: Path | None
    dry_run: bool

    @property
    def taken(self) -> int:
        """How many events went."""
        return sum(each.taken for each in self.types)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "floor": self.floor.isoformat() + "Z",
            "keep": format_duration(self.keep),
            "taken": self.taken,
            "archive": None if self.archive is None else str(self.archive),
            "dry_run": self.dry_run,
            "types": [
                {"type": each.type, "events": each.events, "old": each.old, "taken": each.taken, "why": list(each.why)}
                for each in self.types
            ],
        }

    def __str__(self) -> str:
        would, where = ("would be " if self.dry_run else ""), ""
        if self.archive is not None and self.taken:
            where = f", into {self.archive}"
        head = (
            f"{self.taken:,} events {would}taken out{where}: no score as of {self.floor:%Y-%m-%d} or later needs them"
        )
        lines = [
            f"  {each.type}: {each.taken:,} of {each.old:,} older than {format_duration(self.keep)}"
            + (f"; {each.why[0]}" if each.why and each.taken < each.old else "")
            for each in self.types
            if each.old
        ]
        return "\n".join([head, *lines])


def retain(
    engine: Engine, workspace: ResolvedWorkspace, root: Path, *, now: datetime, dry_run: bool = False
) -> Retained:
    """Move the events that count for no score as of `now - retain.keep` or later into the archive.

    What counts follows from the features and scorecards as they are: windows, decay (100 half-lives), `where`. Scores
    as of an earlier moment can no longer be computed, and `learn` looks at no earlier one from now on.
    """
    spec = workspace.spec.retain
    floor, found = now - spec.keep, reaches(workspace)
    condition = Sql(to_text(going(found, floor), "duckdb"))
    counted = engine.rows(
        fill(
            'SELECT type::VARCHAR, count(*), count(*) FILTER (WHERE "at" <= ?), count(*) FILTER (WHERE {going}) '
            "FROM events GROUP BY 1 ORDER BY 1",
            going=condition,
        ),
        [floor],
    )
    types = tuple(OfType(kind, events, old, taken, _why(found, kind)) for kind, events, old, taken in counted)
    path = None
    if not dry_run and any(each.taken for each in types):
        if spec.archive is not None:
            with engine.transaction():
                path = announce(engine, root, spec.archive, floor=floor, now=now)
        with engine.transaction():
            take_out(engine, condition, root, path, floor=floor, now=now)
    return Retained(floor, spec.keep, types, path, dry_run)


def _why(found: Sequence[Reach], kind: str) -> tuple[str, ...]:
    """Return who looks at events of a type, the farthest first."""
    return tuple(reach.why for reach in found if reach.event in (kind, ANY))
