"""How fast a key may go over all processes of a service: buckets in the store, of which each process leases slices.

A bucket is a row of a table. What is in it and what processes have leased of it is never more than it holds, so over
any seconds there passes what one process alone would let pass, and no slice more: at most the bucket, what flows in,
and one last request, which may overdraw it. What a process leased it spends without asking; a slice that it does not
use it gives back within a quarter of a second, and one of a process that ended counts as spent after three seconds.

Whoever asks waits for the store only where the lease is used up. A thread asks for all that wait at once.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from weakref import WeakSet

import psycopg

from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreError
from leadlight.service import logs
from leadlight.service.limits import Clock, Level, Limits, told
from leadlight.service.shared_bucket import Dealt, Said, SharedBucket

TICK = 0.25
"""Seconds after which a lease is given back of which nothing was spent, and after which who was refused asks again."""
RENEW = 1.0
"""Seconds after which a lease is renewed, and what was spent of it said."""
SOON = 0.05
"""The least seconds between rounds in which a lease that runs out is filled up."""
SLICE = 0.25
"""How many seconds' worth is leased at once."""
SURE = 2.0
"""Seconds after which a process spends nothing of it any more: well before others count it as spent."""
PATIENCE = 1.0
"""Seconds that a request waits for the store, at most."""

TABLE = (
    # Not logged: after a crash of the server all buckets are full, and a round costs no write to disk.
    "CREATE UNLOGGED TABLE IF NOT EXISTS live_limits (name TEXT PRIMARY KEY, bucket TEXT) WITH (fillfactor = 50)"
)
_LOCK = b"""SELECT name, bucket, extract(epoch FROM clock_timestamp())::double precision FROM live_limits
    WHERE name = ANY(%s) ORDER BY name FOR UPDATE"""
_ADD = b"INSERT INTO live_limits (name) SELECT n FROM unnest(%s::text[]) n ORDER BY n ON CONFLICT DO NOTHING"
_PUT = b"""UPDATE live_limits l SET bucket = c.bucket FROM unnest(%s::text[], %s::text[]) AS c(name, bucket)
    WHERE l.name = c.name"""


Asks = list[tuple[float, Future[float]]]
"""How much is asked for, and who waits to hear."""


@dataclass(slots=True)
class _Share:
    """What a process knows of a bucket."""

    rate: float
    left: float = 0.0
    spent: float = 0.0
    sure_until: float = 0.0
    asks: Asks = field(default_factory=list)
    wait_until: float = 0.0
    """Until when there is nothing to be had, as far as is known."""
    ask_again: float = 0.0
    """When to ask again nevertheless: others may have given back."""
    level: float = 0.0
    heard: float = 0.0
    used: float = 0.0
    """When something was spent or asked for."""
    thirsty: bool = False

    @property
    def slice(self) -> float:
        found = self.rate * SLICE
        return found if found >= 1 else 0.0

    @property
    def is_out(self) -> bool:
        """Whether others have to hear of it, now or later."""
        return bool(self.asks or self.left or self.spent)

    def is_due(self, now: float) -> bool:
        """Return whether they have to hear of it now."""
        if self.asks or self.thirsty:
            return True
        return self.is_out and now >= min(self.used + TICK, self.heard + RENEW)

    def take(self, amount: float, now: float) -> float | None:
        """Take of the lease; return the seconds to wait, None where the store has to be asked."""
        self._look_at(now)
        self.used = now
        if self.left >= amount:
            self.left -= amount
            self.spent += amount
            self.thirsty = self.left < self.slice / 2 and now - self.heard > SOON
            return 0.0
        return self.wait_until - now if now < self.ask_again else None

    def say(self, now: float) -> tuple[Said, Asks]:
        """Return what is to be said of it, and who waits for the answer."""
        self._look_at(now)
        asks = [one for one in self.asks if one[1].set_running_or_notify_cancel()]  # who went away asks for nothing
        self.asks, back = [], 0.0
        idle = now >= self.used + TICK
        if asks or idle:
            back, self.left = self.left, 0.0
        wants = 0.0 if idle else max(self.slice - self.left, 0.0)
        said = Said(self.rate, self.spent, back, [amount for amount, _ in asks], wants)
        self.spent, self.thirsty = 0.0, False
        return said, asks

    def hear(self, dealt: Dealt, sent: float, now: float) -> None:
        """Take over what was dealt."""
        self.left += dealt.lease
        self.sure_until, self.level, self.heard = sent + SURE, dealt.level, now
        wait = max(dealt.waits, default=0.0)
        self.wait_until, self.ask_again = now + wait, now + min(wait, TICK)

    def _look_at(self, now: float) -> None:
        """Where nobody could be told of it for long, the lease counts as spent."""
        if now >= self.sure_until:
            self.left = self.spent = 0.0


