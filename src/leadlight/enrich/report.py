"""What a run of `enrich` did, or would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from leadlight.scorecards.score import ScoreRun
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable


class Reason(StrEnum):
    """Why nobody outside is asked about a lead."""

    SETTLED = "nothing is left to ask"
    """All that could be asked was answered and still holds, or the user knows it better."""
    GRADE = "no answer could change its grade"
    NEVER = "never to be looked up"
    EXCLUDED = "excluded from scoring"
    BASIS = "no lawful basis"
    CLUE = "nothing to ask by (free mail, no domain, no name …)"
    BUDGET = "the budget is spent"


@dataclass(frozen=True, slots=True)
class ProviderRun:
    """What one provider was asked, and what came of it."""

    provider: str
    title: str
    network: bool
    questions: int
    """Questions put to it; in a dry run, the most that may be put."""
    leads: int
    """Leads that the questions are about: those with the same question share one."""
    found: int = 0
    nothing: int = 0
    failed: int = 0
    cost: float = 0.0
    requests: int = 0
    """In a dry run, about how many requests these questions take."""
    why: Mapping[str, int] = field(default_factory=dict)
    """Why questions failed → how many."""
    stopped: str = ""
    """Why it was not asked any more."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "provider": self.provider, "title": self.title, "network": self.network, "questions": self.questions,
            "leads": self.leads, "found": self.found, "nothing": self.nothing, "failed": self.failed,
            "cost": round(self.cost, 6), "requests": self.requests, "why": dict(self.why), "stopped": self.stopped,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went through the network."""

    requests: int = 0
    dns: int = 0
    cached: int = 0
    bytes: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return it as plain JSON values."""
        return {"requests": self.requests, "dns": self.dns, "cached": self.cached, "bytes": self.bytes}


@dataclass(frozen=True, slots=True, repr=False)
class EnrichRun(Readable):
    """What a run did; of a dry run, what it would do at most."""

    entity: str
    at: datetime
    dry_run: bool
    leads: int
    """Leads that were looked at."""
    asked: int
    """Leads about which somebody outside was (or would be) asked."""
    skipped: Mapping[str, int]
    """Why nobody outside was asked → leads."""
    providers: tuple[ProviderRun, ...]
    facts: int = 0
    changed: int = 0
    """Leads of whom something new was recorded."""
    traffic: Traffic = Traffic()
    money: float | None = None
    """The budget of money, and of requests."""
    requests: int | None = None
    scored: tuple[ScoreRun, ...] = ()
    seconds: float = 0.0
    stopped: bool = False
    """Whether it was stopped before it was done; running it again goes on where it was."""
    notes: tuple[str, ...] = ()

    @property
    def questions(self) -> int:
        """Questions put to somebody outside."""
        return sum(provider.questions for provider in self.providers if provider.network)

    @property
    def cost(self) -> float:
        """What these cost."""
        return sum(provider.cost for provider in self.providers)

    def as_dict(self) -> dict[str, Any]:
        """Return the run as plain JSON values."""
        return {
            "entity": self.entity,
            "at": self.at.isoformat() + "Z",
            "dry_run": self.dry_run,
            "leads": self.leads,
            "asked": self.asked,
            "skipped": dict(self.skipped),
            "questions": self.questions,
            "cost": round(self.cost, 6),
            "budget": {"money": self.money, "requests": self.requests},
            "providers": [provider.as_dict() for provider in self.providers],
            "facts": self.facts,
            "changed": self.changed,
            "traffic": self.traffic.as_dict(),
            "scored": [run.as_dict() for run in self.scored],
            "seconds": round(self.seconds, 3),
            "stopped": self.stopped,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        line = planned_line if self.dry_run else provider_line
        return "\n".join([self.headline, *(f"  {line(one)}" for one in self.providers), *self.reasons, *self.notes])

    @property
    def headline(self) -> str:
        """What was done, on one line."""
        of = f"{many(self.asked, self.entity)} of {self.leads:,}"
        money = f", costing {self.cost:g}" if self.cost else ""
        if self.dry_run:
            requests = many(sum(one.requests for one in self.providers), "request")
            asked = f"{many(self.questions, 'question')} at most, about {requests}"
            return f"would ask about {of}: {asked}{money}; nobody was asked"
        end = "; stopped: run it again to go on" if self.stopped else ""
        facts = f"{many(self.facts, 'fact')} about {many(self.changed, self.entity)}"
        return f"asked about {of}: {many(self.questions, 'question')}{money}, {facts}, in {self.seconds:.1f} s{end}"

    @property
    def reasons(self) -> list[str]:
        """Why others were passed over, a line each."""
        return [f"  {many(count, self.entity)} not asked about: {why}" for why, count in self.skipped.items() if count]


def provider_line(one: ProviderRun) -> str:
    """Say what came of one provider."""
    failed = f", {one.failed:,} failed ({_listed(one.why)})" if one.failed else ""
    about = "" if one.leads == one.questions else f" about {one.leads:,}"
    return f"{one.provider}: {one.questions:,}{about}, {one.found:,} found, {one.nothing:,} nothing{failed}"


def planned_line(one: ProviderRun) -> str:
    """Say what one provider would be asked."""
    return (
        f"{one.provider}: {many(one.questions, 'question')} about {one.leads:,}, about {many(one.requests, 'request')}"
    )


def _listed(why: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in Counter(why).most_common())
