"""Duplicates: leads with different ids that share an e-mail address (or what `merge_by` names) are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.store.apart import any_apart, regroup
from leadlight.store.known_values import KnownValues
from leadlight.store.moves import move_keys
from leadlight.store.speakers import SPEAKERS
from leadlight.store.sql import Sql, fill, joined, literal

ALL = Sql("TRUE")
EXAMPLES = 20
DEFAULT = "email"
BY_ADDRESS = "email:"
"""Stands before an address to make an id of a lead who is known by it only."""
BY_ADDRESS = "email:"
"""Begins the ids of those who are known by their address only."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A duplicate: the id that was merged, and the id of the lead it was merged into."""

    id: str
    into: str


def merge_duplicates(
    engine: Engine,
    merge_by: Mapping[str, str | None],
    *,
    at: datetime | None = None,
    touched_only: bool = False,
    known: KnownValues | None = None,
) -> tuple[int, list[Merged]]:
    """Merge leads that share a value; return how many were merged, and examples.

    `merge_by` names the attribute for each source (None: its leads do not merge by it; a source that is not named goes
    by `email`). Values are compared trimmed and in lower case; blanks never merge. All values that a lead ever had
    count, and chains merge as a whole, but for those that are kept `apart`. The lead created first survives (tie: the
    smaller id); leads whose beginning no source gives count as the last. What was said of a duplicate's ids follows
    them (`moves`); scores and grades that were given to a duplicate stay under its old number, because they were given
    to that record and not to the person. With `touched_only`, only leads in `touched` are held against the others: the
    same, where everybody else was merged before and what was said now was read `at` that moment, which is noted with
    the merges. `known` spares looking for values that nobody has.
    """
    mentions = _mentions(engine, merge_by)
    if mentions is None:
        return 0, []
    if not touched_only:
        return _merge(engine, mentions, merge_by, at)
    found = (0, list[Merged]())
    if _gather_fresh(engine, mentions, merge_by, at):
        fresh = Sql("SELECT lead, attribute, value FROM fresh")
        if known is None or known.may_share(engine, mentions, fresh, rule=tuple(sorted(merge_by.items()))):
            _gather_sharing(engine, merge_by)
            found = _merge(engine, Sql("SELECT lead, attribute, value FROM sharing"), merge_by, at)
            engine.execute("DROP TABLE sharing")
        else:
            found = _merge(engine, fresh, merge_by, at)
    engine.execute("DROP TABLE fresh")
    return found


def _gather_fresh(engine: Engine, mentions: Sql, merge_by: Mapping[str, str | None], at: datetime | None) -> bool:
    """Make `fresh`: the (lead, attribute, value) of those touched that were not said of them before; are there any?"""
    said = _mentions(engine, merge_by, read=True, of=Sql("lead IN (SELECT lead FROM touched)"))
    engine.execute(
        fill(
            "CREATE TEMP TABLE fresh AS SELECT lead, attribute, value FROM ({said}) s GROUP BY lead, attribute, value "
            "HAVING min(read_at) >= coalesce(?::TIMESTAMP, min(read_at))",
            said=said or mentions,
        ),
        [at],
    )
    return bool(engine.rows("SELECT 1 FROM fresh LIMIT 1"))


def _gather_sharing(engine: Engine, merge_by: Mapping[str, str | None]) -> None:
    """Make `sharing`: all who have a fresh value."""
    having = Sql("lower(trim({column}::VARCHAR)) IN (SELECT value FROM fresh WHERE attribute = {attribute})")
    said = _mentions(engine, merge_by, of=having)
    engine.execute(fill("CREATE TEMP TABLE sharing AS SELECT DISTINCT * FROM ({said}) s", said=said or Sql("")))


