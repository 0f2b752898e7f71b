"""From one file of leads to a ranked list, with no workspace at all: find the columns, learn, rank who is open."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.errors import UsageError
from leadlight.workspace import Workspace, utc_now

if TYPE_CHECKING:
    from leadlight.engines.base import Engine
    from leadlight.learn.run import LearnRun
    from leadlight.scorecards.rank import Ranking
    from leadlight.sources.discover import Discovered

LEARNED = "learned"
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FileRanking:
    """What was found in the file, what was learned from it, and the ranking of the leads that are open."""

    found: Discovered
    learned: LearnRun
    ranking: Ranking
    folder: Path
    csv: Path
    report: Path

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {
            "found": self.found.as_dict(),
            "learned": self.learned.as_dict(),
            "ranking": self.ranking.as_dict(),
            "files": {
                "workspace": self.folder.as_posix(),
                "ranking": self.csv.as_posix(),
                "report": self.report.as_posix(),
                "scorecard": self.learned.placed.path.as_posix(),
            },
        }

    def __str__(self) -> str:
        return "\n".join(map(str, (self.found, self.learned, self.ranking, f"written to {self.folder.as_posix()}")))


def rank_file(
    file: str | Path,
    *,
    into: Path | None = None,
    outcome: str | None = None,
    win: Sequence[str] = (),
    id: str | None = None,  # noqa: A002 -- the word of the source's key
    created_at: str | None = None,
    worth: str | None = None,
    dates: str | None = None,
    keep: Sequence[str] = (),
    limit: int = 20,
    seed: int = 1,
    step: Step = lambda _: None,
) -> FileRanking:
    """Learn from the decided leads of a file and rank the open ones.

    A workspace is made of it, in the folder `into` (the file's name with `-ranked` unless told): its spec with the
    reason for each choice, the learned scorecard, `ranking.csv` and `report.html`. What is not told is found out.
    Raises UsageError where the outcome is not clear or the folder holds something else, TooFewOutcomes where there is
    too little to learn from.
    """
    from leadlight.learn.run import LearnRun
    from leadlight.sources.discover import discover
    from leadlight.sources.draft import open_leads, write_workspace

    path = Path(file)
    step(f"looking at {path.name}")
    found = discover(path, outcome=outcome, win=win, id=id, created_at=created_at, worth=worth, dates=dates)
    folder = into or path.parent / f"{path.name.partition('.')[0]}-ranked"
    _clear(folder)
    write_workspace(found, folder)
    workspace = Workspace(folder)
    step("reading it")
    workspace.ingest()
    with workspace.store() as engine:
        as_of = _newest(engine, found)
        among = open_leads(engine, found)
    learned = workspace.learn(name=LEARNED, keep=keep, force=True, seed=seed, as_of=as_of, step=step)
    assert isinstance(learned, LearnRun)  # without `if_needed` it always learns
    step("ranking who is open")
    ranking = workspace.rank(LEARNED, as_of=as_of, limit=limit, among=among)
    workspace.export(str(folder / "ranking.csv"), LEARNED, as_of=as_of, among=among)
    report = workspace.report(folder / "report.html", LEARNED, as_of=as_of, among=among)
    return FileRanking(found, learned, ranking, folder, folder / "ranking.csv", report.path)


def _clear(folder: Path) -> None:
    """Make room: what this made before is made anew, anything else is left alone.

    Raises UsageError where the folder holds something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    spec = folder / "leadlight.yaml"
    if not folder.is_dir() or not spec.exists() or not spec.read_text("utf-8").startswith("# What was found in "):
        raise UsageError(f"{folder} is there already, and was not made by this", fix="Name another folder: --into NAME")
    shutil.rmtree(folder)


def _newest(engine: Engine, found: Discovered) -> datetime:
    """Return the moment at which the file was as it is: just after the newest time in it; now, where it has none."""
    if found.created_at.column is None:
        return utc_now()
    newest: datetime = engine.rows(
        'SELECT greatest((SELECT max(created_at) FROM leads), (SELECT max("at") FROM outcomes))'
    )[0][0]
    return min(newest + timedelta(seconds=1), utc_now())
