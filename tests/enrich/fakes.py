"""Providers that answer from a list, in a workspace of a few leads; the catalog finds them as it finds real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import leadlight
from leadlight.enrich import catalog
from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.provider import About, Clue, Fact, Offer, Provider, Query, Settings
from leadlight.workspace import Workspace

NOW = datetime(2026, 3, 1, 12)
Says = Mapping[str, Any] | Exception | Callable[[Query], Any]


@dataclass
class Fake:
    """A provider that is asked by one clue, and says what it was told to say of it."""

    name: str
    gives: Sequence[str] = ("industry",)
    by: Clue = Clue.DOMAIN
    says: dict[str, Says] = field(default_factory=dict)
    """Key → attribute → value, or (value, confidence); or what goes wrong."""
    otherwise: Says = field(default_factory=dict)
    cost: float = 0.0
    network: bool = True
    clues: Sequence[Clue] = ()
    asked: list[str] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)

    @property
    def about(self) -> About:
        return About(
            self.name, f"Fake {self.name}", (frozenset({self.by}),), tuple(self.gives), frozenset(self.clues),
            self.network, cost=self.cost, ttl=timedelta(days=30), nothing_ttl=timedelta(days=7),
        )  # fmt: skip

    def key(self, query: Query) -> str | None:
        return query.get(self.by)

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:  # noqa: ARG002 - asks nobody
        key = query.clues[self.by]
        self.asked.append(key)
        said = self.says.get(key, self.otherwise)
        if callable(said):
            said = await said(query)
        if isinstance(said, Exception):
            raise said
        pairs = {name: value if isinstance(value, tuple) else (value, 1.0) for name, value in said.items()}
        return tuple(Fact(name, value, sure) for name, (value, sure) in pairs.items())

    def load(self) -> Offer:
        """Be an entry point."""

        def make(*_: Any) -> Provider:
            return self

        return Offer(self.about, Settings, make)


HOUSE = """
groups:
  fit:
    criteria:
      - {name: Industry, feature: industry, points: {software: 20, farming: -20}}
      - {name: Size, feature: size, bands: [[null, 100, 0], [100, null, 15]]}
grades: {score: {A: 30, B: 10, C: null}}
"""
LEADS = """lead_id,created,email,size,consent
L1,2026-01-01,ann@acme.com,500,yes
L2,2026-01-02,bob@acme.com,50,yes
L3,2026-01-03,cy@gmail.com,500,
L4,2026-01-04,dee@zeta.org,,yes
"""


@dataclass
class Shop:
    """A workspace, its clock and the providers it may ask."""

    folder: Path
    fakes: Mapping[str, Fake]
    at: datetime = NOW

    ticks: timedelta = timedelta(0)
    """By how much the clock goes on each time it is looked at."""

    @property
    def workspace(self) -> Workspace:
        return leadlight.open(self.folder, now=self._now)

    def _now(self) -> datetime:
        self.at += self.ticks
        return self.at

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.workspace.store() as engine:
            return engine.rows(sql)

    def value(self, lead: str, attribute: str, at: datetime | None = None) -> Any:
        """What is known of a lead at a moment."""
        found = self.rows(
            f"SELECT a.{attribute} FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = '{lead}' "
            f"AND known_at <= '{at or self.at}' AND known_until > '{at or self.at}'"
        )
        return found[0][0] if found else None


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Shop]:
    """Make a workspace that asks these fakes."""

    def make(*fakes: Fake, leads: str = LEADS, card: str | None = HOUSE, score: bool = True, **enrich: Any) -> Shop:
        points = {fake.name: fake for fake in fakes}
        monkeypatch.setattr(catalog, "_points", lambda: points)
        source = {"csv": "leads.csv", "id": "lead_id", "created_at": "created"}
        source |= {"account": "account"} if "account" in leads.split("\n")[0] else {}
        spec = {
            "sources": {"leads": source},
            "exclude": enrich.pop("exclude", None),
            "enrich": {"ask": list(points), **enrich},
        }  # fmt: skip
        (tmp_path / "leads.csv").write_text(leads)
        (tmp_path / "leadlight.yaml").write_text(json.dumps({k: v for k, v in spec.items() if v is not None}))
        if card is not None:
            (tmp_path / "scorecards").mkdir(exist_ok=True)
            (tmp_path / "scorecards" / "house.yaml").write_text(card)
        made = Shop(tmp_path, points)
        made.workspace.ingest()
        if card is not None and score:
            made.workspace.score()
        return made

    return make


def denied() -> NetworkError:
    return NetworkError(Why.DENIED, "the key is wrong")
