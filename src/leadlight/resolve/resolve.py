"""The pairs of leads that are probably the same, for people to decide about: listed, written to a file, read back."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.resolve.fields import fields_of
from leadlight.resolve.find import Likeness, find_alike
from leadlight.sources.rejects import harmless
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store.schema import FOREVER
from leadlight.store.sql import Sql, fill, more

HEADER = ("left", "right", "probability", "reasons", "verdict")
VERDICTS = {"same": True, "yes": True, "different": False, "no": False}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two leads that are probably one: their ids, how probable it is, and what speaks for and against it."""

    left: str
    right: str
    probability: float
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"left": self.left, "right": self.right, "probability": self.probability, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True, repr=False)
class Resolved(Readable):
    """The pairs found, most probable first, and what was done about them."""

    pairs: tuple[Pair, ...]
    compared: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    joined: int = 0
    parted: int = 0
    file: str | None = None

    def __str__(self) -> str:
        lines = [
            f"{pair.probability:.4f}  {pair.left}  {pair.right}  {', '.join(pair.reasons)}" for pair in self.pairs[:20]
        ]
        if len(self.pairs) > 20:
            lines.append(f"… and {len(self.pairs) - 20:,} more")
        if self.compared:
            lines.append(f"{many(len(self.pairs), 'pair')}, compared by {', '.join(self.compared)}")
        lines += [f"not looked for by the same {one}: too many have it" for one in self.left_out]
        if self.file:
            lines.append(
                f"written to {self.file}: put `same` or `different` into the last column, and give it to --apply"
            )
        if self.joined or self.parted:
            lines.append(f"{many(self.joined, 'lead')} joined, {many(self.parted, 'pair')} kept apart")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "pairs": [pair.as_dict() for pair in self.pairs], "compared": list(self.compared),
            "left_out": list(self.left_out), "joined": self.joined, "parted": self.parted, "file": self.file,
        }  # fmt: skip


def resolve(engine: Engine, *, threshold: float) -> Resolved:
    """Find pairs of leads that are the same with this probability at least; those kept apart are not among them.

    What is known of them now is compared. Raises UsageError, MissingExtraError (see `find_alike`).
    """
    if not 0 < threshold < 1:
        raise UsageError(f"{threshold} is no probability to begin from: between 0 and 1, as in 0.9")
    fields = fields_of(name for name in engine.columns("attributes") if name not in ("lead", "known_at", "known_until"))
    records = engine.arrow(
        fill(
            "SELECT a.lead AS key{values} FROM attributes a JOIN leads l ON l.lead = a.lead WHERE a.known_until = "
            "{forever} ORDER BY a.lead",
            values=more(*(field.value for field in fields)),
            forever=Sql(f"TIMESTAMP '{FOREVER}'"),
        )
    )
    found = find_alike(records, threshold=threshold)
    return Resolved(_named(engine, found.pairs), found.compared, found.left_out)


def _named(engine: Engine, pairs: Sequence[Likeness]) -> tuple[Pair, ...]:
    apart = {
        frozenset(pair)
        for pair in engine.rows(
            "SELECT DISTINCT i.lead, j.lead FROM apart p JOIN ids i ON i.key = p.a JOIN ids j ON j.key = p.b"
        )
    }
    names = dict(engine.rows("SELECT lead, id FROM leads"))
    return tuple(
        Pair(names[pair.left], names[pair.right], pair.probability, pair.reasons)
        for pair in pairs
        if frozenset((pair.left, pair.right)) not in apart
    )


def write_pairs(pairs: Sequence[Pair], target: Path) -> None:
    """Write pairs to a CSV file that a spreadsheet opens safely, with a column for what people decide."""
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(
            [_quoted(pair.left), _quoted(pair.right), f"{pair.probability:.6f}", harmless("; ".join(pair.reasons)), ""]
            for pair in pairs
        )


def _quoted(id: str) -> str:  # noqa: A002 - the user's word
    """Write an id so that no spreadsheet takes it for a formula, and `_unquoted` finds it again.

    >>> [_unquoted(_quoted(id)) for id in ("=1+1", "'=1+1", "'it", "it's")]
    ['=1+1', "'=1+1", "'it", "it's"]
    """
    return f"'{id}" if id.startswith("'") else harmless(id)


def _unquoted(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and (cell[1:].startswith("'") or harmless(cell[1:]) == cell) else cell


def read_verdicts(path: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the pairs of a file that are the same, and those that are not; rows without a verdict are neither.

    Raises UsageError with the lines that cannot be understood.
    """
    same, different, faults = list[tuple[str, str]](), list[tuple[str, str]](), list[str]()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not {"left", "right", "verdict"} <= set(reader.fieldnames or ()):
                raise UsageError(f"{path} has no columns left, right and verdict", fix="Write one with --csv FILE.")
            for number, row in enumerate(reader, start=2):
                said = (row["verdict"] or "").strip().lower()
                if said in VERDICTS:
                    (same if VERDICTS[said] else different).append(
                        (_unquoted(row["left"] or ""), _unquoted(row["right"] or ""))
                    )
                elif said:
                    faults.append(f"line {number}: {said!r}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if faults:
        raise UsageError(
            f"{path}: {', '.join(faults[:5])}" + (" …" if len(faults) > 5 else ""),
            fix="A verdict is same or different, or nothing.",
        )
    return same, different
