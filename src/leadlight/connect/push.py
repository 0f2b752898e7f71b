"""Take scores back into the system where people work: only what changed, and never over what a person wrote.

For each chunk of records, the best leads first: work out what is to stand there, look what stands there, note what is
about to be written, write it in the system's batches, note how that ended. The store is open in between only. So a run
can be killed at any moment: what it wrote it knows again, and what it did not it writes the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from leadlight.connect import tasks
from leadlight.connect.portions import portions
from leadlight.connect.protocol import Limits, PushField, Session, Write, Written
from leadlight.connect.push_records import Aim, Due, find, records_of
from leadlight.connect.push_report import Change, Failure, PushRun
from leadlight.connect.push_values import FIELDS, Target, signature, target
from leadlight.connect.pushed import Decision, Item, beginning, decide, failed, unchanged, written
from leadlight.engines.base import Engine
from leadlight.errors import LeadlightError, RemoteError, UsageError, did_you_mean
from leadlight.features.moment import Moment
from leadlight.scorecards.ledger import Ledger, ledgers
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store import pushed as store_pushed
from leadlight.store.pushed import Pushed

CHUNK = 256
"""Records that are worked out at a time."""
NEXT_STEPS = 100
"""For how many leads a run looks for the next step, the best first: each is a question about the whole past."""
RESTS = (2.0, 8.0)
"""Seconds before each further try, within a run, of records that may go well later."""
NO_STEPS = "no next steps: too few past cases yet"
HOPELESS = 5
"""So many records refused by themselves, and none written: it is not the records."""
NOTED = 5
"""Tries to write to the store, where it is busy."""

Done = TypeVar("Done")


class Opening(Protocol):
    """How the store is opened for a while."""

    def __call__(self, *, write: bool = False) -> AbstractContextManager[Engine]:
        """Open it."""


@dataclass(frozen=True, slots=True)
class House:
    """The workspace, as far as it is needed here."""

    store: Opening
    ready: Callable[[Engine], tuple[ResolvedWorkspace, ResolvedScorecard]]
    now: Callable[[], datetime]
    next_step: Callable[[Engine, int], str | None] | None = None
    """Says what a lead's next step could be; raises LeadlightError where there is nothing to learn that from."""
    rest: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is asked for."""

    dry_run: bool = False
    limit: int | None = None
    """How many records to write at most."""
    take_over: Collection[str] = ()
    """Fields to write whatever stands there."""
    again: bool = False
    """Whether to try once more what was refused, or whose time to be tried again has not come."""
    leads: Sequence[int] | None = None
    """Only these leads, where it is known that nobody else's score has changed."""