def _merge(
    engine: Engine, mentions: Sql, merge_by: Mapping[str, str | None], at: datetime | None
) -> tuple[int, list[Merged]]:
    _gather_shared(engine, mentions)
    _settle(engine)
    engine.execute(
        "CREATE TEMP TABLE merging AS SELECT n.lead, k.lead AS survivor FROM nodes n JOIN nodes k ON k.rank = n.root "
        "WHERE n.lead <> k.lead"
    )
    barred = _take_out_barred(engine) if any_apart(engine) else []
    count = int(engine.rows("SELECT count(*) FROM merging")[0][0])
    examples = _examples(engine) if count else []
    if count:
        move_keys(engine, _MOVING, at=at)
    for table in ("shared", "nodes", "merging"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return count + regroup(engine, barred, mentions_by_key(engine, merge_by), at=at), examples


_MOVING = Sql(
    "SELECT i.key, m.survivor AS lead, s.rule FROM ids i JOIN merging m ON m.lead = i.lead "
    "JOIN (SELECT lead, min(attribute) AS rule FROM shared GROUP BY lead) s ON s.lead = m.lead"
)


def mentions_by_key(engine: Engine, merge_by: Mapping[str, str | None]) -> Sql | None:
    """Return the query of (lead, key, attribute, value): which id was ever said to have what; None for nothing."""
    said = _mentions(engine, merge_by, key=True)
    if said is None:
        return None
    return fill(
        "{said} UNION ALL SELECT lead, key, {attribute} AS attribute, lower(substr(id, {start})) AS value FROM ids "
        "WHERE id LIKE {pattern}",
        said=said,
        attribute=literal(DEFAULT),
        start=Sql(str(len(BY_ADDRESS) + 1)),
        pattern=literal(f"{BY_ADDRESS}%@%"),
    )


def _mentions(
    engine: Engine, merge_by: Mapping[str, str | None], *, key: bool = False, read: bool = False, of: Sql = ALL
) -> Sql | None:
    """Return the query of (lead, attribute, value): who was ever said to have what.

    With `key`, also of which id it was said; with `read`, when it was read. `of` is a condition on the observations.
    """
    present = engine.columns("observations")
    sources = [source for (source,) in engine.rows("SELECT DISTINCT _source FROM observations")]
    sources = [source for source in sources if source not in SPEAKERS]  # a value that was looked up is no identity
    by = dict[str, list[str]]()
    for source in sorted(sources):
        column = merge_by.get(source, DEFAULT)
        if column is not None and column in present:
            by.setdefault(column, []).append(source)
    more = (", _key AS key" if key else "") + (", _read_at AS read_at" if read else "")
    parts = [
        fill(
            "SELECT lead{more}, {attribute} AS attribute, lower(trim({column}::VARCHAR)) AS value FROM observations "
            "WHERE {of} AND _source IN ({sources}) AND trim({column}::VARCHAR) <> ''",
            more=Sql(more),
            of=fill(of, column=column, attribute=literal(column)),
            attribute=literal(column),
            column=column,
            sources=joined([literal(source) for source in told]),
        )
        for column, told in by.items()
    ]
    return joined(parts, " UNION ALL ") if parts else None


def _gather_shared(engine: Engine, mentions: Sql) -> None:
    """Make `nodes` (the leads that share something, ranked from the first created) and `shared` (rank, what)."""
    engine.execute(
        fill(
            "CREATE TEMP TABLE shared AS WITH mentions AS ({mentions}) "
            "SELECT DISTINCT lead, attribute, value FROM mentions WHERE (attribute, value) IN "
            "(SELECT attribute, value FROM mentions GROUP BY attribute, value HAVING min(lead) <> max(lead))",
            mentions=mentions,
        )
    )
    engine.execute(
        "CREATE TEMP TABLE nodes AS SELECT lead, rank, rank AS root FROM (SELECT s.lead, row_number() OVER "
        "(ORDER BY least(l.created_at, o.created_at, o.known_at) NULLS LAST, i.id) AS rank "
        "FROM (SELECT DISTINCT lead FROM shared) s JOIN ids i ON i.key = s.lead LEFT JOIN leads l ON l.lead = s.lead "
        "LEFT JOIN (SELECT lead, min(_created_at) AS created_at, min(known_at) FILTER (WHERE known_at <> _read_at) "
        "AS known_at FROM observations WHERE lead IN (SELECT lead FROM shared) GROUP BY lead) o ON o.lead = s.lead)"
    )


def _settle(engine: Engine) -> None:
    """Let every node take the least root among those it shares something with, until none changes."""
    changed = True
    while changed:
        engine.execute(
            "CREATE TEMP TABLE pulled AS SELECT s.lead, min(g.root) AS root FROM shared s JOIN "
            "(SELECT attribute, value, min(n.root) AS root FROM shared JOIN nodes n USING (lead) GROUP BY ALL) g "
            "USING (attribute, value) GROUP BY s.lead"
        )
        changed = bool(engine.rows("SELECT 1 FROM pulled p JOIN nodes n USING (lead) WHERE p.root < n.root LIMIT 1"))
        # A node goes where its root's own root is, which halves long chains.
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE nodes AS SELECT n.lead, n.rank, least(p.root, r.root) AS root FROM nodes n "
            "JOIN pulled p USING (lead) JOIN (SELECT n.rank, p.root FROM nodes n JOIN pulled p USING (lead)) r "
            "ON r.rank = p.root"
        )
        engine.execute("DROP TABLE pulled")


def _examples(engine: Engine) -> list[Merged]:
    found = engine.rows(
        "SELECT d.id, s.id FROM merging m JOIN ids d ON d.key = m.lead JOIN ids s ON s.key = m.survivor "
        "ORDER BY d.key LIMIT ?",
        [EXAMPLES],
    )
    return [Merged(id=duplicate, into=survivor) for duplicate, survivor in found]


def _take_out_barred(engine: Engine) -> list[int]:
    """Take out of `merging` who is connected with a pair that is kept apart; return the leads."""
    engine.execute(
        "CREATE TEMP TABLE barred AS SELECT DISTINCT n.root FROM nodes n WHERE n.root IN ("
        "SELECT x.root FROM apart p JOIN ids i ON i.key = p.a JOIN nodes x ON x.lead = i.lead "
        "JOIN ids j ON j.key = p.b JOIN nodes y ON y.lead = j.lead WHERE x.root = y.root)"
    )
    leads = [
        lead for (lead,) in engine.rows("SELECT lead FROM nodes WHERE root IN (SELECT root FROM barred) ORDER BY 1")
    ]
    engine.execute("DELETE FROM merging WHERE lead IN (SELECT lead FROM nodes WHERE root IN (SELECT root FROM barred))")
    engine.execute("DROP TABLE barred")
    return leads
