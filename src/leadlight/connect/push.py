"""Take scores back into the system where people work: only what changed, and never over what a person wrote.

For each chunk of records, the best leads first: work out what is to stand there, look what stands there, note what is
about to be written, write it in the system's batches, note how that ended. The store is open in between only. So a run
can be killed at any moment: what it wrote it knows again, and what it did not it writes the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from leadlight.connect.portions import portions
from leadlight.connect.protocol import Limits, PushField, Session, Write, Written
from leadlight.connect.push_house import House, Wish
from leadlight.connect.push_items import CHUNK, NEXT_STEPS, Items
from leadlight.connect.push_notes import Notes
from leadlight.connect.push_records import Aim, Due, find
from leadlight.connect.push_report import Change, Failure, PushRun
from leadlight.connect.push_values import FIELDS, signature
from leadlight.connect.pushed import Decision, Item, beginning, decide, failed, unchanged, written
from leadlight.connect.tasks import send
from leadlight.errors import RemoteError, UsageError, did_you_mean
from leadlight.store import pushed as store_pushed
from leadlight.store.pushed import Pushed

RESTS = (2.0, 8.0)
"""Seconds before each further try, within a run, of records that may go well later."""
HOPELESS = 5
"""So many records refused by themselves, and none written: it is not the records."""


def push_all(
    house: House,
    aims: Sequence[Aim],
    session: Session,
    limits: Limits,
    *,
    system: str,
    wish: Wish,
    progress: Callable[[int, int], None],
) -> list[PushRun]:
    """Write to several objects of a system, one after the other, until one is stopped; see `push`."""
    runs = list[PushRun]()
    for aim in aims:
        left = wish.limit if wish.limit is None else wish.limit - sum(run.written for run in runs)
        if left is not None and left <= 0:
            break
        some = replace(wish, limit=left)
        runs.append(push(house, aim, session, limits, system=system, wish=some, progress=progress))
        if runs[-1].stopped is not None:
            break
    return runs


def push(
    house: House,
    aim: Aim,
    session: Session,
    limits: Limits,
    *,
    system: str,
    wish: Wish,
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
    notes = Notes(house.store, aim.connection, aim.object, house.rest, dry=wish.dry_run)
    try:
        _Pushing(house, aim, session, limits, wish, run, progress, notes).all()
    except Exception as error:
        notes.write()
        if not isinstance(error, RemoteError) or error.trouble != "quota":
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
    notes: Notes
    names: dict[str, str] = field(default_factory=dict)
    """What is written → its field, as the system calls it."""
    there: list[str] = field(default_factory=list)
    """Fields that can be looked at: with a dry run some are not made."""
    later: dict[str, Item] = field(default_factory=dict)
    """Records that may go well when tried again."""
    gathered: list[Item] = field(default_factory=list)
    """Records to be written, until they are a batch."""
    refusals: int = 0
    """Records that were refused by themselves, in batches that were refused as a whole."""

    def all(self) -> None:
        """Do it."""
        self._ready()
        if self.names:
            due, items = self._find(), self._items()
            for done in range(0, len(due), CHUNK):
                self.progress(done, len(due))
                self._chunk(items.of(due[done : done + CHUNK]))
                if self._full:
                    break
            self._write_all(self.gathered)
            self.progress(len(due), len(due))
            self._try_again()
            self.notes.write()
        if self.aim.tasks:
            send(self.house.store, self.house.ready, self.session, self.aim, self.notes, self.run, most=self.most)

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
                raise UsageError(
                    f"no field {name!r} is written: {did_you_mean(name, known)}",
                    fix="Say `--take-over` with one of them.",
                )

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
        room = max(NEXT_STEPS - len(found.due), 0)
        self.run.records = found.records
        self.run.unchanged = found.unchanged + max(len(found.lacking) - room, 0)
        self.run.waiting, self.run.refused_before = found.waiting, found.refused
        return [*found.due, *found.lacking[:room]]

    def _items(self) -> Items:
        wanted = self.house.next_step if "next_step" in self.names else None
        return Items(self.house.store, self.house.ready, self.aim, self.run.as_of, wanted, self.run.notes.append)

    def _chunk(self, items: Sequence[Item]) -> None:
        """Write the records of a chunk, as far as something has changed."""
        todo = [item for item in items if item.before.writing or item.changed(self.names)]
        same = [item for item in items if not item.before.writing and not item.changed(self.names)]
        self.run.unchanged += len(same)
        self.notes.add([unchanged(item) for item in same if item.before.said])
        self.gathered += todo
        whole = len(self.gathered) // self.most * self.most
        ready, self.gathered = self.gathered[:whole], self.gathered[whole:]
        self._write_all(ready)

    def _write_all(self, items: Sequence[Item]) -> None:
        for batch in portions(items, self.most):
            if not self._full:
                self._batch(batch)

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
        self.notes.add([written(one, self._now()) for one in decisions if not one.writes])
        self.run.unchanged += sum(not one.writes and not one.conflicts for one in decisions)
        if self.wish.dry_run:
            self._show(writing)
        elif writing:
            self.notes.write([beginning(decision) for decision in writing])
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
        self.notes.add(noted)
        self._forget(gone)

    def _try_again(self) -> None:
        """Give records that may go well later a few more tries; what is left then waits for another run."""
        for rest in RESTS:
            if not self.later or self._full:
                return
            self.house.rest(rest)
            self._write_all(list(self.later.values()))

    # ------------------------------------------------------------------------------------------------------- inside

    def _now(self) -> datetime:
        return self.house.now()

    def _forget(self, records: Sequence[str]) -> None:
        """Forget records that are gone."""
        self.run.gone += len(records)
        for record in records:
            self.later.pop(record, None)
            self.run.failures.pop(record, None)
        self.notes.forget(records)


def _field(what: str, name: str | None) -> PushField:
    usual = FIELDS[what]  # type: ignore[index]
    return usual if name is None else replace(usual, name=name)
