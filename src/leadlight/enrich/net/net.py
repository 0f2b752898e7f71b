"""The guarded door to the network: what providers ask goes through here, and nowhere else.

An answer comes from the cache where it is fresh. Otherwise the address is read strictly, robots.txt is heard (for pages),
the host's pace is kept, its IP address is checked and connected to, and the answer is bounded, followed through
redirects with the same care, kept, and handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from leadlight import __version__
from leadlight.enrich.net import robots
from leadlight.enrich.net.addresses import Guard, Target, ascii_name, followed, target
from leadlight.enrich.net.cache import Cache, Stored, key_of
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.politeness import (
    LONGEST_DELAY,
    LONGEST_PAUSE,
    RETRIES,
    Politeness,
    later,
    pause,
    retry_after,
    together,
)
from leadlight.enrich.net.resolve import Resolver, name_server, system_servers
from leadlight.enrich.net.transport import TIMEOUT, Answer, Connector, Headers, Transport, tls_context
from leadlight.enrich.network import MONTH, PAGE_LIMIT, Network, NetworkError, Reply, Why
from leadlight.spec.enrich import NetworkSpec

REDIRECTS = 5
NOTHING = timedelta(days=7)
"""For how long it is believed, at most, that there is nothing (404, 410, no such host)."""
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
RULES_REMEMBERED = 2_000
SECRET_NAMES = frozenset({
    "api_key", "apikey", "api-key", "key", "token", "access_token", "auth", "secret", "client_secret", "password",
    "app_id", "app_key", "subscription-key", "user_key",
})  # fmt: skip
"""Parameters whose values are shown and kept as *** even where they were not declared secret."""
_ENTITY_HEADERS = frozenset({"content-type", "etag", "last-modified", "content-language", "link", "server"})


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask for, with all that belongs to it."""

    at: Target
    secrets: str = ""
    """Query parameters that are sent, and neither kept nor shown."""
    headers: tuple[tuple[str, str], ...] = ()
    """What the caller sends besides; only to the host it was meant for."""
    body: bytes | None = None
    ttl: timedelta = MONTH
    limit: int = PAGE_LIMIT
    crawl: bool = False
    every: float = 1.0
    together: int = 1
    spaced: bool = True
    asker: str = ""
    strict: bool = True
    """Whether 401, 402 and 403 are failures."""

    @property
    def method(self) -> str:
        """GET, or POST where there is something to send."""
        return "GET" if self.body is None else "POST"

    @property
    def key(self) -> bytes:
        """What makes it the same question."""
        return key_of(self.method, self.at.url, "" if self.body is None else self.body.decode())

    @property
    def about(self) -> str:
        """What is asked, in clear, without secrets, so that it can be found and erased."""
        url = shown(self.at.url)
        return url if self.body is None else f"{url}\n{self.body.decode()}"


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
        """Return the same door for one provider: its answers can be forgotten together, and it may have its own pace."""
        return _Side(self, provider, self.every if per_second is None else 1.0 / per_second)

    async def ask(self, question: Question) -> Reply:
        """Answer a question, from the cache or from the host; the same one is never asked twice at the same time."""
        try:
            reply: Reply = await self._once(question.key, lambda: self._answer(question))
        except NetworkError as error:
            self.counts.failed[error.why] += 1
            raise
        return reply

    async def records(self, name: str, kind: str, *, ttl: timedelta, asker: str) -> tuple[str, ...]:
        """Answer a DNS question, from the cache or from the name servers."""
        name = ascii_name(name)
        key = key_of("DNS", name, kind.upper())
        try:
            found: tuple[str, ...] = await self._once(key, lambda: self._records(key, name, kind.upper(), ttl, asker))
        except NetworkError as error:
            self.counts.failed[error.why] += 1
            raise
        return found

    async def _once(self, key: bytes, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(make())
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: bytes, task: asyncio.Task[Any]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # looked at, even if nobody waits any more

    async def _records(self, key: bytes, name: str, kind: str, ttl: timedelta, asker: str) -> tuple[str, ...]:
        stored = self.cache.read(key)
        if stored is not None and self._fresh(stored, ttl):
            self.counts.cached += 1
            return tuple(jsonlib.loads(stored.body)) if stored.why is None else _raise(stored)
        about = f"dns:{kind} {name}"
        try:
            answer = await self.resolver.ask(name, kind)
        except NetworkError as error:
            await self._keep_failure(key, about, error, asker)
            raise
        body = jsonlib.dumps(answer.records).encode()
        await self.cache.write(
            key, Stored(about, 200 if answer.records else 404, {}, body, self.now()), about=about, asker=asker
        )
        return answer.records

    async def _answer(self, question: Question) -> Reply:
        key = question.key
        stored = self.cache.read(key)
        if stored is not None and self._fresh(stored, question.ttl, question.limit):
            self.counts.cached += 1
            return _reply(stored, question, cached=True) if stored.why is None else _raise(stored)
        try:
            reply = await self._fetch(question, stored if stored is not None and stored.why is None else None)
        except NetworkError as error:
            await self._keep_failure(key, question.about, error, question.asker, question.limit)
            raise
        kept = Stored(reply.url, reply.status, reply.headers, reply.body, reply.fetched_at)
        await self.cache.write(key, kept, about=question.about, asker=question.asker)
        return reply

    def _fresh(self, stored: Stored, ttl: timedelta, limit: int = 0) -> bool:
        """Whether an answer still holds. What was too large for a smaller limit is asked for again."""
        if stored.why == Why.TOO_LARGE and stored.status < limit:
            return False
        if stored.until is not None:
            return self.now() < stored.until
        holds = min(ttl, NOTHING) if stored.status in (404, 410) else ttl
        return self.now() < stored.fetched_at + holds

    async def _keep_failure(self, key: bytes, about: str, error: NetworkError, asker: str, limit: int = 0) -> None:
        now = self.now()
        until = error.retry_at if error.why is Why.RATE_LIMITED else now + HOLDS.get(error.why, timedelta())
        if until is not None and until > now:
            stored = Stored("", limit, {}, b"", now, str(error.why), error.message, until)
            await self.cache.write(key, stored, about=about, asker=asker)

    async def _fetch(self, question: Question, old: Stored | None) -> Reply:
        """Ask the host, and follow where it leads; every step is checked like the first."""
        step = question
        for _ in range(REDIRECTS + 1):
            self.guard.port(step.at.port, crawl=step.crawl)
            every = await self._pace(step) if step.crawl else step.every
            answer = await self._send(replace(step, every=every), old)
            location = answer.headers.get("location")
            if answer.status in REDIRECTING and location:
                if step.body is not None:
                    raise NetworkError(Why.BROKEN, f"{step.at.host} sends what was posted elsewhere, which is not done")
                step = _next(step, followed(step.at, location))
                old = None
                continue
            if answer.status == 304 and old is not None:
                self.counts.unchanged += 1
                return _reply(replace(old, fetched_at=self.now()), question, cached=False)
            kept = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
            return Reply(shown(step.at.url), answer.status, kept, answer.body, self.now())
        raise NetworkError(Why.TOO_MANY_REDIRECTS, f"{question.at.host} redirects more than {REDIRECTS} times")

    async def _pace(self, step: Question) -> float:
        """Hear robots.txt: raises where it forbids the page; returns the seconds between two pages of the site."""
        rules = await self._rules_of(step)
        if not rules.allows(step.at.url):
            raise NetworkError(Why.NOT_ALLOWED, f"robots.txt of {step.at.host} does not allow {step.at.path[:100]}")
        if rules.delay > LONGEST_DELAY:
            raise NetworkError(
                Why.NOT_ALLOWED, f"robots.txt of {step.at.host} asks for {rules.delay:g} s between two pages"
            )
        return max(step.every, rules.delay)

    async def _rules_of(self, step: Question) -> robots.Rules:
        known = self._rules.get(step.at.origin)
        if known is not None:
            self._rules.move_to_end(step.at.origin)
            return known
        at = replace(step.at, path="/robots.txt")
        reply = await self._once(
            key_of("GET", at.url),
            lambda: self._answer(
                Question(at, ttl=robots.HOLDS, spaced=False, every=step.every, asker=step.asker, strict=False)
            ),
        )
        rules = self._rules[step.at.origin] = robots.read(reply, step.at.host)
        while len(self._rules) > RULES_REMEMBERED:
            self._rules.popitem(last=False)
        return rules

    async def _send(self, step: Question, old: Stored | None) -> Answer:
        """Send one request, again where the host was only busy; raises for what is no answer."""
        for attempt in range(RETRIES + 1):
            error: NetworkError | None = None
            answer: Answer | None = None
            try:
                answer = await self._attempt(step, old)
            except NetworkError as failure:
                if failure.why is not Why.UNREACHABLE or step.body is not None or "broke the" not in failure.message:
                    raise
                error = failure
            if answer is not None and answer.status not in TRY_AGAIN:
                return self._judged(step, answer)
            wait = pause(attempt)
            if answer is not None:
                asked = retry_after(answer.headers.get("retry-after"), self.now())
                error = self._refusal(step, answer, asked)
                wait = max(wait, asked or 0.0)
                if step.body is not None and answer.status not in (429, 503):
                    raise error
            assert error is not None
            if attempt == RETRIES or wait > LONGEST_PAUSE:
                raise error
            self.counts.retries += 1
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _attempt(self, step: Question, old: Stored | None) -> Answer:
        if self.counts.left == 0:
            raise NetworkError(Why.BUDGET, f"the budget of {self.counts.limit:,} requests is spent")
        secret_path = None
        if step.secrets:
            secret_path = f"{step.at.path}{'&' if '?' in step.at.path else '?'}{step.secrets}"
        async with self.politeness.turn(step.at.host, every=step.every, together=step.together, spaced=step.spaced):
            self.counts.spend(step.at.host)
            try:
                answer = await self.transport.send(
                    step.at, method=step.method, headers=self._headers(step, old), body=step.body, limit=step.limit,
                    secret_path=secret_path,
                )  # fmt: skip
            except NetworkError as error:
                if error.why is Why.UNREACHABLE:
                    self.politeness.went(step.at.host, well=False)
                raise
            self.politeness.went(step.at.host, well=True)
            return answer

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
        try:
            return [(name.encode("ascii"), value.encode("utf-8")) for name, value in (known | said).items()]
        except UnicodeError:
            raise NetworkError(Why.NOT_ALLOWED, "a header holds characters that no header may hold") from None

    def _judged(self, step: Question, answer: Answer) -> Answer:
        if step.strict and answer.status in (401, 402, 403) and not step.crawl:
            raise NetworkError(
                Why.DENIED, f"{step.at.host} denies access ({answer.status}): is the key right, and not spent?"
            )
        if answer.status >= 500 and step.strict:
            raise NetworkError(Why.BROKEN, f"{step.at.host} has an error of its own ({answer.status})")
        return answer

    def _refusal(self, step: Question, answer: Answer, asked: float | None) -> NetworkError:
        """Say why there is no answer; a host that names a time is left alone until then."""
        if answer.status != 429 and asked is None:
            return NetworkError(Why.BROKEN, f"{step.at.host} has an error of its own ({answer.status})")
        seconds_left = 60.0 if asked is None else asked
        back_at = later(self.now(), seconds_left)
        if seconds_left > LONGEST_PAUSE:
            self.politeness.quiet(step.at.host, seconds_left, back_at)
        return NetworkError(Why.RATE_LIMITED, f"{step.at.host} asked to come back later", retry_at=back_at)

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
            target(url, params), _encoded(secrets), tuple((headers or {}).items()), None, ttl, limit, crawl, self.every,
            1 if crawl else together(1.0 / self.every), asker=self.asker,
        )  # fmt: skip
        return await self.door.ask(question)

    async def post(
        self, url: str, *, json: Any, headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None, ttl: timedelta = MONTH, limit: int = PAGE_LIMIT,
    ) -> Reply:  # fmt: skip
        body = jsonlib.dumps(json, sort_keys=True, separators=(",", ":")).encode()
        question = Question(
            target(url), _encoded(secrets), tuple((headers or {}).items()), body, ttl, limit, False, self.every,
            together(1.0 / self.every), asker=self.asker,
        )  # fmt: skip
        return await self.door.ask(question)

    async def dns(self, name: str, kind: str, *, ttl: timedelta = MONTH) -> tuple[str, ...]:
        return await self.door.records(name, kind, ttl=ttl, asker=self.asker)


