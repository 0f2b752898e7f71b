"""What was read of a connection, taken into the store between two micro-batches; then whoever it is about is scored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from leadlight.errors import SpecError
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.rescore import gather_changed, rescore
from leadlight.store.runs import finish_run, start_run
from leadlight.store.unscored import TABLE

MOST = 0.3
"""The share of leads above which everybody is scored: to gather so many rows costs more than to read all."""


def take_in(connection: str, workspace: LiveWorkspace) -> Mapping[str, Any]:
    """Take what was read of a connection into the store, and let everybody it is about have a score by it."""
    taken = workspace.take_in([connection])
    with suppress(SpecError):
        workspace.refresh()
    return {"joined": taken.joined, **score_changed(workspace)}


def score_changed(workspace: LiveWorkspace) -> dict[str, Any]:
    """Score those who are noted to be scored again, everybody where they are many; tell how many scores were given.

    `scores` tells of each scorecard where everybody was scored.
    """
    engine, now = workspace.engine, workspace.now()
    with engine.transaction():
        if not engine.rows(f"SELECT 1 FROM {TABLE} LIMIT 1"):  # noqa: S608 - our own word
            return {"rescored": 0, "scores": []}
        changed = gather_changed(engine, now)
        everybody = int(engine.rows("SELECT count(*) FROM leads")[0][0])
        if changed > MOST * everybody:
            runs = workspace.score()
            found = {"rescored": sum(run.scored for run in runs), "scores": [run.as_dict() for run in runs]}
        else:
            run = start_run(engine, "rescore", started_at=now, as_of=now)
            count = rescore(engine, workspace.resolved, now, run=run)
            finish_run(engine, run, finished_at=workspace.now(), counts={"scored": count})
            found = {"rescored": count, "scores": []}
        engine.execute(f"DELETE FROM {TABLE}")  # noqa: S608 - our own word
    return found


def score_all(workspace: LiveWorkspace) -> list[dict[str, Any]]:
    """Score everybody now by all scorecards; nobody is left to be scored again."""
    with workspace.engine.transaction():
        runs = [run.as_dict() for run in workspace.score()]
        workspace.engine.execute(f"DELETE FROM {TABLE}")  # noqa: S608 - our own word
    return runs
