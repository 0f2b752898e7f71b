"""The post office: says what may be sent to a destination now, and notes what became of it.

Nothing is sent while it is noted: a message is claimed, the claim committed, the message sent, the outcome noted. Who
dies in between leaves a claim that ends by itself, and another sends the message again, under the same id.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError, did_you_mean
from leadlight.notify.backoff import BROKEN, pause, wait
from leadlight.notify.destination import Answer, Destination, destination
from leadlight.notify.message import Message, Wording
from leadlight.spec.load import LoadedWorkspace
from leadlight.spec.notify import NotifySpec
from leadlight.store import outbox
from leadlight.store.outbox import Outgoing, Standing

AT_A_TIME = 50
"""Messages that are claimed together."""
IN_A_DIGEST = 500
"""Changes in one message, at most."""
HOUR = timedelta(hours=1)
GRACE = timedelta(seconds=30)
"""How much longer than a try may take it is claimed."""
BUSY = timedelta(seconds=30)
"""How long a destination that is busy is left alone, where it does not say."""
KEPT = timedelta(days=400)
"""How long it is remembered that something was sent, unless a rule has to know for longer."""
GONE = "410: it wants no more; replay this to try it again"


class Watcher(Protocol):
    """Who is told what becomes of messages."""

    def delivered(self, message: Message, at: datetime) -> None:
        """Hear of a message that has arrived."""

    def not_delivered(self, message: Message, answer: Answer, *, dead: bool) -> None:
        """Hear of a try that failed, and whether it was the last."""


class Unwatched:
    """Tells nobody."""

    def delivered(self, message: Message, at: datetime) -> None:
        """Let it be."""

    def not_delivered(self, message: Message, answer: Answer, *, dead: bool) -> None:
        """Let it be."""


class Office:
    """What a workspace sends, and to whom; the engine is lent to each method."""

    def __init__(
        self,
        notify: NotifySpec,
        wording: Wording,
        *,
        now: Callable[[], datetime],
        draw: Callable[[], float] = random.random,
        environ: Mapping[str, str] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        """Fill in the destinations; one whose variables are not set is `unusable`, with the reason."""
        self.now, self.draw, self.wording, self.notify = now, draw, wording, notify
        self.watcher: Watcher = watcher or Unwatched()
        self.destinations: dict[str, Destination] = {}
        self.unusable: dict[str, str] = {}
        for name, spec in notify.destinations.items():
            try:
                self.destinations[name] = destination(name, spec, environ)
            except UsageError as error:
                self.unusable[name] = error.message

    def named(self, name: str) -> Destination:
        """Return a destination.

        Raises NotFoundError, or UsageError where it cannot be used.
        """
        if name in self.unusable:
            raise UsageError(f"{name} cannot be used: {self.unusable[name]}")
        if name not in self.destinations:
            raise NotFoundError(f"there is no destination {name!r}: {did_you_mean(name, self.destinations)}")
        return self.destinations[name]

    def tidy(self, engine: Engine) -> None:
        """Forget what was sent long ago, but where `again` has to know of it."""
        rules = self.notify.rules.items()
        keep = [name for name, rule in rules if isinstance(rule.again, timedelta) and rule.again > KEPT]
        keep += [name for name, rule in rules if rule.again == "never"]
        outbox.forget_sent(engine, self.now() - KEPT, keep=keep)

    # ------------------------------------------------------------------------------------------------ what may go

    def claim(self, engine: Engine, to: Destination) -> list[Message]:
        """Return the messages that are to be sent now, each claimed for as long as a try may take."""
        with outbox.claiming(engine):
            now = self.now()
            standing = outbox.standing(engine, to.name, to.digest)
            if standing.gone_at is not None:
                outbox.put_all_aside(engine, to.name, GONE, now)
                return []
            if standing.quiet_until is not None and standing.quiet_until > now:
                return []
            broken = standing.failures >= BROKEN
            rows = outbox.due(engine, to.name, now, 1 if broken else self._limit(to))
            if not rows or self._is_quiet(engine, to, rows, now):
                return []
            messages = list(self._messages(engine, to, rows, now))
            until = now + timedelta(seconds=2 * to.spec.seconds) + GRACE
            for message in messages:
                outbox.claim(engine, [change.message for change in message.changes], message.id, until)
        tried = [replace(change, tries=change.tries + 1) for message in messages for change in message.changes]
        by_message = {change.message: change for change in tried}
        return [replace(m, changes=tuple(by_message[c.message] for c in m.changes)) for m in messages]

    def _limit(self, to: Destination) -> int:
        return AT_A_TIME if to.spec.most is None else IN_A_DIGEST

    def _is_quiet(self, engine: Engine, to: Destination, rows: Sequence[Outgoing], now: datetime) -> bool:
        """Put off what is due in quiet hours; what was never tried may be overtaken until their end."""
        until = None if to.spec.quiet is None else to.spec.quiet.until(now)
        if until is None:
            return False
        for held in (True, False):
            outbox.put_off(engine, [row.message for row in rows if (row.sent_as is None) is held], until, held=held)
        return True

    def _messages(self, engine: Engine, to: Destination, rows: Sequence[Outgoing], now: datetime) -> Iterator[Message]:
        """Put rows together to as many messages as may be sent in this hour: the last one tells all the rest."""
        again = [row for row in rows if row.sent_as is not None]
        fresh = [row for row in rows if row.sent_as is None]
        names = [name for name, _ in groupby(again, key=lambda row: row.sent_as)]
        left = len(rows)
        if to.spec.most is not None:
            sent = outbox.sent_since(engine, to.name, now - HOUR)
            left = to.spec.most - len(sent)
            if left <= 0:
                oldest = sent[len(sent) - to.spec.most]
                outbox.put_off(engine, [row.message for row in rows], oldest + HOUR, held=False)
                return
        for name in names[:left]:
            assert name is not None
            yield Message(name, tuple(outbox.members(engine, name)), self.wording)
        left -= len(names)
        if left <= 0:
            return
        alone = fresh if len(fresh) <= left else fresh[: left - 1]
        yield from (Message(row.message, (row,), self.wording) for row in alone)
        if rest := fresh[len(alone) :]:
            yield Message(digest_id(rest), tuple(rest), self.wording)

    # --------------------------------------------------------------------------------------------- what became of it

    def note(self, engine: Engine, to: Destination, message: Message, answer: Answer) -> None:
        """Note how a try ended: for the message, and for the destination."""
        now, tries = self.now(), max(change.tries for change in message.changes)
        dead = answer.error is not None and (answer.is_final or (tries >= to.spec.tries and not answer.is_busy))
        with outbox.claiming(engine):
            standing = outbox.standing(engine, to.name, to.digest)
            if answer.error is None:
                outbox.note_sent(engine, message.id, now)
            elif answer.is_gone or dead:
                outbox.put_aside(engine, message.id, GONE if answer.is_gone else answer.error, now)
            else:
                wanted = max(wait(max(tries, 1), self.draw()), answer.retry_after or timedelta())
                wanted = (answer.retry_after or BUSY) if answer.is_busy else wanted
                outbox.note_failed(engine, message.id, answer.error, now + wanted, counts=not answer.is_busy)
            after = self._after(standing, answer, now)
            if after != standing:
                outbox.keep_standing(engine, to.name, to.digest, after)
        if answer.error is None:
            self.watcher.delivered(message, now)
        else:
            self.watcher.not_delivered(message, answer, dead=dead or answer.is_gone)

    def _after(self, before: Standing, answer: Answer, now: datetime) -> Standing:
        """Return what is known of a destination after a try."""
        if answer.is_gone:
            return replace(before, gone_at=now)
        if not answer.is_down and not answer.is_busy:
            return Standing(0, before.quiet_until)  # others that were on their way may have been told to wait
        failures = before.failures + (0 if answer.is_busy else 1)
        asked = answer.retry_after or (BUSY if answer.is_busy else pause(failures, self.draw()))
        until = before.quiet_until if asked is None else max(before.quiet_until or now, now + asked)
        return Standing(failures, until)

    # ---------------------------------------------------------------------------------------------------- looking

    def waiting(self, engine: Engine) -> list[tuple[str, Message]]:
        """Return all that waits as it would be said, one message a change, and where to; nothing is claimed."""
        rows = outbox.listed(engine, [outbox.WAITING], limit=1000)
        return [(row.destination, Message(row.message, (row,), self.wording)) for row in reversed(rows)]

    def sample(self, name: str) -> Message:
        """Return a message that says it is a test."""
        now = self.now()
        grades = next(iter(self.wording.grades.values()), ("A", "B"))
        scorecard = next(iter(self.wording.grades), "scorecard")
        row = Outgoing(
            "msg_test_" + hashlib.sha256(f"{name}{now}".encode()).hexdigest()[:16], name, "test", scorecard, "test",
            "test", grades[-1], grades[0], 42.0, None, '["This is a test: nobody has changed"]', None, now, None, now,
            now, outbox.WAITING, 0, None, None, None,
        )  # fmt: skip
        return Message(row.message, (row,), self.wording)


def digest_id(rows: Sequence[Outgoing]) -> str:
    """Name a message about many changes by them."""
    names = "|".join(sorted(row.message for row in rows))
    return "msg_" + hashlib.sha256(names.encode()).hexdigest()[:32]


def wording_of(loaded: LoadedWorkspace) -> Wording:
    """Return the words of a workspace."""
    cards = {name: document.spec for name, document in loaded.scorecards.items()}
    return Wording(
        loaded.workspace.spec.entity,
        {name: tuple(card.grades.labels) for name, card in cards.items() if card.grades is not None},
        frozenset(name for name, card in cards.items() if card.of == "account"),
    )