class SharedLimits:
    """The limits of all keys, over the processes that share a store in PostgreSQL."""

    def __init__(self, connect: Callable[[], PostgresEngine], *, clock: Clock = time.monotonic) -> None:
        """`connect` opens the store once more, when a key with a limit is first used."""
        self._connect, self._clock, self._name = connect, clock, secrets.token_hex(6)
        self._engine: PostgresEngine | None = None
        self._alone, self._away_until = Limits(clock), 0.0
        self._shares: dict[str, _Share] = {}
        self._given_up = WeakSet[Future[float]]()
        """For what nobody waits any more: it was taken of what this process counts for itself."""
        self._lock, self._wake, self._stop = threading.Lock(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.rounds = 0
        """Counts how often the store was asked."""

    async def take(self, key: str, what: str, rate: float, amount: float = 1.0) -> float:
        """Take from what a key may do; return the seconds to wait, 0 where it may go on.

        While the store cannot be asked, or takes longer than a second, this process counts for itself.
        """
        found = self.ask(key, what, rate, amount)
        if isinstance(found, float):
            return found
        try:
            return await asyncio.wait_for(asyncio.wrap_future(found), PATIENCE)
        except TimeoutError:
            with self._lock:
                self._away_until = self._clock() + PATIENCE  # others need not wait as long
                if found.done() and not found.cancelled():
                    return found.result()
                self._given_up.add(found)
                return self._alone.take(_name(key, what, rate), what, rate, amount)

    def ask(self, key: str, what: str, rate: float, amount: float = 1.0) -> float | Future[float]:
        """Do the same; where the store has to be asked, return what will be told."""
        name, now = _name(key, what, rate), self._clock()
        with self._lock:
            share = self._shares.setdefault(name, _Share(rate))
            wait = share.take(amount, now)
            if wait is None and now < self._away_until:
                return self._alone.take(name, what, rate, amount)
            if wait is None:
                future: Future[float] = Future()
                share.asks.append((amount, future))
                self._begin()
            if wait is None or share.thirsty:
                self._wake.set()
        return future if wait is None else wait

    def headers(self, key: str, rates: Mapping[str, float]) -> dict[str, str]:
        """Return what a client is told: how much there is, and about how much is left."""
        now, levels = self._clock(), dict[str, Level]()
        for what, rate in rates.items():
            size, share = max(rate, 1.0), self._shares.get(_name(key, what, rate))
            level = size if share is None else min(size, share.level + share.left + (now - share.heard) * rate)
            levels[what] = Level(rate, level)
        return told(levels)

    def close(self) -> None:
        """Give back what is leased, and let go of the connection."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(10)

    # ------------------------------------------------------------------------------------------------------ inside

    def _begin(self) -> None:
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._work, name="limits", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(TICK if any(share.is_out for share in list(self._shares.values())) else None)
            self._wake.clear()
            self._round(self._clock())
        self._round(self._clock() + TICK)
        if self._engine is not None:
            self._engine.close()

    def _round(self, sent: float) -> None:
        """Say what was spent, and hear what may be."""
        with self._lock:
            due = {name: share for name, share in self._shares.items() if share.is_due(sent)}
            told_of = {name: share.say(sent) for name, share in due.items()}
        if not told_of:
            return
        said = {name: one for name, (one, _) in told_of.items()}
        try:
            dealt = self._deal(said)
        except Exception as error:  # the thread must live: requests wait for it
            if not isinstance(error, psycopg.Error | StoreError):
                logs.fault("limits", error, {})
            self._deal_alone(told_of)
            return
        with self._lock:
            for name, share in due.items():
                share.hear(dealt[name], sent, self._clock())
        for name, (_, asks) in told_of.items():
            for (_, future), wait in zip(asks, dealt[name].waits, strict=True):
                future.set_result(wait)

    def _deal_alone(self, told_of: Mapping[str, tuple[Said, Asks]]) -> None:
        """Deal while the store cannot be asked, and leave it alone for a moment; what was spent is said again."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        with self._lock:
            self._away_until = self._clock() + PATIENCE
            for name, (said, asks) in told_of.items():
                self._shares[name].spent += said.spent
                for amount, future in asks:
                    if future not in self._given_up:
                        future.set_result(self._alone.take(name, name.split("/")[1], said.rate, amount))

    def _deal(self, said: Mapping[str, Said]) -> dict[str, Dealt]:
        """Ask the store, for all buckets at once."""
        connection, names, dealt = self._ready().connection, sorted(said), dict[str, Dealt]()
        connection.execute(b"BEGIN")
        rows = connection.execute(_LOCK, [names], prepare=True).fetchall()
        if len(rows) < len(names):
            connection.execute(_ADD, [names])
            rows = connection.execute(_LOCK, [names]).fetchall()
        buckets = dict[str, str]()
        for name, text, now in rows:
            bucket = SharedBucket.of_text(text, said[name].rate, now)
            dealt[name] = bucket.deal(self._name, said[name], now)
            buckets[name] = bucket.as_text()
        connection.execute(_PUT, [list(buckets), list(buckets.values())], prepare=True)
        connection.execute(b"COMMIT")
        self.rounds += 1
        return dealt

    def _ready(self) -> PostgresEngine:
        if self._engine is None:
            engine = self._connect()
            engine.be("limits")
            self._engine = engine
            engine.connection.execute(f"SET statement_timeout = '{PATIENCE}s'".encode())
            if not engine.columns("live_limits"):
                with engine.alone(name="leadlight limits"):  # who writes the store may take minutes
                    engine.connection.execute(TABLE.encode())
        return self._engine


def _name(key: str, what: str, rate: float) -> str:
    """Return the name of a bucket: another limit is another one."""
    return f"{key}/{what}/{rate!r}"
