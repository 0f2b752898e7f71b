"""What is known of one lead, value by value: which is used, who says otherwise, since when, and by what right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal

from leadlight.engines.base import Engine
from leadlight.spec.enrich import EnrichSpec, Rule, WaterfallSpec
from leadlight.spec.readable import Readable
from leadlight.store.choice import waterfall_of
from leadlight.store.facts import SINCE_CREATION, answers_of, lookups_of
from leadlight.store.known import known, own_values
from leadlight.store.leads import Lead


def _stamp(moment: datetime) -> str:
    return moment.isoformat() + "Z"


@dataclass(frozen=True, slots=True)
class Saying:
    """A value that one source or provider gives."""

    attribute: str
    value: str
    source: str
    """The source's or the provider's name."""
    own: bool
    """Whether it is from the user's own files."""
    since: datetime
    """Since when it is known."""
    used: bool = False
    fetched_at: datetime | None = None
    until: datetime | None = None
    confidence: float | None = None
    origin: str = ""
    evidence: str = ""
    licence: str = ""
    basis: str = ""
    note: str = ""
    """Why it does not count, where it does not."""

    def age(self, at: datetime) -> float:
        """Return how many days ago it was fetched (became known, of an own value)."""
        return (at - (self.fetched_at or self.since)).total_seconds() / 86400

    def as_dict(self, at: datetime) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "value": self.value,
            "source": self.source,
            "own": self.own,
            "used": self.used,
            "since": _stamp(self.since),
            "fetched_at": _stamp(self.fetched_at) if self.fetched_at else None,
            "age_days": round(self.age(at), 3),
            "until": _stamp(self.until) if self.until else None,
            "confidence": self.confidence,
            "origin": self.origin,
            "evidence": self.evidence,
            "licence": self.licence,
            "basis": self.basis,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute: the value that is used, and everything that is said, what is used first."""

    attribute: str
    value: Any
    rule: Rule
    use: Literal["fill", "prefer"]
    sayings: tuple[Saying, ...]

    @property
    def is_disputed(self) -> bool:
        """Whether somebody says something else than what is used."""
        return len({saying.value.lower() for saying in self.sayings}) > 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was put about the lead."""

    provider: str
    subject: str
    outcome: str
    at: datetime
    until: datetime | None
    cost: float
    basis: str
    message: str
    """Why it failed, where it did."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "provider": self.provider,
            "subject": self.subject,
            "outcome": self.outcome,
            "at": _stamp(self.at),
            "until": _stamp(self.until) if self.until else None,
            "cost": self.cost,
            "basis": self.basis,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Facts(Readable):
    """Everything that is known of a lead as of a moment, and who was asked."""

    entity: str
    id: str
    as_of: datetime
    attributes: tuple[Known, ...]
    asked: tuple[Asked, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "entity": self.entity,
            "id": self.id,
            "as_of": _stamp(self.as_of),
            "attributes": [
                {
                    "attribute": one.attribute,
                    "value": _stamp(one.value) if isinstance(one.value, datetime) else one.value,
                    "rule": one.rule,
                    "use": one.use,
                    "disputed": one.is_disputed,
                    "said": [saying.as_dict(self.as_of) for saying in one.sayings],
                }
                for one in self.attributes
            ],
            "asked": [asked.as_dict() for asked in self.asked],
        }

    def __str__(self) -> str:
        lines = [f"{self.entity} {self.id} as of {self.as_of:%Y-%m-%d %H:%M} UTC"]
        for one in self.attributes:
            lines += [
                f"  {one.attribute if not index else '':24} {'=' if saying.used else ' '} {saying.value}  "
                f"({saying.source}{f', {saying.note}' if saying.note else ''})"
                for index, saying in enumerate(one.sayings)
            ]
        lines += [f"  asked {asked.provider} on {asked.at:%Y-%m-%d}: {asked.outcome}" for asked in self.asked]
        return "\n".join(lines)


def facts(engine: Engine, spec: EnrichSpec | None, lead: Lead, moment: datetime, *, entity: str = "lead") -> Facts:
    """Return what is known of a lead as of a moment, its own values and what providers said."""
    rules = spec or EnrichSpec()
    rows = known(engine, [lead.lead], moment).to_pylist()
    used = rows[0] if rows else {}
    said = [*_own(engine, lead, moment), *_looked_up(engine, lead, moment)]
    by_name = sorted(said, key=attrgetter("attribute"))
    attributes = [
        _known(name, used.get(name), list(group), rules) for name, group in groupby(by_name, attrgetter("attribute"))
    ]
    return Facts(entity, lead.id, moment, tuple(attributes), tuple(_asked(engine, lead, moment)))


def _own(engine: Engine, lead: Lead, moment: datetime) -> Iterable[Saying]:
    for row in own_values(engine, lead.lead, moment).to_pylist():
        yield Saying(row["attribute"], row["value"], row["source"], True, row["since"])


def _looked_up(engine: Engine, lead: Lead, moment: datetime) -> Iterable[Saying]:
    for row in answers_of(engine, lead.lead, moment).to_pylist():
        yield Saying(
            attribute=row["attribute"],
            value=row["value"],
            source=row["provider"],
            own=False,
            since=lead.created_at if row["known_at"] == SINCE_CREATION else row["known_at"],
            fetched_at=row["fetched_at"],
            until=row["until"],
            confidence=row["confidence"],
            origin=row["origin"] or "",
            evidence=row["evidence"] or "",
            licence=row["licence"] or "",
            basis=row["basis"] or "",
        )


def _asked(engine: Engine, lead: Lead, moment: datetime) -> Iterable[Asked]:
    for row in lookups_of(engine, lead.lead, moment).to_pylist():
        yield Asked(
            provider=row["provider"],
            subject=row["subject"] or "",
            outcome=row["outcome"],
            at=row["recorded_at"],
            until=row["until"],
            cost=row["cost"] or 0.0,
            basis=row["basis"] or "",
            message=row["message"] or "",
        )


def _known(attribute: str, value: Any, said: Sequence[Saying], spec: EnrichSpec) -> Known:
    """Order what is said of an attribute by the rule, and mark what is used."""
    providers = sorted({saying.source for saying in said if not saying.own})
    waterfall = waterfall_of(spec, attribute, providers)
    judged = [_judged(saying, waterfall) for saying in said]
    ordered = sorted(judged, key=lambda saying: _order(saying, judged, waterfall))
    place = (
        next((index for index, saying in enumerate(ordered) if not saying.note), None) if value is not None else None
    )
    if place is not None:
        ordered.insert(0, replace(ordered.pop(place), used=True))
    return Known(attribute, value, waterfall.rule, waterfall.use, tuple(ordered))


def _judged(saying: Saying, waterfall: WaterfallSpec) -> Saying:
    """Note why a saying does not count."""
    if saying.own:
        return saying
    if saying.source not in waterfall.ask:
        return replace(saying, note="not asked for this")
    if (saying.confidence or 0.0) < waterfall.at_least:
        return replace(saying, note=f"less sure than {waterfall.at_least:g}")
    return saying


def _order(saying: Saying, said: Sequence[Saying], waterfall: WaterfallSpec) -> tuple[Any, ...]:
    """Return the place of a saying: those that count first, by `use`, then as `store.choice` has it."""
    if saying.own:
        return (bool(saying.note), waterfall.use == "prefer", -saying.since.timestamp(), 0, 0.0)
    votes = {
        other.source
        for other in said
        if not other.own and not other.note and other.value.lower() == saying.value.lower()
    }
    weight: Mapping[str, float] = {
        "order": 0.0,
        "confidence": saying.confidence or 0.0,
        "newest": (saying.fetched_at or saying.since).timestamp(),
        "majority": float(len(votes)),
    }
    rank = waterfall.ask.index(saying.source) if saying.source in waterfall.ask else len(waterfall.ask)
    return (bool(saying.note), waterfall.use == "fill", -weight[waterfall.rule], rank, -(saying.confidence or 0.0))
