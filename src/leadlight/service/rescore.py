"""Score the leads that something happened to, and keep the scores as `score` does: the same statement, fewer rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from leadlight.engines.base import Engine
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.scorecards.past import continues
from leadlight.scorecards.score import keep_scores
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill

CHANGED = "live_changed"
"""The temporary table of (lead, as_of) that are scored again."""
SCORED = "live_scored"
ACCOUNTS_AT_ONCE = 5_000


def note_changed(engine: Engine) -> None:
    """Note that the leads the calls are of, and those `touched`, are to be scored again; call it when all is stored."""
    engine.execute(
        "INSERT INTO live_unscored SELECT lead, NULL FROM (SELECT lead FROM touched UNION "
        "SELECT i.lead FROM ids i JOIN live_calls c ON c._id = i.id) WHERE lead NOT IN "
        "(SELECT lead FROM live_unscored WHERE lead IS NOT NULL)"
    )
    engine.execute("INSERT INTO live_unscored SELECT NULL, account FROM touched_accounts")


def gather_changed(engine: Engine, as_of: datetime) -> int:
    """Make `live_changed` of those who are to be scored again, as far as they are known people; return how many."""
    engine.execute(
        fill(
            "CREATE OR REPLACE TEMP TABLE {changed} AS SELECT lead, ?::TIMESTAMP AS as_of FROM leads "
            "WHERE created_at <= ? AND lead IN (SELECT lead FROM live_unscored)",
            changed=CHANGED,
        ),
        [as_of, as_of],
    )
    return int(engine.rows(fill("SELECT count(*) FROM {changed}", changed=CHANGED))[0][0])


def rescore(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    run: int,
    received: datetime | None = None,
) -> int:
    """Score whoever stands in `live_changed` (or their accounts) by a scorecard; return how many.

    `received` is when the first call came that they changed by. Changes of grade are silent where the scorecard was
    edited and nobody was scored by it yet.
    """
    options = Options(contributions=False, grade_history=continues(engine, scorecard, as_of))
    if scorecard.spec.of == "lead":
        parts = [_of_leads(workspace, scorecard, options, engine.capabilities.dialect)]
    else:
        parts = _of_accounts(engine, workspace, scorecard, as_of, options)
    count = 0
    for text in parts:
        engine.execute(fill("CREATE OR REPLACE TEMP TABLE {scored} AS {text}", scored=SCORED, text=Sql(text)))
        count += keep_scores(
            engine, workspace, scorecard, SCORED, run=run, as_of=as_of, now=as_of, silent=not options.grade_history,
            received=received,
        )[0]  # fmt: skip
    return count


class _Same:
    """A key of a cache: equal to itself only."""

    def __init__(self, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> None:
        self.workspace, self.scorecard = workspace, scorecard

    def __hash__(self) -> int:
        return hash((id(self.workspace), id(self.scorecard)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and (other.workspace is self.workspace and other.scorecard is self.scorecard)


def _of_leads(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, options: Options, dialect: str) -> str:
    return _statement(_Same(workspace, scorecard), options, dialect)


@lru_cache(maxsize=32)
def _statement(of: _Same, options: Options, dialect: str) -> str:
    """Compile once what is asked again and again."""
    return build.to_text(score_statement(of.workspace, of.scorecard, Moment(table=CHANGED), options), dialect)


def _of_accounts(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, as_of: datetime, options: Options
) -> list[str]:
    """Return the statements of the accounts of those who changed, some accounts in each."""
    found = engine.rows(
        fill(
            "SELECT DISTINCT account FROM attributes WHERE account IS NOT NULL "
            "AND lead IN (SELECT lead FROM {changed}) "
            "UNION SELECT account FROM live_unscored WHERE account IN (SELECT account FROM attributes) ORDER BY 1",
            changed=CHANGED,
        )
    )
    accounts = [str(account) for (account,) in found]
    moment = Moment(as_of=as_of, only=[])
    return [
        build.to_text(
            score_statement(workspace, scorecard, replace(moment, only=accounts[at : at + ACCOUNTS_AT_ONCE]), options),
            engine.capabilities.dialect,
        )
        for at in range(0, len(accounts), ACCOUNTS_AT_ONCE)
    ]
