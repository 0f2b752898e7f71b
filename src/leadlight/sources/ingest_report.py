"""What an ingest did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from leadlight.spec.readable import Readable

ID_RULE = (
    "Rows of one id in one reading are one: value by value the later row wins, blanks erase nothing, and the earliest "
    "creation counts."
)
SHARED_RULE = (
    "Ids that share an e-mail address (trimmed, in lower case; or what merge_by names) are one: the one created first "
    "stays, of those created at once the smaller id; the others remain as its aliases, and their events and outcomes "
    "go with them."
)
UNUSABLE = " rows without lead, type or time were left out"
"""The end of the note that counts them."""


class Report(Protocol):
    """What another verb did."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one source."""

    source: str
    kind: str
    files: int = 0
    skipped_files: int = 0
    """Files that hold what they held when they were last read."""
    rows: int = 0
    """Rows read, without those rejected."""
    rejected: int = 0
    left_out: int = 0
    """Rows for which the source's `where` is not true."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    outcomes: tuple[int, int, int] | None = None
    """New, changed and unchanged outcomes, where a source of leads has an outcome column."""
    repeated: int = 0
    """Rows folded into another one of the same id."""
    erased: int = 0
    """Rows about people who were erased from the store: left out."""
    without_lead: int = 0
    """Events or outcomes in the store from this source whose lead is in no source of leads (yet)."""
    rejects_file: str | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


NUMBERS = ("rows", "rejected", "left_out", "new", "changed", "unchanged", "repeated", "erased")
"""What is counted of each row of a source, once."""


def together(parts: Sequence[SourceReport]) -> SourceReport:
    """Return one report of the parts in which a source was stored.

    Counts are sums; a note holds where every part says it.

    >>> parts = [SourceReport("a", "leads", rows=2, notes=("x", "y")), SourceReport("a", "leads", rows=3, notes=("y",))]
    >>> together(parts).rows, together(parts).notes
    (5, ('y',))
    """
    first = parts[0]
    notes = [note for note in first.notes if all(note in part.notes for part in parts) and not note.endswith(UNUSABLE)]
    unusable = sum(int(note.removesuffix(UNUSABLE)) for one in parts for note in one.notes if note.endswith(UNUSABLE))
    told = [part.outcomes for part in parts if part.outcomes is not None]
    return replace(
        first,
        **{name: sum(getattr(part, name) for part in parts) for name in NUMBERS},
        outcomes=(sum(n for n, _, _ in told), sum(n for _, n, _ in told), sum(n for *_, n in told)) if told else None,
        notes=(*notes, *([f"{unusable}{UNUSABLE}"] if unusable else [])),
        seconds=sum(part.seconds for part in parts),
    )


@dataclass(frozen=True, slots=True)
class Duplicates:
    """How many were merged by which rule, and up to 20 examples."""

    count: int
    rule: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class IngestReport(Readable):
    """What an ingest did, source by source; `changed` is false when the store is as it was before."""

    at: datetime
    sources: tuple[SourceReport, ...]
    same_id: Duplicates
    same_value: Duplicates
    changed: bool
    seconds: float
    enriched: Report | None = None
    """What was looked up afterwards, where `enrich:` says so."""

    @property
    def rows(self) -> int:
        """Rows read, of all sources."""
        return sum(source.rows for source in self.sources)

    @property
    def rejected(self) -> int:
        """Rows that could not be read, of all sources."""
        return sum(source.rejected for source in self.sources)

    def counts(self) -> dict[str, Any]:
        """Return numbers only, with nothing about any person: what `runs` keeps."""
        numbers = (*NUMBERS, "without_lead")
        merged = {"same_id": self.same_id.count, "same_value": self.same_value.count}
        return {**{s.source: {name: getattr(s, name) for name in numbers} for s in self.sources}, "merged": merged}

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        own = {**asdict(replace(self, enriched=None)), "at": self.at.isoformat() + "Z", "rows": self.rows,
               "rejected": self.rejected}  # fmt: skip
        return {**own, "enriched": None if self.enriched is None else self.enriched.as_dict()}

    def __str__(self) -> str:
        lines = [
            f"{s.source} ({s.kind}): {s.rows:,} rows, {s.new:,} new, {s.changed:,} changed, {s.unchanged:,} as before"
            + (f", {s.rejected:,} rejected" if s.rejected else "")
            + (f", {s.left_out:,} left out by `where`" if s.left_out else "")
            + (f", {s.skipped_files:,} of {s.files:,} files unchanged" if s.skipped_files else "")
            for s in self.sources
        ]
        merged = self.same_id.count + self.same_value.count
        more = [] if self.enriched is None else [str(self.enriched)]
        return "\n".join([*lines, f"{merged:,} duplicates merged; {self.seconds:.1f} s", *more])
