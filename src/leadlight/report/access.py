"""Everything that is known about a person, and why its scores are what they are: the answer to a request for access."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.enrich.facts import Facts
from leadlight.enrich.net.cache import Question
from leadlight.errors import UsageError
from leadlight.scorecards.ledger import Ledger
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable, html_table
from leadlight.store.access import Row


@dataclass(frozen=True, slots=True, repr=False)
class Access(Readable):
    """What is held about a person, by table, and what follows from it."""

    entity: str
    ids: tuple[str, ...]
    as_of: datetime
    scores: tuple[Ledger, ...] = field(repr=False)
    """The score by each scorecard of leads as of now, with every contribution; none before the person exists."""
    facts: Facts | None = field(repr=False)
    """Where each value comes from, and which rule chose it."""
    tables: Mapping[str, tuple[Row, ...]] = field(repr=False)
    asked: tuple[Question, ...] = field(repr=False, default=())
    """Questions to providers whose answers are kept outside of the store."""

    @property
    def total(self) -> int:
        """How many rows are held."""
        return sum(map(len, self.tables.values()))

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {
            "entity": self.entity,
            "ids": list(self.ids),
            "as_of": self.as_of.isoformat() + "Z",
            "scores": [{**ledger.as_dict(), "reasons": ledger.reasons()} for ledger in self.scores],
            "facts": None if self.facts is None else self.facts.as_dict(),
            "tables": {table: [dict(row) for row in rows] for table, rows in self.tables.items()},
            "kept_answers": [
                {"provider": one.asker, "about": one.about, "url": one.url, "status": one.status,
                 "fetched_at": one.fetched_at.isoformat() + "Z"}
                for one in self.asked
            ],
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{self.entity} {', '.join(self.ids)}: {many(self.total, 'row')} in the store"]
        lines += [f"  {table}: {len(rows):,}" for table, rows in self.tables.items()]
        lines += [f"  kept answers of providers: {len(self.asked):,}"] if self.asked else []
        return "\n".join([*lines, *map(str, self.scores)])

    def _repr_html_(self) -> str:
        rows = [[table, f"{len(rows):,}"] for table, rows in self.tables.items()]
        return html_table(str(self).partition("\n")[0], ["table", "rows"], rows, numbers=["rows"])

    def write(self, path: Path) -> Path:
        """Write it as a JSON file that only its owner may read.

        Raises UsageError where that is not possible.
        """
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(self.as_dict(), file, indent=2, ensure_ascii=False)
                file.write("\n")
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}", fix="Name another file.") from None
        return path
