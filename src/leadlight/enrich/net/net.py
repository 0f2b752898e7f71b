"""The guarded door to the network: what providers ask goes through here, and nowhere else.

An answer comes from the cache where it is fresh. Otherwise the address is read strictly, robots.txt is heard (for
pages), the host's pace is kept, its IP address is checked and connected to, and the answer is bounded, followed through
redirects with the same care, kept, and handed on.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import math
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from leadlight.enrich.net import robots
from leadlight.enrich.net.addresses import Guard, Target, ascii_name, followed, target
from leadlight.enrich.net.cache import Cache, Stored, key_of
from leadlight.enrich.net.connect import Connector, tls_context
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.failures import Cut, Passing
from leadlight.enrich.net.politeness import (
    LATER,
    LONGEST_PAUSE,
    RETRIES,
    Politeness,
    later,
    pause,
    retry_after,
    together,
)
from leadlight.enrich.net.question import Question, shown
from leadlight.enrich.net.resolve import Resolver, system_servers
from leadlight.enrich.net.transport import TIMEOUT, Answer, Headers, Sending, Transport
from leadlight.enrich.net.wire import KINDS
from leadlight.enrich.network import MONTH, PAGE_LIMIT, Network, NetworkError, Reply, Why
from leadlight.errors import UsageError, shorten
from leadlight.spec.addresses import name_server
from leadlight.spec.enrich import NetworkSpec

REDIRECTS = 5
NAMES_PATIENCE = 60.0
"""Seconds for the addresses of one host. Each question has its own patience; this includes waiting behind thousands of
others, for which no host is to blame."""
NOTHING = timedelta(days=7)
"""For how long it is believed, at most, that there is nothing (404, 410 and the like)."""
HOLDS = {
    Why.NO_SUCH_HOST: timedelta(days=1),
    Why.UNREACHABLE: timedelta(minutes=15),
    Why.BROKEN: timedelta(hours=1),
    Why.TOO_LARGE: NOTHING,
    Why.TOO_MANY_REDIRECTS: NOTHING,
}
"""For how long failures are believed, and so kept; other failures are never kept."""
REDIRECTING = frozenset({301, 302, 303, 307, 308})
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
RULES_REMEMBERED, RULES_BYTES = 500, 2_000_000
"""So many robots.txt are held in memory, and so much of them; the others are read from the cache again."""


_COOKIE = re.compile(r"(?:^|[,\n])\s*([^=;,\s]{2,60})=")
"""The name of a cookie; what belongs to one (path, expires) stands behind a semicolon."""


@dataclass(slots=True)
class Door:
    """The one door (`Network`), made by `open_network`; everything of a run goes through the same."""

    counts: Counts
    cache: Cache
    resolver: Resolver
    transport: Transport
    politeness: Politeness
    guard: Guard
    agent: str
    every: float
    now: Callable[[], datetime]
    _running: dict[bytes, asyncio.Task[Any]] = field(default_factory=dict)
    _rules: OrderedDict[str, robots.Rules] = field(default_factory=OrderedDict)
    _rules_bytes: int = 0

    async def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None, ttl: timedelta = MONTH, limit: int = PAGE_LIMIT, crawl: bool = False,
    ) -> Reply:  # fmt: skip
        """Fetch an address: see `Network.get`."""
        return await self.asked_by("").get(
            url, params=params, headers=headers, secrets=secrets, ttl=ttl, limit=limit, crawl=crawl
        )

    async def post(
        self, url: str, *, json: Any, headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None, ttl: timedelta = MONTH, limit: int = PAGE_LIMIT,
    ) -> Reply:  # fmt: skip
        """Send JSON to an API: see `Network.post`."""
        return await self.asked_by("").post(url, json=json, headers=headers, secrets=secrets, ttl=ttl, limit=limit)

    async def dns(self, name: str, kind: str, *, ttl: timedelta = MONTH) -> tuple[str, ...]:
        """Return the records of a kind: see `Network.dns`."""
        return await self.asked_by("").dns(name, kind, ttl=ttl)

    def asked_by(self, provider: str, *, per_second: float | None = None) -> Network:
        """Return the same door for one provider: its answers can be forgotten together, and its pace is its own."""
        return _Side(self, provider, self.every if per_second is None else 1.0 / per_second)

    async def ask(self, question: Question) -> Reply:
        """Answer a question, from the cache or from the host; the same one is never asked twice at the same time."""
        key = question.key
        try:
            stored = self.cache.read(key)
            if stored is not None and self._fresh(stored, question.ttl, question.limit):
                return self._from(stored, question)
            own = key + question.limit.to_bytes(8)
            reply: Reply = await self._once(own, lambda: self._answer(question, key))
        except NetworkError as error:
            self.counts.failed[error.why] += 1
            raise
        return reply

    async def records(self, name: str, kind: str, *, ttl: timedelta, asker: str) -> tuple[str, ...]:
        """Answer a DNS question, from the cache or from the name servers."""
        kind = kind.upper()
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of record that is asked for; known: {', '.join(KINDS)}")
        try:
            name = ascii_name(name)
            key = key_of("DNS", name, kind)
            stored = self.cache.read(key)
            if stored is not None and self._fresh(stored, ttl):
                self.counts.cached += 1
                return tuple(jsonlib.loads(stored.body)) if stored.why is None else _raise(stored)
            found: tuple[str, ...] = await self._once(key, lambda: self._records(key, name, kind, asker))
        except NetworkError as error:
            self.counts.failed[error.why] += 1
            raise
        return found

    async def _once(self, key: bytes, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(self._whatever_comes(make()))
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    async def _whatever_comes(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let nothing out but NetworkError: an answer that we did not think of costs a look-up, and is counted."""
        try:
            return await work
        except NetworkError:
            raise
        except Exception as error:
            self.counts.unforeseen += 1
            raise NetworkError(Why.BROKEN, f"what was answered cannot be read ({type(error).__name__})") from error

    def _ended(self, key: bytes, task: asyncio.Task[Any]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # looked at, even if nobody waits any more

    async def _records(self, key: bytes, name: str, kind: str, asker: str) -> tuple[str, ...]:
        about = f"dns:{kind} {name}"
        try:
            answer = await self.resolver.ask(name, kind)
        except NetworkError as error:
            await self._keep_failure(key, about, error, asker)
            raise
        body = jsonlib.dumps(answer.records).encode()
        await self._write(key, Stored(about, 200 if answer.records else 404, {}, body, self.now()), about, asker)
        return answer.records

    async def _answer(self, question: Question, key: bytes) -> Reply:
        """Answer a question from the cache or from the host, and keep the answer."""
        stored = self.cache.read(key)
        if stored is not None and self._fresh(stored, question.ttl, question.limit):
            return self._from(stored, question)
        try:
            reply = await self._fetch(question, stored if stored is not None and stored.why is None else None)
        except NetworkError as error:
            await self._keep_failure(key, question.about, error, question.asker, question.limit)
            raise
        kept = Stored(reply.url, reply.status, reply.headers, reply.body, reply.fetched_at)
        await self._write(key, kept, question.about, question.asker)
        return reply

    def _from(self, stored: Stored, question: Question) -> Reply:
        self.counts.cached += 1
        return _reply(stored, question, cached=True) if stored.why is None else _raise(stored)

    def _fresh(self, stored: Stored, ttl: timedelta, limit: int = 0) -> bool:
        """Whether an answer still holds. What was too large for a smaller limit is asked for again."""
        if stored.why == Why.TOO_LARGE and stored.status < limit:
            return False
        if stored.until is not None:
            return self.now() < stored.until
        holds = ttl if 200 <= stored.status < 300 else min(ttl, NOTHING)
        return self.now() < stored.fetched_at + holds

    async def _keep_failure(self, key: bytes, about: str, error: NetworkError, asker: str, limit: int = 0) -> None:
        if isinstance(error, Passing):
            return
        now = self.now()
        until = error.retry_at if error.why is Why.RATE_LIMITED else now + HOLDS.get(error.why, timedelta())
        if until is not None and until > now:
            stored = Stored("", limit, {}, b"", now, str(error.why), error.message, until)
            await self._write(key, stored, about, asker)

    async def _write(self, key: bytes, stored: Stored, about: str, asker: str) -> None:
        if not await self.cache.write(key, stored, about=about, asker=asker) and self.cache.path is not None:
            self.counts.unkept += 1

    async def _fetch(self, question: Question, old: Stored | None) -> Reply:
        """Ask the host, and follow where it leads; every step is checked like the first."""
        step = question
        for _ in range(REDIRECTS + 1):
            self.guard.port(step.at.port, stranger=step.crawl or step.at.origin != question.at.origin)
            every = await self._pace(step) if step.crawl else step.every
            known = old if old is not None and old.url == shown(step.at.url) else None
            answer = await self._send(replace(step, every=every), known)
            location = answer.headers.get("location")
            if answer.status in REDIRECTING and location:
                if step.body is not None:
                    raise NetworkError(Why.BROKEN, f"{step.at.host} sends what was posted elsewhere, which is not done")
                step = step.onward(followed(step.at, location))
                continue
            if answer.status == 304 and known is not None:
                self.counts.unchanged += 1
                return _reply(replace(known, fetched_at=self.now()), question, cached=False)
            return Reply(shown(step.at.url), answer.status, _without_cookies(answer.headers), answer.body, self.now())
        raise NetworkError(Why.TOO_MANY_REDIRECTS, f"{question.at.host} redirects more than {REDIRECTS} times")

    async def _pace(self, step: Question) -> float:
        """Hear robots.txt: raises where it forbids the page; returns the seconds between two pages of the site."""
        rules = await self._rules_of(step)
        if not rules.allows(step.at.url):
            raise NetworkError(
                Why.NOT_ALLOWED, f"robots.txt of {step.at.host} does not allow {step.at.path.partition('?')[0][:100]}"
            )
        return max(step.every, rules.delay)

    async def _rules_of(self, step: Question) -> robots.Rules:
        known = self._rules.get(step.at.origin)
        if known is not None:
            self._rules.move_to_end(step.at.origin)
            return known
        key = key_of("robots", step.at.origin)
        rules: robots.Rules = await self._once(key, lambda: self._read_rules(step))
        if step.at.origin not in self._rules:  # others may have waited for the same
            self._rules[step.at.origin] = rules
            self._rules_bytes += rules.size
        while self._rules_bytes > RULES_BYTES or len(self._rules) > RULES_REMEMBERED:
            self._rules_bytes -= self._rules.popitem(last=False)[1].size
        return rules

    async def _read_rules(self, step: Question) -> robots.Rules:
        question = Question(
            replace(step.at, path="/robots.txt"), ttl=robots.HOLDS, limit=robots.LONGEST, cut=True, every=step.every,
            spaced=False, page=False, strict=False, asker=step.asker,
        )  # fmt: skip
        try:
            return robots.read(await self._answer(question, question.key), step.at.host)
        except NetworkError as error:
            if error.why is Why.TOO_MANY_REDIRECTS:
                return robots.EVERYTHING  # RFC 9309, 2.3.1.2
            raise

    async def _send(self, step: Question, old: Stored | None) -> Answer:
        """Send one request, again where the host was only busy; raises for what is no answer."""
        for attempt in range(RETRIES + 1):
            try:
                answer = await self._attempt(step, old)
                if answer.status not in TRY_AGAIN:
                    return self._judged(step, answer)
                wait = self._wait(step, answer, attempt)
            except Cut:
                if attempt == RETRIES or step.body is not None:
                    raise
                wait = pause(attempt)
            self.counts.retries += 1
            self.politeness.delay(step.at.host, wait)
            await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, step: Question, old: Stored | None) -> Answer:
        """Send one request when it is the host's turn. What is refused costs no turn and no request."""
        if self.counts.left == 0:
            raise NetworkError(Why.BUDGET, f"the budget of {self.counts.limit:,} requests is spent")
        await self._check(step.at)
        sending = Sending(
            step.at, step.method, self._headers(step, old), step.body, step.limit, step.cut, step.secret_path
        )
        turn = self.politeness.turn(
            step.at.host, every=step.every, together=step.together, spaced=step.spaced,
            patience=LONGEST_PAUSE if step.crawl else math.inf,
        )  # fmt: skip
        async with turn:
            self.counts.spend(step.at.host)
            try:
                answer = await self.transport.send(sending)
            except NetworkError as error:
                self.politeness.went(step.at.host, well=error.why is not Why.UNREACHABLE)
                raise
            self.politeness.went(step.at.host, well=True)
            return answer

    async def _check(self, at: Target) -> None:
        """Look a host up and refuse what is not public. The connection checks again what it then connects to."""
        try:
            async with asyncio.timeout(NAMES_PATIENCE):
                await self.transport.connector.checked(at.host, at.port)
        except TimeoutError:
            raise Passing(Why.UNREACHABLE, f"no name server answers in time when asked for {at.host}") from None

    def _wait(self, step: Question, answer: Answer, attempt: int) -> float:
        """Return how long to wait before a busy host is asked again; raises where that is too long, or no use."""
        asked = retry_after(answer.headers.get("retry-after"), self.now())
        wait = max(pause(attempt), asked or 0.0)
        done = step.body is not None and answer.status not in (429, 503)
        if attempt < RETRIES and wait <= LONGEST_PAUSE and not done:
            return wait
        if answer.status != 429 and asked is None:
            raise NetworkError(Why.BROKEN, f"{step.at.host} has an error of its own ({answer.status})")
        quiet = max(LATER if asked is None else asked, LONGEST_PAUSE)
        back_at = later(self.now(), quiet)
        self.politeness.quiet(step.at.host, quiet, back_at)
        raise NetworkError(Why.RATE_LIMITED, f"{step.at.host} asked to come back later", retry_at=back_at)

    def _headers(self, step: Question, old: Stored | None) -> Headers:
        said = {name.lower(): value for name, value in step.headers}
        known = {
            "user-agent": self.agent,
            "accept": "text/html,application/xhtml+xml,*/*;q=0.5" if step.crawl else "*/*",
            "accept-encoding": "gzip, deflate",
        }
        if step.body is not None:
            known |= {"content-type": "application/json", "content-length": str(len(step.body))}
        if old is not None:
            known |= {
                ours: old.headers[theirs]
                for ours, theirs in (("if-none-match", "etag"), ("if-modified-since", "last-modified"))
                if theirs in old.headers
            }
        headers = known | said
        if not all(name.isascii() and name.isprintable() and value.isprintable() for name, value in headers.items()):
            raise NetworkError(Why.NOT_ALLOWED, "a header holds characters that no header may hold")
        return [(name.encode(), value.encode()) for name, value in headers.items()]

    def _judged(self, step: Question, answer: Answer) -> Answer:
        if step.strict and answer.status in (401, 402, 403) and not step.crawl:
            raise NetworkError(
                Why.DENIED, f"{step.at.host} denies access ({answer.status}): is the key right, and not spent?"
            )
        if answer.status >= 500 and step.strict:
            raise NetworkError(Why.BROKEN, f"{step.at.host} has an error of its own ({answer.status})")
        return answer

    async def aclose(self) -> None:
        """Let nothing run on, and close connections and cache."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.transport.aclose()
        self.cache.close()


@dataclass(frozen=True, slots=True)
class _Side:
    """The door as one provider sees it."""

    door: Door
    asker: str
    every: float

    async def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None, ttl: timedelta = MONTH, limit: int = PAGE_LIMIT, crawl: bool = False,
    ) -> Reply:  # fmt: skip
        question = Question(
            target(url, params), urlencode(secrets or {}), tuple((headers or {}).items()), None, ttl, limit, crawl,
            self.every, 1 if crawl else together(1.0 / self.every), asker=self.asker,
        )  # fmt: skip
        return await self.door.ask(question)

    async def post(
        self, url: str, *, json: Any, headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None, ttl: timedelta = MONTH, limit: int = PAGE_LIMIT,
    ) -> Reply:  # fmt: skip
        body = jsonlib.dumps(json, sort_keys=True, separators=(",", ":")).encode()
        question = Question(
            target(url), urlencode(secrets or {}), tuple((headers or {}).items()), body, ttl, limit, False, self.every,
            together(1.0 / self.every), asker=self.asker,
        )  # fmt: skip
        return await self.door.ask(question)

    async def dns(self, name: str, kind: str, *, ttl: timedelta = MONTH) -> tuple[str, ...]:
        return await self.door.records(name, kind, ttl=ttl, asker=self.asker)


def _without_cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """Keep of cookies their names alone: they tell what software set them, their values are nobody's business."""
    kept = dict(headers)
    if "set-cookie" in kept:
        kept["set-cookie"] = ", ".join(f"{name}=" for name in _COOKIE.findall(kept["set-cookie"][:8_000]))
    return kept


