"""Events that nobody did, found by rules: crawlers, e-mail scanners, impossible rates, traps.

Each rule looks at all events, set aside or not, by their own times: so what is found does not depend on the order in
which they came, nor on other rules. A burst is found as a whole, also what came before it was known to be one.

crawler    the client names itself as one (`origins.crawler`)
honeypot   it filled in what no person sees
scanner    it opened or clicked within seconds of the delivery, or clicked many links of a message within seconds
rate       more events of one id than a person can make
address    more events from one internet address than people can make
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from leadlight.engines.base import Engine
from leadlight.spec.bots import BotsSpec, RateSpec, ScannersSpec
from leadlight.store.archive import complete_since
from leadlight.store.set_aside import put_aside, take_back
from leadlight.store.sql import Sql, fill, joined, literal

BOTS = "bots"
"""Who sets aside."""
REASONS = ("crawler", "honeypot", "scanner", "rate", "address")
"""Of several reasons the first is noted."""


def reach(spec: BotsSpec) -> timedelta:
    """Return how far from an event others may lie that make it a machine's, or that it makes so."""
    spans = [rate.within for rate in (spec.rate, spec.address_rate) if rate is not None]
    if spec.scanners is not None:
        spans += [spec.scanners.within, spec.scanners.links_within]
    return 2 * max(spans, default=timedelta(0))


def watch_near(engine: Engine, spec: BotsSpec) -> None:
    """Make `watched`: the events around those of `near` (_said_of, low, high: times), set aside or not."""
    span = _interval(reach(spec))
    near = fill(
        "JOIN (SELECT i.lead, n._said_of, min(n.low) - {span} AS low, max(n.high) + {span} AS high FROM near n "
        "JOIN ids i ON i.key = n._said_of GROUP BY ALL) n ON n.lead = e.lead AND n._said_of = e._said_of "
        'AND e."at" BETWEEN n.low AND n.high WHERE e.lead IN '
        "(SELECT i.lead FROM ids i JOIN near m ON m._said_of = i.key) AND",
        span=span,
    )
    _watch(engine, spec, near)


def watch_all(engine: Engine, spec: BotsSpec) -> None:
    """Make `watched` of all events, set aside or not."""
    _watch(engine, spec, Sql("WHERE"))


def _watch(engine: Engine, spec: BotsSpec, near: Sql) -> None:
    sources = joined([literal(source) for source in spec.sources])
    parts = []
    for table, aside in (("events", "FALSE"), ("set_aside", "TRUE")):
        present = {name.lower() for name in engine.columns(table)}
        told = {"message": "message", "url": "url", "honeypot": spec.honeypot}
        values = [
            fill("e.{name}::VARCHAR AS {ours}", name=name, ours=ours)
            if name is not None and name.lower() in present
            else fill("NULL::VARCHAR AS {ours}", ours=ours)
            for ours, name in told.items()
        ]
        parts.append(
            fill(
                'SELECT e._source, e._key, e.lead, e._said_of, e.type::VARCHAR AS type, e."at", {values}, '
                "{aside} AS aside FROM {table} e {near} e._source IN ({sources})",
                values=joined(values), aside=Sql(aside), table=table, near=near, sources=sources,
            )
        )  # fmt: skip
    engine.execute(fill("CREATE TEMP TABLE watched AS {parts}", parts=joined(parts, " UNION ALL ")))


def find_bots(engine: Engine, spec: BotsSpec) -> None:
    """Make `found` of `watched`: (_source, _key, lead, aside, reason) of the events that nobody did.

    What a person judged is not among them.
    """
    rules = _rules(engine, spec)
    parts = [
        fill("SELECT _source, _key, {place} AS place FROM ({rule}) r", place=Sql(str(REASONS.index(name))), rule=rule)
        for name, rule in rules.items()
    ] or [Sql("SELECT _source, _key, 0 AS place FROM watched WHERE FALSE")]
    reasons = " ".join(f"WHEN {place} THEN {literal(name)}" for place, name in enumerate(REASONS))
    engine.execute(
        fill(
            "CREATE TEMP TABLE found AS SELECT w._source, w._key, w.lead, w.aside, "
            "CASE f.place {reasons} END AS reason "
            "FROM watched w JOIN (SELECT _source, _key, min(place) AS place FROM ({parts}) p GROUP BY ALL) f "
            "ON f._key = w._key AND f._source = w._source WHERE NOT EXISTS "
            "(SELECT 1 FROM judgements j WHERE j._key = w._key AND j._source = w._source)",
            reasons=Sql(reasons),
            parts=joined(parts, " UNION ALL "),
        )
    )


def _rules(engine: Engine, spec: BotsSpec) -> Mapping[str, Sql]:
    rules = dict[str, Sql]()
    if spec.crawlers and engine.rows("SELECT 1 FROM origins WHERE crawler IS NOT NULL LIMIT 1"):
        rules["crawler"] = Sql("SELECT _source, _key FROM origins WHERE crawler IS NOT NULL")
    if spec.honeypot is not None:
        rules["honeypot"] = Sql(
            "SELECT _source, _key FROM watched WHERE lower(trim(honeypot)) NOT IN ('', 'false', '0', '0.0')"
        )
    if spec.scanners is not None:
        rules["scanner"] = _scanner(spec.scanners)
    if spec.rate is not None:
        rules["rate"] = _burst(spec.rate, Sql("watched"), "_said_of", Sql(_not_mail(spec.scanners)))
    if spec.address_rate is not None:
        rules["address"] = _burst(spec.address_rate, Sql("origins"), "address", Sql("address IS NOT NULL"))
    return rules


