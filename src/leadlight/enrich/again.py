"""Score those again of whom something new is known, and those whose scores rest on them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.enrich.bounds import rests_on_colleagues
from leadlight.scorecards.score import ScoreRun, score
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.scorecards import is_in_use
from leadlight.store.sql import Sql, fill


def score_again(
    engine: Engine, workspace: ResolvedWorkspace, leads: Iterable[int], now: datetime
) -> tuple[list[ScoreRun], list[str]]:
    """Score some leads, their accounts, and their colleagues where they matter to each other; return runs and notes.

    Only by scorecards that are in use as they stand: one that was edited, or never used, is `score`'s to publish for
    everybody at once.
    """
    touched = sorted(leads)
    runs, notes = [], []
    for card in workspace.scorecards.values():
        if not is_in_use(engine, card.name, card.version):
            notes.append(f"nobody was scored by {card.name}, which is new or was edited: run `leadlight score`")
            continue
        among = _concerned(engine, workspace, card, touched, now)
        if among:
            runs.append(score(engine, workspace, card, now, now=now, among=among))
    return runs, notes


def _concerned(
    engine: Engine, workspace: ResolvedWorkspace, card: ResolvedScorecard, leads: list[int], now: datetime
) -> list[int | str]:
    """Return whom a scorecard has to score when something new is known of leads."""
    shared = card.spec.of == "lead" and rests_on_colleagues(workspace, card)
    if card.spec.of == "lead" and not shared:
        return list(leads)
    engine.register("_touched", pa.table({"lead": pa.array(leads, pa.int32())}))
    try:
        theirs = fill(
            "SELECT DISTINCT account FROM attributes WHERE lead IN (SELECT lead FROM _touched) AND account IS NOT NULL "
            "AND known_at <= {now} AND known_until > {now}",
            now=Sql("$1"),
        )
        if not shared:
            return [account for (account,) in engine.rows(fill("{theirs} ORDER BY 1", theirs=theirs), [now])]
        found = engine.rows(
            fill(
                "SELECT lead FROM attributes WHERE account IN ({theirs}) AND known_at <= $1 AND known_until > $1 "
                "UNION SELECT lead FROM _touched ORDER BY 1",
                theirs=theirs,
            ),
            [now],
        )
        return [lead for (lead,) in found]
    finally:
        engine.unregister("_touched")
