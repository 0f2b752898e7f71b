"""Who is not who: pairs of keys that no rule may join, and what the rules make of people among whom there are some.

Where nobody is kept apart, whoever is connected is one. Where some are, what connects them is gone through in a fixed
order: aliases and devices first, then what people joined, then shared values (by attribute and value, the one created
first before the others). Each joins two groups unless that would bring together a pair that is kept apart; who shares a
value and may not join the first group goes to the next one of those that share it. So it follows from what was said
and from the pairs alone, in whatever order either came in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.store.moves import UNDONE, move_keys
from leadlight.store.owners import first_users
from leadlight.store.sql import Sql, fill, joined, literal

SYSTEM = "system"
"""The rule of merges that a connected system has told."""

BY_HAND = ("hand", "resolve", "before", SYSTEM)
"""Rules whose merges hold for themselves: nothing that was said tells them again (`before`: from an older store)."""


def keep_apart(engine: Engine, left: Iterable[int], right: Iterable[int], *, at: datetime, who: str | None) -> None:
    """Keep each key on the left apart from each on the right, for good."""
    pairs = sorted({(min(a, b), max(a, b)) for a in left for b in right if a != b})
    if not pairs:
        return
    a, b = zip(*pairs, strict=True)
    engine.register("_apart", pa.table({"a": pa.array(a, pa.int32()), "b": pa.array(b, pa.int32())}))
    engine.execute(
        "INSERT INTO apart SELECT p.a, p.b, ?::TIMESTAMP, ?::VARCHAR FROM _apart p "
        "WHERE NOT EXISTS (SELECT 1 FROM apart o WHERE o.a = p.a AND o.b = p.b)",
        [at, who],
    )
    engine.unregister("_apart")


def let_join(engine: Engine, left: int, right: int) -> None:
    """Forget what keeps two leads' keys apart."""
    engine.execute(
        "DELETE FROM apart WHERE EXISTS (SELECT 1 FROM ids i, ids j WHERE "
        "((i.key = a AND j.key = b) OR (i.key = b AND j.key = a)) AND i.lead = ? AND j.lead = ?)",
        [left, right],
    )


def any_apart(engine: Engine) -> bool:
    """Return whether anybody is kept apart."""
    return bool(engine.rows("SELECT 1 FROM apart LIMIT 1"))


