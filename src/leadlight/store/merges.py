"""Merges as people see them: listed, undone, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store.apart import BY_HAND, SYSTEM, join_pairs, keep_apart, let_join, regroup
from leadlight.store.leads import get_lead
from leadlight.store.merge import mentions_by_key
from leadlight.store.moves import UNDONE, move_keys
from leadlight.store.sql import Sql, fill, literal

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge: which ids went from one lead to another, when, by what; until it was undone.

    `rule` is the attribute whose value they share, `alias`, `device`, `hand`, `resolve`, `system` for those that a
    connected system has told, or `before` for those that an older store did not note.
    """

    merge: int
    at: datetime
    rule: str
    who: str | None
    ids: tuple[str, ...]
    id: str
    into: str
    undone_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "merge": self.merge, "at": f"{self.at.isoformat()}Z", "by": self.rule, "who": self.who,
            "ids": list(self.ids), "id": self.id, "into": self.into,
            "undone_at": None if self.undone_at is None else f"{self.undone_at.isoformat()}Z",
        }  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Merges(Readable):
    """Merges, the newest first; `total` counts also those not shown."""

    merges: tuple[Merge, ...]
    total: int

    def __str__(self) -> str:
        if not self.merges:
            return "nobody was merged"
        lines = [
            f"{one.merge:>6}  {one.at:%Y-%m-%d %H:%M}  {', '.join(one.ids)} into {one.into} by {one.rule}"
            + (f", undone {one.undone_at:%Y-%m-%d %H:%M}" if one.undone_at else "")
            for one in self.merges
        ]
        return "\n".join([*lines, many(self.total, "merge")])

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {"merges": [one.as_dict() for one in self.merges], "total": self.total}


def list_merges(engine: Engine, lead: int | None = None, *, merge: int | None = None, limit: int = SHOWN) -> Merges:
    """Return the merges (or the one of this number), or those that keys of a lead took part in, the newest first."""
    where = fill("m.rule <> {undone}", undone=literal(UNDONE))
    if merge is not None:
        where = fill("{where} AND m.merge = {merge}", where=where, merge=Sql(str(int(merge))))
    if lead is not None:
        keys = fill("(SELECT key FROM ids WHERE lead = {lead})", lead=Sql(str(int(lead))))
        where = fill("{where} AND (m.key IN {keys} OR m.was IN {keys} OR m.survivor IN {keys})", where=where, keys=keys)
    total = engine.rows(fill("SELECT count(DISTINCT merge) FROM merges m WHERE {where}", where=where))[0][0]
    rows = engine.rows(
        fill(
            'SELECT m.merge, min(m."at"), min(m.rule), min(m.who), list(i.id ORDER BY i.key), min(w.id), min(s.id), '
            "max(m.undone_at) FROM merges m JOIN ids i ON i.key = m.key LEFT JOIN ids w ON w.key = m.was "
            "LEFT JOIN ids s ON s.key = m.survivor WHERE {where} GROUP BY m.merge ORDER BY m.merge DESC LIMIT ?",
            where=where,
        ),
        [limit],
    )
    merges = (Merge(number, at, rule, who, tuple(ids), *rest) for number, at, rule, who, ids, *rest in rows)
    return Merges(tuple(merges), int(total))


def get_merge(engine: Engine, merge: int) -> Merge:
    """Return one merge.

    Raises NotFoundError.
    """
    found = list_merges(engine, merge=merge).merges
    if not found:
        raise NotFoundError(f"there is no merge {merge}", fix="`leadlight merges` lists them.")
    return found[0]


def undo_merge(
    engine: Engine, merge: int, merge_by: Mapping[str, str | None], *, at: datetime, who: str | None = None
) -> Merge:
    """Take a merge back: all is as if it had never been, and no rule makes it again.

    Call it inside `touched.changing`. The ids that were moved are kept apart from those the other lead had then. What
    joined them to others later is looked at anew. Raises NotFoundError, UsageError where it was undone before.
    """
    one = get_merge(engine, merge)
    if one.undone_at is not None:
        raise UsageError(f"merge {merge} was undone at {one.undone_at:%Y-%m-%d %H:%M} UTC")
    moved = [key for (key,) in engine.rows("SELECT key FROM merges WHERE merge = ? ORDER BY key", [merge])]
    stayed = [key for (key,) in engine.rows(_STAYED, [merge, merge])]
    leads = engine.rows(
        "SELECT DISTINCT lead FROM ids WHERE list_contains(?::INTEGER[], key) ORDER BY lead", [moved + stayed]
    )
    engine.execute("UPDATE merges SET undone_at = ? WHERE merge = ?", [at, merge])
    keep_apart(engine, moved, stayed, at=at, who=who)
    regroup(engine, [lead for (lead,) in leads], mentions_by_key(engine, merge_by), at=at)
    return get_merge(engine, merge)