def _reply(stored: Stored, question: Question, *, cached: bool) -> Reply:
    if len(stored.body) > question.limit:
        raise NetworkError(Why.TOO_LARGE, f"{question.at.host} sent more than {question.limit:,} bytes")
    return Reply(stored.url, stored.status, stored.headers, stored.body, stored.fetched_at, cached)


def _raise(stored: Stored) -> Any:
    why = Why(stored.why or Why.UNREACHABLE)
    raise NetworkError(why, stored.message or str(why), retry_at=stored.until if why is Why.RATE_LIMITED else None)


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def user_agent(contact: str | None) -> str:
    """Say who asks.

    >>> user_agent("https://example.com/bot").endswith(" (+https://example.com/bot)")
    True
    """
    clean = "".join(character for character in contact or "" if character.isprintable() and character not in "()")
    return f"{robots.AGENT}/{version('leadlight')}" + (f" (+{clean})" if clean else "")


@asynccontextmanager
async def open_network(
    spec: NetworkSpec, path: Path | None, *, requests: int | None = None, now: Callable[[], datetime] = _utc_now,
    base: Path | None = None,
) -> AsyncIterator[Door]:  # fmt: skip
    """Open the door: `path` is the cache (None: nothing is kept), `requests` the budget, `now` the clock (naive UTC).

    `base` is the folder that `authorities` is relative to. Raises UsageError where its file cannot be read.
    """
    door = make_door(spec, path, requests=requests, now=now, base=base)
    try:
        yield door
    finally:
        await door.aclose()


def make_door(
    spec: NetworkSpec, path: Path | None, *, requests: int | None = None, now: Callable[[], datetime] = _utc_now,
    base: Path | None = None,
) -> Door:  # fmt: skip
    """Make the door without opening anything but the cache."""
    counts = Counts(requests)
    servers = tuple(name_server(text) for text in spec.dns) or system_servers()
    resolver = Resolver(servers, counts)
    guard = Guard.of(spec.allow, ports=spec.ports.values())
    usual = {"http": 80, "https": 443}
    connector = Connector(resolver, guard, {usual[scheme]: port for scheme, port in spec.ports.items()})
    try:
        tls = tls_context(None if spec.authorities is None else (base or Path()) / spec.authorities)
    except OSError as error:
        raise UsageError(
            f"authorities: {shorten(spec.authorities)} cannot be read as certificates ({error.strerror or error}); "
            "it is a file in PEM form, relative to the workspace"
        ) from error
    timeout = TIMEOUT if spec.timeout is None else spec.timeout.total_seconds()
    return Door(
        counts, Cache(path, now=now()), resolver, Transport(connector, tls, counts, timeout),
        Politeness(spec.at_once, counts), guard, user_agent(spec.contact), 1.0 / spec.per_second, now,
    )  # fmt: skip