def _encoded(secrets: Mapping[str, str] | None) -> str:
    from urllib.parse import urlencode

    return urlencode(secrets) if secrets else ""


def _next(step: Question, at: Target) -> Question:
    """Go where a redirect leads; what was meant for one host is not told to another."""
    if at.origin == step.at.origin:
        return replace(step, at=at)
    return replace(step, at=at, headers=(), secrets="")


def _reply(stored: Stored, question: Question, *, cached: bool) -> Reply:
    if len(stored.body) > question.limit:
        raise NetworkError(Why.TOO_LARGE, f"{question.at.host} sent more than {question.limit:,} bytes")
    return Reply(stored.url, stored.status, stored.headers, stored.body, stored.fetched_at, cached)


def _raise(stored: Stored) -> Any:
    why = Why(stored.why or Why.UNREACHABLE)
    raise NetworkError(why, stored.message or str(why), retry_at=stored.until if why is Why.RATE_LIMITED else None)


def shown(url: str) -> str:
    """Return an address without the values of parameters that look like secrets.

    >>> shown("https://api.example/v2?api_key=s3cret&domain=acme.example")
    'https://api.example/v2?api_key=***&domain=acme.example'
    """
    head, mark, query = url.partition("?")
    if not mark:
        return url
    parts = [part.partition("=") for part in query.split("&")]
    return f"{head}?" + "&".join(
        f"{name}=***" if name.lower() in SECRET_NAMES and value else f"{name}{sign}{value}"
        for name, sign, value in parts
    )


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def user_agent(contact: str | None) -> str:
    """Say who asks.

    >>> user_agent("https://example.com/bot").endswith(" (+https://example.com/bot)")
    True
    """
    clean = "".join(character for character in contact or "" if character.isprintable() and character not in "()")
    return f"{robots.AGENT}/{__version__}" + (f" (+{clean})" if clean else "")


@asynccontextmanager
async def open_network(
    spec: NetworkSpec, path: Path | None, *, requests: int | None = None, now: Callable[[], datetime] = _utc_now,
    base: Path | None = None,
) -> AsyncIterator[Door]:  # fmt: skip
    """Open the door: `path` is the cache (None: nothing is kept), `requests` the budget, `now` the clock (naive UTC).

    `base` is the folder that `authorities` is relative to. Raises ValueError where the settings make no sense, OSError
    where a file cannot be read.
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
    authorities = None if spec.authorities is None else (base or Path()) / spec.authorities
    timeout = TIMEOUT if spec.timeout is None else spec.timeout.total_seconds()
    return Door(
        counts, Cache(path, now=now()), resolver, Transport(connector, tls_context(authorities), counts, timeout),
        Politeness(spec.at_once, counts), guard, user_agent(spec.contact), 1.0 / spec.per_second, now,
    )  # fmt: skip