def _not_mail(scanners: ScannersSpec | None) -> str:
    """Return the condition for events that are not the mail provider's: those come in bulk."""
    told = scanners or ScannersSpec()
    return f"type NOT IN ({', '.join(literal(name) for name in (told.delivered, told.opened, told.clicked))})"


def _burst(rate: RateSpec, table: Sql, whose: str, where: Sql) -> Sql:
    """Return the query of events that lie in some span of time which holds more of them than there may be."""
    return fill(
        "SELECT _source, _key FROM (SELECT _source, _key, max(n) OVER (PARTITION BY {whose} ORDER BY \"at\" "
        "RANGE BETWEEN {span} PRECEDING AND CURRENT ROW) AS most FROM (SELECT _source, _key, {whose}, \"at\", "
        "count(*) OVER (PARTITION BY {whose} ORDER BY \"at\" RANGE BETWEEN CURRENT ROW AND {span} FOLLOWING) AS n "
        "FROM {table} WHERE {where}) c) b WHERE most > {events}",
        whose=whose, span=_interval(rate.within), table=table, where=where, events=Sql(str(rate.events)),
    )  # fmt: skip


def _scanner(spec: ScannersSpec) -> Sql:
    """Return the query of opens and clicks that a scanner made."""
    types = {"delivered": literal(spec.delivered), "opened": literal(spec.opened), "clicked": literal(spec.clicked)}
    return fill(
        "SELECT w._source, w._key FROM watched w JOIN (SELECT DISTINCT _source, _said_of, message, \"at\" FROM watched "
        "WHERE type = {delivered}) d ON d._source = w._source AND d._said_of = w._said_of AND d.message = w.message "
        'AND w."at" > d."at" - {within} AND w."at" < d."at" + {within} WHERE w.type IN ({opened}, {clicked}) '
        "UNION SELECT w._source, w._key FROM watched w JOIN ("
        'SELECT a._source, a._said_of, a.message, a."at" FROM watched a JOIN watched b ON b._source = a._source '
        "AND b._said_of = a._said_of AND b.message = a.message AND b.type = {clicked} "
        'AND b."at" BETWEEN a."at" AND a."at" + {span} WHERE a.type = {clicked} '
        "GROUP BY ALL HAVING count(DISTINCT b.url) >= {links}) s ON s._source = w._source AND s._said_of = w._said_of "
        'AND s.message = w.message AND w."at" BETWEEN s."at" - {span} AND s."at" + {span} '
        'AND (w.type = {opened} OR w."at" >= s."at") WHERE w.type IN ({opened}, {clicked})',
        within=_interval(spec.within), span=_interval(spec.links_within), links=Sql(str(spec.links)),
        **{name: Sql(text) for name, text in types.items()},
    )  # fmt: skip


def _interval(span: timedelta) -> Sql:
    return Sql(f"INTERVAL '{span.total_seconds():.6f} seconds'")


def set_found_aside(engine: Engine, *, at: datetime) -> int:
    """Set aside what was `found`, and note the reason where it was set aside for another; returns how many moved."""
    moved = put_aside(engine, Sql("SELECT _source, _key, lead, reason FROM found WHERE NOT aside"), by=BOTS, at=at)
    engine.execute(
        "UPDATE set_aside SET _reason = f.reason, _aside_by = ? FROM found f WHERE set_aside._key = f._key "
        "AND set_aside._source = f._source AND set_aside._reason <> f.reason",
        [BOTS],
    )
    return moved


def drop_watched(engine: Engine) -> None:
    """Forget what was looked at."""
    for table in ("watched", "found"):
        engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))


def sweep(engine: Engine, spec: BotsSpec | None, *, at: datetime) -> int:
    """Go through all events by the rules as they are now; returns how many changed sides.

    What was set aside by rules that do not hold any more comes back; but for what came from an address too fast, which
    cannot be seen any more once addresses are forgotten, and for what lies so near to events that were taken out of the
    store that those may be the reason. Call it inside `touched.changing`.
    """
    looked = spec or BotsSpec(crawlers=False, scanners=None, rate=None, address_rate=None, honeypot=None)
    watch_all(engine, looked)
    find_bots(engine, looked)
    back = fill(
        "SELECT a._source, a._key FROM set_aside a WHERE a._aside_by = {bots} AND NOT EXISTS (SELECT 1 FROM found f "
        "WHERE f._key = a._key AND f._source = a._source) AND (a._reason <> 'address' OR {off}) AND NOT ({unseen})",
        bots=literal(BOTS),
        off=Sql("TRUE" if looked.address_rate is None else _STILL_SEEN),
        unseen=_unseen(engine, looked),
    )
    returned = take_back(engine, back)
    moved = set_found_aside(engine, at=at)
    drop_watched(engine)
    return returned + moved


def _unseen(engine: Engine, spec: BotsSpec) -> Sql:
    """Return the condition for what is set aside (`a`) for others near it, of which some may have been taken out."""
    floor = complete_since(engine)
    rules = {"scanner": spec.scanners, "rate": spec.rate}
    reasons = joined([literal(name) for name, rule in rules.items() if rule is not None])
    if floor is None or not reasons:
        return Sql("FALSE")
    return fill(
        "a._reason IN ({reasons}) AND a.\"at\" <= TIMESTAMP {floor} + {span}",
        reasons=reasons, floor=literal(str(floor)), span=_interval(reach(spec)),
    )  # fmt: skip


_STILL_SEEN = (
    "EXISTS (SELECT 1 FROM origins o WHERE o._key = a._key AND o._source = a._source AND o.address IS NOT NULL)"
)
