"""What a run would ask at most, without asking anybody: what follows from the leads' own values is thought ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.enrich.clues import Clues
from leadlight.enrich.look import Look, Looker
from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.provider import About, Fact
from leadlight.enrich.record import canonical
from leadlight.enrich.report import ProviderRun, Reason
from leadlight.enrich.waterfall import Standing, Subject
from leadlight.store.sql import Sql, fill, joined


@dataclass(frozen=True, slots=True)
class Plan:
    """The questions that may come to be put about a lead."""

    lead: int
    questions: tuple[tuple[str, str | None], ...]
    """(Provider, what is asked); None where that is not known before others have answered."""
    gain: tuple[float, float]
    reason: Reason | None


async def plans(engine: Engine, looker: Looker, leads: Sequence[int]) -> list[Plan]:
    """Plan for some leads; nothing is written but into temporary tables."""
    before = looker.subjects(engine, leads, {})
    clues = looker.clues({name for subject in before for name in subject.query.attributes})
    ahead = [await _think_ahead(looker, subject, clues) for subject in before]
    _put_beside(engine, looker, before, ahead)
    return [_plan(looker, look) for look in looker.look(engine, ahead)]


def _plan(looker: Looker, look: Look) -> Plan:
    names: Iterable[str] = ()
    if look.reason is None:
        names = sorted(looker.waterfalls.at_most(look.subject, look.opened, look.matter))
    return Plan(look.lead, tuple((name, look.subject.keys[name]) for name in names), look.gain, look.reason)


async def _think_ahead(looker: Looker, subject: Subject, clues: Clues) -> Subject:
    """Return a lead as it will be when the providers that ask nobody have answered."""
    waterfalls = looker.waterfalls
    while local := [name for name in waterfalls.ready(subject) if not waterfalls.about(name).network]:
        values, standing = dict(subject.query.attributes), dict(subject.standing)
        for name in local:
            facts = await _answer(looker, name, subject)
            told = {fact.attribute: (canonical(fact.value)[0], fact.confidence) for fact in facts}
            standing[name] = Standing(subject.keys[name], bool(facts), told)
            values |= {fact.attribute: fact.value for fact in facts if values.get(fact.attribute) is None}
        query = replace(subject.query, clues=clues.of(values), attributes=values)
        subject = replace(
            subject, query=query, standing=standing, keys=waterfalls.keys(query), tried=subject.tried | set(local)
        )
    return subject


async def _answer(looker: Looker, name: str, subject: Subject) -> Sequence[Fact]:
    try:
        return await looker.waterfalls.providers[name].ask(subject.query, NOBODY)
    except NetworkError:
        return ()


def _put_beside(engine: Engine, looker: Looker, before: Sequence[Subject], ahead: Sequence[Subject]) -> None:
    """Put what was thought ahead in the place of the leads' values, in a temporary table of the same name.

    It holds the leads that are planned for and their colleagues, which is all that conditions and bounds look at.
    """
    known = looker.workspace.catalog.attributes
    rows = []
    for old, new in zip(before, ahead, strict=True):
        found = _news(old, new, known)
        if found:
            rows.append({"lead": new.lead, **found})
    names = sorted({name for row in rows for name in row if name != "lead"})
    if not names:
        return
    columns: dict[str, Any] = {"lead": pa.array([row["lead"] for row in rows], pa.int32())}
    columns |= {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    asked = pa.table({"lead": pa.array([subject.lead for subject in ahead], pa.int32())})
    for table, held in (("_ahead", pa.table(columns)), ("_planned", asked)):
        engine.register(table, held)
    types = engine.columns("attributes")
    replaced = [
        fill("coalesce(a.{name}, try_cast(n.{name} AS {kind})) AS {name}", name=name, kind=Sql(types[name]))
        for name in names
    ]
    engine.execute(
        fill(
            "CREATE TEMP TABLE attributes AS SELECT a.* REPLACE ({replaced}) FROM attributes a "
            "LEFT JOIN _ahead n ON n.lead = a.lead WHERE a.lead IN (SELECT lead FROM _planned) OR a.account IN "
            "(SELECT account FROM attributes b JOIN _planned p ON p.lead = b.lead)",
            replaced=joined(replaced),
        )
    )
    for table in ("_ahead", "_planned"):
        engine.unregister(table)


def _news(old: Subject, new: Subject, known: Iterable[str]) -> dict[str, str]:
    """Return the values that were thought ahead, as text."""
    before, after = old.query.attributes, new.query.attributes
    return {name: canonical(after[name])[0] for name in known if name in after and before.get(name) is None}


def within_budget(
    plans: Sequence[Plan], looker: Looker, *, money: float | None, requests: int | None
) -> tuple[list[Plan], tuple[ProviderRun, ...]]:
    """Return the plans as far as money and requests go, and the questions of each provider.

    Those with most to gain come first; questions that are the same are put once.
    """
    sums = _Sums({name: looker.waterfalls.about(name) for name in looker.waterfalls.providers}, money, requests)
    best_first = sorted(plans, key=lambda plan: (-plan.gain[0], -plan.gain[1], plan.lead))
    kept = [plan if sums.take(plan) else replace(plan, questions=(), reason=Reason.BUDGET) for plan in best_first]
    return kept, tuple(sums.told(name) for name, about in sums.abouts.items() if about.network)


@dataclass(slots=True)
class _Sums:
    """What the plans that were taken come to."""

    abouts: Mapping[str, About]
    money: float | None
    requests: int | None
    seen: set[tuple[str, str]] = field(default_factory=set)
    questions: Counter[str] = field(default_factory=Counter)
    leads: Counter[str] = field(default_factory=Counter)

    def take(self, plan: Plan) -> bool:
        """Take a plan, unless it would go beyond the budget."""
        new = [(name, key) for name, key in plan.questions if key is None or (name, key) not in self.seen]
        price = sum(self.abouts[name].cost for name, _ in new)
        sent = sum(self.abouts[name].requests for name, _ in new)
        too_dear = price > 0 and self.money is not None and self.cost + price > self.money + 1e-9
        too_many = sent > 0 and self.requests is not None and self.sent + sent > self.requests
        if too_dear or too_many:
            return False
        self.seen |= {(name, key) for name, key in new if key is not None}
        self.questions.update(name for name, _ in new)
        self.leads.update(name for name, _ in plan.questions)
        return True

    @property
    def cost(self) -> float:
        """What the questions cost."""
        return sum(self.abouts[name].cost * count for name, count in self.questions.items())

    @property
    def sent(self) -> int:
        """About how many requests they take."""
        return sum(self.abouts[name].requests * count for name, count in self.questions.items())

    def told(self, name: str) -> ProviderRun:
        """Return what one provider would be asked."""
        about, count = self.abouts[name], self.questions[name]
        return ProviderRun(
            name, about.title, True, count, self.leads[name], cost=about.cost * count, requests=about.requests * count
        )


class _Nobody:
    """The network of those who ask nobody."""

    async def get(self, *_: Any, **__: Any) -> Any:
        """Refuse."""
        raise NetworkError(Why.NOT_ALLOWED, "this provider says that it asks nobody outside")

    post = dns = get


NOBODY: Network = _Nobody()
