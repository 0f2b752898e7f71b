"""Tasks for people on changes of grade: one for each change, however often it is looked at.

Changes are taken from the history of grades since the last look, not the silent ones, and of each lead only the last.
They wait in the store until they are sent; each has a key of its own, which goes along, so that a system can tell one
that comes twice because we were killed between sending and noting. The first look finds none: what was before is old.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa

from leadlight.connect.portions import portions
from leadlight.connect.protocol import Note, Session, Written
from leadlight.connect.push_house import Opening
from leadlight.connect.push_notes import Notes
from leadlight.connect.push_records import Aim, Record, records_of
from leadlight.connect.push_report import Failure, PushRun
from leadlight.connect.push_values import REASONS, in_a_line
from leadlight.connect.pushed import wait
from leadlight.engines.base import Engine
from leadlight.features.moment import Moment
from leadlight.scorecards.ledger import Ledger, ledgers
from leadlight.scorecards.sentences import percent
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill

OVERLAP = timedelta(minutes=5)
"""How far each look reaches back behind the last one: scores that were being kept meanwhile come late."""
OLD = timedelta(days=7)
"""What has waited for so long is of no use any more."""
TRIES = 5
EXPLAINED = 256
"""Of how many leads the reasons are worked out at a time."""
SUBJECT = 200
"""Characters of a subject."""
WAITING, SENT, REFUSED, VOID = "waiting", "sent", "refused", "void"
_COLUMNS = ("task", "connection", "object", "record", "_key", "subject", "text", "at", "state", "tries")
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in _COLUMNS[:4]]
    + [("_key", pa.int32()), ("subject", pa.string()), ("text", pa.string()), ("at", pa.timestamp("us"))]
    + [("state", pa.string()), ("tries", pa.int32())]
)
_NEW = "_new_tasks"


@dataclass(frozen=True, slots=True)
class Move:
    """A change of a lead's grade."""

    lead: int
    was: str | None
    grade: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """A task that is to be sent."""

    key: str
    record: Record
    subject: str
    text: str
    at: datetime


def send(
    store: Opening,
    ready: Callable[[Engine], tuple[ResolvedWorkspace, ResolvedScorecard]],
    session: Session,
    aim: Aim,
    notes: Notes,
    run: PushRun,
    *,
    most: int,
) -> None:
    """Send the tasks of changes since the last push, `most` at once and not more than a push may; count them.

    Raises RemoteError; what was sent until then is noted.
    """
    now, told = run.as_of, run.tasks
    with store() as engine:
        workspace, card = ready(engine)
        new = gather(engine, workspace, card, aim, lambda leads: records_of(engine, aim, leads), now)
        old = waiting(engine, aim, now) if run.dry_run else []
    if run.dry_run:
        planned = [*((one.id, one.subject) for one in old), *((one.record.record, one.subject) for one in new)]
        told.planned, told.left = planned[: aim.tasks_at_most], max(len(planned) - aim.tasks_at_most, 0)
        return
    notes.with_store(lambda engine: keep(engine, card, aim, new, now))
    with store() as engine:
        found = waiting(engine, aim, now)
    told.left = len(found)
    for batch in portions(found[: aim.tasks_at_most], most):
        answers = session.note(aim.object, batch)
        notes.with_store(partial(settle, notes=batch, answers=answers, now=now))
        told.left -= len(batch)
        told.sent += sum(answer.error is None and not answer.gone for answer in answers)
        told.failures += [
            Failure(note.id, note.id, answer.error)
            for note, answer in zip(batch, answers, strict=True)
            if answer.error is not None and not answer.gone
        ]


def gather(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    aim: Aim,
    records: Callable[[Sequence[int]], Mapping[int, list[Record]]],
    now: datetime,
) -> list[Task]:
    """Return the tasks of changes since the last look that were not thought of before; nothing is noted."""
    since = _mark(engine, aim, scorecard)
    if since is None or scorecard.spec.grades is None:
        return []
    moves = [(move, subject) for move in _moves(engine, scorecard, since - OVERLAP, now)
             if (subject := _subject(aim.tasks, scorecard.spec.grades.labels, move)) is not None]  # fmt: skip
    known = _known(engine, aim)
    moves = [(move, subject) for move, subject in moves if _key(aim, scorecard, move) not in known]
    of = records([move.lead for move, _ in moves])
    moves = [(move, subject) for move, subject in moves if move.lead in of]
    told = _ledgers(engine, workspace, scorecard, now, [move.lead for move, _ in moves])
    return [
        _task(_key(aim, scorecard, move), of[move.lead][0], move, subject, told[move.lead])
        for move, subject in moves
        if move.lead in told
    ]


def keep(engine: Engine, scorecard: ResolvedScorecard, aim: Aim, tasks: Sequence[Task], now: datetime) -> None:
    """Note tasks to be sent, and up to when changes were looked at; what waits about the same leads is overtaken."""
    rows = [
        {"task": one.key, "connection": aim.connection, "object": aim.object, "record": one.record.record,
         "_key": one.record.key, "subject": one.subject, "text": one.text, "at": one.at, "state": WAITING, "tries": 0}
        for one in tasks
    ]  # fmt: skip
    with engine.transaction():
        if rows:
            engine.execute(
                "UPDATE push_tasks SET state = 'void', done_at = ? WHERE connection = ? AND object = ? "
                "AND state = 'waiting' AND record IN (SELECT unnest(?::VARCHAR[]))",
                [now, aim.connection, aim.object, [row["record"] for row in rows]],
            )
            engine.register(_NEW, pa.Table.from_pylist(rows, schema=_SCHEMA))
            statement = "INSERT INTO push_tasks ({columns}) SELECT {columns} FROM {new}"
            engine.execute(fill(statement, columns=_COLUMNS, new=_NEW))
            engine.unregister(_NEW)
        engine.execute(
            "UPDATE push_tasks SET state = 'void', done_at = ? WHERE connection = ? AND state = 'waiting' "
            'AND "at" < ?',
            [now, aim.connection, now - OLD],
        )
        mark = [aim.connection, aim.object, scorecard.name]
        engine.execute("DELETE FROM push_marks WHERE connection = ? AND object = ? AND scorecard = ?", mark)
        engine.execute("INSERT INTO push_marks VALUES (?, ?, ?, ?)", [*mark, now])


