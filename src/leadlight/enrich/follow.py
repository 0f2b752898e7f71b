"""Follow: read what is new, look up whom it concerns, score; again and again until somebody says stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadlight.engines.base import Engine
from leadlight.enrich.report import EnrichRun
from leadlight.errors import LeadlightError
from leadlight.scorecards.score import ScoreRun
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store.standing import due

HOUR = timedelta(hours=1)
"""How often all leads are looked at: what others did may have made an answer matter."""


@dataclass(frozen=True, slots=True, repr=False)
class Round(Readable):
    """What one round did: how many rows were new, who was looked up, who was scored; or why it could not."""

    number: int
    at: datetime
    new: int = 0
    """Rows that were new or had changed."""
    enriched: EnrichRun | None = None
    scored: tuple[ScoreRun, ...] = ()
    seconds: float = 0.0
    fault: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the round as plain JSON values."""
        return {
            "round": self.number,
            "at": self.at.isoformat() + "Z",
            "new": self.new,
            "enriched": None if self.enriched is None else self.enriched.as_dict(),
            "scored": [run.as_dict() for run in self.scored],
            "seconds": round(self.seconds, 3),
            "fault": self.fault,
        }

    def __str__(self) -> str:
        head = f"{self.at:%H:%M:%S}"
        if self.fault:
            return f"{head}  {' '.join(self.fault.split())}"
        run = self.enriched
        said = [f"{many(self.new, 'row')} new"]
        if run is not None and (run.asked or run.facts):
            said.append(f"{many(run.questions, 'question')} about {many(run.asked, run.entity)}, {run.facts:,} facts")
        said += [
            f"{one.scored:,} scored by {one.scorecard}" + (f" ({one.up} up, {one.down} down)" if not one.silent else "")
            for one in self.scored
        ]
        return f"{head}  " + ("; ".join(said) if self.new or len(said) > 1 else "nothing new")


@dataclass(slots=True)
class Watch:
    """Keeps from round to round who has to be looked at next."""

    news: int = 0
    """How many rows the last reading found new."""
    _rules: Any = None
    _seen: datetime | None = None
    """Up to which moment everybody who is due was looked at."""
    _all: datetime | None = None
    """When all were looked at last."""
    _next: tuple[Any, datetime, bool] | None = None

    def read(self, news: int) -> int:
        """Note how many rows were new; return the number."""
        self.news = news
        return news

    def due(self, engine: Engine, rules: Any, now: datetime) -> tuple[int, ...] | None:
        """Return whom to look at; None for everybody: by other rules, or after an hour."""
        everybody = self._seen is None or self._all is None or rules != self._rules or now - self._all >= HOUR
        self._next = (rules, now, everybody)
        return None if everybody or self._seen is None else due(engine, self._seen, now)

    def done(self) -> None:
        """Note that those who were due were looked at."""
        assert self._next is not None
        self._rules, self._seen, everybody = self._next
        self._all = self._seen if everybody else self._all


@dataclass(frozen=True, slots=True)
class Steps:
    """What a round is made of: `read` returns how many rows are new, `look_up` takes the money that is left."""

    read: Callable[[], int]
    look_up: Callable[[float | None], EnrichRun]
    score: Callable[[], Sequence[ScoreRun]]
    now: Callable[[], datetime]


def follow(
    steps: Steps,
    every: timedelta,
    *,
    money: float | None = None,
    stop: threading.Event,
    told: Callable[[Round], None],
    rounds: int | None = None,
) -> int:
    """Go round until `stop` is set (or for so many `rounds`); return how many rounds there were.

    A round that cannot be done, because a file is being written or another process has the store, is said and passed
    over. `money` is for all rounds together.
    """
    number = 0
    while not stop.is_set() and (rounds is None or number < rounds):
        number += 1
        began = time.monotonic()
        done = _round(steps, number, money)
        if money is not None and done.enriched is not None:
            money = max(money - done.enriched.cost, 0.0)
        told(done)
        if rounds is None or number < rounds:
            stop.wait(max(every.total_seconds() - (time.monotonic() - began), 0.0))
    return number


def _round(steps: Steps, number: int, money: float | None) -> Round:
    began, at = time.monotonic(), steps.now()
    try:
        new = steps.read()
        run = steps.look_up(money)
        scored = tuple(steps.score()) if new else run.scored
    except LeadlightError as error:
        return Round(number, at, seconds=time.monotonic() - began, fault=str(error))
    return Round(number, at, new, run, scored, time.monotonic() - began)
