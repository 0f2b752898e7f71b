"""Duplicates: leads with different ids that share an e-mail address (or what `merge_by` names) are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadlight.engines.base import Engine
from leadlight.store.speakers import SPEAKERS
from leadlight.store.sql import Sql, fill, joined, literal

EXAMPLES = 20
DEFAULT = "email"


@dataclass(frozen=True, slots=True)
class Merged:
    """A duplicate: the id that was merged, and the id of the lead it was merged into."""

    id: str
    into: str


def merge_duplicates(engine: Engine, merge_by: Mapping[str, str | None]) -> tuple[int, list[Merged]]:
    """Merge leads that share a value; return how many were merged, and examples.

    `merge_by` names the attribute for each source (None: its leads do not merge by it; a source that is not named goes
    by `email`). Values are compared trimmed and in lower case; blanks never merge. All values that a lead ever had
    count, and chains merge as a whole. The lead created first survives (tie: the smaller id); leads whose beginning no
    source gives count as the last. Ids, observations, events and outcomes follow it; scores and grades that were given
    to a duplicate stay under its old number, because they were given to that record and not to the person.
    """
    mentions = _mentions(engine, merge_by)
    if mentions is None:
        return 0, []
    _gather_shared(engine, mentions)
    _settle(engine)
    engine.execute(
        "CREATE TEMP TABLE merging AS SELECT n.lead, k.lead AS survivor FROM nodes n JOIN nodes k ON k.rank = n.root "
        "WHERE n.lead <> k.lead"
    )
    count = int(engine.rows("SELECT count(*) FROM merging")[0][0])
    examples = _examples(engine) if count else []
    if count:
        _repoint(engine)
    for table in ("shared", "nodes", "merging"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return count, examples


def _mentions(engine: Engine, merge_by: Mapping[str, str | None]) -> Sql | None:
    """Return the query of (lead, attribute, value): who was ever said to have what."""
    present = engine.columns("observations")
    sources = [source for (source,) in engine.rows("SELECT DISTINCT _source FROM observations")]
    sources = [source for source in sources if source not in SPEAKERS]  # a value that was looked up is no identity
    wanted = [(source, merge_by.get(source, DEFAULT)) for source in sources]
    parts = [
        fill(
            "SELECT lead, {attribute} AS attribute, lower(trim({column}::VARCHAR)) AS value FROM observations "
            "WHERE _source = {source} AND trim({column}::VARCHAR) <> ''",
            attribute=literal(column),
            column=column,
            source=literal(source),
        )
        for source, column in wanted
        if column is not None and column in present
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


def _repoint(engine: Engine) -> None:
    """Give the survivors what the duplicates had."""
    moved = engine.rows("SELECT count(*) FROM events WHERE lead IN (SELECT lead FROM merging)")[0][0]
    for table in ("ids", "observations", "events", "outcomes"):
        engine.execute(
            fill("UPDATE {table} SET lead = m.survivor FROM merging m WHERE {table}.lead = m.lead", table=table)
        )
    if moved:
        engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [moved])
    engine.execute("INSERT INTO touched SELECT lead FROM merging UNION SELECT survivor FROM merging")
