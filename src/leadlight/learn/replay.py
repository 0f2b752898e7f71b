"""The past replayed: learn on what was known, rank who was open, call the first few, count what was won."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, SpecError, TooFewOutcomes, UsageError
from leadlight.evaluate.backtest import Backtest, Deals, Outcomes, backtest
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.learn.candidates import candidates
from leadlight.learn.evaluation import notes
from leadlight.learn.examples import Floats, Ints
from leadlight.learn.learn import bare_card
from leadlight.learn.training import known_since_ever
from leadlight.scorecards.compile import Options, score_statement
from leadlight.scorecards.outcomes import Rules, rules
from leadlight.scorecards.places import order_with_ties
from leadlight.scorecards.scores_at import of_leads
from leadlight.spec.load import Document
from leadlight.spec.marks import Marks
from leadlight.spec.models import ScorecardSpec
from leadlight.spec.resolve import resolve_scorecard
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import words_of
from leadlight.store.sql import Sql, fill

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- naive UTC
LEARNED = "learned anew"
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Replay:
    """A backtest with its dates and what it compared."""

    scorecard: str
    entity: str
    since: datetime
    until: datetime
    every: timedelta
    learned_at: tuple[datetime, ...]
    """When the learned scorecard was learned anew; before the first, the scorecard in use stood in."""
    backtest: Backtest
    notes: tuple[str, ...] = ()
    """What makes the figures kinder than they will be: what was learned from these rows, or known since ever."""

    def as_dict(self) -> dict[str, Any]:
        """Return the replay as plain JSON values."""
        return {
            "scorecard": self.scorecard,
            "entity": self.entity,
            "since": self.since.isoformat() + "Z",
            "until": self.until.isoformat() + "Z",
            "every_days": self.every / timedelta(days=1),
            "learned_at": [moment.isoformat() + "Z" for moment in self.learned_at],
            **self.backtest.as_dict(),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        learned = f"learned {len(self.learned_at)} times" if self.learned_at else "never enough outcomes to learn from"
        said = self.backtest.words
        head = f"{said.entities} {said.action} from {self.since:%Y-%m-%d} on, outcomes until {self.until:%Y-%m-%d}"
        return "\n".join([f"{head}; {learned}", str(self.backtest), *self.notes])


def replay(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    *,
    since: datetime,
    until: datetime,
    top: int,
    every: timedelta = timedelta(days=7),
    relearn: timedelta = timedelta(days=28),
    seed: int = 1,
    step: Step = lambda _: None,
) -> Replay:
    """Replay the time from `since`, as long as outcomes are known by `until`.

    At each step the learned scorecard (learned anew every `relearn`, on what was known then), the scorecard in use
    (both in the order of `rank`: by expected value where worth is known), random order and hindsight each call the best
    `top` of the leads that are open and not called before (where wins repeat, not within the horizon before). Raises
    NotFoundError without dated outcomes, UsageError where no step fits and for a scorecard of accounts.
    """
    of_leads(scorecard)
    outcome = workspace.spec.outcome
    outcomes = _outcomes(engine, workspace, until)
    if outcome is None or not (np.isfinite(outcomes.closed).any() or outcomes.deals is not None):
        raise NotFoundError(
            "outcomes have no times, so the past cannot be replayed", fix="Name their column with `at:`."
        )
    if every <= timedelta(0) or relearn <= timedelta(0):
        raise UsageError("steps go forward in time", fix="Name durations above 0, as 7d.")
    learner = _Learner(engine, workspace, scorecard, relearn, seed, step)
    found = backtest(
        outcomes,
        {LEARNED: learner.rank_at, scorecard.name: lambda at: _rank(engine, workspace, scorecard, _moment(at))},
        since=_days(since),
        until=_days(until),
        horizon=outcome.horizon / timedelta(days=1),
        top=top,
        every=every / timedelta(days=1),
        seed=seed,
    )
    anew = tuple(learner.learned_at)
    kind = (*notes(scorecard, since), *known_since_ever(engine, workspace.spec.entity))
    return Replay(scorecard.name, workspace.spec.entity, since, until, every, anew, found, kind)


class _Learner:
    """Ranks by a scorecard learned on what was known, learned anew now and then."""

    def __init__(
        self,
        engine: Engine,
        workspace: ResolvedWorkspace,
        scorecard: ResolvedScorecard,
        relearn: timedelta,
        seed: int,
        step: Step,
    ) -> None:
        self.engine, self.workspace, self.relearn, self.seed, self.step = engine, workspace, relearn, seed, step
        self.card = scorecard
        self.learned_at: list[datetime] = []
        self.tried: datetime | None = None

    def rank_at(self, at: float) -> tuple[Ints, Floats]:
        moment = _moment(at)
        if self.tried is None or moment - self.tried >= self.relearn:
            self.tried = moment
            self._learn(moment)
        return _rank(self.engine, self.workspace, self.card, moment)

    def _learn(self, moment: datetime) -> None:
        self.step(f"learning on what was known on {moment:%Y-%m-%d}")
        found = candidates(self.engine, self.workspace)
        try:
            spec = bare_card(self.engine, self.workspace, found, moment, seed=self.seed)
        except (TooFewOutcomes, NotFoundError):
            return
        self.card = resolved_card(self.workspace, spec, LEARNED)
        self.learned_at.append(moment)


def resolved_card(workspace: ResolvedWorkspace, spec: ScorecardSpec, name: str) -> ResolvedScorecard:
    """Resolve a scorecard that was made, not read. Raises SpecError where it does not fit the workspace."""
    card, faults = resolve_scorecard(Document(spec, f"{name}.yaml", Marks(name)), workspace)
    if card is None:
        raise SpecError(faults)
    return card


def _rank(
    engine: Engine, workspace: ResolvedWorkspace, card: ResolvedScorecard, moment: datetime
) -> tuple[Ints, Floats]:
    """Return all leads with their places from behind, as `rank` has them: by gates, expected value, score."""
    statement = score_statement(workspace, card, Moment(as_of=moment), Options(contributions=False))
    text = Sql(build.to_text(statement, engine.capabilities.dialect))
    table = engine.arrow(
        fill(
            "SELECT lead, rank() OVER (ORDER BY {order}) AS place FROM ({text}) s ORDER BY lead",
            order=order_with_ties(card),
            text=text,
        )
    )
    return table.column("lead").to_numpy().astype(np.int64), -table.column("place").to_numpy().astype(np.float64)


def _outcomes(engine: Engine, workspace: ResolvedWorkspace, until: datetime) -> Outcomes:
    """Return how each lead ended by `until`: what closed it first, and when it was won.

    Where wins repeat, they are deals of their own, and a lead ends when it is lost. Of whom an outcome has no time,
    nobody knows when it was open: it is taken as closed from the beginning, as it is left out of learning.
    """
    outcome = rules(engine, workspace)
    win = Sql("false") if outcome.repeats else outcome.won
    table = engine.arrow(
        fill(
            'SELECT l.lead, l.created_at, min(o."at") FILTER (WHERE {closing}) AS closed, '
            'min(o."at") FILTER (WHERE {won}) AS won_at, max(o.value) FILTER (WHERE {won}) AS worth, '
            'coalesce(bool_or(o."at" IS NULL AND ({ends} OR {closing})), false) AS undated '
            'FROM leads l LEFT JOIN outcomes o ON o.lead = l.lead AND (o."at" <= ? OR o."at" IS NULL) '
            "GROUP BY l.lead, l.created_at ORDER BY l.lead",
            won=win,
            ends=outcome.won,
            closing=outcome.closing,
        ),
        [until],
    )
    lead = table.column("lead").to_numpy().astype(np.int64)
    undated = table.column("undated").to_numpy().astype(np.bool_)
    won_at = _as_days(table.column("won_at"))
    return Outcomes(
        lead,
        _as_days(table.column("created_at")),
        np.where(undated, -np.inf, _as_days(table.column("closed"))),
        ~np.isnan(won_at),
        table.column("worth").to_numpy().astype(np.float64),
        _deals(engine, outcome, lead, until) if outcome.repeats else None,
        words_of(workspace.spec),
        won_at,
    )


def _deals(engine: Engine, outcome: Rules, lead: Ints, until: datetime) -> Deals:
    """Return every win by `until` of wins that repeat; `lead` are the leads in the order of the outcomes' rows."""
    table = engine.arrow(
        fill(
            'SELECT o.lead, o."at", o.value FROM outcomes o JOIN leads l ON l.lead = o.lead '
            'WHERE {won} AND o."at" <= ? ORDER BY o.lead, o."at"',
            won=outcome.won,
        ),
        [until],
    )
    return Deals(
        np.searchsorted(lead, table.column("lead").to_numpy()),
        _as_days(table.column("at")),
        table.column("value").to_numpy().astype(np.float64),
    )


def _as_days(column: pa.ChunkedArray) -> Floats:
    moments = column.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 86_400_000_000)


def _moment(days: float) -> datetime:
    return EPOCH + timedelta(days=days)


def _days(moment: datetime) -> float:
    return (moment - EPOCH) / timedelta(days=1)
