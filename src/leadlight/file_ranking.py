"""From one file of leads to a ranked list, with no workspace at all: find the columns, learn, rank who is open."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.errors import MAX_CHOICES_SHOWN, DataError, TooManyRejects, UsageError
from leadlight.workspace import Workspace, utc_now

if TYPE_CHECKING:
    from leadlight.engines.base import Engine
    from leadlight.learn.run import LearnRun
    from leadlight.scorecards.rank import Ranking
    from leadlight.sources.discover import Discovered

LEARNED = "learned"
MADE = Path(".leadlight") / "made.json"
"""Which files were written, with the SHA-256 of each: what differs from it was edited since."""
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
    try:
        found = discover(path, outcome=outcome, win=win, id=id, created_at=created_at, worth=worth, dates=dates)
    except DataError as error:
        raise _of_file(error, path) from None
    folder = into or path.parent / f"{path.name.partition('.')[0]}-ranked"
    _clear(folder)
    write_workspace(found, folder)
    _note_made(folder)
    workspace = Workspace(folder)
    step("reading it")
    try:
        workspace.ingest()
    except TooManyRejects as error:
        raise _left_out(error, path, folder) from None
    with workspace.store() as engine:
        as_of = _newest(engine, found)
        among = open_leads(engine, found)
    learned = workspace.learn(name=LEARNED, keep=keep, force=True, seed=seed, as_of=as_of, step=step)
    assert isinstance(learned, LearnRun)  # without `if_needed` it always learns
    _note_made(folder)
    step("ranking who is open")
    ranking = workspace.rank(LEARNED, as_of=as_of, limit=limit, among=among)
    workspace.export(str(folder / "ranking.csv"), LEARNED, as_of=as_of, among=among)
    report = workspace.report(folder / "report.html", LEARNED, as_of=as_of, among=among)
    return FileRanking(found, learned, ranking, folder, folder / "ranking.csv", report.path)


def _clear(folder: Path) -> None:
    """Make room: what this made before is made anew; what is something else, or was edited since, is left alone.

    Raises UsageError where the folder holds such.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    spec = folder / "leadlight.yaml"
    if not folder.is_dir() or not spec.exists() or not spec.read_text("utf-8").startswith("# What was found in "):
        raise UsageError(f"{folder} is there already, and was not made by this", fix="Name another folder: --into NAME")
    if edited := _edited(folder):
        shown = ", ".join(edited[:MAX_CHOICES_SHOWN])
        raise UsageError(
            f"{folder} was worked on since it was made ({shown}), so it is not made anew",
            fix=f"Go on with it: leadlight rank -s {LEARNED} -w {shlex.quote(str(folder))}; name another folder: "
            "--into NAME; or remove it.",
        )
    shutil.rmtree(folder)


def _written(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that people edit."""
    files = sorted(path for path in folder.rglob("*.yaml") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _note_made(folder: Path) -> None:
    (folder / MADE).parent.mkdir(exist_ok=True)
    (folder / MADE).write_text(json.dumps(_written(folder), indent=1), encoding="utf-8")


def _edited(folder: Path) -> list[str]:
    """Return the files that are not as they were written; all of them where that is not known."""
    try:
        made = json.loads((folder / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        made = {}
    return [name for name, digest in _written(folder).items() if made.get(name) != digest]


def _of_file(error: DataError, file: Path) -> DataError:
    """Say what is wrong with a file in words of the command line, where there is no leadlight.yaml to edit."""
    faults = [replace(fault, file=fault.file or file.name, path=None) for fault in error.faults]
    fix = error.fix
    if any("`dates:" in fault.message for fault in faults):
        fix = f"Type: leadlight rank {shlex.quote(str(file))} --dates day_first (or month_first)"
    return DataError(faults, fix=fix)


def _left_out(error: TooManyRejects, file: Path, folder: Path) -> TooManyRejects:
    """Say what can be done about rows that cannot be read: the workspace made of the file is there to go on with."""
    faults = [replace(fault, file=None, line=None, column=None, path=None) if fault.path else fault
              for fault in error.faults]  # fmt: skip
    at = shlex.quote(str(folder))
    fix = (
        f"All reasons are in {folder / 'rejects' / 'leads.csv'}. Mend the rows of {file.name} and type the same again. "
        f"To leave them out, write `reject_limit: 0.1` below `leads:` in {folder / 'leadlight.yaml'}, then: "
        f"leadlight ingest -w {at}; leadlight learn --force -w {at}; leadlight rank -s {LEARNED} -w {at}"
    )
    return TooManyRejects(faults, fix=fix)


def _newest(engine: Engine, found: Discovered) -> datetime:
    """Return the moment at which the file was as it is: just after the newest time in it; now, where it has none."""
    if found.created_at.column is None:
        return utc_now()
    newest: datetime = engine.rows(
        'SELECT greatest((SELECT max(created_at) FROM leads), (SELECT max("at") FROM outcomes))'
    )[0][0]
    return min(newest + timedelta(seconds=1), utc_now())
