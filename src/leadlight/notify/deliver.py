"""Send what is due: to each destination beside the others, so that one that hangs delays none but its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx

from leadlight.engines.base import Engine
from leadlight.notify import http
from leadlight.notify.destination import Answer, Destination
from leadlight.notify.message import Message, moment
from leadlight.notify.office import Office, Watcher
from leadlight.notify.send import send
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store import outbox

AT_ONCE = 8
"""Messages on their way to one destination at the same time."""
LOOK = 0.25
"""Seconds after which somebody who has nothing to do looks again."""
NOTED = 5
"""Tries to write to the store, where it is busy."""

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """Counts what became of the messages for a destination."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Delivered(Readable):
    """What one round of sending came to, by destination."""

    by_destination: Mapping[str, Tally]
    waiting: int
    dead: int
    trouble: Mapping[str, str] = field(default_factory=dict)
    """Destination → why nothing can be sent there, or what the last failure was."""

    @property
    def sent(self) -> int:
        """How many messages arrived."""
        return sum(tally.sent for tally in self.by_destination.values())

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        counted = {
            name: {"sent": tally.sent, "failed": tally.failed, "put_aside": tally.dead}
            for name, tally in self.by_destination.items()
        }
        return {"sent": self.sent, "waiting": self.waiting, "dead": self.dead, "destinations": counted,
                "trouble": dict(self.trouble)}  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{many(self.sent, 'message')} sent, {self.waiting:,} waiting, {self.dead:,} put aside"]
        lines += [f"  {name}: {why}" for name, why in self.trouble.items()]
        return "\n".join(lines)


class _Counting:
    """Counts, and tells another watcher."""

    def __init__(self, inner: Watcher) -> None:
        self.inner = inner
        self.tallies: dict[str, Tally] = {}
        self.trouble: dict[str, str] = {}

    def _of(self, message: Message) -> Tally:
        return self.tallies.setdefault(message.changes[0].destination, Tally())

    def delivered(self, message: Message, at: datetime) -> None:
        self._of(message).sent += 1
        self.inner.delivered(message, at)

    def not_delivered(self, message: Message, answer: Answer, *, dead: bool) -> None:
        tally = self._of(message)
        tally.failed += 1
        tally.dead += dead
        self.trouble[message.changes[0].destination] = answer.error or ""
        self.inner.not_delivered(message, answer, dead=dead)


def deliver(engine: Engine, office: Office) -> Delivered:
    """Send all that is due, once, and say what came of it."""
    counting = _Counting(office.watcher)
    office.watcher, before = counting, office.watcher
    try:
        if outbox.exists(engine):
            office.tidy(engine)
            asyncio.run(_all(engine, office))
    finally:
        office.watcher = before
    left = outbox.counts(engine)
    trouble = {**office.unusable, **counting.trouble}
    return Delivered(counting.tallies, left[outbox.WAITING], left[outbox.DEAD], trouble)


async def _all(engine: Engine, office: Office) -> None:
    async with http.client() as client:
        await asyncio.gather(*(_drain(client, engine, office, to) for to in office.destinations.values()))


async def _drain(
    client: httpx.AsyncClient, engine: Engine, office: Office, to: Destination, stop: Callable[[], bool] = lambda: False
) -> int:
    """Send to one destination until nothing more is due; return how many messages."""
    count = 0
    while not stop() and (messages := await _patiently(lambda: office.claim(engine, to))):
        limit = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(_one(client, engine, office, to, message, limit) for message in messages))
        count += len(messages)
    return count


async def _one(
    client: httpx.AsyncClient,
    engine: Engine,
    office: Office,
    to: Destination,
    message: Message,
    limit: asyncio.Semaphore,
) -> None:
    async with limit:
        answer = await send(client, message, to, office.now())
        await _patiently(lambda: office.note(engine, to, message, answer))


async def _patiently(step: Callable[[], T]) -> T:
    """Write to the store, also where another has just written there: what is not noted would be sent again."""
    for tries in range(NOTED):
        try:
            return step()
        except Exception:
            await asyncio.sleep(0.02 * 2**tries)
    return step()


def deliver_on(engine: Engine, office: Office, over: Callable[[], bool]) -> None:
    """Send whatever becomes due until it is over; ends with the fault of a store that cannot be used."""
    asyncio.run(_on(engine, office, over))


async def _on(engine: Engine, office: Office, over: Callable[[], bool]) -> None:
    async with http.client() as client, asyncio.TaskGroup() as group:
        busy: dict[str, asyncio.Task[int]] = {}
        stop = made = False
        while not (stop := over()):
            made = made or outbox.exists(engine)
            for name in outbox.waiting_for(engine) if made else ():
                task, to = busy.get(name), office.destinations.get(name)
                if to is not None and (task is None or task.done()):
                    busy[name] = group.create_task(_drain(client, engine, office, to, lambda: stop))
            await asyncio.sleep(LOOK)


def dry(engine: Engine, office: Office) -> Preview:
    """Return what waits, as it would be said."""
    return Preview(tuple((name, message) for name, message in office.waiting(engine)), dict(office.unusable))


def rehearse(office: Office, name: str) -> Rehearsal:
    """Send one test message to a destination, past the outbox."""
    to, message = office.named(name), office.sample(name)

    async def once() -> Answer:
        async with http.client() as client:
            return await send(client, message, to, office.now())

    return Rehearsal(name, message, asyncio.run(once()).error)


@dataclass(frozen=True, slots=True, repr=False)
class Preview(Readable):
    """Messages that wait, with where they go; nothing was sent."""

    messages: tuple[tuple[str, Message], ...]
    trouble: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        shown = [
            {"to": name, "message": message.id, "due_at": moment(message.changes[0].due_at),
             "text": message.text, "body": message.as_dict()}
            for name, message in self.messages
        ]  # fmt: skip
        return {"messages": shown, "trouble": dict(self.trouble)}

    def __str__(self) -> str:
        lines = [f"{many(len(self.messages), 'message')} would be sent"]
        for name, message in self.messages:
            lines += [f"to {name}, due {message.changes[0].due_at:%Y-%m-%d %H:%M} UTC:"]
            lines += [f"  {line}" for line in message.text.splitlines()]
        return "\n".join([*lines, *(f"{name}: {why}" for name, why in self.trouble.items())])


@dataclass(frozen=True, slots=True, repr=False)
class Rehearsal(Readable):
    """How the test of a destination ended."""

    name: str
    message: Message
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"to": self.name, "message": self.message.id, "arrived": self.error is None, "error": self.error}

    def __str__(self) -> str:
        return f"{self.name}: the test arrived" if self.error is None else f"{self.name}: {self.error}"