def regroup(engine: Engine, leads: Sequence[int], mentions: Sql | None, *, at: datetime | None) -> int:
    """Group all keys that are connected with those of some leads anew; return how many leads lost some.

    `mentions` is the query of (lead, key, attribute, value). Call it where some of them are kept apart.
    """
    if not leads:
        return 0
    ties = _ties(engine)
    engine.register("_start", pa.table({"lead": pa.array(leads, pa.int32())}))
    engine.execute("CREATE TEMP TABLE kin AS SELECT DISTINCT lead FROM _start")
    engine.unregister("_start")
    engine.execute(fill("CREATE TEMP TABLE tied AS {ties}", ties=ties))
    _gather_kin(engine, mentions)
    places = _Groups.of(engine, mentions).places()
    for table in ("kin", "tied"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return _place(engine, places, at=at)


def join_pairs(
    engine: Engine,
    pairs: Sequence[tuple[int, int]],
    *,
    rule: str,
    at: datetime,
    who: str | None = None,
    lost: Iterable[int] = (),
) -> int:
    """Join leads pair by pair, each into the one created first, but for those kept apart; returns how many were joined.

    None is joined into one of the keys that are `lost` where another will do. Call it inside `touched.changing`.
    """
    leads = sorted({lead for pair in pairs for lead in pair})
    if not leads:
        return 0
    engine.register("_start", pa.table({"lead": pa.array(leads, pa.int32())}))
    engine.execute("CREATE TEMP TABLE kin AS SELECT DISTINCT lead FROM _start")
    engine.unregister("_start")
    groups = _Groups(engine.rows(_KEYS), engine.rows("SELECT a, b FROM apart"))
    groups.lost |= set(lost)
    engine.execute("DROP TABLE kin")
    for key, lead in groups.now.items():
        groups.join(key, lead, UNDONE)
    groups.rules.clear()
    for left, right in pairs:
        groups.meet(left, right, rule)
    return _place(engine, groups.places(), at=at, who=who)


def _place(
    engine: Engine, places: Sequence[tuple[int, int, str]], *, at: datetime | None, who: str | None = None
) -> int:
    """Move keys to their leads, and let `merges` say of each what it is merged by."""
    keys, leads, rules = zip(*places, strict=True)
    engine.register(
        "_places",
        pa.table({"key": pa.array(keys, pa.int32()), "lead": pa.array(leads, pa.int32()), "rule": pa.array(rules)}),
    )
    count = move_keys(engine, Sql("SELECT key, lead, rule FROM _places"), at=at, who=who)
    engine.execute(
        "UPDATE merges SET undone_at = coalesce(?::TIMESTAMP, now()::TIMESTAMP) FROM _places p, ids s "
        "WHERE merges.undone_at IS NULL AND merges.key = p.key AND s.key = merges.survivor AND s.lead <> p.lead",
        [at],
    )
    engine.execute(
        "INSERT INTO merges SELECT (SELECT coalesce(max(merge), 0) FROM merges) + row_number() OVER (ORDER BY p.key), "
        "coalesce(?::TIMESTAMP, now()::TIMESTAMP), p.rule, NULL, p.key, p.key, p.lead, NULL FROM _places p "
        "WHERE p.key <> p.lead AND NOT EXISTS "
        "(SELECT 1 FROM merges m WHERE m.key = p.key AND m.undone_at IS NULL AND m.rule <> ?)",
        [at, UNDONE],
    )
    engine.unregister("_places")
    return count


def _ties(engine: Engine) -> Sql:
    """Return the query of (a, b, place, rule): a is b, by something else than a shared value."""
    parts = [
        fill(
            "SELECT was AS a, survivor AS b, 1 AS place, rule FROM merges WHERE rule IN ({rules}) "
            "AND undone_at IS NULL",
            rules=joined([literal(rule) for rule in BY_HAND]),
        )
    ]
    present = engine.tables()
    if "live_aliases" in present:
        parts.append(
            Sql(
                "SELECT p.key AS a, u.key AS b, 0 AS place, 'alias' AS rule FROM live_aliases l "
                'JOIN ids p ON p.id = l.previous JOIN ids u ON u.id = l."user"'
            )
        )
    if "live_links" in present:
        parts.append(
            fill(
                "SELECT p.key AS a, u.key AS b, 0 AS place, 'device' AS rule FROM ({owners}) l "
                "JOIN ids p ON p.id = 'anonymous:' || l.anonymous JOIN ids u ON u.id = l.\"user\"",
                owners=first_users(),
            )
        )
    return joined(parts, " UNION ALL ")


def _gather_kin(engine: Engine, mentions: Sql | None) -> None:
    """Let `kin` have all leads that something connects with those it has."""
    found = [
        Sql("SELECT y.lead FROM tied t JOIN ids x ON x.key = t.a JOIN ids y ON y.key = t.b WHERE x.lead IN {kin}"),
        Sql("SELECT x.lead FROM tied t JOIN ids x ON x.key = t.a JOIN ids y ON y.key = t.b WHERE y.lead IN {kin}"),
    ]
    if mentions is not None:
        found.append(
            fill(
                "SELECT m.lead FROM ({mentions}) m JOIN (SELECT DISTINCT attribute, value FROM ({mentions}) o "
                "WHERE o.lead IN {{kin}}) v ON v.attribute = m.attribute AND v.value = m.value",
                mentions=Sql(mentions.replace("{", "{{").replace("}", "}}")),
            )
        )
    known = Sql("(SELECT lead FROM kin)")
    before, count = -1, 0
    while count != before:
        before = count
        for part in found:
            engine.execute(
                fill(
                    "INSERT INTO kin SELECT DISTINCT f.lead FROM ({part}) f WHERE f.lead NOT IN {kin}",
                    part=fill(part, kin=known),
                    kin=known,
                )
            )
        count = int(engine.rows("SELECT count(*) FROM kin")[0][0])


class _Groups:
    """Keys that are one, as far as those kept apart allow."""

    def __init__(self, keys: Sequence[tuple[int, int]], pairs: Iterable[tuple[int, int]]) -> None:
        """`keys` are (key, its lead now), from the one created first; `pairs` are kept apart."""
        self.now = dict(keys)
        self.rank = {key: place for place, (key, _) in enumerate(keys)}
        self.root = {key: key for key in self.now}
        self.members = {key: [key] for key in self.now}
        self.rules: dict[int, str] = {}
        self.lost = set[int]()
        """Keys of records that live on in another one, as their system says."""
        self.barred = defaultdict[int, set[int]](set)
        for a, b in pairs:
            self.barred[a].add(b)
            self.barred[b].add(a)

    @classmethod
    def of(cls, engine: Engine, mentions: Sql | None) -> _Groups:
        """Read the keys in `kin` and join what may be joined."""
        groups = cls(engine.rows(_KEYS), engine.rows("SELECT a, b FROM apart"))
        for a, b, _, rule in engine.rows("SELECT a, b, place, rule FROM tied ORDER BY place, b, a"):
            if a in groups.root and b in groups.root:
                groups.join(a, b, rule)
                groups.lost |= {a} if rule == SYSTEM else set()
        if mentions is not None:
            shared = engine.rows(
                fill(
                    "SELECT DISTINCT attribute, value, key FROM ({mentions}) m WHERE lead IN (SELECT lead FROM kin) "
                    "ORDER BY attribute, value",
                    mentions=mentions,
                )
            )
            for (attribute, _), rows in groupby(shared, key=lambda row: row[:2]):
                groups.share([row[2] for row in rows], attribute)
        return groups

    def join(self, key: int, into: int, rule: str) -> bool:
        """Let the group of one key go into that of another; return whether they are one now."""
        a, b = self.root[key], self.root[into]
        if a == b:
            return True
        theirs = set(self.members[b])
        if any(self.barred[member] & theirs for member in self.members[a] if member in self.barred):
            return False
        for member in self.members[a]:
            self.root[member] = b
        self.members[b] += self.members.pop(a)
        self.rules[a] = rule
        return True

    def share(self, keys: Sequence[int], attribute: str) -> None:
        """Join keys that share a value: each with the first group of them that it may join."""
        heads = list[int]()
        for key in sorted(keys, key=self.rank.__getitem__):
            if not any(self.meet(key, head, attribute) for head in heads):
                heads.append(key)

    def meet(self, key: int, head: int, rule: str) -> bool:
        """Join two groups, the one created later into the other."""
        later, earlier = sorted((key, head), key=lambda one: self._first(self.root[one]), reverse=True)
        return self.join(later, earlier, rule)

    def _first(self, root: int) -> int:
        return min(self.rank[member] for member in self.members[root])

    def places(self) -> list[tuple[int, int, str]]:
        """Return (key, lead, rule) for each key: whose it is, and what makes it so.

        A group keeps the number of a lead that is among its keys; of several, the one created first that is not lost.
        """
        leads, found = set(self.now.values()), list[tuple[int, int, str]]()
        for root, members in self.members.items():
            kept = sorted((key for key in members if key in leads), key=lambda key: (key in self.lost, self.rank[key]))
            lead = kept[0] if kept else root
            joined_by = next((self.rules[key] for key in sorted(members) if key in self.rules), UNDONE)
            found += [(key, lead, UNDONE if key == lead else self.rules.get(key, joined_by)) for key in sorted(members)]
        return found


_KEYS = (
    "SELECT key, lead FROM (SELECT i.key, i.lead, i.id, least(o.created_at, o.known_at) AS first FROM ids i "
    "LEFT JOIN (SELECT _key, min(_created_at) AS created_at, min(known_at) FILTER (WHERE known_at <> _read_at) "
    "AS known_at FROM observations WHERE lead IN (SELECT lead FROM kin) GROUP BY _key) o ON o._key = i.key "
    "WHERE i.lead IN (SELECT lead FROM kin)) ORDER BY first NULLS LAST, id"
)
"""The keys of `kin` with their leads, from the one created first."""