def waiting(engine: Engine, aim: Aim, now: datetime) -> list[Note]:
    """Return the tasks whose time has come, the oldest first."""
    found = engine.rows(
        "SELECT task, record, subject, text FROM push_tasks WHERE connection = ? AND object = ? AND state = 'waiting' "
        'AND coalesce(again_at <= ?, true) ORDER BY "at", task',
        [aim.connection, aim.object, now],
    )
    return [Note(record, subject, text, key=key) for key, record, subject, text in found]


def settle(engine: Engine, notes: Sequence[Note], answers: Sequence[Written], now: datetime) -> None:
    """Note what became of tasks."""
    with engine.transaction():
        for note, answer in zip(notes, answers, strict=True):
            tries = int(engine.rows("SELECT coalesce(max(tries), 0) FROM push_tasks WHERE task = ?", [note.key])[0][0])
            again = answer.again and tries + 1 < TRIES
            state = SENT if answer.error is None and not answer.gone else VOID if answer.gone else REFUSED
            engine.execute(
                "UPDATE push_tasks SET state = ?, tries = ?, error = ?, again_at = ?, done_at = ? WHERE task = ?",
                [WAITING if again else state, tries + 1, answer.error, now + wait(tries + 1) if again else None,
                 None if again else now, note.key],
            )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- inside


def _mark(engine: Engine, aim: Aim, scorecard: ResolvedScorecard) -> datetime | None:
    found = engine.rows(
        'SELECT max("at") FROM push_marks WHERE connection = ? AND object = ? AND scorecard = ?',
        [aim.connection, aim.object, scorecard.name],
    )
    at: datetime | None = found[0][0]
    return at


def _known(engine: Engine, aim: Aim) -> set[str]:
    return {key for (key,) in engine.rows("SELECT task FROM push_tasks WHERE connection = ?", [aim.connection])}


def _moves(engine: Engine, scorecard: ResolvedScorecard, since: datetime, now: datetime) -> list[Move]:
    """Return the last change of each lead since a moment, where it is one to another grade and nobody's silence."""
    found = engine.rows(
        Sql(
            'SELECT lead, was, grade, "at" FROM (SELECT lead, grade, silent, "at", lag(grade) OVER '
            '(PARTITION BY lead ORDER BY "at", run) AS was, row_number() OVER (PARTITION BY lead ORDER BY "at" DESC, '
            "run DESC) AS n FROM grade_history WHERE scorecard = ? AND lead IN (SELECT lead FROM grade_history "
            'WHERE scorecard = ? AND "at" > ? AND NOT silent)) t WHERE n = 1 AND NOT silent AND "at" > ? '
            'AND "at" <= ? AND was IS DISTINCT FROM grade ORDER BY "at", lead'
        ),
        [scorecard.name, scorecard.name, since, since, now],
    )
    return [Move(*row) for row in found]


def _subject(tasks: Mapping[str, str], labels: Sequence[str], move: Move) -> str | None:
    """Return the words for a change, those for the grade first; a first grade is up, unless it is the lowest."""
    if move.grade in tasks:
        return tasks[move.grade]
    places = {label: place for place, label in enumerate(labels)}
    before = len(labels) - 1 if move.was is None else places.get(move.was, len(labels))
    now = places.get(move.grade, len(labels))
    return tasks.get("up" if now < before else "down") if now != before else None


def _key(aim: Aim, scorecard: ResolvedScorecard, move: Move) -> str:
    told = "|".join([aim.connection, scorecard.name, str(move.lead), move.at.isoformat(), move.grade])
    return f"leadlight-{hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()}"


def _ledgers(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, now: datetime, leads: Sequence[int]
) -> dict[int | str, Ledger]:
    found = dict[int | str, Ledger]()
    for start in range(0, len(leads), EXPLAINED):
        some = Moment(as_of=now, only=list(leads[start : start + EXPLAINED]))
        found |= {one.key: one for one in ledgers(engine, workspace, scorecard, some)}
    return found


def _task(key: str, record: Record, move: Move, subject: str, ledger: Ledger) -> Task:
    """Put the words of a change into the place of `{id}` (as the system calls the record), `{grade}` and so on."""
    words: dict[str, Any] = {
        "id": record.record, "grade": move.grade, "from": move.was or "none", "score": f"{ledger.score:.0f}",
        "probability": "unknown" if ledger.probability is None else percent(ledger.probability),
        "reasons": "; ".join(ledger.reasons(REASONS)),
    }  # fmt: skip
    return Task(key, record, in_a_line([subject.format_map(words)], SUBJECT), _text(ledger), move.at)


def _text(ledger: Ledger) -> str:
    reasons = [in_a_line([reason]) for reason in ledger.reasons(REASONS)]
    return "\n".join([f"Score {ledger.score:.1f} by {ledger.scorecard}", *(f"- {reason}" for reason in reasons)])