def push(
    house: House,
    aim: Aim,
    session: Session,
    limits: Limits,
    *,
    system: str,
    wish: Wish = Wish(),
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> PushRun:
    """Write to one object of a system what has changed, and say what came of it.

    Where the share of a quota is used up, it ends early (`stopped`); other faults of the whole system are raised, with
    all noted that was written. Raises RemoteError, UsageError for a scorecard of accounts or a field that is none.
    """
    began = time.monotonic()
    with house.store() as engine:
        _, card = house.ready(engine)
    if card.spec.of != "lead":
        raise UsageError(
            f"{card.name} scores accounts, and a push writes to the records of leads",
            fix="Name a scorecard of leads: `push: {scorecard: …}`.",
        )
    run = PushRun(aim.connection, system, aim.object, card.name, card.version, house.now(), dry_run=wish.dry_run)
    pushing = _Pushing(house, aim, session, limits, wish, run, progress)
    try:
        pushing.all()
    except RemoteError as error:
        if error.trouble != "quota":
            raise
        run.stopped = error
    run.seconds = time.monotonic() - began
    return run


@dataclass
class _Pushing:
    house: House
    aim: Aim
    session: Session
    limits: Limits
    wish: Wish
    run: PushRun
    progress: Callable[[int, int], None]
    names: dict[str, str] = field(default_factory=dict)
    """What is written → its field, as the system calls it."""
    there: list[str] = field(default_factory=list)
    """Fields that can be looked at: with a dry run some are not made."""
    later: dict[str, Item] = field(default_factory=dict)
    """Records that may go well when tried again."""
    gathered: list[Item] = field(default_factory=list)
    """Records to be written, until they are a batch."""
    steps_left: int = NEXT_STEPS
    refusals: int = 0
    """Records that were refused by themselves, in batches that were refused as a whole."""

    def all(self) -> None:
        """Do it."""
        self._ready()
        if self.names:
            due = self._find()
            for done in range(0, len(due), CHUNK):
                self.progress(done, len(due))
                self._chunk(due[done : done + CHUNK])
                if self._full:
                    break
            self._write_all(self.gathered)
            self.progress(len(due), len(due))
            self._try_again()
        if self.aim.tasks:
            self._tasks()

    @property
    def most(self) -> int:
        """Records that the system takes at once."""
        return max(self.limits.batch, 1)

    @property
    def _full(self) -> bool:
        return self.wish.limit is not None and self.run.written >= self.wish.limit

    # ------------------------------------------------------------------------------------------------ what is to do

    def _ready(self) -> None:
        """See that the fields are there, and learn what the system calls them."""
        asked = {what: _field(what, name) for what, name in self.aim.names.items()}
        known = {*asked, *(one.name for one in asked.values())}
        answers = self.session.ready(self.aim.object, list(asked.values()), dry=self.wish.dry_run)
        self.run.fields = [*answers]
        for what, answer in zip(asked, answers, strict=True):
            known.add(answer.field)
            if answer.was != "missing":
                self.names[what] = answer.field
            if answer.was == "there" or (answer.was == "made" and not self.wish.dry_run):
                self.there.append(answer.field)
        for name in self.wish.take_over:
            if name not in known:
                raise UsageError(f"no field {name!r} is written: {did_you_mean(name, known)}")

    def _find(self) -> list[Due]:
        aim, now = self.aim, self.run.as_of
        with self.house.store() as engine:
            workspace, card = self.house.ready(engine)
            marks = store_pushed.marks(engine, aim.connection, aim.object)
            made = any(one.was == "made" for one in self.run.fields)
            found = find(
                engine, workspace, card, aim, self.names, now, marks, leads=self.wish.leads,
                again=self.wish.again or made, sign=signature,
            )  # fmt: skip
        self.run.records, self.run.unchanged = found.records, found.unchanged
        self.run.waiting, self.run.refused_before = found.waiting, found.refused
        return found.due

    def _chunk(self, due: Sequence[Due]) -> None:
        """Write the records of a chunk, as far as something has changed."""
        items = self._items(due)
        todo = [item for item in items if item.before.writing or item.changed(self.names)]
        same = [item for item in items if not item.before.writing and not item.changed(self.names)]
        self.run.unchanged += len(same)
        self._note([unchanged(item) for item in same if item.before.said])
        self.gathered += todo
        whole = len(self.gathered) // self.most * self.most
        ready, self.gathered = self.gathered[:whole], self.gathered[whole:]
        self._write_all(ready)

    def _write_all(self, items: Sequence[Item]) -> None:
        for batch in portions(items, self.most):
            if not self._full:
                self._batch(batch)

    def _items(self, due: Sequence[Due]) -> list[Item]:
        """Work out what is to stand in records."""
        leads = list(dict.fromkeys(one.lead for one in due))
        with self.house.store() as engine:
            workspace, card = self.house.ready(engine)
            moment = Moment(as_of=self.run.as_of, only=_padded(leads))
            told = {ledger.key: ledger for ledger in ledgers(engine, workspace, card, moment)}
            aim = self.aim
            before = store_pushed.pushed(engine, aim.connection, aim.object, [one.record for one in due])
            targets = {lead: self._target(engine, told[lead]) for lead in leads if lead in told}
        return [
            Item(one.record, one.key, one.lead, told[one.lead].id, one.hash, targets[one.lead],
                 before.get(one.record, Pushed(one.record, one.key)))
            for one in due
            if one.lead in targets
        ]  # fmt: skip

    def _target(self, engine: Engine, ledger: Ledger) -> Target:
        """Return what is to stand in a lead's records, with its next step as long as there is room for the question."""
        if "next_step" not in self.names or self.house.next_step is None or self.steps_left <= 0:
            return target(ledger, None, told=False)
        self.steps_left -= 1
        try:
            return target(ledger, self.house.next_step(engine, int(ledger.key)), told=True)
        except LeadlightError:  # no outcomes, or too few
            self.steps_left = 0
            self.run.notes.append(NO_STEPS)
            return target(ledger, None, told=False)

    # ---------------------------------------------------------------------------------------------------- one batch

    def _batch(self, batch: Sequence[Item]) -> None:
        """Look at a batch of records, write what is to be written, note how it ended."""
        current = self.session.look(self.aim.object, [item.record for item in batch], self.there)
        self._forget([item.record for item in batch if item.record not in current])
        decisions = [
            decide(item, current[item.record], self.names, self.wish.take_over)
            for item in batch
            if item.record in current
        ]
        for decision in decisions:
            for conflict in decision.conflicts:
                self.run.conflict(conflict)
        room = None if self.wish.limit is None else max(self.wish.limit - self.run.written, 0)
        writing = [decision for decision in decisions if decision.writes][:room]
        self._note([written(one, self._now()) for one in decisions if not one.writes])
        self.run.unchanged += sum(not one.writes and not one.conflicts for one in decisions)
        if self.wish.dry_run:
            self._show(writing)
        elif writing:
            self._note([beginning(decision) for decision in writing])
            self._write(writing)

    def _show(self, decisions: Sequence[Decision]) -> None:
        self.run.written += len(decisions)
        for one in decisions:
            self.run.changes += [
                Change(one.item.record, one.item.id, name, one.old[name], value) for name, value in one.writes.items()
            ]

    def _write(self, decisions: Sequence[Decision]) -> None:
        """Write records; where the system refuses a batch as a whole, find out which record it was."""
        try:
            answers = self.session.write(
                self.aim.object, [Write(decision.item.record, decision.writes) for decision in decisions]
            )
        except RemoteError as error:
            self.refusals += len(decisions) == 1
            if error.trouble != "invalid" or (self.refusals >= HOPELESS and not self.run.written):
                raise
            if len(decisions) > 1:
                half = len(decisions) // 2
                self._write(decisions[:half])
                self._write(decisions[half:])
                return
            answers = [Written(decisions[0].item.record, error=str(error).replace("\n", " "))]
        self._settle(decisions, {answer.id: answer for answer in answers})

    def _settle(self, decisions: Sequence[Decision], answers: Mapping[str, Written]) -> None:
        now, noted, gone = self._now(), list[Pushed](), list[str]()
        for decision in decisions:
            item = decision.item
            self.later.pop(item.record, None)
            answer = answers.get(item.record, Written(item.record, "the system said nothing of it", again=True))
            if answer.gone:
                gone.append(item.record)
            elif answer.error is None:
                self.run.written += 1
                self.run.failures.pop(item.record, None)
                noted.append(written(decision, now))
            else:
                row = failed(decision, answer.error, now, again=answer.again)
                self.run.failures[item.record] = Failure(item.record, item.id, answer.error, row.again_at)
                noted.append(row)
                if answer.again:
                    self.later[item.record] = replace(item, before=row)
        self._note(noted)
        self._forget(gone)

    def _try_again(self) -> None:
        """Give records that may go well later a few more tries; what is left then waits for another run."""
        for rest in RESTS:
            if not self.later or self._full:
                return
            self.house.rest(rest)
            self._write_all(list(self.later.values()))

    # -------------------------------------------------------------------------------------------------------- tasks

    def _tasks(self) -> None:
        """Send tasks on changes of grade, not more than one run may."""
        with self.house.store() as engine:
            workspace, card = self.house.ready(engine)
            new = tasks.gather(
                engine, workspace, card, self.aim, lambda leads: records_of(engine, self.aim, leads), self.run.as_of
            )
            old = tasks.waiting(engine, self.aim, self.run.as_of) if self.wish.dry_run else []
        most, told = self.aim.tasks_at_most, self.run.tasks
        if self.wish.dry_run:
            planned = [*((one.id, one.subject) for one in old), *((one.record.record, one.subject) for one in new)]
            told.planned, told.left = planned[:most], max(len(planned) - most, 0)
            return
        self._with_store(lambda engine: tasks.keep(engine, card, self.aim, new, self.run.as_of))
        with self.house.store() as engine:
            notes = tasks.waiting(engine, self.aim, self.run.as_of)
        told.left = len(notes)
        for batch in portions(notes[:most], self.most):
            answers = self.session.note(self.aim.object, batch)
            self._with_store(partial(tasks.settle, notes=batch, answers=answers, now=self._now()))
            told.left -= len(batch)
            told.sent += sum(answer.error is None and not answer.gone for answer in answers)
            told.failures += [
                Failure(note.id, note.id, answer.error)
                for note, answer in zip(batch, answers, strict=True)
                if answer.error is not None and not answer.gone
            ]

    # ------------------------------------------------------------------------------------------------------- inside

    def _now(self) -> datetime:
        return self.house.now()

    def _note(self, rows: Sequence[Pushed]) -> None:
        if rows and not self.wish.dry_run:
            self._with_store(lambda engine: store_pushed.keep(engine, self.aim.connection, self.aim.object, rows))

    def _forget(self, records: Sequence[str]) -> None:
        """Forget records that are gone."""
        if not records:
            return
        self.run.gone += len(records)
        for record in records:
            self.later.pop(record, None)
            self.run.failures.pop(record, None)
        if not self.wish.dry_run:
            aim = self.aim
            self._with_store(lambda engine: store_pushed.forget(engine, aim.connection, aim.object, records))

    def _with_store(self, step: Callable[[Engine], Done]) -> Done:
        """Write to the store, also where another has just written there."""
        for tries in range(NOTED):
            try:
                with self.house.store(write=True) as engine:
                    return step(engine)
            except Exception:
                if tries == NOTED - 1:
                    raise
                self.house.rest(0.05 * 4**tries)
        raise AssertionError("unreachable")


def _field(what: str, name: str | None) -> PushField:
    usual = FIELDS[what]  # type: ignore[index]
    return usual if name is None else replace(usual, name=name)


def _padded(leads: list[int]) -> list[int]:
    """Repeat the last lead until they are as many as a chunk has: one statement serves every chunk."""
    return leads + leads[-1:] * (CHUNK - len(leads)) if leads else leads