_STAYED = (
    "SELECT i.key FROM ids i LEFT JOIN (SELECT key, arg_max(survivor, merge) AS lead FROM merges WHERE merge < ? "
    "GROUP BY key) m ON m.key = i.key WHERE coalesce(m.lead, i.key) = "
    "(SELECT min(survivor) FROM merges WHERE merge = ?) ORDER BY i.key"
)
"""The keys that the lead had, that others were moved to, just before."""


def join_leads(
    engine: Engine, first: str, second: str, *, at: datetime, who: str | None = None, rule: str = "hand"
) -> Merge:
    """Let two leads be one, the first; what keeps them apart is forgotten. Call it inside `touched.changing`.

    Raises NotFoundError, UsageError where they are one already.
    """
    assert rule in BY_HAND
    a, b = get_lead(engine, first), get_lead(engine, second)
    if a.lead == b.lead:
        raise UsageError(f"{first} and {second} are one already: {a.id}")
    let_join(engine, a.lead, b.lead)
    moving = fill(
        "SELECT key, {into}::INTEGER AS lead, {rule} AS rule FROM ids WHERE lead = {lead}",
        into=Sql(str(a.lead)), rule=literal(rule), lead=Sql(str(b.lead)),
    )  # fmt: skip
    move_keys(engine, moving, at=at, who=who)
    return get_merge(engine, int(engine.rows("SELECT max(merge) FROM merges")[0][0]))


def join_told(engine: Engine, pairs: Sequence[tuple[str, str]], *, at: datetime) -> int:
    """Let leads be one of which a system says so: pairs of an id and that of the record in which it lives on.

    But for those that are kept apart. They are shown under the record that lives on. Ids that nobody has count for
    nothing. Returns how many were joined. Call it inside `touched.changing`.
    """
    left, right = zip(*pairs, strict=True)
    engine.register("_told", pa.table({"a": pa.array(left, pa.string()), "b": pa.array(right, pa.string())}))
    found = engine.rows(
        "SELECT DISTINCT x.key, x.lead, y.key, y.lead FROM _told t JOIN ids x ON x.id = t.a JOIN ids y ON y.id = t.b "
        "ORDER BY 1, 3"
    )
    engine.unregister("_told")
    told = {int(key): int(into) for key, _, into, _ in found}
    apart = [(int(a), int(b)) for _, a, _, b in found if a != b]
    joined = join_pairs(engine, apart, rule=SYSTEM, at=at, lost=told) if apart else 0
    for key, lead, _, _ in found:
        if key == lead:
            _show_under(engine, int(key), _end(told, int(key)), at=at)
    return joined


def _end(told: Mapping[int, int], key: int) -> int:
    """Follow a record to the one in which it lives on."""
    seen = {key}
    while key in told and told[key] not in seen:
        key = told[key]
        seen.add(key)
    return key


def _show_under(engine: Engine, lead: int, key: int, *, at: datetime) -> None:
    """Let a lead be shown under another of its keys."""
    moving = fill(
        "SELECT o.key, {key}::INTEGER AS lead, {rule} AS rule FROM ids o JOIN ids k ON k.lead = o.lead "
        "WHERE o.lead = {lead} AND k.key = {key}",
        key=Sql(str(key)), rule=literal(SYSTEM), lead=Sql(str(lead)),
    )  # fmt: skip
    move_keys(engine, moving, at=at)


def part_leads(engine: Engine, first: str, second: str, *, at: datetime, who: str | None = None) -> None:
    """Keep two leads apart for good, with all ids they have now.

    Raises NotFoundError, UsageError where they are one.
    """
    a, b = get_lead(engine, first), get_lead(engine, second)
    if a.lead == b.lead:
        raise UsageError(
            f"{first} and {second} are one", fix=f"Undo what made them so: `leadlight merges {a.id}` lists it."
        )
    keys = {lead: [key for (key,) in engine.rows("SELECT key FROM ids WHERE lead = ?", [lead])]
            for lead in (a.lead, b.lead)}  # fmt: skip
    keep_apart(engine, keys[a.lead], keys[b.lead], at=at, who=who)
